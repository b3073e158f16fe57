//! Who comes in: accepting, asking the admission and the bans, and making a connection of it.
//!
//! What is said to those who came is not known here.

use log::{info, warn};
use mio::Token;

use super::admission::Rejection;
use super::connection::Connection;
use super::listener::{self, Accepted};
use super::{INTEREST, Server};
use crate::core::SessionId;
use crate::core::limits::ACCEPTS_PER_TURN;

impl Server {
    pub(super) fn accept(&mut self) {
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

    fn admit(&mut self, (mut stream, peer): Accepted) {
        self.arrivals = self.arrivals.wrapping_add(1);
        let banned = self.operators.bans.of(peer.ip()).map(|_| Rejection::Banned);
        if let Err(rejection) = banned.map_or_else(|| self.admission.admit(peer.ip()), Err) {
            info!(target: "chinwag", "#{} {peer} turned away: {rejection}", self.arrivals);
            self.metrics.count_rejection(rejection);
            return listener::reject(stream, rejection);
        }
        let entry = self.connections.vacant_entry();
        let id = SessionId::from_key(entry.key());
        if let Err(e) = self.poll.registry().register(&mut stream, Token(entry.key()), INTEREST) {
            warn!(target: "chinwag", "#{} {peer} cannot be polled: {e}", self.arrivals);
            return self.admission.release(peer.ip());
        }
        entry.insert(Connection::new(stream, self.arrivals, peer, self.now));
        // A script has sent its first lines by now: read in this turn, they are answered together
        // with the welcome, in one write.
        self.newly_readable.push(id);
        info!(target: "chinwag", "#{} {peer} connected", self.arrivals);
        self.exchange.handle_connect(self.now, id);
    }
}
