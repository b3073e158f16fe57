//! `chinwag check`: chinwag passes every case, and the small servers of `lessons/` fail exactly where
//! their pages say so.

mod common;
#[allow(dead_code, reason = "the tests of the ladder use the rest")]
#[path = "lessons/harness.rs"]
mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use common::server::{program, run};
use common::skip;
use serde_json::Value;

/// The grades of a server.
fn grades(command: &str, level: &str) -> (Option<i32>, Value) {
    let ran = run(&["check", "--cmd", command, "--level", level, "--json"], &[]);
    let report = serde_json::from_str(&ran.stdout);
    let report = report.unwrap_or_else(|_| panic!("{:?} {:?}", ran.stdout, ran.stderr));
    (ran.status.code(), report)
}

/// The names of the cases that fail.
fn failed(report: &Value) -> BTreeSet<String> {
    let cases = report["cases"].as_array().expect("cases").iter();
    let failed = cases.filter(|case| case["passed"] == false);
    failed.map(|case| case["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn chinwag_passes_every_level() {
    let command = format!("exec '{}' serve -qq --listen 127.0.0.1:{{port}}", program());
    let (code, report) = grades(&command, "8");
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!((&report["failed"], &report["level"]), (&0.into(), &8.into()));
}

/// The last rung of the ladder.
#[test]
fn the_small_chinwag_passes_every_level() {
    let path = harness::example("lesson-12-fixed");
    let (code, report) = grades(&format!("exec '{}' {{port}}", path.display()), "8");
    assert_eq!(code, Some(0), "{report:#}");
}

/// The cases of the table in `lessons/servers/README.md` that this server fails.
fn promised(column: usize) -> BTreeSet<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/servers/README.md");
    let page = fs::read_to_string(page).expect("the page");
    let rows = page.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let failing = rows.filter(|cells| cells.get(column) == Some(&"fails"));
    failing.map(|cells| cells[2].to_owned()).collect()
}

#[track_caller]
fn fails_where_the_page_says(server: &str, column: usize) {
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("python3 is not installed");
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/servers");
    let (code, report) = grades(&format!("exec python3 -B '{folder}/{server}' {{port}}"), "8");
    assert_eq!(failed(&report), promised(column), "{report:#}");
    assert_eq!(code, Some(1));
}

#[test]
fn a_server_with_threads_fails_where_its_page_says() {
    fails_where_the_page_says("threads.py", 3);
}

#[test]
fn a_server_that_asks_in_turn_fails_where_its_page_says() {
    fails_where_the_page_says("asking_in_turn.py", 4);
}

#[test]
fn a_server_without_framing_fails_where_its_page_says() {
    fails_where_the_page_says("no_framing.py", 5);
}

#[test]
fn a_failure_shows_what_was_sent_what_was_expected_and_what_came() {
    // It listens, and never says anything.
    let deaf = "exec python3 -c 'import socket,time; s=socket.create_server((\"127.0.0.1\",{port})); time.sleep(99)'";
    if Command::new("python3").arg("--version").output().is_err() {
        return skip("python3 is not installed");
    }
    let ran = run(&["check", "--cmd", deaf, "--level", "1"], &[]);
    assert_eq!(ran.status.code(), Some(1));
    for part in
        ["FAIL  1 greets: a welcome", "expected: * …   (protocol.md, 4.1.1)", "nothing, for 4 s"]
    {
        assert!(ran.stdout.contains(part), "{}", ran.stdout);
    }
}

#[test]
fn a_server_that_does_not_start_is_exit_code_2() {
    for command in ["exit 3 # {port}", "true"] {
        let ran = run(&["check", "--cmd", command], &[]);
        assert_eq!(ran.status.code(), Some(2), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1);
    }
}
