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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::exchange::Action;
    use crate::core::limits::Limits;

    /// What `id` reads of its output, after the turn of `now`.
    fn reads(exchange: &mut Exchange, now: Time, id: SessionId) -> String {
        exchange.handle_timeout(now);
        while let Some(action) = exchange.poll_action_at_once(now) {
            match action {
                Action::Write(to) if to != id => {
                    let count = exchange.output(to).len();
                    exchange.handle_sent(now, to, count);
                }
                _ => {}
            }
        }
        let text = String::from_utf8_lossy(exchange.output(id)).into_owned();
        exchange.handle_sent(now, id, text.len());
        text
    }

    /// (5.8.5)
    #[test]
    fn a_follower_who_reads_late_is_told_although_nothing_more_has_changed() {
        let mut exchange = Exchange::new(Limits::default());
        let (zoe, bert) = (SessionId::from_key(0), SessionId::from_key(1));
        let after = |ms| Time::START.after_ms(ms);
        exchange.handle_connect(after(0), zoe);
        exchange.handle_received(after(0), zoe, b"zoe\n/follow\n");
        assert!(reads(&mut exchange, after(0), zoe).contains("You follow the lists"));
        exchange.handle_announcement(after(1), "zoe has this to read");
        exchange.handle_connect(after(1), bert);
        exchange.handle_received(after(1), bert, b"bert\n");
        exchange.handle_timeout(after(2_000));
        exchange.handle_received(after(2_000), bert, b"/busy\n/free\n");
        exchange.handle_timeout(after(4_000));
        let read = reads(&mut exchange, after(4_000), zoe);
        assert!(read.ends_with("zoe has this to read\r\n"), "{read}");
        let read = reads(&mut exchange, after(6_000), zoe);
        assert!(read.contains("- bert available"), "{read}");
    }
}
