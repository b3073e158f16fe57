//! The page and WebSocket over TLS, with rustls as the browser.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Server, certificate, socket};

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn server() -> Server {
    let (chain, key) = (certificate("chain.pem"), certificate("chain-key.pem"));
    let flags = ["--listen", "https://127.0.0.1:0", "--tls-cert", &chain, "--tls-key", &key];
    let mut command = Server::command("127.0.0.1:0", &flags);
    command.stderr(Stdio::piped());
    Server::launches_with_stderr(command, 1)
}

/// A browser's connection, which offers these application protocols.
fn browser(server: &Server, protocols: &[&str]) -> Stream {
    shakes_hands(socket(server.page()), protocols)
}

/// A connection that will shake hands with its first bytes.
fn shakes_hands(socket: TcpStream, protocols: &[&str]) -> Stream {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, socket)
}

fn reads_until(stream: &mut Stream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap_or_else(|e| {
            panic!("{e}; expected {end:?} behind {}", String::from_utf8_lossy(&text))
        });
        text.push(byte[0]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// (2.7.1, 2.7.3)
#[test]
fn the_page_comes_over_tls_whole() {
    let server = server();
    let mut stream = browser(&server, &["h2", "http/1.1"]);
    let host = server.page();
    write!(stream, "GET /page.js HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut response = Vec::new();
    // An error unless close_notify comes (2.7.5).
    stream.read_to_end(&mut response).unwrap();
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let script = include_str!("../../src/web/page.js");
    let response = String::from_utf8(response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 ") && response.ends_with(script), "{response}");
}

/// (2.7.1, 2.7.5)
#[test]
fn a_websocket_user_chats_over_tls() {
    let server = server();
    let mut stream = browser(&server, &["http/1.1"]);
    let host = server.page();
    write!(
        stream,
        "GET /chat HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .unwrap();
    assert!(reads_until(&mut stream, "\r\n\r\n").starts_with("HTTP/1.1 101 "));
    reads_until(&mut stream, "? Username:\r\n");
    // A text frame with an empty mask.
    stream.write_all(b"\x81\x84\0\0\0\0anna").unwrap();
    reads_until(&mut stream, "* Hello, anna\r\n");
    stream.write_all(b"\x81\x81\0\0\0\x003").unwrap();
    reads_until(&mut stream, "* Goodbye, anna\r\n");
    let mut close = Vec::new();
    stream.read_to_end(&mut close).unwrap();
    assert_eq!(close, [0x88, 2, 0x03, 0xe8], "a close frame, and then close_notify");
    server.logs(&["anna left: exit"]);
}

/// (2.7.3)
#[test]
fn a_browser_without_http_1_is_told_so_by_an_alert() {
    let server = server();
    let mut stream = browser(&server, &["h2"]);
    let error = stream.write_all(b"PRI * HTTP/2.0\r\n\r\n").unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
    server.logs(&["failed: the client wants a protocol that is not served here"]);
}

/// (2.5.1, 2.7.1)
#[test]
fn a_proxy_that_passes_tls_through_tells_the_address_before_it() {
    let server = super::server_with("chain", &["--proxy-protocol", "127.0.0.1"]);
    let mut socket = socket(server.address());
    socket.write_all(b"PROXY TCP4 192.0.2.7 10.0.0.1 4000 7879\r\n").unwrap();
    let mut stream = shakes_hands(socket, &[]);
    stream.write_all(b"anna\n").unwrap();
    reads_until(&mut stream, "* Hello, anna\r\n");
    server.logs(&["192.0.2.7:4000 connected through 127.0.0.1:"]);
}

/// (2.7.4)
#[test]
fn a_browser_that_forgets_the_s_reads_a_page_that_says_so() {
    let server = server();
    let mut stream = socket(server.page());
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    assert!(response.contains("\r\n\r\n! This port speaks TLS"), "{response}");
}
