//! Run with `cargo +nightly fuzz run framing`. `entries/framing.rs` describes the input.
#![no_main]

#[path = "../entries/framing.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
