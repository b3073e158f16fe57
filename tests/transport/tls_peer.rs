//! The client's side of TLS for tests, by rustls, and the server's side as the program has it.
#![allow(dead_code, reason = "no test program uses all of it")]

use std::io::{Read, Write};
use std::sync::Arc;

use chinwag::core::time::Time;
use chinwag::core::transport::tls::{Certificate, Inside, Tls, TlsServer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};

pub(crate) const CHAIN: &[u8] = include_bytes!("../certificates/chain.pem");
pub(crate) const CHAIN_KEY: &[u8] = include_bytes!("../certificates/chain-key.pem");
const CA: &[u8] = include_bytes!("../certificates/ca.pem");

/// Versions of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

impl Version {
    pub(crate) const ALL: [Version; 2] = [Version::Tls12, Version::Tls13];

    fn supported(self) -> &'static SupportedProtocolVersion {
        match self {
            Version::Tls12 => &TLS12,
            Version::Tls13 => &TLS13,
        }
    }
}

/// A server with the test certificate.
pub(crate) fn server() -> TlsServer {
    TlsServer::new(Certificate::from_pem(CHAIN, CHAIN_KEY).expect("a pair"))
}

/// A connection for lines.
pub(crate) fn accept(server: &TlsServer, now: Time) -> Tls {
    server.accept(now, Inside::Lines)
}

/// What a client needs that trusts the test certificate.
pub(crate) fn client_config(versions: &[Version]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(CA).expect("a certificate");
    roots.add(ca).expect("an authority");
    let versions = versions.iter().map(|version| version.supported()).collect::<Vec<_>>();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .expect("versions that the provider has");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// The client's side of one connection.
pub(crate) struct TlsPeer {
    connection: ClientConnection,
    /// The server has closed TLS.
    pub(crate) is_closed: bool,
}

impl TlsPeer {
    pub(crate) fn new(version: Version) -> TlsPeer {
        TlsPeer::with_config(client_config(&[version]))
    }

    pub(crate) fn with_config(config: Arc<ClientConfig>) -> TlsPeer {
        let name = "localhost".try_into().expect("a name");
        let connection = ClientConnection::new(config, name).expect("a client");
        TlsPeer { connection, is_closed: false }
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether this connection goes on with an earlier session.
    pub(crate) fn is_resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }

    /// What to send now: messages of the handshake, and what was encoded.
    pub(crate) fn output(&mut self) -> Vec<u8> {
        let mut output = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut output).expect("a vector takes everything");
        }
        output
    }

    /// What to send so that the server receives `bytes`.
    pub(crate) fn encode(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.connection.writer().write_all(bytes).expect("no limit is met");
        self.output()
    }

    /// What to send to close TLS.
    pub(crate) fn close(&mut self) -> Vec<u8> {
        self.connection.send_close_notify();
        self.output()
    }

    /// What to send to change the keys.
    pub(crate) fn change_keys(&mut self) -> Vec<u8> {
        self.connection.refresh_traffic_keys().expect("the handshake is done");
        self.output()
    }

    /// The lines in what the server has sent.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.try_decode(bytes).expect("the server keeps to TLS")
    }

    pub(crate) fn try_decode(&mut self, mut bytes: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let mut data = Vec::new();
        while !bytes.is_empty() {
            assert!(!self.is_closed, "nothing follows the close");
            self.connection.read_tls(&mut bytes).expect("there is room");
            let state = self.connection.process_new_packets()?;
            self.is_closed = state.peer_has_closed();
            let before = data.len();
            data.resize(before + state.plaintext_bytes_to_read(), 0);
            self.connection.reader().read_exact(&mut data[before..]).expect("that many bytes");
        }
        Ok(data)
    }
}
