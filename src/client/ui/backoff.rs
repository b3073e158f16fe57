//! How long the client waits before it connects again: 1, 2, 4 … 30 seconds, each shortened by a
//! random amount. Without the random part, all clients of a server that restarts would connect in
//! the same instant. `state_machine` calls this module, and passes in the seed and the time.

use crate::core::limits::{RECONNECT_FIRST_S, RECONNECT_LAST_S};
use crate::core::time::Time;

/// The waits between attempts to connect (exponential backoff with jitter).
#[derive(Debug)]
pub struct Backoff {
    /// Attempts since the last reset.
    attempts: u32,
    /// State of the random generator. Never zero.
    random: u64,
}

/// A wait that has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountDown {
    until: Time,
}

impl Backoff {
    /// A backoff whose random numbers come from `seed`. Each client should pass another seed.
    #[must_use]
    pub fn new(seed: u64) -> Backoff {
        // The generator below would turn a zero into zeros for ever.
        Backoff { attempts: 0, random: seed | 1 }
    }

    /// Starts the wait before the next attempt. The wait lasts between half and all of its longest
    /// time, which doubles with each attempt, up to [`RECONNECT_LAST_S`].
    pub fn next(&mut self, now: Time) -> CountDown {
        // A shift by 64 or more overflows, and ten doublings already exceed the longest wait.
        let longest_ms = 1_000 * (RECONNECT_FIRST_S << self.attempts.min(10)).min(RECONNECT_LAST_S);
        self.attempts += 1;
        // xorshift64: Marsaglia, "Xorshift RNGs", 2003.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let shortened_ms = (self.random >> 11) % (longest_ms / 2 + 1);
        CountDown { until: now.after_ms(longest_ms - shortened_ms) }
    }

    /// Makes the next wait the shortest again, because the connection has proved to be good.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

impl CountDown {
    /// Seconds that are left, rounded up: a count-down that shows 0 while it runs looks stuck.
    #[must_use]
    pub fn seconds(self, now: Time) -> u64 {
        self.until.ms_since(now).div_ceil(1_000)
    }

    /// Whether the wait is over.
    #[must_use]
    pub fn is_over(self, now: Time) -> bool {
        self.until <= now
    }

    /// Milliseconds until [`CountDown::seconds`] changes; 0 when the wait is over.
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
    fn waits_double_up_to_thirty_seconds_and_start_again_after_a_reset() {
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
    fn clients_with_different_seeds_connect_again_at_different_times() {
        let first = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..5).map(|_| backoff.next(Time::START)).next_back()
        };
        assert_ne!(first(3), first(5));
    }

    #[test]
    fn a_count_down_changes_once_per_second_and_ends_on_time() {
        let wait = CountDown { until: Time::START.after_ms(2_500) };
        let (mut now, mut shown) = (Time::START, Vec::new());
        while !wait.is_over(now) {
            shown.push(wait.seconds(now));
            now = now.after_ms(wait.ms_to_next_second(now));
        }
        assert_eq!(shown, [3, 2, 1]);
    }
}
