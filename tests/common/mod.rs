//! The harness of the tests that run the real program. It starts a server on a free port, and
//! connects people who send lines, read lines, and end their connections in every way that TCP
//! allows.
//!
//! Nothing here sleeps. A person waits for a line, an end of stream or an exit, for at most 20 s
//! (`CHINWAG_TESTS_DEADLINE` sets another number of seconds). A person that reads anything else
//! fails the test at the line that expected it, and shows the lines sent and received so far.

#![allow(dead_code, reason = "no test program uses the whole harness")]

pub(crate) mod console;
pub(crate) mod person;
#[cfg(target_os = "linux")]
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod receiver;
pub(crate) mod reference;
pub(crate) mod server;

use std::io::Write;
use std::time::{Duration, Instant};

pub(crate) use person::Person;
pub(crate) use server::Server;

/// The prompt of the menu, in full.
pub(crate) const MENU: &str = "? 1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";
/// The prompt of NAMING: the session has no username yet.
pub(crate) const USERNAME: &str = "? Username:";
/// The prompt of CHOOSING, after `2`.
pub(crate) const WHOM: &str = "? Chat with whom?";

/// How long a test waits for one event before it fails.
pub(crate) fn timeout() -> Duration {
    let seconds = std::env::var("CHINWAG_TESTS_DEADLINE").ok();
    Duration::from_secs(seconds.and_then(|text| text.parse().ok()).unwrap_or(20))
}

/// The clock of the tests. The server has its own.
#[expect(clippy::disallowed_methods, reason = "a test that waits needs a deadline")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Reports that a test is skipped, and why. With `CHINWAG_TESTS_NO_SKIP=1`, as on CI, a skip is a
/// failure.
///
/// The test runner captures the output of tests that pass, so the report goes directly to stderr:
/// otherwise a skipped test would look like a passed test.
pub(crate) fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os("CHINWAG_TESTS_NO_SKIP").is_none(), "{test} would be skipped: {why}");
    skip_everywhere(why);
}

/// Reports that a test is skipped whose program no run must have, not even on CI.
pub(crate) fn skip_everywhere(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    write_to_stderr(&format!("SKIPPED {test}: {why}\n"));
}

/// Reports a measurement. Like [`skip`], it writes past the capture of the test runner.
pub(crate) fn report(measurement: &str) {
    write_to_stderr(&format!("measured: {measurement}\n"));
}

/// Writes the line in one call, because other tests write at the same time.
fn write_to_stderr(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}
