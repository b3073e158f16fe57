//! Random numbers that a seed repeats.

use std::ops::Range;

/// A generator of pseudo-random numbers (SplitMix64: Steele, Lea, Flood, 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The generator of one person. Each number of a seed has its own sequence.
    #[must_use]
    pub fn new(seed: u64, person: usize) -> Random {
        let mut random = Random(seed ^ (person as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `range`, or its start if the range is empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        let size = range.end.saturating_sub(range.start).max(1);
        range.start + self.next() % size
    }

    /// `true` in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.within(0..100) < percent
    }

    /// One of the choices, if there is any.
    pub fn choose<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.within(0..choices.len() as u64) as usize)
    }
}
