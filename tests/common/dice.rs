//! Chance that can be had again: the seed is printed, and `CHINWAG_SEED` sets it.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A small generator of numbers (SplitMix64), good enough to choose attacks with.
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for one test. The line printed is shown when the test fails.
    pub(crate) fn shaken() -> Dice {
        let given = std::env::var("CHINWAG_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        eprintln!("the same again: CHINWAG_SEED={seed}");
        Dice(seed)
    }

    /// A number below `sides`.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % sides as u64).expect("less than a usize")
    }
}
