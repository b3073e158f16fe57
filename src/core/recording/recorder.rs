//! Turns calls into the lines of a recording.

use std::collections::BTreeMap;

use super::addresses::Addresses;
use super::call::Call;
use super::transport::TransportLog;
use super::{Entry, header};
use crate::core::exchange::Taken;
use crate::core::limits::Limits;
use crate::core::time::Time;
use crate::core::{Origin, SessionId};

/// What is left for the line that says that a recording ends.
const END_BYTES: u64 = 64;

/// Makes the lines of a recording, as far as they fit.
#[derive(Debug)]
pub struct Recorder {
    /// Lines that the shell has not taken yet.
    lines: Vec<u8>,
    /// Bytes that the recording may still have.
    bytes_left: u64,
    last: Time,
    addresses: Addresses,
    /// How many bytes of the last chunk of each connection are not taken, and how many were noted.
    untaken: BTreeMap<SessionId, (usize, usize)>,
    pub(super) transports: TransportLog,
}

impl Recorder {
    /// Begins a recording of at most `bytes_max` bytes. The exchange has these `limits`.
    #[must_use]
    pub fn new(limits: &Limits, bytes_max: u64) -> Recorder {
        let mut recorder = Recorder {
            lines: Vec::new(),
            bytes_left: bytes_max.saturating_sub(END_BYTES),
            last: Time::START,
            addresses: Addresses::default(),
            untaken: BTreeMap::new(),
            transports: TransportLog::default(),
        };
        recorder.push(&header::encode(limits));
        recorder
    }

    /// Whether the recording is full. Nothing more is noted then.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes_left == 0
    }

    /// The lines since the last call.
    pub(super) fn take_lines(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.lines)
    }

    /// Notes a call. One without a time comes at the time of the last.
    pub(super) fn note_call(&mut self, now: Option<Time>, call: Call) {
        let now = now.unwrap_or(self.last);
        let after_ms = now.ms_since(self.last);
        self.last = now;
        self.note(&Entry::Call(after_ms, call));
    }

    /// So many bytes come in the next call. Those that came before are taken, or never will be.
    pub(super) fn note_chunk(&mut self, id: SessionId, bytes: usize) {
        self.untaken.insert(id, (bytes, 0));
    }

    /// So many bytes come in the next call, which takes those that wait before them.
    pub(super) fn note_stale_chunk(&mut self, id: SessionId, bytes: usize) {
        let waiting = self.untaken.get(&id).map_or(0, |(untaken, _)| *untaken);
        self.untaken.insert(id, (waiting + bytes, 0));
    }

    /// Notes what the framing took in the last call.
    pub(super) fn note_taken(&mut self, taken: Vec<Taken>) {
        for Taken { id, bytes, count } in taken {
            if let Some((untaken, _)) = self.untaken.get_mut(&id) {
                *untaken = untaken.saturating_sub(count);
            }
            if !bytes.is_empty() {
                self.note(&Entry::Took(id, bytes));
            }
        }
    }

    /// Notes what transports did in the last call.
    pub(super) fn note_transports(&mut self) {
        let events = std::mem::take(&mut *self.transports.borrow_mut());
        for (id, event, decoded) in events {
            if let Some((untaken, _)) = self.untaken.get_mut(&id) {
                *untaken += decoded;
            }
            self.note(&Entry::Transport(id, event));
        }
    }

    /// Notes how many bytes of a connection are left after a call, if that is news. Bytes may be dropped
    /// instead of taken; then only their number is known.
    pub(super) fn note_left(&mut self, id: SessionId) {
        if let Some((untaken, noted)) = self.untaken.get_mut(&id)
            && untaken != noted
        {
            *noted = *untaken;
            let left = Entry::Left(id, *untaken);
            self.note(&left);
        }
    }

    /// A connection is gone.
    pub(super) fn forget(&mut self, id: SessionId) {
        self.untaken.remove(&id);
    }

    /// What stands for an address.
    pub(super) fn made_up(&mut self, origin: Origin) -> Origin {
        self.addresses.made_up(origin)
    }

    fn note(&mut self, entry: &Entry) {
        if !self.is_full() {
            self.push(&entry.encode());
        }
    }

    /// Adds a line. The first that does not fit ends the recording.
    fn push(&mut self, line: &str) {
        let bytes = line.len() as u64 + 1;
        let (line, left) = match self.bytes_left.checked_sub(bytes) {
            Some(left) => (line, left),
            None => (&*Entry::End.encode(), 0),
        };
        self.bytes_left = left;
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (7.108)
    #[test]
    fn a_full_recording_says_that_it_ends_and_keeps_to_its_limit() {
        let mut recorder = Recorder::new(&Limits::default(), 1_000);
        for _ in 0..100 {
            recorder.note_call(None, Call::Timeout);
        }
        assert!(recorder.is_full());
        let lines = String::from_utf8(recorder.take_lines()).unwrap();
        assert!(lines.len() <= 1_000);
        assert!(lines.ends_with("[0,\"timeout\"]\n[\"end\"]\n"), "{lines}");
        assert_eq!(lines.matches("end").count(), 1);
    }
}
