//! What was said in a room (6.8): the last lines, when they were said, and how a line is written
//! down to outlast the server (6.14). Nothing here knows of files.

use std::collections::VecDeque;
use std::fmt::Write;

use super::name::Name;
use crate::core::buffers::Buffer;
use crate::core::framing::text::is_unsafe;
use crate::core::limits::{HISTORY_BYTES_MAX, HISTORY_LINES_MAX, LINE_BYTES_MAX};

/// The last lines said in a room. Full, it takes in another without allocating.
#[derive(Debug, Default)]
pub(super) struct History {
    text: Buffer,
    lines: VecDeque<Mark>,
}

/// A line within the text of a history.
#[derive(Debug, Clone, Copy)]
struct Mark {
    said_at: UnixSeconds,
    len: usize,
}

/// Seconds since 1970, UTC: what was said outlives the server, and its clock of [`crate::core::time`].
pub type UnixSeconds = u64;

/// A line as it was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was said.
    pub said_at: UnixSeconds,
    /// In which room.
    pub room: &'a str,
    /// `NAME: text`.
    pub line: &'a str,
}

impl History {
    /// Takes in a line; the oldest make room for it.
    pub(super) fn push(&mut self, said_at: UnixSeconds, line: &str) {
        while self.lines.len() == HISTORY_LINES_MAX
            || self.text.len() + line.len() > HISTORY_BYTES_MAX
        {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.text.take(oldest.len);
        }
        self.text.push([line.as_bytes()]);
        self.lines.push_back(Mark { said_at, len: line.len() });
    }

    /// The line taken in last; empty, if there is none.
    pub(super) fn newest(&self) -> &str {
        self.last(1).next().map_or("", |(_, line)| line)
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The last `count` lines, and when each was said.
    pub(super) fn last(&self, count: usize) -> impl Iterator<Item = (UnixSeconds, &str)> {
        let skipped = self.len().saturating_sub(count);
        let marks = self.lines.range(skipped..);
        let text = self.text.as_slice();
        let mut rest = &text[text.len() - marks.clone().map(|mark| mark.len).sum::<usize>()..];
        marks.map(move |mark| {
            let (line, after) = rest.split_at(mark.len);
            rest = after;
            (mark.said_at, str::from_utf8(line).expect("only whole lines of UTF-8 go in"))
        })
    }
}

impl<'a> Record<'a> {
    /// Appends the record to `out`: the length of what follows, the time, the room and the line,
    /// which ends it. The length tells a record that was cut, and what was written behind it.
    pub fn encode(&self, out: &mut String) {
        let Record { said_at, room, line } = self;
        let digits = said_at.checked_ilog10().map_or(1, |log| log as usize + 1);
        let len = digits + room.len() + line.len() + "  ".len();
        writeln!(out, "{len} {said_at} {room} {line}").expect("writing to memory does not fail");
    }

    /// Reads a record, without the line ending. `None` if it is not whole, or none at all: it comes
    /// from a file, which anybody may have written.
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
        // Two more, since `/me` puts its text between asterisks.
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

    /// (6.8, 5.26)
    #[test]
    fn a_past_keeps_the_last_lines_within_its_bounds() {
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

    /// (6.14)
    #[test]
    fn a_record_is_read_as_it_was_written() {
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

    /// (6.14)
    #[test]
    fn a_record_that_was_cut_or_run_into_another_is_none() {
        let mut written = String::new();
        Record { said_at: 77, room: "lobby", line: "anna: 10 20 x y" }.encode(&mut written);
        let whole = written.trim_end().as_bytes();
        for cut in 0..whole.len() {
            assert_eq!(Record::decode(&whole[..cut]), None, "cut at {cut}");
            let glued = [&whole[..cut], whole].concat();
            assert!(cut == 0 || Record::decode(&glued).is_none(), "cut at {cut} and gone on");
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
        assert_eq!(Record::decode(written.trim_end().as_bytes()), None, "longer than a line");
    }
}
