//! The web page and WebSocket, with the real program and raw sockets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "web/browser.rs"]
mod browser;
mod common;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use browser::{BINARY, Browser, CLOSE, PING, PONG, TEXT, WebUser, frame, handshake};
use common::console::{Console, TempFolder};
use common::{MENU, Person, Server};
use rustix::process::Signal;

/// A server with a page and a port for lines.
fn server() -> Server {
    server_with(&[])
}

fn server_with(flags: &[&str]) -> Server {
    Server::starts_with(&[&["--listen", "http://127.0.0.1:0"], flags].concat())
}

/// (2.6.1)
#[test]
fn the_page_is_named_first_and_served_with_its_files() {
    let server = server();
    assert!(server.printed()[0].starts_with("chinwag has its web page at http://127.0.0.1:"));
    let mut browser = Browser::connects(server.page());
    let page = browser.asks("GET /", "");
    assert_eq!((page.status, page.field("Content-Type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.contains("<title>"), "{page:?}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let (name, extension) = (file.file_name().unwrap(), file.extension().unwrap());
        let (path, content_type) = match extension.to_str().unwrap() {
            "html" => ("/".to_owned(), "text/html; charset=utf-8"),
            "css" => (format!("/{}", name.display()), "text/css; charset=utf-8"),
            "js" => (format!("/{}", name.display()), "text/javascript; charset=utf-8"),
            "svg" => (format!("/{}", name.display()), "image/svg+xml"),
            _ => panic!("{} is no file of a page", file.display()),
        };
        let written = fs::read_to_string(&file).unwrap();
        let file = browser.asks(&format!("GET {path}"), "");
        assert_eq!((file.status, file.field("Content-Type")), (200, Some(content_type)), "{path}");
        assert_eq!(file.body, written, "{path}");
        let tag = file.field("ETag").expect("a tag");
        let again = browser.asks(&format!("GET {path}"), &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((again.status, again.body.as_str()), (304, ""));
        let head = browser.asks(&format!("HEAD {path}"), "");
        assert_eq!(head.head, file.head, "HEAD differs only in the body");
    }
    let mut anna = Person::joins(&server, "anna");
    anna.says("1");
    anna.reads_exactly("* 1 user online");
}

/// (2.6.1)
#[test]
fn the_page_may_load_only_its_own_files_and_stand_in_no_other() {
    let server = server();
    let page = Browser::connects(server.page()).asks("GET /", "");
    let policy = page.field("Content-Security-Policy").expect("a policy");
    let host = server.page();
    for part in [
        "default-src 'none'".to_owned(),
        "script-src 'self'".to_owned(),
        "style-src 'self'".to_owned(),
        format!("connect-src 'self' ws://{host} wss://{host}"),
        "frame-ancestors 'none'".to_owned(),
        "base-uri 'none'".to_owned(),
        "form-action 'none'".to_owned(),
    ] {
        assert!(policy.split("; ").any(|found| found == part), "{part}: {policy}");
    }
    assert_eq!(page.field("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(page.field("Referrer-Policy"), Some("no-referrer"));
    assert_eq!(page.field("Cache-Control"), Some("no-cache"));
}

/// (2.6.5, 2.6.7, 2.6.8)
#[test]
fn a_browser_and_nc_chat_and_each_reads_what_the_protocol_says() {
    let server = server();
    let mut anna = WebUser::connects(server.page());
    anna.reads("* Welcome to chinwag");
    anna.reads("? Username:");
    anna.says("anna");
    anna.reads("* Hello, anna");
    let mut ben = Person::joins(&server, "ben");
    ben.says("1");
    ben.reads_exactly("* 2 users online");
    ben.reads_rows();
    ben.reads_exactly(MENU);
    ben.says("2 anna");
    anna.reads("? ben wants to chat");
    anna.says("yes");
    anna.reads("* You are now chatting with ben");
    ben.reads("* Asked anna");
    ben.reads("* anna accepted");
    ben.reads("* You are now chatting with anna");
    anna.says("grüße 🙂\nin two lines\r\n");
    ben.reads_exactly("anna: grüße 🙂");
    ben.reads_exactly("anna: in two lines");
    ben.says("naïve");
    assert_eq!(anna.reads("ben: "), "ben: naïve");
    anna.says("quit");
    anna.reads("* You left the chat");
    ben.reads("* anna left the chat");
    anna.says("3");
    assert_eq!(anna.reads("* Goodbye"), "* Goodbye, anna");
    assert_eq!(anna.reads_close(), 1000);
    server.logs(&["anna left: exit"]);
}

/// (2.6.7)
#[test]
fn two_browsers_read_a_room_in_the_same_order() {
    let server = server();
    let (mut anna, mut ben) =
        (WebUser::joins(server.page(), "anna"), WebUser::joins(server.page(), "ben"));
    anna.says("4");
    anna.reads("* You are now in lobby");
    ben.says("4");
    ben.reads("* You are now in lobby");
    anna.says("one\ntwo");
    for user in [&mut anna, &mut ben] {
        user.reads("anna: one");
        assert_eq!(user.reads("anna: "), "anna: two");
    }
}

/// (2.6.5)
#[test]
fn lines_and_pings_in_the_packet_of_the_handshake_count() {
    let server = server();
    let mut browser = Browser::connects(server.page());
    let bytes = [
        handshake(server.page(), "Sec-WebSocket-Protocol: chinwag\r\n").into_bytes(),
        frame(TEXT, b"anna\n1"),
        frame(PING, b"hello?"),
    ];
    browser.sends(bytes.concat());
    let mut anna = WebUser::upgraded(browser);
    let (opcode, payload) = anna.reads_control();
    assert_eq!((opcode, payload.as_slice()), (PONG, &b"hello?"[..]));
    anna.reads("- anna available (you)");
}

/// (2.6.9)
#[test]
fn what_the_protocol_forbids_closes_with_its_code_and_tells_the_partner() {
    let server = server();
    let mut ben = Person::joins(&server, "ben");
    for (code, bytes) in [
        (1002, b"\x81\x02hi".to_vec()),
        (1002, frame(TEXT | 0x40, b"x")),
        (1002, frame(PING, &[b'x'; 126])),
        (1002, frame(0, b"of nothing")),
        (1003, frame(BINARY, b"\0")),
        (1007, frame(TEXT, b"\xff\xec")),
        (1009, b"\x81\xff\0\0\0\0\x7f\xff\xff\xff".to_vec()),
    ] {
        let mut anna = WebUser::joins(server.page(), "anna");
        ben.says("2 anna");
        ben.reads("* Asked anna");
        anna.reads("? ben wants to chat");
        anna.says("yes");
        ben.reads("* anna accepted");
        ben.reads("* You are now chatting");
        let last = [frame(TEXT, b"last"), bytes, vec![0; 8]].concat();
        anna.sends_bytes(&last);
        ben.reads_exactly("anna: last");
        ben.reads("* anna left: the connection failed");
        ben.reads_exactly(MENU);
        assert_eq!(anna.reads_close(), code);
    }
}

/// (2.6.9)
#[test]
fn the_page_learns_why_its_session_ended() {
    let mut server = server_with(&["--naming-timeout", "0.1"]);
    let mut nameless = WebUser::connects(server.page());
    nameless.reads("! You chose no username");
    assert_eq!(nameless.reads_close(), 1008);
    let mut anna = WebUser::joins(server.page(), "anna");
    anna.sends(CLOSE, b"\x03\xe9going");
    assert_eq!(anna.reads_close(), 1001, "the server answers with the code of the client");
    server.logs(&["anna left: the connection ended"]);
    let mut ben = WebUser::joins(server.page(), "ben");
    server.signal(Signal::TERM);
    ben.reads("* ");
    assert_eq!(ben.reads_close(), 1001);
    assert!(server.exits().success());
}

/// (2.6.3)
#[test]
fn a_foreign_page_can_neither_connect_nor_send_lines() {
    let server = server();
    let page = server.page();
    for origin in ["http://evil.example", "null", "http://localhost:3000", "http://127.0.0.1"] {
        let mut browser = Browser::connects(page);
        browser.sends(handshake(page, &format!("Origin: {origin}\r\n")));
        assert_eq!(browser.reads_response(true).status, 403, "{origin}");
    }
    let rebound: SocketAddr = page;
    let request = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}:{}\r\n\r\n", rebound.port());
    for (host, status) in [("evil.example", 403), ("localhost", 200), ("[::1]", 200)] {
        let mut browser = Browser::connects(page);
        browser.sends(request(host));
        assert_eq!(browser.reads_response(true).status, status, "{host}");
    }
    let lines = "eve\n2 anna\nyes\n";
    for path in ["/", "/chat", "/x"] {
        let mut browser = Browser::connects(page);
        let fields = format!("Content-Type: text/plain\r\nContent-Length: {}\r\n", lines.len());
        browser.sends(format!("POST {path} HTTP/1.1\r\nHost: {page}\r\n{fields}\r\n{lines}"));
        let response = browser.reads_to_the_end();
        assert_eq!(response.matches("HTTP/1.1 ").count(), 1, "the body is no request: {response}");
    }
    let mut anna = Person::joins(&server, "anna");
    anna.says("1");
    anna.reads_exactly("* 1 user online");
    let allowed = server_with(&["--origin", "https://chat.example.org"]);
    let fields = "Origin: https://chat.example.org\r\n";
    WebUser::connects_with(allowed.page(), fields).reads("? Username:");
}

/// (2.6.2)
#[test]
fn what_is_no_request_is_told_so_and_the_connection_ends() {
    let server = server();
    for (bytes, status) in [
        (&b"anna\r\n"[..], 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (&[b'A'; 9_000], 431),
    ] {
        let mut browser = Browser::connects(server.page());
        browser.tries_to_send(bytes);
        let text = browser.reads_to_the_end();
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text:?}");
        assert!(text.contains("\r\nConnection: close\r\n"), "{text:?}");
    }
    let mut browser = Browser::connects(server.page());
    assert_eq!(browser.asks("GET /chat", "").field("Upgrade"), Some("websocket"));
}

/// (2.6.4, 7.67)
#[test]
fn half_a_handshake_is_closed_after_ten_seconds() {
    let server = server();
    let mut browser = Browser::connects(server.page());
    browser.sends("GET /chat HTTP/1.1\r\nHost: local");
    assert_eq!(browser.reads_to_the_end(), "");
    server.logs(&["failed: no HTTP request in time"]);
}

/// (2.4.1)
#[test]
fn a_browser_at_the_port_for_lines_is_told_where_the_page_is() {
    let server = server();
    let page = format!("the web page is at http://{}", server.page());
    let mut late = Person::arrives(&server);
    late.sends(b"GET / HTTP/1.1\r\n");
    late.reads_containing(&page);
    late.reads_end_of_stream();
    // The request is here before the server accepts, as from a browser that is quick: the answer is
    // HTTP. The server is stopped meanwhile.
    server.signal(Signal::STOP);
    let mut browser = Browser::connects(server.address());
    browser.sends("GET / HTTP/1.1\r\n\r\n");
    server.signal(Signal::CONT);
    let text = browser.reads_to_the_end();
    assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{text}");
    assert!(
        text.ends_with(&format!("\r\n\r\n! This port is for nc and telnet; {page}. Goodbye\r\n"))
    );
}

/// (2.6.6)
#[test]
fn behind_a_trusted_proxy_a_user_has_an_address_of_their_own() {
    let server = server_with(&["--trusted-proxy", "127.0.0.1", "--max-per-address", "1"]);
    let through = |fields: &str| WebUser::connects_with(server.page(), fields);
    let mut first = through("X-Forwarded-For: 203.0.113.1, 192.0.2.1\r\n");
    first.reads("? Username:");
    server.logs(&["192.0.2.1 connected through 127.0.0.1"]);
    let mut second = through("Forwarded: for=\"[2001:db8::1]:99\";proto=https\r\n");
    second.reads("? Username:");
    let mut third = through("X-Forwarded-For: 192.0.2.1\r\n");
    third.reads("! Your address has too many connections");
    assert_eq!(third.reads_close(), 1008);
    let untrusting = server_with(&[]);
    WebUser::connects_with(untrusting.page(), "X-Forwarded-For: 192.0.2.1\r\n")
        .reads("? Username:");
    untrusting.logs(&["#1 127.0.0.1", "connected"]);
}

/// (2.6.2, 7.25)
#[test]
fn a_full_server_says_so_in_http() {
    let server = server_with(&["--max-connections", "1"]);
    let _anna = WebUser::joins(server.page(), "anna");
    let mut browser = Browser::connects(server.page());
    let response = browser.asks("GET /", "");
    assert_eq!(response.status, 503);
    assert_eq!(response.body, "! The server is full; try again later\n");
}

/// (2.6.8, 7.35, 7.71)
#[test]
fn a_browser_that_reads_slowly_holds_its_partner_and_loses_nothing() {
    let server = server();
    let mut anna = Person::joins(&server, "anna");
    let mut ben = WebUser::joins(server.page(), "ben");
    anna.says("2 ben");
    ben.reads("? anna wants to chat");
    ben.says("yes");
    anna.reads("* Asked ben");
    anna.reads("* ben accepted");
    anna.reads("* You are now chatting");
    let text = "x".repeat(1_000);
    let line = |n: usize| format!("{n:0>6} {text}");
    let lines = (0..20_000).map(|n| line(n) + "\n").collect::<String>();
    let taken = anna.sends_without_waiting(lines.as_bytes());
    assert!(taken < lines.len() / 2, "{taken} bytes were taken although nobody reads");
    let whole = taken / (line(0).len() + 1);
    for n in 0..whole {
        assert_eq!(ben.reads("anna: "), format!("anna: {}", line(n)));
    }
}

/// (2.6.4, 2.6.10)
#[test]
fn pings_are_answered_and_hostile_bytes_never_stop_the_server() {
    let mut server = server();
    let mut anna = WebUser::joins(server.page(), "anna");
    for n in 0..100_u8 {
        anna.sends(PING, &[n; 125]);
        let (opcode, payload) = anna.reads_control();
        assert_eq!((opcode, payload), (PONG, vec![n; 125]));
    }
    for n in 0..200_u32 {
        let mut browser = Browser::connects(server.page());
        if n % 2 == 0 {
            browser.sends(handshake(server.page(), ""));
        }
        let noise =
            (0..500).map(|k| (n.wrapping_mul(2_654_435_761).wrapping_add(k * k * n) >> 7) as u8);
        browser.tries_to_send(&noise.collect::<Vec<_>>());
    }
    server.is_healthy();
    anna.says("1");
    anna.reads("- anna available (you)");
}

/// (2.6.1)
#[test]
fn without_a_page_nothing_is_said_about_one() {
    let mut command = Server::command("127.0.0.1:0", &[]);
    command.stderr(Stdio::null());
    let server = Server::launches_with_stderr(command, 1);
    assert!(server.printed().iter().all(|line| !line.contains("http")), "{:?}", server.printed());
    let mut browser = Person::arrives(&server);
    browser.sends(b"GET / HTTP/1.1\r\n");
    browser.reads_exactly("! This port is a chat, not a web server. Goodbye");
}

/// Idle pages cost nothing until their first pings, after 30 s (2.6.10). By hand, with a crowd:
/// `CHINWAG_TESTS_PAGES=9900 CHINWAG_TESTS_WINDOW=10 cargo test --test web idle_pages -- --nocapture`
///
/// (5.8.1)
#[test]
fn idle_pages_cause_no_turn_of_the_loop() {
    let number = |variable: &str, default: usize| {
        std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (pages, seconds) = (number("CHINWAG_TESTS_PAGES", 50), number("CHINWAG_TESTS_WINDOW", 2));
    let (folder, window) = (TempFolder::new(), seconds.to_string());
    let page = ["--listen", "http://127.0.0.1:0", "--naming-timeout", &window];
    let server = folder.server(&page);
    let mut users = (0..pages)
        .map(|n| {
            let mut user = WebUser::joins(server.page(), &format!("user{n}"));
            user.says("/follow");
            user.reads("* You follow the lists");
            user
        })
        .collect::<Vec<_>>();
    let mut operator = Console::opens(&folder.path("console"));
    let mut turns = || {
        let rows = operator.succeeds("stats", "*");
        let row = rows.iter().find_map(|row| row.strip_prefix("- turns "));
        row.and_then(|count| count.trim().parse::<u64>().ok()).expect("the number of turns")
    };
    // The server's own clock measures: it closes a connection that takes no name.
    let wait = || Person::connects(server.address()).reads_until_closed();
    wait();
    let before = turns();
    wait();
    let caused = turns() - before;
    println!("{pages} idle pages: {caused} turns in {seconds} s");
    assert!(caused <= 20, "{caused} turns, though the pages are idle");
    // And they still follow.
    users[0].says("/busy");
    let last = users.last_mut().expect("there are pages");
    last.reads("- user0 busy");
}
