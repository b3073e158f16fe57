//! Run with `cargo +nightly fuzz run screen`. `entries/screen.rs` describes the input.
#![no_main]

#[path = "../entries/screen.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
