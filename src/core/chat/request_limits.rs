//! Limits that protect a user from requests (5.7.3, 5.7.4): how much of the user's time one address
//! may take, and how many requests may wait for a user who does not read.
//!
//! `pairing` asks here before a request and reports how it went. A cool-down of the asking session
//! (5.7.1) is in `user_options`. Nothing here tells users anything.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::address_limits::{Debts, Scope};
use super::name::Name;
use crate::core::limits::{ADDRESS_ASKED_MS_MAX, Limits, UNREAD_REQUESTS_MAX};
use crate::core::time::Time;
use crate::core::{Origin, SessionId};

/// What users who were asked have put up with.
#[derive(Debug)]
pub(super) struct RequestLimits {
    ask_ms: u64,
    ask_again_ms: u64,
    /// Time that an address has taken from a user, by the hash of the user's folded name.
    taken: Debts<(Scope, u64)>,
    /// Requests since all output of the user was taken. Most users have no entry.
    unread: HashMap<SessionId, u32>,
}

impl RequestLimits {
    pub(super) fn new(limits: &Limits) -> RequestLimits {
        let (ask_ms, ask_again_ms) = (limits.ask_ms, limits.ask_again_ms);
        RequestLimits { ask_ms, ask_again_ms, taken: Debts::default(), unread: HashMap::new() }
    }

    /// A request from `origin` to the user called `asked` has ended without a chat. It would have
    /// lapsed at `lapses_at`.
    ///
    /// It costs twice the time that it took, and debts shrink with time: in the long run an address
    /// takes half of a user's time. A request that ends at once costs as much as the cool-down, or
    /// an address could ask and withdraw all day.
    pub(super) fn charge(&mut self, now: Time, origin: Origin, asked: &Name, lapses_at: Time) {
        // Without the cool-down for a session there is none for an address (7.15).
        if self.ask_again_ms == 0 {
            return;
        }
        let took_ms = self.ask_ms.saturating_sub(lapses_at.ms_since(now));
        let cost_us = 1_000 * self.ask_again_ms.max(2 * took_ms);
        let began_at = Time::START.after_ms(now.ms_since(Time::START).saturating_sub(took_ms));
        for scope in Scope::of(origin) {
            // Nothing but time limits this debt: a user is asked by one user at a time.
            self.taken.add(began_at, (scope, hash(asked)), cost_us, u64::MAX / 2);
        }
    }

    /// Seconds, rounded up, until a session from `origin` may ask the user called `asked`.
    pub(super) fn wait_seconds(&self, now: Time, origin: Origin, asked: &Name) -> Option<u64> {
        let waits = Scope::of(origin).filter_map(|scope| {
            let allowed_us = 1_000 * ADDRESS_ASKED_MS_MAX * u64::from(scope.factor());
            let debt_us = self.taken.of(now, &(scope, hash(asked)));
            Some(debt_us.saturating_sub(allowed_us).div_ceil(1_000_000)).filter(|wait| *wait > 0)
        });
        waits.max()
    }

    /// A request to `asked` was made.
    pub(super) fn count_unread(&mut self, asked: SessionId) {
        *self.unread.entry(asked).or_default() += 1;
    }

    /// Whether so many requests to `asked` are unread that one more would only fill memory.
    pub(super) fn has_too_many_unread(&self, asked: SessionId) -> bool {
        self.unread.get(&asked).is_some_and(|&count| count >= UNREAD_REQUESTS_MAX)
    }

    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// The client of `id` has taken all output, or is gone.
    pub(super) fn forget_unread(&mut self, id: SessionId) {
        self.unread.remove(&id);
    }
}

/// Folded names of any length in 8 bytes. Whoever finds two names with one hash shares a cool-down.
fn hash(name: &Name) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.folded().hash(&mut hasher);
    hasher.finish()
}
