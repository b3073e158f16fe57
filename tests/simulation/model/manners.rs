//! Part 4 and the deadlines, as the model knows them.

use super::names::Name;
use super::{Model, Person, State};
use crate::spoken::{Expect, Who};

/// Asks that are free at once, and the time in which one more becomes so (5.8).
const ASKS_FREE: u64 = 5;
const ASK_MS: u64 = 2_000;

/// The same of lines in rooms (5.24).
const LINES_FREE: u64 = 10;

/// The first word about a stalled reader (5.14).
const STALL_NOTICE_MS: u64 = 2_000;

/// Users one may ignore (5.9).
const IGNORED_MAX: usize = 50;

/// How many asks or lines a user has left, in milliseconds of waiting for them; below 0, input waits
/// (4.4, 6.10).
#[derive(Debug, Clone)]
pub(crate) struct RateLimit {
    saved_ms: i64,
    as_of: u64,
    interval_ms: i64,
    saved_ms_max: i64,
}

impl RateLimit {
    pub(super) fn of_asks() -> RateLimit {
        RateLimit::new(ASKS_FREE, ASK_MS)
    }

    pub(super) fn of_lines(interval_ms: u64) -> RateLimit {
        RateLimit::new(LINES_FREE, interval_ms)
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

    pub(crate) fn slowed_until(&self) -> u64 {
        if self.saved_ms < 0 { self.as_of + self.saved_ms.unsigned_abs() } else { 0 }
    }
}

impl Person {
    /// Until when their input waits.
    pub(super) fn slowed_until(&self) -> u64 {
        self.asks.slowed_until().max(self.lines.slowed_until())
    }
}

impl Model {
    pub(super) fn first_stall_ms(&self) -> u64 {
        STALL_NOTICE_MS.min(self.bounds.stall_ms)
    }

    pub(super) fn stall_is_due(&self, person: &Person) -> bool {
        person.stall.is_some_and(|(since, told)| {
            let due_ms = if told { self.bounds.stall_ms } else { self.first_stall_ms() };
            self.now - since >= due_ms
        })
    }

    /// `who` has taken nothing for a while (5.14, 5.15).
    pub(super) fn stalling(&mut self, who: Who) {
        let (since, _) = self.people[&who].stall.expect("a stall was due");
        if self.now - since >= self.bounds.stall_ms {
            return self.leave(who, Some(Expect::Says('!', String::new())));
        }
        self.person(who).stall = Some((since, true));
        if let State::Chatting(with) = self.state(who) {
            self.says(with, '*', format!("{} is not reading", self.name(who).spelling));
        }
    }

    pub(super) fn deadline_passed(&mut self, who: Who) {
        match self.state(who) {
            State::Naming => self.leave(who, Some(Expect::Says('!', String::new()))),
            State::Asking(whom) => {
                self.says(who, '*', self.name(whom).spelling);
                self.says(whom, '*', self.name(who).spelling);
                self.cool(who, whom);
                self.ask_is_over(who, whom);
                self.missed_request(whom);
                self.prompt(who);
                self.prompt(whom);
            }
            state => panic!("the model has a deadline for {state:?}"),
        }
    }

    /// `by` cannot ask `whom` again for a while (4.3).
    pub(super) fn cool(&mut self, by: Who, whom: Who) {
        let (until, whom) = (self.now + self.bounds.ask_again_ms, self.name(whom).folded);
        self.person(by).cooling.insert(whom, until);
    }

    /// Why `by` may not ask the user of that name is one `!`, whatever it is (3.5.2).
    pub(super) fn whom_to_ask(&self, by: Who, name: &str) -> Option<Who> {
        let name = Name::new(name)?;
        let whom = self.find(&name)?;
        let (asker, asked) = (&self.people[&by], &self.people[&whom]);
        let is_there = matches!(asked.state, State::Menu | State::Choosing | State::InRoom(_));
        let available = is_there && !asked.busy;
        let cooling = asker.cooling.get(&name.folded).is_some_and(|&until| until > self.now);
        let ignored = asked.ignored.contains(&self.name(by).folded);
        (whom != by && available && !cooling && !ignored).then_some(whom)
    }

    pub(super) fn ignore(&mut self, who: Who, name: &str) {
        if name.is_empty() {
            self.says(who, '*', "You ignore".into());
            for name in self.people[&who].ignored.clone() {
                self.says(who, '-', name);
            }
            return;
        }
        let is_full = self.people[&who].ignored.len() >= IGNORED_MAX;
        match Name::new(name) {
            Some(name) if !is_full || self.people[&who].ignored.contains(&name.folded) => {
                self.person(who).ignored.insert(name.folded);
                self.says(who, '*', name.spelling);
            }
            _ => self.says(who, '!', String::new()),
        }
    }

    pub(super) fn unignore(&mut self, who: Who, name: &str) {
        match Name::new(name) {
            Some(name) => {
                self.person(who).ignored.remove(&name.folded);
                self.says(who, '*', name.spelling);
            }
            None => self.says(who, '!', String::new()),
        }
    }
}
