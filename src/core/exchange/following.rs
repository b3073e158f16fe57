//! Tells followers what changes in the lists (5.8), if they have read everything before.
//!
//! The chat knows who is told what, and how fast; only the outbox knows who reads.

use super::Exchange;
use super::endpoint::Sending;
use super::endpoints::Endpoints;
use crate::core::SessionId;
use crate::core::time::Time;

impl Exchange {
    /// Tells the next followers, if any are due.
    pub(super) fn tell_followers(&mut self, now: Time) {
        for _ in 0..self.chat.begin_telling(now) {
            let Some(id) = self.chat.next_follower() else { return };
            if !self.endpoints.has_read_everything(id) {
                self.chat.hold_follower(id);
            } else if let Some(message) = self.chat.tell_follower(id) {
                self.endpoints.say(id, [message.text]);
                self.endpoints.traffic.lines_out += message.lines - 1;
            }
        }
    }

    /// Output of `id` was taken.
    pub(super) fn release_follower(&mut self, now: Time, id: SessionId) {
        if self.chat.has_held_followers() && self.endpoints.has_read_everything(id) {
            self.chat.release_follower(now, id);
        }
    }
}

impl Endpoints {
    /// Whether nothing waits for `id` but what its room says.
    fn has_read_everything(&self, id: SessionId) -> bool {
        let endpoint = &self[id];
        let is_waiting = !endpoint.outbox.is_empty() || endpoint.outbox.has_gap();
        endpoint.sending == Sending::Open && !is_waiting
    }
}
