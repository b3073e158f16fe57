//! A connection as the kernel and the person behind it see it: bytes under way in both directions,
//! with a bound on those that nobody takes.

use std::collections::VecDeque;
use std::ops::Range;

use crate::people::Habits;
use crate::random::Random;
use crate::spoken::Heard;
use crate::typing::Typed;

/// How somebody takes what they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// All of it, at once.
    Eager,
    /// So many bytes at a time.
    Slow(usize),
    /// Nothing, for the time being.
    Stalled,
}

/// Where the half of the connection that the client sends on stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientHalf {
    Open,
    /// Ended behind the last byte typed.
    Ended,
    /// The server has read that.
    EndRead,
}

/// Where in the stream what was typed in one go lies.
#[derive(Debug)]
struct Piece {
    start: usize,
    end: usize,
    /// See [`Typed::survives`].
    survives: Range<usize>,
}

#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) habits: Habits,
    pub(crate) reading: Reading,
    /// What was typed and not read by the server; the first `arrived` bytes can be.
    typed: Vec<u8>,
    pub(crate) arrived: usize,
    /// Bytes that the server has read, since the beginning.
    read: usize,
    /// What will have been heard once so many bytes were read.
    heard: VecDeque<(usize, Heard)>,
    pieces: VecDeque<Piece>,
    heard_at_end: Option<Heard>,
    pub(crate) client_half: ClientHalf,
    pub(crate) server_half_ended: bool,
    /// What the server was seen to say and has not been taken.
    pub(crate) said: Vec<u8>,
    /// Bytes at its front that are the rest of a refusal of a telnet option.
    pub(crate) cut_refusal: usize,
    /// Bytes that can be written before the socket is full.
    pub(crate) room: usize,
    pub(crate) was_full: bool,
    /// The loop has it on its list of those that may be read.
    pub(crate) is_listed: bool,
    /// By when the server must have closed it, once its session is over (5.16).
    pub(crate) close_by: Option<u64>,
    pub(crate) has_failed: bool,
}

impl Socket {
    pub(crate) fn new(habits: Habits) -> Socket {
        Socket {
            habits,
            reading: Reading::Eager,
            typed: Vec::new(),
            arrived: 0,
            read: 0,
            heard: VecDeque::new(),
            pieces: VecDeque::new(),
            heard_at_end: None,
            client_half: ClientHalf::Open,
            server_half_ended: false,
            said: Vec::new(),
            cut_refusal: 0,
            room: usize::MAX,
            was_full: false,
            is_listed: false,
            close_by: None,
            has_failed: false,
        }
    }

    /// The person sends this; nothing of it has arrived yet.
    pub(crate) fn send(&mut self, typed: Typed) {
        let start = self.read + self.typed.len();
        for (bytes, heard) in typed.parts {
            self.typed.extend_from_slice(&bytes);
            let end = self.read + self.typed.len();
            self.heard.extend(heard.map(|heard| (end, heard)));
        }
        let end = self.read + self.typed.len();
        self.pieces.push_back(Piece { start, end, survives: typed.survives });
        self.heard_at_end = typed.heard_at_end;
    }

    /// How many bytes have been typed that have not arrived.
    pub(crate) fn under_way(&self) -> usize {
        self.typed.len() - self.arrived
    }

    /// Whether a read would give something: bytes, or their end.
    pub(crate) fn is_readable(&self) -> bool {
        self.arrived > 0 || (self.client_half == ClientHalf::Ended && self.typed.is_empty())
    }

    /// The server reads up to `max` bytes.
    pub(crate) fn read(&mut self, max: usize) -> Vec<u8> {
        let count = max.min(self.arrived);
        self.arrived -= count;
        self.read += count;
        let bytes = self.typed[..count].to_vec();
        self.typed.drain(..count);
        bytes
    }

    /// What the server has heard by what it has read.
    pub(crate) fn next_heard(&mut self) -> Option<Heard> {
        while self.pieces.front().is_some_and(|piece| piece.end <= self.read) {
            self.pieces.pop_front();
        }
        self.heard.front().filter(|(at, _)| *at <= self.read)?;
        self.heard.pop_front().map(|(_, heard)| heard)
    }

    /// The server has read that the client ended its half; a last line without an ending is heard.
    pub(crate) fn read_end(&mut self) -> Heard {
        self.client_half = ClientHalf::EndRead;
        self.heard_at_end.take().unwrap_or(Heard::End)
    }

    /// The server threw away what it had read and held: a line of which it had read a part goes
    /// whole, if that part was more than what is taken out of lines.
    pub(crate) fn lose_line_begun(&mut self) {
        if self.typed.is_empty() {
            self.heard_at_end = None;
        }
        let Some(piece) = self.pieces.front().filter(|piece| piece.start < self.read) else {
            return;
        };
        if piece.survives.contains(&(self.read - piece.start)) {
            return;
        }
        let is_line = |heard: &Heard| !matches!(heard, Heard::Option(_) | Heard::AreYouThere);
        let line = self.heard.iter().position(|(at, heard)| *at <= piece.end && is_line(heard));
        match line {
            Some(line) => drop(self.heard.remove(line)),
            None if piece.end == self.read + self.typed.len() => self.heard_at_end = None,
            None => {}
        }
    }

    /// How many bytes a write of `len` takes now.
    pub(crate) fn takes(&self, random: &mut Random, len: usize) -> usize {
        let most = len.min(self.room);
        if most > 1 && random.chance(10) { random.between(1, most) } else { most }
    }

    /// The person reads; whether the socket, which was full, takes bytes again.
    pub(crate) fn person_reads(&mut self, random: &mut Random) -> bool {
        match self.reading {
            Reading::Eager => self.room = usize::MAX,
            Reading::Slow(bytes) => self.room = random.between(1, bytes),
            Reading::Stalled => return false,
        }
        std::mem::take(&mut self.was_full)
    }
}
