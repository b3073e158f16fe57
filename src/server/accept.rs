//! Accepting connections: the ban list and the limits on admission are asked, then the connection
//! gets its slab entry, its poll token and its transport. They are asked again when a transport
//! learns the client's address.
//!
//! `Server::turn` calls this once per turn. Nothing here knows what clients are told.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use ipnet::IpNet;
use log::{debug, info, warn};
use mio::Token;

use super::admission::{Rejection, origin};
use super::connection::{Connection, Peer};
use super::listener::{self, Accepted};
use super::{INTEREST, Server};
use crate::core::SessionId;
use crate::core::limits::ACCEPTS_PER_TURN;
use crate::core::transport::http::{Site, WebOptions};
use crate::core::transport::{Opening, ProxyProtocol, Scheme, Transport};

impl Server {
    /// Accepts at most `ACCEPTS_PER_TURN` connections per listener.
    pub(super) fn accept(&mut self) {
        // Listeners take turns, each with its own allowance per turn, so that a flood of connections to
        // one address does not keep the others waiting.
        for n in 0..self.listeners.len() {
            for _ in 0..ACCEPTS_PER_TURN {
                if !self.listeners[n].is_ready(self.now) {
                    break;
                }
                if let Some(accepted) = self.listeners[n].accept(self.now) {
                    self.admit(accepted);
                }
            }
        }
    }

    /// Admits or rejects one connection, and creates its session or its transport.
    fn admit(&mut self, Accepted { mut stream, peer, scheme }: Accepted) {
        self.accepted_count = self.accepted_count.wrapping_add(1);
        let transport = self.transport(scheme, peer.ip());
        let is_opening = transport.as_ref().is_some_and(|t| t.opening() != Opening::Ready(None));
        // The address of a trusted proxy says nothing about its client.
        let is_proxied = self.is_trusted_proxy(peer.ip()) || self.is_http_proxy(scheme, peer.ip());
        let is_counted = !is_opening || !is_proxied;
        let admitted = match is_counted {
            true => self.check_ban(peer.ip()).and_then(|()| self.admission.admit(peer.ip())),
            false => self.admission.admit_proxied(),
        };
        let is_handshaking = transport.as_ref().is_some_and(|t| t.is_handshaking());
        let admitted = match is_counted && is_handshaking {
            true => admitted.and_then(|()| self.admission.begin_handshake(peer.ip())),
            false => admitted,
        };
        if let Err(rejection) = admitted {
            self.count_rejection(self.accepted_count, Peer::new(peer), rejection);
            return listener::reject(stream, scheme, rejection);
        }
        let entry = self.connections.vacant_entry();
        let id = SessionId::from_key(entry.key());
        let registered = self.poll.registry().register(&mut stream, Token(entry.key()), INTEREST);
        let mut connection = Connection::new(stream, self.accepted_count, peer, self.now);
        connection.is_counted = is_counted;
        connection.is_handshaking = is_counted && is_handshaking;
        if let Err(e) = registered {
            warn!(target: "chinwag", "#{} {peer} cannot be polled: {e}", self.accepted_count);
            return self.release(&connection);
        }
        // The poll reports the first message of a handshake. To read before would mostly be in vain.
        connection.has_more = !is_handshaking;
        entry.insert(connection);
        // A script has sent its first lines by now. Read in this turn, they are answered together with
        // the welcome, in one write.
        if !is_handshaking {
            self.to_read.push(id);
        }
        match is_opening {
            true => debug!(target: "chinwag", "#{} {peer} is opening", self.accepted_count),
            false => info!(target: "chinwag", "#{} {peer} connected", self.accepted_count),
        }
        let origin = origin(peer.ip());
        match transport {
            None => self.exchange.handle_connect_from(self.now, id, origin),
            Some(transport) => {
                self.exchange.handle_connect_through_from(self.now, id, origin, transport);
            }
        }
    }

    /// The transport of a connection is ready: the session begins, if the client's address is admitted.
    /// `learned` is that address, if it is not the socket's.
    pub(super) fn open(&mut self, id: SessionId, learned: Option<SocketAddr>) {
        let Some(connection) = self.connections.get(id.key()) else { return };
        let (number, socket) = (connection.number, connection.peer);
        let peer = learned.map_or(socket, Peer::new);
        // A socket's address that was admitted is not asked about again.
        let must_ask = learned.is_some() || !connection.is_counted;
        if must_ask && let Err(rejection) = self.recount(id, peer) {
            self.count_rejection(number, peer, rejection);
            return self.exchange.reject(self.now, id, &rejection.line());
        }
        match learned {
            Some(_) => info!(target: "chinwag", "#{number} {peer} connected through {socket}"),
            None => info!(target: "chinwag", "#{number} {peer} connected"),
        }
        self.exchange.begin_session(self.now, id, origin(peer.ip()));
    }

    /// Gives a connection the address of its client, and counts it there instead of at the proxy.
    fn recount(&mut self, id: SessionId, peer: Peer) -> Result<(), Rejection> {
        let connection = &mut self.connections[id.key()];
        if std::mem::replace(&mut connection.is_counted, false) {
            self.admission.release_address(connection.peer.ip());
        }
        connection.peer = peer;
        self.check_ban(peer.ip())?;
        self.admission.admit_address(peer.ip())?;
        self.connections[id.key()].is_counted = true;
        Ok(())
    }

    /// Ends the counting of a closed connection.
    pub(super) fn release(&mut self, connection: &Connection) {
        if connection.is_handshaking {
            self.admission.end_handshake(connection.peer.ip());
        }
        self.admission.release();
        if connection.is_counted {
            self.admission.release_address(connection.peer.ip());
        }
    }

    /// The transport of a new connection. A trusted proxy puts its header before everything else.
    fn transport(&self, scheme: Scheme, peer: IpAddr) -> Option<Box<dyn Transport>> {
        let tls = self.tls.as_ref().map(|tls| &tls.server);
        let transport = scheme.transport(self.now, peer, &self.site, tls);
        // An HTTP proxy tells the same in header fields.
        match self.is_trusted_proxy(peer) && !self.is_http_proxy(scheme, peer) {
            true => Some(Box::new(ProxyProtocol::new(self.now, transport))),
            false => transport,
        }
    }

    /// Decides what the web server answers to, and whom it trusts.
    pub fn set_web_options(&mut self, options: WebOptions) {
        self.site = Rc::new(Site::new(options));
    }

    /// From now on, connections from `networks` must begin with a PROXY header, and what it says about
    /// the address of the client is trusted (2.5.1).
    pub fn trust_proxies(&mut self, networks: Vec<IpNet>) {
        for network in &networks {
            info!(target: "chinwag", "connections from {network} begin with a PROXY header");
        }
        self.proxies = networks;
    }

    fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(&address))
    }

    fn is_http_proxy(&self, scheme: Scheme, address: IpAddr) -> bool {
        scheme.has_page() && self.site.trusts(address)
    }

    fn check_ban(&self, address: IpAddr) -> Result<(), Rejection> {
        self.operators.bans.of(address).map_or(Ok(()), |_| Err(Rejection::Banned))
    }

    /// Counts and logs a rejected connection. Banned addresses may try without end, so one line counts
    /// them.
    fn count_rejection(&mut self, number: u32, peer: Peer, rejection: Rejection) {
        self.metrics.count_rejection(rejection);
        match rejection {
            Rejection::Banned => {
                if let Some(count) = self.operators.bans.count_rejection(self.now) {
                    info!(target: "chinwag", "rejected {count} from banned addresses; latest {peer}");
                }
            }
            Rejection::Full | Rejection::AddressFull | Rejection::Handshakes => {
                info!(target: "chinwag", "#{number} {peer} rejected: {rejection}");
            }
        }
    }
}
