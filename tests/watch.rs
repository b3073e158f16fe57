//! Watching the loop and holding it (8.2.11 to 8.2.15), with the real program.
#![cfg(unix)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use chinwag::core::exchange::Hop;
use common::console::{Console, TempFolder};
use common::server::program;
use common::{MENU, Person, now, timeout};
use rustix::process::Signal;
use serde_json::Value;

/// The next line of the stream, answers to commands aside.
fn next_report(console: &mut Console) -> Value {
    loop {
        let line = console.reads_a_line();
        if line.starts_with('{') {
            return serde_json::from_str(&line).expect("JSON");
        }
    }
}

/// Reads the stream until a line is as wanted.
#[track_caller]
fn report_with(console: &mut Console, wanted: impl Fn(&Value) -> bool) -> Value {
    let until = now() + timeout();
    loop {
        let report = next_report(console);
        if wanted(&report) {
            return report;
        }
        assert!(now() < until, "no line was as wanted; the last: {report}");
    }
}

fn connection<'a>(report: &'a Value, name: &str) -> Option<&'a Value> {
    report["connections"].as_array()?.iter().find(|open| open["name"] == name)
}

/// (8.2.11, 8.2.12, 7.100, 7.103)
#[test]
fn a_watcher_reads_what_the_loop_does_and_not_what_people_say() {
    let folder = TempFolder::new();
    let server = folder.server(&[]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let mut console = Console::opens(&folder.path("console"));
    console.succeeds("watch", "* Watching");
    let report = next_report(&mut console);
    assert_eq!((&report["watch"], &report["count"]), (&1.into(), &2.into()));
    anna.says("a secret");
    bert.reads("anna: a secret");
    let report = report_with(&mut console, |report| report["total"]["lines"] == 1);
    let turn = &report["turns"][0];
    assert_eq!((&turn["reads"], &turn["bytes_in"]), (&1.into(), &9.into()));
    assert_eq!((&turn["writes"], &turn["bytes_out"]), (&1.into(), &16.into()));
    assert!(turn["ns"]["read"].as_u64() > Some(0) && turn["ns"]["wait"].as_u64() > Some(0));
    assert!(!report.to_string().contains("secret"));
    let with = connection(&report, "anna").map(|anna| (&anna["state"], &anna["with"]));
    assert_eq!(with, Some((&"CHATTING".into(), &"bert".into())));
    let guests = (0..30).map(|n| Person::joins(&server, &format!("guest{n}"))).collect::<Vec<_>>();
    let report = report_with(&mut console, |report| report["count"] == 2 + guests.len());
    assert_eq!(report["connections"].as_array().expect("a list").len(), 24);
    console.sends(b"watch off\nwatch off\n");
    while console.reads_a_line() != "* No longer watching" {}
    assert!(console.reads_a_line().starts_with("! This console does not watch"));
}

/// (8.2.12, 8.2.13)
#[test]
fn a_watcher_reads_why_input_waits_and_for_how_long() {
    let folder = TempFolder::new();
    let server = folder.server(&[]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    let mut others = (0..6).map(|n| Person::joins(&server, &format!("u{n}"))).collect::<Vec<_>>();
    let mut console = Console::opens(&folder.path("console"));
    console.succeeds("watch", "* Watching");
    let report = report_with(&mut console, |report| connection(report, "bert").is_some());
    assert_eq!(connection(&report, "bert").map(|bert| &bert["hold"]), Some(&Value::Null));
    for other in &mut others {
        anna.asks(other);
        anna.says("cancel");
        anna.reads("* You withdrew");
        anna.reads_exactly(MENU);
    }
    anna.says("2 bert");
    let is_held = |report: &Value| connection(report, "anna").is_some_and(|a| a["waits"] == true);
    let report = report_with(&mut console, is_held);
    let anna = connection(&report, "anna").expect("anna is here");
    assert_eq!(anna["hold"], "requests");
    assert!((1..=2_000).contains(&anna["deadlines"]["pace"].as_u64().expect("it runs")));
    bert.reads("? anna wants to chat");
}

/// (8.2.13)
#[test]
fn of_a_password_a_watcher_sees_neither_hops_nor_length() {
    let folder = TempFolder::new();
    let server = folder.server(&["--state", &folder.argument("state")]);
    let mut anna = Person::joins(&server, "anna");
    let mut console = Console::opens(&folder.path("console"));
    console.succeeds("watch anna", "* Watching, and following anna");
    let hops = |report: &Value| report["followed"]["hops"].as_array().map_or(0, Vec::len);
    anna.says("register");
    anna.reads_until("? New password for anna:");
    report_with(&mut console, |report| hops(report) > 0);
    anna.says("correct horse");
    anna.reads_until("? The same password again:");
    report_with(&mut console, |report| {
        assert_ne!(report["total"]["bytes_in"], 14, "the length of the password");
        hops(report) == 0
    });
}

/// (8.2.13)
#[test]
fn the_next_message_of_one_session_is_followed_from_hop_to_hop() {
    let folder = TempFolder::new();
    let server = folder.server(&[]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let mut console = Console::opens(&folder.path("console"));
    console.succeeds("watch anna", "* Watching, and following anna");
    anna.says("hello");
    bert.reads("anna: hello");
    let is_written =
        |report: &Value| report["followed"]["hops"].as_array().map(Vec::len) == Some(8);
    let report = report_with(&mut console, is_written);
    let hops = report["followed"]["hops"].as_array().expect("hops");
    let field = |name: &str| hops.iter().map(|hop| hop[name].clone()).collect::<Vec<_>>();
    assert_eq!(field("hop"), (1..=8).map(Value::from).collect::<Vec<_>>());
    assert_eq!(field("count"), [1, 6, 6, 1, 1, 1, 13, 13].map(Value::from));
    assert_eq!(hops[6]["function"], "Outbox::push");
    assert_eq!((&hops[6]["with"], &hops[7]["with"]), (&"bert".into(), &"bert".into()));
    // A room's line takes another way.
    anna.says("quit");
    anna.reads("* You left the chat");
    anna.reads_exactly(MENU);
    anna.says("4 lobby");
    anna.reads("* You are now in lobby");
    anna.says("hello, all");
    let publishes = |hop: &Value| hop["function"] == "Endpoints::publish";
    let report = report_with(&mut console, |report| {
        report["followed"]["hops"].as_array().is_some_and(|hops| hops.iter().any(publishes))
    });
    assert!(!report.to_string().contains("hello"));
    assert!(console.runs("watch nobody").iter().all(|line| !line.starts_with('*')));
}

/// A request for the web page has no session. The partner of a followed user may have left.
/// (8.2.12, 8.2.13)
#[test]
fn a_watcher_sees_connections_that_have_no_session_yet_or_no_more() {
    let folder = TempFolder::new();
    let server = folder.server(&["--listen", "http://127.0.0.1:0"]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let mut console = Console::opens(&folder.path("console"));
    console.succeeds("watch anna", "* Watching, and following anna");
    anna.says("hello");
    bert.reads("anna: hello");
    drop(bert);
    anna.reads("* bert left");
    report_with(&mut console, |report| {
        report["count"] == 1 && report["followed"]["hops"].as_array().map(Vec::len) == Some(8)
    });
    let _browser = TcpStream::connect(server.page()).expect("a connection");
    let report = report_with(&mut console, |report| report["count"] == 2);
    let states = report["connections"].as_array().expect("a list").iter().map(|c| &c["state"]);
    assert!(states.into_iter().any(|state| state == "-"), "{report}");
}

/// (8.2.13)
#[test]
fn every_hop_names_a_function_that_is_in_its_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for hop in Hop::ALL {
        let place = hop.place();
        let text = fs::read_to_string(root.join(place.file)).expect("the file is there");
        let (owner, function) = place.function.split_once("::").expect("a type and a function");
        let blocks = text.split("\nimpl").skip(1);
        let of_owner = blocks.filter(|block| {
            let head = block.lines().next().unwrap_or_default();
            head.split([' ', '<']).any(|word| word == owner)
        });
        let is_there = of_owner.map(|block| block.split("\n}\n").next().unwrap_or(block));
        let is_there = is_there.into_iter().any(|block| {
            block.contains(&format!("fn {function}(")) || block.contains(&format!("fn {function}<"))
        });
        assert!(is_there, "{place:?}");
    }
}

/// (8.2.11)
#[test]
fn ctl_watch_prints_the_stream() {
    let folder = TempFolder::new();
    let _server = folder.server(&[]);
    let console = folder.argument("console");
    let mut ctl = Command::new(program())
        .args(["ctl", "--console", &console, "watch"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(ctl.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("UTF-8"), "* Watching; watch off ends it");
    for _ in 0..2 {
        assert!(lines.next().expect("a line").expect("UTF-8").starts_with('{'));
    }
    ctl.kill().expect("it runs");
    ctl.wait().expect("a child");
}

/// (8.2.14, 8.2.15, 7.105)
#[test]
fn a_held_loop_serves_consoles_and_nobody_loses_time() {
    let folder = TempFolder::new();
    let server = folder.server(&["--teach", "--max-pause", "1", "--naming-timeout", "0.5"]);
    let mut console = Console::opens(&folder.path("console"));
    console.succeeds("pause", "* The loop is held");
    console.succeeds("users", "* 0 users");
    console.succeeds("go", "* The loop runs");
    let mut anna = Person::connects(server.address());
    anna.reads("* Welcome");
    anna.reads("* This server is used for teaching");
    anna.reads_exactly("? Username:");
    console.succeeds("pause", "* The loop is held");
    anna.says("anna");
    console.succeeds("users", "* 0 users");
    // The pause is twice as long as the deadline, and ends by itself.
    server.logs(&["the loop was held for 1 s"]);
    anna.reads_exactly("* Hello, anna");
}

/// (8.2.14)
#[test]
fn a_held_loop_runs_step_by_step() {
    let folder = TempFolder::new();
    let server = folder.server(&["--teach"]);
    let mut anna = Person::connects(server.address());
    anna.reads("* Welcome");
    anna.reads("* This server is used for teaching");
    anna.reads_exactly("? Username:");
    let mut console = Console::opens(&folder.path("console"));
    let mut watcher = Console::opens(&folder.path("console"));
    watcher.succeeds("watch", "* Watching");
    console.succeeds("pause", "* The loop is held");
    let is_before = |step: &'static str| {
        move |report: &Value| report["teach"]["paused"] == true && report["teach"]["next"] == step
    };
    report_with(&mut watcher, is_before("timers"));
    anna.says("anna");
    for (step, next) in [
        ("timers", "act"),
        ("act", "wait"),
        ("wait", "events"),
        ("events", "accept"),
        ("accept", "read"),
        ("read", "accounts"),
    ] {
        console.succeeds("step", &format!("* The {step} step runs"));
        report_with(&mut watcher, is_before(next));
    }
    let users = console.succeeds("users", "* 1 user");
    assert!(users[0].starts_with("- anna "), "anna's line is processed, and not yet answered");
    console.succeeds("slow 1ms", "* The loop waits 1 ms");
    anna.reads_exactly("* Hello, anna");
    console.succeeds("go", "* The loop runs");
    assert!(console.runs("step")[0].starts_with("! The loop runs; pause holds it"));
}

/// (8.2.14)
#[test]
fn a_signal_stops_a_server_that_is_held() {
    let folder = TempFolder::new();
    let mut server = folder.server(&["--teach"]);
    let mut anna = Person::connects(server.address());
    anna.reads("* Welcome");
    let mut console = Console::opens(&folder.path("console"));
    console.succeeds("pause", "* The loop is held");
    server.signal(Signal::TERM);
    anna.reads("* This server is used for teaching");
    anna.reads("? Username:");
    anna.reads("* The server is stopping");
    drop(anna);
    assert_eq!(server.exits().code(), Some(0));
}

/// (8.2.14)
#[test]
fn only_a_server_for_teaching_can_be_held() {
    let folder = TempFolder::new();
    let server = folder.server(&[]);
    let mut console = Console::opens(&folder.path("console"));
    for command in ["pause", "step", "slow 5ms", "go"] {
        let answer = console.runs(command);
        assert!(answer[0].starts_with("! The server was started without --teach"), "{answer:?}");
    }
    Person::joins(&server, "anna");
}

/// (8.2.12, 2.7.4)
#[test]
fn a_connection_without_a_session_is_watched_as_any_other() {
    let folder = TempFolder::new();
    let server = folder.server(&["--proxy-protocol=127.0.0.1"]);
    // It sends no header, so its session never begins.
    let _opening = std::net::TcpStream::connect(server.address()).expect("the server listens");
    let mut console = Console::opens(&folder.path("console"));
    console.succeeds("watch", "* Watching");
    let report = report_with(&mut console, |report| report["count"] == 1);
    let open = &report["connections"][0];
    assert_eq!((&open["name"], &open["hold"]), (&"".into(), &"opening".into()));
    console.succeeds("watch #1", "* Watching, and following #1");
    report_with(&mut console, |report| report["followed"]["number"] == 1);
}
