//! BroadcastLogs: the lines that many are to read, held once for all of them.
//!
//! A log is a stretch of bytes with a position for each of its readers, which stands with the
//! reader's endpoint. A line goes in once, however many read it, and goes out to each from where it
//! lies. What all have read is given up. A reader who falls too far readers_behind is moved on, and the
//! lines it missed are counted.

use std::collections::BTreeMap;

use memchr::{memchr, memchr_iter};

use crate::core::SessionId;
use crate::core::buffers::{Buffer, Pool};
use crate::core::chat::BroadcastId;

/// Where a reader stands in the log it is cursor in to: six bytes, since there is room for one with
/// every connection, and most never need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    pub(super) log: BroadcastId,
    at: Position,
}

/// Bytes since a log began, a `u32` without its alignment. It wraps; a log never holds so much that
/// this could mislead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position([u8; 4]);

/// The lines that its readers have not all read.
#[derive(Debug)]
pub(super) struct BroadcastLog {
    readers: Vec<SessionId>,
    /// Empty, and then `None`, when everybody has read everything.
    lines: Option<Box<Buffer>>,
    /// Where `lines` begins, which is where a line begins.
    start: Position,
    end: Position,
    /// How many readers do not stand at the end.
    readers_behind: usize,
    /// Lines that readers were moved past, and have not been told of.
    missed: BTreeMap<SessionId, u64>,
    /// All its readers are on the list to be written to, but for those whose socket is full.
    pub(super) is_scheduled: bool,
    /// It is on the list of those to be trimmed at the end of the turn.
    pub(super) needs_trim: bool,
}

/// All logs that have readers.
#[derive(Debug, Default)]
pub(super) struct BroadcastLogs(Vec<Option<BroadcastLog>>);

impl BroadcastLogs {
    pub(super) fn get(&self, id: BroadcastId) -> Option<&BroadcastLog> {
        self.0.get(id.key())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: BroadcastId) -> Option<&mut BroadcastLog> {
        self.0.get_mut(id.key())?.as_mut()
    }

    /// Adds a reader, who will read what comes from now on.
    pub(super) fn subscribe(&mut self, id: BroadcastId, who: SessionId) -> Cursor {
        if self.0.len() <= id.key() {
            self.0.resize_with(id.key() + 1, || None);
        }
        let log = self.0[id.key()].get_or_insert_with(BroadcastLog::new);
        log.readers.push(who);
        log.is_scheduled = false;
        Cursor { log: id, at: log.end }
    }

    /// Removes a reader who stands at the end and has been told what was missed.
    pub(super) fn unsubscribe(&mut self, cursor: Cursor, who: SessionId) {
        let Some(log) = self.get_mut(cursor.log) else { return };
        debug_assert!(log.rest(cursor).is_empty(), "{who} leaves with something to read");
        log.readers.retain(|reader| *reader != who);
        if log.readers.is_empty() {
            debug_assert!(log.missed.is_empty(), "whoever missed something is here");
            self.0[cursor.log.key()] = None;
        }
    }
}

impl BroadcastLog {
    fn new() -> BroadcastLog {
        BroadcastLog {
            readers: Vec::new(),
            lines: None,
            start: Position::ZERO,
            end: Position::ZERO,
            readers_behind: 0,
            missed: BTreeMap::new(),
            is_scheduled: false,
            needs_trim: false,
        }
    }

    pub(super) fn readers(&self) -> &[SessionId] {
        &self.readers
    }

    /// Bytes held.
    pub(super) fn len(&self) -> usize {
        self.end.since(self.start)
    }

    /// Adds a line, its ending included.
    pub(super) fn push(&mut self, pool: &mut Pool, line: &[u8]) {
        self.lines.get_or_insert_with(|| pool.lend()).push([line]);
        self.end = self.end.after(line.len());
        self.readers_behind = self.readers.len();
    }

    /// What a reader has not read.
    pub(super) fn rest(&self, cursor: Cursor) -> &[u8] {
        let lines = self.lines.as_ref().map_or(&[][..], |lines| lines.as_slice());
        &lines[cursor.at.since(self.start)..]
    }

    /// A reader has read `count` bytes more.
    pub(super) fn advance(&mut self, cursor: &mut Cursor, count: usize) {
        if count == 0 {
            return;
        }
        cursor.at = cursor.at.after(count);
        self.is_scheduled = false;
        if cursor.at == self.end {
            self.readers_behind -= 1;
        }
    }

    /// Whether everybody has read everything.
    pub(super) fn is_read(&self) -> bool {
        self.readers_behind == 0
    }

    /// Whether there is something for a reader: bytes, or word of what was missed.
    pub(super) fn has_more(&self, cursor: Cursor, who: SessionId) -> bool {
        cursor.at != self.end || self.missed.contains_key(&who)
    }

    /// How many lines a reader was moved past and not told of.
    pub(super) fn missed(&self, who: SessionId) -> u64 {
        self.missed.get(&who).copied().unwrap_or(0)
    }

    /// The same, which is told now.
    pub(super) fn take_missed(&mut self, who: SessionId) -> Option<u64> {
        self.missed.remove(&who)
    }

    /// Moves a reader on by `count` bytes, which end where a line ends, and counts the lines that are
    /// missed so. Returns what must be read all the same: the rest of a line already read in part.
    pub(super) fn skip(&mut self, cursor: &mut Cursor, who: SessionId, count: usize) -> &[u8] {
        let from = cursor.at.since(self.start);
        self.advance(cursor, count);
        let lines = self.lines.as_ref().map_or(&[][..], |lines| lines.as_slice());
        let is_within_line = from > 0 && lines[from - 1] != b'\n';
        let passed = &lines[from..from + count];
        let begun = if is_within_line { memchr(b'\n', passed).map_or(0, |end| end + 1) } else { 0 };
        let missed = memchr_iter(b'\n', &passed[begun..]).count() as u64;
        if missed > 0 {
            *self.missed.entry(who).or_default() += missed;
        }
        &passed[..begun]
    }

    /// How many bytes of the oldest lines are more than `bytes_max`.
    pub(super) fn excess(&self, bytes_max: usize) -> usize {
        let lines = self.lines.as_ref().map_or(&[][..], |lines| lines.as_slice());
        up_to_line_end(lines, self.len().saturating_sub(bytes_max))
    }

    /// `count` bytes of what a reader has not read, or a few more, so that they end where a line ends.
    pub(super) fn whole_lines(&self, cursor: Cursor, count: usize) -> usize {
        up_to_line_end(self.rest(cursor), count)
    }

    /// How many bytes at the start a reader has not read.
    pub(super) fn lag(&self, cursor: Cursor, within: usize) -> usize {
        within.saturating_sub(cursor.at.since(self.start))
    }

    /// Gives up the first `count` bytes, which nobody is to read any more.
    pub(super) fn discard(&mut self, count: usize) {
        self.start = self.start.after(count);
        self.lines.iter_mut().for_each(|lines| lines.take(count));
    }

    /// Gives up everything, if everybody has read it. Returns how many bytes that were.
    pub(super) fn discard_if_read(&mut self, pool: &mut Pool) -> usize {
        if !self.is_read() {
            return 0;
        }
        let len = self.len();
        self.start = self.end;
        self.lines.take().into_iter().for_each(|lines| pool.take_back(lines));
        len
    }
}

/// `count`, or as many more bytes of `lines` as end a line.
fn up_to_line_end(lines: &[u8], count: usize) -> usize {
    match count {
        0 => 0,
        count => count + memchr(b'\n', &lines[count - 1..]).map_or(0, |end| end),
    }
}

impl Position {
    const ZERO: Position = Position([0; 4]);

    fn after(self, count: usize) -> Position {
        Position(self.number().wrapping_add(count as u32).to_ne_bytes())
    }

    fn since(self, earlier: Position) -> usize {
        self.number().wrapping_sub(earlier.number()) as usize
    }

    fn number(self) -> u32 {
        u32::from_ne_bytes(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::chat::RoomId;

    fn feed_of_two() -> (BroadcastLogs, Pool, BroadcastId, [Cursor; 2]) {
        let (mut logs, id) =
            (BroadcastLogs::default(), BroadcastId::of(RoomId::from_key(0), false));
        // Where it begins does not matter, least of all where positions wrap.
        let cursor = logs.subscribe(id, who(9));
        let log = logs.get_mut(id).unwrap();
        let late = Position((u32::MAX - 5).to_ne_bytes());
        (log.start, log.end) = (late, late);
        let both = [0, 1].map(|n| logs.subscribe(id, who(n)));
        logs.unsubscribe(Cursor { at: late, ..cursor }, who(9));
        (logs, Pool::default(), id, both)
    }

    fn who(n: usize) -> SessionId {
        SessionId::from_key(n)
    }

    /// (6.3)
    #[test]
    fn every_reader_reads_every_line_and_then_nothing_is_held() {
        let (mut logs, mut pool, id, [mut one, mut other]) = feed_of_two();
        let log = logs.get_mut(id).unwrap();
        for round in 0..3 {
            log.push(&mut pool, b"anna: hello\r\n");
            assert_eq!(log.rest(one), b"anna: hello\r\n", "round {round}");
            log.advance(&mut one, 13);
            log.push(&mut pool, b"bert: hi\r\n");
            assert_eq!(log.rest(one), b"bert: hi\r\n");
            log.advance(&mut one, 10);
            assert_eq!(log.discard_if_read(&mut pool), 0, "the other has not read");
            assert_eq!(log.rest(other), b"anna: hello\r\nbert: hi\r\n");
            log.advance(&mut other, 4);
            log.advance(&mut other, 19);
            assert_eq!(log.discard_if_read(&mut pool), 23);
            assert!(log.lines.is_none() && log.len() == 0);
        }
    }

    /// (6.9)
    #[test]
    fn who_is_moved_on_reads_a_line_begun_to_its_end_and_learns_how_many_were_missed() {
        let (mut logs, mut pool, id, [mut one, mut other]) = feed_of_two();
        let log = logs.get_mut(id).unwrap();
        for n in 0..5 {
            log.push(&mut pool, format!("anna: {n}\r\n").as_bytes());
        }
        log.advance(&mut one, 3);
        let excess = log.excess(18);
        assert_eq!(excess, 27, "whole lines, until what is left is within the bound");
        assert_eq!(log.lag(one, excess), 24);
        assert_eq!(log.skip(&mut one, who(0), 24), b"a: 0\r\n");
        assert_eq!(log.skip(&mut other, who(1), 27), b"");
        log.discard(27);
        assert_eq!((log.take_missed(who(0)), log.take_missed(who(1))), (Some(2), Some(3)));
        assert_eq!(log.take_missed(who(1)), None, "it is told once");
        assert_eq!(log.rest(one), b"anna: 3\r\nanna: 4\r\n");
        assert_eq!(log.rest(one), log.rest(other));
        assert_eq!(log.excess(18), 0);
    }
}
