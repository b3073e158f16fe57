//! TLS with the real program: through openssl, ncat, socat and gnutls-cli, with certificates of every
//! kind, while the certificate is renewed, and next to clients that never finish a handshake.
//!
//! If a tool is not installed, its test reports a skip. On CI a skip is a failure.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod common;
#[path = "tls/https.rs"]
mod https;
#[path = "tls/reload.rs"]
mod reload;
#[path = "tls/sslyze.rs"]
mod sslyze;
#[path = "tls/tools.rs"]
mod tools;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use common::{MENU, Person, Server, USERNAME, reference, skip, timeout};
use tools::{GNUTLS, NCAT, OPENSSL, SOCAT, Tool};

/// The path of a file in `tests/certificates`.
fn certificate(name: &str) -> String {
    format!("{}/tests/certificates/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A server that speaks TLS at its first address and plain text at its second.
fn server_with(pair: &str, flags: &[&str]) -> Server {
    let (chain, key) =
        (certificate(&format!("{pair}.pem")), certificate(&format!("{pair}-key.pem")));
    let both = ["--listen", "127.0.0.1:0", "--tls-cert", &chain, "--tls-key", &key];
    let mut command = Server::command("tls://127.0.0.1:0", &[&both, flags].concat());
    command.stderr(Stdio::piped());
    Server::launches_with_stderr(command, 2)
}

fn server() -> Server {
    server_with("chain", &[])
}

/// What the program says when it cannot start.
fn start_failure(flags: &[&str]) -> String {
    let run = common::server::run(&[&["serve"], flags].concat(), &[]);
    assert_eq!((run.status.code(), run.stdout.as_str()), (Some(1), ""), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    run.stderr
}

fn the_reference_session_through(tool: Tool) {
    if tool.is_missing() {
        return;
    }
    reference::runs_on(
        &server(),
        |server| tool.connects(server.address()),
        |mut person| person.reads_end_of_stream(),
    );
}

/// (2.7.1, 2.7.5)
#[test]
fn the_reference_session_runs_through_openssl() {
    the_reference_session_through(OPENSSL);
}

/// (2.7.1, 2.7.5)
#[test]
fn the_reference_session_runs_through_ncat() {
    the_reference_session_through(NCAT);
}

/// (2.7.1, 2.7.5)
#[test]
fn the_reference_session_runs_through_socat() {
    the_reference_session_through(SOCAT);
}

/// (2.7.1, 2.7.5)
#[test]
fn the_reference_session_runs_through_gnutls() {
    the_reference_session_through(GNUTLS);
}

/// (2.7.5)
#[test]
fn a_script_reads_every_answer_through_every_tool() {
    let server = server();
    for tool in [NCAT, SOCAT, GNUTLS] {
        if tool.is_missing() {
            continue;
        }
        let mut child = tool.starts(server.address());
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"anna\n1\n").unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("- anna available (you)\r\n? 1 list users"), "{}: {text}", tool.name);
        // The username is free again only when the server has seen the end.
        server.logs(&["anna left"]);
    }
}

/// (2.7.2, 2.7.3)
#[test]
fn every_kind_of_key_serves_both_versions_and_no_older_one() {
    if OPENSSL.is_missing() {
        return;
    }
    for pair in ["rsa", "p256", "p384", "ed25519", "chain"] {
        let server = server_with(pair, &[]);
        for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let report = tools::s_client(server.address(), &[version]);
            assert!(report.contains(&format!("New, {name}, Cipher is")), "{pair}: {report}");
        }
        for version in ["-tls1", "-tls1_1"] {
            let report = tools::s_client(server.address(), &[version, "-cipher", "ALL@SECLEVEL=0"]);
            assert!(report.contains("SSL alert number"), "{pair} {version}: {report}");
        }
    }
}

/// (2.7.3)
#[test]
fn renegotiation_and_early_data_are_not_offered() {
    if OPENSSL.is_missing() {
        return;
    }
    let mut server = server();
    let report = tools::s_client_types(server.address(), &["-tls1_2"], "R\n");
    assert!(report.contains("RENEGOTIATING"), "{report}");
    assert!(report.contains("no renegotiation") || report.contains("unexpected"), "{report}");
    let report = tools::s_client(server.address(), &["-tls1_3"]);
    assert!(!report.contains("Max Early Data: 1"), "{report}");
    server.is_healthy();
}

/// (2.7.4)
#[test]
fn a_plain_client_at_the_port_for_tls_reads_one_line() {
    let server = server();
    let mut person = Person::connects(server.address());
    person.says("anna");
    person.reads("! This port speaks TLS");
    person.reads_end_of_stream();
    server.logs(&["failed: the client does not speak TLS"]);
}

/// (2.4.1)
#[test]
fn a_tls_client_at_the_port_for_plain_text_could_read_where_tls_is() {
    let server = server();
    let mut person = Person::connects(server.addresses()[1]);
    person.reads("* Welcome");
    person.reads_exactly(USERNAME);
    person.sends(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    let place = format!("! This port speaks plain text; TLS is at tls://{}", server.address());
    person.reads(&place);
    person.reads_end_of_stream();
}

/// (2.7.2)
#[test]
fn a_bad_pair_is_one_clear_line_at_the_start() {
    let pem = certificate;
    for (chain, key, what) in [
        ("p256.pem", "missing.pem", "missing.pem: No such file"),
        ("missing.pem", "p256-key.pem", "missing.pem: No such file"),
        ("", "p256-key.pem", "tests/certificates/ is not a file"),
        ("README.md", "p256-key.pem", "README.md has no certificate in PEM form"),
        ("p256.pem", "README.md", "README.md has no private key in PEM form"),
        ("p256-key.pem", "p256.pem", "p256-key.pem has a key and no certificate"),
        ("p256.pem", "rsa-key.pem", "rsa-key.pem has another key than the first certificate"),
        ("p256.pem", "encrypted-key.pem", "encrypted-key.pem has a key with a password"),
        ("p521.pem", "p521-key.pem", "p521-key.pem has a key of another kind"),
    ] {
        let (chain, key) = (pem(chain), pem(key));
        let flags = ["--listen", "tls://127.0.0.1:0", "--tls-cert", &chain, "--tls-key", &key];
        let line = start_failure(&flags);
        assert!(line.contains(what), "{line}");
        assert!(line.starts_with("chinwag: "), "{line}");
    }
    for scheme in ["tls", "https"] {
        let address = format!("{scheme}://127.0.0.1:0");
        let line = start_failure(&["--listen", &address]);
        assert!(line.contains("needs --tls-cert and --tls-key"), "{line}");
    }
    let run = common::server::run(&["serve", "--tls-cert", "x.pem"], &[]);
    assert_eq!(run.status.code(), Some(2));
    assert!(run.stderr.contains("--tls-key"), "{}", run.stderr);
}

/// (7.64, 7.78)
#[test]
fn half_open_handshakes_delay_nobody_and_the_oldest_make_room() {
    if NCAT.is_missing() {
        return;
    }
    let mut server = server_with("chain", &["--max-opening", "200"]);
    let mut anna = NCAT.connects(server.address());
    anna.reads_all(&["* Welcome", USERNAME]);
    anna.takes_username("anna");
    let half_open = (0..300).map(|_| {
        let mut socket = TcpStream::connect(server.address()).unwrap();
        socket.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc").unwrap();
        socket
    });
    let half_open = half_open.collect::<Vec<_>>();
    server.logs(&["failed: too many connections are opening"]);
    let mut bert = NCAT.connects(server.address());
    bert.reads_all(&["* Welcome", USERNAME]);
    bert.takes_username("bert");
    bert.chats_with(&mut anna);
    bert.says("hello");
    anna.reads_exactly("bert: hello");
    let mut first = &half_open[0];
    first.set_read_timeout(Some(timeout())).unwrap();
    assert!(matches!(first.read(&mut [0; 16]), Ok(0) | Err(_)), "the oldest was closed");
    server.is_healthy();
}

/// (8.2.3, 2.7.7)
#[test]
fn a_client_that_is_turned_away_gets_an_alert() {
    let server = server_with("p256", &["--max-connections", "1"]);
    let _only = TcpStream::connect(server.address()).unwrap();
    let mut second = TcpStream::connect(server.address()).unwrap();
    second.set_read_timeout(Some(timeout())).unwrap();
    let mut alert = Vec::new();
    second.read_to_end(&mut alert).unwrap();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 49], "access_denied");
}

#[test]
fn the_addresses_and_the_way_to_join_are_printed() {
    let mut server = server();
    server.signal(rustix::process::Signal::TERM);
    server.exits();
    let text = server.printed().join("\n");
    assert!(text.contains("chinwag listens on tls://127.0.0.1:"), "{text}");
    assert!(text.contains("   or   ncat --ssl 127.0.0.1 "), "{text}");
}

#[test]
fn a_certificate_that_nobody_uses_is_a_warning() {
    let (chain, key) = (certificate("p256.pem"), certificate("p256-key.pem"));
    let server = Server::starts_with(&["--tls-cert", &chain, "--tls-key", &key]);
    server.logs(&["WARN", "no address uses the certificate"]);
}

/// Connects a plain socket that a TLS library will use.
fn socket(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(timeout())).unwrap();
    socket.set_write_timeout(Some(timeout())).unwrap();
    socket
}

/// Runs `command`, which reads its standard input to the end, and returns everything that it prints.
fn everything_printed_by(mut command: Command, input: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program may have failed, and then it reads nothing.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}
