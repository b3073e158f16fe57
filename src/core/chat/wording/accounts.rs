//! The lines about accounts and passwords. None of them contains a password, or says what is wrong
//! with one that somebody tries.

use std::fmt;

use crate::core::accounts::PasswordError;
use crate::core::chat::accounts::NotAsked;
use crate::core::chat::name::Name;
use crate::core::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN};

/// Something about the reader's own account.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum AccountNews<'a> {
    /// The name needs a password from now on (4.12.2).
    Registered(&'a Name),
    /// The account has the new password (4.12.3).
    PasswordChanged(&'a Name),
    /// The name needs no password any more (4.12.4).
    Unregistered(&'a Name),
    /// An operator removed the reader's account (3.4.8).
    RemovedByOperator(&'a Name),
    /// The reader gave no password after all (4.12.1).
    NothingChanged,
    /// A password is awaited from a client that shows what is typed (3.4.4).
    TypingIsVisible,
}

/// Why a password or an account did not do.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum AccountRefusal<'a> {
    /// A command where a password is awaited (4.11.1).
    PasswordFirst,
    /// A wrong password, with the number of tries that are left (4.11.3).
    WrongPassword { left: u8 },
    /// A wrong password for `password` or `unregister`.
    WrongPasswordAtMenu,
    /// The last line after too many wrong passwords (4.11.3).
    WrongPasswords,
    /// Longer than any password.
    NoSuchPassword,
    /// The address must wait (3.4.6).
    TooManyWrong { seconds: u64 },
    /// The name is registered, and the connection is not private (3.4.5).
    NameNotPrivate(&'a Name),
    /// The connection is not private.
    NotPrivate,
    /// Every name needs an account, and this one has none (3.4.1).
    Required(&'a Name),
    /// No name can be registered here.
    NoAccounts,
    /// The reader's name has an account.
    RegisteredAlready(&'a Name),
    /// The reader's name has no account.
    NotRegistered(&'a Name),
    /// The account was removed while the reader signed in.
    NoLongerRegistered(&'a Name),
    /// The account was changed while the store worked.
    ChangedMeanwhile(&'a Name),
    /// The text cannot be a new password (3.4.3).
    Password(PasswordError),
    /// The new password was typed in two ways.
    NotTheSame,
    /// Only at the menu.
    OnlyAtMenu(&'a Name),
    /// The queue is full (3.4.7).
    Crowded,
    /// The helper has died (3.4.7).
    Interrupted,
    /// The store cannot be written (3.4.7).
    NotStored,
    /// There are as many accounts as allowed (7.90).
    TooMany,
    /// The address has registered too many names (7.91).
    TooManyFromAddress { seconds: u64 },
    /// The last line of a session whose account signed in elsewhere (4.11.4).
    TakenOver(&'a Name),
    /// The last line of a session whose account an operator changed (3.4.8).
    Changed(&'a Name),
}

impl From<NotAsked> for AccountRefusal<'_> {
    fn from(why: NotAsked) -> Self {
        match why {
            NotAsked::Missing => AccountRefusal::Interrupted,
            NotAsked::TooManyWrong { seconds } => AccountRefusal::TooManyWrong { seconds },
            NotAsked::TooMany => AccountRefusal::TooMany,
            NotAsked::TooManyFromAddress { seconds } => {
                AccountRefusal::TooManyFromAddress { seconds }
            }
        }
    }
}

impl fmt::Display for AccountNews<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountNews::Registered(name) => {
                write!(f, "{name} is registered: from now on the name needs your password")
            }
            AccountNews::PasswordChanged(name) => write!(f, "{name} has the new password"),
            AccountNews::Unregistered(name) => {
                write!(f, "{name} is no longer registered; when you leave, the name is free")
            }
            AccountNews::RemovedByOperator(name) => {
                write!(
                    f,
                    "An operator removed the account {name}; when you leave, the name is free"
                )
            }
            AccountNews::NothingChanged => write!(f, "Nothing was changed"),
            AccountNews::TypingIsVisible => {
                write!(f, "Your screen shows what you type, so let nobody watch; cancel goes back")
            }
        }
    }
}

impl fmt::Display for AccountRefusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountRefusal::PasswordFirst => {
                write!(f, "Type the password, or cancel; no password begins with /")
            }
            AccountRefusal::WrongPassword { left: 1 } => write!(f, "Wrong password; 1 try left"),
            AccountRefusal::WrongPassword { left } => {
                write!(f, "Wrong password; {left} tries left")
            }
            AccountRefusal::WrongPasswordAtMenu => {
                write!(f, "Wrong password; nothing was changed")
            }
            AccountRefusal::WrongPasswords => write!(f, "Wrong password, too often. Goodbye"),
            AccountRefusal::NoSuchPassword => {
                write!(f, "No password is longer than {PASSWORD_BYTES_MAX} bytes; try again")
            }
            AccountRefusal::TooManyWrong { seconds } => {
                write!(f, "Too many wrong passwords; try again in {seconds} s")
            }
            AccountRefusal::Password(error) => error.fmt(f),
            AccountRefusal::NotTheSame => write!(f, "The two passwords differ; begin again"),
            AccountRefusal::TakenOver(name) => {
                write!(f, "{name} has signed in on another connection, so this one ends. Goodbye")
            }
            AccountRefusal::Changed(name) => {
                write!(f, "The account {name} has been changed; sign in again. Goodbye")
            }
            AccountRefusal::NameNotPrivate(_)
            | AccountRefusal::NotPrivate
            | AccountRefusal::Required(_)
            | AccountRefusal::NoAccounts
            | AccountRefusal::RegisteredAlready(_)
            | AccountRefusal::NotRegistered(_)
            | AccountRefusal::NoLongerRegistered(_)
            | AccountRefusal::OnlyAtMenu(_) => self.write_not_here(f),
            AccountRefusal::ChangedMeanwhile(_)
            | AccountRefusal::Crowded
            | AccountRefusal::Interrupted
            | AccountRefusal::NotStored
            | AccountRefusal::TooMany
            | AccountRefusal::TooManyFromAddress { .. } => self.write_not_done(f),
        }
    }
}

impl AccountRefusal<'_> {
    /// Writes why no password is asked for.
    fn write_not_here(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountRefusal::NameNotPrivate(name) => {
                write!(f, "{name} is registered, and others could read its password on this ")?;
                write!(f, "connection; choose another name")
            }
            AccountRefusal::NotPrivate => {
                write!(f, "Others could read a password on this connection; nothing was changed")
            }
            AccountRefusal::Required(name) => {
                write!(f, "{name} has no account, and this server requires one; try another name")
            }
            AccountRefusal::NoAccounts => {
                write!(f, "This server keeps no accounts; nothing was changed")
            }
            AccountRefusal::RegisteredAlready(name) => {
                write!(f, "{name} is registered already; password changes the password")
            }
            AccountRefusal::NotRegistered(name) => {
                write!(f, "{name} is not registered; register does that")
            }
            AccountRefusal::NoLongerRegistered(name) => {
                write!(f, "{name} is no longer registered; choose a name again")
            }
            AccountRefusal::OnlyAtMenu(room) => {
                write!(f, "Passwords are for the menu; quit leaves {room} first")
            }
            _ => Ok(()),
        }
    }

    /// Writes why the store has not done it.
    fn write_not_done(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountRefusal::ChangedMeanwhile(name) => {
                write!(f, "The account {name} has just been changed; try again")
            }
            AccountRefusal::Crowded => {
                write!(f, "Too many people are signing in; try again in a moment")
            }
            AccountRefusal::Interrupted => {
                write!(f, "The server could not finish that; try again in a moment")
            }
            AccountRefusal::NotStored => {
                write!(f, "The server could not store that; nothing was changed")
            }
            AccountRefusal::TooMany => {
                write!(f, "This server has no room for another account; nothing was changed")
            }
            AccountRefusal::TooManyFromAddress { seconds } => {
                write!(f, "Your address registered many names; try again in {seconds} s")
            }
            _ => Ok(()),
        }
    }
}

/// The rule that a new password breaks.
impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PasswordError::TooShort => {
                write!(f, "A password has at least {PASSWORD_CHARACTERS_MIN} characters")
            }
            PasswordError::TooLong => {
                write!(f, "A password has at most {PASSWORD_BYTES_MAX} bytes")
            }
            PasswordError::IsCommand => {
                write!(f, "A password does not begin with /, and is no word of this prompt")
            }
        }
    }
}
