//! The commands about accounts: how a line reads, and how the answer does (8.2.9).
//!
//! Unlike other commands these carry a password. Nothing here prints one.

use std::fmt;

use crate::core::accounts::{AccountChange, AccountNameError, PasswordError};
use crate::core::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN};

/// A command about accounts.
#[derive(Clone, PartialEq, Eq)]
pub enum AccountCommand<'a> {
    /// Make an account.
    Add {
        /// The new name.
        name: &'a str,
        /// Its password, as the operator typed it.
        password: &'a str,
    },
    /// Give an account another password.
    Reset {
        /// The account.
        name: &'a str,
        /// Its new password.
        password: &'a str,
    },
    /// Remove an account.
    Remove {
        /// The account.
        name: &'a str,
    },
    /// List the accounts whose names begin with a prefix.
    List {
        /// The prefix; empty for all.
        prefix: &'a str,
    },
}

/// Why the server did nothing to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountRefusal {
    /// There is no store: `--state` is missing, or `--accounts off` was given.
    NoStore,
    /// The name cannot become an account.
    Name(AccountNameError),
    /// There is no such account.
    Missing,
    /// The password cannot be used.
    Password(PasswordError),
    /// Too many questions wait for the helper.
    Full,
    /// The helper has died. The change may be stored or not.
    Down,
    /// The store could not be written; the log says why.
    NotStored,
}

pub(super) const ACCOUNT: &str =
    "account add|reset NAME PASSWORD, account remove NAME, account list [PREFIX]: the accounts";

/// Parses what follows the word `account`. The password is the rest of the line after one blank: blanks
/// count in passwords. `None` if that is no command.
pub(super) fn parse_account(rest: &str) -> Option<AccountCommand<'_>> {
    let (verb, rest) = rest.trim_start().split_once(' ').unwrap_or((rest.trim(), ""));
    let rest = rest.trim_start();
    match verb {
        "list" => return Some(AccountCommand::List { prefix: rest.trim_end() }),
        "remove" => {
            let name = rest.trim_end();
            let is_name = !name.is_empty() && !name.contains(' ');
            return is_name.then_some(AccountCommand::Remove { name });
        }
        "add" | "reset" => {}
        _ => return None,
    }
    match rest.split_once(' ') {
        Some((name, password)) if !name.is_empty() && !password.is_empty() => Some(match verb {
            "add" => AccountCommand::Add { name, password },
            _ => AccountCommand::Reset { name, password },
        }),
        _ => None,
    }
}

impl fmt::Debug for AccountCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountCommand::Add { name, .. } => write!(f, "Add {name}"),
            AccountCommand::Reset { name, .. } => write!(f, "Reset {name}"),
            AccountCommand::Remove { name } => write!(f, "Remove {name}"),
            AccountCommand::List { prefix } => write!(f, "List {prefix}"),
        }
    }
}

/// What was done, for the operator.
pub(super) fn write_change(f: &mut fmt::Formatter<'_>, change: &AccountChange) -> fmt::Result {
    match change {
        AccountChange::Added(name) => write!(f, "Added the account {name}"),
        AccountChange::Reset(name) => write!(f, "{name} has a new password"),
        AccountChange::Removed(name) => write!(f, "Removed the account {name}"),
    }
}

impl fmt::Display for AccountRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountRefusal::NoStore => {
                write!(f, "The server keeps no accounts; start it with --state DIR")
            }
            AccountRefusal::Name(AccountNameError::NotAName) => {
                write!(f, "That cannot be a username")
            }
            AccountRefusal::Name(AccountNameError::Exists) => {
                write!(f, "There is an account of that name, or of one that looks like it")
            }
            AccountRefusal::Name(AccountNameError::TooMany) => {
                write!(f, "There are as many accounts as the server keeps")
            }
            AccountRefusal::Missing => write!(f, "There is no account of that name"),
            AccountRefusal::Password(PasswordError::TooShort) => {
                write!(f, "A password has at least {PASSWORD_CHARACTERS_MIN} characters")
            }
            AccountRefusal::Password(PasswordError::TooLong) => {
                write!(f, "A password has at most {PASSWORD_BYTES_MAX} bytes")
            }
            AccountRefusal::Password(PasswordError::IsCommand) => {
                write!(f, "A password does not begin with /, and is no word of the prompts")
            }
            AccountRefusal::Full => write!(f, "Too many people sign in now; try again"),
            AccountRefusal::Down => {
                return write!(
                    f,
                    "The helper for accounts has ended, and starts again; account list shows what it stored"
                );
            }
            AccountRefusal::NotStored => {
                write!(f, "The accounts cannot be kept, and the log says why")
            }
        }?;
        write!(f, "; nothing was done")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (8.2.9)
    #[test]
    fn a_password_is_the_rest_of_the_line_and_is_never_printed() {
        let parsed = parse_account("add anna  pass word ");
        assert_eq!(parsed, Some(AccountCommand::Add { name: "anna", password: " pass word " }));
        assert_eq!(format!("{parsed:?}"), "Some(Add anna)");
        assert_eq!(parse_account(" remove anna "), Some(AccountCommand::Remove { name: "anna" }));
        assert_eq!(parse_account("list an"), Some(AccountCommand::List { prefix: "an" }));
        assert_eq!(parse_account("list"), Some(AccountCommand::List { prefix: "" }));
        for wrong in ["", "add", "add anna", "add anna ", "reset", "remove", "remove a b", "x y z"]
        {
            assert_eq!(parse_account(wrong), None, "{wrong:?}");
        }
    }
}
