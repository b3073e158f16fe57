//! Reads a recording.
//!
//! What was taken from a connection may stand far behind the call in which it came, because it had to
//! wait. A [`Recording`] has it with that call, where a replay needs it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use super::transport::TransportEvent;
use super::{Call, Entry, header};
use crate::core::SessionId;
use crate::core::limits::{Limits, READ_BYTES_PER_TURN};
use crate::core::time::Time;

/// What fills up bytes that nobody has taken. Nobody will in a replay either.
const UNTAKEN: u8 = b'x';

/// IAC EOF: the exchange adds it when a transport reports the end.
const END_OF_INPUT: [u8; 2] = [255, 236];

/// All calls of a recording.
#[derive(Debug)]
pub struct Recording {
    pub(super) limits: Limits,
    /// The version of the program that recorded, if it is another one.
    program: Option<String>,
    /// The recording was full, or ends in the middle of a line.
    is_cut: bool,
    pub(super) calls: Vec<(Time, Call)>,
    /// The bytes that came in a call, by its place.
    pub(super) chunks: BTreeMap<usize, Vec<u8>>,
    /// What the transport did that began in a call.
    pub(super) transports: BTreeMap<usize, VecDeque<TransportEvent>>,
}

/// Why a file cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingError {
    /// The first line, and why.
    Header(String),
    /// The number of a line that is no entry, or is at a wrong place.
    Line(usize),
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordingError::Header(why) => f.write_str(why),
            RecordingError::Line(number) => write!(f, "line {number} is damaged"),
        }
    }
}

/// What is known of one connection while the lines are read.
#[derive(Debug, Default, Clone, Copy)]
struct Open {
    /// The call in which the last bytes came.
    received: Option<usize>,
    /// The call in which its transport began.
    began: Option<usize>,
    /// How many bytes of the chunk nobody has taken.
    left: usize,
    /// The chunk before has so many bytes that are taken first.
    stale: Option<(usize, usize)>,
    /// The transport has reported the end, which the exchange adds to the chunk.
    is_ended: bool,
}

impl Recording {
    /// Reads a recording. A last line that is not whole is left out.
    ///
    /// # Errors
    /// It is none, it has another form, or a line is damaged.
    pub fn parse(bytes: &[u8]) -> Result<Recording, RecordingError> {
        let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
        let header = lines.next().unwrap_or_default();
        let (limits, program) = header::parse(header).map_err(RecordingError::Header)?;
        let mut recording = Recording {
            limits,
            program,
            is_cut: !bytes.ends_with(b"\n"),
            calls: Vec::new(),
            chunks: BTreeMap::new(),
            transports: BTreeMap::new(),
        };
        let mut open = BTreeMap::new();
        for (number, line) in (2..).zip(lines) {
            let Some(line) = line.strip_suffix(b"\n") else { break };
            Entry::parse(line)
                .and_then(|entry| recording.add(entry, &mut open))
                .ok_or(RecordingError::Line(number))?;
        }
        open.values().for_each(|open| recording.end_chunk(open));
        Ok(recording)
    }

    /// Whether these bytes begin as a recording does.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        !matches!(header::parse(line), Err(why) if why == header::NONE)
    }

    /// The version of the program that recorded, if it is not this one: a replay may differ.
    #[must_use]
    pub fn other_program(&self) -> Option<&str> {
        self.program.as_deref()
    }

    /// Whether the server went on after the last call.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Adds an entry. `None` if it cannot come here.
    fn add(&mut self, entry: Entry, open: &mut BTreeMap<SessionId, Open>) -> Option<()> {
        match entry {
            Entry::Call(after_ms, call) => {
                let last = self.calls.last().map_or(Time::START, |(at, _)| *at);
                self.begin_call(&call, open);
                self.calls.push((last.after_ms(after_ms), call));
            }
            Entry::Took(id, mut bytes) => {
                let open = open.get_mut(&id)?;
                if let Some((place, count)) = open.stale.take() {
                    let own = bytes.split_off(count.min(bytes.len()));
                    self.chunks.get_mut(&place)?.append(&mut bytes);
                    bytes = own;
                }
                self.chunks.get_mut(&open.received?)?.append(&mut bytes);
            }
            Entry::Left(id, count) => {
                let open = open.get_mut(&id)?;
                open.received?;
                open.left = count;
            }
            Entry::Transport(id, event) => {
                let open = open.get_mut(&id)?;
                open.is_ended |= event.is_end();
                self.transports.get_mut(&open.began?)?.push_back(event);
            }
            Entry::End => self.is_cut = true,
        }
        Some(())
    }

    fn begin_call(&mut self, call: &Call, open: &mut BTreeMap<SessionId, Open>) {
        let place = self.calls.len();
        match call {
            Call::Connect(id, _) | Call::ConnectThrough(id, _) => {
                let began = matches!(call, Call::ConnectThrough(..)).then_some(place);
                began.into_iter().for_each(|place| {
                    self.transports.insert(place, VecDeque::new());
                });
                let last = open.insert(*id, Open { began, ..Open::default() });
                last.iter().for_each(|last| self.end_chunk(last));
            }
            Call::Received(id) | Call::StaleInput(id) => {
                self.chunks.insert(place, Vec::new());
                let open = open.entry(*id).or_default();
                let waiting = open.received.filter(|_| open.left > 0).map(|last| (last, open.left));
                let stale = waiting.filter(|_| matches!(call, Call::StaleInput(_)));
                if stale.is_none() {
                    self.end_chunk(open);
                }
                *open = Open { received: Some(place), began: open.began, stale, ..Open::default() };
            }
            _ => {}
        }
    }

    /// Nothing more of the last chunk of a connection will be taken.
    fn end_chunk(&mut self, open: &Open) {
        let Some(chunk) = open.received.and_then(|place| self.chunks.get_mut(&place)) else {
            return;
        };
        // A file may claim any number; no connection has more than one read, and its end.
        let left = open.left.min(READ_BYTES_PER_TURN + END_OF_INPUT.len());
        chunk.resize(chunk.len() + left, UNTAKEN);
        if open.is_ended {
            let whole = chunk.len().saturating_sub(END_OF_INPUT.len());
            chunk.truncate(whole);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<u8> {
        let header = header::encode(&Limits::default());
        format!("{header}\n{}\n", lines.join("\n")).into_bytes()
    }

    #[test]
    fn what_was_taken_later_stands_with_the_call_in_which_it_came() {
        let bytes = lines(&[
            r#"[5,"connect",0,0]"#,
            r#"[1,"received",0]"#,
            r#"["took",0,"a\n"]"#,
            r#"["left",0,4]"#,
            r#"[2,"resume",0]"#,
            r#"["took",0,"b\n"]"#,
            r#"["left",0,2]"#,
            r#"[0,"received",0]"#,
            r#"["took",0,"c\n"]"#,
        ]);
        let recording = Recording::parse(&bytes).unwrap();
        assert_eq!(recording.chunks[&1], b"a\nb\nxx", "two bytes were never taken");
        assert_eq!(recording.chunks[&3], b"c\n");
        assert_eq!(
            recording.calls[2],
            (Time::START.after_ms(8), Call::Resume(SessionId::from_key(0)))
        );
        assert!(!recording.is_cut());
    }

    #[test]
    fn a_damaged_line_is_named_and_half_a_line_is_left_out() {
        let whole = lines(&[r#"[5,"connect",0,0]"#, r#"[1,"received",0]"#]);
        let cut = Recording::parse(&whole[..whole.len() - 3]).unwrap();
        assert_eq!((cut.calls.len(), cut.is_cut()), (1, true));
        for damaged in
            [r#"["took",0,"x"]"#, r#"["left",0,1]"#, r#"["transport",0,"done",0,""]"#, "x"]
        {
            let bytes = lines(&[r#"[5,"connect",0,0]"#, damaged]);
            assert_eq!(Recording::parse(&bytes).err(), Some(RecordingError::Line(3)), "{damaged}");
        }
        assert!(matches!(Recording::parse(b"* hello\n"), Err(RecordingError::Header(_))));
        assert!(Recording::is_one(&whole) && !Recording::is_one(b"{\"watch\":1}\n"));
    }
}
