//! TLS as a transport, against the client's side of rustls, without sockets: however the records are
//! cut, whatever comes instead of them, and how both sides close.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "transport/tls_peer.rs"]
mod tls_peer;

use chinwag::core::limits::{
    TLS_HANDSHAKE_MS, TLS_OUTPUT_BYTES_MAX, TLS_PARTIAL_BYTES_MAX, TLS_SESSIONS_KEPT_MAX,
};
use chinwag::core::time::Time;
use chinwag::core::transport::tls::{Inside, Tls, TlsServer};
use chinwag::core::transport::{Opening, Received, Transport, TransportError};
use tls_peer::{TlsPeer, Version, accept, client_config, server};

/// A client and the server's transport, with a wire between them that cuts.
struct Wire {
    client: TlsPeer,
    server: Tls,
    /// Bytes at a time.
    cut: usize,
    /// What the server has decoded, and what the client has.
    at_server: Vec<u8>,
    at_client: Vec<u8>,
    end: Option<Received>,
}

impl Wire {
    fn new(version: Version, cut: usize) -> Wire {
        let server = accept(&server(), Time::START);
        let mut wire = Wire::between(TlsPeer::new(version), server, cut);
        wire.shakes_hands();
        wire
    }

    fn between(client: TlsPeer, server: Tls, cut: usize) -> Wire {
        let (at_server, at_client) = (Vec::new(), Vec::new());
        Wire { client, server, cut, at_server, at_client, end: None }
    }

    fn shakes_hands(&mut self) {
        assert_eq!(self.server.opening(), Opening::Pending);
        assert!(self.server.is_handshaking() && self.server.deadline().is_some());
        while self.client.is_handshaking() || self.server.is_handshaking() {
            let bytes = self.client.output();
            assert!(!bytes.is_empty(), "the handshake goes on");
            self.delivers(&bytes).unwrap();
            self.collects();
        }
        assert_eq!(self.server.opening(), Opening::Ready(None));
        assert_eq!(self.server.deadline(), None, "the handshake was in time");
        assert!(self.server.is_private(), "3.4.5: passwords may pass");
    }

    fn delivers(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        for piece in bytes.chunks(self.cut) {
            let received = self.server.receive(Time::START, piece, &mut self.at_server)?;
            if received == Received::EndOfInput {
                self.end = Some(received);
            }
        }
        Ok(())
    }

    fn collects(&mut self) {
        while !self.server.output().is_empty() {
            let piece = self.server.output();
            let piece = piece[..piece.len().min(self.cut)].to_vec();
            self.at_client.extend(self.client.decode(&piece));
            self.server.handle_sent(piece.len());
        }
    }

    /// Sends everything, as the exchange does.
    fn says(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            let count = self.server.send(text);
            text = &text[count..];
            self.collects();
        }
    }
}

/// (2.7.1, 2.1.5)
#[test]
fn records_cut_anywhere_carry_the_same_lines() {
    for version in Version::ALL {
        for cut in [1, 2, 3, 5, 7, 16, 100, 4096] {
            let mut wire = Wire::new(version, cut);
            let bytes = [wire.client.encode(b"anna\n"), wire.client.encode("é\n".as_bytes())];
            wire.delivers(&bytes.concat()).unwrap();
            assert_eq!(wire.at_server, "anna\né\n".as_bytes(), "{version:?}, cut by {cut}");
            wire.says(b"* Hello, anna\r\n");
            assert_eq!(wire.at_client, b"* Hello, anna\r\n", "{version:?}, cut by {cut}");
        }
    }
}

#[test]
fn every_cut_of_two_records_gives_the_same() {
    for version in Version::ALL {
        let mut wire = Wire::new(version, 4096);
        for cut in 0..60 {
            let bytes = [wire.client.encode(b"one\n"), wire.client.encode(b"two\n")].concat();
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            wire.delivers(first).unwrap();
            wire.delivers(second).unwrap();
            assert_eq!(std::mem::take(&mut wire.at_server), b"one\ntwo\n", "cut at {cut}");
        }
    }
}

#[test]
fn lines_behind_the_last_message_of_the_handshake_count() {
    let server = accept(&server(), Time::START);
    let mut wire = Wire::between(TlsPeer::new(Version::Tls13), server, 4096);
    let hello = wire.client.output();
    wire.delivers(&hello).unwrap();
    wire.collects();
    let rest = wire.client.encode(b"anna\n");
    wire.delivers(&rest).unwrap();
    assert_eq!(wire.server.opening(), Opening::Ready(None));
    assert_eq!(wire.at_server, b"anna\n");
}

/// (2.7.5)
#[test]
fn both_sides_close_tls_before_they_close_the_connection() {
    for version in Version::ALL {
        let mut wire = Wire::new(version, 3);
        let bytes = [wire.client.encode(b"3\n"), wire.client.close()].concat();
        wire.delivers(&bytes).unwrap();
        assert_eq!((&*wire.at_server, wire.end), (&b"3\n"[..], Some(Received::EndOfInput)));
        assert!(wire.server.is_end_clean());
        wire.says(b"* Goodbye\r\n");
        assert!(!wire.client.is_closed);
        wire.server.close();
        wire.server.close();
        assert_eq!(wire.server.send(b"more"), 0, "nothing follows the close");
        wire.collects();
        assert!(wire.client.is_closed, "{version:?}: close_notify has come");
        assert_eq!(wire.at_client, b"* Goodbye\r\n");
    }
}

/// (2.7.5)
#[test]
fn a_stream_that_is_cut_is_no_end() {
    for version in Version::ALL {
        let mut wire = Wire::new(version, 4096);
        let bytes = wire.client.encode(b"transfer 10");
        wire.delivers(&bytes).unwrap();
        assert!(!wire.server.is_end_clean(), "{version:?}");
    }
}

/// (2.7.4)
#[test]
fn what_is_not_tls_gets_an_alert_and_no_line_of_the_chat() {
    for (version, bytes) in [
        (None, &b"\x16\x03\x01\x00\x06hello!"[..]),
        (None, b"\x16anna is here\n"),
        (None, b"\x16\x03\x01\xff\xff too long"),
        (Some(Version::Tls12), b"\x17\x03\x03\x00\x20................................"),
        (Some(Version::Tls13), b"\x17\x03\x03\x00\x20................................"),
        (Some(Version::Tls13), b"GET / HTTP/1.1\r\n\r\n"),
    ] {
        let mut server = match version {
            None => accept(&server(), Time::START),
            Some(version) => Wire::new(version, 4096).server,
        };
        let mut input = Vec::new();
        let result = server.receive(Time::START, bytes, &mut input);
        assert!(result.is_err(), "{version:?} {}", bytes.escape_ascii());
        let alert = server.output().to_vec();
        let expected = if version == Some(Version::Tls13) { 0x17 } else { 0x15 };
        assert_eq!(alert[0], expected, "{version:?} {}", bytes.escape_ascii());
        server.handle_sent(alert.len());
        assert!(input.is_empty() && server.send(b"hello") == 0 && server.output().is_empty());
        server.close();
        assert!(server.output().is_empty(), "an alert is the last thing");
        assert_eq!(server.receive(Time::START, b"more", &mut input), result);
    }
}

/// (2.7.4)
#[test]
fn a_client_that_does_not_speak_tls_reads_one_line() {
    for (inside, start) in
        [(Inside::Lines, "! This port speaks TLS"), (Inside::Page, "HTTP/1.1 400 ")]
    {
        for bytes in [&b"anna\n"[..], b"\xff\xfd\x03", b"GET / HTTP/1.1\r\n", b"\0"] {
            let mut connection = server().accept(Time::START, inside);
            let mut input = Vec::new();
            assert!(connection.receive(Time::START, bytes, &mut input).is_err());
            let line = String::from_utf8(connection.output().to_vec()).unwrap();
            assert!(line.starts_with(start) && line.ends_with("nothing was done\r\n"), "{line}");
            assert!(input.is_empty());
        }
    }
}

/// (2.7.3, 7.78)
#[test]
fn a_handshake_has_a_deadline_and_a_silent_client_reads_why() {
    let until = Time::START.after_ms(TLS_HANDSHAKE_MS);
    for bytes in [&b""[..], b"\x16\x03\x01"] {
        let mut connection = accept(&server(), Time::START);
        connection.receive(Time::START, bytes, &mut Vec::new()).unwrap();
        assert_eq!(connection.deadline(), Some(until));
        let early = Time::START.after_ms(TLS_HANDSHAKE_MS - 1);
        assert_eq!(connection.handle_timeout(early, true), Ok(Received::Data));
        assert!(connection.handle_timeout(until, true).is_err());
        assert_eq!(connection.output().starts_with(b"! This port speaks TLS"), bytes.is_empty());
        assert_eq!(connection.deadline(), None);
    }
}

/// (7.79)
#[test]
fn a_message_of_the_handshake_that_never_ends_is_refused() {
    let mut connection = accept(&server(), Time::START);
    // A ClientHello that claims to be long, in records of one byte.
    let mut claims = [0x01, 0x00, 0xff, 0xf0].into_iter().chain(std::iter::repeat(7));
    let mut sent = 0;
    let error = loop {
        let record = [0x16, 3, 1, 0, 1, claims.next().unwrap()];
        sent += record.len();
        match connection.receive(Time::START, &record, &mut Vec::new()) {
            Ok(_) => assert!(sent <= TLS_PARTIAL_BYTES_MAX, "{sent} bytes were kept"),
            Err(error) => break error,
        }
    };
    assert!(sent > 100, "{error}");
}

/// (7.80)
#[test]
fn a_client_that_does_not_read_fills_a_bounded_buffer() {
    for version in Version::ALL {
        let mut wire = Wire::new(version, 4096);
        let line = [b'x'; 1_000];
        let mut taken = 0;
        loop {
            let count = wire.server.send(&line);
            if count == 0 {
                break;
            }
            taken += count;
        }
        assert!(wire.server.output().len() <= TLS_OUTPUT_BYTES_MAX && taken >= 7_000);
        assert_eq!(wire.server.send(&[b'y'; 100_000]), 0);
        wire.collects();
        assert_eq!(wire.at_client.len(), taken);
        wire.says(&[b'z'; 100_000]);
        assert_eq!(wire.at_client.len(), taken + 100_000);
    }
}

/// (2.7.3)
#[test]
fn new_keys_are_taken_and_answered_as_often_as_a_client_may_want_them() {
    let mut wire = Wire::new(Version::Tls13, 4096);
    for n in 0..100 {
        let bytes = [wire.client.change_keys(), wire.client.encode(b"hello\n")].concat();
        wire.delivers(&bytes).unwrap();
        wire.says(b"hello too\r\n");
        assert_eq!(wire.at_client.len(), (n + 1) * 11);
    }
    let many = (0..40).flat_map(|_| wire.client.change_keys()).collect::<Vec<_>>();
    assert!(wire.delivers(&many).is_err(), "but not without saying anything");
    assert!(wire.server.output().len() < 1_024);
}

/// (2.7.3, 7.83)
#[test]
fn a_session_goes_on_in_a_cheaper_handshake_and_the_memory_for_that_is_bounded() {
    let server = server();
    for version in Version::ALL {
        let config = client_config(&[version]);
        let meet = |config| {
            let server = accept(&server, Time::START);
            let mut wire = Wire::between(TlsPeer::with_config(config), server, 4096);
            wire.shakes_hands();
            wire.says(b"* Welcome\r\n");
            wire.client.is_resumed()
        };
        assert!(!meet(config.clone()), "{version:?}: the first has no ticket");
        assert!(meet(config.clone()), "{version:?}: the second has one");
        if version == Version::Tls13 {
            let others = 2 * TLS_SESSIONS_KEPT_MAX;
            (0..others).for_each(|_| assert!(!meet(client_config(&[version]))));
            assert!(!meet(config), "the oldest sessions are forgotten");
        }
    }
}

/// (2.7.6)
#[test]
fn a_renewed_certificate_is_for_new_connections() {
    let mut tls = server();
    let old = accept(&tls, Time::START);
    let mut wire = Wire::between(TlsPeer::new(Version::Tls13), old, 4096);
    wire.shakes_hands();
    let rsa = chinwag::core::transport::tls::Certificate::from_pem(
        include_bytes!("certificates/rsa.pem"),
        include_bytes!("certificates/rsa-key.pem"),
    );
    tls.renew(rsa.unwrap());
    wire.says(b"hello\r\n");
    assert_eq!(wire.at_client, b"hello\r\n", "the connection goes on");
    let error = handshake_error(&tls, &mut TlsPeer::new(Version::Tls13));
    assert!(matches!(error, rustls::Error::InvalidCertificate(_)), "another one: {error}");
}

fn handshake_error(tls: &TlsServer, client: &mut TlsPeer) -> rustls::Error {
    let mut server = accept(tls, Time::START);
    server.receive(Time::START, &client.output(), &mut Vec::new()).unwrap();
    let error = client.try_decode(server.output()).unwrap_err();
    let alert = client.output();
    let failure = server.receive(Time::START, &alert, &mut Vec::new()).unwrap_err();
    assert_eq!(failure.to_string(), "the client does not trust the certificate");
    error
}

#[test]
fn an_idle_connection_owns_no_buffer() {
    let mut wire = Wire::new(Version::Tls13, 4096);
    wire.says(b"hello\r\n");
    assert!(wire.server.output().is_empty());
    assert!(format!("{:?}", wire.server).contains("Open"), "and prints no keys");
}
