//! A user of the load: a blocking socket, with TLS or without.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct User {
    socket: TcpStream,
    tls: Option<ClientConnection>,
    /// What the server sent and nobody has looked at.
    text: Vec<u8>,
}

/// What a client needs that trusts these certificates. Every handshake is a full one.
pub(super) fn trusting(authority: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).expect("a file")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

impl User {
    /// Connects, and shakes hands if there is TLS.
    pub(super) fn connects(
        address: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
    ) -> io::Result<User> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        let name = "localhost".try_into().expect("a name");
        let tls = tls.map(|config| ClientConnection::new(Arc::clone(config), name));
        let tls = tls.transpose().map_err(io::Error::other)?;
        let mut user = User { socket, tls, text: Vec::new() };
        if let Some(tls) = &mut user.tls {
            while tls.is_handshaking() {
                tls.complete_io(&mut user.socket)?;
            }
        }
        Ok(user)
    }

    /// Sends text in one write.
    pub(super) fn sends(&mut self, text: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return self.socket.write_all(text) };
        tls.writer().write_all(text)?;
        let mut records = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut records)?;
        }
        self.socket.write_all(&records)
    }

    /// Reads until `end` has come `times` times, and forgets everything before.
    pub(super) fn reads(&mut self, end: &str, times: usize) -> io::Result<()> {
        while memchr::memmem::find_iter(&self.text, end).count() < times {
            self.reads_more()?;
        }
        self.text.clear();
        Ok(())
    }

    fn reads_more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let count = match &mut self.tls {
            None => self.socket.read(&mut chunk)?,
            Some(tls) => loop {
                match tls.reader().read(&mut chunk) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    other => break other?,
                }
                if tls.read_tls(&mut self.socket)? == 0 {
                    break 0;
                }
                tls.process_new_packets().map_err(io::Error::other)?;
            },
        };
        if count == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server hung up"));
        }
        self.text.extend_from_slice(&chunk[..count]);
        Ok(())
    }
}
