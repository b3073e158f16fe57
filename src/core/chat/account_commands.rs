//! `register`, `password` and `unregister` (4.12), and the answers of the store.
//!
//! `dispatch` calls this module with lines, and the exchange with answers. The user is in the state
//! `GivingPassword` from the command to the answer, and at the menu before and after.

use super::Chat;
use super::accounts::{NotAsked, Outcome, Settled, TaskKind};
use super::command::{AccountCommand, Command, CommonCommand};
use super::event::{DisconnectReason, Event};
use super::name::Name;
use super::session::{PasswordStep, Purpose, Session, UserState};
use super::wording::{AccountNews, AccountRefusal, Line, News, Refusal};
use crate::core::SessionId;
use crate::core::accounts::{
    AccountAnswer, AccountChange, AccountNameError, AccountRequest, AccountTask, RequestNumber,
    Secret,
};
use crate::core::time::Time;

impl Chat {
    /// See [`crate::core::exchange::Exchange::start_accounts`].
    pub fn start_accounts(&mut self) {
        self.accounts.start();
    }

    /// The store has this account. `false` if it cannot be used, because it looks like another.
    pub fn load_account(&mut self, name: Name) -> bool {
        !self.accounts.are_kept() || self.accounts.add(name)
    }

    /// Whether `text` could become an account; the name, if so.
    ///
    /// # Errors
    /// Why not.
    pub fn check_account_name(&self, text: &str) -> Result<Name, AccountNameError> {
        self.accounts.check_name(text)
    }

    /// The account that `text` names, in any case.
    #[must_use]
    pub fn find_account(&self, text: &str) -> Option<&Name> {
        let name = Name::parse(text.trim()).ok()?;
        self.accounts.index().get(&name).map(|account| &account.name)
    }

    /// The accounts whose names begin with `prefix` in any case, in order of name.
    pub fn accounts(&self, prefix: &str) -> impl Iterator<Item = &Name> {
        self.accounts.index().with_prefix(prefix)
    }

    /// Whether a session waits for the store. Its input waits too.
    #[must_use]
    pub fn awaits_store(&self, id: SessionId) -> bool {
        self.roster.open_request(id).is_some()
    }

    /// Whether the next line of a session is a password, or the store still works on the last one.
    #[must_use]
    pub fn is_giving_password(&self, id: SessionId) -> bool {
        self.roster.is_giving_password(id)
    }

    /// Whether a line is no password, although one is awaited: a command.
    pub(crate) fn is_instead_of_password(line: &str) -> bool {
        Command::instead_of_password(line).is_some()
    }

    /// The next question to the store.
    pub fn poll_account_request(&mut self) -> Option<AccountRequest> {
        self.accounts.poll_request()
    }

    /// The store has answered. Returns the session whose input may go on.
    pub fn handle_account_answer(
        &mut self,
        now: Time,
        number: RequestNumber,
        answer: AccountAnswer,
    ) -> Option<SessionId> {
        self.assert_drained();
        let settled = self.accounts.settle(now, number, answer)?;
        // The session has ended, and another connection may have its id.
        let id = settled.session?;
        debug_assert_eq!(self.roster.open_request(id), Some(number), "{id} waits for it");
        match self.roster.session(id) {
            Session::SigningIn(_) => self.finish_check(now, id, settled.outcome),
            Session::User(user) => {
                if let UserState::GivingPassword { purpose, .. } = user.state {
                    self.finish_step(now, id, purpose, &settled);
                }
            }
            Session::Naming { .. } | Session::Over { .. } => {}
        }
        Some(id)
    }

    /// An operator has changed the store.
    pub fn handle_account_change(&mut self, now: Time, change: AccountChange) {
        self.assert_drained();
        match change {
            AccountChange::Added(name) => {
                if self.accounts.add(name.clone()) {
                    self.end_unproven_sessions(now, &name);
                }
            }
            AccountChange::Reset(name) => {
                self.accounts.change_version(&name);
                if let Some(id) = self.roster.find(&name) {
                    self.end_changed_session(now, id, &name);
                }
            }
            AccountChange::Removed(name) => {
                self.accounts.remove(&name);
                self.tell_removed(now, &name);
            }
        }
    }

    /// The store is back, and has these accounts.
    pub fn handle_accounts_reloaded(&mut self, now: Time, names: Vec<Name>) {
        self.assert_drained();
        for name in self.accounts.reload(names) {
            self.end_unproven_sessions(now, &name);
        }
    }

    /// MENU: `register`, `password` or `unregister`.
    pub(super) fn account_command(&mut self, id: SessionId, command: AccountCommand) {
        let name = self.roster.user(id).name.clone();
        let account = self.accounts.index().get(&name);
        // An account that nobody has confirmed yet may be registered again, by the user who began.
        let is_registered = account.is_some_and(|account| account.is_stored);
        let refusal = match command {
            _ if !self.accounts.are_kept() => AccountRefusal::NoAccounts,
            AccountCommand::Register if is_registered => AccountRefusal::RegisteredAlready(&name),
            AccountCommand::Password | AccountCommand::Unregister if !is_registered => {
                AccountRefusal::NotRegistered(&name)
            }
            _ if !self.may_give_password(id) => AccountRefusal::NotPrivate,
            _ => {
                let (purpose, step) = match command {
                    AccountCommand::Register => (Purpose::Register, PasswordStep::New),
                    AccountCommand::Password => (Purpose::Change, PasswordStep::Current),
                    AccountCommand::Unregister => (Purpose::Unregister, PasswordStep::Current),
                };
                self.roster.set_password_step(id, purpose, step);
                return self.prompt(id);
            }
        };
        self.refuse(id, Refusal::Account(refusal));
    }

    /// PASSWORD: the line is the password that the prompt asks for, as in SIGNING IN.
    pub(super) fn line_while_giving_password(
        &mut self,
        now: Time,
        id: SessionId,
        purpose: Purpose,
        step: PasswordStep,
        line: &str,
    ) {
        let Some(command) = Command::instead_of_password(line) else {
            return self.take_step(now, id, purpose, step, line);
        };
        self.command_instead_of_password(now, id, command, |chat| {
            chat.leave_password(id);
            chat.say(id, Line::News(News::Account(AccountNews::NothingChanged)));
            chat.prompt(id);
        });
    }

    /// A command that was typed where a password is awaited; `cancel` is what going back means there.
    pub(super) fn command_instead_of_password(
        &mut self,
        now: Time,
        id: SessionId,
        command: Command<'_>,
        cancel: impl FnOnce(&mut Chat),
    ) {
        match command {
            Command::Exit => self.end_session(now, id, DisconnectReason::Exit),
            Command::Cancel | Command::Leave => cancel(self),
            Command::Common(CommonCommand::Help) => self.common_command(id, CommonCommand::Help),
            Command::Chat(_)
            | Command::Join(_)
            | Command::Yes(_)
            | Command::No(_)
            | Command::Say(_)
            | Command::Act(_)
            | Command::NoText
            | Command::Who(_)
            | Command::History(_)
            | Command::Account(_)
            | Command::Common(_)
            | Command::Unknown => self.refuse(id, Refusal::Account(AccountRefusal::PasswordFirst)),
        }
    }

    fn take_step(
        &mut self,
        now: Time,
        id: SessionId,
        purpose: Purpose,
        step: PasswordStep,
        line: &str,
    ) {
        let name = self.roster.user(id).name.clone();
        match step {
            PasswordStep::Current => match Secret::parse(line) {
                Some(password) => {
                    self.ask(now, id, purpose, AccountTask::Verify { name, password })
                }
                None => self.refuse(id, Refusal::Account(AccountRefusal::NoSuchPassword)),
            },
            PasswordStep::New => match Secret::parse_new(line) {
                Ok(typed) => {
                    self.roster.keep_password(id, purpose, typed);
                    self.prompt(id);
                }
                Err(error) => self.refuse(id, Refusal::Account(AccountRefusal::Password(error))),
            },
            PasswordStep::Repeat => {
                let first = self.roster.take_password(id);
                match Secret::parse(line).filter(|again| Some(again) == first.as_ref()) {
                    Some(password) if purpose == Purpose::Register => {
                        self.ask(now, id, purpose, AccountTask::Register { name, password });
                    }
                    Some(password) => {
                        self.ask(now, id, purpose, AccountTask::ChangePassword { name, password });
                    }
                    None => {
                        self.roster.set_password_step(id, purpose, PasswordStep::New);
                        self.refuse(id, Refusal::Account(AccountRefusal::NotTheSame));
                    }
                }
            }
            // The exchange holds the input of such a session.
            PasswordStep::Asked(_) => {}
        }
    }

    /// Asks the store. If that is not possible, the user reads why and is at the menu.
    fn ask(&mut self, now: Time, id: SessionId, purpose: Purpose, task: AccountTask) {
        let origin = self.roster.origin(id);
        match self.accounts.ask(now, id, origin, task) {
            Ok(number) => {
                self.roster.set_password_step(id, purpose, PasswordStep::Asked(number));
            }
            Err(NotAsked::Missing) => {
                let name = self.roster.user(id).name.clone();
                self.give_up(id, AccountRefusal::NotRegistered(&name));
            }
            Err(why) => self.give_up(id, AccountRefusal::from(why)),
        }
    }

    /// Back to the menu: nothing was changed.
    fn give_up(&mut self, id: SessionId, refusal: AccountRefusal<'_>) {
        self.leave_password(id);
        self.refuse(id, Refusal::Account(refusal));
    }

    /// The store has answered a user who gave a password.
    fn finish_step(&mut self, now: Time, id: SessionId, purpose: Purpose, settled: &Settled) {
        let name = &settled.name;
        let refusal = match settled.outcome {
            Outcome::Done => return self.go_on(now, id, purpose, settled),
            Outcome::Wrong => {
                self.outputs.report(Event::WrongPassword(id));
                AccountRefusal::WrongPasswordAtMenu
            }
            Outcome::Outdated => AccountRefusal::ChangedMeanwhile(name),
            Outcome::Full => AccountRefusal::Crowded,
            Outcome::Down => AccountRefusal::Interrupted,
            Outcome::NotStored => AccountRefusal::NotStored,
            // Somebody else has the account, and the user has proved nothing.
            Outcome::Exists => return self.end_changed_session(now, id, name),
        };
        self.give_up(id, refusal);
    }

    /// The password is right, or the change is stored.
    fn go_on(&mut self, now: Time, id: SessionId, purpose: Purpose, settled: &Settled) {
        let name = &settled.name;
        let news = match (settled.kind, purpose) {
            (TaskKind::Verify, Purpose::Unregister) => {
                let task = AccountTask::Remove { name: name.clone() };
                return self.ask(now, id, purpose, task);
            }
            (TaskKind::Verify, Purpose::Change | Purpose::Register) => {
                self.roster.set_password_step(id, purpose, PasswordStep::New);
                return self.prompt(id);
            }
            (TaskKind::Register, _) => AccountNews::Registered(name),
            (TaskKind::ChangePassword, _) => AccountNews::PasswordChanged(name),
            (TaskKind::Remove, _) => AccountNews::Unregistered(name),
        };
        self.outputs.report(Event::AccountChanged(id));
        self.leave_password(id);
        self.say(id, Line::News(News::Account(news)));
        // The name is without an account now, which such a server does not allow.
        if settled.kind == TaskKind::Remove && self.accounts.are_required() {
            return self.end_session(now, id, DisconnectReason::Exit);
        }
        self.prompt(id);
    }

    /// A user leaves the state, in whatever step: the menu comes next, or the end of the session.
    pub(super) fn leave_password(&mut self, id: SessionId) {
        if let Some(number) = self.roster.open_request(id) {
            self.accounts.forget_session(number);
        }
        self.roster.end_password(id);
        self.outputs.show_typing(id);
    }

    /// A session ends: it awaits no password and no answer any more.
    pub(super) fn leave_password_state(&mut self, id: SessionId) {
        match self.roster.session(id) {
            Session::SigningIn(_) => {
                if let Some(number) = self.roster.open_request(id) {
                    self.accounts.forget_session(number);
                }
                self.outputs.show_typing(id);
            }
            Session::User(user) => {
                if let UserState::GivingPassword { .. } = user.state {
                    self.leave_password(id);
                }
            }
            Session::Naming { .. } | Session::Over { .. } => {}
        }
    }

    /// Checks the index, and that questions and sessions agree. No user has a registered name that is
    /// not in the spelling of the account: the name was proved, or registered in this session.
    pub(super) fn check_accounts(&self) {
        let waits = |id, number| self.roster.open_request(id) == Some(number);
        self.accounts.check(waits);
        let waiting = self.roster.present().filter(|&id| self.roster.open_request(id).is_some());
        assert_eq!(self.accounts.waiting_count(), waiting.count(), "every wait has a question");
        for id in self.roster.users("") {
            let name = &self.roster.user(id).name;
            if let Some(account) = self.accounts.owner(name) {
                assert_eq!(account.name, *name, "{id} has the name of an account without proof");
            }
        }
    }

    /// The account of a user is gone. A password for it is no use; an answer of the store still comes.
    pub(super) fn drop_password_dialog(&mut self, id: SessionId) {
        if let UserState::GivingPassword { step, .. } = self.roster.user(id).state
            && !matches!(step, PasswordStep::Asked(_))
        {
            self.leave_password(id);
            self.prompt(id);
        }
    }
}
