//! Accounts, as the shell sees them: what it tells the exchange, and when.
//!
//! The questions come out of [`Exchange::poll_action`] as [`super::Action::AskAccounts`]. Every method
//! here passes its news to the chat's method of the same name, and delivers the lines that follow.

use super::Exchange;
use crate::core::accounts::{AccountAnswer, AccountChange, AccountNameError, RequestNumber};
use crate::core::chat::Name;
use crate::core::time::Time;

impl Exchange {
    /// There is a store, and a helper that answers. Call this at the start, before
    /// [`Exchange::load_account`]; without it nobody can register a name. Does nothing if
    /// `Limits::accounts` is off.
    pub fn start_accounts(&mut self) {
        self.chat.start_accounts();
    }

    /// The store has this account. Call this at the start, for each. Returns `false` if the account
    /// looks like one that was loaded before: it cannot be used then, which the shell should log.
    pub fn load_account(&mut self, name: Name) -> bool {
        self.chat.load_account(name)
    }

    /// Whether `text` could become an account now; the name, if so. The shell asks this before it
    /// asks the store, and calls [`Exchange::handle_account_change`] when the account is stored.
    ///
    /// # Errors
    /// Why not.
    pub fn check_account_name(&self, text: &str) -> Result<Name, AccountNameError> {
        self.chat.check_account_name(text)
    }

    /// The account that this text names, in any case, as it was registered. For `ctl account reset`
    /// and `remove`.
    #[must_use]
    pub fn find_account(&self, text: &str) -> Option<&Name> {
        self.chat.find_account(text)
    }

    /// The accounts whose names begin with `prefix` in any case, in order of name.
    pub fn accounts(&self, prefix: &str) -> impl Iterator<Item = &Name> {
        self.chat.accounts(prefix)
    }

    /// The store has answered. Each number is answered once; the exchange ignores a number that it
    /// does not wait for.
    pub fn handle_account_answer(
        &mut self,
        now: Time,
        number: RequestNumber,
        answer: AccountAnswer,
    ) {
        let waited = self.chat.handle_account_answer(now, number, answer);
        self.deliver(now);
        // Lines that came meanwhile go on, and so does the socket.
        if let Some(id) = waited {
            self.endpoints.queue_resume(id);
        }
    }

    /// An operator has changed the store. A session that has the name without proof ends.
    pub fn handle_account_change(&mut self, now: Time, change: AccountChange) {
        self.chat.handle_account_change(now, change);
        self.deliver(now);
    }

    /// The helper is back after [`AccountAnswer::Down`], with these accounts: all that the store has.
    /// Until then the exchange keeps every name that may be registered.
    pub fn handle_accounts_reloaded(&mut self, now: Time, names: Vec<Name>) {
        self.chat.handle_accounts_reloaded(now, names);
        self.deliver(now);
    }
}
