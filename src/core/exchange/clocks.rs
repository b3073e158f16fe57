//! Times of connections: since when a socket is full, until when one may take to close, and the
//! deadline that follows. `timeouts.rs` sets them.
//!
//! Few connections have one at any time, and every idle user pays for what an endpoint carries, so
//! they stand beside the endpoints.

use std::collections::BTreeMap;

use crate::core::SessionId;
use crate::core::time::{Deadlines, Time};

/// The clocks of all connections.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    /// Since when a socket is full, or until when a connection may take to close.
    sending: BTreeMap<SessionId, Time>,
    /// One deadline for each endpoint that has one.
    deadlines: Deadlines<SessionId>,
    /// The same by session: replacing a deadline needs the old one.
    registered: BTreeMap<SessionId, Time>,
}

impl Clocks {
    /// Sets the clock of a sending half.
    pub(super) fn set_sending(&mut self, id: SessionId, clock: Option<Time>) {
        match clock {
            Some(clock) => self.sending.insert(id, clock),
            None => self.sending.remove(&id),
        };
    }

    /// The clock of a sending half, if it has one.
    pub(super) fn sending(&self, id: SessionId) -> Option<Time> {
        self.sending.get(&id).copied()
    }

    /// The sessions whose sending half has a clock.
    pub(super) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.sending.keys().copied()
    }

    /// Replaces the deadline of a connection.
    pub(super) fn register(&mut self, id: SessionId, due: Option<Time>) {
        let old = match due {
            Some(due) => self.registered.insert(id, due),
            None => self.registered.remove(&id),
        };
        self.deadlines.replace(id, old, due);
    }

    /// A connection whose deadline has passed.
    pub(super) fn due(&self, now: Time) -> Option<SessionId> {
        self.deadlines.due(now)
    }

    /// The earliest deadline of all connections.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.next()
    }
}
