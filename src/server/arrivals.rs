//! Who comes in: accepting, asking the doorkeeper and the bans, and making a connection of it.
//!
//! What is said to those who came is not known here.

use log::{info, warn};
use mio::Token;

use super::connection::Connection;
use super::doorkeeper::Refusal;
use super::listener::{self, Accepted};
use super::{INTEREST, Server};
use crate::SessionId;
use crate::limits::ACCEPTS_PER_TURN;

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
        let banned = self.operators.bans.of(peer.ip()).map(|_| Refusal::Banned);
        if let Err(refusal) = banned.map_or_else(|| self.doorkeeper.admit(peer.ip()), Err) {
            info!(target: "chinwag", "#{} {peer} turned away: {refusal}", self.arrivals);
            self.stats.note_turned_away(refusal);
            return listener::turn_away(stream, refusal);
        }
        let entry = self.connections.vacant_entry();
        let id = SessionId::from_key(entry.key());
        if let Err(e) = self.poll.registry().register(&mut stream, Token(entry.key()), INTEREST) {
            warn!(target: "chinwag", "#{} {peer} cannot be polled: {e}", self.arrivals);
            return self.doorkeeper.release(peer.ip());
        }
        entry.insert(Connection::new(stream, self.arrivals, peer, self.now));
        // A script has sent its first lines by now: read in this turn, they are answered together
        // with the welcome, in one write.
        self.fresh.push(id);
        info!(target: "chinwag", "#{} {peer} connected", self.arrivals);
        self.exchange.handle_arrival(self.now, id);
    }
}
