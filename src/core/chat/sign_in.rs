//! SIGNING IN: a session proves that a registered name is its own (4.11), and takes over from an
//! older session of the same account.
//!
//! `dispatch` calls this module at a registered name, and `account_commands` with the answers of the
//! store. No session has the name of an account without an answer that says so.

use super::Chat;
use super::accounts::{NotAsked, Outcome};
use super::command::Command;
use super::event::{DisconnectReason, Event};
use super::name::Name;
use super::session::{Proof, Session};
use super::wording::{AccountNews, AccountRefusal, Line, News, Refusal};
use crate::core::SessionId;
use crate::core::accounts::{AccountTask, Secret};
use crate::core::limits::PASSWORD_TRIES;
use crate::core::time::Time;

impl Chat {
    /// NAMING: what an account has to do with the username that a session wants. `false` if nothing.
    pub(super) fn begin_sign_in(&mut self, id: SessionId, name: &Name) -> bool {
        let Some(account) = self.accounts.owner(name) else {
            let is_refused = self.accounts.are_required();
            if is_refused {
                self.refuse(id, Refusal::Account(AccountRefusal::Required(name)));
            }
            return is_refused;
        };
        let account = account.name.clone();
        if self.may_give_password(id) {
            self.roster.begin_sign_in(id, account);
            self.prompt(id);
        } else {
            self.refuse(id, Refusal::Account(AccountRefusal::NameNotPrivate(&account)));
        }
        true
    }

    /// Whether a password may pass on the connection of a session (3.4.5).
    pub(super) fn may_give_password(&self, id: SessionId) -> bool {
        self.limits.allow_plain_passwords || self.roster.is_private(id)
    }

    /// SIGNING IN: the line is the password, except the words that leave and lines that begin with `/`:
    /// no password begins so.
    pub(super) fn line_while_signing_in(&mut self, now: Time, id: SessionId, line: &str) {
        let Some(command) = Command::instead_of_password(line) else {
            return self.check_password(now, id, line);
        };
        self.command_instead_of_password(now, id, command, |chat| chat.cancel_sign_in(now, id));
    }

    /// The session wants another name after all. Its deadline stays, so nobody stays for ever.
    fn cancel_sign_in(&mut self, now: Time, id: SessionId) {
        let until = self.roster.signing_in(id).proof.until().unwrap_or(now);
        self.roster.cancel_sign_in(id, until);
        self.outputs.show_typing(id);
        self.prompt(id);
    }

    /// Asks the store whether this is the password.
    fn check_password(&mut self, now: Time, id: SessionId, line: &str) {
        let account = self.roster.signing_in(id).account.clone();
        let Some(password) = Secret::parse(line) else {
            return self.refuse(id, Refusal::Account(AccountRefusal::NoSuchPassword));
        };
        let task = AccountTask::Verify { name: account.clone(), password };
        match self.accounts.ask(now, id, self.roster.origin(id), task) {
            Ok(number) => self.roster.set_proof(id, Proof::Checked { number }),
            Err(NotAsked::Missing) => {
                let until = self.roster.signing_in(id).proof.until().unwrap_or(now);
                self.release_name(id, &account, until);
            }
            Err(why) => self.refuse(id, Refusal::Account(AccountRefusal::from(why))),
        }
    }

    /// The account has been removed while its password was awaited: the name is free.
    fn release_name(&mut self, id: SessionId, account: &Name, until: Time) {
        self.roster.cancel_sign_in(id, until);
        self.outputs.show_typing(id);
        self.refuse(id, Refusal::Account(AccountRefusal::NoLongerRegistered(account)));
    }

    /// The store has answered a session that signs in.
    pub(super) fn finish_check(&mut self, now: Time, id: SessionId, outcome: Outcome) {
        // However long the store took, there is time for another try.
        let until = now.after_ms(self.limits.naming_ms);
        if outcome == Outcome::Done {
            return self.sign_in(now, id);
        }
        self.roster.set_proof(id, Proof::Awaited { until });
        let account = self.roster.signing_in(id).account.clone();
        let refusal = match outcome {
            Outcome::Wrong => return self.count_wrong_password(now, id),
            Outcome::Outdated if self.accounts.index().get(&account).is_none() => {
                return self.release_name(id, &account, until);
            }
            Outcome::Outdated => AccountRefusal::ChangedMeanwhile(&account),
            Outcome::Full => AccountRefusal::Crowded,
            Outcome::Done | Outcome::Down | Outcome::Exists | Outcome::NotStored => {
                AccountRefusal::Interrupted
            }
        };
        self.refuse(id, Refusal::Account(refusal));
    }

    fn count_wrong_password(&mut self, now: Time, id: SessionId) {
        self.outputs.report(Event::WrongPassword(id));
        match PASSWORD_TRIES.saturating_sub(self.roster.count_wrong(id)) {
            0 => self.end_session(now, id, DisconnectReason::WrongPassword),
            left => self.refuse(id, Refusal::Account(AccountRefusal::WrongPassword { left })),
        }
    }

    /// The password is right. An older session of the account ends first, so no ghost of a dropped
    /// connection keeps its owner out (4.11.4).
    fn sign_in(&mut self, now: Time, id: SessionId) {
        let account = self.roster.signing_in(id).account.clone();
        if let Some(older) = self.roster.find(&account) {
            self.say(older, Line::Refusal(Refusal::Account(AccountRefusal::TakenOver(&account))));
            self.end_session(now, older, DisconnectReason::TakenOver);
        }
        let name = self.roster.sign_in(id);
        self.outputs.show_typing(id);
        self.say(id, Line::News(News::Hello(&name)));
        self.outputs.report(Event::Named(id));
        self.prompt(id);
        self.charge_login(now, id);
    }

    /// An operator has changed who owns names: sessions that have one without proof end.
    pub(super) fn end_unproven_sessions(&mut self, now: Time, account: &Name) {
        let same = self.roster.find(account);
        // The index knows only that somebody's name looks alike; finding the user takes a walk.
        let alike = self.roster.has_look_alike(account).then(|| {
            let owned = |&id: &SessionId| {
                let owner = self.accounts.owner(&self.roster.user(id).name);
                owner.is_some_and(|owner| owner.name == *account)
            };
            self.roster.users("").filter(owned).collect::<Vec<_>>()
        });
        let mut ending = alike.unwrap_or_default();
        ending.extend(same.filter(|id| !ending.contains(id)));
        ending.into_iter().for_each(|id| self.end_changed_session(now, id, account));
    }

    /// An operator has changed the account whose name a session has.
    pub(super) fn end_changed_session(&mut self, now: Time, id: SessionId, account: &Name) {
        if let Session::User(_) = self.roster.session(id) {
            self.say(id, Line::Refusal(Refusal::Account(AccountRefusal::Changed(account))));
            self.end_session(now, id, DisconnectReason::AccountChanged);
        }
    }

    /// An account is gone: its owner, if here, keeps the name for this session.
    pub(super) fn tell_removed(&mut self, now: Time, account: &Name) {
        let Some(id) = self.roster.find(account) else { return };
        if self.accounts.are_required() {
            return self.end_changed_session(now, id, account);
        }
        self.say(id, Line::News(News::Account(AccountNews::RemovedByOperator(account))));
        self.drop_password_dialog(id);
    }
}
