//! Accounts (3.4, 4.11, 4.12): which names are registered, what the store was asked, and how often
//! passwords were guessed. The model knows no password. The store says which are right.

use std::collections::{BTreeMap, VecDeque};

use super::addresses::{Kind, Scope};
use super::names::Name;
use super::{Address, Event, Model, Purpose, State, Step};
use crate::traffic::{Expected, SessionKey};

/// Wrong passwords of an address for an account before it must wait, the first wait, the longest, and
/// the longest from an address that has signed in (7.87).
const TRIES_FREE: u32 = 3;
const WAIT_MS: u64 = 1_000;
const WAIT_MS_MAX: u64 = 900_000;
const WAIT_KNOWN_MS_MAX: u64 = 60_000;
const FORGET_MS: u64 = 600_000;

/// Wrong passwords of an address for all accounts, and of strangers for one account (7.88).
const ADDRESS_FREE: u32 = 32;
const STRANGERS_FREE: u32 = 100;
const FORGET_TOTAL_MS: u64 = 60_000;

/// Addresses that are remembered for an account (7.89).
const KNOWN_MAX: usize = 8;

/// Names that an address registers in a row, and milliseconds until one more (7.91).
const REGISTRATIONS_FREE: u64 = 64;
const REGISTRATION_MS: u64 = 60_000;

/// Bytes and characters of a password (7.85).
const PASSWORD_BYTES_MAX: usize = 256;
const PASSWORD_CHARACTERS_MIN: usize = 8;

/// Wrong passwords on one connection (7.86).
const WRONG_MAX: u32 = 3;

/// What the store is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Verify,
    Register,
    Change,
    Remove,
}

/// What the store answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Ok,
    Wrong,
    Exists,
    /// The queue was full, or the store could not be written.
    Failed,
    /// The store died: the change may have been made or not.
    Down,
}

/// A question to the store that a session waits for.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(super) task: Task,
    /// The number that the server gave it, once the shell has seen it.
    number: Option<u64>,
    folded: String,
    id: u64,
    version: u64,
    password: Option<String>,
}

/// One registered name.
#[derive(Debug, Clone)]
struct Account {
    name: Name,
    /// Another account of the same name has another one.
    id: u64,
    /// Counts changes of the password.
    version: u64,
    /// The store is known to have it.
    is_sure: bool,
    known: VecDeque<Address>,
}

/// A question that the shell has seen, and that has no answer yet.
#[derive(Debug, Clone)]
struct Open {
    who: Option<SessionKey>,
    question: Question,
    address: Option<Address>,
    is_known: bool,
}

/// How many wrong passwords, and when the latest was counted.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    wrong: u32,
    at: u64,
}

impl Count {
    fn left(self, now: u64, forget_ms: u64) -> u32 {
        self.wrong.saturating_sub(((now - self.at) / forget_ms) as u32)
    }

    fn waits_until(self, now: u64, forget_ms: u64, free: u32, most_ms: u64) -> u64 {
        match self.left(now, forget_ms).checked_sub(free) {
            None => 0,
            Some(more) => self.at + (WAIT_MS << more.min(30)).min(most_ms),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Accounts {
    registered: BTreeMap<String, Account>,
    open: BTreeMap<u64, Open>,
    last_id: u64,
    pairs: BTreeMap<(u64, Scope), Count>,
    totals: BTreeMap<Scope, Count>,
    strangers: BTreeMap<u64, Count>,
    /// When an address may register as many names as ever again.
    registrations: BTreeMap<Scope, u64>,
}

impl Accounts {
    fn add(&mut self, name: Name, is_sure: bool) {
        self.last_id += 1;
        let account =
            Account { id: self.last_id, version: 0, is_sure, known: VecDeque::new(), name };
        self.registered.insert(account.name.folded.clone(), account);
    }

    fn owner(&self, name: &Name) -> Option<&Account> {
        let alike = || self.registered.values().find(|account| account.name.look == name.look);
        self.registered.get(&name.folded).or_else(alike)
    }

    /// The account that a question is about, if it is still the same one.
    fn subject(&mut self, question: &Question) -> Option<&mut Account> {
        self.registered.get_mut(&question.folded).filter(|account| account.id == question.id)
    }

    fn waits_until(&self, now: u64, account: &Account, address: Option<Address>) -> u64 {
        let is_known = address.is_some_and(|address| account.known.contains(&address));
        let strangers = self.strangers.get(&account.id).copied().unwrap_or_default();
        let is_attacked = strangers.left(now, FORGET_TOTAL_MS) >= STRANGERS_FREE;
        let free = if is_attacked && !is_known { 1 } else { TRIES_FREE };
        let most_ms = if is_known { WAIT_KNOWN_MS_MAX } else { WAIT_MS_MAX };
        let mut until = 0;
        for (scope, factor) in address.into_iter().flat_map(Address::scopes) {
            let factor = factor as u32;
            if let Some(count) = self.pairs.get(&(account.id, scope)) {
                until = until.max(count.waits_until(now, FORGET_MS, free * factor, most_ms));
            }
            if let (false, Some(count)) = (is_known, self.totals.get(&scope)) {
                let free = ADDRESS_FREE * factor;
                until = until.max(count.waits_until(now, FORGET_TOTAL_MS, free, most_ms));
            }
        }
        until
    }

    /// Counts a try. It counts as wrong until the answer comes.
    fn count(&mut self, now: u64, id: u64, address: Option<Address>, is_known: bool) {
        let add = |count: &mut Count, forget_ms| {
            *count = Count { wrong: count.left(now, forget_ms) + 1, at: now };
        };
        for (scope, _) in address.into_iter().flat_map(Address::scopes) {
            add(self.pairs.entry((id, scope)).or_default(), FORGET_MS);
            add(self.totals.entry(scope).or_default(), FORGET_TOTAL_MS);
        }
        if !is_known {
            add(self.strangers.entry(id).or_default(), FORGET_TOTAL_MS);
        }
    }

    fn count_answer(&mut self, now: u64, open: &Open, is_wrong: bool, is_proof: bool) {
        let id = open.question.id;
        for (scope, _) in open.address.into_iter().flat_map(Address::scopes) {
            let counts = [
                (self.pairs.get_mut(&(id, scope)), FORGET_MS),
                (self.totals.get_mut(&scope), FORGET_TOTAL_MS),
            ];
            for (count, forget_ms) in counts {
                let Some(count) = count else { continue };
                match is_wrong {
                    true => *count = Count { wrong: count.left(now, forget_ms).max(1), at: now },
                    false => count.wrong = count.wrong.saturating_sub(1),
                }
            }
            if is_proof {
                self.pairs.remove(&(id, scope));
            }
        }
        if let (false, false, Some(count)) = (is_wrong, open.is_known, self.strangers.get_mut(&id))
        {
            count.wrong = count.wrong.saturating_sub(1);
        }
    }
}

impl Model {
    /// The store has these accounts when the server starts.
    pub(crate) fn load_accounts(&mut self, spellings: &[String]) {
        self.accounts = Accounts::default();
        for spelling in spellings {
            let name = Name::new(spelling).expect("the store has names only");
            self.accounts.add(name, true);
        }
    }

    /// The account that owns this name.
    pub(crate) fn account_of(&self, spelling: &str) -> Option<String> {
        let name = Name::new(spelling)?;
        self.accounts.owner(&name).map(|account| account.name.spelling.clone())
    }

    /// Whether the store waits for nobody who registers this name, and knows it.
    pub(crate) fn is_sure(&self, spelling: &str) -> bool {
        let name = Name::new(spelling);
        let account = name.and_then(|name| self.accounts.registered.get(&name.folded));
        account.is_some_and(|account| account.is_sure)
    }

    pub(crate) fn is_question_open(&self, who: SessionKey) -> bool {
        self.sessions.get(&who).is_some_and(|session| session.question.is_some())
    }

    /// The shell has taken a question. It must be the one that follows from the line of `who`.
    pub(crate) fn asked(
        &mut self,
        number: u64,
        who: SessionKey,
        task: Task,
        spelling: &str,
        password: Option<&str>,
    ) {
        let folded = Name::new(spelling).expect("a name").folded;
        let address = self.sessions.get(&who).and_then(|session| session.address);
        let waiting = self.sessions.get_mut(&who).and_then(|session| session.question.as_mut());
        let question = waiting.filter(|question| question.number.is_none());
        let (asker, question) = match question {
            Some(question) => {
                assert_eq!((question.task, &question.folded), (task, &folded), "for {who}");
                let is_same = question.password.as_deref() == password;
                // NFC may change a letter.
                let is_plain = password.is_none_or(str::is_ascii);
                assert!(is_same || !is_plain, "the store gets another line of {who}");
                question.number = Some(number);
                (Some(who), question.clone())
            }
            // The session has ended in the same turn.
            None => {
                let (id, version) = self
                    .accounts
                    .registered
                    .get(&folded)
                    .map_or((0, 0), |account| (account.id, account.version));
                let question =
                    Question { task, number: Some(number), folded, id, version, password: None };
                (None, question)
            }
        };
        let account = self.accounts.registered.get(&question.folded);
        let is_known = address
            .is_some_and(|address| account.is_some_and(|account| account.known.contains(&address)));
        self.accounts.open.insert(number, Open { who: asker, question, address, is_known });
    }

    pub(crate) fn answered(&mut self, number: u64, answer: Answer) {
        self.events.push_back(Event::Answered(number, answer));
    }

    /// An operator has made an account.
    pub(crate) fn account_added(&mut self, spelling: &str) {
        let name = Name::new(spelling).expect("a name");
        self.accounts.add(name.clone(), true);
        self.end_owned_sessions(&name);
    }

    fn end_owned_sessions(&mut self, account: &Name) {
        for (who, name) in self.users() {
            if name.folded == account.folded || name.look == account.look {
                self.events.push_back(Event::AccountChanged(who));
            }
        }
    }

    /// An operator has given an account another password.
    pub(crate) fn account_reset(&mut self, spelling: &str) {
        let name = Name::new(spelling).expect("a name");
        if let Some(account) = self.accounts.registered.get_mut(&name.folded) {
            account.version += 1;
        }
        if let Some(who) = self.find(&name) {
            self.events.push_back(Event::AccountChanged(who));
        }
    }

    /// An operator has removed an account.
    pub(crate) fn account_removed(&mut self, spelling: &str) {
        let name = Name::new(spelling).expect("a name");
        self.accounts.registered.remove(&name.folded);
        if let Some(who) = self.find(&name) {
            self.events.push_back(match self.limits.requires_accounts {
                true => Event::AccountChanged(who),
                false => Event::AccountRemoved(who),
            });
        }
    }

    /// The store is back after it died, and has these accounts.
    pub(crate) fn accounts_reloaded(&mut self, spellings: &[String]) {
        let names = spellings.iter().map(|spelling| Name::new(spelling).expect("a name"));
        let stored = names.map(|name| (name.folded.clone(), name)).collect::<BTreeMap<_, _>>();
        let registering = self.accounts.open.values();
        let registering = registering
            .filter(|open| open.question.task == Task::Register)
            .map(|open| open.question.folded.clone())
            .collect::<Vec<_>>();
        self.accounts
            .registered
            .retain(|folded, _| stored.contains_key(folded) || registering.contains(folded));
        for (folded, name) in stored {
            match self.accounts.registered.get_mut(&folded) {
                Some(account) => account.is_sure = true,
                None => {
                    self.accounts.add(name.clone(), true);
                    self.end_owned_sessions(&name);
                }
            }
        }
    }

    fn users(&self) -> Vec<(SessionKey, Name)> {
        let open = self.sessions().filter(|(_, session)| session.state != State::Ended);
        open.filter_map(|(who, session)| Some((who, session.name.clone()?))).collect()
    }

    /// NAMING: what accounts say to a username. `false` if nothing.
    pub(super) fn begin_sign_in(&mut self, who: SessionKey, name: &Name) -> bool {
        let owner = self.accounts.owner(name).map(|account| account.name.clone());
        match owner {
            None if !self.limits.requires_accounts => return false,
            Some(account) if self.limits.takes_passwords => {
                let session = self.session_mut(who);
                (session.state, session.account) = (State::SigningIn, Some(account));
            }
            _ => self.refuse(who),
        }
        true
    }

    /// MENU: `register`, `password`, `unregister`.
    pub(super) fn account_command(&mut self, who: SessionKey, word: &str) {
        let folded = self.name(who).folded;
        let is_registered =
            self.accounts.registered.get(&folded).is_some_and(|account| account.is_sure);
        let makes_sense = (word == "register") != is_registered;
        if !self.limits.keeps_accounts || !makes_sense || !self.limits.takes_passwords {
            self.refuse(who);
            return self.prompt(who);
        }
        let (purpose, step) = match word {
            "register" => (Purpose::Register, Step::New),
            "password" => (Purpose::Change, Step::Current),
            _ => (Purpose::Unregister, Step::Current),
        };
        self.session_mut(who).state = State::Password(purpose, step);
        self.prompt(who);
    }

    /// SIGNING IN and PASSWORD: the line is a password, or one of a few commands.
    pub(super) fn handle_password_line(&mut self, who: SessionKey, line: &str) {
        let lower = line.trim().to_lowercase();
        match lower.as_str() {
            "" | "cancel" | "/cancel" | "/quit" | "/q" | "/leave" | "/part" => {
                self.cancel_password(who);
            }
            "exit" | "quit" | "/exit" => {
                self.leave(who, Some(Expected::Containing('*', "Goodbye".into())));
            }
            "/help" => {
                self.expected.push((who, Expected::Rows));
                self.prompt(who);
            }
            command if command.starts_with('/') => self.refuse_password(who, "Type the password"),
            _ => match self.state(who) {
                State::SigningIn => self.check_password(who, line),
                State::Password(purpose, step) => self.take_step(who, purpose, step, line),
                state => panic!("no password is awaited at {state:?}"),
            },
        }
    }

    fn refuse_password(&mut self, who: SessionKey, words: &str) {
        self.expect_line(who, '!', words.into());
        self.prompt(who);
    }

    fn cancel_password(&mut self, who: SessionKey) {
        match self.state(who) {
            State::SigningIn => self.session_mut(who).state = State::Naming,
            _ => {
                self.back_to_menu(who);
                self.expect_line(who, '*', "Nothing was changed".into());
            }
        }
        self.prompt(who);
    }

    fn back_to_menu(&mut self, who: SessionKey) {
        let session = self.session_mut(who);
        (session.state, session.typed, session.question) = (State::Menu, None, None);
    }

    fn give_up(&mut self, who: SessionKey, words: &str) {
        self.back_to_menu(who);
        self.refuse_password(who, words);
    }

    fn check_password(&mut self, who: SessionKey, line: &str) {
        let account = self.sessions[&who].account.clone().expect("SIGNING IN has an account");
        if line.len() > PASSWORD_BYTES_MAX {
            return self.refuse_password(who, "No password is longer");
        }
        if !self.accounts.registered.contains_key(&account.folded) {
            self.session_mut(who).state = State::Naming;
            return self.refuse_password(who, "is no longer registered");
        }
        match self.may_guess(who, &account.folded) {
            true => {
                self.ask_store(who, Task::Verify, account.folded, Some(line.to_owned()));
                self.session_mut(who).deadline = None;
            }
            false => self.refuse_password(who, "Too many wrong passwords"),
        }
    }

    fn may_guess(&self, who: SessionKey, folded: &str) -> bool {
        let account = &self.accounts.registered[folded];
        self.accounts.waits_until(self.now, account, self.sessions[&who].address) <= self.now
    }

    fn ask_store(&mut self, who: SessionKey, task: Task, folded: String, password: Option<String>) {
        let (now, address) = (self.now, self.sessions[&who].address);
        let accounts = self.accounts_mut();
        let account = &accounts.registered[&folded];
        let (id, version) = (account.id, account.version);
        let is_known = address.is_some_and(|address| account.known.contains(&address));
        if task == Task::Verify {
            accounts.count(now, id, address, is_known);
        }
        let question = Question { task, number: None, folded, id, version, password };
        self.session_mut(who).question = Some(question);
        self.expected.push((who, Expected::Question));
    }

    fn take_step(&mut self, who: SessionKey, purpose: Purpose, step: Step, line: &str) {
        let folded = self.name(who).folded;
        match step {
            Step::Current if line.len() > PASSWORD_BYTES_MAX => {
                self.refuse_password(who, "No password is longer");
            }
            Step::Current if !self.accounts.registered.contains_key(&folded) => {
                self.give_up(who, "is not registered");
            }
            Step::Current if !self.may_guess(who, &folded) => {
                self.give_up(who, "Too many wrong passwords");
            }
            Step::Current => self.ask_store(who, Task::Verify, folded, Some(line.to_owned())),
            Step::New => {
                let is_short = line.chars().count() < PASSWORD_CHARACTERS_MIN;
                if is_short || line.len() > PASSWORD_BYTES_MAX {
                    return self.refuse_password(who, "A password has");
                }
                let session = self.session_mut(who);
                session.typed = Some(line.to_owned());
                session.state = State::Password(purpose, Step::Repeat);
                self.prompt(who);
            }
            Step::Repeat if self.session_mut(who).typed.take().as_deref() != Some(line) => {
                self.session_mut(who).state = State::Password(purpose, Step::New);
                self.refuse_password(who, "The two passwords differ");
            }
            Step::Repeat if purpose == Purpose::Register => self.register(who, line),
            Step::Repeat if !self.accounts.registered.contains_key(&folded) => {
                self.give_up(who, "is not registered");
            }
            Step::Repeat => self.ask_store(who, Task::Change, folded, Some(line.to_owned())),
        }
    }

    fn register(&mut self, who: SessionKey, line: &str) {
        let (name, now) = (self.name(who), self.now);
        let scopes = self.sessions[&who].address.into_iter().flat_map(Address::scopes);
        let scopes = scopes.collect::<Vec<_>>();
        let accounts = self.accounts_mut();
        let is_one_too_many = scopes.iter().any(|(scope, factor)| {
            let full_at = accounts.registrations.get(scope).copied().unwrap_or(0);
            full_at.saturating_sub(now) > factor * (REGISTRATIONS_FREE - 1) * REGISTRATION_MS
        });
        if is_one_too_many {
            return self.give_up(who, "Your address registered many names");
        }
        for (scope, _) in scopes {
            let full_at = accounts.registrations.entry(scope).or_default();
            *full_at = (*full_at).max(now) + REGISTRATION_MS;
        }
        // From here on the name belongs to nobody else, whatever the store says.
        if !accounts.registered.contains_key(&name.folded) {
            accounts.add(name.clone(), false);
        }
        self.ask_store(who, Task::Register, name.folded, Some(line.to_owned()));
    }

    /// The store has answered.
    pub(super) fn handle_answer(&mut self, number: u64, answer: Answer) {
        let now = self.now;
        let accounts = self.accounts_mut();
        let open = accounts.open.remove(&number).expect("the question was asked");
        let version = open.question.version;
        let subject = accounts.subject(&open.question);
        let is_current = subject.is_some_and(|account| account.version == version);
        let is_wrong = answer == Answer::Wrong;
        let is_done = answer == Answer::Ok && is_current;
        let is_proof = open.question.task == Task::Verify && is_done;
        if open.question.task == Task::Verify {
            accounts.count_answer(now, &open, is_wrong, is_proof);
        }
        accounts.keep_effect(&open, answer, is_done);
        let Some(who) = open.who else { return };
        self.session_mut(who).question = None;
        let outcome = if is_current || is_wrong { Some(answer) } else { None };
        match self.state(who) {
            State::SigningIn => self.finish_check(who, outcome),
            State::Password(purpose, _) => self.finish_step(who, purpose, open.question, outcome),
            state => panic!("nobody waits for an answer at {state:?}"),
        }
    }

    /// An answer for SIGNING IN; `None` if the account has changed meanwhile.
    fn finish_check(&mut self, who: SessionKey, outcome: Option<Answer>) {
        let deadline = self.now + self.limits.naming_ms;
        let account = self.sessions[&who].account.clone().expect("SIGNING IN has an account");
        if outcome == Some(Answer::Ok) {
            if let Some(older) = self.find(&account) {
                let words = "has signed in on another connection".to_owned();
                self.leave(older, Some(Expected::Containing('!', words)));
                self.take_overs += 1;
            }
            self.expect_line(who, '*', format!("Hello, {}", account.spelling));
            let session = self.session_mut(who);
            (session.state, session.name) = (State::Menu, Some(account));
            self.sign_ins += 1;
            self.charge_address(who, Kind::Logins);
            return self.prompt(who);
        }
        self.session_mut(who).deadline = Some(deadline);
        match outcome {
            Some(Answer::Wrong) => {
                let session = self.session_mut(who);
                session.wrong += 1;
                if session.wrong >= WRONG_MAX {
                    let words = "Wrong password, too often".to_owned();
                    return self.leave(who, Some(Expected::Containing('!', words)));
                }
                self.refuse_password(who, "Wrong password");
            }
            None if !self.accounts.registered.contains_key(&account.folded) => {
                self.session_mut(who).state = State::Naming;
                self.refuse_password(who, "is no longer registered");
            }
            _ => self.refuse_password(who, "try again"),
        }
    }

    /// An answer for PASSWORD.
    fn finish_step(
        &mut self,
        who: SessionKey,
        purpose: Purpose,
        question: Question,
        outcome: Option<Answer>,
    ) {
        let words = match (outcome, question.task) {
            (Some(Answer::Ok), Task::Verify) if purpose == Purpose::Unregister => {
                return self.ask_store(who, Task::Remove, question.folded, None);
            }
            (Some(Answer::Ok), Task::Verify) => {
                self.session_mut(who).state = State::Password(purpose, Step::New);
                return self.prompt(who);
            }
            (Some(Answer::Ok), Task::Register) => "is registered",
            (Some(Answer::Ok), Task::Change) => "has the new password",
            (Some(Answer::Ok), Task::Remove) => "is no longer registered",
            (Some(Answer::Exists), _) => {
                let words = "sign in again".to_owned();
                return self.leave(who, Some(Expected::Containing('!', words)));
            }
            (Some(Answer::Wrong), _) => return self.give_up(who, "Wrong password"),
            (None | Some(Answer::Failed | Answer::Down), _) => return self.give_up(who, ""),
        };
        self.registrations += u64::from(question.task == Task::Register);
        self.back_to_menu(who);
        self.expect_line(who, '*', words.into());
        if question.task == Task::Remove && self.limits.requires_accounts {
            return self.leave(who, Some(Expected::Containing('*', "Goodbye".into())));
        }
        self.prompt(who);
    }

    /// An operator removed the account of `who`, who keeps the name.
    pub(super) fn handle_account_removed(&mut self, who: SessionKey) {
        self.expect_line(who, '*', "An operator removed the account".into());
        let is_asked = self.sessions[&who].question.is_some();
        if let (State::Password(..), false) = (self.state(who), is_asked) {
            self.back_to_menu(who);
            self.prompt(who);
        }
    }

    /// The session of `who` ends: nobody waits for the answer any more.
    pub(super) fn forget_question(&mut self, who: SessionKey) {
        let session = self.session_mut(who);
        session.typed = None;
        if let Some(number) = session.question.take().and_then(|question| question.number)
            && let Some(open) = self.accounts_mut().open.get_mut(&number)
        {
            open.who = None;
        }
    }

    /// The accounts, for a change that a roll-back can undo.
    fn accounts_mut(&mut self) -> &mut Accounts {
        if self.undo_accounts.is_none() {
            self.undo_accounts = Some(self.accounts.clone());
        }
        &mut self.accounts
    }

    pub(super) fn roll_back_accounts(&mut self) {
        if let Some(before) = self.undo_accounts.take() {
            self.accounts = before;
        }
    }
}

impl Accounts {
    /// What an answer means for the registered names.
    fn keep_effect(&mut self, open: &Open, answer: Answer, is_done: bool) {
        let (task, folded) = (open.question.task, &open.question.folded);
        let address = open.address;
        let Some(account) = self.subject(&open.question) else { return };
        match (task, answer) {
            (Task::Verify | Task::Register, Answer::Ok) if is_done => {
                account.is_sure = true;
                account.known.retain(|known| Some(*known) != address);
                account.known.extend(address);
                if account.known.len() > KNOWN_MAX {
                    account.known.pop_front();
                }
            }
            (Task::Register, Answer::Exists) if account.version == open.question.version => {
                account.is_sure = true;
            }
            (Task::Register, Answer::Failed | Answer::Wrong) if !account.is_sure => {
                self.registered.remove(folded);
            }
            (Task::Change, Answer::Ok) if is_done => account.version += 1,
            (Task::Change, Answer::Down) if account.version == open.question.version => {
                account.version += 1;
            }
            (Task::Remove, Answer::Ok) if is_done => drop(self.registered.remove(folded)),
            _ => {}
        }
    }
}
