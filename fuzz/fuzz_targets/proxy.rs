//! Run with `cargo +nightly fuzz run proxy`. `entries/proxy.rs` describes the input.
#![no_main]

#[path = "../entries/proxy.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
