//! What counts as taken and as arrived, with a real socket that takes little.

use std::net::{TcpListener, TcpStream as StdStream};
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use socket2::SockRef;

use super::*;
use crate::client::io::trust::Confirming;
use crate::client::options::Server;

#[test]
fn a_line_has_arrived_only_with_the_last_byte_of_its_record() {
    let mut writes = Writes::default();
    for (len, end) in [(10, 40), (20, 90), (30, 150)] {
        writes.push(len, end);
    }
    for (acknowledged, missing) in [(0, 60), (39, 60), (40, 50), (89, 50), (149, 30), (150, 0)] {
        assert_eq!(writes.missing(acknowledged), missing, "{acknowledged}");
    }
}

#[test]
fn however_many_writes_nobody_asks_about_they_take_little_memory() {
    let mut writes = Writes::default();
    let count = UNACKNOWLEDGED_WRITES_MAX as u64 + 10;
    (1..=count).for_each(|n| writes.push(1, n));
    assert_eq!(writes.0.len(), UNACKNOWLEDGED_WRITES_MAX);
    assert_eq!(writes.missing(0) as u64, count);
    assert_eq!(
        writes.missing(10) as u64,
        count,
        "the oldest count as one, and one has not arrived"
    );
    assert_eq!(writes.missing(count - 1), 1);
}

/// A server that reads only when the test lets it.
struct Reader {
    session: ServerConnection,
    socket: StdStream,
}

impl Reader {
    /// Reads and decrypts what is there.
    fn reads(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        while self.session.read_tls(&mut self.socket).is_ok_and(|count| count > 0) {
            self.session.process_new_packets().expect("the client keeps to TLS");
            let _ = self.session.reader().read_to_end(&mut text);
            while self.session.wants_write() {
                self.session.write_tls(&mut self.socket).expect("the client reads");
            }
        }
        text
    }
}

/// The two ends of a connection with small buffers.
fn ends() -> (TlsStream, Reader) {
    let file = |name: &str| format!("{}/tests/certificates/{name}", env!("CARGO_MANIFEST_DIR"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    SockRef::from(&listener).set_recv_buffer_size(4096).unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = StdStream::connect(("127.0.0.1", port)).unwrap();
    SockRef::from(&client).set_send_buffer_size(4096).unwrap();
    let (socket, _) = listener.accept().unwrap();
    for end in [&client, &socket] {
        end.set_nonblocking(true).unwrap();
    }
    let chain = CertificateDer::pem_file_iter(file("chain.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("chain-key.pem")).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.collect::<Result<_, _>>().unwrap(), key)
            .unwrap();
    let session = ServerConnection::new(config.into()).unwrap();
    let server = Server { host: "localhost".to_owned(), port, is_tls: true };
    let trust = Trust::new(&server, Some(Path::new(&file("ca.pem"))), Confirming::Here).unwrap();
    let mut stream = TlsStream::new(TcpStream::from_std(client), &trust).unwrap();
    let mut reader = Reader { session, socket };
    while !stream.shake_hands().unwrap() {
        reader.reads();
    }
    (stream, reader)
}

#[test]
fn a_socket_that_takes_little_gets_every_line_once_and_in_order() {
    let (mut stream, mut reader) = ends();
    let lines = (0..200).map(|n| format!("{n} {}\r\n", "x".repeat(n * 5))).collect::<Vec<_>>();
    let (mut text, mut blocked) = (Vec::new(), 0);
    for line in &lines {
        while let Err(error) = stream.write(line.as_bytes()) {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            blocked += 1;
            // The kernel has not taken this line, and the peer may lack those before.
            text.extend(reader.reads());
        }
    }
    assert!(blocked > 3, "the socket took everything at once");
    assert!(stream.missing(1) >= lines[199].len(), "a byte of the last record is missing");
    stream.end().unwrap();
    while text.len() < lines.concat().len() {
        text.extend(reader.reads());
    }
    assert!(text == lines.concat().as_bytes(), "a line is missing, or came twice");
    assert_eq!(stream.missing(0), 0);
    // The end that the server meant, and then the end that it did not mean.
    reader.session.send_close_notify();
    reader.session.write_tls(&mut reader.socket).unwrap();
    drop(reader);
    let end = std::iter::from_fn(|| match stream.read(&mut [0; 10]) {
        Err(error) if error.kind() == ErrorKind::Interrupted => Some(None),
        other => Some(Some(other)),
    });
    assert_eq!(end.flatten().next().unwrap().unwrap(), 0);
    let (mut stream, mut reader) = ends();
    while reader.session.is_handshaking() {
        reader.reads();
    }
    drop(reader);
    let error = loop {
        match stream.read(&mut [0; 10]) {
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            other => break other.unwrap_err(),
        }
    };
    assert_eq!(error.to_string(), CUT_OFF);
}
