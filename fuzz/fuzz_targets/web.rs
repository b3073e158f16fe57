//! Run with `cargo +nightly fuzz run web`. `entries/web.rs` describes the input.
#![no_main]

#[path = "../entries/web.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
