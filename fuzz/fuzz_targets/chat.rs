//! Run with `cargo +nightly fuzz run chat`. `entries/chat.rs` describes the input.
#![no_main]

#[path = "../entries/chat.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
