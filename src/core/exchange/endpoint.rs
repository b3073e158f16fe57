//! One end of a connection: its line reader, its outbox, and the state of each half.
//!
//! The exchange holds one [`Endpoint`] for each connection; `endpoints.rs` changes it. A TCP
//! connection ends in two halves (RFC 9293, 3.6), so each half has a state of its own. Nothing here
//! knows the chat or a socket.

use super::broadcast_log::Cursor;
use crate::core::SessionId;
use crate::core::buffers::{Buffer, Outbox};
use crate::core::framing::LineReader;
use crate::core::limits::{LINE_BYTES_MAX, Limits, STALL_NOTICE_MS};
use crate::core::time::Time;

/// What one connection needs between two turns of the loop. There is one for every user, so its size
/// is the memory of an idle user: large or rare parts live behind a pointer or in a side table.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) reader: LineReader,
    /// Bytes that were received while backpressure or a rate limit holds the input (7.7, 7.9).
    pub(super) held_input: Option<Box<Buffer>>,
    pub(super) outbox: Outbox,
    /// The position in the broadcast log of the user's room. The log's lines follow the outbox.
    pub(super) cursor: Option<Cursor>,
    pub(super) receiving: Receiving,
    pub(super) sending: Sending,
    /// An [`super::Action::Write`] for this connection is queued already.
    pub(super) to_write: bool,
    /// The connection waits for its turn in the fan-out of a room (7.47).
    pub(super) to_fan_out: bool,
    /// A deadline is registered for this endpoint.
    pub(super) has_deadline: bool,
    /// The socket has taken application bytes.
    pub(super) has_written: bool,
    /// Bytes pass through a transport that `transports.rs` keeps; `false` is plain TCP.
    pub(super) is_encoded: bool,
    /// The chat partner has ended the chat, and input from before that is being discarded (4.1.5).
    pub(super) is_draining: bool,
    /// What the client shows of a password.
    pub(super) typing: Typing,
}

/// The receiving half: bytes from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiving {
    /// Bytes go to the transport, which is not ready for a session.
    Opening,
    /// The transport is ready; the shell decides whether a session begins. Nothing is read.
    Admission,
    /// Lines go to the chat.
    Lines,
    /// The client ended its half (FIN). Held input must still be processed (2.1.6).
    LastLines,
    /// The session is over. Input is read and discarded until the client ends its half too; a socket
    /// that is closed with unread input sends a reset, which can destroy our last lines (RFC 1122,
    /// 4.2.2.13).
    Discarding,
    /// No more input will come.
    Ended,
}

/// The sending half: lines for the client. When it needs attention is in `clocks.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// The session goes on.
    Open,
    /// The session goes on, and the socket takes less than what waits. The clock says when it last
    /// took a byte.
    Blocked {
        /// The partner was told about the stall (7.16).
        told: bool,
    },
    /// The session is over, and the rest of the output is being written. The clock says when to give
    /// up; each byte that the socket takes moves that (7.18).
    Finishing,
    /// We sent our FIN. The client still has to end its half. The clock says when the connection is
    /// closed even if it does not (7.18).
    Ended,
}

/// What a client shows while its user types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typing {
    /// No password is awaited.
    Shown,
    /// A password is awaited, and the client was asked to hide it.
    Hidden,
    /// A password is awaited, and the client cannot be asked.
    Visible,
}

/// One session that drains, and what its discarded input contained so far.
#[derive(Debug)]
pub(super) struct Drain {
    pub(super) id: SessionId,
    /// Lines that went to nobody.
    pub(super) lines: usize,
    /// The input also said that no more would follow: IAC EOF or control-D (2.2.3, 2.3.1).
    pub(super) end_said: bool,
}

impl Endpoint {
    pub(super) fn new() -> Endpoint {
        Endpoint {
            reader: LineReader::new(LINE_BYTES_MAX as u16),
            held_input: None,
            outbox: Outbox::default(),
            cursor: None,
            receiving: Receiving::Lines,
            sending: Sending::Open,
            to_write: false,
            to_fan_out: false,
            has_deadline: false,
            has_written: false,
            is_encoded: false,
            is_draining: false,
            typing: Typing::Shown,
        }
    }

    /// The next time at which the sending half needs attention; `clock` is its own.
    pub(super) fn due(&self, clock: Option<Time>, limits: &Limits) -> Option<Time> {
        let parted_at = |since: Time| since.after_ms(limits.stall_ms);
        match self.sending {
            _ if self.is_closed() => None,
            Sending::Open => None,
            Sending::Blocked { told: true } => clock.map(parted_at),
            Sending::Blocked { told: false } => {
                clock.map(|since| parted_at(since).min(since.after_ms(STALL_NOTICE_MS)))
            }
            Sending::Finishing | Sending::Ended => clock,
        }
    }

    /// Whether both halves have ended, which allows the socket to be closed.
    pub(super) fn is_closed(&self) -> bool {
        self.receiving == Receiving::Ended && self.sending == Sending::Ended
    }
}

impl Sending {
    /// Whether the session goes on.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Sending::Open | Sending::Blocked { .. })
    }

    /// Whether the session goes on, and the socket is full.
    pub(super) fn is_blocked(self) -> bool {
        matches!(self, Sending::Blocked { .. })
    }
}
