//! The calls of [`Recorded`] that are about no single connection: the start, accounts, operators, the end.

use super::call::{Call, StoredLine};
use super::recorded::Recorded;
use crate::core::SessionId;
use crate::core::accounts::{AccountAnswer, AccountChange, RequestNumber};
use crate::core::chat::{Name, Record, Removal, UnixSeconds};
use crate::core::exchange::Exchange;
use crate::core::time::Time;

impl Recorded {
    /// [`Exchange::handle_start`].
    pub fn handle_start<'a>(
        &mut self,
        started_at: UnixSeconds,
        past: impl IntoIterator<Item = Record<'a>>,
    ) {
        let past = past.into_iter().collect::<Vec<_>>();
        let stored = |record: &Record<'_>| StoredLine {
            said_at: record.said_at,
            room: record.room.to_owned(),
            line: record.line.to_owned(),
        };
        self.pass(
            None,
            |_, _| Call::Start(started_at, past.iter().map(stored).collect()),
            |exchange| exchange.handle_start(started_at, past.iter().copied()),
        );
    }

    /// [`Exchange::start_recording`], which is about room history.
    pub fn start_recording(&mut self) {
        self.pass(None, |_, _| Call::KeepHistory, Exchange::start_recording);
    }

    /// [`Exchange::start_accounts`].
    pub fn start_accounts(&mut self) {
        self.pass(None, |_, _| Call::StartAccounts, Exchange::start_accounts);
    }

    /// [`Exchange::load_account`].
    pub fn load_account(&mut self, name: Name) -> bool {
        let noted = name.clone();
        self.pass(None, |_, _| Call::LoadAccount(noted), |exchange| exchange.load_account(name))
    }

    /// [`Exchange::set_page`].
    pub fn set_page(&mut self, place: &str) {
        self.pass(
            None,
            |_, _| Call::SetPage(place.to_owned()),
            |exchange| exchange.set_page(place),
        );
    }

    /// [`Exchange::set_tls`].
    pub fn set_tls(&mut self, place: &str) {
        self.pass(None, |_, _| Call::SetTls(place.to_owned()), |exchange| exchange.set_tls(place));
    }

    /// [`Exchange::add_notice`].
    pub fn add_notice(&mut self, text: &str) {
        self.pass(
            None,
            |_, _| Call::AddNotice(text.to_owned()),
            |exchange| exchange.add_notice(text),
        );
    }

    /// [`Exchange::handle_stop`].
    pub fn handle_stop(&mut self, now: Time) {
        self.pass(Some(now), |_, _| Call::Stop, |exchange| exchange.handle_stop(now));
    }

    /// [`Exchange::end_opening`].
    pub fn end_opening(&mut self, now: Time) {
        self.pass(Some(now), |_, _| Call::EndOpening, |exchange| exchange.end_opening(now));
    }

    /// [`Exchange::release_memory`].
    pub fn release_memory(&mut self) {
        self.pass(None, |_, _| Call::ReleaseMemory, Exchange::release_memory);
    }

    /// [`Exchange::handle_wall_clock`].
    pub fn handle_wall_clock(&mut self, now: Time, shown: UnixSeconds) {
        self.pass(
            Some(now),
            |_, _| Call::WallClock(shown),
            |exchange| exchange.handle_wall_clock(now, shown),
        );
    }

    /// [`Exchange::handle_account_answer`].
    pub fn handle_account_answer(
        &mut self,
        now: Time,
        number: RequestNumber,
        answer: AccountAnswer,
    ) {
        self.pass(
            Some(now),
            |_, _| Call::AccountAnswer(number.0, answer),
            |exchange| exchange.handle_account_answer(now, number, answer),
        );
    }

    /// [`Exchange::handle_account_change`].
    pub fn handle_account_change(&mut self, now: Time, change: AccountChange) {
        let noted = change.clone();
        self.pass(
            Some(now),
            |_, _| Call::AccountChange(noted),
            |exchange| exchange.handle_account_change(now, change),
        );
    }

    /// [`Exchange::handle_accounts_reloaded`].
    pub fn handle_accounts_reloaded(&mut self, now: Time, names: Vec<Name>) {
        let noted = names.clone();
        self.pass(
            Some(now),
            |_, _| Call::AccountsReloaded(noted),
            |exchange| exchange.handle_accounts_reloaded(now, names),
        );
    }

    /// [`Exchange::handle_announcement`].
    pub fn handle_announcement(&mut self, now: Time, text: &str) -> usize {
        self.pass(
            Some(now),
            |_, _| Call::Announcement(text.to_owned()),
            |exchange| exchange.handle_announcement(now, text),
        )
    }

    /// [`Exchange::handle_removal`].
    pub fn handle_removal(&mut self, now: Time, id: SessionId, how: Removal, reason: &str) -> bool {
        self.pass(
            Some(now),
            |_, _| Call::Removal(id, how, reason.to_owned()),
            |exchange| exchange.handle_removal(now, id, how, reason),
        )
    }

    /// [`Exchange::handle_stop_in`].
    pub fn handle_stop_in(&mut self, now: Time, ms: u64) {
        self.pass(Some(now), |_, _| Call::StopIn(ms), |exchange| exchange.handle_stop_in(now, ms));
    }

    /// [`Exchange::handle_stop_called_off`].
    pub fn handle_stop_called_off(&mut self, now: Time) -> bool {
        self.pass(
            Some(now),
            |_, _| Call::StopCalledOff,
            |exchange| exchange.handle_stop_called_off(now),
        )
    }
}
