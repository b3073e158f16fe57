//! Run with `cargo +nightly fuzz run tls`. `entries/tls.rs` describes the input.
#![no_main]

#[path = "../entries/tls.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
