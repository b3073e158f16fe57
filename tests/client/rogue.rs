//! A server of the test's own that follows the protocol until the test lets it die. It speaks plain
//! text or TLS.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use socket2::SockRef;

use crate::server::TIMEOUT;

/// The menu, as far as the client needs it.
const MENU: &str = "? 1 list";

/// How a server dies, as the client sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Death {
    /// The kernel sends RST, as after a crash with unread input.
    Reset,
    /// The kernel sends FIN, as after a crash with all input read.
    Crash,
}

/// The listening half. It outlives the connections.
pub(crate) struct Rogue {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

/// A socket, with or without TLS.
trait Stream: Read + Write {
    /// Says that nothing more will come, as far as the stream can.
    fn close(&mut self) {}
}

impl Stream for TcpStream {}

impl Stream for StreamOwned<ServerConnection, ByteByByte> {
    fn close(&mut self) {
        self.conn.send_close_notify();
        self.flush().expect("the client reads");
    }
}

/// A socket that sends each byte for itself, so that records are cut everywhere.
struct ByteByByte(TcpStream);

impl Read for ByteByByte {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for ByteByByte {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// One connection of the client, after it has taken its username.
pub(crate) struct Connection {
    stream: BufReader<Box<dyn Stream>>,
    socket: TcpStream,
}

/// The path of a file in `tests/certificates`.
pub(crate) fn certificate(name: &str) -> String {
    format!("{}/tests/certificates/{name}", env!("CARGO_MANIFEST_DIR"))
}

impl Rogue {
    pub(crate) fn new() -> Rogue {
        Rogue { listener: TcpListener::bind("127.0.0.1:0").expect("a free port"), tls: None }
    }

    /// The same with TLS.
    pub(crate) fn with_tls() -> Rogue {
        Rogue::with_versions(rustls::ALL_VERSIONS)
    }

    /// The same with these versions of TLS.
    pub(crate) fn with_versions(versions: &[&'static SupportedProtocolVersion]) -> Rogue {
        let chain = CertificateDer::pem_file_iter(certificate("chain.pem")).expect("a file");
        let chain = chain.collect::<Result<_, _>>().expect("certificates");
        let key = PrivateKeyDer::from_pem_file(certificate("chain-key.pem")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider);
        let config = config.with_protocol_versions(versions).expect("versions");
        let config = config.with_no_client_auth().with_single_cert(chain, key).expect("a pair");
        Rogue { tls: Some(config.into()), ..Rogue::new() }
    }

    /// The address, as `chinwag connect` takes it.
    pub(crate) fn address(&self) -> String {
        let address = self.listener.local_addr().expect("it is bound");
        match self.tls {
            None => address.to_string(),
            Some(_) => format!("tls://{address}"),
        }
    }

    /// Accepts the client and brings it to the menu.
    pub(crate) fn accept(&self) -> Connection {
        let (socket, _) = self.listener.accept().expect("the client connects");
        socket.set_read_timeout(Some(TIMEOUT)).expect("a deadline can be set");
        let raw = socket.try_clone().expect("a second descriptor");
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(socket),
            Some(config) => {
                let session = ServerConnection::new(Arc::clone(config)).expect("a session");
                socket.set_nodelay(true).expect("a socket has the option");
                Box::new(StreamOwned::new(session, ByteByByte(socket)))
            }
        };
        let mut connection = Connection { stream: BufReader::new(stream), socket: raw };
        connection.say(&["? Username:"]);
        assert_eq!(connection.read(), "anna", "the client sends its name first");
        connection.say(&["* Hello, anna", MENU]);
        connection
    }
}

impl Connection {
    /// Sends lines in one packet.
    pub(crate) fn say(&mut self, lines: &[&str]) {
        let lines = lines.join("\r\n") + "\r\n";
        let stream = self.stream.get_mut();
        stream.write_all(lines.as_bytes()).expect("the client reads");
        stream.flush().expect("the client reads");
    }

    /// Reads one line.
    pub(crate) fn read(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the client sends");
        line.trim_end().to_owned()
    }

    /// Reads `count` lines.
    pub(crate) fn read_lines(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.read()).collect()
    }

    /// Brings the client into the lobby, whose history has these lines.
    pub(crate) fn enter_lobby(&mut self, history: &[String]) {
        assert_eq!(self.read(), "4 lobby");
        self.say(&["* You are now in lobby; quit leaves it", "- ben"]);
        if !history.is_empty() {
            self.say(&[&format!("* The last {} lines said here", history.len())]);
        }
        for line in history {
            self.say(&[&format!("- 2026-01-02 03:04Z {line}")]);
        }
    }

    /// Sends until the client reads no more.
    pub(crate) fn flood(&mut self) {
        let patience = std::time::Duration::from_millis(500);
        self.socket.set_write_timeout(Some(patience)).expect("a deadline can be set");
        let lines = format!("* {}\r\n", "x".repeat(1_000)).repeat(64);
        while self.stream.get_mut().write_all(lines.as_bytes()).is_ok() {}
    }

    /// Sends close_notify.
    pub(crate) fn closes_tls(&mut self) {
        self.stream.get_mut().close();
    }

    /// Reads until the client has ended its half.
    pub(crate) fn reads_end(&mut self) {
        self.stream.read_to_end(&mut Vec::new()).expect("the client ends its half");
    }

    /// Ends the connection. The caller has read every line, so none is still on its way.
    pub(crate) fn die(self, death: Death) {
        if let Death::Reset = death {
            let at_once = Some(std::time::Duration::ZERO);
            SockRef::from(&self.socket).set_linger(at_once).expect("a socket lingers");
        }
    }
}
