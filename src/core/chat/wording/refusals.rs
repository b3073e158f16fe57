//! The `!` lines about names, requests, chats and connections. `rooms` has the lines about rooms.
//!
//! Each refusal says what was wrong and that nothing was done, and names a way out where one
//! exists.

use std::fmt;

use super::rooms::RoomRefusal;
use crate::core::chat::event::Removal;
use crate::core::chat::name::{Name, NameError};
use crate::core::chat::status::Status;
use crate::core::limits::{IGNORED_MAX, LINE_BYTES_MAX};

/// Why the server did not do what a user typed. The state of the session is unchanged, except that
/// some refusals are the last line before the server closes the connection.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum Refusal<'a> {
    /// The text is no valid username (3.2.1).
    Name(NameError),
    /// A user has this name, or it is reserved (3.2.2, 3.2.3).
    NameTaken(&'a Name),
    /// This name looks like the name of a user (3.2.2).
    NameLooksTaken(&'a Name),
    /// The last line of a session without a username (4.2.4).
    NoNameInTime { seconds: u64 },
    /// The menu has no such choice.
    NotAChoice,
    /// An answer to a request that ended before it came (4.6.5).
    RequestIsOver,
    /// No user has the name, or it is no valid name (4.3.3).
    NobodyCalledThat,
    /// The name is the asker's own.
    Yourself,
    /// The user has a request or a chat already. The status says which.
    Unavailable { whom: &'a Name, status: Status<'a> },
    /// The user is busy or ignores the asker; the words do not say which (5.6.1).
    TakesNoRequests(&'a Name),
    /// The cool-down for this user lasts `seconds` more, rounded up (5.7.1).
    AskedLately { whom: &'a Name, seconds: u64 },
    /// The asker's address has asked this user too much; it may again in `seconds` (5.7.3).
    AddressAskedLately { whom: &'a Name, seconds: u64 },
    /// The user has not read the last requests (5.7.4).
    NotReading(&'a Name),
    /// The request of this user waits for a yes or no.
    AnswerFirst(&'a Name),
    /// The reader waits for the answer of this user, and can only withdraw or leave.
    WaitingFor(&'a Name),
    /// The text to ignore or unignore is no valid username.
    NoSuchName,
    /// The ignore list is full (7.29).
    IgnoringTooMany,
    /// A `/` in a chat begins no command (4.7.4).
    NotACommand,
    /// A refusal about a room.
    Room(RoomRefusal<'a>),
    /// The line was longer than the limit, and dropped (2.1.3).
    TooLong,
    /// The line was not UTF-8, and dropped (2.1.4).
    NotUtf8,
    /// `lines` lines for a partner were dropped when the chat ended (4.1.5).
    Undelivered { lines: usize },
    /// The last line to a client that speaks TLS (2.4.1). Readable in a packet dump. `place` says
    /// where TLS is spoken, or is empty.
    Tls { place: &'a str },
    /// The last line to a client that speaks HTTP (2.4.1). A browser shows it. `page` says
    /// where the web page is, or is empty.
    Http { page: &'a str },
    /// The last line to a client that read nothing for `seconds` (7.17).
    Stalled { seconds: u64 },
    /// The last line to a client whose outbox exceeded its limit (7.11).
    Overrun,
    /// The last line to a user whom an operator removed. `reason` may be empty (8.2.2).
    Removed { how: Removal, reason: &'a str },
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Name(error) => {
                error.write_rule(f, "username")?;
                write!(f, "; choose another")
            }
            Refusal::NameTaken(name) => write!(f, "{name} is taken; choose another"),
            Refusal::NameLooksTaken(name) => {
                write!(f, "{name} looks like a name that is taken; choose another")
            }
            Refusal::NotAChoice => write!(f, "That is not a choice here; it went to nobody"),
            Refusal::RequestIsOver => write!(f, "That request is over; nothing was done"),
            Refusal::NobodyCalledThat
            | Refusal::Yourself
            | Refusal::Unavailable { .. }
            | Refusal::TakesNoRequests(_)
            | Refusal::AskedLately { .. }
            | Refusal::AddressAskedLately { .. }
            | Refusal::NotReading(_) => self.write_nobody_asked(f),
            Refusal::AnswerFirst(by) => {
                write!(f, "{by} wants to chat: yes or no first; nothing else was done")
            }
            Refusal::WaitingFor(whom) => {
                write!(f, "You are waiting for {whom}; cancel withdraws, nothing else was done")
            }
            Refusal::NoSuchName => write!(f, "That is not a username; nothing was changed"),
            Refusal::IgnoringTooMany => {
                write!(f, "You ignore {IGNORED_MAX} already; unignore one first")
            }
            Refusal::NotACommand => {
                write!(f, "No such command, and it was not sent; // begins a text with /")
            }
            Refusal::Room(refusal) => refusal.fmt(f),
            Refusal::TooLong => {
                write!(f, "That line has more than {LINE_BYTES_MAX} bytes; it went to nobody")
            }
            Refusal::NotUtf8 => write!(f, "That line is not UTF-8; it went to nobody"),
            Refusal::Undelivered { lines: 1 } => {
                write!(f, "1 line you had typed before that was not delivered")
            }
            Refusal::Undelivered { lines } => {
                write!(f, "{lines} lines you had typed before that were not delivered")
            }
            Refusal::NoNameInTime { .. }
            | Refusal::Tls { .. }
            | Refusal::Http { .. }
            | Refusal::Stalled { .. }
            | Refusal::Overrun
            | Refusal::Removed { .. } => self.write_last_line(f),
        }
    }
}

impl Refusal<'_> {
    /// Writes why a user cannot be asked.
    fn write_nobody_asked(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NobodyCalledThat => write!(f, "Nobody of that name is here; nobody was asked"),
            Refusal::Yourself => write!(f, "You cannot chat with yourself; nobody was asked"),
            Refusal::Unavailable { whom, status } => {
                write!(f, "{whom} is not available, {status}; nobody was asked")
            }
            Refusal::TakesNoRequests(whom) => {
                write!(f, "{whom} takes no requests at the moment; nobody was asked")
            }
            Refusal::AskedLately { whom, seconds } => {
                write!(f, "You asked {whom} just now; ask again in {seconds} s")
            }
            Refusal::AddressAskedLately { whom, seconds } => {
                write!(f, "{whom} was asked too much from your address; ask again in {seconds} s")
            }
            Refusal::NotReading(whom) => {
                write!(f, "{whom} is not reading right now; nobody was asked")
            }
            _ => Ok(()),
        }
    }

    /// Writes a refusal that is the last line before the server closes the connection.
    fn write_last_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoNameInTime { seconds } => {
                write!(f, "No username came within {seconds} s. Goodbye")
            }
            Refusal::Tls { place: "" } => {
                write!(f, "This port speaks plain text, not TLS. Goodbye")
            }
            Refusal::Tls { place } => {
                write!(f, "This port speaks plain text; TLS is at {place}. Goodbye")
            }
            Refusal::Http { page: "" } => {
                write!(f, "This port is a chat, not a web server. Goodbye")
            }
            Refusal::Http { page } => {
                write!(f, "This port is for nc and telnet; the web page is at {page}. Goodbye")
            }
            Refusal::Stalled { seconds } => {
                write!(f, "You have read nothing for {seconds} s. Goodbye")
            }
            Refusal::Overrun => write!(f, "Too much waits that you have not read. Goodbye"),
            Refusal::Removed { how, reason: "" } => write!(f, "{how}. Goodbye"),
            Refusal::Removed { how, reason } => write!(f, "{how}: {reason}. Goodbye"),
            _ => Ok(()),
        }
    }
}
