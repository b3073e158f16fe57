//! How often something was how much: counts in buckets whose bounds are fixed, so that noting one
//! more is a few comparisons and never an allocation.
//!
//! What is measured, and when, is not known here.

/// Counts of what was noted, by how much it was.
#[derive(Debug, Clone)]
pub struct Histogram<const BUCKETS: usize> {
    unit: Unit,
    /// The most that is counted in each bucket, in order; what is more is in none.
    most: [u64; BUCKETS],
    counts: [u64; BUCKETS],
    count: u64,
    sum: u64,
}

/// What the numbers are, and so how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things that are counted.
    Count,
    /// Nanoseconds, written as seconds.
    Nanoseconds,
}

impl<const BUCKETS: usize> Histogram<BUCKETS> {
    /// An empty one with these bounds, which are in order.
    #[must_use]
    pub fn new(unit: Unit, most: [u64; BUCKETS]) -> Histogram<BUCKETS> {
        debug_assert!(most.is_sorted(), "bounds are in order");
        Histogram { unit, most, counts: [0; BUCKETS], count: 0, sum: 0 }
    }

    /// Counts one more.
    #[inline]
    pub fn record(&mut self, amount: u64) {
        self.count += 1;
        self.sum = self.sum.saturating_add(amount);
        if let Some(bucket) = self.most.iter().position(|&most| amount <= most) {
            self.counts[bucket] += 1;
        }
    }

    /// How many were noted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// All of it, as it is written.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut below = 0;
        let buckets = self.most.iter().zip(self.counts).map(|(&most, count)| {
            below += count;
            (most, below)
        });
        let buckets = buckets.collect();
        Snapshot { unit: self.unit, buckets, count: self.count, sum: self.sum }
    }
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub(super) unit: Unit,
    /// Each bound, and how many were at most that.
    pub(super) buckets: Vec<(u64, u64)>,
    pub(super) count: u64,
    pub(super) sum: u64,
}

impl Snapshot {
    /// The least bound that 99 of 100 did not pass; `None` if they passed all, or there were none.
    pub(super) fn most_of_99(&self) -> Option<u64> {
        let wanted = (self.count * 99).div_ceil(100);
        let bucket = self.buckets.iter().find(|&&(_, below)| below >= wanted && below > 0);
        bucket.map(|&(most, _)| most)
    }
}

impl Unit {
    /// The amount as a number of this unit's name.
    pub(super) fn value(self, amount: u64) -> serde_json::Number {
        match self {
            Unit::Count => amount.into(),
            Unit::Nanoseconds => {
                serde_json::Number::from_f64(amount as f64 / 1e9).unwrap_or_else(|| 0.into())
            }
        }
    }

    /// The same in the shortest decimal form.
    pub(super) fn text(self, amount: u64) -> String {
        match self {
            Unit::Count => amount.to_string(),
            Unit::Nanoseconds => (amount as f64 / 1e9).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up_and_the_last_is_everything() {
        let mut histogram = Histogram::new(Unit::Count, [1, 10]);
        assert_eq!(histogram.snapshot().most_of_99(), None);
        [0, 1, 2, 10, 11, u64::MAX].into_iter().for_each(|amount| histogram.record(amount));
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.buckets, [(1, 2), (10, 4)]);
        assert_eq!((snapshot.count, snapshot.sum), (6, u64::MAX));
        assert_eq!(snapshot.most_of_99(), None);
        (0..1_000).for_each(|_| histogram.record(3));
        assert_eq!(histogram.snapshot().most_of_99(), Some(10));
    }

    #[test]
    fn nanoseconds_are_written_as_seconds() {
        assert_eq!(Unit::Nanoseconds.text(50_000), "0.00005");
        assert_eq!(Unit::Nanoseconds.text(1_000_000_000), "1");
    }
}
