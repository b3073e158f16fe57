//! `cargo +nightly fuzz run chat`: see the entry.
#![no_main]

#[path = "../entries/chat.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
