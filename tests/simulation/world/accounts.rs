//! The store of accounts and its operator: the store is slow, answers in any order, is full or dies.
//! Where typing is shown or hidden is checked here too (3.4.4).

use chinwag::core::accounts::{
    AccountAnswer, AccountChange, AccountFailure, AccountRequest, AccountTask, RequestNumber,
};
use chinwag::core::chat::Name;
use chinwag::core::recording::Recorded;

use super::{World, id};
use crate::habits::{some_username, usual_password};
use crate::model::{Answer, Task};
use crate::sabotage::Fault;
use crate::traffic::SessionKey;

/// The line that warns users whose client shows what they type.
const WARNING: &[u8] = b"* Your screen shows what you type, so let nobody watch; cancel goes back";

const ECHO_OFF: &[u8] = b"\xff\xfb\x01";
const ECHO_ON: &[u8] = b"\xff\xfc\x01";

/// What a client shows while its user types, as far as the server told it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Typing {
    #[default]
    Shown,
    Hidden,
    /// The user knows that it is shown.
    Warned,
}

impl Typing {
    /// Follows a line that the server sent. Returns whether it is only about typing.
    pub(super) fn follow(&mut self, line: &[u8]) -> bool {
        let asks_for_password = line.starts_with(b"? Password for ")
            || line.starts_with(b"? New password for ")
            || line == b"? The same password again:";
        match (line, *self) {
            (ECHO_OFF, Typing::Shown | Typing::Warned) => *self = Typing::Hidden,
            (ECHO_ON, Typing::Hidden) => *self = Typing::Shown,
            (ECHO_OFF | ECHO_ON, before) => panic!("{line:?} comes twice: {before:?}"),
            (WARNING, before) => {
                assert_eq!(before, Typing::Shown, "a user is warned twice");
                *self = Typing::Warned;
            }
            (_, before) if asks_for_password => {
                assert_ne!(before, Typing::Shown, "a password is shown without a warning");
                return false;
            }
            (line, before) => {
                let is_prompt = line.starts_with(b"? ");
                assert!(!is_prompt || before != Typing::Hidden, "typing is hidden at {line:?}");
                if is_prompt {
                    *self = Typing::Shown;
                }
                return false;
            }
        }
        true
    }
}

impl World {
    /// Gives a new server the accounts that the store has.
    pub(super) fn load_accounts(&mut self, exchange: &mut Recorded) {
        if !self.plan.keeps_accounts {
            return;
        }
        exchange.start_accounts();
        let names = self.store.names();
        let spellings = names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
        self.model.load_accounts(&spellings);
        for name in names {
            assert!(exchange.load_account(name), "two accounts look alike");
        }
    }

    /// Some names are registered before the first server starts.
    pub(super) fn make_first_accounts(&mut self) {
        for _ in 0..self.plan.first_accounts {
            let Ok(name) = Name::parse(some_username(&mut self.random).trim()) else { continue };
            let names = self.store.names();
            let is_new = names.iter().all(|other| {
                other.skeleton_hash() != name.skeleton_hash() && other.folded() != name.folded()
            });
            // The check for reserved words is the server's; such names stay out here.
            if is_new && name.as_str().starts_with(['u', 'b', 'B', 'C', 'd']) {
                self.store.set(&name, &usual_password(name.folded().as_str()));
            }
        }
    }

    pub(super) fn take_question(&mut self, request: AccountRequest) {
        let (task, name, password) = match &request.task {
            AccountTask::Verify { name, password } => (Task::Verify, name, Some(password)),
            AccountTask::Register { name, password } => (Task::Register, name, Some(password)),
            AccountTask::ChangePassword { name, password } => (Task::Change, name, Some(password)),
            AccountTask::Remove { name } => (Task::Remove, name, None),
        };
        if self.is_traced {
            eprintln!("{:>8}     {request:?}", self.now);
        }
        let password = password.map(|password| str::from_utf8(password.expose()).expect("UTF-8"));
        let (number, who) = (request.number.0, request.session.key());
        self.model.asked(number, who, task, name.as_str(), password);
        self.store.ask(request);
        self.stats.questions += 1;
    }

    /// The store answers one question, if it has one and is not too slow. Returns whether it did.
    pub(super) fn store_acts(&mut self) -> bool {
        let waiting = self.store.waiting().len();
        if waiting == 0 || !self.random.chance(self.plan.store_speed) {
            return false;
        }
        let place = self.random.below(waiting);
        let other = self.other_question(place);
        let (number, answer) = match self.is_store_dead {
            true => self.store.fail(place, AccountAnswer::Down, false),
            false => self.store.answer(place),
        };
        self.give(number, answer, other);
        true
    }

    /// A question that a broken server takes the answer to the question at `place` for.
    fn other_question(&mut self, place: usize) -> Option<RequestNumber> {
        let waiting = self.store.waiting();
        let (asked, session) = (waiting[place].number, waiting[place].session);
        let others = waiting.iter().filter(|other| other.number != asked);
        let of_the_same_key =
            others.clone().find(|other| other.session == session).map(|other| other.number);
        let of_somebody_else =
            others.clone().find(|other| other.session != session).map(|other| other.number);
        match (of_the_same_key, of_somebody_else) {
            (Some(other), _) if self.sabotage.strikes(Fault::AnswerByKey) => Some(other),
            (_, Some(other)) if self.sabotage.strikes(Fault::AnswerToAnother) => Some(other),
            _ => None,
        }
    }

    fn give(&mut self, number: RequestNumber, answer: AccountAnswer, other: Option<RequestNumber>) {
        if self.is_traced {
            eprintln!("{:>8}     {number:?} {answer:?}", self.now);
        }
        self.model.answered(number.0, answer_of(answer));
        let is_wrong = answer == AccountAnswer::WrongPassword;
        let lets_in = is_wrong && self.sabotage.strikes(Fault::ProofIgnored);
        let answer = if lets_in { AccountAnswer::Ok } else { answer };
        self.exchange.handle_account_answer(self.time(), other.unwrap_or(number), answer);
        self.check_output();
    }

    /// The store is full, or dies and comes back.
    pub(super) fn store_suffers(&mut self) {
        if self.is_store_dead {
            if self.random.chance(30) || self.plan.store_failures == 0 {
                self.store_comes_back();
            }
            return;
        }
        if !self.random.chance(self.plan.store_failures) {
            return;
        }
        let full = [AccountAnswer::Full, AccountAnswer::Failed(AccountFailure::NotStored)];
        let dies = self.random.chance(30);
        while !self.store.waiting().is_empty() {
            let answer = if dies { AccountAnswer::Down } else { self.random.pick(&full) };
            let is_done = dies && self.random.chance(50);
            let (number, answer) = self.store.fail(0, answer, is_done);
            self.give(number, answer, None);
        }
        self.is_store_dead = dies;
    }

    fn store_comes_back(&mut self) {
        // What was asked meanwhile has not reached it.
        while !self.store.waiting().is_empty() {
            let (number, answer) = self.store.fail(0, AccountAnswer::Down, false);
            self.give(number, answer, None);
        }
        self.is_store_dead = false;
        let names = self.store.names();
        let spellings = names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
        self.model.accounts_reloaded(&spellings);
        self.exchange.handle_accounts_reloaded(self.time(), names);
        self.check_output();
    }

    /// The server is killed: what the store was asked is done or not, and nobody hears of it.
    pub(super) fn end_store_questions(&mut self) {
        while !self.store.waiting().is_empty() {
            let is_done = self.random.chance(50);
            self.store.fail(0, AccountAnswer::Down, is_done);
        }
        self.is_store_dead = false;
    }

    /// An operator makes, changes or removes an account (3.4.8).
    pub(super) fn operator_changes_account(&mut self) {
        let text = some_username(&mut self.random);
        let checked = self.exchange.check_account_name(&text);
        let password = usual_password(text.trim().to_lowercase().as_str());
        let found = self.exchange.find_account(&text).cloned();
        let change = match found {
            Some(name) if !self.store.has(&name) => return,
            Some(name) if self.random.chance(50) => {
                self.store.set(&name, &password);
                self.model.account_reset(name.as_str());
                AccountChange::Reset(name)
            }
            Some(name) => {
                self.store.remove(&name);
                self.model.account_removed(name.as_str());
                AccountChange::Removed(name)
            }
            None => {
                let owner = self.model.account_of(text.trim());
                assert!(checked.is_err() || owner.is_none(), "{owner:?} owns {text:?}");
                let Ok(name) = checked else { return };
                self.store.set(&name, &password);
                self.model.account_added(name.as_str());
                AccountChange::Added(name)
            }
        };
        if self.is_traced {
            eprintln!("{:>8}     the operator: {change:?}", self.now);
        }
        self.exchange.handle_account_change(self.time(), change);
        self.check_output();
    }

    /// The `NameReleased` canary: the server forgets an account that nobody uses.
    pub(super) fn release_name_if_sabotaged(&mut self) {
        let names = self.store.names();
        let chat = self.exchange.chat();
        let unused =
            |name: &&Name| chat.find(name.as_str()).is_none() && self.model.is_sure(name.as_str());
        let Some(name) = names.iter().find(unused).cloned() else { return };
        if self.sabotage.strikes(Fault::NameReleased) {
            let change = AccountChange::Removed(name);
            self.exchange.handle_account_change(self.time(), change);
            self.check_output();
        }
    }

    /// Chat and model agree on who gives a password and who waits for the store, and no client hides
    /// what is typed for ever.
    pub(super) fn check_passwords(&self, who: SessionKey) {
        let chat = self.exchange.chat();
        let asks = self.model.is_question_open(who);
        assert_eq!(chat.awaits_store(id(who)), asks, "chat and model disagree on {who}");
        let gives = self.model.is_giving_password(who);
        assert_eq!(chat.is_giving_password(id(who)), gives, "chat and model disagree on {who}");
        let socket = &self.sockets[&who];
        let is_hidden = socket.typing == Typing::Hidden;
        assert!(gives || !is_hidden || socket.has_failed, "{who} cannot see what they type");
    }
}

fn answer_of(answer: AccountAnswer) -> Answer {
    match answer {
        AccountAnswer::Ok => Answer::Ok,
        AccountAnswer::WrongPassword => Answer::Wrong,
        AccountAnswer::Down => Answer::Down,
        AccountAnswer::Failed(AccountFailure::Exists) => Answer::Exists,
        AccountAnswer::Full
        | AccountAnswer::Failed(AccountFailure::Missing | AccountFailure::NotStored) => {
            Answer::Failed
        }
    }
}
