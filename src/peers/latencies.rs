//! How long things took: percentiles from counts of fixed memory.

use serde_json::{Value, json};

use super::peer::Micros;

/// Bits that stay of each number: the percentiles are at most 1/32 too high.
const BITS: u32 = 5;
const BUCKETS: usize = (64 - BITS as usize + 1) << BITS;

/// Counts of latencies.
#[derive(Debug, Clone)]
pub struct Latencies {
    counts: Vec<u64>,
    count: u64,
    longest: Micros,
}

impl Default for Latencies {
    fn default() -> Self {
        Latencies { counts: vec![0; BUCKETS], count: 0, longest: 0 }
    }
}

impl Latencies {
    /// Counts one latency.
    pub fn record(&mut self, took: Micros) {
        self.counts[bucket(took)] += 1;
        self.count += 1;
        self.longest = self.longest.max(took);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest; 0 if none was counted.
    #[must_use]
    pub fn longest(&self) -> Micros {
        self.longest
    }

    /// So many percent were at most this long, and the answer is never above the longest.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Micros {
        let wanted = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map_or(0, |bucket| highest(bucket).min(self.longest))
    }

    /// A row of the table under [`table_head`].
    #[must_use]
    pub fn table_row(&self, title: &str) -> String {
        let times = match self.count {
            0 => ["-"; 3].map(str::to_owned),
            _ => [self.percentile(50), self.percentile(99), self.longest].map(shown),
        };
        let ([p50, p99, longest], count) = (times, self.count);
        format!("{title:<12}{count:>10}{p50:>12}{p99:>12}{longest:>12}\n")
    }

    /// The same as JSON, in milliseconds. `counted` is the name of the count.
    #[must_use]
    pub fn json(&self, counted: &str) -> Value {
        json!({
            counted: self.count, "p50_ms": ms(self.percentile(50)),
            "p99_ms": ms(self.percentile(99)), "longest_ms": ms(self.longest),
        })
    }
}

/// The head of a table of latencies. `counted` names what is counted.
#[must_use]
pub fn table_head(counted: &str) -> String {
    format!("{:<12}{counted:>10}{:>12}{:>12}{:>12}\n", "", "p50", "p99", "longest")
}

/// Milliseconds, as a number of JSON.
#[must_use]
pub fn ms(took: Micros) -> f64 {
    took as f64 / 1e3
}

/// The bucket of a number: its highest bit, and the [`BITS`] bits below that.
fn bucket(number: u64) -> usize {
    let shift = (u64::BITS - number.leading_zeros()).saturating_sub(BITS + 1);
    ((shift as usize) << BITS) + (number >> shift) as usize
}

/// The highest number of a bucket.
fn highest(bucket: usize) -> u64 {
    let shift = (bucket >> BITS).saturating_sub(1);
    let top = (bucket - (shift << BITS)) as u64;
    // The last bucket would end beyond the largest number.
    ((u128::from(top) + 1) << shift).saturating_sub(1).try_into().unwrap_or(u64::MAX)
}

/// A latency as a person reads it.
#[must_use]
pub fn shown(took: Micros) -> String {
    match took {
        0..10_000 => format!("{:.2} ms", ms(took)),
        10_000..1_000_000 => format!("{:.0} ms", ms(took)),
        _ => format!("{:.1} s", took as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_close_and_never_below_the_truth() {
        let mut latencies = Latencies::default();
        assert_eq!((latencies.percentile(50), latencies.longest()), (0, 0));
        (1..=10_000).for_each(|took| latencies.record(took));
        for (percent, truth) in [(1, 100), (50, 5_000), (99, 9_900), (100, 10_000)] {
            let found = latencies.percentile(percent);
            assert!((truth..=truth + truth / 32).contains(&found), "{percent} %: {found}");
        }
        assert_eq!((latencies.count(), latencies.longest()), (10_000, 10_000));
    }

    #[test]
    fn every_number_has_a_bucket_whose_highest_is_not_below_it() {
        for number in (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1, u64::MAX]) {
            let bucket = bucket(number);
            assert!(bucket < BUCKETS && highest(bucket) >= number, "{number}");
            assert!(bucket == 0 || highest(bucket - 1) < number, "{number}");
        }
    }
}
