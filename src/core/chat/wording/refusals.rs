//! The `!` lines about names, requests, chats and connections. `rooms` has the lines about rooms.
//!
//! Each refusal says what was wrong and that nothing was done, and names a way out where one
//! exists.

use std::fmt;

use super::accounts::AccountRefusal;
use super::rooms::RoomRefusal;
use super::terms::UNKNOWN_COMMAND;
use crate::core::chat::event::Removal;
use crate::core::chat::name::{Name, NameError};
use crate::core::chat::status::Status;
use crate::core::limits::{IGNORED_MAX, LINE_BYTES_MAX, NAME_BYTES_MAX};

/// Why the server did not do what a user typed. The state of the session is unchanged, except that
/// some refusals are the last line before the server closes the connection.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum Refusal<'a> {
    /// The text is no valid username (3.2.1).
    Name(NameError),
    /// A line at the prompt for a username begins with `/`, and is neither `/help` nor `/exit` (4.2.1).
    NameFirst,
    /// This name is a reserved word, or looks like one (3.2.3).
    NameReserved(&'a Name),
    /// A user has this name (3.2.2).
    NameTaken(&'a Name),
    /// This name looks like the name of a user (3.2.2).
    NameLooksTaken(&'a Name),
    /// The last line of a session without a username (4.2.4).
    NoNameInTime { seconds: u64 },
    /// The menu has no such choice.
    NotAChoice,
    /// An answer to a request that ended before it came (4.6.5).
    RequestIsOver,
    /// No request waits for an answer.
    NobodyAsks,
    /// The user is in no chat and no room, and has asked nobody.
    NothingToLeave,
    /// The user has asked nobody.
    NothingToCancel,
    /// The user is in no chat and no room: nobody would read the text.
    NobodyToRead,
    /// `/say` or `/me` without a text.
    NoText,
    /// Only rooms have a history (6.3.1).
    NotInRoom,
    /// The user is in a chat with this partner, and can only leave it first.
    InChat(&'a Name),
    /// No user has this name, or it is no valid name (4.3.3). As the user typed it.
    NobodyCalled(&'a str),
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
    /// An answer names somebody else than this user, who is asking (4.6.6).
    OtherAsks(&'a Name),
    /// The reader waits for the answer of this user, and can only withdraw or leave.
    WaitingFor(&'a Name),
    /// The text to ignore or unignore is no valid username.
    NoSuchName,
    /// The ignore list is full (7.29).
    IgnoringTooMany,
    /// A `/` begins no command (5.1.3).
    NotACommand,
    /// A refusal about a password or an account.
    Account(AccountRefusal<'a>),
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
            Refusal::Name(error) => error.fmt(f),
            Refusal::NameFirst => write!(f, "Choose a username first; /exit leaves"),
            Refusal::NameReserved(name) => {
                write!(f, "{name} is reserved; choose another, or type /help")
            }
            Refusal::NameTaken(name) => write!(f, "{name} is taken; choose another"),
            Refusal::NameLooksTaken(name) => {
                write!(f, "{name} looks like a name in use; choose another")
            }
            Refusal::NotAChoice => {
                write!(f, "Unknown choice, and nobody saw it. Type help, or 3 to leave")
            }
            Refusal::RequestIsOver => write!(f, "That request is over; nothing was done"),
            Refusal::NobodyAsks
            | Refusal::NothingToLeave
            | Refusal::NothingToCancel
            | Refusal::NobodyToRead
            | Refusal::NoText
            | Refusal::NotInRoom
            | Refusal::AnswerFirst(_)
            | Refusal::OtherAsks(_)
            | Refusal::InChat(_) => self.write_not_now(f),
            Refusal::NobodyCalled(_)
            | Refusal::Yourself
            | Refusal::Unavailable { .. }
            | Refusal::TakesNoRequests(_)
            | Refusal::AskedLately { .. }
            | Refusal::AddressAskedLately { .. }
            | Refusal::NotReading(_) => self.write_nobody_asked(f),
            Refusal::WaitingFor(whom) => {
                write!(f, "You are waiting for {whom}, and nobody saw that; cancel withdraws")
            }
            Refusal::NoSuchName => write!(f, "That cannot be a username; nothing changed"),
            Refusal::IgnoringTooMany => {
                write!(f, "You ignore {IGNORED_MAX} names already; unignore one first")
            }
            Refusal::NotACommand => f.write_str(UNKNOWN_COMMAND),
            Refusal::Account(refusal) => refusal.fmt(f),
            Refusal::Room(refusal) => refusal.fmt(f),
            Refusal::TooLong => {
                write!(f, "That line is longer than {LINE_BYTES_MAX} bytes, and was not sent")
            }
            Refusal::NotUtf8 => write!(f, "That line is not UTF-8, and was not sent"),
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
    /// Writes why a command makes no sense in this state.
    fn write_not_now(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NobodyAsks => write!(f, "Nobody is asking you right now"),
            Refusal::NothingToLeave => {
                write!(f, "You are in no chat or room, so that is not a choice; 3 leaves chinwag")
            }
            Refusal::NothingToCancel => write!(f, "You have asked nobody; nothing to cancel"),
            Refusal::NobodyToRead => write!(f, "You are in no chat or room, so nobody saw that"),
            Refusal::NoText => write!(f, "Not sent: type a text after it, as in /me waves"),
            Refusal::NotInRoom => write!(f, "You are in no room, and only rooms have a history"),
            Refusal::AnswerFirst(by) => write!(f, "Answer {by} first: yes or no"),
            Refusal::OtherAsks(by) => {
                write!(f, "Nobody was answered: {by} is asking you, /yes or /no")
            }
            Refusal::InChat(with) => {
                write!(f, "Not sent: you are in a chat with {with}; quit ends it")
            }
            _ => Ok(()),
        }
    }

    /// Writes why a user cannot be asked.
    fn write_nobody_asked(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A longer text is no name, and would fill the screen.
            Refusal::NobodyCalled(name) if name.len() > NAME_BYTES_MAX => {
                write!(f, "Nobody of that name is here")
            }
            Refusal::NobodyCalled(name) => write!(f, "Nobody called {name} is here"),
            Refusal::Yourself => write!(f, "You cannot chat with yourself"),
            Refusal::Unavailable { whom, status } => {
                write!(f, "{whom} is not available: {status}")
            }
            Refusal::TakesNoRequests(whom) => write!(f, "{whom} takes no requests right now"),
            Refusal::AskedLately { whom, seconds } => {
                write!(f, "You just asked {whom}; try again in {seconds} s")
            }
            Refusal::AddressAskedLately { whom, seconds } => {
                write!(f, "Your address asked {whom} too often; try again in {seconds} s")
            }
            Refusal::NotReading(whom) => {
                write!(f, "{whom} is not reading right now; try again later")
            }
            _ => Ok(()),
        }
    }

    /// Writes a refusal that is the last line before the server closes the connection.
    fn write_last_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoNameInTime { seconds } => {
                write!(f, "You chose no username within {seconds} s. Goodbye")
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
            Refusal::Overrun => write!(f, "You have not read what was sent to you. Goodbye"),
            Refusal::Removed { how, reason: "" } => write!(f, "{how}. Goodbye"),
            Refusal::Removed { how, reason } => write!(f, "{how}: {reason}. Goodbye"),
            _ => Ok(()),
        }
    }
}
