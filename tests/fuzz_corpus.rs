//! Runs the fuzz targets on a stable compiler: first every input of `fuzz/corpus/` (seeds, and
//! inputs that once failed), then inputs that a small mutator makes from the corpus with a fixed
//! seed. `cargo +nightly fuzz run framing` (or `chat`, `proxy`, `screen`, `tls`, `web`) runs the same
//! entry functions for longer.
//!
//! `CHINWAG_FUZZ_RUNS` sets how many mutated inputs each target gets (default 1,000).

#[path = "../fuzz/entries/chat.rs"]
mod chat;
#[path = "../fuzz/entries/framing.rs"]
mod framing;
#[path = "../fuzz/entries/proxy.rs"]
mod proxy;
#[path = "simulation/random.rs"]
mod random;
#[path = "../fuzz/entries/screen.rs"]
mod screen;
#[path = "../fuzz/entries/tls.rs"]
mod tls;
#[path = "../fuzz/entries/web.rs"]
mod web;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use random::Random;

/// Bytes that have a meaning in the framing, in a PROXY header, in TLS, in a request or in a schedule.
/// Random bytes would rarely form them.
const TOKENS: [&[u8]; 49] = [
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\x04",
    b"\x08",
    b"\x15",
    b"\x7f",
    b"\xff",
    b"\xff\xfd\x06",
    b"\xff\xfa",
    b"\xff\xf0",
    b"\xff\xec",
    b"\xff\xf6",
    b"\x1b[",
    b"\xe2\x80\xae",
    b"\xc3",
    b"\na>yes\n",
    b"\nb>2 anna\n",
    b"\na>quit\n",
    b"\nb.\n",
    b"\na!\n",
    b"\na<\x01\n",
    b"\nb+z\n",
    b"\na@0\n",
    b"\na@1d\n",
    b"\na=anna\n",
    b"\na>register\na>right password\na>right password\n",
    b"\nb>anna\nb>right password\n",
    b"PROXY TCP4 ",
    b"PROXY UNKNOWN\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c",
    b" 192.0.2.1",
    b"\x81\x80\0\0\0\0",
    b"\x01\x82\0\0\0\0\xe2\x82",
    b"\x80\x81\0\0\0\0\xac",
    b"\x89\x82\x01\x02\x03\x04hi",
    b"\x88\x82\0\0\0\0\x03\xe8",
    b"\x81\xfe\0\x7e\0\0\0\0",
    b"\x81\xff\0\0\0\0\0\x01\0\0\0\0\0\0",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\r\nOrigin: http://localhost\r\n",
    b"\r\n\r\n",
    b"\x16\x03\x01\0\x05\x01\0\0\x01\0",
    b"\x14\x03\x03\0\x01\x01",
    b"\x15\x03\x03\0\x02\x01\0",
    b"\x17\x03\x03\0\x20",
    b"\x81\0\x20\x02\0",
    b"\x06\0\x07\0\x02\0",
];

/// Runs `entry` on the corpus of `target`, then on mutated inputs.
fn run(target: &str, entry: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|file| file.expect("a folder can be listed").path())
        .collect::<Vec<_>>();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    let mut inputs = Vec::new();
    for path in files {
        let input = fs::read(&path).expect("an input can be read");
        check(entry, &input, &path.display().to_string());
        inputs.push(input);
    }
    let runs = std::env::var("CHINWAG_FUZZ_RUNS").ok();
    let runs = runs.map_or(1_000, |runs| runs.parse().expect("CHINWAG_FUZZ_RUNS is a number"));
    let mut random = Random::new(1);
    for n in 0..runs {
        let input = mutated(&mut random, &inputs);
        check(entry, &input, &format!("mutation {n}"));
    }
}

fn check(entry: fn(&[u8]), input: &[u8], name: &str) {
    let outcome = catch_unwind(|| entry(input));
    assert!(outcome.is_ok(), "{name} fails: {:?}", String::from_utf8_lossy(input));
}

/// One of `inputs`, changed at 1 to 6 places: a part of another input or a token is inserted, the
/// end is cut off, or a byte is replaced.
fn mutated(random: &mut Random, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut input = inputs[random.below(inputs.len())].clone();
    for _ in 0..random.between(1, 6) {
        let at = random.below(input.len() + 1);
        match random.below(4) {
            0 => drop(input.splice(at..at, random.pick(&TOKENS).iter().copied())),
            1 => input.truncate(at.max(1)),
            _ if random.chance(50) => {
                let other = &inputs[random.below(inputs.len())];
                let from = random.below(other.len() + 1);
                let to = random.between(from, other.len());
                drop(input.splice(at..at, other[from..to].iter().copied()));
            }
            _ if at < input.len() => input[at] = random.next() as u8,
            _ => {}
        }
    }
    input
}

#[test]
fn any_bytes_cut_into_any_packets_give_the_same_safe_lines() {
    run("framing", framing::run);
}

#[test]
fn any_bytes_cut_into_any_packets_name_the_same_client_or_are_refused() {
    run("proxy", proxy::run);
}

#[test]
fn any_bytes_instead_of_tls_and_any_disturbance_of_it_never_forge_a_line() {
    run("tls", tls::run);
}

#[test]
fn any_schedule_keeps_the_invariants_and_leaves_no_session_behind() {
    run("chat", chat::run);
}

#[test]
fn any_bytes_on_an_http_connection_give_the_same_responses_and_lines_however_they_are_cut() {
    run("web", web::run);
}

#[test]
fn any_keys_and_any_server_output_leave_the_screen_valid() {
    run("screen", screen::run);
}
