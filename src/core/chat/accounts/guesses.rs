//! Wrong passwords: how many there were lately, and how long the next try must wait (7.87, 7.88).
//!
//! A try is refused rather than delayed, so that parallel tries do not help. What counts is how often
//! one address was wrong about one account. Wrong passwords from elsewhere never hold up the first
//! try from an address, and nothing from elsewhere holds up an address that has signed in.

use std::collections::HashMap;
use std::hash::Hash;

use crate::core::Origin;
use crate::core::chat::address_limits::Scope;
use crate::core::limits::{
    ADDRESS_FORGET_MS, ADDRESS_WRONG_FREE, GUESS_WAIT_KNOWN_MS_MAX, GUESS_WAIT_MS,
    GUESS_WAIT_MS_MAX, GUESSES_MAX, NAME_WRONG_FREE, PAIR_FORGET_MS, PASSWORD_TRIES,
};
use crate::core::time::Time;

/// The wrong passwords of all addresses.
#[derive(Debug)]
pub(super) struct Guesses {
    /// By account and address.
    pairs: Tally<(u64, Scope)>,
    /// By address, for all accounts: one password tried on many names.
    addresses: Tally<Scope>,
    /// By account, for all addresses that never signed in: many addresses that try one name.
    accounts: Tally<u64>,
}

impl Default for Guesses {
    fn default() -> Self {
        Guesses {
            pairs: Tally::new(PAIR_FORGET_MS),
            addresses: Tally::new(ADDRESS_FORGET_MS),
            accounts: Tally::new(ADDRESS_FORGET_MS),
        }
    }
}

impl Guesses {
    /// Until when a password for `account` from `origin` is refused. `is_known` is whether somebody
    /// signed in to the account from there.
    pub(super) fn wait(
        &self,
        now: Time,
        account: u64,
        origin: Origin,
        is_known: bool,
    ) -> Option<Time> {
        // Many strangers guess: each of them gets one try instead of three.
        let is_under_attack = self.accounts.of(now, &account) >= NAME_WRONG_FREE;
        let free = if is_under_attack && !is_known { 1 } else { u32::from(PASSWORD_TRIES) };
        let most_ms = if is_known { GUESS_WAIT_KNOWN_MS_MAX } else { GUESS_WAIT_MS_MAX };
        // Neighbours in the same /48 cannot delay somebody who has signed in from their own /64.
        let scopes = Scope::of(origin).take(if is_known { 1 } else { 2 });
        let waits = scopes.flat_map(|scope| {
            let times = scope.factor();
            let of_pair = self.pairs.wait(now, &(account, scope), free * times, most_ms);
            // Behind a loopback address stand the users of a proxy.
            let is_counted = !is_known && !origin.is_loopback();
            let of_address = is_counted
                .then(|| self.addresses.wait(now, &scope, ADDRESS_WRONG_FREE * times, most_ms));
            [of_pair, of_address.flatten()].into_iter().flatten()
        });
        waits.max()
    }

    /// Counts a try as wrong until its answer comes.
    pub(super) fn count(&mut self, now: Time, account: u64, origin: Origin, is_known: bool) {
        for scope in Scope::of(origin) {
            self.pairs.add(now, (account, scope));
            self.addresses.add(now, scope);
        }
        if !is_known {
            self.accounts.add(now, account);
        }
    }

    /// The try was wrong: its delay counts from the answer.
    pub(super) fn confirm(&mut self, now: Time, account: u64, origin: Origin) {
        for scope in Scope::of(origin) {
            self.pairs.touch(now, &(account, scope));
            self.addresses.touch(now, &scope);
        }
    }

    /// The try was right, or nobody knows.
    pub(super) fn take_back(&mut self, account: u64, origin: Origin, is_known: bool) {
        for scope in Scope::of(origin) {
            self.pairs.take_back(&(account, scope));
            self.addresses.take_back(&scope);
        }
        if !is_known {
            self.accounts.take_back(&account);
        }
    }

    /// Somebody from `origin` knows the password: earlier tries from there were mistakes.
    pub(super) fn forgive(&mut self, account: u64, origin: Origin) {
        Scope::of(origin).for_each(|scope| self.pairs.remove(&(account, scope)));
    }

    /// The account is gone.
    pub(super) fn forget(&mut self, account: u64) {
        self.accounts.remove(&account);
    }
}

/// Counts that are forgotten one by one as time passes.
#[derive(Debug)]
struct Tally<Key> {
    counts: HashMap<Key, Count>,
    /// Milliseconds after which one is forgotten.
    forget_ms: u64,
    /// The number of entries at which forgotten ones are removed next.
    sweep_at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    wrong: u32,
    /// When the latest was counted. Forgetting begins here.
    at: Time,
}

const SWEEP_AT_MIN: usize = 1_024;

impl<Key: Hash + Eq> Tally<Key> {
    fn new(forget_ms: u64) -> Tally<Key> {
        Tally { counts: HashMap::new(), forget_ms, sweep_at: SWEEP_AT_MIN }
    }

    fn of(&self, now: Time, key: &Key) -> u32 {
        self.counts.get(key).map_or(0, |count| count.left(now, self.forget_ms))
    }

    /// Until when a further try must wait: it doubles with each beyond the `free` ones.
    fn wait(&self, now: Time, key: &Key, free: u32, most_ms: u64) -> Option<Time> {
        let count = self.counts.get(key)?;
        let doublings = count.left(now, self.forget_ms).checked_sub(free)?;
        let wait_ms = GUESS_WAIT_MS.saturating_mul(1 << doublings.min(32)).min(most_ms);
        Some(count.at.after_ms(wait_ms)).filter(|&until| until > now)
    }

    fn add(&mut self, now: Time, key: Key) {
        if self.counts.len() >= self.sweep_at {
            self.sweep(now);
        }
        let forget_ms = self.forget_ms;
        let count = self.counts.entry(key).or_insert(Count { wrong: 0, at: now });
        *count = Count { wrong: count.left(now, forget_ms).saturating_add(1), at: now };
    }

    fn touch(&mut self, now: Time, key: &Key) {
        if let Some(count) = self.counts.get_mut(key) {
            *count = Count { wrong: count.left(now, self.forget_ms).max(1), at: now };
        }
    }

    fn take_back(&mut self, key: &Key) {
        if let Some(count) = self.counts.get_mut(key) {
            count.wrong = count.wrong.saturating_sub(1);
            if count.wrong == 0 {
                self.counts.remove(key);
            }
        }
    }

    fn remove(&mut self, key: &Key) {
        self.counts.remove(key);
    }

    /// Removes what is forgotten, and if too much is left, the counts up to the average: those who
    /// guess most stay. What is removed does not depend on the order of the table.
    fn sweep(&mut self, now: Time) {
        let forget_ms = self.forget_ms;
        self.counts.retain(|_, count| count.left(now, forget_ms) > 0);
        let left = self.counts.len();
        if left > GUESSES_MAX / 2 {
            let wrong = self.counts.values().map(|count| u64::from(count.wrong)).sum::<u64>();
            let average = wrong / left as u64;
            self.counts.retain(|_, count| u64::from(count.wrong) > average);
        }
        self.sweep_at = (2 * self.counts.len()).clamp(SWEEP_AT_MIN, GUESSES_MAX);
        self.counts.shrink_to(self.sweep_at);
    }
}

impl Count {
    /// How many are not forgotten at `now`.
    fn left(self, now: Time, forget_ms: u64) -> u32 {
        let forgotten = now.ms_since(self.at) / forget_ms;
        self.wrong.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: u64 = 1;

    fn address(n: u8) -> Origin {
        Origin::v4([192, 0, 2, n])
    }

    /// Tries wrong passwords as soon as allowed, `count` times; returns the seconds that it took.
    fn guess(guesses: &mut Guesses, mut now: Time, origin: Origin, known: bool, count: u32) -> u64 {
        let begun = now;
        for _ in 0..count {
            now = guesses.wait(now, ANNA, origin, known).unwrap_or(now);
            guesses.count(now, ANNA, origin, known);
            guesses.confirm(now, ANNA, origin);
        }
        now.ms_since(begun) / 1_000
    }

    /// (7.87, 3.4.6)
    #[test]
    fn three_tries_are_free_and_each_further_one_waits_twice_as_long() {
        let mut guesses = Guesses::default();
        assert_eq!(guess(&mut guesses, Time::START, address(1), false, 3), 0);
        assert_eq!(guess(&mut guesses, Time::START, address(1), false, 4), 1 + 2 + 4 + 8);
        let a_day = Time::START.after_ms(86_400_000);
        assert_eq!(guesses.wait(a_day, ANNA, address(1), false), None, "delays expire");
        let per_day = (1..1_000).find(|&count| {
            guess(&mut Guesses::default(), Time::START, address(1), false, count) > 86_400
        });
        assert!(per_day < Some(200), "{per_day:?} guesses in a day");
    }

    /// (3.4.6)
    #[test]
    fn tries_in_flight_count() {
        let (mut guesses, now) = (Guesses::default(), Time::START);
        for _ in 0..3 {
            assert_eq!(guesses.wait(now, ANNA, address(1), false), None);
            guesses.count(now, ANNA, address(1), false);
        }
        assert!(guesses.wait(now, ANNA, address(1), false).is_some());
        guesses.take_back(ANNA, address(1), false);
        assert_eq!(guesses.wait(now, ANNA, address(1), false), None, "one was right");
    }

    /// (3.4.6, 7.88)
    #[test]
    fn guesses_from_elsewhere_hold_up_no_first_try_and_no_known_address() {
        let (mut guesses, now) = (Guesses::default(), Time::START);
        for n in 0..250 {
            guess(&mut guesses, now, address(n), false, 5);
        }
        assert_eq!(guesses.wait(now, ANNA, address(251), false), None, "a first try");
        guesses.count(now, ANNA, address(251), false);
        assert!(guesses.wait(now, ANNA, address(251), false).is_some(), "and then it waits");
        assert_eq!(guess(&mut guesses, now, address(252), true, 3), 0, "known");
    }

    /// (7.87)
    #[test]
    fn one_address_that_tries_many_names_is_delayed_and_known_users_there_are_not() {
        let (mut guesses, now) = (Guesses::default(), Time::START);
        for account in 0..u64::from(ADDRESS_WRONG_FREE) {
            assert_eq!(guesses.wait(now, account, address(1), false), None);
            guesses.count(now, account, address(1), false);
        }
        assert!(guesses.wait(now, 999, address(1), false).is_some());
        assert_eq!(guesses.wait(now, 999, address(1), true), None);
        assert_eq!(guesses.wait(now, 999, address(2), false), None);
    }

    /// (7.87)
    #[test]
    fn a_known_address_never_waits_long() {
        let mut guesses = Guesses::default();
        let seconds = guess(&mut guesses, Time::START, address(1), true, 20);
        assert!(seconds < 20 * GUESS_WAIT_KNOWN_MS_MAX / 1_000, "{seconds}");
    }

    /// (7.89)
    #[test]
    fn the_table_is_limited_and_keeps_those_who_guess_most() {
        let (mut guesses, now) = (Guesses::default(), Time::START);
        guess(&mut guesses, now, address(1), false, 9);
        for n in 0..3 * GUESSES_MAX as u64 {
            let other = Origin::v6(
                (0x2001_0000_0000_0000_u64 + n).to_be_bytes().repeat(2).try_into().unwrap(),
            );
            guesses.count(now, n, other, false);
        }
        assert!(guesses.pairs.counts.len() <= GUESSES_MAX);
        assert!(guesses.wait(now, ANNA, address(1), false).is_some());
    }
}
