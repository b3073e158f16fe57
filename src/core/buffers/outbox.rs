//! What waits to be written to one connection, and the high-water mark on it (5.10).

use super::buffer::{Buffer, Pool};

/// The output of one connection. It owns a buffer only while something waits.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Option<Box<Buffer>>,
    /// Above the high-water mark, and not yet below the low one again.
    congested: bool,
}

impl Outbox {
    /// What waits, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.waiting.as_ref().map_or(&[], |buffer| buffer.as_slice())
    }

    /// How many bytes wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.as_ref().map_or(0, |buffer| buffer.len())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_none()
    }

    /// Whether whoever fills this outbox should stop for now.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        self.congested
    }

    /// Adds `parts`, one behind the other; above `high_water_bytes` the outbox is congested.
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

    /// Removes `count` bytes that the socket took; at or below `low_water_bytes` the outbox is
    /// not congested any more, and `true` says that this has just come about.
    pub fn take(&mut self, pool: &mut Pool, count: usize, low_water_bytes: usize) -> bool {
        let Some(buffer) = &mut self.waiting else { return false };
        buffer.take(count);
        let relieved = self.congested && buffer.len() <= low_water_bytes;
        self.congested &= !relieved;
        if buffer.is_empty() {
            self.clear(pool);
        }
        relieved
    }

    /// Throws away what waits.
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
    fn between_the_marks_an_outbox_stays_as_it_was() {
        let (mut pool, mut outbox) = (Pool::default(), Outbox::default());
        outbox.push(&mut pool, [&[0; 10]], 10);
        assert!(!outbox.is_congested(), "at the high-water mark is not above it");
        outbox.push(&mut pool, [&[0; 1]], 10);
        assert!(outbox.is_congested());
        assert!(!outbox.take(&mut pool, 5, 4), "between the marks nothing changes");
        assert!(outbox.is_congested());
        assert!(outbox.take(&mut pool, 2, 4), "at the low-water mark it is relieved");
        assert!(!outbox.take(&mut pool, 1, 4), "relief is told once");
    }

    #[test]
    fn an_empty_outbox_owns_no_buffer() {
        let (mut pool, mut outbox) = (Pool::default(), Outbox::default());
        outbox.push(&mut pool, [b"bye"], 10);
        outbox.take(&mut pool, 3, 5);
        assert!(outbox.is_empty() && outbox.as_slice().is_empty());
    }
}
