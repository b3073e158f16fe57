//! Byte buffers that are lent out while something is in them, and come back when it is gone.

use crate::core::limits::{BUFFER_BYTES, BUFFER_BYTES_KEPT_MAX, BUFFERS_KEPT_MAX};

/// Bytes put in at the back and taken from the front.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// How many of `bytes` have been taken already.
    taken: usize,
}

impl Buffer {
    /// What is in it, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// How many bytes are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts `parts` in at the back, one behind the other. What was taken is overwritten before the
    /// buffer grows, once that is half of it: so a byte is moved once on average, whatever is taken.
    #[inline]
    pub fn push<const N: usize>(&mut self, parts: [&[u8]; N]) {
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        let is_full = self.bytes.len() + len > self.bytes.capacity();
        if is_full && self.taken > 0 && self.taken >= self.len() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.reserve(len);
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
    }

    /// Takes up to `count` bytes from the front.
    pub fn take(&mut self, count: usize) {
        self.taken += count.min(self.len());
        if self.is_empty() {
            self.clear();
        }
    }

    /// Shortens it to its first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(self.taken + len);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.taken = 0;
    }
}

/// The buffers nobody uses at the moment. A buffer exists only while it holds something or waits
/// here, so memory follows what is on its way, not how many are connected.
#[derive(Debug, Default)]
pub struct Pool {
    /// Boxed where they are lent: a connection with nothing waiting pays one pointer.
    #[expect(clippy::vec_box, reason = "the box is what is lent, and moving it must not allocate")]
    idle: Vec<Box<Buffer>>,
}

impl Pool {
    /// An empty buffer.
    pub fn lend(&mut self) -> Box<Buffer> {
        self.idle.pop().unwrap_or_else(|| {
            Box::new(Buffer { bytes: Vec::with_capacity(BUFFER_BYTES), taken: 0 })
        })
    }

    /// Takes a buffer back, whatever is in it; one that grew large, or is one too many, is freed.
    pub fn take_back(&mut self, mut buffer: Box<Buffer>) {
        if self.idle.len() < BUFFERS_KEPT_MAX && buffer.bytes.capacity() <= BUFFER_BYTES_KEPT_MAX {
            buffer.clear();
            self.idle.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_in_the_order_they_went_in() {
        let mut buffer = Buffer::default();
        buffer.push([b"hello "]);
        buffer.take(3);
        buffer.push([b"world"]);
        assert_eq!(buffer.as_slice(), b"lo world");
    }

    #[test]
    fn a_buffer_that_is_refilled_as_it_drains_does_not_grow() {
        let mut buffer = *Pool::default().lend();
        let capacity = buffer.bytes.capacity();
        buffer.push([&[0; 100]]);
        for _ in 0..10_000 {
            buffer.push([&[7; 100]]);
            buffer.take(100);
        }
        assert_eq!((buffer.len(), buffer.bytes.capacity()), (100, capacity));
    }

    #[test]
    fn a_buffer_that_grew_large_is_not_kept() {
        let mut pool = Pool::default();
        let mut buffer = pool.lend();
        buffer.push([&vec![0; BUFFER_BYTES_KEPT_MAX + 1]]);
        pool.take_back(buffer);
        assert!(pool.idle.is_empty());
        let buffer = pool.lend();
        pool.take_back(buffer);
        assert_eq!(pool.idle.len(), 1);
    }
}
