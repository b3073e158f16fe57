//! `cargo +nightly fuzz run screen`: see the entry.
#![no_main]

#[path = "../entries/screen.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
