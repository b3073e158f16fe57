//! Operators (part 7): the real program, orders over its Unix socket, and what users read of them.
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};

use common::console::{Console, Folder};
use common::server::run;
use common::{MENU, Person, Server, skip};
use rustix::process::Signal;
use serde_json::Value;

// The socket.

/// (7.1)
#[test]
fn the_socket_is_its_owners_alone_and_goes_with_the_server() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = Folder::new();
        let mut server = folder.server(&[]);
        let metadata = fs::symlink_metadata(folder.path("console")).expect("it is there");
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        server.signal(signal);
        assert_eq!(server.ends().code(), Some(0));
        assert!(!folder.path("console").exists(), "it is removed");
    }
}

#[test]
fn a_second_signal_removes_the_socket_as_well() {
    let folder = Folder::new();
    let mut server = folder.server(&["--closing-timeout", "60"]);
    let mut lingers = Person::joins(&server, "lingers");
    server.signal(Signal::TERM);
    lingers.hears("* The server is stopping");
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(1));
    assert!(!folder.path("console").exists());
}

#[test]
fn the_socket_of_a_server_that_died_is_replaced() {
    let folder = Folder::new();
    drop(folder.server(&[])); // Killed, so it removes nothing.
    assert!(folder.path("console").exists());
    let _server = folder.server(&[]);
    Console::opens(&folder.path("console")).has_done("users", "* 0 users");
}

#[test]
fn what_stands_in_the_way_of_the_socket_is_one_error_and_stays() {
    let folder = Folder::new();
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
    assert_eq!(fs::read_to_string(folder.path("file")).expect("it stays"), "precious");
    UnixStream::connect(folder.path("live")).expect("it still listens");
}

#[test]
fn a_start_that_fails_later_leaves_no_socket() {
    let folder = Folder::new();
    let console = folder.argument("console");
    let ran = run(&["serve", "--listen", "203.0.113.9:1", "--console", &console], &[]);
    assert_eq!((ran.status.code(), ran.stderr.lines().count()), (Some(1), 1), "{:?}", ran.stderr);
    assert!(!folder.path("console").exists());
}

#[test]
fn a_socket_that_somebody_put_in_its_place_is_not_removed() {
    let folder = Folder::new();
    let mut server = folder.server(&[]);
    fs::remove_file(folder.path("console")).expect("it was there");
    let _other = UnixListener::bind(folder.path("console")).expect("a socket");
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
    assert!(folder.path("console").exists());
}

// The line protocol (7.2 to 7.5).

#[test]
fn every_order_of_help_is_understood() {
    let (folder, _server, mut operator) = at_a_console();
    let help = operator.has_done("help", "* ");
    for word in [
        "users", "rooms", "stats", "metrics", "say", "kick", "ban", "unban", "bans", "stop", "json",
    ] {
        assert!(help.iter().any(|row| row.contains(word)), "{word} in {help:?}");
    }
    operator.has_done("rooms", "* 0 rooms");
    operator.has_done("bans", "* 0 bans");
    operator.has_done("say nobody is here", "* Said to 0");
    drop(folder);
}

/// (7.3, 5.29)
#[test]
fn a_bad_line_is_one_error_and_the_next_is_read() {
    let (_folder, mut server, mut operator) = at_a_console();
    let long = [&[b'x'; 10_000][..], b"\n"].concat();
    let bad: [&[u8]; 7] =
        [&long, b"\xff\xfe\n", b"users\0\n", b"\x1b[A\n", b"\n", b"frobnicate\r\n", b"stop soon\n"];
    for line in bad {
        operator.sends(line);
        let error = operator.hears_a_line();
        assert!(error.starts_with("! ") && error.ends_with("nothing was done"), "{error:?}");
        operator.has_done("users", "* 0 users");
    }
    operator.sends(b"us");
    operator.sends(b"ers\r");
    operator.sends(b"\nbans\n");
    assert!(operator.hears_a_line().starts_with("* 0 users"));
    assert!(operator.hears_a_line().starts_with("* 0 bans"));
    server.is_well();
}

/// (7.3)
#[test]
fn an_order_cut_short_by_the_end_is_not_obeyed() {
    let (_folder, mut server, mut operator) = at_a_console();
    operator.sends(b"users\nstop");
    operator.half_close();
    assert!(operator.hears_a_line().starts_with("* 0 users"));
    assert!(operator.hears_a_line().starts_with("! That order was cut short"));
    operator.hears_the_end();
    let _anna = Person::joins(&server, "anna");
    server.is_well();
}

/// (7.3)
#[test]
fn whatever_bytes_come_the_server_serves_on() {
    let (folder, mut server, _operator) = at_a_console();
    let mut dice = 0x9e37_79b9_u32;
    for _ in 0..50 {
        let mut bytes = Vec::new();
        for _ in 0..3_000 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.push((dice >> 24) as u8);
        }
        let mut socket = UnixStream::connect(folder.path("console")).expect("open");
        // It may be closed on us where the bytes look like HTTP.
        drop(socket.write_all(&bytes));
    }
    Console::opens(&folder.path("console"));
    server.is_well();
    let _anna = Person::joins(&server, "anna");
}

/// (7.2, 5.28)
#[test]
fn one_console_too_many_is_told_so_and_room_is_made_by_leaving() {
    let folder = Folder::new();
    let _server = folder.server(&[]);
    let mut open = (0..8).map(|_| Console::opens(&folder.path("console"))).collect::<Vec<_>>();
    for console in &mut open {
        console.has_done("bans", "* 0 bans");
    }
    let mut ninth = Console::opens(&folder.path("console"));
    assert!(ninth.hears_a_line().starts_with("! 8 consoles"));
    ninth.hears_the_end();
    let refused = ctl(&folder, &["users"]);
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    let mut first = open.remove(0);
    first.half_close();
    first.hears_the_end();
    Console::opens(&folder.path("console")).has_done("bans", "* 0 bans");
}

/// (7.4)
#[test]
fn a_console_that_does_not_read_is_not_read_and_holds_nobody_up() {
    let (_folder, mut server, operator) = at_a_console();
    let mut socket = operator.socket();
    socket.set_nonblocking(true).expect("a flag");
    let mut sent = 0;
    let mut orders = 0_usize;
    // The answers to these are many times longer than they are.
    let blocked = loop {
        match socket.write(&b"metrics\n"[sent..]) {
            Ok(count) => sent += count,
            Err(error) => break error,
        }
        if sent == 8 {
            (sent, orders) = (0, orders + 1);
        }
        assert!(orders < 1_000_000, "everything is read though nothing is taken");
    };
    assert_eq!(blocked.kind(), ErrorKind::WouldBlock);
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.says("still here");
    bert.hears_exactly("anna: still here");
    // And nothing is lost: each order that was sent whole has its answer.
    socket.set_nonblocking(false).expect("a flag");
    let mut rest = socket.try_clone().expect("a second handle");
    rest.shutdown(std::net::Shutdown::Write).expect("a live socket");
    let mut text = String::new();
    rest.read_to_string(&mut text).expect("UTF-8, and an end");
    assert_eq!(text.matches("# EOF\n").count(), orders);
    assert_eq!(text.contains("! That order was cut short"), sent > 0);
    server.is_well();
}

/// (7.5)
#[test]
fn every_answer_is_had_as_one_line_of_json() {
    let (_folder, server, mut operator) = at_a_console();
    let _anna = Person::joins(&server, "anna");
    operator.has_done("ban 192.0.2.0/24 \"rude\" \\ \u{202e}\u{e9}", "* Banned");
    let mut json = |order: &str| {
        operator.sends(format!("json {order}\n").as_bytes());
        serde_json::from_str::<Value>(&operator.hears_a_line()).expect("JSON")
    };
    let users = json("users");
    assert_eq!(users["ok"], true);
    assert_eq!(users["rows"][0]["name"], "anna");
    assert_eq!(users["rows"][0]["pursuit"], "available");
    assert!(users["rows"][0]["seconds"].is_u64() && users["rows"][0]["address"].is_string());
    let bans = json("bans");
    assert_eq!(bans["rows"][0]["reason"], "\"rude\" \\ \u{e9}");
    assert_eq!(bans["rows"][0]["expires"], Value::Null);
    for order in ["stats", "help", "rooms", "say hello", "stop 9", "stop off"] {
        assert_eq!(json(order)["ok"], true, "{order}");
    }
    for order in ["frob", "kick bert", "metrics", "", "stop off", "json users"] {
        let answer = json(order);
        assert_eq!(answer["ok"], false, "{order}");
        assert!(answer["error"].is_string(), "{answer}");
    }
}

// What orders do (7.6 to 7.10, 7.13).

/// (7.10)
#[test]
fn users_are_listed_with_what_they_do_and_where_they_come_from() {
    let (_folder, server, mut operator) = at_a_console();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "Bert"));
    anna.chats_with(&mut bert);
    let _nameless = Person::arrives(&server);
    let address = anna.socket().local_addr().expect("an address");
    let rows = operator.has_done("users", "* 2 users, 3 connections");
    assert!(rows[0].starts_with(&format!("- anna chatting with Bert, from {address}, here ")));
    assert!(rows[1].starts_with("- Bert chatting with anna, from "));
    let rows = operator.has_done("users b", "* 1 user, ");
    assert!(rows.len() == 1 && rows[0].starts_with("- Bert"), "{rows:?}");
}

/// (5.30)
#[test]
fn of_a_crowd_a_thousand_are_listed_and_the_others_counted() {
    let (_folder, server, mut operator) = at_a_console();
    let join = |n: usize| {
        let mut socket = std::net::TcpStream::connect(server.address()).expect("let in");
        socket.write_all(format!("u{n}\n").as_bytes()).expect("heard");
        socket
    };
    let _crowd = (0..1_002).map(join).collect::<Vec<_>>();
    let mut answer = operator.orders("users");
    while !answer.last().expect("a line").starts_with("* 1002 users") {
        answer = operator.orders("users");
    }
    assert_eq!(answer.len(), 1_000 + 1);
    let said = answer.last().expect("a line");
    assert!(said.ends_with("; 2 more are not shown, and a PREFIX narrows the list"), "{said}");
    assert_eq!(operator.has_done("users u100", "* 3 users").len(), 3);
}

/// (7.6, 7.13)
#[test]
fn what_the_operator_says_is_read_by_everybody() {
    let (_folder, server, mut operator) = at_a_console();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let mut nameless = Person::arrives(&server);
    operator.has_done("say  back in\ta moment\u{202e}", "* Said to 3");
    for person in [&mut anna, &mut bert, &mut nameless] {
        person.hears_exactly("* The operator says: back in a moment");
    }
    server.logs(&["operator: said to 3", "back in a moment"]);
}

/// (7.7, 7.13)
#[test]
fn who_is_removed_is_told_why_and_so_is_their_partner() {
    let (_folder, server, mut operator) = at_a_console();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    operator.has_done("kick ANNA too loud", "* Removed anna");
    anna.hears_exactly("! An operator removed you: too loud. Goodbye");
    anna.hears_the_end();
    bert.hears_all(&["* anna left: removed by an operator", MENU]);
    server.logs(&["operator: removed", "anna", "too loud"]);
    assert!(operator.orders("kick anna")[0].starts_with("! Nobody of that name"));
    let _again = Person::joins(&server, "anna");
}

/// (7.8, 7.13)
#[test]
fn who_is_banned_is_removed_and_not_let_in_again_until_unbanned() {
    let (_folder, server, mut operator) = at_a_console();
    let (mut anna, mut nameless) = (Person::joins(&server, "anna"), Person::arrives(&server));
    assert!(operator.orders("ban anna")[0].starts_with("! anna is on this machine"));
    operator.has_done("ban 0.0.0.0/0 1h", "* Banned 0.0.0.0/0 until ");
    anna.has_heard_it_all();
    operator.has_done("ban 127.0.0.1 never spam", "* Banned 127.0.0.1/32 for ever, and removed 2");
    for person in [&mut anna, &mut nameless] {
        person.hears("! An operator removed you and bans your address: spam");
        person.hears_the_end();
    }
    let mut late = Person::dials(server.address());
    late.hears("! Your address is banned");
    late.hears_the_end();
    server.logs(&["operator: banned 127.0.0.1/32", "spam"]);
    server.logs(&["turned away", "banned"]);
    let rows = operator.has_done("bans", "* 2 bans");
    assert!(rows[0].starts_with("- 0.0.0.0/0 until 20") && rows[1].ends_with("for ever: spam"));
    operator.has_done("unban 127.0.0.1", "* 127.0.0.1/32 is not banned");
    assert!(operator.orders("unban 127.0.0.1")[0].starts_with("! "));
    let _anna = Person::joins(&server, "anna");
    server.logs(&["operator: 127.0.0.1/32 is not banned any more"]);
}

/// (7.8)
#[test]
fn bans_outlive_the_server_and_end_by_themselves() {
    let folder = Folder::new();
    let bans = folder.argument("bans");
    let mut server = folder.server(&["--bans", &bans]);
    assert!(!folder.path("bans").exists(), "it is made when it is needed");
    let mut operator = Console::opens(&folder.path("console"));
    operator.has_done("ban 127.0.0.1 1h spam", "* Banned");
    operator.has_done("ban 2001:db8::/32", "* Banned");
    let mode = fs::metadata(&bans).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.signal(Signal::TERM);
    server.ends();
    let again = folder.server(&["--bans", &bans]);
    Person::dials(again.address()).hears("! Your address is banned");
    let mut operator = Console::opens(&folder.path("console"));
    assert_eq!(operator.has_done("bans", "* 2 bans").len(), 2);
    drop((operator, again));
    // An hour passes in the file.
    let kept = fs::read_to_string(&bans).expect("it is there");
    let line = kept.lines().find(|line| line.starts_with("127.0.0.1/32 ")).expect("a ban");
    assert!(line.ends_with(" spam") && kept.contains("2001:db8::/32 never\n"), "{kept:?}");
    fs::write(&bans, "127.0.0.1/32 1000 spam\n2001:db8::/32 never\n").expect("written");
    let later = folder.server(&["--bans", &bans]);
    let _anna = Person::joins(&later, "anna");
    Console::opens(&folder.path("console")).has_done("bans", "* 1 ban");
}

/// (7.8)
#[test]
fn a_file_that_holds_no_bans_is_one_error_at_the_start_and_stays() {
    let folder = Folder::new();
    let endless = "192.0.2.1 never x\n".repeat(200_000);
    fs::create_dir(folder.path("folder")).expect("a folder");
    let files: [(&str, &[u8]); 5] = [
        ("words", b"192.0.2.0/24 never\nthese are no bans\n"),
        ("bytes", b"\xff\xfe\0"),
        ("control", b"192.0.2.1 never \x1b[2J\n"),
        ("long", endless.as_bytes()),
        ("cut", b"192.0.2.1"),
    ];
    for (name, content) in files {
        fs::write(folder.path(name), content).expect("a file");
    }
    for name in ["words", "bytes", "control", "long", "cut", "folder", "nowhere/bans"] {
        let path = folder.argument(name);
        let ran = run(&["serve", "--listen", "127.0.0.1:0", "--bans", &path], &[]);
        assert_eq!(ran.status.code(), Some(1), "{name}: {:?}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{:?}", ran.stderr);
        assert!(ran.stderr.contains(&path), "{:?}", ran.stderr);
    }
    for (name, content) in files {
        assert!(fs::read(folder.path(name)).expect("it stays") == content, "{name}");
    }
}

/// (7.8)
#[test]
fn a_ban_that_cannot_be_kept_is_not_made() {
    let folder = Folder::new();
    fs::create_dir(folder.path("kept")).expect("a folder");
    let server = folder.server(&["--bans", &folder.argument("kept/bans")]);
    fs::remove_dir(folder.path("kept")).expect("it was there");
    let mut operator = Console::opens(&folder.path("console"));
    let answer = operator.orders("ban 127.0.0.1");
    assert!(answer[0].starts_with("! The bans cannot be kept"), "{answer:?}");
    operator.has_done("bans", "* 0 bans");
    let _anna = Person::joins(&server, "anna");
}

/// (7.9)
#[test]
fn stop_stops_at_once_as_a_signal_does() {
    let (folder, mut server, mut operator) = at_a_console();
    let mut anna = Person::joins(&server, "anna");
    operator.has_done("stop", "* Stopping");
    anna.hears("* The server is stopping");
    anna.hears_the_end();
    drop(anna);
    assert_eq!(server.ends().code(), Some(0));
    assert!(!folder.path("console").exists());
}

/// (7.9)
#[test]
fn a_stop_is_announced_also_to_who_comes_later_and_can_be_called_off() {
    let (_folder, mut server, mut operator) = at_a_console();
    let mut anna = Person::joins(&server, "anna");
    operator.has_done("stop 5", "* Stopping in 5 minutes");
    anna.hears_exactly("* The server stops in 5 minutes");
    let mut bert = Person::dials(server.address());
    bert.hears_all(&["* Welcome", "* The server stops in 5 minutes", "? Username:"]);
    operator.has_done("stop off", "* Not stopping");
    anna.hears_exactly("* The server does not stop after all");
    assert!(operator.orders("stop off")[0].starts_with("! "));
    server.is_well();
    server.logs(&["operator: stopping in 300 s"]);
    server.logs(&["operator: not stopping"]);
}

/// (7.9)
#[test]
fn a_stop_comes_when_it_was_announced_for() {
    let (folder, mut server, mut operator) = at_a_console();
    let mut anna = Person::joins(&server, "anna");
    operator.has_done("stop 0.005", "* Stopping in 0.005 minutes");
    anna.hears_exactly("* The server stops in 1 s");
    anna.hears("* The server is stopping");
    anna.hears_the_end();
    let late = std::net::TcpStream::connect(server.address());
    assert!(late.is_err(), "a stopping server accepted {late:?}");
    drop(anna);
    assert_eq!(server.ends().code(), Some(0));
    assert!(!folder.path("console").exists());
    server.logs(&["operator: the time is up"]);
}

// The figures (7.10 to 7.12).

/// (7.10, 7.11)
#[test]
fn the_figures_count_what_happens() {
    let (_folder, server, mut operator) = at_a_console();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    anna.says("hello");
    bert.hears_exactly("anna: hello");
    let mut carl = Person::joins(&server, "carl");
    carl.says("nonsense");
    carl.hears_all(&["! ", MENU]);
    carl.exits();
    carl.hears_the_end();
    carl.hang_up();
    let figures = samples(&metrics(&mut operator));
    let of = |name: &str| *figures.get(name).unwrap_or_else(|| panic!("{name} in {figures:?}"));
    assert_eq!((of("chinwag_users"), of("chinwag_pairs"), of("chinwag_consoles")), (2., 1., 1.));
    assert_eq!((of("chinwag_arrivals_total"), of("chinwag_names_total")), (3., 3.));
    assert_eq!(of("chinwag_pairings_total"), 1.);
    // Three names, a request, a yes, a line, nonsense, and goodbye.
    assert_eq!(of("chinwag_lines_in_total"), 8.);
    assert_eq!(of("chinwag_refusals_total{kind=\"not_a_choice\"}"), 1.);
    assert_eq!(of("chinwag_departures_total{reason=\"exit\"}"), 1.);
    let said = "anna\nbert\ncarl\n2 bert\nyes\nhello\nnonsense\n3\n".len();
    assert_eq!(of("chinwag_bytes_in_total"), said as f64);
    assert!(of("chinwag_bytes_out_total") > 200. && of("chinwag_lines_out_total") > 10.);
    assert!(of("chinwag_turns_total") > 0.);
    let rows = operator.has_done("stats", "* ");
    assert!(rows.contains(&"- users 2".to_owned()), "{rows:?}");
    assert!(rows.contains(&"- refusals.not_a_choice 1".to_owned()), "{rows:?}");
}

/// (7.11)
#[test]
fn every_sample_has_a_type_and_buckets_are_cumulative() {
    let (_folder, server, mut operator) = at_a_console();
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
            (most.parse::<f64>().expect("a bound"), count.parse::<f64>().expect("a count"))
        });
        let buckets = buckets.collect::<Vec<_>>();
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{buckets:?}");
        let (most, count) = buckets.last().expect("buckets");
        assert!(most.is_infinite());
        assert_eq!(*count, samples(&text)[&format!("{name}_count")]);
        histograms += 1;
    }
    assert!(histograms >= 2, "time and events of a turn");
}

/// (7.12)
#[test]
fn a_metrics_agent_can_scrape_the_socket() {
    let (folder, mut server, mut operator) = at_a_console();
    let get = |request: &str| {
        let mut socket = UnixStream::connect(folder.path("console")).expect("open");
        socket.set_read_timeout(Some(common::patience())).expect("a timeout");
        socket.write_all(request.as_bytes()).expect("the server reads");
        let mut text = String::new();
        socket.read_to_string(&mut text).expect("an end");
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
    // Only at the start: in a conversation it is no order.
    assert!(operator.orders("bans")[0].starts_with("* "));
    assert!(operator.orders("GET /metrics HTTP/1.1")[0].starts_with("! "));
    server.is_well();
}

#[test]
fn curl_takes_the_figures() {
    let (folder, _server, _operator) = at_a_console();
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

// Other ways in.

#[test]
fn nc_is_a_console() {
    let (folder, _server, _operator) = at_a_console();
    let help = Command::new("nc").arg("-h").output();
    if !help
        .is_ok_and(|out| String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).contains("-U"))
    {
        return skip("an nc that knows -U is not installed");
    }
    let mut nc = Command::new("nc");
    nc.args(["-N", "-U", &folder.argument("console")]);
    let mut nc = nc.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("nc starts");
    nc.stdin.take().expect("piped").write_all(b"users\nbans\n").expect("nc reads");
    let said = String::from_utf8(nc.wait_with_output().expect("an end").stdout).expect("UTF-8");
    assert_eq!(said, "* 0 users, 0 connections\n* 0 bans\n");
}

#[test]
fn ctl_gives_an_order_and_says_by_its_exit_code_what_came_of_it() {
    let (folder, server, _operator) = at_a_console();
    let mut anna = Person::joins(&server, "anna");
    let ran = ctl(&folder, &["users"]);
    assert!(ran.stdout.starts_with("- anna available, from "), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("* 1 user, 1 connection\n"), "{}", ran.stdout);
    assert_eq!((ran.status.code(), ran.stderr.as_str()), (Some(0), ""));
    let ran = ctl(&folder, &["say", "two", "words"]);
    assert_eq!(ran.status.code(), Some(0));
    anna.hears_exactly("* The operator says: two words");
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
fn ctl_that_has_no_server_or_no_order_says_so_in_one_line() {
    let folder = Folder::new();
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

/// A server with nobody there but an operator.
fn at_a_console() -> (Folder, Server, Console) {
    let folder = Folder::new();
    let server = folder.server(&[]);
    let operator = Console::opens(&folder.path("console"));
    (folder, server, operator)
}

fn ctl(folder: &Folder, arguments: &[&str]) -> common::server::Run {
    let console = folder.argument("console");
    run(&[&["ctl"], arguments].concat(), &[("CHINWAG_CONSOLE", &console)])
}

fn metrics(operator: &mut Console) -> String {
    operator.sends(b"metrics\n");
    let mut text = String::new();
    loop {
        let line = operator.hears_a_line();
        text += &format!("{line}\n");
        if line == "# EOF" {
            return text;
        }
    }
}

/// The value of each sample, by its name and labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| line.rsplit_once(' ').expect("a value"));
    samples.map(|(name, value)| (name.to_owned(), value.parse().expect("a number"))).collect()
}
