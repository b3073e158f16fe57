//! Deadlines of the chat and of every connection, fired in one place.
//!
//! The shell calls [`Exchange::handle_timeout`] once per turn, after it has read all ready input:
//! an answer that arrived in time must win against its deadline (4.1.6).

use super::Exchange;
use super::endpoint::Sending;
use super::endpoints::{Endpoints, endpoint_mut};
use crate::core::SessionId;
use crate::core::chat::DisconnectReason;
use crate::core::limits::STALL_NOTICE_MS;
use crate::core::time::Time;

impl Exchange {
    /// When [`Exchange::handle_timeout`] must be called. Any other call can change this.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.chat.poll_timeout().into_iter().chain(self.endpoints.clocks.next_deadline()).min()
    }

    /// Fires every deadline that has passed at `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        // Chat deadlines first: a request that lapses may release held input, which the loop below
        // then finds due.
        self.endpoints.traffic.timeouts += self.chat.handle_timeout(now);
        self.deliver(now);
        self.tell_followers(now);
        while let Some(id) = self.endpoints.clocks.due(now) {
            self.endpoints.traffic.timeouts += 1;
            self.endpoint_due(now, id);
        }
    }

    /// Fires the deadlines of one connection: a rate limit, its transport, its sending half.
    fn endpoint_due(&mut self, now: Time, id: SessionId) {
        self.endpoints.end_pause(now, id);
        if self.endpoints[id].is_encoded && self.endpoints[id].sending.is_open() {
            self.check_transport_deadline(now, id);
        }
        // Each sending state has its own clock: the closing deadline, or the stall timeout.
        let Some(clock) = self.endpoints.clocks.sending(id) else {
            return self.endpoints.refresh_deadline(id);
        };
        match self.endpoints[id].sending {
            Sending::Finishing | Sending::Ended => {
                if clock <= now {
                    self.endpoints.close(now, id);
                }
            }
            Sending::Blocked { told } => {
                let quiet_ms = now.ms_since(clock);
                if quiet_ms >= self.limits.stall_ms {
                    self.end_session(now, id, DisconnectReason::Stalled);
                } else if quiet_ms >= STALL_NOTICE_MS && !told {
                    // The partner is told once per stall, not every two seconds.
                    self.endpoints[id].sending = Sending::Blocked { told: true };
                    if self.chat.has_session(id) {
                        self.chat.handle_stall(id);
                        self.deliver(now);
                    }
                }
            }
            Sending::Open => {}
        }
        self.endpoints.refresh_deadline(id);
    }
}

impl Endpoints {
    /// Changes the state of the sending half, and its clock. Only [`Sending::Open`] has none.
    pub(super) fn set_sending(&mut self, id: SessionId, sending: Sending, clock: Option<Time>) {
        self[id].sending = sending;
        self.clocks.set_sending(id, clock);
    }

    /// Registers the deadline that follows from the state of `id`.
    pub(super) fn refresh_deadline(&mut self, id: SessionId) {
        let paused = self.paused.get(&id).map(|&(until, _)| until);
        let endpoint = &self[id];
        // An idle connection costs no search.
        let has_clock = endpoint.sending != Sending::Open;
        let clock = has_clock.then(|| self.clocks.sending(id)).flatten();
        let mut due = endpoint.due(clock, &self.limits).into_iter().chain(paused).min();
        // Once the session is over, the closing deadline replaces the transport's own.
        if endpoint.is_encoded && endpoint.sending.is_open() {
            due = due.into_iter().chain(self.transport_deadline(id)).min();
        }
        let endpoint = endpoint_mut(&mut self.endpoints, id);
        if due.is_some() || endpoint.has_deadline {
            endpoint.has_deadline = due.is_some();
            self.clocks.register(id, due);
        }
    }

    /// Forgets the clocks of a connection that is removed.
    pub(super) fn drop_clocks(&mut self, id: SessionId) {
        self.clocks.register(id, None);
        self.clocks.set_sending(id, None);
    }

    /// Sessions that go on, and whose socket is full.
    pub(super) fn blocked(&self) -> impl Iterator<Item = SessionId> {
        self.clocks.sessions().filter(|&id| self[id].sending.is_blocked())
    }
}
