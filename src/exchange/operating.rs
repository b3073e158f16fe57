//! What an operator does, on its way to the chat; and the counts of what goes through the exchange.
//!
//! Counting is an addition to a number that lies beside what is touched anyway. Nothing here knows
//! of consoles.

use super::Exchange;
use crate::SessionId;
use crate::chat::Removal;
use crate::time::Time;

/// What has gone through since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Lines that users sent.
    pub lines_in: u64,
    /// Lines that were put down for users.
    pub lines_out: u64,
    /// How often input that had been read was held back (5.10, 5.11).
    pub inputs_held: u64,
    /// How often the input of somebody who had spent their allowance was made to wait (4.4).
    pub inputs_slowed: u64,
}

impl Exchange {
    /// Everybody reads what the operator says. Returns how many that is.
    pub fn handle_announcement(&mut self, now: Time, text: &str) -> usize {
        let count = self.chat.handle_announcement(text);
        self.deliver(now);
        count
    }

    /// An operator removes a session; `false` if it is over already.
    pub fn handle_removal(&mut self, now: Time, id: SessionId, how: Removal, reason: &str) -> bool {
        let was_here = self.chat.handle_removal(now, id, how, reason);
        self.deliver(now);
        self.resume_all(now);
        was_here
    }

    /// The server will stop in so many milliseconds; [`crate::chat::Event::StopIsDue`] says when.
    pub fn handle_stop_in(&mut self, now: Time, ms: u64) {
        self.chat.handle_stop_in(now, ms);
        self.deliver(now);
    }

    /// The server does not stop; `false` if it was not going to.
    pub fn handle_stop_called_off(&mut self, now: Time) -> bool {
        let was_planned = self.chat.handle_stop_called_off();
        self.deliver(now);
        was_planned
    }

    /// What has gone through since the start.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.endpoints.traffic
    }
}
