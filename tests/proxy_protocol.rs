//! The PROXY protocol (2.5) against the real program: whoever comes through a trusted proxy has the
//! address that the header names, although the socket comes from loopback.
#![cfg(unix)]

mod common;

use common::console::{Console, TempFolder};
use common::{MENU, Person, Server, USERNAME};

/// The tests are the proxy.
const TRUSTED: [&str; 2] = ["--proxy-protocol", "127.0.0.0/8"];

/// A header of version 1.
fn line(client: &str, port: u16) -> Vec<u8> {
    let (family, server) =
        if client.contains(':') { ("TCP6", "::1") } else { ("TCP4", "10.0.0.1") };
    format!("PROXY {family} {client} {server} {port} 7878\r\n").into_bytes()
}

/// A header of version 2, with something behind the addresses that is to be skipped.
fn binary(client: [u8; 4], port: u16) -> Vec<u8> {
    let signature = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x10";
    [&signature[..], &client, &[10, 0, 0, 1], &port.to_be_bytes(), &[0, 80, 4, 0, 1, 9]].concat()
}

/// Connects through the proxy, and reads the greeting.
#[track_caller]
fn arrives(server: &Server, header: &[u8]) -> Person {
    let mut person = Person::connects(server.address());
    person.sends(header);
    person.reads("* Welcome");
    person.reads_exactly(USERNAME);
    person
}

#[track_caller]
fn joins(server: &Server, header: &[u8], name: &str) -> Person {
    let mut person = arrives(server, header);
    person.takes_username(name);
    person
}

#[track_caller]
fn is_rejected(server: &Server, header: &[u8], line: &str) {
    let mut person = Person::connects(server.address());
    person.sends(header);
    person.reads(line);
    person.reads_end_of_stream();
}

/// (2.5.1, 2.5.2, 8.2.8)
#[test]
fn operators_see_the_address_in_the_header_of_either_version() {
    let folder = TempFolder::new();
    let server = folder.server(&TRUSTED);
    let _anna = joins(&server, &line("203.0.113.7", 50_001), "anna");
    let _bert = joins(&server, &binary([203, 0, 113, 8], 50_002), "bert");
    let _carl = joins(&server, &line("2001:db8::9", 50_003), "carl");
    let mut dora = joins(&server, b"PROXY UNKNOWN\r\n", "dora");
    let mut rows = Console::opens(&folder.path("console")).succeeds("users", "* 4 users");
    rows.sort();
    for (row, address) in rows.iter().zip([
        "203.0.113.7:50001",
        "203.0.113.8:50002",
        "[2001:db8::9]:50003",
        &dora.socket().local_addr().expect("an address").to_string(),
    ]) {
        assert!(row.contains(address), "{row} does not have {address}");
    }
    server.logs(&["203.0.113.7:50001 connected through 127.0.0.1:"]);
    dora.has_read_everything();
}

/// (2.5.2, 2.5.3, 8.2.3, 8.2.4)
#[test]
fn a_ban_by_name_bans_the_address_in_the_header() {
    let folder = TempFolder::new();
    let server = folder.server(&TRUSTED);
    let mut operator = Console::opens(&folder.path("console"));
    let mut anna = joins(&server, &line("203.0.113.7", 1), "anna");
    let mut bert = joins(&server, &binary([203, 0, 113, 8], 2), "bert");
    operator.succeeds("ban anna", "* Banned 203.0.113.7/32 for ever, and removed 1");
    anna.reads("! An operator removed you");
    anna.reads_end_of_stream();
    is_rejected(&server, &binary([203, 0, 113, 7], 3), "! Your address is banned");
    server.logs(&["rejected 1 from banned addresses; latest 203.0.113.7:3"]);
    // A ban of an IPv6 client covers its /64; everybody else is served.
    let _carl = joins(&server, &line("2001:db8::1", 4), "carl");
    operator.succeeds("ban carl", "* Banned 2001:db8::/64 for ever, and removed 1");
    is_rejected(&server, &line("2001:db8::2", 5), "! Your address is banned");
    bert.says("1");
    bert.reads("* 1 user");
}

/// (2.5.2, 2.5.3, 7.26)
#[test]
fn the_limit_per_address_counts_the_address_in_the_header() {
    let server = Server::starts_with(&[&TRUSTED[..], &["--max-per-address", "2"]].concat());
    let mut first = joins(&server, &line("203.0.113.7", 1), "first");
    let _second = joins(&server, &binary([203, 0, 113, 7], 2), "second");
    let full = "! Your address has too many connections; try again later";
    is_rejected(&server, &line("203.0.113.7", 3), full);
    server.logs(&["203.0.113.7:3 rejected"]);
    let _other = joins(&server, &line("203.0.113.8", 4), "other");
    first.says("3");
    first.reads("* Goodbye");
    first.reads_end_of_stream();
    drop(first);
    server.logs(&["first left"]);
    // The place is free once the socket is closed.
    let until = common::now() + common::timeout();
    loop {
        let mut third = Person::connects(server.address());
        third.sends(&line("203.0.113.7", 5));
        if third.reads_a_line().starts_with("* Welcome") {
            break;
        }
        assert!(common::now() < until, "a connection that left still counts");
    }
}

/// (2.5.2, 7.56)
#[test]
fn shares_of_an_address_belong_to_the_address_in_the_header() {
    let server = Server::starts_with(&[&TRUSTED[..], &["--max-rooms-per-address", "1"]].concat());
    let mut anna = joins(&server, &line("203.0.113.7", 1), "anna");
    anna.says("4 tea");
    anna.reads("* You are now in tea");
    let mut bert = joins(&server, &binary([203, 0, 113, 7], 2), "bert");
    bert.says("4 milk");
    bert.reads("! ");
    let mut carl = joins(&server, &binary([203, 0, 113, 8], 2), "carl");
    carl.says("4 milk");
    carl.reads("* You are now in milk");
}

/// (2.5.1, 2.5.3)
#[test]
fn a_script_may_send_its_lines_together_with_the_header_and_in_any_cut() {
    let server = Server::starts_with(&TRUSTED);
    let script = [&line("203.0.113.7", 1)[..], b"anna\n3\n"].concat();
    for cut in [script.len(), 3, script.len() - 8] {
        let mut person = Person::connects(server.address());
        script.chunks(cut).for_each(|piece| person.sends(piece));
        person.half_close();
        person.reads("* Welcome");
        person.reads_exactly(USERNAME);
        person.reads("* Hello, anna");
        person.reads_exactly(MENU);
        person.reads("* Goodbye");
        person.reads_end_of_stream();
    }
}

/// (2.5.4)
#[test]
fn a_connection_without_a_header_reads_why_and_is_closed() {
    let mut server = Server::starts_with(&TRUSTED);
    is_rejected(&server, b"anna\n", "! The server expects a PROXY header");
    is_rejected(&server, b"PROXY TCP4 nonsense\r\n", "! The server expects a PROXY header");
    server.logs(&["127.0.0.1:", "failed: no PROXY header"]);
    server.logs(&["failed: the PROXY header is not valid"]);
    // A health check that only connects is no user, and leaves no connection behind.
    let mut check = Person::connects(server.address());
    check.half_close();
    check.reads_end_of_stream();
    server.is_healthy();
}

/// (2.5.1)
#[test]
fn from_other_networks_and_without_the_flag_a_header_is_ordinary_text() {
    for flags in [&[][..], &["--proxy-protocol", "192.0.2.0/24,2001:db8::/32"]] {
        let server = Server::starts_with(flags);
        let mut person = Person::arrives(&server);
        person.sends(b"PROXY TCP4 203.0.113.7 10.0.0.1 1 7878\r\n");
        person.reads("! ");
        person.reads_exactly(USERNAME);
        person.takes_username("anna");
    }
}

/// (4.10.4)
#[test]
fn a_server_that_stops_does_not_wait_for_a_header() {
    let mut server = Server::starts_with(&[&TRUSTED[..], &["--closing-timeout", "600"]].concat());
    let mut silent = Person::connects(server.address());
    let _anna = joins(&server, &line("203.0.113.7", 1), "anna");
    server.signal(rustix::process::Signal::TERM);
    silent.reads_end_of_stream();
    drop((silent, _anna));
    assert_eq!(server.exits().code(), Some(0));
}
