//! Runs any bytes, cut in any way, into the server's side of TLS (`protocol.md` 2.7), and disturbs the
//! records of a real client. Whatever comes, the server decodes a beginning of what the client said,
//! keeps its buffers bounded, and takes nothing but close_notify for an end. The first byte of an input
//! chooses; the fuzzer and `tests/fuzz_corpus.rs` both call [`run`].

#[path = "../../tests/transport/tls_peer.rs"]
mod tls_peer;

use chinwag::core::limits::{TLS_OUTPUT_BYTES_MAX, TLS_PARTIAL_BYTES_MAX};
use chinwag::core::time::Time;
use chinwag::core::transport::tls::Tls;
use chinwag::core::transport::{Opening, Received, Transport};
use tls_peer::{TlsPeer, Version, accept, server};

/// Bytes of the server's own messages in a handshake, at most, with the certificates of the tests.
const FLIGHT_BYTES_MAX: usize = 8 * 1024;

/// Checks one input.
///
/// # Panics
/// If the transport breaks a promise.
pub(crate) fn run(data: &[u8]) {
    match data.split_first() {
        Some((&choice @ ..0x80, stream)) => run_bytes(stream, 1 + usize::from(choice)),
        Some((choice, script)) => run_client(script, Version::ALL[usize::from(choice & 1)]),
        None => {}
    }
}

/// Feeds bytes that no client has made.
fn run_bytes(stream: &[u8], size: usize) {
    let fails = |size: usize| {
        let (mut connection, mut input) = (accept(&server(), Time::START), Vec::new());
        let results = stream.chunks(size).map(|packet| {
            let result = connection.receive(Time::START, packet, &mut input);
            assert!(connection.output().len() <= FLIGHT_BYTES_MAX);
            result
        });
        let failed = results.filter(Result::is_err).count() > 0;
        assert!(input.is_empty() && !connection.is_end_clean(), "nobody knows the keys");
        assert!(!failed || connection.opening() == Opening::Pending);
        failed
    };
    let whole = fails(stream.len().max(1));
    // A longer message may be complete when it comes in one packet.
    if stream.len() < TLS_PARTIAL_BYTES_MAX {
        assert_eq!([fails(1), fails(size)], [whole; 2], "cut by {size}");
    }
}

/// A client that has shaken hands, and what went over the wire.
struct Wire {
    client: TlsPeer,
    server: Tls,
    /// Bytes for the server that are still on their way.
    flying: Vec<u8>,
    /// What the client has said, and what of it the server has decoded.
    said: Vec<u8>,
    decoded: Vec<u8>,
    /// Somebody has changed bytes on the wire.
    is_disturbed: bool,
    has_failed: bool,
    /// The client has closed TLS.
    is_closed: bool,
    /// The client says nothing more: it has closed TLS, or has read an alert.
    is_silent: bool,
}

impl Wire {
    fn new(version: Version) -> Wire {
        let (mut client, mut server) = (TlsPeer::new(version), accept(&server(), Time::START));
        while client.is_handshaking() || server.is_handshaking() {
            let bytes = client.output();
            server.receive(Time::START, &bytes, &mut Vec::new()).expect("a real client");
            client.decode(server.output());
            server.handle_sent(server.output().len());
        }
        Wire {
            client,
            server,
            flying: Vec::new(),
            said: Vec::new(),
            decoded: Vec::new(),
            is_disturbed: false,
            has_failed: false,
            is_closed: false,
            is_silent: false,
        }
    }

    /// The server receives so many of the flying bytes.
    fn deliver(&mut self, count: usize) {
        let packet = self.flying.drain(..count.min(self.flying.len())).collect::<Vec<_>>();
        if self.has_failed {
            return;
        }
        match self.server.receive(Time::START, &packet, &mut self.decoded) {
            Ok(Received::EndOfInput) => assert!(self.is_closed, "an end that nobody said"),
            Ok(Received::Data) => {}
            Err(error) => {
                assert!(self.is_disturbed, "{error}");
                self.has_failed = true;
            }
        }
        assert!(self.said.starts_with(&self.decoded), "bytes that nobody said");
    }

    /// The client reads what the server has sent, unless it is an alert that ends the connection.
    fn collect(&mut self) {
        let output = self.server.output().to_vec();
        assert!(output.len() <= TLS_OUTPUT_BYTES_MAX + 1_024, "{} bytes wait", output.len());
        self.server.handle_sent(output.len());
        let result = self.client.try_decode(&output);
        self.is_silent |= result.is_err();
        assert!(result.is_ok() || self.has_failed, "{result:?}");
    }
}

/// Obeys a script of two-byte commands.
fn run_client(script: &[u8], version: Version) {
    let mut wire = Wire::new(version);
    for command in script.chunks_exact(2) {
        let amount = usize::from(command[1]);
        match command[0] % 8 {
            0 if !wire.is_silent => {
                let line = vec![command[1]; 1 + amount * amount];
                let bytes = wire.client.encode(&line);
                wire.flying.extend(bytes);
                wire.said.extend(line);
            }
            1 => wire.deliver(1 + amount),
            2 => wire.deliver(usize::MAX),
            3 => {
                let data = vec![b'x'; amount * 64];
                let taken = wire.server.send(&data);
                assert!(taken <= data.len() && (!wire.has_failed || taken == 0));
                wire.collect();
            }
            4 if !wire.flying.is_empty() => {
                let at = amount % wire.flying.len();
                wire.flying[at] ^= 1 | command[0];
                wire.is_disturbed = true;
            }
            5 if !wire.flying.is_empty() => {
                wire.flying.drain(..(1 + amount).min(wire.flying.len()));
                wire.is_disturbed = true;
            }
            6 if version == Version::Tls13 && !wire.is_silent => {
                let bytes = wire.client.change_keys();
                wire.flying.extend(bytes);
                // Too many in a row are an error.
                wire.is_disturbed = true;
            }
            7 if !wire.is_silent => {
                let bytes = wire.client.close();
                wire.flying.extend(bytes);
                wire.is_closed = true;
                wire.is_silent = true;
            }
            _ => {}
        }
    }
    wire.deliver(usize::MAX);
    assert!(wire.is_disturbed || wire.decoded == wire.said, "bytes are missing");
    assert!(wire.is_disturbed || wire.server.is_end_clean() == wire.is_closed);
    wire.server.close();
    wire.collect();
}
