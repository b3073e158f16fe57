//! Feeds: the lines that many are to read, held once for all of them.
//!
//! A feed is a stretch of bytes with a position for each of its readers, which stands with the
//! reader's endpoint. A line goes in once, however many read it, and goes out to each from where it
//! lies. What all have read is given up. A reader who falls too far behind is moved on, and the
//! lines it missed are counted.

use std::collections::BTreeMap;

use memchr::{memchr, memchr_iter};

use crate::SessionId;
use crate::chat::FeedId;
use crate::wire::{Buffer, Pool};

/// Where a reader stands in the feed it is tuned in to: six bytes, since there is room for one with
/// every connection, and most never need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuned {
    pub(super) feed: FeedId,
    at: Position,
}

/// Bytes since a feed began, a `u32` without its alignment. It wraps; a feed never holds so much that
/// this could mislead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position([u8; 4]);

/// The lines that its readers have not all read.
#[derive(Debug)]
pub(super) struct Feed {
    readers: Vec<SessionId>,
    /// Empty, and then `None`, when everybody has read everything.
    lines: Option<Box<Buffer>>,
    /// Where `lines` begins, which is where a line begins.
    start: Position,
    end: Position,
    /// How many readers do not stand at the end.
    behind: usize,
    /// Lines that readers were moved past, and have not been told of.
    missed: BTreeMap<SessionId, u64>,
    /// All its readers are on the list to be written to, but for those whose socket is full.
    pub(super) is_announced: bool,
    /// It is on the list of those to be trimmed at the end of the turn.
    pub(super) is_touched: bool,
}

/// All feeds that have readers.
#[derive(Debug, Default)]
pub(super) struct Feeds(Vec<Option<Feed>>);

impl Feeds {
    pub(super) fn get(&self, id: FeedId) -> Option<&Feed> {
        self.0.get(id.key())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: FeedId) -> Option<&mut Feed> {
        self.0.get_mut(id.key())?.as_mut()
    }

    /// Adds a reader, who will read what comes from now on.
    pub(super) fn tune_in(&mut self, id: FeedId, who: SessionId) -> Tuned {
        if self.0.len() <= id.key() {
            self.0.resize_with(id.key() + 1, || None);
        }
        let feed = self.0[id.key()].get_or_insert_with(Feed::new);
        feed.readers.push(who);
        feed.is_announced = false;
        Tuned { feed: id, at: feed.end }
    }

    /// Removes a reader who stands at the end and has been told what was missed.
    pub(super) fn tune_out(&mut self, tuned: Tuned, who: SessionId) {
        let Some(feed) = self.get_mut(tuned.feed) else { return };
        debug_assert!(feed.rest(tuned).is_empty(), "{who} leaves with something to read");
        feed.readers.retain(|reader| *reader != who);
        if feed.readers.is_empty() {
            debug_assert!(feed.missed.is_empty(), "whoever missed something is here");
            self.0[tuned.feed.key()] = None;
        }
    }
}

impl Feed {
    fn new() -> Feed {
        Feed {
            readers: Vec::new(),
            lines: None,
            start: Position::ZERO,
            end: Position::ZERO,
            behind: 0,
            missed: BTreeMap::new(),
            is_announced: false,
            is_touched: false,
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
        self.behind = self.readers.len();
    }

    /// What a reader has not read.
    pub(super) fn rest(&self, tuned: Tuned) -> &[u8] {
        let lines = self.lines.as_ref().map_or(&[][..], |lines| lines.as_slice());
        &lines[tuned.at.since(self.start)..]
    }

    /// A reader has read `count` bytes more.
    pub(super) fn advance(&mut self, tuned: &mut Tuned, count: usize) {
        if count == 0 {
            return;
        }
        tuned.at = tuned.at.after(count);
        self.is_announced = false;
        if tuned.at == self.end {
            self.behind -= 1;
        }
    }

    /// Whether everybody has read everything.
    pub(super) fn is_read(&self) -> bool {
        self.behind == 0
    }

    /// Whether there is something for a reader: bytes, or word of what was missed.
    pub(super) fn has_more(&self, tuned: Tuned, who: SessionId) -> bool {
        tuned.at != self.end || self.missed.contains_key(&who)
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
    pub(super) fn pass_over(&mut self, tuned: &mut Tuned, who: SessionId, count: usize) -> &[u8] {
        let from = tuned.at.since(self.start);
        self.advance(tuned, count);
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
    pub(super) fn whole_lines(&self, tuned: Tuned, count: usize) -> usize {
        up_to_line_end(self.rest(tuned), count)
    }

    /// How many bytes at the start a reader has not read.
    pub(super) fn lag(&self, tuned: Tuned, within: usize) -> usize {
        within.saturating_sub(tuned.at.since(self.start))
    }

    /// Gives up the first `count` bytes, which nobody is to read any more.
    pub(super) fn give_up(&mut self, count: usize) {
        self.start = self.start.after(count);
        self.lines.iter_mut().for_each(|lines| lines.take(count));
    }

    /// Gives up everything, if everybody has read it. Returns how many bytes that were.
    pub(super) fn give_up_if_read(&mut self, pool: &mut Pool) -> usize {
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
    use crate::chat::RoomId;

    fn feed_of_two() -> (Feeds, Pool, FeedId, [Tuned; 2]) {
        let (mut feeds, id) = (Feeds::default(), FeedId::of(RoomId::from_key(0), false));
        // Where it begins does not matter, least of all where positions wrap.
        let tuned = feeds.tune_in(id, who(9));
        let feed = feeds.get_mut(id).unwrap();
        let late = Position((u32::MAX - 5).to_ne_bytes());
        (feed.start, feed.end) = (late, late);
        let both = [0, 1].map(|n| feeds.tune_in(id, who(n)));
        feeds.tune_out(Tuned { at: late, ..tuned }, who(9));
        (feeds, Pool::default(), id, both)
    }

    fn who(n: usize) -> SessionId {
        SessionId::from_key(n)
    }

    /// (6.3)
    #[test]
    fn every_reader_reads_every_line_and_then_nothing_is_held() {
        let (mut feeds, mut pool, id, [mut one, mut other]) = feed_of_two();
        let feed = feeds.get_mut(id).unwrap();
        for round in 0..3 {
            feed.push(&mut pool, b"anna: hello\r\n");
            assert_eq!(feed.rest(one), b"anna: hello\r\n", "round {round}");
            feed.advance(&mut one, 13);
            feed.push(&mut pool, b"bert: hi\r\n");
            assert_eq!(feed.rest(one), b"bert: hi\r\n");
            feed.advance(&mut one, 10);
            assert_eq!(feed.give_up_if_read(&mut pool), 0, "the other has not read");
            assert_eq!(feed.rest(other), b"anna: hello\r\nbert: hi\r\n");
            feed.advance(&mut other, 4);
            feed.advance(&mut other, 19);
            assert_eq!(feed.give_up_if_read(&mut pool), 23);
            assert!(feed.lines.is_none() && feed.len() == 0);
        }
    }

    /// (6.9)
    #[test]
    fn who_is_moved_on_reads_a_line_begun_to_its_end_and_learns_how_many_were_missed() {
        let (mut feeds, mut pool, id, [mut one, mut other]) = feed_of_two();
        let feed = feeds.get_mut(id).unwrap();
        for n in 0..5 {
            feed.push(&mut pool, format!("anna: {n}\r\n").as_bytes());
        }
        feed.advance(&mut one, 3);
        let excess = feed.excess(18);
        assert_eq!(excess, 27, "whole lines, until what is left is within the bound");
        assert_eq!(feed.lag(one, excess), 24);
        assert_eq!(feed.pass_over(&mut one, who(0), 24), b"a: 0\r\n");
        assert_eq!(feed.pass_over(&mut other, who(1), 27), b"");
        feed.give_up(27);
        assert_eq!((feed.take_missed(who(0)), feed.take_missed(who(1))), (Some(2), Some(3)));
        assert_eq!(feed.take_missed(who(1)), None, "it is told once");
        assert_eq!(feed.rest(one), b"anna: 3\r\nanna: 4\r\n");
        assert_eq!(feed.rest(one), feed.rest(other));
        assert_eq!(feed.excess(18), 0);
    }
}
