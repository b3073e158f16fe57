//! `cargo +nightly fuzz run framing`: see the entry.
#![no_main]

#[path = "../entries/framing.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
