//! A connection as the kernel and the client see it: bytes in flight in both directions, and a
//! limited number of bytes that the kernel accepts for a client that does not read.

use std::collections::VecDeque;
use std::ops::Range;

use crate::habits::Habits;
use crate::random::Random;
use crate::traffic::Received;
use crate::typing::Typed;
use crate::world::accounts::Typing;
use crate::world::following::Mirror;

/// How the client reads the server's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Everything, at once.
    Eager,
    /// At most so many bytes at a time.
    Slow(usize),
    /// Nothing, until this changes.
    Stalled,
}

/// The state of the half of the connection that the client sends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientHalf {
    Open,
    /// The client has ended its half, after the last byte typed.
    Ended,
    /// The server has read the end of input.
    EndRead,
}

/// The position in the stream of one [`Typed`].
#[derive(Debug)]
struct Span {
    start: usize,
    end: usize,
    /// See [`Typed::lossless_discard`].
    lossless_discard: Range<usize>,
}

#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) habits: Habits,
    pub(crate) reading: Reading,
    /// Bytes that the client sent and the server has not read. The first `arrived` bytes are
    /// readable.
    typed: Vec<u8>,
    pub(crate) arrived: usize,
    /// Bytes that the server has read since the connection began.
    bytes_read: usize,
    /// Input, with the number of read bytes that completes it.
    received: VecDeque<(usize, Received)>,
    spans: VecDeque<Span>,
    received_at_end: Option<Received>,
    pub(crate) client_half: ClientHalf,
    pub(crate) server_half_ended: bool,
    /// Output that the world has seen and the server has not yet written.
    pub(crate) unsent: Vec<u8>,
    /// How many bytes at the front of `unsent` are the rest of a telnet refusal.
    pub(crate) partial_refusal: usize,
    /// Bytes that the kernel accepts before the socket is full.
    pub(crate) writable_bytes: usize,
    pub(crate) was_full: bool,
    /// The loop has queued the connection for reading.
    pub(crate) is_queued: bool,
    /// When the server must have closed the connection of an ended session, in milliseconds (7.18, 7.39).
    pub(crate) close_by: Option<u64>,
    pub(crate) has_failed: bool,
    /// What the client shows of what the user types.
    pub(crate) typing: Typing,
    /// What the client knows of the lists.
    pub(crate) mirror: Mirror,
}

impl Socket {
    pub(crate) fn new(habits: Habits) -> Socket {
        Socket {
            habits,
            reading: Reading::Eager,
            typed: Vec::new(),
            arrived: 0,
            bytes_read: 0,
            received: VecDeque::new(),
            spans: VecDeque::new(),
            received_at_end: None,
            client_half: ClientHalf::Open,
            server_half_ended: false,
            unsent: Vec::new(),
            partial_refusal: 0,
            writable_bytes: usize::MAX,
            was_full: false,
            is_queued: false,
            close_by: None,
            has_failed: false,
            typing: Typing::default(),
            mirror: Mirror::default(),
        }
    }

    /// The client sends `typed`. The bytes are in flight and have not arrived.
    pub(crate) fn send(&mut self, typed: Typed) {
        let start = self.bytes_read + self.typed.len();
        for (bytes, received) in typed.parts {
            self.typed.extend_from_slice(&bytes);
            let end = self.bytes_read + self.typed.len();
            self.received.extend(received.map(|received| (end, received)));
        }
        let end = self.bytes_read + self.typed.len();
        self.spans.push_back(Span { start, end, lossless_discard: typed.lossless_discard });
        self.received_at_end = typed.received_at_end;
    }

    /// How many bytes are sent and have not arrived.
    pub(crate) fn in_flight(&self) -> usize {
        self.typed.len() - self.arrived
    }

    /// Whether a read would return bytes or the end of input.
    pub(crate) fn is_readable(&self) -> bool {
        self.arrived > 0 || (self.client_half == ClientHalf::Ended && self.typed.is_empty())
    }

    /// The server reads up to `max` bytes.
    pub(crate) fn read(&mut self, max: usize) -> Vec<u8> {
        let count = max.min(self.arrived);
        self.arrived -= count;
        self.bytes_read += count;
        let bytes = self.typed[..count].to_vec();
        self.typed.drain(..count);
        bytes
    }

    /// The next input that the bytes read so far complete.
    pub(crate) fn next_received(&mut self) -> Option<Received> {
        while self.spans.front().is_some_and(|span| span.end <= self.bytes_read) {
            self.spans.pop_front();
        }
        self.received.front().filter(|(at, _)| *at <= self.bytes_read)?;
        self.received.pop_front().map(|(_, received)| received)
    }

    /// The server reads the end of input, which completes a last line without an ending.
    pub(crate) fn read_end(&mut self) -> Received {
        self.client_half = ClientHalf::EndRead;
        self.received_at_end.take().unwrap_or(Received::End)
    }

    /// The server has discarded its held input. If that included a part of a line, the rest of the
    /// line is lost too, unless the part held only bytes that the line does not contain.
    pub(crate) fn discard_partial_line(&mut self) {
        if self.typed.is_empty() {
            self.received_at_end = None;
        }
        let Some(span) = self.spans.front().filter(|span| span.start < self.bytes_read) else {
            return;
        };
        if span.lossless_discard.contains(&(self.bytes_read - span.start)) {
            return;
        }
        let is_line = |received: &Received| {
            !matches!(received, Received::TelnetOption(_) | Received::AreYouThere)
        };
        let line =
            self.received.iter().position(|(at, received)| *at <= span.end && is_line(received));
        match line {
            Some(line) => drop(self.received.remove(line)),
            None if span.end == self.bytes_read + self.typed.len() => self.received_at_end = None,
            None => {}
        }
    }

    /// How many bytes the kernel accepts from a write of `len` bytes.
    pub(crate) fn accepts(&self, random: &mut Random, len: usize) -> usize {
        let most = len.min(self.writable_bytes);
        if most > 1 && random.chance(10) { random.between(1, most) } else { most }
    }

    /// The client reads. Returns true if the socket was full and now accepts bytes again.
    pub(crate) fn client_reads(&mut self, random: &mut Random) -> bool {
        match self.reading {
            Reading::Eager => self.writable_bytes = usize::MAX,
            Reading::Slow(bytes) => self.writable_bytes = random.between(1, bytes),
            Reading::Stalled => return false,
        }
        std::mem::take(&mut self.was_full)
    }
}
