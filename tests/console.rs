//! Operators (part 8): sends operator commands to the real program over its Unix socket, and checks
//! the answers and the lines that users read.
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};

use common::console::{Console, TempFolder, private_folder};
use common::server::run;
use common::{MENU, Person, Server, skip};
use rustix::process::Signal;
use serde_json::Value;

// The socket.

/// (8.1.1)
#[test]
fn the_socket_is_accessible_to_its_owner_only_and_is_removed_with_the_server() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = TempFolder::new();
        let mut server = folder.server(&[]);
        let metadata = fs::symlink_metadata(folder.path("console")).expect("the file exists");
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        server.signal(signal);
        assert_eq!(server.exits().code(), Some(0));
        assert!(!folder.path("console").exists(), "the socket is removed");
    }
}

#[test]
fn a_second_signal_removes_the_socket_as_well() {
    let folder = TempFolder::new();
    let mut server = folder.server(&["--closing-timeout", "60"]);
    let mut lingers = Person::joins(&server, "lingers");
    server.signal(Signal::TERM);
    lingers.reads("* The server is stopping");
    server.signal(Signal::TERM);
    assert_eq!(server.exits().code(), Some(1));
    assert!(!folder.path("console").exists());
}

#[test]
fn a_socket_left_by_a_killed_server_is_replaced() {
    let folder = TempFolder::new();
    drop(folder.server(&[])); // SIGKILL: the server removes nothing.
    assert!(folder.path("console").exists());
    let _server = folder.server(&[]);
    Console::opens(&folder.path("console")).succeeds("users", "* 0 users");
}

#[test]
fn anything_else_at_the_path_of_the_socket_is_one_error_and_is_kept() {
    let folder = TempFolder::new();
    fs::write(folder.path("file"), "precious").expect("a file");
    fs::create_dir(folder.path("folder")).expect("a folder");
    symlink(folder.path("file"), folder.path("link")).expect("a link");
    let _live = UnixListener::bind(folder.path("live")).expect("a socket");
    let long = "x".repeat(200);
    for name in ["file", "folder", "link", "live", "nowhere/console", &long] {
        let path = folder.argument(name);
        let ran = run(&["serve", "--listen", "127.0.0.1:0", "--console", &path], &[]);
        assert_eq!(ran.status.code(), Some(1), "{name}: {:?}", ran.stderr);
        assert_eq!((ran.stderr.lines().count(), ran.stdout.as_str()), (1, ""), "{:?}", ran.stderr);
        assert!(ran.stderr.contains(&path), "{:?}", ran.stderr);
    }
    assert_eq!(fs::read_to_string(folder.path("file")).expect("the file is kept"), "precious");
    UnixStream::connect(folder.path("live")).expect("the other server still listens");
}

#[test]
fn a_start_that_fails_later_leaves_no_socket() {
    let folder = TempFolder::new();
    let console = folder.argument("console");
    let ran = run(&["serve", "--listen", "203.0.113.9:1", "--console", &console], &[]);
    assert_eq!((ran.status.code(), ran.stderr.lines().count()), (Some(1), 1), "{:?}", ran.stderr);
    assert!(!folder.path("console").exists());
}

#[test]
fn a_socket_that_has_replaced_the_servers_own_is_not_removed() {
    let folder = TempFolder::new();
    let mut server = folder.server(&[]);
    fs::remove_file(folder.path("console")).expect("the entry exists");
    let _other = UnixListener::bind(folder.path("console")).expect("a socket");
    server.signal(Signal::TERM);
    assert_eq!(server.exits().code(), Some(0));
    assert!(folder.path("console").exists());
}

// The line protocol (8.1.2 to 8.1.5).

#[test]
fn every_command_that_help_lists_is_understood() {
    let (folder, _server, mut operator) = server_with_console();
    let help = operator.succeeds("help", "* ");
    for word in [
        "users", "rooms", "stats", "metrics", "say", "kick", "ban", "unban", "bans", "stop", "json",
    ] {
        assert!(help.iter().any(|row| row.contains(word)), "{word} in {help:?}");
    }
    operator.succeeds("rooms", "* 0 rooms");
    operator.succeeds("bans", "* 0 bans");
    operator.succeeds("say nobody is here", "* Said to 0");
    drop(folder);
}

/// (8.1.3, 7.4)
#[test]
fn a_malformed_command_is_one_error_and_the_next_command_is_read() {
    let (_folder, mut server, mut operator) = server_with_console();
    let long = [&[b'x'; 10_000][..], b"\n"].concat();
    let bad: [&[u8]; 7] =
        [&long, b"\xff\xfe\n", b"users\0\n", b"\x1b[A\n", b"\n", b"frobnicate\r\n", b"stop soon\n"];
    for line in bad {
        operator.sends(line);
        let error = operator.reads_a_line();
        assert!(error.starts_with("! ") && error.ends_with("nothing was done"), "{error:?}");
        operator.succeeds("users", "* 0 users");
    }
    operator.sends(b"us");
    operator.sends(b"ers\r");
    operator.sends(b"\nbans\n");
    assert!(operator.reads_a_line().starts_with("* 0 users"));
    assert!(operator.reads_a_line().starts_with("* 0 bans"));
    server.is_healthy();
}

/// (8.1.3)
#[test]
fn a_command_cut_short_by_the_end_of_the_connection_is_not_executed() {
    let (_folder, mut server, mut operator) = server_with_console();
    operator.sends(b"users\nstop");
    operator.half_close();
    assert!(operator.reads_a_line().starts_with("* 0 users"));
    assert!(operator.reads_a_line().starts_with("! That command was cut short"));
    operator.reads_end_of_stream();
    let _anna = Person::joins(&server, "anna");
    server.is_healthy();
}

/// (8.1.3)
#[test]
fn random_bytes_at_the_console_do_not_stop_the_server() {
    let (folder, mut server, _operator) = server_with_console();
    let mut state = 0x9e37_79b9_u32;
    for _ in 0..50 {
        let mut bytes = Vec::new();
        for _ in 0..3_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.push((state >> 24) as u8);
        }
        let mut socket = UnixStream::connect(folder.path("console")).expect("open");
        // The write may fail: the server closes a console whose first line looks like HTTP.
        drop(socket.write_all(&bytes));
    }
    Console::opens(&folder.path("console"));
    server.is_healthy();
    let _anna = Person::joins(&server, "anna");
}

/// (8.1.2, 7.31)
#[test]
fn a_ninth_console_is_rejected_until_another_console_closes() {
    let folder = TempFolder::new();
    let _server = folder.server(&[]);
    let mut open = (0..8).map(|_| Console::opens(&folder.path("console"))).collect::<Vec<_>>();
    for console in &mut open {
        console.succeeds("bans", "* 0 bans");
    }
    let mut ninth = Console::opens(&folder.path("console"));
    assert!(ninth.reads_a_line().starts_with("! 8 consoles"));
    ninth.reads_end_of_stream();
    let refused = ctl(&folder, &["users"]);
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    let mut first = open.remove(0);
    first.half_close();
    first.reads_end_of_stream();
    Console::opens(&folder.path("console")).succeeds("bans", "* 0 bans");
}

/// (8.1.4)
#[test]
fn a_console_that_does_not_read_its_answers_is_not_read_and_delays_no_user() {
    let (_folder, mut server, operator) = server_with_console();
    let mut socket = operator.socket();
    socket.set_nonblocking(true).expect("a flag");
    let mut sent = 0;
    let mut commands = 0_usize;
    // The answer is many times longer than the command, so the output fills up soon.
    let blocked = loop {
        match socket.write(&b"metrics\n"[sent..]) {
            Ok(count) => sent += count,
            Err(error) => break error,
        }
        if sent == 8 {
            (sent, commands) = (0, commands + 1);
        }
        assert!(commands < 1_000_000, "the server goes on reading although no answer is read");
    };
    assert_eq!(blocked.kind(), ErrorKind::WouldBlock);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.says("still here");
    bert.reads_exactly("anna: still here");
    // Nothing is lost: each complete command gets its answer.
    socket.set_nonblocking(false).expect("a flag");
    let mut rest = socket.try_clone().expect("a second handle");
    rest.shutdown(std::net::Shutdown::Write).expect("a live socket");
    let mut text = String::new();
    rest.read_to_string(&mut text).expect("UTF-8, then the end of the stream");
    assert_eq!(text.matches("# EOF\n").count(), commands);
    assert_eq!(text.contains("! That command was cut short"), sent > 0);
    server.is_healthy();
}

/// (8.1.5)
#[test]
fn with_json_every_answer_is_one_line_of_json() {
    let (_folder, server, mut operator) = server_with_console();
    let _anna = Person::joins(&server, "anna");
    operator.succeeds("ban 192.0.2.0/24 \"rude\" \\ \u{202e}\u{e9}", "* Banned");
    let mut json = |command: &str| {
        operator.sends(format!("json {command}\n").as_bytes());
        serde_json::from_str::<Value>(&operator.reads_a_line()).expect("JSON")
    };
    let users = json("users");
    assert_eq!(users["ok"], true);
    assert_eq!(users["rows"][0]["name"], "anna");
    assert_eq!(users["rows"][0]["pursuit"], "available");
    assert!(users["rows"][0]["seconds"].is_u64() && users["rows"][0]["address"].is_string());
    let bans = json("bans");
    assert_eq!(bans["rows"][0]["reason"], "\"rude\" \\ \u{e9}");
    assert_eq!(bans["rows"][0]["expires"], Value::Null);
    for command in ["stats", "help", "rooms", "say hello", "stop 9", "stop off"] {
        assert_eq!(json(command)["ok"], true, "{command}");
    }
    for command in ["frob", "kick bert", "metrics", "", "stop off", "json users"] {
        let answer = json(command);
        assert_eq!(answer["ok"], false, "{command}");
        assert!(answer["error"].is_string(), "{answer}");
    }
}

// The effects of operator commands (8.2.1 to 8.2.8, 8.1.6).

/// (8.2.8)
#[test]
fn users_shows_first_who_costs_most() {
    let (_folder, server, mut operator) = server_with_console();
    let (mut anna, mut zed) = (Person::joins(&server, "anna"), Person::joins(&server, "zed"));
    zed.chats_with(&mut anna);
    let said = "x".repeat(900);
    // The server measures some turns of its loop, so it takes a while until the figures are right.
    let is_first = (0..50).any(|_| {
        for n in 0..100 {
            zed.says(&format!("{said}{n}"));
            anna.reads_exactly(&format!("zed: {said}{n}"));
        }
        let rows = operator.succeeds("users", "* 2 users, 2 connections");
        rows[0].starts_with("- zed ") && rows[0].ends_with(" % CPU")
    });
    assert!(is_first, "zed costs most");
    operator.sends(b"json users\n");
    let users = serde_json::from_str::<Value>(&operator.reads_a_line()).expect("JSON");
    let zed = &users["rows"][0];
    assert!(zed["bytes"].as_u64() > Some(900) && zed["lines"].as_u64() > Some(0), "{zed}");
    assert!(zed["cpu"].as_f64() > Some(0.0), "{zed}");
}

/// (8.2.8)
#[test]
fn users_lists_each_user_with_status_address_and_time() {
    let (_folder, server, mut operator) = server_with_console();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "Bert"));
    anna.chats_with(&mut bert);
    let _nameless = Person::arrives(&server);
    let address = anna.socket().local_addr().expect("an address");
    let rows = operator.succeeds("users", "* 2 users, 3 connections");
    assert!(rows[0].starts_with(&format!("- anna chatting with Bert, from {address}, here ")));
    assert!(rows[1].starts_with("- Bert chatting with anna, from "));
    let rows = operator.succeeds("users b", "* 1 user, ");
    assert!(rows.len() == 1 && rows[0].starts_with("- Bert"), "{rows:?}");
}

/// (7.32)
#[test]
fn an_answer_has_at_most_a_thousand_rows_and_says_how_many_more_there_are() {
    let (_folder, server, mut operator) = server_with_console();
    let join = |n: usize| {
        let mut socket =
            std::net::TcpStream::connect(server.address()).expect("the server accepts");
        socket.write_all(format!("u{n}\n").as_bytes()).expect("the server reads");
        socket
    };
    let _users = (0..1_002).map(join).collect::<Vec<_>>();
    let mut answer = operator.runs("users");
    while !answer.last().expect("a line").starts_with("* 1002 users") {
        answer = operator.runs("users");
    }
    assert_eq!(answer.len(), 1_000 + 1);
    let said = answer.last().expect("a line");
    assert!(said.ends_with("; 2 more are not shown, and a PREFIX narrows the list"), "{said}");
    assert_eq!(operator.succeeds("users u100", "* 3 users").len(), 3);
}

/// (8.2.1, 8.1.6)
#[test]
fn every_session_reads_what_the_operator_says() {
    let (_folder, server, mut operator) = server_with_console();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let mut nameless = Person::arrives(&server);
    operator.succeeds("say  back in\ta moment\u{202e}", "* Said to 3");
    for person in [&mut anna, &mut bert, &mut nameless] {
        person.reads_exactly("* The operator says: back in a moment");
    }
    server.logs(&["operator: said to 3", "back in a moment"]);
}

/// (8.2.2, 8.1.6)
#[test]
fn a_kicked_user_and_the_partner_are_told_why() {
    let (_folder, server, mut operator) = server_with_console();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    operator.succeeds("kick ANNA too loud", "* Removed anna");
    anna.reads_exactly("! An operator removed you: too loud. Goodbye");
    anna.reads_end_of_stream();
    bert.reads_all(&["* anna left: removed by an operator", MENU]);
    server.logs(&["operator: removed", "anna", "too loud"]);
    assert!(operator.runs("kick anna")[0].starts_with("! Nobody of that name"));
    let _again = Person::joins(&server, "anna");
}

/// (8.2.3, 8.2.4, 8.2.5, 8.1.6)
#[test]
fn a_banned_user_is_removed_and_rejected_until_the_ban_ends() {
    let (_folder, server, mut operator) = server_with_console();
    let (mut anna, mut nameless) = (Person::joins(&server, "anna"), Person::arrives(&server));
    assert!(operator.runs("ban anna")[0].starts_with("! anna is on this machine"));
    operator.succeeds("ban 0.0.0.0/0 1h", "* Banned 0.0.0.0/0 until ");
    anna.has_read_everything();
    operator.succeeds("ban 127.0.0.1 never spam", "* Banned 127.0.0.1/32 for ever, and removed 2");
    for person in [&mut anna, &mut nameless] {
        person.reads("! An operator removed you and bans your address: spam");
        person.reads_end_of_stream();
    }
    let mut late = Person::connects(server.address());
    late.reads("! Your address is banned");
    late.reads_end_of_stream();
    server.logs(&["operator: banned 127.0.0.1/32", "spam"]);
    server.logs(&["rejected", "banned"]);
    let rows = operator.succeeds("bans", "* 2 bans");
    assert!(rows[0].starts_with("- 0.0.0.0/0 until 20") && rows[1].ends_with("for ever: spam"));
    operator.succeeds("unban 127.0.0.1", "* 127.0.0.1/32 is not banned");
    assert!(operator.runs("unban 127.0.0.1")[0].starts_with("! "));
    let _anna = Person::joins(&server, "anna");
    server.logs(&["operator: 127.0.0.1/32 is not banned any more"]);
}

/// (8.2.3, 8.2.4, 8.2.5)
#[test]
fn bans_survive_a_restart_and_expire() {
    let folder = TempFolder::new();
    let (state, bans) = (folder.argument("state"), folder.argument("state/bans"));
    let mut server = folder.server(&["--state", &state]);
    assert!(!folder.path("state/bans").exists(), "the file is made with the first ban");
    let mut operator = Console::opens(&folder.path("console"));
    operator.succeeds("ban 127.0.0.1 1h spam", "* Banned");
    operator.succeeds("ban 2001:db8::/32", "* Banned");
    let mode = fs::metadata(&bans).expect("the file exists").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.signal(Signal::TERM);
    server.exits();
    let again = folder.server(&["--state", &state]);
    Person::connects(again.address()).reads("! Your address is banned");
    let mut operator = Console::opens(&folder.path("console"));
    assert_eq!(operator.succeeds("bans", "* 2 bans").len(), 2);
    drop((operator, again));
    // Edits the file so that the ban of one hour has expired.
    let kept = fs::read_to_string(&bans).expect("the file exists");
    let line = kept.lines().find(|line| line.starts_with("127.0.0.1/32 ")).expect("a ban");
    assert!(line.ends_with(" spam") && kept.contains("2001:db8::/32 never\n"), "{kept:?}");
    fs::write(&bans, "127.0.0.1/32 1000 spam\n2001:db8::/32 never\n").expect("written");
    let later = folder.server(&["--state", &state]);
    let _anna = Person::joins(&later, "anna");
    Console::opens(&folder.path("console")).succeeds("bans", "* 1 ban");
}

/// (8.2.3, 8.2.4, 8.2.5)
#[test]
fn a_malformed_file_of_bans_is_one_error_at_the_start_and_is_kept() {
    let folder = TempFolder::new();
    let endless = "192.0.2.1 never x\n".repeat(200_000);
    let files: [(&str, &[u8]); 5] = [
        ("words", b"192.0.2.0/24 never\nthese are no bans\n"),
        ("bytes", b"\xff\xfe\0"),
        ("control", b"192.0.2.1 never \x1b[2J\n"),
        ("long", endless.as_bytes()),
        ("cut", b"192.0.2.1"),
    ];
    for (name, content) in files {
        private_folder(&folder, name);
        fs::write(folder.path(name).join("bans"), content).expect("a file");
    }
    fs::create_dir_all(private_folder(&folder, "folder") + "/bans").expect("a folder");
    for name in ["words", "bytes", "control", "long", "cut", "folder", "nowhere/state"] {
        let path = folder.argument(name);
        let ran = run(&["serve", "--listen", "127.0.0.1:0", "--state", &path], &[]);
        assert_eq!(ran.status.code(), Some(1), "{name}: {:?}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{:?}", ran.stderr);
        assert!(ran.stderr.contains(&path), "{:?}", ran.stderr);
    }
    for (name, content) in files {
        assert!(
            fs::read(folder.path(name).join("bans")).expect("the file is kept") == content,
            "{name}"
        );
    }
}

/// (8.2.3, 8.2.4, 8.2.5)
#[test]
fn a_ban_that_cannot_be_saved_is_not_made() {
    let folder = TempFolder::new();
    let server = folder.server(&["--state", &folder.argument("kept")]);
    fs::remove_dir_all(folder.path("kept")).expect("the entry exists");
    let mut operator = Console::opens(&folder.path("console"));
    let answer = operator.runs("ban 127.0.0.1");
    assert!(answer[0].starts_with("! The bans cannot be kept"), "{answer:?}");
    operator.succeeds("bans", "* 0 bans");
    let _anna = Person::joins(&server, "anna");
}

/// (8.2.6, 8.2.7)
#[test]
fn stop_without_a_time_stops_the_server_at_once_like_a_signal() {
    let (folder, mut server, mut operator) = server_with_console();
    let mut anna = Person::joins(&server, "anna");
    operator.succeeds("stop", "* Stopping now");
    anna.reads("* The server is stopping");
    anna.reads_end_of_stream();
    drop(anna);
    assert_eq!(server.exits().code(), Some(0));
    assert!(!folder.path("console").exists());
}

/// (8.2.6, 8.2.7)
#[test]
fn an_announced_stop_is_told_to_newcomers_too_and_can_be_called_off() {
    let (_folder, mut server, mut operator) = server_with_console();
    let mut anna = Person::joins(&server, "anna");
    operator.succeeds("stop 5", "* Stopping in 5 minutes");
    anna.reads_exactly("* The server stops in 5 minutes");
    let mut bert = Person::connects(server.address());
    bert.reads_all(&["* Welcome", "* The server stops in 5 minutes", "? Username:"]);
    operator.succeeds("stop off", "* The server is no longer stopping");
    anna.reads_exactly("* The server is no longer stopping");
    assert!(operator.runs("stop off")[0].starts_with("! "));
    server.is_healthy();
    server.logs(&["operator: stopping in 300 s"]);
    server.logs(&["operator: not stopping"]);
}

/// (8.2.6, 8.2.7)
#[test]
fn an_announced_stop_happens_at_its_time() {
    let (folder, mut server, mut operator) = server_with_console();
    let mut anna = Person::joins(&server, "anna");
    operator.succeeds("stop 0.005", "* Stopping in 0.005 minutes");
    anna.reads_exactly("* The server stops in 1 s");
    anna.reads("* The server is stopping");
    anna.reads_end_of_stream();
    let late = std::net::TcpStream::connect(server.address());
    assert!(late.is_err(), "a stopping server accepted {late:?}");
    drop(anna);
    assert_eq!(server.exits().code(), Some(0));
    assert!(!folder.path("console").exists());
    server.logs(&["operator: the time is up"]);
}

// Metrics (8.2.8 to 8.3.2).

/// (8.2.8, 8.3.1)
#[test]
fn metrics_count_users_chats_lines_and_refusals() {
    let (_folder, server, mut operator) = server_with_console();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.says("hello");
    bert.reads_exactly("anna: hello");
    let mut carl = Person::joins(&server, "carl");
    carl.says("nonsense");
    carl.reads_all(&["! ", MENU]);
    carl.exits();
    carl.reads_end_of_stream();
    carl.hang_up();
    let samples = samples(&metrics(&mut operator));
    let value =
        |name: &str| *samples.get(name).unwrap_or_else(|| panic!("no {name} in {samples:?}"));
    assert_eq!(
        (value("chinwag_users"), value("chinwag_pairs"), value("chinwag_consoles")),
        (2., 1., 1.)
    );
    assert_eq!((value("chinwag_arrivals_total"), value("chinwag_names_total")), (3., 3.));
    assert_eq!(value("chinwag_pairings_total"), 1.);
    // Three usernames, `2 bert`, `yes`, `hello`, `nonsense` and `3`.
    assert_eq!(value("chinwag_lines_in_total"), 8.);
    assert_eq!(value("chinwag_refusals_total{kind=\"not_a_choice\"}"), 1.);
    assert_eq!(value("chinwag_departures_total{reason=\"exit\"}"), 1.);
    let sent = "anna\nbert\ncarl\n2 bert\nyes\nhello\nnonsense\n3\n".len();
    assert_eq!(value("chinwag_bytes_in_total"), sent as f64);
    assert!(value("chinwag_bytes_out_total") > 200. && value("chinwag_lines_out_total") > 10.);
    assert!(value("chinwag_turns_total") > 0.);
    let rows = operator.succeeds("stats", "* ");
    assert!(rows.contains(&"- users 2".to_owned()), "{rows:?}");
    assert!(rows.contains(&"- refusals.not_a_choice 1".to_owned()), "{rows:?}");
}

/// (8.3.1)
#[test]
fn every_sample_has_a_type_and_histogram_buckets_are_cumulative() {
    let (_folder, server, mut operator) = server_with_console();
    let _anna = Person::joins(&server, "anna");
    let text = metrics(&mut operator);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let types = types.map(|line| line.split_once(' ').expect("a kind")).collect::<BTreeMap<_, _>>();
    let mut histograms = 0;
    for name in samples(&text).keys() {
        let name = name.split('{').next().expect("a name");
        let parts = ["", "_bucket", "_sum", "_count"].map(|part| name.strip_suffix(part));
        let kind = parts.into_iter().flatten().find_map(|name| types.get(name));
        let kind = kind.unwrap_or_else(|| panic!("{name} has no type"));
        assert_eq!(name.ends_with("_total"), *kind == "counter", "{name}");
    }
    for (name, _) in types.iter().filter(|(_, kind)| **kind == "histogram") {
        let start = format!("{name}_bucket{{le=\"");
        let buckets = text.lines().filter_map(|line| line.strip_prefix(&start));
        let buckets = buckets.map(|line| line.split_once("\"} ").expect("a count"));
        let buckets = buckets.map(|(most, count)| {
            (most.parse::<f64>().expect("an upper limit"), count.parse::<f64>().expect("a count"))
        });
        let buckets = buckets.collect::<Vec<_>>();
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{buckets:?}");
        let (most, count) = buckets.last().expect("buckets");
        assert!(most.is_infinite());
        assert_eq!(*count, samples(&text)[&format!("{name}_count")]);
        histograms += 1;
    }
    assert!(histograms >= 2, "there are histograms for the time and the events of a turn");
}

/// (8.3.2)
#[test]
fn a_metrics_agent_gets_the_metrics_by_http() {
    let (folder, mut server, mut operator) = server_with_console();
    let get = |request: &str| {
        let mut socket = UnixStream::connect(folder.path("console")).expect("open");
        socket.set_read_timeout(Some(common::timeout())).expect("a timeout");
        socket.write_all(request.as_bytes()).expect("the server reads");
        let mut text = String::new();
        socket.read_to_string(&mut text).expect("the end of the stream");
        text
    };
    let text = get("GET /metrics HTTP/1.1\r\nHost: localhost\r\nUser-Agent: x\r\n\r\n");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    let length = format!("Content-Length: {}", body.len());
    assert!(head.lines().any(|line| line == length), "{head}");
    assert!(body.starts_with("# HELP ") && body.ends_with("# EOF\n"));
    assert!(get("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.0 404 "));
    assert!(get("POST /metrics HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 404 "));
    // HTTP is recognised in the first line only. Later it is an unknown command.
    assert!(operator.runs("bans")[0].starts_with("* "));
    assert!(operator.runs("GET /metrics HTTP/1.1")[0].starts_with("! "));
    server.is_healthy();
}

#[test]
fn curl_reads_the_metrics() {
    let (folder, _server, _operator) = server_with_console();
    let console = folder.argument("console");
    let arguments = ["-sS", "--fail", "--unix-socket", &console, "http://localhost/metrics"];
    match Command::new("curl").args(arguments).output() {
        Err(_) => skip("curl is not installed"),
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            assert!(String::from_utf8_lossy(&output.stdout).contains("\nchinwag_users 0\n"));
        }
    }
}

// Other programs that open the console.

#[test]
fn nc_can_be_used_as_a_console() {
    let (folder, _server, _operator) = server_with_console();
    let help = Command::new("nc").arg("-h").output();
    if !help
        .is_ok_and(|out| String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).contains("-U"))
    {
        return skip("no nc with -U is installed");
    }
    let mut nc = Command::new("nc");
    nc.args(["-N", "-U", &folder.argument("console")]);
    let mut nc = nc.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("nc starts");
    nc.stdin.take().expect("piped").write_all(b"users\nbans\n").expect("nc reads");
    let said = String::from_utf8(nc.wait_with_output().expect("an end").stdout).expect("UTF-8");
    assert_eq!(said, "* 0 users, 0 connections\n* 0 bans\n");
}

#[test]
fn ctl_sends_a_command_and_its_exit_code_tells_whether_the_command_succeeded() {
    let (folder, server, _operator) = server_with_console();
    let mut anna = Person::joins(&server, "anna");
    let ran = ctl(&folder, &["users"]);
    assert!(ran.stdout.starts_with("- anna available, from "), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("* 1 user, 1 connection\n"), "{}", ran.stdout);
    assert_eq!((ran.status.code(), ran.stderr.as_str()), (Some(0), ""));
    let ran = ctl(&folder, &["say", "two", "words"]);
    assert_eq!(ran.status.code(), Some(0));
    anna.reads_exactly("* The operator says: two words");
    let ran = ctl(&folder, &["--json", "users"]);
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).expect("JSON")["ok"], true);
    assert!(ctl(&folder, &["metrics"]).stdout.ends_with("# EOF\n"));
    let ran = ctl(&folder, &["kick", "bert"]);
    assert_eq!((ran.status.code(), ran.stdout.as_str()), (Some(1), ""));
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let ran = ctl(&folder, &["--json", "kick", "bert"]);
    assert_eq!((ran.status.code(), ran.stderr.as_str()), (Some(1), ""));
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).expect("JSON")["ok"], false);
}

#[test]
fn ctl_without_a_server_or_a_command_is_one_error_line() {
    let folder = TempFolder::new();
    let console = folder.argument("console");
    let cases: [(&[&str], i32, &str); 4] = [
        (&["ctl", "--console", &console, "users"], 1, &console),
        (&["ctl", "users"], 2, "--console"),
        (&["ctl", "--console", &console], 2, "ORDER"),
        (&["ctl", "--console", &console, "say", "a\nstop"], 2, "one line"),
    ];
    for (arguments, code, names) in cases {
        let ran = run(arguments, &[]);
        assert_eq!(ran.status.code(), Some(code), "{:?}", ran.stderr);
        assert!(ran.stderr.contains(names), "{:?}", ran.stderr);
        assert_eq!((ran.stderr.lines().count(), ran.stdout.as_str()), (1, ""), "{:?}", ran.stderr);
    }
}

/// A server with one operator and no other connection.
fn server_with_console() -> (TempFolder, Server, Console) {
    let folder = TempFolder::new();
    let server = folder.server(&[]);
    let operator = Console::opens(&folder.path("console"));
    (folder, server, operator)
}

fn ctl(folder: &TempFolder, arguments: &[&str]) -> common::server::Run {
    let console = folder.argument("console");
    run(&[&["ctl"], arguments].concat(), &[("CHINWAG_CONSOLE", &console)])
}

fn metrics(operator: &mut Console) -> String {
    operator.sends(b"metrics\n");
    let mut text = String::new();
    loop {
        let line = operator.reads_a_line();
        text += &format!("{line}\n");
        if line == "# EOF" {
            return text;
        }
    }
}

/// The value of each sample, by the name and labels of the sample.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| line.rsplit_once(' ').expect("a value"));
    samples.map(|(name, value)| (name.to_owned(), value.parse().expect("a number"))).collect()
}
