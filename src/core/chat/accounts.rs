//! The accounts, as far as the chat needs them: which names are registered, which questions to the
//! store are open, and how often passwords were guessed. No password stays here.
//!
//! `sign_in` and `account_commands` call this module and tell the users. Every question has a number.
//! An answer finds by its number what it is about, never by its session: ids are used again.

mod guesses;
mod index;

use std::collections::{BTreeMap, VecDeque};

use super::address_limits::{Debts, Scope};
use super::name::Name;
use super::reserved_names::is_reserved;
use crate::core::accounts::{
    AccountAnswer, AccountFailure, AccountNameError, AccountPolicy, AccountRequest, AccountTask,
    RequestNumber,
};
use crate::core::limits::{
    ACCOUNTS_MAX, Limits, REGISTRATION_INTERVAL_MS, REGISTRATIONS_IN_A_ROW_MAX,
};
use crate::core::time::Time;
use crate::core::{Origin, SessionId};
use guesses::Guesses;
pub(super) use index::{Account, AccountIndex};

/// Which account, and since which change of its password: the answer to a question about an older
/// one counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AccountVersion {
    pub(super) account: u64,
    pub(super) version: u32,
}

/// Registered names, open questions, and guesses.
#[derive(Debug)]
pub(super) struct Accounts {
    policy: AccountPolicy,
    /// A store answers ([`Self::start`]).
    is_started: bool,
    index: AccountIndex,
    last_number: u64,
    /// The questions that the shell has not taken yet.
    requests: VecDeque<AccountRequest>,
    /// The questions without an answer.
    open: BTreeMap<RequestNumber, OpenRequest>,
    guesses: Guesses,
    /// Names registered by each address (7.91).
    registrations: Debts<Scope>,
}

/// A question without an answer.
#[derive(Debug)]
struct OpenRequest {
    /// `None` if the session has ended: the answer still changes the index.
    session: Option<SessionId>,
    kind: TaskKind,
    name: Name,
    of: AccountVersion,
    origin: Origin,
    /// Somebody signed in from there before.
    is_known: bool,
}

/// An [`AccountTask`] without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskKind {
    Verify,
    Register,
    ChangePassword,
    Remove,
}

/// What an answer means for the session that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The password is right, or the change is stored.
    Done,
    /// The password is wrong.
    Wrong,
    /// The account has changed since the question: it counts for nothing.
    Outdated,
    /// The queue was full.
    Full,
    /// The helper has died.
    Down,
    /// The store has an account of that name already.
    Exists,
    /// The store could not be written.
    NotStored,
}

/// An answer that has been entered, and whom it concerns.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) session: Option<SessionId>,
    pub(super) kind: TaskKind,
    pub(super) name: Name,
    pub(super) outcome: Outcome,
}

/// Why no question can be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotAsked {
    /// There is no such account any more.
    Missing,
    /// Too many wrong passwords: again after so many seconds.
    TooManyWrong { seconds: u64 },
    /// There are as many accounts as the limit allows.
    TooMany,
    /// The address has registered too many names: again after so many seconds.
    TooManyFromAddress { seconds: u64 },
}

impl Accounts {
    pub(super) fn new(limits: &Limits) -> Accounts {
        Accounts {
            policy: limits.accounts,
            is_started: false,
            index: AccountIndex::default(),
            last_number: 0,
            requests: VecDeque::new(),
            open: BTreeMap::new(),
            guesses: Guesses::default(),
            registrations: Debts::default(),
        }
    }

    /// A store answers from now on.
    pub(super) fn start(&mut self) {
        self.is_started = self.policy != AccountPolicy::Off;
    }

    pub(super) fn are_kept(&self) -> bool {
        self.is_started
    }

    pub(super) fn are_required(&self) -> bool {
        self.policy == AccountPolicy::Required
    }

    /// The registered names, to read.
    pub(super) fn index(&self) -> &AccountIndex {
        &self.index
    }

    /// The account that a username belongs to: of the same name in any case, or of one that looks
    /// like it. `None` if the name is free of accounts.
    pub(super) fn owner(&self, name: &Name) -> Option<&Account> {
        self.index.owner(name)
    }

    /// Whether `text` can become an account; the name, if so.
    pub(super) fn check_name(&self, text: &str) -> Result<Name, AccountNameError> {
        let name = Name::parse(text.trim()).map_err(|_| AccountNameError::NotAName)?;
        if is_reserved(&name) {
            return Err(AccountNameError::NotAName);
        }
        if self.owner(&name).is_some() {
            return Err(AccountNameError::Exists);
        }
        match self.index.len() < ACCOUNTS_MAX {
            true => Ok(name),
            false => Err(AccountNameError::TooMany),
        }
    }

    /// Adds an account that the store has. `false` if one that looks like it is there, or if accounts
    /// are off.
    pub(super) fn add(&mut self, name: Name) -> bool {
        self.is_started && self.index.add(name, true)
    }

    /// Removes an account that the store has no more.
    pub(super) fn remove(&mut self, name: &Name) {
        if let Some(account) = self.index.get(name) {
            self.guesses.forget(account.id);
            self.index.remove(name);
        }
    }

    /// Replaces the index by what the store has. Names whose registration is under way stay. Returns
    /// the names that are new.
    pub(super) fn reload(&mut self, names: Vec<Name>) -> Vec<Name> {
        let mut gone = self
            .index
            .names()
            .map(|name| (name.folded(), name.clone()))
            .collect::<BTreeMap<_, _>>();
        let mut added = Vec::new();
        for name in names {
            if gone.remove(&name.folded()).is_some() {
                self.index.confirm(&name);
            } else if self.add(name.clone()) {
                added.push(name);
            }
        }
        for request in self.open.values().filter(|open| open.kind == TaskKind::Register) {
            gone.remove(&request.name.folded());
        }
        gone.values().for_each(|name| self.remove(name));
        added
    }

    /// The password of an account has changed: proofs that are under way count for nothing.
    pub(super) fn change_version(&mut self, name: &Name) {
        if let Some(account) = self.index.get_mut(name) {
            account.version += 1;
        }
    }

    /// Asks the store. The guess is counted before its answer: a hundred connections at once would
    /// otherwise have a hundred tries.
    pub(super) fn ask(
        &mut self,
        now: Time,
        session: SessionId,
        origin: Origin,
        task: AccountTask,
    ) -> Result<RequestNumber, NotAsked> {
        let (kind, name) = TaskKind::of(&task);
        let name = name.clone();
        if kind == TaskKind::Register {
            self.reserve(now, origin, &name)?;
        }
        let account = self.index.get(&name).ok_or(NotAsked::Missing)?;
        let of = account.version();
        let is_known = account.knows(origin);
        if kind == TaskKind::Verify {
            if let Some(until) = self.guesses.wait(now, of.account, origin, is_known) {
                return Err(NotAsked::TooManyWrong { seconds: seconds_until(now, until) });
            }
            self.guesses.count(now, of.account, origin, is_known);
        }
        self.last_number += 1;
        let number = RequestNumber(self.last_number);
        let session_now = Some(session);
        let open = OpenRequest { session: session_now, kind, name, of, origin, is_known };
        self.open.insert(number, open);
        self.requests.push_back(AccountRequest { number, session, origin, is_known, task });
        Ok(number)
    }

    /// Enters a name that is about to be registered. From here on it belongs to nobody else.
    fn reserve(&mut self, now: Time, origin: Origin, name: &Name) -> Result<(), NotAsked> {
        if self.index.len() >= ACCOUNTS_MAX {
            return Err(NotAsked::TooMany);
        }
        let (interval_us, burst) =
            (1_000 * REGISTRATION_INTERVAL_MS, u64::from(REGISTRATIONS_IN_A_ROW_MAX));
        let scopes = || Scope::of(origin).filter(|_| !origin.is_loopback());
        let allowed_us = |scope: Scope| u64::from(scope.factor()) * (burst - 1) * interval_us;
        let waits = scopes()
            .map(|scope| self.registrations.of(now, &scope).saturating_sub(allowed_us(scope)));
        match waits.max() {
            Some(wait_us) if wait_us > 0 => {
                return Err(NotAsked::TooManyFromAddress { seconds: wait_us.div_ceil(1_000_000) });
            }
            _ => {}
        }
        for scope in scopes() {
            let most_us = allowed_us(scope) + interval_us;
            self.registrations.add(now, scope, interval_us, most_us);
        }
        self.index.add(name.clone(), false);
        Ok(())
    }

    /// The next question for the shell.
    pub(super) fn poll_request(&mut self) -> Option<AccountRequest> {
        self.requests.pop_front()
    }

    /// The session that asked has ended. Its question goes on, because it may change the store.
    pub(super) fn forget_session(&mut self, number: RequestNumber) {
        if let Some(open) = self.open.get_mut(&number) {
            open.session = None;
        }
    }

    /// Enters an answer. `None` if the number is of no open question.
    pub(super) fn settle(
        &mut self,
        now: Time,
        number: RequestNumber,
        answer: AccountAnswer,
    ) -> Option<Settled> {
        let OpenRequest { session, kind, name, of, origin, is_known } =
            self.open.remove(&number)?;
        let account = self.index.get_mut(&name).filter(|account| account.id == of.account);
        let is_current = account.as_ref().is_some_and(|account| account.version == of.version);
        let mut outcome = match answer {
            AccountAnswer::Ok => Outcome::Done,
            AccountAnswer::WrongPassword => Outcome::Wrong,
            AccountAnswer::Full => Outcome::Full,
            AccountAnswer::Down => Outcome::Down,
            AccountAnswer::Failed(AccountFailure::Exists) => Outcome::Exists,
            AccountAnswer::Failed(AccountFailure::Missing | AccountFailure::NotStored) => {
                Outcome::NotStored
            }
        };
        if !is_current && outcome != Outcome::Wrong {
            outcome = Outcome::Outdated;
        }
        if kind == TaskKind::Verify {
            match outcome {
                Outcome::Wrong => self.guesses.confirm(now, of.account, origin),
                _ => self.guesses.take_back(of.account, origin, is_known),
            }
        }
        let Some(account) = account else { return Some(Settled { session, kind, name, outcome }) };
        match (kind, outcome) {
            (TaskKind::Verify, Outcome::Done) => {
                account.is_stored = true;
                account.remember(origin);
                self.guesses.forgive(of.account, origin);
            }
            (TaskKind::Register, Outcome::Done) => {
                account.is_stored = true;
                account.remember(origin);
            }
            (TaskKind::Register, Outcome::Exists) => account.is_stored = true,
            // Nobody knows whether it was stored: the name stays until the store is loaded again.
            (TaskKind::Register, Outcome::Down) => {}
            (TaskKind::Register, Outcome::Full | Outcome::NotStored | Outcome::Wrong)
                if !account.is_stored =>
            {
                self.remove(&name);
            }
            (TaskKind::ChangePassword, Outcome::Done | Outcome::Down) => account.version += 1,
            (TaskKind::Remove, Outcome::Done) => self.remove(&name),
            _ => {}
        }
        Some(Settled { session, kind, name, outcome })
    }

    /// Checks that the index is consistent, and that every open question knows its session: `waits`
    /// says whether a session waits for a number.
    ///
    /// # Panics
    /// If an invariant does not hold, which is a bug.
    pub(super) fn check(&self, waits: impl Fn(SessionId, RequestNumber) -> bool) {
        self.index.check();
        for (&number, open) in &self.open {
            let agrees = open.session.is_none_or(|session| waits(session, number));
            assert!(agrees, "{number:?} is for {:?}, which does not wait for it", open.session);
        }
    }

    /// How many sessions wait for an answer.
    pub(super) fn waiting_count(&self) -> usize {
        self.open.values().filter(|open| open.session.is_some()).count()
    }
}

impl TaskKind {
    fn of(task: &AccountTask) -> (TaskKind, &Name) {
        match task {
            AccountTask::Verify { name, .. } => (TaskKind::Verify, name),
            AccountTask::Register { name, .. } => (TaskKind::Register, name),
            AccountTask::ChangePassword { name, .. } => (TaskKind::ChangePassword, name),
            AccountTask::Remove { name } => (TaskKind::Remove, name),
        }
    }
}

/// Rounded up: a shorter wait would be refused again.
fn seconds_until(now: Time, until: Time) -> u64 {
    until.ms_since(now).div_ceil(1_000).max(1)
}
