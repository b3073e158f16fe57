//! The rule of backpressure: whether the input of a connection must wait, and for which reason.
//!
//! The exchange asks before it processes a line, and the shell asks before it reads. A watcher sees the
//! reason (8.2.12). The answer is computed from current state each time: a stored answer could go stale
//! and leave a client waiting for ever.

use super::Exchange;
use super::endpoint::{Receiving, Sending};
use super::endpoints::Endpoints;
use crate::core::SessionId;
use crate::core::chat::Pace;
use crate::core::limits::REPLIES_BYTES_MAX;
use crate::core::time::Time;

/// Why the input of a connection waits. The order is that of [`Hold::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The chat partner has too much unread output (7.7, 7.8, 7.35).
    Partner,
    /// The client has not read the replies to its own lines (7.9, 7.36).
    Replies,
    /// Memory is scarce, and the client's socket takes nothing (7.58).
    Memory,
    /// The user has asked too many users (5.7.2).
    Requests,
    /// The user, or its whole room, has sent too many lines (6.2.3, 6.2.4).
    Room,
    /// All sessions of the client's address together have used their allowance (7.51).
    Address,
    /// The store of accounts works on the client's last line (4.11.5).
    Password,
    /// The chat partner has just ended the chat, and old input is discarded (4.1.5).
    Drain,
    /// The session has not begun.
    Opening,
    /// The session is over.
    Over,
}

/// A deadline that runs for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// The socket has taken nothing for some time; at the deadline the session ends (7.17).
    Stall,
    /// The session is over; at the deadline the socket is closed (7.18).
    Closing,
    /// A rate limit holds the input until then.
    Pace,
    /// The transport must be ready by then.
    Transport,
}

impl Hold {
    /// All reasons.
    pub const ALL: [Hold; 10] = [
        Hold::Partner,
        Hold::Replies,
        Hold::Memory,
        Hold::Requests,
        Hold::Room,
        Hold::Address,
        Hold::Password,
        Hold::Drain,
        Hold::Opening,
        Hold::Over,
    ];

    /// The word of the reason in the stream of a watcher (8.2.12).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Hold::Partner => "partner",
            Hold::Replies => "replies",
            Hold::Memory => "memory",
            Hold::Requests => "requests",
            Hold::Room => "room",
            Hold::Address => "address",
            Hold::Password => "password",
            Hold::Drain => "drain",
            Hold::Opening => "opening",
            Hold::Over => "over",
        }
    }
}

impl Deadline {
    /// The word of the deadline in the stream of a watcher (8.2.12).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Deadline::Stall => "stall",
            Deadline::Closing => "closing",
            Deadline::Pace => "pace",
            Deadline::Transport => "transport",
        }
    }
}

impl Exchange {
    /// Why the input of a client waits; `None` if it may be processed. A client's input waits while
    /// - the session has not begun or is over, or
    /// - the client's chat partner has just ended the chat, and old input is drained (4.1.5), or
    /// - a rate limit holds it in the state of the session, or
    /// - the store of accounts works on the client's last line (4.11.5), or
    /// - the client has not read the replies to its own lines (7.9, 7.36, 7.58), or
    /// - its chat partner has too much unread output (7.7, 7.8, 7.35).
    #[must_use]
    pub fn hold(&self, id: SessionId) -> Option<Hold> {
        let endpoint = &self.endpoints[id];
        match endpoint.receiving {
            Receiving::Lines | Receiving::LastLines => {}
            Receiving::Opening | Receiving::Admission => return Some(Hold::Opening),
            Receiving::Discarding | Receiving::Ended => return Some(Hold::Over),
        }
        if endpoint.is_draining {
            return Some(Hold::Drain);
        }
        if let Some(pace) = self.endpoints.pace(id)
            && !self.chat.is_free_of_rate_limits(id)
        {
            return Some(match pace {
                Pace::Requests => Hold::Requests,
                Pace::Room => Hold::Room,
                Pace::Address => Hold::Address,
            });
        }
        if !self.endpoints.may_be_answered(id) {
            let has_replies =
                endpoint.outbox.has_gap() || endpoint.outbox.len() > REPLIES_BYTES_MAX;
            return Some(if has_replies { Hold::Replies } else { Hold::Memory });
        }
        if self.chat.awaits_store(id) {
            return Some(Hold::Password);
        }
        let partner = self.chat.partner(id);
        let is_congested = partner.is_some_and(|with| self.endpoints[with].outbox.is_congested());
        is_congested.then_some(Hold::Partner)
    }

    /// Whether the lines of a client may be processed now.
    #[inline]
    pub(super) fn may_process_input(&self, id: SessionId) -> bool {
        self.hold(id).is_none()
    }

    /// Counts that the input of a client waits: received already, or in the socket, which the shell did
    /// not read.
    pub fn count_hold(&mut self, id: SessionId) {
        if let Some(hold) = self.hold(id) {
            self.holds[hold as usize] += 1;
        }
    }

    /// How often input has waited, by the number of the [`Hold`].
    #[must_use]
    pub fn holds(&self) -> [u64; Hold::ALL.len()] {
        self.holds
    }

    /// Bytes of received input of that session that wait.
    #[must_use]
    pub fn held_input_bytes(&self, id: SessionId) -> usize {
        self.endpoints[id].held_input.as_ref().map_or(0, |held| held.len())
    }

    /// Whether the outbox of that session has passed the high-water mark, and not the low one since.
    #[must_use]
    pub fn is_congested(&self, id: SessionId) -> bool {
        self.endpoints[id].outbox.is_congested()
    }

    /// The high-water mark that holds now (7.7, 7.10).
    #[must_use]
    pub fn high_water_bytes(&self) -> usize {
        self.endpoints.high_water_bytes()
    }

    /// The deadlines that run for a connection, apart from those of its session.
    pub fn deadlines(&self, id: SessionId) -> impl Iterator<Item = (Deadline, Time)> + use<> {
        let clock = self.endpoints.clocks.sending(id);
        let sending = clock.map(|clock| match self.endpoints[id].sending {
            Sending::Open | Sending::Blocked { .. } => {
                (Deadline::Stall, clock.after_ms(self.limits.stall_ms))
            }
            Sending::Finishing | Sending::Ended => (Deadline::Closing, clock),
        });
        let pace = self.endpoints.paused.get(&id).map(|&(until, _)| (Deadline::Pace, until));
        let transport = self.endpoints.transport_deadline(id).map(|at| (Deadline::Transport, at));
        [sending, pace, transport].into_iter().flatten()
    }
}

impl Endpoints {
    /// The rate limit that holds the input of `id`.
    pub(super) fn pace(&self, id: SessionId) -> Option<Pace> {
        self.paused.get(&id).map(|&(_, pace)| pace)
    }
}
