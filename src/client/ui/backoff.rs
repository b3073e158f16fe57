//! When to try again after a connection was lost: 1, 2, 4 … 30 seconds, each shortened by chance,
//! so that everybody a server lost does not come back in the same instant. Pure: the seed and the
//! time are handed in.

use crate::core::limits::{RECONNECT_FIRST_S, RECONNECT_LAST_S};
use crate::core::time::Time;

/// The waits between tries.
#[derive(Debug)]
pub struct Backoff {
    tries: u32,
    random: u64,
}

/// A wait that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountDown {
    until: Time,
}

impl Backoff {
    /// A backoff whose chance comes from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Backoff {
        // A zero would stay zero for ever in the generator below.
        Backoff { tries: 0, random: seed | 1 }
    }

    /// The wait before the next try: between half and all of what its turn allows.
    pub fn next(&mut self, now: Time) -> CountDown {
        let longest_ms = 1_000 * (RECONNECT_FIRST_S << self.tries.min(10)).min(RECONNECT_LAST_S);
        self.tries += 1;
        // xorshift64: Marsaglia, "Xorshift RNGs", 2003.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let shortened_ms = (self.random >> 11) % (longest_ms / 2 + 1);
        CountDown { until: now.after_ms(longest_ms - shortened_ms) }
    }

    /// The connection is good: the next loss starts over.
    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

impl CountDown {
    /// Seconds left as a person counts them: a second begun is a second.
    #[must_use]
    pub fn seconds(self, now: Time) -> u64 {
        self.until.ms_since(now).div_ceil(1_000)
    }

    /// Whether the wait is over.
    #[must_use]
    pub fn is_over(self, now: Time) -> bool {
        self.until <= now
    }

    /// Milliseconds until [`CountDown::seconds`] says something else.
    #[must_use]
    pub fn ms_to_next_second(self, now: Time) -> u64 {
        match self.until.ms_since(now) {
            0 => 0,
            left => (left - 1) % 1_000 + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_thirty_seconds_and_start_over() {
        for seed in 0..200 {
            let mut backoff = Backoff::new(seed);
            for longest_s in [1, 2, 4, 8, 16, 30, 30, 30] {
                let wait_ms = backoff.next(Time::START).until.ms_since(Time::START);
                assert!((longest_s * 500..=longest_s * 1_000).contains(&wait_ms), "{wait_ms}");
            }
            backoff.reset();
            assert!(backoff.next(Time::START).seconds(Time::START) <= 1);
        }
    }

    #[test]
    fn clients_with_different_seeds_come_back_at_different_times() {
        let first = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..5).map(|_| backoff.next(Time::START)).next_back()
        };
        assert_ne!(first(3), first(5));
    }

    #[test]
    fn the_count_down_wakes_once_a_second_and_ends_at_its_end() {
        let wait = CountDown { until: Time::START.after_ms(2_500) };
        let (mut now, mut said) = (Time::START, Vec::new());
        while !wait.is_over(now) {
            said.push(wait.seconds(now));
            now = now.after_ms(wait.ms_to_next_second(now));
        }
        assert_eq!(said, [3, 2, 1]);
    }
}
