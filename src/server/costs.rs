//! What each connection cost the server lately, so that an operator sees whom to ban (8.2.8).
//!
//! `reading.rs` measures all reads of one turn in [`SAMPLED`]; `operator_commands.rs` asks. Time is
//! kept in slices of [`SLICE_S`] seconds, the oldest of which is forgotten. A connection that sends
//! nothing has no entry, so an idle user costs nothing here.

use std::collections::HashMap;
use std::time::Duration;

/// Seconds in one slice of time.
const SLICE_S: u64 = 2;

/// How many slices are remembered. The last of them is still filling, so costs are those of the
/// last 8 to 10 seconds.
const SLICES: usize = 5;

/// Of how many turns one is measured. To measure all of them would cost 4 % of the throughput; the
/// figures are estimates therefore.
const SAMPLED: u32 = 8;

/// What one connection cost. Small numbers, because a storm of logins makes one of these for each
/// connection; a figure beyond 2^32 counts as 2^32.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    /// Lines that it sent.
    pub(super) lines: u32,
    /// Bytes that it sent.
    pub(super) bytes: u32,
    /// Lines that its lines put into the output of anybody. Writing them is its cost too: one line
    /// to a room of a thousand is a thousand deliveries.
    pub(super) deliveries: u32,
    /// How long its input was processed, in microseconds.
    pub(super) processing_us: u32,
}

/// The costs of all connections.
#[derive(Debug, Default)]
pub(super) struct Costs {
    /// Slice `n` holds second `s` if `s / SLICE_S % SLICES == n`.
    slices: [Slice; SLICES],
    /// The state of the generator that picks turns.
    dice: u32,
}

/// The costs of one slice of time.
#[derive(Debug, Default)]
struct Slice {
    /// Which slice since the start of the server this is.
    number: u64,
    /// By slab key and number of the connection: a later connection may have the same key.
    by_connection: HashMap<(u32, u32), Cost>,
    /// The sum of all of them.
    total: Cost,
    /// How long the loop was awake.
    awake: Duration,
}

impl Costs {
    /// Whether this turn is measured. Picked at random, so that no client can hide between samples.
    pub(super) fn samples_turn(&mut self) -> bool {
        // The constants of Numerical Recipes (W. H. Press et al., 7.1); the high bits are the good ones.
        self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.dice >> 16 & (SAMPLED - 1) == 0
    }

    /// Adds the cost of one measured read at the second `now_s`. It stands for [`SAMPLED`] reads.
    pub(super) fn record(&mut self, now_s: u64, key: usize, number: u32, mut cost: Cost) {
        cost.scale(SAMPLED);
        let slice = self.slice(now_s);
        slice.by_connection.entry((key as u32, number)).or_default().add(cost);
        slice.total.add(cost);
    }

    /// Adds the duration of one turn of the loop.
    pub(super) fn record_turn(&mut self, now_s: u64, awake: Duration) {
        self.slice(now_s).awake += awake;
    }

    /// What a connection cost in the last 8 to 10 seconds; `None` if it sent nothing.
    pub(super) fn of(&self, now_s: u64, key: usize, number: u32) -> Option<Cost> {
        let mut sum = None;
        for slice in self.recent(now_s) {
            if let Some(&cost) = slice.by_connection.get(&(key as u32, number)) {
                sum.get_or_insert_with(Cost::default).add(cost);
            }
        }
        sum
    }

    /// The share of one core that `cost` is, in percent: the time of its processing, and its part of
    /// the time that the loop spent on everything else, which is mostly writing.
    pub(super) fn cpu_percent(&self, now_s: u64, cost: Cost) -> f64 {
        let (mut total, mut awake) = (Cost::default(), Duration::ZERO);
        for slice in self.recent(now_s) {
            total.add(slice.total);
            awake += slice.awake;
        }
        let [own_s, all_s] = [cost, total].map(|cost| f64::from(cost.processing_us) / 1e6);
        let others_s = (awake.as_secs_f64() - all_s).max(0.0);
        let part = f64::from(cost.deliveries) / f64::from(total.deliveries.max(1));
        let window_s = ((SLICES as u64 - 1) * SLICE_S + now_s % SLICE_S + 1).min(now_s + 1);
        100.0 * (own_s + others_s * part) / window_s as f64
    }

    /// The slices that are not too old.
    fn recent(&self, now_s: u64) -> impl Iterator<Item = &Slice> {
        let last = now_s / SLICE_S;
        self.slices.iter().filter(move |slice| slice.number + (SLICES as u64) > last)
    }

    /// The slice of the second `now_s`, emptied if it still held an old one.
    fn slice(&mut self, now_s: u64) -> &mut Slice {
        let number = now_s / SLICE_S;
        let slice = &mut self.slices[(number % SLICES as u64) as usize];
        if slice.number != number {
            slice.start(number);
        }
        slice
    }
}

impl Slice {
    /// Forgets an old slice. Memory for as many connections as it had is kept, so that steady
    /// traffic allocates nothing; memory of a storm long ago is not.
    fn start(&mut self, number: u64) {
        let used = self.by_connection.len();
        self.by_connection.clear();
        self.by_connection.shrink_to(2 * used);
        (self.number, self.total, self.awake) = (number, Cost::default(), Duration::ZERO);
    }
}

impl Cost {
    fn scale(&mut self, factor: u32) {
        for figure in self.figures() {
            *figure = figure.saturating_mul(factor);
        }
    }

    fn add(&mut self, mut other: Cost) {
        for (figure, more) in self.figures().into_iter().zip(other.figures()) {
            *figure = figure.saturating_add(*more);
        }
    }

    fn figures(&mut self) -> [&mut u32; 4] {
        let Cost { lines, bytes, deliveries, processing_us } = self;
        [lines, bytes, deliveries, processing_us]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(lines: u32, deliveries: u32, ms: u32) -> Cost {
        Cost { lines, bytes: lines * 10, deliveries, processing_us: 1_000 * ms }
    }

    fn scaled(mut cost: Cost) -> Cost {
        cost.scale(SAMPLED);
        cost
    }

    /// (8.2.8)
    #[test]
    fn costs_are_those_of_the_last_ten_seconds_and_of_one_connection() {
        let mut costs = Costs::default();
        costs.record(100, 3, 7, cost(1, 1, 1));
        costs.record(104, 3, 7, cost(2, 2, 2));
        assert_eq!(costs.of(105, 3, 7), Some(scaled(cost(3, 3, 3))));
        assert_eq!(costs.of(105, 3, 8), None, "a later connection with the same key");
        assert_eq!(costs.of(109, 3, 7), Some(scaled(cost(3, 3, 3))));
        assert_eq!(costs.of(110, 3, 7), Some(scaled(cost(2, 2, 2))));
        assert_eq!(costs.of(114, 3, 7), None);
    }

    /// (8.2.8)
    #[test]
    fn whoever_speaks_to_a_room_of_a_thousand_pays_for_the_writing() {
        let mut costs = Costs::default();
        costs.record(100, 1, 1, cost(1, 1_000, 10));
        costs.record(100, 2, 2, cost(1_000, 1_000, 10));
        costs.record_turn(100, Duration::from_millis(1_060));
        let percent = [1, 2].map(|n| {
            let cost = costs.of(101, n as usize, n).expect("it was recorded");
            costs.cpu_percent(101, cost)
        });
        assert!((percent[0] - 5.3).abs() < 0.01, "80 ms and half of 900 ms in 10 s: {percent:?}");
        assert_eq!(percent[0], percent[1]);
    }

    /// (8.2.8)
    #[test]
    fn about_one_turn_of_eight_is_measured() {
        let mut costs = Costs::default();
        let sampled = (0..8_000).filter(|_| costs.samples_turn()).count();
        assert!((900..1_100).contains(&sampled), "{sampled}");
    }

    /// (8.2.8)
    #[test]
    fn a_storm_leaves_no_memory_behind() {
        let mut costs = Costs::default();
        (0..10_000).for_each(|key| costs.record(0, key, 1, cost(1, 1, 1)));
        for second in (10..60).step_by(10) {
            costs.record(second, 1, 1, cost(1, 1, 1));
        }
        assert!(costs.slices[0].by_connection.capacity() < 100);
    }
}
