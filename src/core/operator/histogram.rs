//! Histograms: they count how many observed amounts fall into each bucket.
//!
//! The limits of the buckets are fixed, so an observation costs a few comparisons and no
//! allocation. The loop can therefore observe every turn. What is measured, the caller decides.

/// Counts of observed amounts, in `BUCKETS` buckets.
#[derive(Debug, Clone)]
pub struct Histogram<const BUCKETS: usize> {
    unit: Unit,
    /// The largest amount that each bucket counts, in ascending order. A larger amount than the
    /// last is in no bucket, only in `count` and `sum`.
    limits: [u64; BUCKETS],
    /// Observations in each bucket, without those in the buckets before it.
    counts: [u64; BUCKETS],
    /// All observations.
    count: u64,
    /// The sum of all observed amounts. Saturates: a wrong mean is better than a stopped server.
    sum: u64,
}

/// The unit of the amounts, which decides how they are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Nanoseconds. Printed as seconds, the base unit of Prometheus.
    Nanoseconds,
}

impl<const BUCKETS: usize> Histogram<BUCKETS> {
    /// Creates an empty histogram. `limits` must be in ascending order.
    #[must_use]
    pub fn new(unit: Unit, limits: [u64; BUCKETS]) -> Histogram<BUCKETS> {
        debug_assert!(limits.is_sorted(), "the limits of the buckets must be in order");
        Histogram { unit, limits, counts: [0; BUCKETS], count: 0, sum: 0 }
    }

    /// Counts one observation of `amount`.
    #[inline]
    pub fn record(&mut self, amount: u64) {
        self.count += 1;
        self.sum = self.sum.saturating_add(amount);
        if let Some(bucket) = self.limits.iter().position(|&limit| amount <= limit) {
            self.counts[bucket] += 1;
        }
    }

    /// The number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The current counts, in the cumulative form that Prometheus uses.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        let mut cumulative = 0;
        let buckets = self.limits.iter().zip(self.counts).map(|(&limit, count)| {
            cumulative += count;
            (limit, cumulative)
        });
        let buckets = buckets.collect();
        HistogramSnapshot { unit: self.unit, buckets, count: self.count, sum: self.sum }
    }
}

/// The counts of a histogram at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramSnapshot {
    pub(super) unit: Unit,
    /// The limit of each bucket, and the number of observations at or below the limit.
    pub(super) buckets: Vec<(u64, u64)>,
    /// All observations.
    pub(super) count: u64,
    /// The sum of all observed amounts.
    pub(super) sum: u64,
}

impl HistogramSnapshot {
    /// The smallest bucket limit at or above 99 % of the observations. Returns `None` if no limit
    /// is, or if there are no observations.
    pub(super) fn percentile_99(&self) -> Option<u64> {
        let wanted = (self.count * 99).div_ceil(100);
        let bucket =
            self.buckets.iter().find(|&&(_, cumulative)| cumulative >= wanted && cumulative > 0);
        bucket.map(|&(limit, _)| limit)
    }
}

impl Unit {
    /// The amount as a JSON number, in the printed unit.
    pub(super) fn value(self, amount: u64) -> serde_json::Number {
        match self {
            Unit::Count => amount.into(),
            Unit::Nanoseconds => {
                serde_json::Number::from_f64(amount as f64 / 1e9).unwrap_or_else(|| 0.into())
            }
        }
    }

    /// The amount as text in the shortest decimal form, in the printed unit.
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
    fn buckets_are_cumulative_and_the_count_includes_amounts_above_the_last() {
        let mut histogram = Histogram::new(Unit::Count, [1, 10]);
        assert_eq!(histogram.snapshot().percentile_99(), None);
        [0, 1, 2, 10, 11, u64::MAX].into_iter().for_each(|amount| histogram.record(amount));
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.buckets, [(1, 2), (10, 4)]);
        assert_eq!((snapshot.count, snapshot.sum), (6, u64::MAX));
        assert_eq!(snapshot.percentile_99(), None);
        (0..1_000).for_each(|_| histogram.record(3));
        assert_eq!(histogram.snapshot().percentile_99(), Some(10));
    }

    #[test]
    fn nanoseconds_are_printed_as_seconds() {
        assert_eq!(Unit::Nanoseconds.text(50_000), "0.00005");
        assert_eq!(Unit::Nanoseconds.text(1_000_000_000), "1");
    }
}
