//! Time in the core: milliseconds since the server started, and a set of deadlines.
//!
//! The core reads no clock. The loop reads the clock once per turn and passes the time in. A test
//! can therefore invent the time. `std::time::Instant` is no replacement: a test or a log cannot
//! write an `Instant` down.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::num::NonZeroU64;

/// A point in time, in milliseconds since the server started.
///
/// The shell takes the time from the monotonic clock, so it never goes back. The number is
/// `NonZeroU64`, so that `Option<Time>` takes no more memory than `Time`; sessions hold several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(NonZeroU64);

impl Time {
    /// The start of the server.
    pub const START: Time = Time(NonZeroU64::MIN);

    /// The time `ms` milliseconds later. Saturates instead of overflowing: a limit of `u64::MAX`
    /// milliseconds means never.
    #[must_use]
    pub fn after_ms(self, ms: u64) -> Time {
        Time(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this time; 0 if `earlier` is later.
    #[must_use]
    pub fn ms_since(self, earlier: Time) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }
}

/// A set of deadlines, each with the id that it belongs to.
///
/// Reading the earliest deadline and changing a deadline take O(log n) time; an id without a
/// deadline takes no memory. The owner of the ids stores each id's current deadline, because
/// [`Deadlines::replace`] needs the old one to find the entry.
#[derive(Debug)]
pub struct Deadlines<Id>(BTreeSet<(Time, Id)>);

impl<Id> Default for Deadlines<Id> {
    fn default() -> Self {
        Deadlines(BTreeSet::new())
    }
}

impl<Id: Copy + Ord + Debug> Deadlines<Id> {
    /// Replaces the deadline `old` of `id` by `new`; `None` means no deadline. `old` must be the
    /// deadline that the last call set for `id`.
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

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.0.first().map(|&(at, _)| at)
    }

    /// The id with the earliest deadline, if that deadline is at or before `now`. The deadline
    /// stays until the caller replaces it.
    #[must_use]
    pub fn due(&self, now: Time) -> Option<Id> {
        self.0.first().filter(|&&(at, _)| at <= now).map(|&(_, id)| id)
    }

    /// The id with the earliest deadline.
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
