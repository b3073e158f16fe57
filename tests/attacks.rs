//! `chinwag attack`: every kind against the real server. The honest pair is served, the server says what
//! the clause says, and everything works afterwards.

mod common;
#[allow(dead_code, reason = "the tests of the ladder use the rest")]
#[path = "lessons/harness.rs"]
mod harness;

use common::server::{Server, run};
use common::{MENU, Person, now, timeout};
use harness::Lesson;
use serde_json::Value;

/// The longest time that a line of the honest pair may take while an attack runs. Far more than it
/// takes, because tests share the machine; far less than without a protection.
const PROMISE_MS: f64 = 2_000.0;

/// Runs an attack for a moment, checks what holds for each, and returns its report.
#[track_caller]
fn attack(server: &mut Server, kind: &str, flags: &[&str]) -> Value {
    let address = server.address().to_string();
    let ran = run(&[&["attack", kind, &address, "--json"], flags].concat(), &[]);
    let last = ran.stdout.lines().last().unwrap_or_else(|| panic!("no report: {}", ran.stderr));
    let report: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!((ran.status.code(), &report["final"]), (Some(0), &true.into()), "{report:#}");
    for phase in ["before", "during", "after"] {
        let pair = &report["pair"][phase];
        assert!(pair["lines"].as_u64() > Some(3), "{phase}: {report:#}");
        assert!(pair["longest_ms"].as_f64() < Some(PROMISE_MS), "{phase}: {report:#}");
    }
    assert!(report["newcomer_ms"].as_f64() < Some(PROMISE_MS), "{report:#}");
    is_usable(server);
    report
}

/// Two people meet and talk, and nobody of the attack is left.
#[track_caller]
fn is_usable(server: &mut Server) {
    let mut anna = Person::joins(server, "anna");
    let mut ben = Person::joins(server, "ben");
    let until = now() + timeout();
    // Connections that were cut a moment ago may still stand.
    loop {
        anna.says("1");
        let lines = anna.reads_until(MENU);
        if lines.iter().any(|line| line == "* 2 users online") {
            break;
        }
        assert!(now() < until, "after the attack: {lines:?}");
    }
    anna.chats_with(&mut ben);
    anna.says("still here?");
    ben.reads("anna: still here?");
    server.is_healthy();
}

/// How often the server said a line that begins so.
fn said(report: &Value, beginning: &str) -> u64 {
    let said = report["said"].as_object().expect("words");
    let matching = said.iter().filter(|(line, _)| line.starts_with(beginning));
    matching.map(|(_, count)| count.as_u64().expect("a count")).sum()
}

/// (7.35, 7.37, 7.38)
#[test]
fn a_lazy_reader_holds_its_talker_and_is_disconnected() {
    let mut server = Server::starts_with(&["--stall-timeout", "3"]);
    let flags = ["--connections", "4", "--for", "6", "--bytes", "400000000"];
    let report = attack(&mut server, "lazy-reader", &flags);
    // The kernels on both sides, and the high-water mark: far less than the talkers want to send.
    assert!(report["sent_bytes"].as_u64() < Some(20_000_000), "{report:#}");
    assert_eq!(said(&report, "* NAME is not reading"), 2, "{report:#}");
    assert_eq!(said(&report, "* NAME left: stopped reading"), 2, "{report:#}");
    assert_eq!(said(&report, "! You have read nothing for 3 s"), 2, "{report:#}");
}

/// (4.2.4, 7.13)
#[test]
fn slowloris_meets_the_naming_deadline() {
    let mut server = Server::starts_with(&["--naming-timeout", "1.5"]);
    let report = attack(&mut server, "slowloris", &["--connections", "50", "--for", "15"]);
    assert_eq!(report["disconnected"], 50, "{report:#}");
    assert_eq!(said(&report, "! You chose no username within"), 50, "{report:#}");
    assert!(report["seconds"].as_f64() < Some(14.0), "it ends when all are gone: {report:#}");
}

/// (7.44, 7.36)
#[test]
fn a_flood_delays_nobody() {
    let mut server = Server::starts();
    let report = attack(&mut server, "flood", &["--connections", "20", "--for", "2"]);
    assert!(said(&report, "! Unknown choice") > 1_000, "{report:#}");
    assert_eq!(report["disconnected"], 0, "{report:#}");
}

/// (2.1.5)
#[test]
fn single_bytes_get_the_answers_of_whole_lines() {
    let mut server = Server::starts();
    let report = attack(&mut server, "byte-at-a-time", &["--connections", "10", "--for", "2"]);
    let lists = report["counted"]["lists answered as for a whole line"].as_u64();
    assert!(lists > Some(10), "{report:#}");
    // The letter of two bytes was whole: no line says that it is not UTF-8.
    assert!(said(&report, "! Unknown choice") > 10, "{report:#}");
    assert_eq!(report["said"].as_object().map(|said| said.len()), Some(1), "{report:#}");
}

/// (2.1.6, 4.10.3)
#[test]
fn a_half_close_loses_no_answer() {
    let mut server = Server::starts();
    let report = attack(&mut server, "half-close", &["--connections", "10", "--for", "2"]);
    assert!(report["counted"]["sessions got all their answers"].as_u64() > Some(20), "{report:#}");
    assert!(report["counted"].get("sessions lost an answer").is_none(), "{report:#}");
}

/// (4.10.1, 7.34)
#[test]
fn a_reset_storm_leaves_no_name_behind() {
    let mut server = Server::starts();
    let report = attack(&mut server, "reset-storm", &["--connections", "40", "--for", "2"]);
    assert!(report["connected"].as_u64() > Some(200), "{report:#}");
    // A name that was not free in the same turn would be refused to its next session.
    assert_eq!(said(&report, "!"), 0, "{report:#}");
}

/// (7.25)
#[test]
fn one_connection_too_many_is_told_so() {
    let mut server = Server::starts_with(&["--max-connections", "30"]);
    let report = attack(&mut server, "out-of-descriptors", &["--connections", "50", "--for", "2"]);
    assert_eq!((&report["welcomed"], &report["refused"]), (&28.into(), &22.into()), "{report:#}");
    assert_eq!(said(&report, "! The server is full; try again later"), 22, "{report:#}");
}

/// With the default limits loopback has room for all of them, and the attack says no more than that.
#[test]
fn with_the_default_limits_nobody_is_refused() {
    let mut server = Server::starts();
    let report = attack(&mut server, "out-of-descriptors", &["--connections", "300", "--for", "1"]);
    assert_eq!((&report["welcomed"], &report["refused"]), (&300.into(), &0.into()), "{report:#}");
}

/// (2.1.3, 7.1)
#[test]
fn of_a_long_line_nothing_is_kept() {
    let mut server = Server::starts();
    let report = attack(&mut server, "long-line", &["--connections", "5", "--for", "2"]);
    assert!(said(&report, "! That line is longer than 1024 bytes") > 0, "{report:#}");
    assert!(report["sent_bytes"].as_u64() > Some(1 << 20), "{report:#}");
    assert_eq!(report["disconnected"], 0, "{report:#}");
}

/// (2.2.2, 2.2.4)
#[test]
fn telnet_negotiation_without_end_is_answered_and_goes_nowhere() {
    let mut server = Server::starts();
    let report = attack(&mut server, "telnet-flood", &["--connections", "6", "--for", "2"]);
    let answered = report["counted"]["\"are you there\" answered"].as_u64();
    assert!(answered > Some(100), "{report:#}");
    assert!(said(&report, "! That line is longer") > 0, "{report:#}");
}

/// (5.7.1)
#[test]
fn a_squatter_cannot_ask_again_at_once() {
    let mut server = Server::starts();
    let flags = ["--connections", "2", "--for", "8"];
    let report = attack(&mut server, "request-squatting", &flags);
    assert_eq!(report["counted"]["requests reached the user"], 1, "{report:#}");
    assert!(said(&report, "! You just asked NAME try again in N s") > 0, "{report:#}");
    assert!(report["facts"][0].as_str().is_some_and(|fact| fact.contains("% of the time")));
}

/// (6.2.3, 7.24)
#[test]
fn a_paste_is_delayed_and_not_refused() {
    let mut server = Server::starts();
    let report = attack(&mut server, "paste", &["--connections", "4", "--for", "3"]);
    let lines = report["counted"]["lines said in the room"].as_u64().expect("lines");
    // Ten at once, and five in each of three seconds, for each of four; a second is tolerance.
    assert!((4 * 10..=4 * 30).contains(&lines), "{report:#}");
    assert_eq!(said(&report, "!"), 0, "{report:#}");
}

#[test]
fn an_attack_goes_to_this_machine_only_and_no_flag_changes_that() {
    for elsewhere in ["192.0.2.7", "0.0.0.0:7878", "[2001:db8::1]:7878"] {
        let ran = run(&["attack", "flood", elsewhere], &[]);
        assert_eq!((ran.status.code(), &*ran.stdout), (Some(2), ""));
        assert!(ran.stderr.contains("attacks go to this machine only"), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1);
    }
}

#[test]
fn an_attack_says_first_what_it_does_what_to_look_for_and_what_protects() {
    let server = Server::starts();
    let address = server.address().to_string();
    let ran = run(&["attack", "flood", &address, "--for", "1", "--connections", "2"], &[]);
    assert_eq!(ran.status.code(), Some(0), "{}{}", ran.stdout, ran.stderr);
    let order = ["does", "look for", "protects", "7.44", "bounds", "What happened", "honest pair"];
    let places = order.map(|part| ran.stdout.find(part).unwrap_or_else(|| panic!("no {part}")));
    assert!(places.is_sorted(), "{}", ran.stdout);
}

#[test]
fn an_attack_without_a_server_is_one_line_and_exit_code_1() {
    let address = {
        let server = Server::starts();
        server.address().to_string()
    };
    let ran = run(&["attack", "flood", &address], &[]);
    assert_eq!((ran.status.code(), &*ran.stdout), (Some(1), ""));
    assert!(ran.stderr.contains("no server at"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1);
}

/// The last rung of the ladder has names, requests and chats, and so it can be attacked too.
#[test]
fn the_small_chinwag_serves_its_honest_users_as_well() {
    let server = Lesson::starts("lesson-12-fixed");
    let address = server.address.to_string();
    for kind in ["flood", "reset-storm", "half-close", "byte-at-a-time", "long-line"] {
        let flags = ["attack", kind, &address, "--connections", "5", "--for", "1"];
        let ran = run(&flags, &[]);
        assert_eq!(ran.status.code(), Some(0), "{kind}: {}{}", ran.stdout, ran.stderr);
    }
}

/// An attack can fail: this server serves one client at a time, so no honest pair meets.
#[test]
fn a_server_that_serves_one_client_at_a_time_breaks_the_promise() {
    let server = Lesson::starts("lesson-01-broken");
    let ran = run(&["attack", "slowloris", &server.address.to_string()], &[]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(ran.stderr.contains("no honest pair came into a chat"), "{}", ran.stderr);
}
