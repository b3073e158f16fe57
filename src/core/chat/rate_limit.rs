//! A rate limit, used for requests (5.7.2) and for lines said in rooms (6.2.3).
//!
//! The limit delays; it never refuses. `user_options` keeps one `RateLimit` per user and kind of
//! action, and the server holds the user's further input until the returned time. Nothing here
//! reads a clock.

use crate::core::time::Time;

/// The allowance of one user for one kind of action.
///
/// This is the generic cell rate algorithm (ITU-T I.371). It stores one time instead of a token
/// count and a time of the last refill, and needs no timer to refill.
#[derive(Debug)]
pub(super) struct RateLimit {
    /// When all actions so far would be paid for, at one action per interval. A time in the past
    /// means a full allowance.
    paid_at: Time,
}

impl RateLimit {
    /// A full allowance.
    pub(super) const fn new() -> RateLimit {
        RateLimit { paid_at: Time::START }
    }

    /// Counts one action at `now`. `burst` actions are free in a row; one more becomes free every
    /// `interval_ms` milliseconds. An interval of 0 means no limit.
    ///
    /// Returns the time at which an exceeded allowance is made up, or `None` within the allowance.
    pub(super) fn charge(&mut self, now: Time, interval_ms: u64, burst: u32) -> Option<Time> {
        self.charge_shared(now, interval_ms, u64::from(burst) * interval_ms, u64::MAX)
    }

    /// Counts an action that costs `cost_ms` of an allowance of `allowance_ms`, which grows by 1 ms in
    /// a millisecond. Forgives what would take more than `wait_ms_max` milliseconds to make up: of
    /// the users who share an allowance, a few could run up a debt for which all others wait.
    pub(super) fn charge_shared(
        &mut self,
        now: Time,
        cost_ms: u64,
        allowance_ms: u64,
        wait_ms_max: u64,
    ) -> Option<Time> {
        let debt_ms_max = allowance_ms.saturating_add(wait_ms_max);
        self.paid_at = self.paid_at.max(now).after_ms(cost_ms).min(now.after_ms(debt_ms_max));
        let debt_ms = self.paid_at.ms_since(now);
        (debt_ms > allowance_ms).then(|| now.after_ms(debt_ms - allowance_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL_MS: u64 = 2_000;
    const BURST: u32 = 5;

    /// (5.7.2, 6.2.3)
    #[test]
    fn a_burst_is_free_and_then_one_action_per_interval() {
        let (mut limit, now) = (RateLimit::new(), Time::START.after_ms(77_777));
        for _ in 0..BURST {
            assert_eq!(limit.charge(now, INTERVAL_MS, BURST), None);
        }
        let next = now.after_ms(INTERVAL_MS);
        assert_eq!(limit.charge(now, INTERVAL_MS, BURST), Some(next));
        let after_next = next.after_ms(INTERVAL_MS);
        assert_eq!(limit.charge(next, INTERVAL_MS, BURST), Some(after_next));
        let much_later = next.after_ms(60_000);
        assert_eq!(limit.charge(much_later, INTERVAL_MS, BURST), None, "a pause refills it");
    }

    /// (7.76)
    #[test]
    fn a_shared_allowance_makes_nobody_wait_longer_than_its_limit() {
        let (mut limit, now) = (RateLimit::new(), Time::START);
        let mut charge = |now| limit.charge_shared(now, 50, 2_000, 5_000);
        assert!((0..40).all(|_| charge(now).is_none()));
        assert_eq!(charge(now), Some(now.after_ms(50)));
        let last = (0..1_000).map(|_| charge(now)).last();
        assert_eq!(last, Some(Some(now.after_ms(5_000))));
        assert_eq!(charge(now.after_ms(5_050)), None, "the rest is forgiven");
    }

    /// (7.24)
    #[test]
    fn an_interval_of_zero_is_no_limit() {
        let mut limit = RateLimit::new();
        assert!((0..1_000).all(|_| limit.charge(Time::START, 0, BURST).is_none()));
    }
}
