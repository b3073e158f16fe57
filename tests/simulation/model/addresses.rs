//! Limits that belong to an address (7.41, 7.52, 7.56, 5.7.3): several sessions share them, and they
//! survive a session that ends.

use std::collections::BTreeMap;

use super::{Model, State};
use crate::traffic::SessionKey;

/// The free units in a row and the milliseconds until one more is, for one session's worth: requests
/// (7.23), lines in rooms (7.24) and usernames (7.53).
const REQUESTS: (u64, u64) = (5, 2_000);
const ROOM_LINES_FREE: u64 = 10;
const LOGINS: (u64, u64) = (16, 1_000);

/// The longest wait for an address (7.52), in microseconds.
const WAIT_US_MAX: u64 = 5_000_000;

/// How many times the allowance of an address a /48 has (7.52).
const SITE_FACTOR: u64 = 4;

/// The time that an address may take beyond half of a user's time (7.54), in microseconds.
const TIME_US_FREE: u64 = 30_000_000;

/// The most requests to a user who takes no output (7.55).
const UNREAD_MAX: u32 = 16;

/// Where a session comes from. The addresses with odd numbers are networks of one IPv6 /48.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) u8);

/// An address, or the /48 that addresses share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Address(Address),
    Site,
}

impl Address {
    pub(crate) fn is_v6(self) -> bool {
        self.0 % 2 == 1
    }

    pub(super) fn scopes(self) -> impl Iterator<Item = (Scope, u64)> {
        let site = self.is_v6().then_some((Scope::Site, SITE_FACTOR));
        [(Scope::Address(self), 1)].into_iter().chain(site)
    }
}

impl Scope {
    /// Whether a room of that founder counts here.
    pub(super) fn has(self, founder: Option<Address>) -> bool {
        match self {
            Scope::Address(address) => founder == Some(address),
            Scope::Site => founder.is_some_and(Address::is_v6),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Requests,
    RoomLines,
    Logins,
}

const KINDS: [Kind; 3] = [Kind::Requests, Kind::RoomLines, Kind::Logins];

/// When an allowance is full again, in microseconds, and the same before the units of this
/// millisecond.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    full_at: u64,
    before: u64,
    at_ms: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    used: BTreeMap<(Kind, Scope), Used>,
    /// When the time that an address took from the user of that name is paid off.
    taken: BTreeMap<(Scope, String), u64>,
    /// Requests to a user since all output was taken.
    unread: BTreeMap<SessionKey, u32>,
}

impl Model {
    /// The interval and the free units, in microseconds; `None` without a limit.
    fn rate(&self, kind: Kind, factor: u64) -> Option<(u64, u64)> {
        let (free, interval_ms) = match kind {
            Kind::Requests => REQUESTS,
            Kind::RoomLines => (ROOM_LINES_FREE, self.limits.room_line_ms),
            Kind::Logins => LOGINS,
        };
        let interval_us =
            (1_000 * interval_ms).checked_div(u64::from(self.limits.address_share) * factor)?;
        (interval_us > 0).then_some((interval_us, 1_000 * interval_ms * free))
    }

    /// Counts one unit against the address of `who`, and notes until when their input must wait.
    ///
    /// Other sessions of the address may have used units in the same millisecond, and the model does
    /// not know in which order. It demands the shortest wait that is possible.
    pub(super) fn charge_address(&mut self, who: SessionKey, kind: Kind) {
        let Some(address) = self.sessions[&who].address else { return };
        let (now, now_us) = (self.now, 1_000 * self.now);
        let mut until = 0;
        for (scope, factor) in address.scopes() {
            if let Some((interval_us, free_us)) = self.rate(kind, factor) {
                let used = self.addresses_mut().used.entry((kind, scope)).or_default();
                if used.at_ms != now {
                    (used.at_ms, used.before) = (now, used.full_at);
                }
                let add =
                    |at: u64| (at.max(now_us) + interval_us).min(now_us + free_us + WAIT_US_MAX);
                used.full_at = add(used.full_at);
                until = until.max(wait_until(now, add(used.before), free_us));
            }
            for other in KINDS.into_iter().filter(|other| kind == Kind::Logins && *other != kind) {
                if let (Some((_, free_us)), Some(used)) =
                    (self.rate(other, factor), self.addresses.used.get(&(other, scope)))
                {
                    let before = if used.at_ms == now { used.before } else { used.full_at };
                    until = until.max(wait_until(now, before, free_us));
                }
            }
        }
        let session = self.session_mut(who);
        session.address_until = session.address_until.max(until);
    }

    /// Until when the address of `who` waits at most.
    pub(super) fn address_waits_until(&self, who: SessionKey) -> u64 {
        let scopes = self.sessions[&who].address.into_iter().flat_map(Address::scopes);
        let waits = scopes.flat_map(|(scope, factor)| {
            KINDS.into_iter().filter_map(move |kind| {
                let (_, free_us) = self.rate(kind, factor)?;
                let used = self.addresses.used.get(&(kind, scope))?;
                Some(used.full_at.saturating_sub(free_us).div_ceil(1_000))
            })
        });
        waits.max().unwrap_or(0)
    }

    /// The request of `by` to `whom` ends without a chat, and `whom` is still here (5.7.3).
    pub(super) fn charge_time(&mut self, by: SessionKey, whom: SessionKey) {
        let Some(address) = self.sessions[&by].address else { return };
        if self.limits.ask_again_ms == 0 {
            return;
        }
        let lapses_at = self.sessions[&by].deadline.expect("a request has a deadline");
        let took_ms = self.limits.ask_ms - lapses_at.saturating_sub(self.now);
        let cost_us = 1_000 * self.limits.ask_again_ms.max(2 * took_ms);
        let began_us = 1_000 * (self.now - took_ms);
        let name = self.name(whom).folded;
        for (scope, _) in address.scopes() {
            let paid_at = self.addresses_mut().taken.entry((scope, name.clone())).or_default();
            *paid_at = (*paid_at).max(began_us) + cost_us;
        }
    }

    /// Whether the address of `by` took too much of the time of `whom`, or was shut out.
    pub(super) fn address_may_ask(&self, by: SessionKey, whom: SessionKey) -> bool {
        let Some(address) = self.sessions[&by].address else { return true };
        let name = self.name(whom).folded;
        let took_too_much = address.scopes().any(|(scope, factor)| {
            let paid_at = self.addresses.taken.get(&(scope, name.clone())).copied().unwrap_or(0);
            paid_at.saturating_sub(1_000 * self.now) > factor * TIME_US_FREE
        });
        !took_too_much && self.sessions[&whom].shut_out.iter().all(|(shut, _)| *shut != address)
    }

    /// `ignore`, said by a user who is asked (5.6.2).
    pub(super) fn shut_out(&mut self, who: SessionKey, by: SessionKey) {
        let (name, address) = (self.name(by), self.sessions[&by].address);
        let session = self.session_mut(who);
        let is_full = session.ignored.len() >= 50 && !session.ignored.contains(&name.folded);
        if is_full || session.shut_out.len() >= 50 {
            self.refuse(who);
            return self.prompt(who);
        }
        session.ignored.insert(name.folded.clone());
        session.shut_out.extend(address.map(|address| (address, name.folded.clone())));
        self.expect_line(who, '*', format!("You ignore {} and", name.spelling));
        self.decline(by, who);
    }

    pub(super) fn count_unread(&mut self, whom: SessionKey) {
        *self.addresses_mut().unread.entry(whom).or_default() += 1;
    }

    pub(super) fn has_too_many_unread(&self, whom: SessionKey) -> bool {
        self.addresses.unread.get(&whom).is_some_and(|&count| count >= UNREAD_MAX)
    }

    /// `who` has taken all output that was for them alone, or is gone (5.7.4).
    pub(crate) fn all_taken(&mut self, who: SessionKey) {
        self.addresses.unread.remove(&who);
    }

    /// The user who is asking `who`, if `name` is empty or theirs.
    pub(super) fn asker_named(&self, who: SessionKey, name: &str) -> Option<SessionKey> {
        let (State::Asked(by) | State::AskedInRoom(by, _)) = self.state(who) else { return None };
        let is_theirs = super::Name::new(name).is_some_and(|name| self.find(&name) == Some(by));
        (name.is_empty() || is_theirs).then_some(by)
    }

    /// The addresses, for a change that a roll-back can undo.
    fn addresses_mut(&mut self) -> &mut Addresses {
        if self.undo_addresses.is_none() {
            self.undo_addresses = Some(self.addresses.clone());
        }
        &mut self.addresses
    }

    pub(super) fn roll_back_addresses(&mut self) {
        if let Some(before) = self.undo_addresses.take() {
            self.addresses = before;
        }
    }
}

/// Until when an allowance that is full at `full_at` is exceeded; 0 if it is not.
fn wait_until(now: u64, full_at: u64, free_us: u64) -> u64 {
    let excess_us = full_at.saturating_sub(1_000 * now + free_us);
    if excess_us == 0 { 0 } else { now + excess_us.div_ceil(1_000) }
}
