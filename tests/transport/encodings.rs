//! Every way in which tests encode a connection: the server's transport, and the client's side of it.
#![allow(dead_code, reason = "no test program uses all of it")]

use chinwag::core::time::Time;
use chinwag::core::transport::{Stack, Transport};

use super::layer::Layer;
use super::scrambled::{Peer, Scrambled};
use super::tls_peer::{TlsPeer, Version, accept, server};
use super::web_peer::{WebPeer, http};

/// How the connections of a test are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Scrambled,
    /// Scrambled inside scrambled.
    Stacked,
    WebSocket,
    /// WebSocket inside scrambled.
    StackedWebSocket,
    Tls(Version),
    /// Scrambled inside TLS.
    ScrambledInTls,
    WebSocketInTls(Version),
}

impl Encoding {
    /// All but plain TCP.
    pub(crate) const ENCODED: [Encoding; 9] = [
        Encoding::Scrambled,
        Encoding::Stacked,
        Encoding::WebSocket,
        Encoding::StackedWebSocket,
        Encoding::Tls(Version::Tls12),
        Encoding::Tls(Version::Tls13),
        Encoding::ScrambledInTls,
        Encoding::WebSocketInTls(Version::Tls12),
        Encoding::WebSocketInTls(Version::Tls13),
    ];

    /// Whether it carries text in messages, and not any bytes in any packets (2.6.7).
    pub(crate) fn is_web(self) -> bool {
        use Encoding::{StackedWebSocket, WebSocket, WebSocketInTls};
        matches!(self, WebSocket | StackedWebSocket | WebSocketInTls(_))
    }

    /// The server's side; `None` is plain TCP.
    pub(crate) fn transport(self, now: Time) -> Option<Box<dyn Transport>> {
        let scrambled = || Scrambled::new(now);
        // A server for each connection, because a session of TLS that goes on in another would skip a
        // part of the handshake.
        let tls = || accept(&server(), now);
        Some(match self {
            Encoding::Plain => return None,
            Encoding::Scrambled => Box::new(scrambled()),
            Encoding::Stacked => Box::new(Stack::new(scrambled(), scrambled())),
            Encoding::WebSocket => Box::new(http(now)),
            Encoding::StackedWebSocket => Box::new(Stack::new(scrambled(), http(now))),
            Encoding::Tls(_) => Box::new(tls()),
            Encoding::ScrambledInTls => Box::new(Stack::new(tls(), scrambled())),
            Encoding::WebSocketInTls(_) => Box::new(Stack::new(tls(), http(now))),
        })
    }

    /// The client's side, the layer nearest to the socket first.
    fn layers(self) -> Vec<Box<dyn Layer>> {
        let scrambled = || Box::<Peer>::default() as Box<dyn Layer>;
        let web = || Box::<WebPeer>::default() as Box<dyn Layer>;
        let tls = |version| Box::new(TlsPeer::new(version)) as Box<dyn Layer>;
        match self {
            Encoding::Plain => Vec::new(),
            Encoding::Scrambled => vec![scrambled()],
            Encoding::Stacked => vec![scrambled(), scrambled()],
            Encoding::WebSocket => vec![web()],
            Encoding::StackedWebSocket => vec![scrambled(), web()],
            Encoding::Tls(version) => vec![tls(version)],
            Encoding::ScrambledInTls => vec![tls(Version::Tls13), scrambled()],
            Encoding::WebSocketInTls(version) => vec![tls(version), web()],
        }
    }
}

impl Layer for TlsPeer {
    fn answer(&mut self) -> Vec<u8> {
        self.output()
    }

    fn is_ready(&self) -> bool {
        !self.is_handshaking()
    }

    fn encode(&mut self, bytes: &[u8]) -> Vec<u8> {
        TlsPeer::encode(self, bytes)
    }

    fn close(&mut self) -> Vec<u8> {
        TlsPeer::close(self)
    }

    fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        TlsPeer::decode(self, bytes)
    }

    fn is_closed(&self) -> bool {
        self.is_closed
    }
}

/// The client's side of one connection.
#[derive(Default)]
pub(crate) struct ClientSide {
    /// The outer one first.
    layers: Vec<Box<dyn Layer>>,
}

impl ClientSide {
    pub(crate) fn new(encoding: Encoding) -> ClientSide {
        ClientSide { layers: encoding.layers() }
    }

    /// What to send when the connection begins, and as an answer to what was decoded.
    pub(crate) fn answer(&mut self) -> Vec<u8> {
        let mut answer = Vec::new();
        for n in 0..self.layers.len() {
            let data = self.layers[n].answer();
            if !data.is_empty() {
                answer.extend(encode(&mut self.layers[..n], &data));
            }
            if !self.layers[n].is_ready() {
                break;
            }
        }
        answer
    }

    /// What the server's exchange has sent.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.layers.iter_mut().fold(bytes.to_vec(), |data, layer| layer.decode(&data))
    }

    /// What to send so that the server's exchange receives `bytes`.
    pub(crate) fn encode(&mut self, bytes: &[u8]) -> Vec<u8> {
        encode(&mut self.layers, bytes)
    }

    /// What to send to close the transport, from the inside out.
    pub(crate) fn close(&mut self) -> Vec<u8> {
        let mut data = Vec::new();
        for layer in self.layers.iter_mut().rev() {
            data = [layer.encode(&data), layer.close()].concat();
        }
        data
    }

    /// Whether the server has closed every layer.
    pub(crate) fn is_closed(&self) -> bool {
        self.layers.iter().all(|layer| layer.is_closed())
    }
}

fn encode(layers: &mut [Box<dyn Layer>], bytes: &[u8]) -> Vec<u8> {
    layers.iter_mut().rev().fold(bytes.to_vec(), |data, layer| layer.encode(&data))
}
