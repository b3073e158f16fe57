//! The allowances of addresses (7.51): what all sessions of one origin may do together.
//!
//! A session has allowances of its own (`user_options`) and loses them when it ends, so a client that
//! comes back at once has new ones. The allowances of an address stay. Nothing here tells users
//! anything.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Chat, Pace};
use crate::core::limits::{
    ADDRESS_DEBT_MS_MAX, ALLOWANCES_MAX, ASK_INTERVAL_MS, ASKS_IN_A_ROW_MAX, LOGIN_INTERVAL_MS,
    LOGINS_IN_A_ROW_MAX, Limits, ROOM_LINES_IN_A_ROW_MAX, SITE_SHARE,
};
use crate::core::time::Time;
use crate::core::{Origin, SessionId};

/// What an address has a limited number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Allowance {
    /// Requests to chat (5.7.2).
    Requests,
    /// Lines that all members of a room read: texts, joins and leavings (6.2.3).
    RoomLines,
    /// Usernames taken (7.53).
    Logins,
}

/// Whose allowance it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Address(Origin),
    /// The /48 of an IPv6 address.
    Site(Origin),
}

impl Scope {
    /// The scopes that a session from `origin` belongs to.
    pub(super) fn of(origin: Origin) -> impl Iterator<Item = Scope> {
        let address = (origin != Origin::NONE).then_some(Scope::Address(origin));
        address.into_iter().chain(origin.site().map(Scope::Site))
    }

    /// How many times the allowance of an address this scope has.
    pub(super) fn factor(self) -> u32 {
        match self {
            Scope::Address(_) => 1,
            Scope::Site(_) => SITE_SHARE,
        }
    }
}

/// What the addresses have used of their allowances.
#[derive(Debug)]
pub(super) struct AddressLimits {
    /// See [`Limits::address_share`].
    share: u32,
    room_line_ms: u64,
    debts: Debts<(Allowance, Scope)>,
    /// How many users each loopback address has: a proxy or a terminal server may stand behind it.
    loopback_users: HashMap<Origin, u32>,
}

impl AddressLimits {
    pub(super) fn new(limits: &Limits) -> AddressLimits {
        let (share, room_line_ms) = (limits.address_share, limits.room_line_ms);
        let (debts, loopback_users) = (Debts::default(), HashMap::new());
        AddressLimits { share, room_line_ms, debts, loopback_users }
    }

    fn add_user(&mut self, origin: Origin) {
        if origin.is_loopback() {
            *self.loopback_users.entry(origin).or_default() += 1;
        }
    }

    fn remove_user(&mut self, origin: Origin) {
        if let Some(count) = self.loopback_users.get_mut(&origin) {
            *count -= 1;
            if *count == 0 {
                self.loopback_users.remove(&origin);
            }
        }
    }

    /// How many sessions' allowances the scope has; 0 means no limit.
    fn share_of(&self, scope: Scope) -> u64 {
        let users = match scope {
            Scope::Address(origin) if self.share > 0 => self.loopback_users.get(&origin).copied(),
            Scope::Address(_) | Scope::Site(_) => None,
        };
        u64::from(self.share.max(users.unwrap_or(0))) * u64::from(scope.factor())
    }

    /// Counts one unit for a session from `origin`. Returns until when the input of the session must
    /// wait, if an allowance of its address is exceeded.
    fn charge(&mut self, now: Time, origin: Origin, allowance: Allowance) -> Option<Time> {
        for scope in Scope::of(origin) {
            if let Some((interval_us, burst_us)) = self.rate(allowance, scope) {
                let most_us = burst_us + 1_000 * ADDRESS_DEBT_MS_MAX;
                self.debts.add(now, (allowance, scope), interval_us, most_us);
            }
        }
        match allowance {
            // A new session waits until its address can afford anything: each of its first actions
            // would otherwise come on top of what the address has used.
            Allowance::Logins => Allowance::ALL
                .into_iter()
                .filter_map(|allowance| self.wait(now, origin, allowance))
                .max(),
            Allowance::Requests | Allowance::RoomLines => self.wait(now, origin, allowance),
        }
    }

    /// Until when a session from `origin` must wait for that allowance.
    fn wait(&self, now: Time, origin: Origin, allowance: Allowance) -> Option<Time> {
        let waits = Scope::of(origin).filter_map(|scope| {
            let (_, burst_us) = self.rate(allowance, scope)?;
            let excess_us = self.debts.of(now, &(allowance, scope)).saturating_sub(burst_us);
            (excess_us > 0).then(|| now.after_ms(excess_us.div_ceil(1_000)))
        });
        waits.max()
    }

    /// Microseconds until one more unit is free, and those that the free units in a row are worth.
    /// `None` if there is no limit.
    fn rate(&self, allowance: Allowance, scope: Scope) -> Option<(u64, u64)> {
        let (interval_ms, in_a_row) = match allowance {
            Allowance::Requests => (ASK_INTERVAL_MS, ASKS_IN_A_ROW_MAX),
            Allowance::RoomLines => (self.room_line_ms, ROOM_LINES_IN_A_ROW_MAX),
            Allowance::Logins => (LOGIN_INTERVAL_MS, LOGINS_IN_A_ROW_MAX),
        };
        let interval_us =
            (1_000 * interval_ms).checked_div(self.share_of(scope)).filter(|&us| us > 0)?;
        // The burst of one session, as many times: a share of the interval, times the share.
        Some((interval_us, 1_000 * interval_ms * u64::from(in_a_row)))
    }
}

impl Allowance {
    const ALL: [Allowance; 3] = [Allowance::Requests, Allowance::RoomLines, Allowance::Logins];
}

/// Debts that shrink with time, by one microsecond in a microsecond: the generic cell rate algorithm,
/// as in `rate_limit`. Microseconds, because an address gains several units in a millisecond.
#[derive(Debug)]
pub(super) struct Debts<Key> {
    /// When each debt is paid, in microseconds since the start. No entry means no debt.
    paid_at: HashMap<Key, u64>,
    /// The number of entries at which paid debts are removed next.
    sweep_at: usize,
}

impl<Key> Default for Debts<Key> {
    fn default() -> Self {
        Debts { paid_at: HashMap::new(), sweep_at: Self::SWEEP_AT_MIN }
    }
}

impl<Key> Debts<Key> {
    const SWEEP_AT_MIN: usize = 1_024;
}

impl<Key: Hash + Eq> Debts<Key> {
    /// Microseconds of debt.
    pub(super) fn of(&self, now: Time, key: &Key) -> u64 {
        self.paid_at.get(key).map_or(0, |paid_at| paid_at.saturating_sub(microseconds(now)))
    }

    /// Adds to a debt, up to `most_us`.
    pub(super) fn add(&mut self, now: Time, key: Key, amount_us: u64, most_us: u64) {
        if self.paid_at.len() >= self.sweep_at {
            self.sweep(now);
        }
        let now_us = microseconds(now);
        let paid_at = self.paid_at.entry(key).or_insert(now_us);
        *paid_at = ((*paid_at).max(now_us) + amount_us).min(now_us + most_us);
    }

    /// Removes paid debts. If too many are left, removes those below the average, too: the clients
    /// who use most stay limited.
    ///
    /// The cost is spread over the calls that added the entries. What is removed does not depend on
    /// the order of the table, so that a run can be repeated.
    fn sweep(&mut self, now: Time) {
        let now_us = microseconds(now);
        self.paid_at.retain(|_, paid_at| *paid_at > now_us);
        let left = self.paid_at.len();
        if left > ALLOWANCES_MAX / 2 {
            let debts = self.paid_at.values().map(|paid_at| u128::from(paid_at - now_us));
            let average_us = debts.sum::<u128>() / left as u128;
            self.paid_at.retain(|_, paid_at| u128::from(*paid_at - now_us) > average_us);
        }
        self.sweep_at = (2 * self.paid_at.len()).clamp(Self::SWEEP_AT_MIN, ALLOWANCES_MAX);
        self.paid_at.shrink_to(self.sweep_at);
    }
}

fn microseconds(now: Time) -> u64 {
    1_000 * now.ms_since(Time::START)
}

impl Chat {
    /// A session has taken a username.
    pub(super) fn charge_login(&mut self, now: Time, id: SessionId) {
        self.address_limits.add_user(self.roster.origin(id));
        self.charge_address(now, id, Allowance::Logins, None);
    }

    /// A user leaves the server; `was_in_room` is whether the members of a room read so.
    pub(super) fn charge_leave(&mut self, now: Time, id: SessionId, was_in_room: bool) {
        let origin = self.roster.origin(id);
        if was_in_room {
            self.address_limits.charge(now, origin, Allowance::RoomLines);
        }
        if self.roster.name_of(id).is_some() {
            self.address_limits.remove_user(origin);
        }
    }

    /// Counts one unit against the address of `id`. Pauses the input of `id` for as long as that
    /// allowance or `own`, the allowance of the session, is exceeded.
    pub(super) fn charge_address(
        &mut self,
        now: Time,
        id: SessionId,
        allowance: Allowance,
        own: Option<Time>,
    ) {
        let origin = self.roster.origin(id);
        let of_address = self.address_limits.charge(now, origin, allowance);
        if let Some(until) = own.max(of_address) {
            let pace = match allowance {
                _ if of_address > own => Pace::Address,
                Allowance::Requests => Pace::Requests,
                Allowance::RoomLines | Allowance::Logins => Pace::Room,
            };
            self.outputs.pause(id, until, pace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(share: u32) -> AddressLimits {
        AddressLimits::new(&Limits { address_share: share, ..Limits::default() })
    }

    const HOME: [u8; 4] = [192, 0, 2, 1];

    /// (7.51)
    #[test]
    fn an_address_has_the_allowance_of_many_sessions_and_another_address_its_own() {
        let (mut limits, now) = (limits(64), Time::START.after_ms(77_777));
        for _ in 0..64 * ROOM_LINES_IN_A_ROW_MAX {
            assert_eq!(limits.charge(now, Origin::v4(HOME), Allowance::RoomLines), None);
        }
        let until = limits.charge(now, Origin::v4(HOME), Allowance::RoomLines);
        assert_eq!(until, Some(now.after_ms(4)), "200 ms by 64, rounded up");
        assert_eq!(limits.charge(now, Origin::v4([192, 0, 2, 2]), Allowance::RoomLines), None);
        assert_eq!(limits.charge(now, Origin::v4(HOME), Allowance::Requests), None);
        let login = limits.charge(now, Origin::v4(HOME), Allowance::Logins);
        assert_eq!(login, Some(now.after_ms(4)), "a newcomer waits with the others");
        assert_eq!(limits.charge(now.after_ms(4), Origin::v4(HOME), Allowance::Logins), None);
    }

    /// (7.51)
    #[test]
    fn a_48_has_four_times_the_allowance_of_a_64() {
        let (mut limits, now) = (limits(1), Time::START);
        let mut asked = 0;
        let network = |n: u8| Origin::v6([0x20, 1, 0xd, 0xb8, 0, 0, 0, n, 0, 0, 0, 0, 0, 0, 0, 1]);
        while limits.charge(now, network(asked), Allowance::Requests).is_none() {
            asked += 1;
        }
        assert_eq!(u32::from(asked), SITE_SHARE * ASKS_IN_A_ROW_MAX);
    }

    /// (7.51)
    #[test]
    fn no_share_means_no_limit_and_neither_does_no_address() {
        let (mut without, mut small) = (limits(0), limits(1));
        for _ in 0..1_000 {
            let home = Origin::v4(HOME);
            assert_eq!(without.charge(Time::START, home, Allowance::Logins), None);
            assert_eq!(small.charge(Time::START, Origin::NONE, Allowance::Logins), None);
        }
    }

    /// (7.52)
    #[test]
    fn a_loopback_address_has_the_allowance_of_all_its_users() {
        let (mut limits, now) = (limits(1), Time::START);
        let mut charge = |address| {
            let origin = Origin::v4(address);
            (0..100).for_each(|_| limits.add_user(origin));
            let free = 100 * ROOM_LINES_IN_A_ROW_MAX;
            let charges = (0..2 * free).map(|_| limits.charge(now, origin, Allowance::RoomLines));
            charges.take_while(Option::is_none).count()
        };
        assert_eq!(charge([127, 0, 0, 1]), 100 * ROOM_LINES_IN_A_ROW_MAX as usize);
        assert_eq!(charge(HOME), ROOM_LINES_IN_A_ROW_MAX as usize);
    }

    /// (7.52)
    #[test]
    fn a_debt_ends_soon_however_many_clients_ran_it_up() {
        let (mut limits, now) = (limits(1), Time::START);
        for _ in 0..100_000 {
            limits.charge(now, Origin::v4(HOME), Allowance::Logins);
        }
        let until = limits.charge(now, Origin::v4(HOME), Allowance::Logins);
        assert_eq!(until, Some(now.after_ms(ADDRESS_DEBT_MS_MAX)));
    }

    /// (7.52)
    #[test]
    fn paid_debts_go_and_the_table_is_limited() {
        let (mut debts, now) = (Debts::default(), Time::START);
        for n in 0..10 * ALLOWANCES_MAX as u64 {
            debts.add(now, n, 1_000 + n % 2, 1_000_000);
        }
        assert!(debts.paid_at.len() <= ALLOWANCES_MAX);
        let largest = 10 * ALLOWANCES_MAX as u64 + 1;
        debts.add(now, largest, 900_000, 1_000_000);
        for n in 0..2 * ALLOWANCES_MAX as u64 {
            debts.add(now, n, 1_000, 1_000_000);
        }
        assert_eq!(debts.of(now, &largest), 900_000, "the largest debt stays");
        let later = now.after_ms(2_000);
        debts.sweep(later);
        assert!(debts.paid_at.is_empty() && debts.paid_at.capacity() < ALLOWANCES_MAX / 2);
    }
}
