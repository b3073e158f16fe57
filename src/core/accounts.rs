//! What the core and the store of accounts say to each other.
//!
//! The core knows which names are registered, and no password. It asks the shell with an
//! [`AccountRequest`]; the shell passes the request to the helper process, which hashes and stores,
//! and answers with an [`AccountAnswer`]. Answers may come late, in any order, and for a session that
//! is gone: the number of the request finds what it was about.

mod secret;
mod stand_in;

pub use secret::{PasswordError, Secret};
pub(crate) use stand_in::stand_in;

use crate::core::chat::name::Name;
use crate::core::{Origin, SessionId};

/// Who may sign in, and who must (`--accounts`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AccountPolicy {
    /// No name is registered, and none can be: accounts in the store are left alone.
    Off,
    /// A user may register a name. Names without an account are free to use.
    #[default]
    Optional,
    /// A username must have an account, which an operator made. Nobody registers one at the menu.
    Required,
}

/// Identifies a request until its answer. A number is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestNumber(pub u64);

/// A question to the store. Each gets exactly one answer, with
/// [`crate::core::exchange::Exchange::handle_account_answer`], even if its session is gone by then.
#[derive(Debug, PartialEq, Eq)]
pub struct AccountRequest {
    /// Comes back with the answer.
    pub number: RequestNumber,
    /// For the log only: another connection may have this id when the answer comes.
    pub session: SessionId,
    /// Whose turn in the queue it takes: the queue is fair by address.
    pub origin: Origin,
    /// Somebody signed in to the account from there before: strangers do not delay it.
    pub is_known: bool,
    /// What to do.
    pub task: AccountTask,
}

/// What the store is asked to do. Names stand as they were registered, except in `Register`.
#[derive(Debug, PartialEq, Eq)]
pub enum AccountTask {
    /// Is this the password? Changes nothing, except that an outdated hash is replaced.
    Verify {
        /// The account.
        name: Name,
        /// What the user typed.
        password: Secret,
    },
    /// Make an account. The answer is `Failed(Exists)` if the store has one of that name.
    Register {
        /// The new account.
        name: Name,
        /// Its password, which [`Secret::parse_new`] allows.
        password: Secret,
    },
    /// Set a new password. The core has verified the old one.
    ChangePassword {
        /// The account.
        name: Name,
        /// The new password.
        password: Secret,
    },
    /// Remove the account. The core has verified its password.
    Remove {
        /// The account.
        name: Name,
    },
}

impl AccountTask {
    /// The account that the task is about.
    #[must_use]
    pub fn name(&self) -> &Name {
        match self {
            AccountTask::Verify { name, .. }
            | AccountTask::Register { name, .. }
            | AccountTask::ChangePassword { name, .. }
            | AccountTask::Remove { name } => name,
        }
    }
}

impl AccountChange {
    /// The account that was changed.
    #[must_use]
    pub fn name(&self) -> &Name {
        match self {
            AccountChange::Added(name)
            | AccountChange::Reset(name)
            | AccountChange::Removed(name) => name,
        }
    }
}

/// The answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountAnswer {
    /// The password is right; or the change is stored, and survives a crash.
    Ok,
    /// The password is wrong, or there is no such account. Only to `Verify`.
    WrongPassword,
    /// The queue is full. Nothing was done.
    Full,
    /// The helper has died. A change may have been stored or not; when the helper is back, the shell
    /// calls [`crate::core::exchange::Exchange::handle_accounts_reloaded`].
    Down,
    /// Nothing was done.
    Failed(AccountFailure),
}

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountFailure {
    /// The store has an account of that name already.
    Exists,
    /// The store has no account of that name.
    Missing,
    /// The store could not be written, for example because the disk is full. The shell logs why.
    NotStored,
}

/// What an operator has changed in the store, after it is stored (`ctl account`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountChange {
    /// A new account.
    Added(Name),
    /// An account has another password.
    Reset(Name),
    /// An account is gone.
    Removed(Name),
}

/// Why a name cannot become an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountNameError {
    /// The text is no username (3.2.1), or a reserved word (3.2.3).
    NotAName,
    /// There is an account of that name, or of one that looks like it (3.2.2).
    Exists,
    /// There are as many accounts as the limit allows (7.90).
    TooMany,
}
