//! The flag `--accounts`.

use clap::ValueEnum;

use crate::core::accounts::AccountPolicy;

/// What `--accounts` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AccountsArg {
    /// No name is registered
    Off,
    /// A user may register a name
    Optional,
    /// Every user needs an account, which an operator makes
    Required,
}

impl From<AccountsArg> for AccountPolicy {
    fn from(arg: AccountsArg) -> AccountPolicy {
        match arg {
            AccountsArg::Off => AccountPolicy::Off,
            AccountsArg::Optional => AccountPolicy::Optional,
            AccountsArg::Required => AccountPolicy::Required,
        }
    }
}
