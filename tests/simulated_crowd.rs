//! `chinwag crowd` against the real server: everybody is served.

mod common;

use common::server::{Server, run};
use rustix::process::Signal;
use serde_json::Value;

/// Runs a crowd, and returns its exit code and its last report.
#[track_caller]
fn crowd(server: &Server, people: &str, flags: &[&str]) -> (Option<i32>, Value) {
    let address = server.address().to_string();
    let ran = run(&[&["crowd", people, &address, "--json"], flags].concat(), &[]);
    let last = ran.stdout.lines().last().unwrap_or_else(|| panic!("no report: {}", ran.stderr));
    (ran.status.code(), serde_json::from_str(last).expect("JSON"))
}

#[test]
fn a_hundred_people_are_served_without_a_problem() {
    let mut server = Server::starts();
    let (code, report) = crowd(&server, "100", &["--seed", "7", "--for", "3", "--fast"]);
    assert_eq!((code, &report["problems"]), (Some(0), &0.into()), "{report:#}");
    assert_eq!((&report["seed"], &report["final"]), (&7.into(), &true.into()));
    for what in ["greeting", "chat_line", "room_line", "list"] {
        let row = &report["latencies"][what];
        assert!(row["count"].as_u64() > Some(10), "{what}: {report:#}");
        assert!(row["p50_ms"].as_f64() <= row["p99_ms"].as_f64(), "{what}: {report:#}");
        assert!(row["p99_ms"].as_f64() <= row["longest_ms"].as_f64(), "{what}: {report:#}");
    }
    server.is_healthy();
}

#[test]
fn a_crowd_without_a_server_fails_with_a_reason() {
    let address = {
        let server = Server::starts();
        server.address().to_string()
    };
    let ran = run(&["crowd", "3", &address, "--for", "1"], &[]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(ran.stdout.contains("no connection"), "{}", ran.stdout);
}

#[test]
fn a_crowd_that_nobody_greets_fails() {
    let server = Server::starts();
    server.signal(Signal::STOP);
    let ran = run(&["crowd", "2", &server.address().to_string(), "--for", "1"], &[]);
    server.signal(Signal::CONT);
    assert_eq!(ran.status.code(), Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("nobody was greeted"), "{}", ran.stdout);
}

#[test]
fn a_crowd_goes_to_this_machine_only_and_no_flag_changes_that() {
    for elsewhere in ["192.0.2.7", "0.0.0.0:7878", "[2001:db8::1]:7878"] {
        let ran = run(&["crowd", "1", elsewhere, "--for", "1"], &[]);
        assert_eq!((ran.status.code(), &*ran.stdout), (Some(2), ""));
        assert!(ran.stderr.contains("crowds go to this machine only"), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1);
    }
}
