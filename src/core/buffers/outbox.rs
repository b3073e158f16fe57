//! The outbox: the unsent bytes of one connection, and its high-water mark (7.7).
//!
//! The exchange adds lines; the shell writes them to the socket and reports how many bytes the
//! kernel accepted. A congested outbox tells the exchange to stop reading the clients that fill it.
//! A long answer whose rows are not made yet is a *gap*: what is said meanwhile waits behind it (7.36).

use std::num::NonZeroU32;

use super::buffer::{Buffer, Pool};

/// The unsent output of one connection. It holds a buffer only while bytes wait.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The waiting bytes; never an empty buffer.
    waiting: Option<Box<Buffer>>,
    /// Set above the high-water mark, cleared at the low-water mark. With a single mark the server
    /// would stop and resume reading for every line.
    congested: bool,
    /// Where the rows of an unfinished answer belong.
    gap: Option<Gap>,
}

/// A place in an outbox: so many waiting bytes come before it, plus one. The type has four bytes,
/// because every outbox reserves space for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap(NonZeroU32);

impl Outbox {
    /// All waiting bytes, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.waiting.as_ref().map_or(&[], |buffer| buffer.as_slice())
    }

    /// The bytes that can be written now: those before the gap, if there is one.
    #[must_use]
    pub fn ready(&self) -> &[u8] {
        &self.as_slice()[..self.ready_len()]
    }

    /// The bytes that wait behind the gap.
    #[must_use]
    pub fn behind_gap(&self) -> &[u8] {
        &self.as_slice()[self.ready_len()..]
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.as_ref().map_or(0, |buffer| buffer.len())
    }

    /// How many bytes can be written now.
    #[must_use]
    pub fn ready_len(&self) -> usize {
        self.gap.map_or_else(|| self.len(), Gap::place)
    }

    /// Whether no byte waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_none()
    }

    /// Whether the clients that fill this outbox must wait: it passed the high-water mark and has
    /// not drained to the low-water mark since.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        self.congested
    }

    /// Whether rows of an answer are still to come.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        self.gap.is_some()
    }

    /// The rows of an answer belong here, behind all that waits now.
    pub fn open_gap(&mut self) {
        debug_assert!(self.gap.is_none(), "a client has one answer at a time");
        self.gap = Gap::at(self.len());
    }

    /// The answer is complete, or will not be. Returns whether there was a gap.
    pub fn close_gap(&mut self) -> bool {
        self.gap.take().is_some()
    }

    /// Adds `parts`, in order. The outbox is congested once it holds more than `high_water_bytes`.
    ///
    /// The mark is a parameter because the exchange lowers it when all outboxes together hold too
    /// much (7.10).
    #[inline]
    pub fn push<const N: usize>(
        &mut self,
        pool: &mut Pool,
        parts: [&[u8]; N],
        high_water_bytes: usize,
    ) {
        debug_assert!(parts.iter().any(|part| !part.is_empty()), "an empty buffer never waits");
        let buffer = self.waiting.get_or_insert_with(|| pool.lend());
        buffer.push(parts);
        self.congested |= buffer.len() > high_water_bytes;
    }

    /// Puts `rows` into the gap, behind those that are there.
    pub fn fill_gap(&mut self, pool: &mut Pool, rows: &[u8], high_water_bytes: usize) {
        let Some(gap) = self.gap.filter(|_| !rows.is_empty()) else { return };
        let buffer = self.waiting.get_or_insert_with(|| pool.lend());
        buffer.insert(gap.place(), rows);
        self.gap = Gap::at(gap.place() + rows.len());
        self.congested |= buffer.len() > high_water_bytes;
    }

    /// Removes `count` bytes that the socket accepted.
    ///
    /// Returns `true` if the outbox was congested and has now drained to `low_water_bytes` or less:
    /// the exchange then resumes reading the clients that waited for it.
    pub fn take(&mut self, pool: &mut Pool, count: usize, low_water_bytes: usize) -> bool {
        let Some(buffer) = &mut self.waiting else { return false };
        if let Some(gap) = self.gap {
            debug_assert!(count <= gap.place(), "bytes behind a gap are not written");
            self.gap = Gap::at(gap.place().saturating_sub(count));
        }
        buffer.take(count);
        let is_relieved = self.congested && buffer.len() <= low_water_bytes;
        self.congested &= !is_relieved;
        if buffer.is_empty() {
            self.waiting.take().into_iter().for_each(|buffer| pool.take_back(buffer));
            self.congested = false;
        }
        is_relieved
    }

    /// The socket is full, so the bytes wait for long: frees memory that they do not need, except
    /// `spare` bytes.
    pub fn shrink(&mut self, spare: usize) {
        self.waiting.iter_mut().for_each(|buffer| buffer.shrink(spare));
    }

    /// Drops the waiting bytes, the gap and the congestion.
    pub fn clear(&mut self, pool: &mut Pool) {
        self.waiting.take().into_iter().for_each(|buffer| pool.take_back(buffer));
        self.congested = false;
        self.gap = None;
    }
}

impl Gap {
    fn at(place: usize) -> Option<Gap> {
        u32::try_from(place + 1).ok().and_then(NonZeroU32::new).map(Gap)
    }

    fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_keeps_its_state_between_the_two_marks() {
        let (mut pool, mut outbox) = (Pool::default(), Outbox::default());
        outbox.push(&mut pool, [&[0; 10]], 10);
        assert!(!outbox.is_congested(), "exactly at the high-water mark");
        outbox.push(&mut pool, [&[0; 1]], 10);
        assert!(outbox.is_congested());
        assert!(!outbox.take(&mut pool, 5, 4), "between the marks");
        assert!(outbox.is_congested());
        assert!(outbox.take(&mut pool, 2, 4), "exactly at the low-water mark");
        assert!(!outbox.take(&mut pool, 1, 4), "relief is reported once");
    }

    #[test]
    fn an_empty_outbox_holds_no_buffer() {
        let (mut pool, mut outbox) = (Pool::default(), Outbox::default());
        outbox.push(&mut pool, [b"bye"], 10);
        outbox.take(&mut pool, 3, 5);
        assert!(outbox.is_empty() && outbox.as_slice().is_empty());
    }

    /// (7.36)
    #[test]
    fn lines_behind_a_gap_wait_until_its_rows_are_written() {
        let (mut pool, mut outbox) = (Pool::default(), Outbox::default());
        outbox.push(&mut pool, [b"heading "], 100);
        outbox.open_gap();
        outbox.push(&mut pool, [b"prompt"], 100);
        outbox.fill_gap(&mut pool, b"row 1 ", 100);
        assert_eq!((outbox.ready(), outbox.behind_gap()), (&b"heading row 1 "[..], &b"prompt"[..]));
        outbox.take(&mut pool, 14, 5);
        assert!(outbox.ready().is_empty() && outbox.has_gap() && !outbox.is_empty());
        outbox.fill_gap(&mut pool, b"row 2 ", 100);
        outbox.take(&mut pool, 2, 5);
        assert!(outbox.close_gap() && !outbox.close_gap());
        assert_eq!(outbox.ready(), b"w 2 prompt");
    }

    #[test]
    fn a_gap_stays_open_in_an_empty_outbox() {
        let (mut pool, mut outbox) = (Pool::default(), Outbox::default());
        outbox.push(&mut pool, [b"heading"], 100);
        outbox.open_gap();
        outbox.take(&mut pool, 7, 5);
        assert!(outbox.is_empty() && outbox.has_gap());
        outbox.push(&mut pool, [b"prompt"], 100);
        assert!(outbox.ready().is_empty());
        outbox.fill_gap(&mut pool, b"row ", 100);
        outbox.close_gap();
        assert_eq!(outbox.ready(), b"row prompt");
    }
}
