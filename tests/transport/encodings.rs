//! Every way in which tests encode a connection: the server's transport, and the client's side of it.
#![allow(dead_code, reason = "no test program uses all of it")]

use chinwag::core::time::Time;
use chinwag::core::transport::{Stack, Transport};

use super::scrambled::{HELLO, Peer, Scrambled};
use super::tls_peer::{TlsPeer, Version, accept, client_config, server};

/// How the connections of a test are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Scrambled,
    /// Scrambled inside scrambled.
    Stacked,
    Tls(Version),
    /// Scrambled inside TLS, as WebSocket is.
    ScrambledInTls,
}

impl Encoding {
    /// All but plain TCP.
    pub(crate) const ENCODED: [Encoding; 5] = [
        Encoding::Scrambled,
        Encoding::Stacked,
        Encoding::Tls(Version::Tls12),
        Encoding::Tls(Version::Tls13),
        Encoding::ScrambledInTls,
    ];

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
            Encoding::Tls(_) => Box::new(tls()),
            Encoding::ScrambledInTls => Box::new(Stack::new(tls(), scrambled())),
        })
    }
}

/// One layer of a client.
enum Layer {
    Scrambled(Peer),
    Tls(Box<TlsPeer>),
}

/// The client's side of one connection.
pub(crate) struct ClientSide {
    /// The outer one first.
    layers: Vec<Layer>,
    /// The scrambled layer inside TLS has not said hello: it waits for the handshake outside.
    owes_hello: bool,
}

impl ClientSide {
    pub(crate) fn new(encoding: Encoding) -> ClientSide {
        let scrambled = || Layer::Scrambled(Peer::default());
        let tls = |version| Layer::Tls(Box::new(TlsPeer::with_config(client_config(&[version]))));
        let layers = match encoding {
            Encoding::Plain => vec![],
            Encoding::Scrambled => vec![scrambled()],
            Encoding::Stacked => vec![scrambled(), scrambled()],
            Encoding::Tls(version) => vec![tls(version)],
            Encoding::ScrambledInTls => vec![tls(Version::Tls13), scrambled()],
        };
        ClientSide { layers, owes_hello: encoding == Encoding::ScrambledInTls }
    }

    /// What to send when the connection begins.
    pub(crate) fn hello(&mut self) -> Vec<u8> {
        match &mut self.layers[..] {
            [] => Vec::new(),
            [Layer::Tls(outer), ..] => outer.output(),
            [Layer::Scrambled(_)] => HELLO.to_vec(),
            [Layer::Scrambled(_), ..] => [HELLO, &Peer::encode(HELLO)].concat(),
        }
    }

    /// What the server's exchange has sent.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut data = bytes.to_vec();
        for layer in &mut self.layers {
            data = match layer {
                Layer::Scrambled(peer) => peer.decode(&data),
                Layer::Tls(peer) => peer.decode(&data),
            };
        }
        data
    }

    /// What to send as an answer to what was decoded: more of the handshake.
    pub(crate) fn answer(&mut self) -> Vec<u8> {
        let Some(Layer::Tls(outer)) = self.layers.first_mut() else { return Vec::new() };
        let mut answer = outer.output();
        if !outer.is_handshaking() && std::mem::take(&mut self.owes_hello) {
            answer.extend(outer.encode(HELLO));
        }
        answer
    }

    /// What to send so that the server's exchange receives `bytes`.
    pub(crate) fn encode(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut data = bytes.to_vec();
        for layer in self.layers.iter_mut().rev() {
            data = match layer {
                Layer::Scrambled(_) => Peer::encode(&data),
                Layer::Tls(peer) => peer.encode(&data),
            };
        }
        data
    }

    /// What to send to close the transport, from the inside out.
    pub(crate) fn close(&mut self) -> Vec<u8> {
        let mut data = Vec::new();
        for layer in self.layers.iter_mut().rev() {
            data = match layer {
                Layer::Scrambled(_) => [Peer::encode(&data), Peer::close()].concat(),
                Layer::Tls(peer) => [peer.encode(&data), peer.close()].concat(),
            };
        }
        data
    }

    /// Whether the server has closed every layer.
    pub(crate) fn is_closed(&self) -> bool {
        self.layers.iter().all(|layer| match layer {
            Layer::Scrambled(peer) => peer.is_closed,
            Layer::Tls(peer) => peer.is_closed,
        })
    }
}
