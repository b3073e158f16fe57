//! Deadlines of the chat and of every connection, fired in one place.
//!
//! The shell calls [`Exchange::handle_timeout`] once per turn, after it has read all ready input:
//! an answer that arrived in time must win against its deadline (4.1.6).

use super::Exchange;
use super::endpoint::Sending;
use crate::core::SessionId;
use crate::core::chat::DisconnectReason;
use crate::core::limits::STALL_NOTICE_MS;
use crate::core::time::Time;

impl Exchange {
    /// Fires every deadline that has passed at `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        // Chat deadlines first: a request that lapses may release held input, which the loop below
        // then finds due.
        self.endpoints.traffic.timeouts += self.chat.handle_timeout(now);
        self.deliver(now);
        while let Some(id) = self.endpoints.due(now) {
            self.endpoints.traffic.timeouts += 1;
            self.endpoint_due(now, id);
        }
    }

    /// Fires the deadlines of one connection: a rate limit, its transport, its sending half.
    fn endpoint_due(&mut self, now: Time, id: SessionId) {
        self.endpoints.end_pause(now, id);
        if self.endpoints[id].is_encoded
            && matches!(self.endpoints[id].sending, Sending::Open { .. })
        {
            self.check_transport_deadline(now, id);
        }
        // Each sending state has its own clock: the closing deadline, or the stall timeout.
        match &mut self.endpoints[id].sending {
            Sending::Finishing { until } | Sending::Ended { until } => {
                if *until <= now {
                    self.endpoints.close(now, id);
                }
            }
            Sending::Open { blocked: Some(blocked) } => {
                let quiet_ms = now.ms_since(blocked.since);
                if quiet_ms >= self.limits.stall_ms {
                    self.end_session(now, id, DisconnectReason::Stalled);
                } else if quiet_ms >= STALL_NOTICE_MS && !blocked.told {
                    // The partner is told once per stall, not every two seconds.
                    blocked.told = true;
                    if self.chat.has_session(id) {
                        self.chat.handle_stall(id);
                        self.deliver(now);
                    }
                }
            }
            Sending::Open { blocked: None } => {}
        }
        self.endpoints.refresh_deadline(id);
    }
}
