//! The program as its operator meets it: arguments, exit codes, signals, and the log.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};

use common::server::{program, run};
use common::{MENU, Person, Server, skip};
use rustix::process::{Pid, Signal, kill_process};

/// A refusal to start is one line on stderr that names what was wrong, and an exit code.
#[track_caller]
fn refuses(arguments: &[&str], variables: &[(&str, &str)], names: &str, code: i32) {
    let ran = run(arguments, variables);
    assert_eq!(ran.status.code(), Some(code), "{arguments:?} said {:?}", ran.stderr);
    assert!(ran.stderr.contains(names), "{arguments:?} said {:?}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{:?}", ran.stderr);
    assert!(!ran.stderr.contains("backtrace"), "{:?}", ran.stderr);
    let lines = ran.stderr.lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(lines, 1, "{:?}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn an_address_that_cannot_be_had_is_named_in_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    refuses(&["serve", "--listen", &address], &[], &address, 1);
    refuses(&["serve", "--listen", "127.0.0.1:0", "--listen", &address], &[], &address, 1);
    // An address of nobody's (RFC 5737).
    refuses(&["serve", "--listen", "203.0.113.9:7878"], &[], "203.0.113.9:7878", 1);
}

#[test]
fn a_bad_argument_is_named_and_exit_code_2() {
    refuses(&["serve", "--listen", "nonsense"], &[], "nonsense", 2);
    refuses(&["serve", "--listen", "127.0.0.1:99999"], &[], "127.0.0.1:99999", 2);
    refuses(&["serve", "--frobnicate"], &[], "--frobnicate", 2);
    refuses(&["frobnicate"], &[], "frobnicate", 2);
    refuses(&["serve", "--naming-timeout", "soon"], &[], "soon", 2);
    refuses(&["serve", "--naming-timeout", "-1"], &[], "-1", 2);
    refuses(&["serve", "--high-water", "lots"], &[], "lots", 2);
    refuses(&["serve"], &[("CHINWAG_LISTEN", "nonsense")], "nonsense", 2);
}

#[test]
fn a_bad_variable_of_serve_stops_serve_and_nothing_else() {
    let bad = [("CHINWAG_ASK_TIMEOUT", "soon"), ("CHINWAG_LISTEN", "nonsense")];
    refuses(&[], &bad[..1], "soon", 2);
    let ran = run(&["man"], &bad);
    assert_eq!((ran.status.code(), ran.stderr.as_str()), (Some(0), ""));
}

#[test]
fn what_is_wrong_is_said_whole_and_moves_no_cursor() {
    refuses(&["completions"], &[], "<SHELL>", 2);
    refuses(&["connect", "--bell", "x"], &[], "off, request, all", 2);
    refuses(&["connect", "[::1]99"], &[], "99", 2);
    let ran = run(&["serve", "--listen", "bad\u{1b}[31m"], &[]);
    assert!(!ran.stderr.trim_end().contains(char::is_control), "{:?}", ran.stderr);
}

#[test]
fn help_has_examples_and_names_every_flag_of_the_specification() {
    let help = run(&["serve", "--help"], &[]);
    assert!(help.status.success());
    for flag in [
        "--listen",
        "--naming-timeout",
        "--ask-timeout",
        "--ask-again",
        "--high-water",
        "--stall-timeout",
        "--closing-timeout",
        "--max-connections",
        "--max-per-address",
        "--console",
        "--bans",
        "CHINWAG_LISTEN",
    ] {
        assert!(help.stdout.contains(flag), "no {flag} in\n{}", help.stdout);
    }
    let help = run(&["--help"], &[]);
    assert!(help.status.success());
    assert!(help.stdout.contains("nc "), "no example with nc in\n{}", help.stdout);
    assert_eq!(help.stderr, "");
}

#[test]
fn version_is_the_name_and_the_number() {
    let version = run(&["--version"], &[]);
    assert!(version.status.success());
    assert_eq!(version.stdout, format!("chinwag {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn port_0_prints_the_real_port_for_every_address() {
    let mut command = Command::new(program());
    command.args(["serve", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
    command.stderr(Stdio::piped());
    let server = Server::launches_with_stderr(command, 2);
    let [first, second] = server.addresses() else { panic!("{:?}", server.addresses()) };
    assert!(first.port() != 0 && second.port() != 0 && first != second);
    // Both doors lead to one room.
    let mut anna = Person::dials(*first);
    anna.hears_at_last("? Username:");
    anna.enters("anna");
    let mut bert = Person::dials(*second);
    bert.hears_at_last("? Username:");
    bert.enters("bert");
    bert.chats_with(&mut anna);
}

#[test]
fn ipv6_is_listened_on_as_well() {
    if TcpListener::bind("[::1]:0").is_err() {
        return skip("this machine has no IPv6");
    }
    let server = Server::launches(Server::command("[::1]:0", &[]));
    assert!(server.address().is_ipv6());
    let _anna = Person::joins(&server, "anna");
}

#[test]
fn the_address_may_come_from_the_environment_and_a_flag_is_stronger() {
    let mut command = Command::new(program());
    command.arg("serve").env("CHINWAG_LISTEN", "127.0.0.2:0");
    if TcpListener::bind("127.0.0.2:0").is_err() {
        return skip("127.0.0.2 is not bindable here");
    }
    let server = Server::launches(command);
    assert_eq!(server.address().ip(), SocketAddr::from(([127, 0, 0, 2], 0)).ip());
    let _anna = Person::joins(&server, "anna");
    let mut command = Server::command("127.0.0.1:0", &[]);
    command.env("CHINWAG_LISTEN", "127.0.0.2:0");
    let server = Server::launches(command);
    assert_eq!(server.address().ip(), SocketAddr::from(([127, 0, 0, 1], 0)).ip());
}

#[test]
fn a_server_can_be_started_again_at_once_on_the_port_it_had() {
    let mut server = Server::starts();
    let address = server.address().to_string();
    let mut anna = Person::joins(&server, "anna");
    server.signal(Signal::TERM);
    anna.hears("* The server is stopping");
    anna.hears_the_end();
    drop(anna);
    assert_eq!(server.ends().code(), Some(0));
    let again = Server::launches(Server::command(&address, &[]));
    let _anna = Person::joins(&again, "anna");
}

#[test]
fn a_standard_output_that_nobody_reads_is_no_reason_to_panic() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Server::command("127.0.0.1:0", &[]);
    command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
    let mut server = command.spawn().expect("the program starts");
    let mut log = BufReader::new(server.stderr.take().expect("piped"));
    let mut text = String::new();
    // Whether it serves or gives up is its own affair; but it says so in its own words.
    while !text.contains("listening on") && log.read_line(&mut text).is_ok_and(|count| count > 0) {}
    let pid = Pid::from_child(&server);
    let _ = kill_process(pid, Signal::TERM);
    log.read_to_string(&mut text).expect("UTF-8");
    let status = server.wait().expect("a child");
    assert!(matches!(status.code(), Some(0 | 1)), "{status}: {text}");
    assert!(!text.contains("panicked"), "{text}");
}

// Stopping (3.9.3).

#[test]
fn sigterm_and_sigint_tell_everyone_and_exit_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::starts();
        let mut crowd = vec![Person::arrives(&server)];
        let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
        anna.chats_with(&mut bert);
        crowd.extend([anna, bert, Person::joins(&server, "carl")]);
        server.signal(signal);
        for person in &mut crowd {
            person.hears_at_last("* The server is stopping");
            person.hears_the_end();
        }
        drop(crowd);
        assert_eq!(server.ends().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn what_was_said_before_the_server_stops_is_delivered() {
    let mut server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let text = "x".repeat(1000);
    for _ in 0..50 {
        anna.says(&text);
    }
    anna.has_heard_it_all();
    server.signal(Signal::TERM);
    for _ in 0..50 {
        bert.hears_exactly(&format!("anna: {text}"));
    }
    bert.hears("* The server is stopping");
    bert.hears_the_end();
    drop((anna, bert));
    assert_eq!(server.ends().code(), Some(0));
}

#[test]
fn a_stopping_server_takes_nobody_in() {
    let mut server = Server::starts_with(&["--closing-timeout", "60"]);
    let mut lingers = Person::joins(&server, "lingers");
    server.signal(Signal::TERM);
    lingers.hears("* The server is stopping");
    lingers.hears_the_end();
    // This one has not ended its half, so the server still waits for it; its door is shut.
    let late = std::net::TcpStream::connect(server.address());
    assert!(late.is_err(), "a stopping server accepted {late:?}");
    drop(lingers);
    assert_eq!(server.ends().code(), Some(0));
}

#[test]
fn a_stopping_server_waits_no_longer_than_the_closing_deadline() {
    let mut server = Server::starts_with(&["--closing-timeout", "0.5"]);
    let mut lingers = Person::joins(&server, "lingers");
    let began = common::now();
    server.signal(Signal::TERM);
    lingers.hears("* The server is stopping");
    assert_eq!(server.ends().code(), Some(0));
    let took = began.elapsed().as_secs_f64();
    assert!((0.4..5.0).contains(&took), "3.9.3: it took {took} s");
}

#[test]
fn a_second_signal_exits_at_once() {
    let mut server = Server::starts_with(&["--closing-timeout", "60"]);
    let mut lingers = Person::joins(&server, "lingers");
    server.signal(Signal::TERM);
    lingers.hears("* The server is stopping");
    let began = common::now();
    server.signal(Signal::INT);
    server.ends();
    assert!(began.elapsed().as_secs() < 5, "it took {:?}", began.elapsed());
}

#[test]
fn sigint_while_idle_and_alone_exits_0() {
    let mut server = Server::starts();
    server.signal(Signal::INT);
    assert_eq!(server.ends().code(), Some(0));
}

// The log.

#[test]
fn the_log_tells_who_came_met_and_left_and_never_what_was_said() {
    let mut server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.says("a secret nobody else may know");
    bert.hears_exactly("anna: a secret nobody else may know");
    bert.says("I shall tell no soul of that secret");
    anna.hears_exactly("bert: I shall tell no soul of that secret");
    anna.says("quit");
    anna.hears_all(&["* You left", MENU]);
    bert.hears_all(&["* anna left", MENU]);
    bert.says("that secret again, typed too late");
    bert.hears_all(&["! ", MENU]);
    let port = anna.socket().local_addr().expect("an address").to_string();
    anna.exits();
    anna.hears_the_end();
    anna.hang_up();
    let resetting = bert.socket().local_addr().expect("an address").to_string();
    bert.reset();
    server.logs(&["INFO", &port, "connected"]);
    server.logs(&["INFO", &port, "anna"]);
    server.logs(&["INFO", "anna", "bert"]);
    server.logs(&["INFO", &port, "anna left: "]);
    server.logs(&["INFO", &resetting, "bert left: "]);
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
    assert!(!server.log().contains("secret"), "{}", server.log());
}

#[test]
fn the_log_at_its_most_talkative_does_not_tell_what_was_said() {
    let mut server = Server::starts_with(&["-vvv"]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.says("a secret nobody else may know");
    bert.hears_exactly("anna: a secret nobody else may know");
    bert.sends(b"half a secret");
    anna.reset();
    bert.hears_all(&["* anna left", MENU]);
    bert.hang_up();
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
    let talkative = server.log();
    assert!(!talkative.contains("secret"), "{talkative}");
    assert!(talkative.contains("DEBUG") || talkative.contains("TRACE"), "{talkative}");
}

#[test]
fn quiet_says_nothing_of_what_is_usual() {
    let mut server = Server::starts_with(&["-q"]);
    let anna = Person::joins(&server, "anna");
    anna.hang_up();
    Person::joins(&server, "bert").hang_up();
    server.signal(Signal::TERM);
    server.ends();
    assert!(!server.log().contains("INFO"), "{}", server.log());
}

#[test]
fn a_name_cannot_forge_a_line_of_the_log() {
    let mut server = Server::starts();
    let mut person = Person::arrives(&server);
    for name in ["x\u{1b}[2J", "x\rINFO forged", "x\u{85}forged", "x\u{2028}forged"] {
        person.sends(format!("{name}\n").as_bytes());
        person.hears_a_line();
    }
    person.hang_up();
    let _anna = Person::joins(&server, "anna");
    server.logs(&["anna"]);
    for line in server.log().lines() {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(!line.trim_start().starts_with("INFO forged"), "{line:?}");
    }
    server.is_well();
}
