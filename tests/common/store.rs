//! A store of accounts for tests: it does what the helper process does, in memory, and answers when
//! the test says so. It can be slow, full, dead, and out of order.

#![allow(dead_code, reason = "no test program uses the whole store")]

use std::collections::BTreeMap;

use chinwag::core::accounts::{
    AccountAnswer, AccountFailure, AccountRequest, AccountTask, RequestNumber,
};
use chinwag::core::chat::Name;

/// Accounts with their passwords in plain text, and the requests that wait.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// By folded name.
    accounts: BTreeMap<String, (Name, Vec<u8>)>,
    waiting: Vec<AccountRequest>,
}

impl Store {
    /// Adds an account, or changes its password.
    pub(crate) fn set(&mut self, name: &Name, password: &str) {
        let account = (name.clone(), password.as_bytes().to_vec());
        self.accounts.insert(name.folded().to_string(), account);
    }

    pub(crate) fn remove(&mut self, name: &Name) -> bool {
        self.accounts.remove(name.folded().as_str()).is_some()
    }

    pub(crate) fn has(&self, name: &Name) -> bool {
        self.accounts.contains_key(name.folded().as_str())
    }

    /// All accounts, as the helper lists them when it starts.
    pub(crate) fn names(&self) -> Vec<Name> {
        self.accounts.values().map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn ask(&mut self, request: AccountRequest) {
        self.waiting.push(request);
    }

    pub(crate) fn waiting(&self) -> &[AccountRequest] {
        &self.waiting
    }

    /// Does the waiting request at `place`.
    pub(crate) fn answer(&mut self, place: usize) -> (RequestNumber, AccountAnswer) {
        let request = self.waiting.remove(place);
        (request.number, self.carry_out(&request.task))
    }

    /// Answers the waiting request at `place` with `answer`. If it `is_done`, it was done before.
    pub(crate) fn fail(
        &mut self,
        place: usize,
        answer: AccountAnswer,
        is_done: bool,
    ) -> (RequestNumber, AccountAnswer) {
        let request = self.waiting.remove(place);
        if is_done {
            self.carry_out(&request.task);
        }
        (request.number, answer)
    }

    fn carry_out(&mut self, task: &AccountTask) -> AccountAnswer {
        match task {
            AccountTask::Verify { name, password } => {
                let account = self.accounts.get(name.folded().as_str());
                match account.is_some_and(|(_, stored)| stored == password.expose()) {
                    true => AccountAnswer::Ok,
                    false => AccountAnswer::WrongPassword,
                }
            }
            AccountTask::Register { name, .. } if self.has(name) => {
                AccountAnswer::Failed(AccountFailure::Exists)
            }
            AccountTask::Register { name, password } => {
                let account = (name.clone(), password.expose().to_vec());
                self.accounts.insert(name.folded().to_string(), account);
                AccountAnswer::Ok
            }
            AccountTask::ChangePassword { name, password } => {
                match self.accounts.get_mut(name.folded().as_str()) {
                    Some((_, stored)) => {
                        *stored = password.expose().to_vec();
                        AccountAnswer::Ok
                    }
                    None => AccountAnswer::Failed(AccountFailure::Missing),
                }
            }
            AccountTask::Remove { name } => match self.remove(name) {
                true => AccountAnswer::Ok,
                false => AccountAnswer::Failed(AccountFailure::Missing),
            },
        }
    }
}
