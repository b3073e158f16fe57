//! The one harness of the tests that talk to the real program: a server started on a port of its own, and
//! people who say lines, hear lines, and hang up in all the ways a network knows.
//!
//! Nothing here sleeps. Whoever waits, waits for a line, an end or an exit, until one generous deadline:
//! 20 s, or as many as the variable `CHINWAG_TESTS_DEADLINE` says. A person who hears something else fails
//! the test at the line of the script that expected it, and shows the whole conversation so far.

#![allow(dead_code, reason = "every test program uses its own part of the harness")]

pub(crate) mod console;
pub(crate) mod dice;
pub(crate) mod ears;
pub(crate) mod person;
#[cfg(target_os = "linux")]
pub(crate) mod process;
pub(crate) mod reference;
pub(crate) mod server;

use std::io::Write;
use std::time::{Duration, Instant};

pub(crate) use person::Person;
pub(crate) use server::Server;

/// The prompt of the menu, in full.
pub(crate) const MENU: &str = "? 1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms";
/// The prompt of somebody who has no username yet.
pub(crate) const USERNAME: &str = "? Username:";
/// The prompt after `2`.
pub(crate) const WHOM: &str = "? Chat with whom?";

/// How long anybody waits for anything before the test has failed.
pub(crate) fn patience() -> Duration {
    let seconds = std::env::var("CHINWAG_TESTS_DEADLINE").ok();
    Duration::from_secs(seconds.and_then(|text| text.parse().ok()).unwrap_or(20))
}

/// The test's own clock; the server has another.
#[expect(clippy::disallowed_methods, reason = "a test of deadlines must look at a clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Says aloud that a test was not run, and why. With `CHINWAG_TESTS_NO_SKIP=1`, as on CI, that is a failure.
///
/// Written past the capture of the test runner, because a skip nobody sees is a lie.
pub(crate) fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os("CHINWAG_TESTS_NO_SKIP").is_none(), "{test} would be skipped: {why}");
    says_aloud(&format!("SKIPPED {test}: {why}\n"));
}

/// Says a measured figure aloud, past the capture of the test runner.
pub(crate) fn report(figure: &str) {
    says_aloud(&format!("measured: {figure}\n"));
}

/// In one write, since other tests speak as well.
fn says_aloud(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}
