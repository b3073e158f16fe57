//! The words for values that appear inside many lines: a name, a status, a reason, a remaining
//! time.
//!
//! The other modules of `wording` build lines from them. The log and the answers to operators use
//! some of them too, so that a user, an operator and the log use the same words. This
//! module knows no lines.

use std::fmt;

use crate::core::chat::event::{DisconnectReason, Removal, StopNotice};
use crate::core::chat::name::{Name, NameError};
use crate::core::chat::status::Status;
use crate::core::limits::{NAME_BYTES_MAX, NAME_COLUMNS_MAX};

/// Why a `/` that begins no command was not obeyed (5.1.3). The same words in every state, so that a
/// user learns them once.
pub(super) const UNKNOWN_COMMAND: &str =
    "Unknown command, not sent. Try /help; use // to start a message with /";

/// The name as its user typed it, and not folded: users recognize their own spelling.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The status as a list shows it (5.2.1). Client programs parse these words.
impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // `busy` is the word of the command that turns do-not-disturb on.
            Status::Available => write!(f, "available"),
            Status::Busy => write!(f, "busy"),
            Status::Asking(whom) => write!(f, "asking {whom}"),
            Status::AskedBy(by) => write!(f, "asked by {by}"),
            Status::ChattingWith(with) => write!(f, "chatting with {with}"),
            Status::InRoom { room, busy: false } => write!(f, "in {room}"),
            Status::InRoom { room, busy: true } => write!(f, "in {room}, busy"),
        }
    }
}

/// The reason as the remaining users read it, after `NAME left: `, and as the log writes it. It
/// says what happened to the connection, and no address.
impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            // Only the log shows this reason. Users read "NAME left" without a reason.
            DisconnectReason::Exit => "exit",
            DisconnectReason::HungUp => "the connection ended",
            DisconnectReason::Lost => "the connection failed",
            DisconnectReason::Nameless => "no username came in time",
            DisconnectReason::WrongPassword => "gave wrong passwords",
            DisconnectReason::TakenOver => "signed in on another connection",
            DisconnectReason::AccountChanged => "the account was changed",
            DisconnectReason::SpokeTls => "spoke TLS",
            DisconnectReason::SpokeHttp => "spoke HTTP",
            DisconnectReason::Stalled => "stopped reading",
            DisconnectReason::Overrun => "left too much unread",
            DisconnectReason::Stopping => "the server stops",
            DisconnectReason::Removed => "removed by an operator",
            DisconnectReason::Banned => "banned by an operator",
        })
    }
}

/// The first half of the last line that a removed user reads (8.2.2).
impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Removal::Kicked => write!(f, "An operator removed you"),
            Removal::Banned => write!(f, "An operator removed you and bans your address"),
        }
    }
}

/// The remaining time as people say it: minutes above one minute, seconds below. Rounds to the
/// nearest minute, because a turn of the loop is often a few milliseconds late.
impl fmt::Display for StopNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE_MS: u64 = 60_000;
        match (self.ms + MINUTE_MS / 2) / MINUTE_MS {
            // Rounded up: a stop that is still ahead is not "0 s" away.
            _ if self.ms < MINUTE_MS => write!(f, "{} s", self.ms.div_ceil(1000)),
            1 => write!(f, "1 minute"),
            minutes => write!(f, "{minutes} minutes"),
        }
    }
}

/// The rule that a name breaks, rather than the character that breaks it: the user then knows how to
/// choose the next name. Usernames and names of rooms have the same rules.
impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::BadStart => write!(f, "Names must begin with a letter or a digit"),
            // One sentence for both limits, because a user can count neither exactly.
            NameError::TooLong => {
                write!(
                    f,
                    "Names may be at most {NAME_COLUMNS_MAX} columns wide and {NAME_BYTES_MAX} bytes"
                )
            }
            NameError::BadCharacter => {
                write!(f, "Names may contain only letters, digits, _ - and .")
            }
            NameError::NoLetter => write!(f, "Names must contain at least one letter"),
            NameError::MixedScripts => {
                write!(f, "Names must keep to one alphabet, and this one mixes two")
            }
        }
    }
}
