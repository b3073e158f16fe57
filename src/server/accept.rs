//! Accepting connections: the ban list and the limits on admission are asked, then the connection
//! gets its slab entry, its poll token and its transport.
//!
//! `Server::turn` calls this once per turn. Nothing here knows what clients are told.

use std::net::SocketAddr;

use log::{info, warn};
use mio::Token;

use super::admission::{Rejection, origin};
use super::connection::Connection;
use super::listener::{self, Accepted};
use super::{INTEREST, Server};
use crate::core::SessionId;
use crate::core::limits::ACCEPTS_PER_TURN;

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

    /// Admits or rejects one connection, and creates its session.
    fn admit(&mut self, Accepted { mut stream, peer, scheme }: Accepted) {
        self.accepted_count = self.accepted_count.wrapping_add(1);
        let banned = self.operators.bans.of(peer.ip()).map(|_| Rejection::Banned);
        if let Err(rejection) = banned.map_or_else(|| self.admission.admit(peer.ip()), Err) {
            self.log_rejection(peer, rejection);
            self.metrics.count_rejection(rejection);
            return listener::reject(stream, rejection);
        }
        let entry = self.connections.vacant_entry();
        let id = SessionId::from_key(entry.key());
        if let Err(e) = self.poll.registry().register(&mut stream, Token(entry.key()), INTEREST) {
            warn!(target: "chinwag", "#{} {peer} cannot be polled: {e}", self.accepted_count);
            return self.admission.release(peer.ip());
        }
        entry.insert(Connection::new(stream, self.accepted_count, peer, self.now));
        // A script has sent its first lines by now. Read in this turn, they are answered together with
        // the welcome, in one write.
        self.to_read.push(id);
        info!(target: "chinwag", "#{} {peer} connected", self.accepted_count);
        self.exchange.handle_connect_from(self.now, id, origin(peer.ip()));
        if let Some(transport) = scheme.transport() {
            self.exchange.set_transport(id, transport);
        }
    }

    /// Logs a rejected connection. Banned addresses may try without end, so one line counts them.
    fn log_rejection(&mut self, peer: SocketAddr, rejection: Rejection) {
        match rejection {
            Rejection::Banned => {
                if let Some(count) = self.operators.bans.count_rejection(self.now) {
                    info!(target: "chinwag", "rejected {count} from banned addresses; latest {peer}");
                }
            }
            Rejection::Full | Rejection::AddressFull => {
                info!(target: "chinwag", "#{} {peer} rejected: {rejection}", self.accepted_count);
            }
        }
    }
}
