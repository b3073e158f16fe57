//! Random numbers that a failed test can repeat: the seed is printed, and `CHINWAG_SEED` sets the
//! seed.

#![allow(dead_code, reason = "no test program uses every function")]

use std::hash::{BuildHasher, Hasher, RandomState};

/// A generator of pseudo-random numbers (SplitMix64). Its quality suffices to choose actions.
pub(crate) struct Random(u64);

impl Random {
    /// A generator for one test. Prints the seed; the test runner shows the line when the test
    /// fails.
    pub(crate) fn with_printed_seed() -> Random {
        let given = std::env::var("CHINWAG_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        eprintln!("to repeat this run: CHINWAG_SEED={seed}");
        Random(seed)
    }

    /// A generator that always yields the same numbers for the same seed.
    pub(crate) fn with_seed(seed: u64) -> Random {
        Random(seed)
    }

    /// A number from 0 to `limit` - 1.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit as u64).expect("less than a usize")
    }
}
