//! The program as its operator uses it: arguments, exit codes, signals and the log.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};

use common::console::{Console, TempFolder};
use common::server::{program, run};
use common::{MENU, Person, Server, skip};
use rustix::process::{Pid, Signal, kill_process};

/// The program does not start: it prints one line to stderr that contains `names`, and exits with
/// `code`.
#[track_caller]
fn fails_to_start(arguments: &[&str], variables: &[(&str, &str)], names: &str, code: i32) {
    let ran = run(arguments, variables);
    assert_eq!(ran.status.code(), Some(code), "{arguments:?} printed {:?}", ran.stderr);
    assert!(ran.stderr.contains(names), "{arguments:?} printed {:?}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{:?}", ran.stderr);
    assert!(!ran.stderr.contains("backtrace"), "{:?}", ran.stderr);
    let lines = ran.stderr.lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(lines, 1, "{:?}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn an_address_that_cannot_be_bound_is_named_in_one_error_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    fails_to_start(&["serve", "--listen", &address], &[], &address, 1);
    fails_to_start(&["serve", "--listen", "127.0.0.1:0", "--listen", &address], &[], &address, 1);
    // An address for documentation, which no machine has (RFC 5737).
    fails_to_start(&["serve", "--listen", "203.0.113.9:7878"], &[], "203.0.113.9:7878", 1);
}

#[test]
fn an_invalid_argument_is_named_in_one_error_line_and_exit_code_2() {
    fails_to_start(&["serve", "--listen", "nonsense"], &[], "nonsense", 2);
    fails_to_start(&["serve", "--listen", "127.0.0.1:99999"], &[], "127.0.0.1:99999", 2);
    fails_to_start(&["serve", "--frobnicate"], &[], "--frobnicate", 2);
    fails_to_start(&["frobnicate"], &[], "frobnicate", 2);
    fails_to_start(&["serve", "--naming-timeout", "soon"], &[], "soon", 2);
    fails_to_start(&["serve", "--naming-timeout", "-1"], &[], "-1", 2);
    fails_to_start(&["serve", "--high-water", "lots"], &[], "lots", 2);
    fails_to_start(&["serve"], &[("CHINWAG_LISTEN", "nonsense")], "nonsense", 2);
}

#[test]
fn an_invalid_variable_for_serve_stops_serve_and_no_other_subcommand() {
    let invalid = [("CHINWAG_ASK_TIMEOUT", "soon"), ("CHINWAG_LISTEN", "nonsense")];
    fails_to_start(&[], &invalid[..1], "soon", 2);
    let ran = run(&["man"], &invalid);
    assert_eq!((ran.status.code(), ran.stderr.as_str()), (Some(0), ""));
}

#[test]
fn an_error_line_is_complete_and_contains_no_control_character() {
    fails_to_start(&["completions"], &[], "<SHELL>", 2);
    fails_to_start(&["connect", "--bell", "x"], &[], "off, request, chat, all", 2);
    fails_to_start(&["connect", "[::1]99"], &[], "99", 2);
    let tip = "unexpected argument '--nmae' found; a similar argument exists: '--name'; see --help";
    fails_to_start(&["connect", "--nmae", "anna"], &[], tip, 2);
    fails_to_start(&["serv"], &[], "a similar subcommand exists: 'serve'", 2);
    fails_to_start(&["conenct"], &[], "a similar subcommand exists: 'connect'", 2);
    let ran = run(&["serve", "--listen", "bad\u{1b}[31m"], &[]);
    assert!(!ran.stderr.trim_end().contains(char::is_control), "{:?}", ran.stderr);
}

#[test]
fn help_has_examples_and_names_every_important_flag() {
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
        "--state",
        "CHINWAG_LISTEN",
    ] {
        assert!(help.stdout.contains(flag), "no {flag} in\n{}", help.stdout);
    }
    let help = run(&["--help"], &[]);
    assert!(help.status.success());
    for example in ["nc ", "chinwag connect"] {
        assert!(help.stdout.contains(example), "no example with {example} in\n{}", help.stdout);
    }
    assert_eq!(help.stderr, "");
}

#[test]
fn version_prints_the_name_and_the_version_number() {
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
    // Users of both listeners can chat with each other.
    let mut anna = Person::connects(*first);
    anna.reads_until("? Username:");
    anna.takes_username("anna");
    let mut bert = Person::connects(*second);
    bert.reads_until("? Username:");
    bert.takes_username("bert");
    bert.chats_with(&mut anna);
}

#[test]
fn the_server_can_listen_on_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        return skip("this machine has no IPv6");
    }
    let server = Server::launches(Server::command("[::1]:0", &[]));
    assert!(server.address().is_ipv6());
    let _anna = Person::joins(&server, "anna");
}

#[test]
fn the_address_can_come_from_the_environment_and_a_flag_overrides_it() {
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
fn a_server_can_be_restarted_on_the_same_port_at_once() {
    let mut server = Server::starts();
    let address = server.address().to_string();
    let mut anna = Person::joins(&server, "anna");
    server.signal(Signal::TERM);
    anna.reads("* The server is stopping");
    anna.reads_end_of_stream();
    drop(anna);
    assert_eq!(server.exits().code(), Some(0));
    let again = Server::launches(Server::command(&address, &[]));
    let _anna = Person::joins(&again, "anna");
}

#[test]
fn a_closed_standard_output_causes_no_panic() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Server::command("127.0.0.1:0", &[]);
    command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
    let mut server = command.spawn().expect("the program starts");
    let mut log = BufReader::new(server.stderr.take().expect("piped"));
    let mut text = String::new();
    // The server may go on or exit with an error. It must not panic.
    while !text.contains("listening on") && log.read_line(&mut text).is_ok_and(|count| count > 0) {}
    let pid = Pid::from_child(&server);
    let _ = kill_process(pid, Signal::TERM);
    log.read_to_string(&mut text).expect("UTF-8");
    let status = server.wait().expect("a child");
    assert!(matches!(status.code(), Some(0 | 1)), "{status}: {text}");
    assert!(!text.contains("panicked"), "{text}");
}

// Shutdown (4.10.4).

#[test]
fn on_sigterm_sigint_and_sighup_every_session_is_told_and_the_server_exits_with_0() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut server = Server::starts();
        let mut people = vec![Person::arrives(&server)];
        let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
        anna.chats_with(&mut bert);
        people.extend([anna, bert, Person::joins(&server, "carl")]);
        server.signal(signal);
        for person in &mut people {
            person.reads_until("* The server is stopping");
            person.reads_end_of_stream();
        }
        drop(people);
        assert_eq!(server.exits().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn messages_sent_before_the_server_stops_are_delivered() {
    let mut server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let text = "x".repeat(1000);
    for _ in 0..50 {
        anna.says(&text);
    }
    anna.has_read_everything();
    server.signal(Signal::TERM);
    for _ in 0..50 {
        bert.reads_exactly(&format!("anna: {text}"));
    }
    bert.reads("* The server is stopping");
    bert.reads_end_of_stream();
    drop((anna, bert));
    assert_eq!(server.exits().code(), Some(0));
}

#[test]
fn a_stopping_server_accepts_no_connection() {
    let mut server = Server::starts_with(&["--closing-timeout", "60"]);
    let mut lingers = Person::joins(&server, "lingers");
    server.signal(Signal::TERM);
    lingers.reads("* The server is stopping");
    lingers.reads_end_of_stream();
    // This person has not ended the sending half, so the server still waits, and has closed its
    // listeners.
    let late = std::net::TcpStream::connect(server.address());
    assert!(late.is_err(), "a stopping server accepted {late:?}");
    drop(lingers);
    assert_eq!(server.exits().code(), Some(0));
}

#[test]
fn a_stopping_server_waits_no_longer_than_the_closing_deadline() {
    let mut server = Server::starts_with(&["--closing-timeout", "0.5"]);
    let mut lingers = Person::joins(&server, "lingers");
    let began = common::now();
    server.signal(Signal::TERM);
    lingers.reads("* The server is stopping");
    assert_eq!(server.exits().code(), Some(0));
    let took = began.elapsed().as_secs_f64();
    assert!((0.4..5.0).contains(&took), "4.10.4: the stop took {took} s");
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let mut server = Server::starts_with(&["--closing-timeout", "60"]);
    let mut lingers = Person::joins(&server, "lingers");
    server.signal(Signal::TERM);
    lingers.reads("* The server is stopping");
    let began = common::now();
    server.signal(Signal::INT);
    server.exits();
    assert!(began.elapsed().as_secs() < 5, "the exit took {:?}", began.elapsed());
}

#[test]
fn on_sigint_a_server_without_connections_exits_with_0() {
    let mut server = Server::starts();
    server.signal(Signal::INT);
    assert_eq!(server.exits().code(), Some(0));
}

/// (4.10.4)
#[test]
fn closing_the_terminal_of_the_server_tells_the_users_and_removes_the_console() {
    let folder = TempFolder::new();
    let (mut pty, pts) = pty_process::blocking::open().expect("a pty");
    let args = ["serve", "--listen", "127.0.0.1:0", "--console", &folder.argument("console")];
    let mut server =
        pty_process::blocking::Command::new(program()).args(args).spawn(pts).expect("it starts");
    let mut printed = String::new();
    let address = loop {
        let mut bytes = [0; 256];
        let count = pty.read(&mut bytes).expect("the server prints its address");
        printed.push_str(&String::from_utf8_lossy(&bytes[..count]));
        let rest = printed.split_once("listens on ").map_or("", |(_, rest)| rest);
        if let Some((address, _)) = rest.split_once("\r\n") {
            break address.parse().expect("an address");
        }
    };
    let mut anna = Person::connects(address);
    anna.reads_until("? Username:");
    anna.takes_username("anna");
    drop(pty);
    // The shell sends a second one.
    let _ = kill_process(Pid::from_child(&server), Signal::HUP);
    anna.reads("* The server is stopping");
    anna.reads_end_of_stream();
    drop(anna);
    assert_eq!(server.wait().expect("a child").code(), Some(0));
    assert!(!folder.path("console").exists(), "the socket is removed");
}

/// (4.10.4)
#[cfg(target_os = "linux")]
#[test]
fn under_nohup_the_server_outlives_its_terminal() {
    let mut server = Server::starts_from_shell("trap '' HUP", &[]);
    server.signal(Signal::HUP);
    let _anna = Person::joins(&server, "anna");
    server.is_healthy();
    assert!(!server.log().contains("SIGHUP"), "{}", server.log());
}

// The log.

/// (7.60)
#[test]
fn a_flood_of_connections_is_a_few_log_lines_and_a_count() {
    const CONNECTIONS: u64 = 200;
    let server = Server::starts_with(&["--log-pace", "20"]);
    for _ in 0..CONNECTIONS {
        drop(std::net::TcpStream::connect(server.address()).expect("the server listens"));
    }
    // Nothing else happens, and the count comes all the same.
    server.logs(&["more such as", "connected"]);
    let withheld = |line: &str| {
        let (_, rest) = line.split_once("] and ")?;
        rest.split_once(" more")?.0.replace(',', "").parse::<u64>().ok()
    };
    let until = common::now() + common::timeout();
    loop {
        let log = server.log();
        let connected = log.lines().filter(|line| line.ends_with(" connected"));
        let counts = connected.map(|line| withheld(line).unwrap_or(1)).collect::<Vec<_>>();
        if counts.iter().sum::<u64>() == CONNECTIONS {
            assert!(counts.len() < 100, "{log}");
            return;
        }
        assert!(common::now() < until, "{log}");
        std::thread::yield_now();
    }
}

/// (7.61)
#[test]
fn banned_arrivals_are_counted_and_not_logged_one_by_one() {
    let folder = TempFolder::new();
    let server = folder.server(&[]);
    let mut operator = Console::opens(&folder.path("console"));
    operator.succeeds("ban 127.0.0.1", "* ");
    for _ in 0..50 {
        Person::connects(server.address()).reads("! Your address is banned");
    }
    let stats = operator.succeeds("stats", "* ");
    assert!(
        stats.iter().any(|row| row.contains("turned_away") && row.ends_with(" 50")),
        "{stats:?}"
    );
    server.logs(&["rejected 1 from banned addresses", "127.0.0.1"]);
    assert_eq!(server.log().matches("rejected").count(), 1, "{}", server.log());
}

// A limit on the size of files (SIGXFSZ).

#[test]
fn a_log_file_at_its_limit_loses_lines_and_never_the_server() {
    let folder = TempFolder::new();
    let shell = format!("ulimit -f 1; exec 2>'{}'", folder.argument("log"));
    let mut server = Server::starts_from_shell(&shell, &["--console", &folder.argument("console")]);
    for n in 0..60 {
        Person::joins(&server, &format!("user{n}")).hang_up();
    }
    server.is_healthy();
    let stats = Console::opens(&folder.path("console")).succeeds("stats", "* ");
    let lost = stats.iter().find(|row| row.contains("log_lines_lost")).expect("the metric");
    assert!(!lost.ends_with(" 0"), "the loss is reported: {lost}");
}

/// (8.2.5)
#[test]
fn bans_that_cannot_be_saved_are_refused_and_never_stop_the_server() {
    let folder = TempFolder::new();
    let flags =
        ["-qq", "--state", &folder.argument("state"), "--console", &folder.argument("console")];
    let mut server = Server::starts_from_shell("ulimit -f 1", &flags);
    let mut operator = Console::opens(&folder.path("console"));
    let reason = "x".repeat(300);
    operator.succeeds(&format!("ban 192.0.2.1 never {reason}"), "* ");
    let kept = std::fs::read(folder.path("state/bans")).expect("the file of bans");
    let answer = (2..9).map(|n| operator.runs(&format!("ban 192.0.2.{n} never {reason}")));
    let answer = answer.flatten().find(|line| line.starts_with('!')).expect("a refusal");
    assert!(answer.contains("large"), "{answer}");
    server.is_healthy();
    assert!(std::fs::read(folder.path("state/bans")).expect("the file of bans").starts_with(&kept));
}

#[test]
fn the_log_names_connections_chats_and_departures_and_never_contains_messages() {
    let mut server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.says("a secret nobody else may know");
    bert.reads_exactly("anna: a secret nobody else may know");
    bert.says("I shall tell no soul of that secret");
    anna.reads_exactly("bert: I shall tell no soul of that secret");
    anna.says("quit");
    anna.reads_all(&["* You left", MENU]);
    bert.reads_all(&["* anna left", MENU]);
    bert.says("that secret again, typed too late");
    bert.reads_all(&["! ", MENU]);
    let port = anna.socket().local_addr().expect("an address").to_string();
    anna.exits();
    anna.reads_end_of_stream();
    anna.hang_up();
    let resetting = bert.socket().local_addr().expect("an address").to_string();
    bert.reset();
    server.logs(&["INFO", &port, "connected"]);
    server.logs(&["INFO", &port, "anna"]);
    server.logs(&["INFO", "anna", "bert"]);
    server.logs(&["INFO", &port, "anna left: "]);
    server.logs(&["INFO", &resetting, "bert left: "]);
    server.signal(Signal::TERM);
    assert_eq!(server.exits().code(), Some(0));
    assert!(!server.log().contains("secret"), "{}", server.log());
}

#[test]
fn the_log_contains_no_messages_at_its_highest_verbosity() {
    let mut server = Server::starts_with(&["-vvv"]);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.says("a secret nobody else may know");
    bert.reads_exactly("anna: a secret nobody else may know");
    bert.sends(b"half a secret");
    anna.reset();
    bert.reads_all(&["* anna left", MENU]);
    bert.hang_up();
    server.signal(Signal::TERM);
    assert_eq!(server.exits().code(), Some(0));
    server.logs(&["stopped with"]);
    let log = server.log();
    assert!(!log.contains("secret"), "{log}");
    assert!(log.contains("DEBUG") || log.contains("TRACE"), "{log}");
}

#[test]
fn with_quiet_the_log_has_no_info_lines() {
    let mut server = Server::starts_with(&["-q"]);
    let anna = Person::joins(&server, "anna");
    anna.hang_up();
    Person::joins(&server, "bert").hang_up();
    server.signal(Signal::TERM);
    server.exits();
    assert!(!server.log().contains("INFO"), "{}", server.log());
}

#[test]
fn a_username_cannot_forge_a_log_line() {
    let mut server = Server::starts();
    let mut person = Person::arrives(&server);
    for name in ["x\u{1b}[2J", "x\rINFO forged", "x\u{85}forged", "x\u{2028}forged"] {
        person.sends(format!("{name}\n").as_bytes());
        person.reads_a_line();
    }
    person.hang_up();
    let _anna = Person::joins(&server, "anna");
    server.logs(&["anna"]);
    for line in server.log().lines() {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(!line.trim_start().starts_with("INFO forged"), "{line:?}");
    }
    server.is_healthy();
}
