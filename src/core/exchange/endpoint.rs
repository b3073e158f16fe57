//! One connection as the exchange sees it: its reader, its outbox, and where each half stands.

use super::broadcast_log::Cursor;
use crate::core::buffers::{Buffer, Outbox};
use crate::core::framing::LineReader;
use crate::core::limits::{LINE_BYTES_MAX, Limits, STALL_NOTICE_MS};
use crate::core::time::Time;

/// What an end of a connection needs between two turns of the loop.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) reader: LineReader,
    /// What was read, and not handed on yet, since input is held.
    pub(super) held_input: Option<Box<Buffer>>,
    pub(super) outbox: Outbox,
    /// What is read besides, together with others; it comes behind the outbox.
    pub(super) cursor: Option<Cursor>,
    pub(super) receiving: Receiving,
    pub(super) sending: Sending,
    /// The output is on the list of those to be written.
    pub(super) to_write: bool,
    /// Input is held until then (protocol.md 4.4).
    pub(super) held_until: Option<Time>,
    /// The deadline that is set for all this, so that it can be replaced.
    pub(super) deadline: Option<Time>,
}

/// The half that brings the client's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiving {
    /// Lines are handed to the chat.
    Lines,
    /// The client has ended it, and what it had sent is still to be handed on.
    LastLines,
    /// The session is over: what comes is thrown away until the client ends it too.
    Discarding,
    /// Ended.
    Ended,
}

/// The half that brings the client its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// The session goes on.
    Open {
        /// The socket took less than all that waits.
        blocked: Option<Blocked>,
    },
    /// The session is over; what waits is still written.
    Finishing {
        /// When that is given up, unless something is taken before (5.16).
        until: Time,
    },
    /// Ended, by us; the client has until then to end its half.
    Ended {
        /// When it is closed regardless (5.16).
        until: Time,
    },
}

/// Since when a socket has taken nothing, with output waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocked {
    /// When it last took something.
    pub(super) since: Time,
    /// The partner has been told (5.14).
    pub(super) told: bool,
}

impl Endpoint {
    pub(super) fn new() -> Endpoint {
        Endpoint {
            reader: LineReader::new(LINE_BYTES_MAX as u16),
            held_input: None,
            outbox: Outbox::default(),
            cursor: None,
            receiving: Receiving::Lines,
            sending: Sending::OPEN,
            to_write: false,
            held_until: None,
            deadline: None,
        }
    }

    /// The next moment at which something is to happen here, if nothing happens before.
    pub(super) fn due(&self, limits: &Limits) -> Option<Time> {
        if self.is_closed() {
            return None;
        }
        let sending = match self.sending {
            Sending::Open { blocked } => blocked.map(|blocked| blocked.due(limits)),
            Sending::Finishing { until } | Sending::Ended { until } => Some(until),
        };
        sending.into_iter().chain(self.held_until).min()
    }

    /// Whether both halves have ended, and the connection can be closed.
    pub(super) fn is_closed(&self) -> bool {
        self.receiving == Receiving::Ended && matches!(self.sending, Sending::Ended { .. })
    }
}

impl Sending {
    pub(super) const OPEN: Sending = Sending::Open { blocked: None };
}

impl Blocked {
    fn due(&self, limits: &Limits) -> Time {
        let parted_at = self.since.after_ms(limits.stall_ms);
        if self.told { parted_at } else { parted_at.min(self.since.after_ms(STALL_NOTICE_MS)) }
    }
}
