//! Rate limits, deadlines, stalls, cool-downs and ignore lists (parts 5 and 7).

use super::names::Name;
use super::{Model, Session, State};
use crate::traffic::{Expected, SessionKey};

/// Requests that are free at once, and the milliseconds after which one more is (7.23).
const REQUESTS_FREE: u64 = 5;
const REQUEST_INTERVAL_MS: u64 = 2_000;

/// Free lines in rooms (7.24).
const ROOM_LINES_FREE: u64 = 10;

/// When the partner is told about a stalled reader, in milliseconds (7.16, 7.37).
const STALL_NOTICE_MS: u64 = 2_000;

/// The most names on an ignore list (7.29).
const IGNORED_MAX: usize = 50;

/// The allowance of a user for requests or for room lines, in milliseconds. Each use costs one
/// interval. Below 0, the server holds input until the allowance is back at 0 (5.7.2, 6.2.3).
#[derive(Debug, Clone)]
pub(crate) struct RateLimit {
    saved_ms: i64,
    as_of: u64,
    interval_ms: i64,
    saved_ms_max: i64,
}

impl RateLimit {
    pub(super) fn for_requests() -> RateLimit {
        RateLimit::new(REQUESTS_FREE, REQUEST_INTERVAL_MS)
    }

    pub(super) fn for_room_lines(interval_ms: u64) -> RateLimit {
        RateLimit::new(ROOM_LINES_FREE, interval_ms)
    }

    fn new(free: u64, interval_ms: u64) -> RateLimit {
        let saved_ms = (free * interval_ms) as i64;
        RateLimit { saved_ms, as_of: 0, interval_ms: interval_ms as i64, saved_ms_max: saved_ms }
    }

    pub(super) fn spend(&mut self, now: u64) {
        let grown = self.saved_ms + (now - self.as_of) as i64;
        self.saved_ms = grown.min(self.saved_ms_max) - self.interval_ms;
        self.as_of = now;
    }

    pub(crate) fn delayed_until(&self) -> u64 {
        if self.saved_ms < 0 { self.as_of + self.saved_ms.unsigned_abs() } else { 0 }
    }
}

impl Session {
    /// Until when the server holds this user's input. It holds none of a user who asks or chats
    /// (5.7.2).
    pub(super) fn delayed_until(&self) -> u64 {
        if let State::Asking(_) | State::Chatting(_) = self.state {
            return 0;
        }
        let own = self.request_limit.delayed_until().max(self.room_line_limit.delayed_until());
        own.max(self.address_until)
    }
}

impl Model {
    pub(super) fn first_stall_ms(&self) -> u64 {
        STALL_NOTICE_MS.min(self.limits.stall_ms)
    }

    pub(super) fn stall_is_due(&self, session: &Session) -> bool {
        session.stall.is_some_and(|(since, told)| {
            let due_ms = if told { self.limits.stall_ms } else { self.first_stall_ms() };
            self.now - since >= due_ms
        })
    }

    /// `who` has taken no byte for too long (7.16, 7.37, 7.17, 7.38).
    pub(super) fn handle_stall(&mut self, who: SessionKey) {
        let (since, _) = self.sessions[&who].stall.expect("the stall is due");
        if self.now - since >= self.limits.stall_ms {
            return self.leave(who, Some(Expected::Containing('!', String::new())));
        }
        self.session_mut(who).stall = Some((since, true));
        if let State::Chatting(with) = self.state(who) {
            self.expect_line(with, '*', format!("{} is not reading", self.name(who).spelling));
        }
    }

    pub(super) fn handle_deadline(&mut self, who: SessionKey) {
        match self.state(who) {
            State::Naming | State::SigningIn => {
                self.leave(who, Some(Expected::Containing('!', String::new())))
            }
            State::Asking(whom) => {
                self.expect_line(who, '*', self.name(whom).spelling);
                self.expect_line(whom, '*', self.name(who).spelling);
                self.start_cooldown(who, whom);
                self.end_request(who, whom);
                self.mark_missed_request(whom);
                self.prompt(who);
                self.prompt(whom);
            }
            state => panic!("the model has no rule for a deadline at {state:?}"),
        }
    }

    /// `by` cannot ask `whom` again for a while (5.7.1).
    pub(super) fn start_cooldown(&mut self, by: SessionKey, whom: SessionKey) {
        self.charge_time(by, whom);
        let (until, whom) = (self.now + self.limits.ask_again_ms, self.name(whom).folded);
        self.session_mut(by).cooldowns.insert(whom, until);
    }

    /// The user with this name, if `by` may ask them. Every reason to refuse gives the same `!`
    /// line, so the reason does not matter (4.3.3).
    pub(super) fn user_to_ask(&self, by: SessionKey, name: &str) -> Option<SessionKey> {
        let name = Name::new(name)?;
        let whom = self.find(&name)?;
        let (asker, asked) = (&self.sessions[&by], &self.sessions[&whom]);
        let can_be_asked = matches!(asked.state, State::Menu | State::Choosing | State::InRoom(_));
        let available = can_be_asked && !asked.busy;
        let cooling = asker.cooldowns.get(&name.folded).is_some_and(|&until| until > self.now);
        let ignored = asked.ignored.contains(&self.name(by).folded);
        let may_be_asked = !self.has_too_many_unread(whom) && self.address_may_ask(by, whom);
        (whom != by && available && !cooling && !ignored && may_be_asked).then_some(whom)
    }

    pub(super) fn ignore(&mut self, who: SessionKey, name: &str) {
        if name.is_empty() {
            self.expect_line(who, '*', "You ignore".into());
            for name in self.sessions[&who].ignored.clone() {
                let row = Expected::Containing('-', name);
                self.expected.push((who, Expected::ListRow(Box::new(row))));
            }
            return;
        }
        let is_full = self.sessions[&who].ignored.len() >= IGNORED_MAX;
        match Name::new(name) {
            Some(name) if !is_full || self.sessions[&who].ignored.contains(&name.folded) => {
                self.session_mut(who).ignored.insert(name.folded);
                self.expect_line(who, '*', name.spelling);
            }
            _ => self.expect_line(who, '!', String::new()),
        }
    }

    pub(super) fn unignore(&mut self, who: SessionKey, name: &str) {
        match Name::new(name) {
            Some(name) => {
                let session = self.session_mut(who);
                session.ignored.remove(&name.folded);
                session.shut_out.retain(|(_, shut_out)| *shut_out != name.folded);
                self.expect_line(who, '*', name.spelling);
            }
            None => self.expect_line(who, '!', String::new()),
        }
    }
}
