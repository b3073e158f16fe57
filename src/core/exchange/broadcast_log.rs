//! Broadcast logs: the lines of a room, stored once for all of its readers.
//!
//! A log is a stretch of bytes. Each reader has a [`Cursor`] in it, kept with the reader's endpoint.
//! Bytes that every reader has read are freed. A reader that falls too far behind is moved forward,
//! and the log counts the lines that the reader missed. A slow reader therefore costs no copy and
//! delays nobody. `broadcast.rs` calls this; nothing here knows a room or a user.

use std::collections::BTreeMap;

use memchr::{memchr, memchr_iter};

use crate::core::SessionId;
use crate::core::buffers::{Buffer, Pool};
use crate::core::chat::BroadcastId;

/// A reader's position in a log. It has six bytes, because every endpoint reserves space for one and
/// most endpoints never use it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    pub(super) log: BroadcastId,
    at: Position,
}

/// Bytes since the log began, as a `u32` without alignment. It wraps around; a log holds far fewer
/// bytes than 2^32, so the difference of two positions is always right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position([u8; 4]);

/// Lines that at least one reader has not read.
#[derive(Debug)]
pub(super) struct BroadcastLog {
    readers: Vec<SessionId>,
    /// `None` when every reader has read everything: an idle room owns no buffer.
    lines: Option<Box<Buffer>>,
    /// The position of the first byte of `lines`, which is the first byte of a line.
    start: Position,
    end: Position,
    /// How many readers have unread bytes.
    readers_behind: usize,
    /// Missed lines per reader, until the reader is told.
    missed: BTreeMap<SessionId, u64>,
    /// Writes to all readers are scheduled, except to those with a full socket. While this is set,
    /// publishing need not visit the readers.
    pub(super) is_scheduled: bool,
    /// The log is on the list of logs to trim at the end of the turn.
    pub(super) needs_trim: bool,
}

/// All logs that have readers, indexed by [`BroadcastId::key`].
#[derive(Debug, Default)]
pub(super) struct BroadcastLogs(Vec<Option<BroadcastLog>>);

impl BroadcastLogs {
    pub(super) fn get(&self, id: BroadcastId) -> Option<&BroadcastLog> {
        self.0.get(id.key())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: BroadcastId) -> Option<&mut BroadcastLog> {
        self.0.get_mut(id.key())?.as_mut()
    }

    /// Adds a reader. The reader gets the lines that are published from now on.
    pub(super) fn subscribe(&mut self, id: BroadcastId, who: SessionId) -> Cursor {
        if self.0.len() <= id.key() {
            self.0.resize_with(id.key() + 1, || None);
        }
        let log = self.0[id.key()].get_or_insert_with(BroadcastLog::new);
        log.readers.push(who);
        log.is_scheduled = false;
        Cursor { log: id, at: log.end }
    }

    /// Removes a reader. The reader must have no unread bytes and no untold misses.
    pub(super) fn unsubscribe(&mut self, cursor: Cursor, who: SessionId) {
        let Some(log) = self.get_mut(cursor.log) else { return };
        debug_assert!(log.rest(cursor).is_empty(), "{who} leaves with something to read");
        log.readers.retain(|reader| *reader != who);
        // A room without members owns no log.
        if log.readers.is_empty() {
            debug_assert!(log.missed.is_empty(), "whoever missed something is here");
            self.0[cursor.log.key()] = None;
        }
    }
}

impl BroadcastLog {
    /// A log without readers or lines.
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

    /// The readers, in the order in which they subscribed.
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

    /// The bytes that a reader has not read.
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

    /// Whether every reader has read everything.
    pub(super) fn is_read(&self) -> bool {
        self.readers_behind == 0
    }

    /// Whether a reader has unread bytes or untold misses.
    pub(super) fn has_more(&self, cursor: Cursor, who: SessionId) -> bool {
        cursor.at != self.end || self.missed.contains_key(&who)
    }

    /// How many lines a reader has missed and was not told about.
    pub(super) fn missed(&self, who: SessionId) -> u64 {
        self.missed.get(&who).copied().unwrap_or(0)
    }

    /// Takes that number, because the reader is told now.
    pub(super) fn take_missed(&mut self, who: SessionId) -> Option<u64> {
        self.missed.remove(&who)
    }

    /// Moves a reader forward by `count` bytes, which must end at a line ending, and counts the missed
    /// lines. Returns the rest of a line that the reader has read in part: this rest is not missed.
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

    /// How many bytes of whole old lines must go so that at most `bytes_max` remain.
    pub(super) fn excess(&self, bytes_max: usize) -> usize {
        let lines = self.lines.as_ref().map_or(&[][..], |lines| lines.as_slice());
        up_to_line_end(lines, self.len().saturating_sub(bytes_max))
    }

    /// `count` unread bytes of a reader, rounded up to the end of a line.
    pub(super) fn whole_lines(&self, cursor: Cursor, count: usize) -> usize {
        up_to_line_end(self.rest(cursor), count)
    }

    /// How many of the first `within` bytes a reader has not read.
    pub(super) fn lag(&self, cursor: Cursor, within: usize) -> usize {
        within.saturating_sub(cursor.at.since(self.start))
    }

    /// Frees the first `count` bytes. No cursor may point into them.
    pub(super) fn discard(&mut self, count: usize) {
        self.start = self.start.after(count);
        self.lines.iter_mut().for_each(|lines| lines.take(count));
    }

    /// Frees everything if every reader has read everything. Returns how many bytes were freed.
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

/// Rounds `count` bytes of `lines` up to the end of a line.
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

    /// (4.8.2, 6.2.1)
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

    /// (6.2.2)
    #[test]
    fn a_reader_moved_forward_finishes_its_line_and_learns_how_many_lines_it_missed() {
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
