//! The outbox: the unsent bytes of one connection, and its high-water mark (7.7).
//!
//! The exchange adds lines; the shell writes them to the socket and reports how many bytes the
//! kernel accepted. A congested outbox tells the exchange to stop reading the clients that fill it.

use super::buffer::{Buffer, Pool};

/// The unsent output of one connection. It holds a buffer only while bytes wait.
#[derive(Debug, Default)]
pub struct Outbox {
    /// The waiting bytes; never an empty buffer.
    waiting: Option<Box<Buffer>>,
    /// Set above the high-water mark, cleared at the low-water mark. With a single mark the server
    /// would stop and resume reading for every line.
    congested: bool,
}

impl Outbox {
    /// The waiting bytes, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.waiting.as_ref().map_or(&[], |buffer| buffer.as_slice())
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.as_ref().map_or(0, |buffer| buffer.len())
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
        let buffer = self.waiting.get_or_insert_with(|| pool.lend());
        buffer.push(parts);
        self.congested |= buffer.len() > high_water_bytes;
    }

    /// Removes `count` bytes that the socket accepted.
    ///
    /// Returns `true` if the outbox was congested and has now drained to `low_water_bytes` or less:
    /// the exchange then resumes reading the clients that waited for it.
    pub fn take(&mut self, pool: &mut Pool, count: usize, low_water_bytes: usize) -> bool {
        let Some(buffer) = &mut self.waiting else { return false };
        buffer.take(count);
        let is_relieved = self.congested && buffer.len() <= low_water_bytes;
        self.congested &= !is_relieved;
        if buffer.is_empty() {
            self.clear(pool);
        }
        is_relieved
    }

    /// Drops the waiting bytes and the congestion.
    pub fn clear(&mut self, pool: &mut Pool) {
        if let Some(buffer) = self.waiting.take() {
            pool.take_back(buffer);
        }
        self.congested = false;
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
}
