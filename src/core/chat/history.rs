//! The history of a room: its last lines and when each was said (6.3.1), and the record format that
//! stores a line across a restart (6.3.3).
//!
//! `room_commands` adds and shows lines. The server's history store writes and reads the records;
//! this module does not know files.

use std::collections::VecDeque;
use std::fmt::Write;

use super::name::Name;
use crate::core::buffers::Buffer;
use crate::core::framing::text::is_unsafe;
use crate::core::limits::{HISTORY_BYTES_MAX, HISTORY_LINES_MAX, LINE_BYTES_MAX};

/// The last lines said in a room, at most `HISTORY_LINES_MAX` lines and `HISTORY_BYTES_MAX` bytes
/// (7.5). Adding a line to a full history allocates nothing.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The text of all lines, without separators. One buffer for all costs less than a string each.
    text: Buffer,
    /// Oldest first, in the order of `text`.
    entries: VecDeque<Entry>,
    /// How many lines were removed: the number of the oldest line that is kept.
    forgotten: u64,
}

/// Describes one line in the text of a history.
#[derive(Debug, Clone, Copy)]
struct Entry {
    said_at: UnixSeconds,
    /// Bytes.
    len: usize,
}

/// Seconds since 1970-01-01 00:00 UTC. [`crate::core::time`] counts from the server's start, and
/// its values would mean nothing after a restart.
pub type UnixSeconds = u64;

/// A line said in a room, as the history store keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// When the line was said.
    pub said_at: UnixSeconds,
    /// The name of the room. Not its id: ids change at a restart.
    pub room: &'a str,
    /// The line as members read it, `NAME: text`, without its line ending.
    pub line: &'a str,
}

impl History {
    /// Adds a line, and removes the oldest lines until both limits hold.
    pub(super) fn push(&mut self, said_at: UnixSeconds, line: &str) {
        while self.entries.len() == HISTORY_LINES_MAX
            || self.text.len() + line.len() > HISTORY_BYTES_MAX
        {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.text.take(oldest.len);
            self.forgotten += 1;
        }
        self.text.push([line.as_bytes()]);
        self.entries.push_back(Entry { said_at, len: line.len() });
    }

    /// The line that was added last; empty if there is none.
    pub(super) fn newest(&self) -> &str {
        self.last(1).next().map_or("", |(_, line)| line)
    }

    /// The number of lines.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number of the oldest line that is kept. The first line ever said has number 0.
    pub(super) fn begin(&self) -> u64 {
        self.forgotten
    }

    /// The number that the next line will have.
    pub(super) fn end(&self) -> u64 {
        self.forgotten + self.len() as u64
    }

    /// The last `count` lines, oldest first, and when each was said.
    pub(super) fn last(&self, count: usize) -> impl Iterator<Item = (UnixSeconds, &str)> {
        let skipped = self.len().saturating_sub(count);
        let entries = self.entries.range(skipped..);
        let text = self.text.as_slice();
        let shown_bytes = entries.clone().map(|entry| entry.len).sum::<usize>();
        let mut rest = &text[text.len() - shown_bytes..];
        entries.map(move |entry| {
            let (line, after) = rest.split_at(entry.len);
            rest = after;
            (entry.said_at, str::from_utf8(line).expect("`push` adds whole lines of UTF-8"))
        })
    }
}

impl<'a> Record<'a> {
    /// Appends `LENGTH TIME ROOM LINE` and a newline to `out`. The length counts the bytes after it
    /// and before the newline. It reveals a record that a crash cut short.
    pub fn encode(&self, out: &mut String) {
        let Record { said_at, room, line } = self;
        let digits = said_at.checked_ilog10().map_or(1, |log| log as usize + 1);
        let len = digits + room.len() + line.len() + "  ".len();
        writeln!(out, "{len} {said_at} {room} {line}").expect("writing to memory does not fail");
    }

    /// Decodes a record, given without its newline; `None` if it is cut short or invalid.
    ///
    /// The file is untrusted: any program could have written it, and a line from it goes to users'
    /// terminals. A record must therefore pass the same checks as a line from a client.
    #[must_use]
    pub fn decode(record: &'a [u8]) -> Option<Record<'a>> {
        let record = str::from_utf8(record).ok().filter(|record| !record.contains(is_unsafe))?;
        let (len, rest) = record.split_once(' ')?;
        if len.parse() != Ok(rest.len()) {
            return None;
        }
        let (said_at, rest) = rest.split_once(' ')?;
        let (room, line) = rest.split_once(' ')?;
        let (from, text) = line.split_once(": ")?;
        // `/me` adds two asterisks to a text that may have had the full length.
        if Name::parse(from).is_err() || text.len() > LINE_BYTES_MAX + 2 {
            return None;
        }
        Some(Record { said_at: said_at.parse().ok()?, room, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::LINE_BYTES_MAX;

    /// (6.3.1, 7.5)
    #[test]
    fn a_history_keeps_the_last_lines_within_its_limits() {
        let mut history = History::default();
        for n in 0..3 * HISTORY_LINES_MAX {
            history.push(n as u64, &format!("anna: {n}"));
        }
        assert_eq!(history.len(), HISTORY_LINES_MAX);
        let last = history.last(2).collect::<Vec<_>>();
        assert_eq!(last, [(598, "anna: 598"), (599, "anna: 599")]);
        assert_eq!(history.last(usize::MAX).count(), HISTORY_LINES_MAX);
        let long = "é".repeat(LINE_BYTES_MAX / 2);
        for n in 0..3 * HISTORY_LINES_MAX {
            history.push(n as u64, &long);
            assert!(history.text.len() <= HISTORY_BYTES_MAX);
        }
        assert_eq!(history.len(), HISTORY_BYTES_MAX / LINE_BYTES_MAX);
        assert!(history.last(usize::MAX).all(|(_, line)| line == long));
    }

    /// (6.3.3)
    #[test]
    fn decoding_an_encoded_record_gives_the_same_record() {
        for line in ["anna: hello", "anna: ", "日本: two  blanks 12 34 "] {
            for said_at in [0, 9, 10, 1_795_532_580] {
                let (mut written, record) =
                    (String::new(), Record { said_at, room: "lobby", line });
                record.encode(&mut written);
                let read = written.strip_suffix('\n').unwrap().as_bytes();
                assert_eq!(Record::decode(read), Some(record));
            }
        }
    }

    /// (6.3.3)
    #[test]
    fn a_record_that_was_cut_short_or_merged_with_another_is_rejected() {
        let mut written = String::new();
        Record { said_at: 77, room: "lobby", line: "anna: 10 20 x y" }.encode(&mut written);
        let whole = written.trim_end().as_bytes();
        for cut in 0..whole.len() {
            assert_eq!(Record::decode(&whole[..cut]), None, "cut at {cut}");
            let glued = [&whole[..cut], whole].concat();
            assert!(cut == 0 || Record::decode(&glued).is_none(), "cut at {cut}, merged");
        }
        for garbage in [
            "",
            "x",
            "5 a b",
            "12 1000 lobby x",
            "14 1 lobby * a: b",
            "7 1 r a\u{1b}[",
            "-1 2 3",
            "99999999999999999999 1 a b",
        ] {
            assert_eq!(Record::decode(garbage.as_bytes()), None, "{garbage}");
        }
        assert_eq!(Record::decode(b"7 1 r \xff\xff"), None);
        let mut written = String::new();
        let line = format!("anna: {}", "x".repeat(LINE_BYTES_MAX + 3));
        Record { said_at: 1, room: "lobby", line: &line }.encode(&mut written);
        assert_eq!(Record::decode(written.trim_end().as_bytes()), None, "the text is too long");
    }
}
