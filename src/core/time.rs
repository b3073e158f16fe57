//! Time as the core knows it: milliseconds since the server started, handed in from outside, and a
//! set of deadlines.
//!
//! The loop alone reads a clock. An `Instant` cannot be written into a test or a log; a number can.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::num::NonZeroU64;

/// A moment, in milliseconds since the server started. It never goes back: the shell takes it from
/// the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(NonZeroU64);

impl Time {
    /// The moment the server started.
    pub const START: Time = Time(NonZeroU64::MIN);

    /// The moment `ms` milliseconds after this one; far enough ahead, it is the end of time.
    #[must_use]
    pub fn after_ms(self, ms: u64) -> Time {
        Time(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment, 0 if that is not earlier.
    #[must_use]
    pub fn ms_since(self, earlier: Time) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }
}

/// Who or what has a deadline, and when: the next one at once, a change in O(log n), nothing held for
/// those without.
#[derive(Debug)]
pub struct Deadlines<Id>(BTreeSet<(Time, Id)>);

impl<Id> Default for Deadlines<Id> {
    fn default() -> Self {
        Deadlines(BTreeSet::new())
    }
}

impl<Id: Copy + Ord + Debug> Deadlines<Id> {
    /// Replaces the deadline of `id`, which must be the one last set, by a new one or none.
    pub fn replace(&mut self, id: Id, old: Option<Time>, new: Option<Time>) {
        if old == new {
            return;
        }
        if let Some(at) = old {
            let was_there = self.0.remove(&(at, id));
            debug_assert!(was_there, "{id:?} had no deadline at {at:?}");
        }
        if let Some(at) = new {
            self.0.insert((at, id));
        }
    }

    /// The earliest deadline of all.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.0.first().map(|&(at, _)| at)
    }

    /// One whose deadline has come, the earliest. It stays until it is replaced.
    #[must_use]
    pub fn due(&self, now: Time) -> Option<Id> {
        self.0.first().filter(|&&(at, _)| at <= now).map(|&(_, id)| id)
    }

    /// Whose deadline is the earliest.
    #[must_use]
    pub fn first(&self) -> Option<Id> {
        self.0.first().map(|&(_, id)| id)
    }

    /// How many deadlines are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no deadline is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
