//! Byte buffers, and the pool that lends them.
//!
//! A connection borrows a buffer while it has bytes to keep, and returns it when the buffer is
//! empty. Memory therefore grows with the bytes in transit, not with the number of connections.

use crate::core::limits::{
    BUFFER_BYTES, BUFFER_BYTES_KEPT_MAX, BUFFERS_KEPT_MAX, POOL_BYTES_KEPT_MAX,
};

/// A queue of bytes: [`Buffer::push`] adds at the back, [`Buffer::take`] removes from the front.
#[derive(Debug, Default)]
pub struct Buffer {
    /// All bytes in memory; the first `taken` of them are out of the queue.
    bytes: Vec<u8>,
    /// How many of `bytes` are out of the queue. A counter, because moving the rest to the front
    /// after each take would cost more than the take.
    taken: usize,
}

impl Buffer {
    /// The bytes in the queue, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// How many bytes are in the queue.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// Whether the queue is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds `parts` at the back, in order.
    ///
    /// A full buffer reuses the space of taken bytes before it grows, but only if they are at least
    /// half of the buffer. Each move then frees at least as many bytes as it copies, so that the
    /// cost of a byte stays constant on average.
    #[inline]
    pub fn push<const N: usize>(&mut self, parts: [&[u8]; N]) {
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        self.make_room(len);
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
    }

    #[inline]
    fn make_room(&mut self, len: usize) {
        let is_full = self.bytes.len() + len > self.bytes.capacity();
        if is_full && self.taken > 0 && self.taken >= self.len() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.reserve(len);
    }

    /// The bytes in the queue, for a caller that changes them in place.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes[self.taken..]
    }

    /// Adds `count` zero bytes at the back, for a caller that writes there and then calls
    /// [`Buffer::truncate`].
    pub fn grow(&mut self, count: usize) -> &mut [u8] {
        self.make_room(count);
        let before = self.bytes.len();
        self.bytes.resize(before + count, 0);
        &mut self.bytes[before..]
    }

    /// Puts `bytes` before the byte at `at` of the queue.
    pub fn insert(&mut self, at: usize, bytes: &[u8]) {
        let behind = self.len() - at;
        self.push([bytes]);
        let begin = self.bytes.len() - bytes.len() - behind;
        self.bytes[begin..].rotate_right(bytes.len());
    }

    /// Removes up to `count` bytes from the front.
    pub fn take(&mut self, count: usize) {
        self.taken += count.min(self.len());
        if self.is_empty() {
            self.clear();
        }
    }

    /// Keeps only the first `len` bytes of the queue.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(self.taken + len);
    }

    /// Removes all bytes, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.taken = 0;
    }

    /// Frees memory if more than `spare` bytes of it, and a fifth, are unused. A queue that waits for
    /// long keeps no more than it needs.
    pub fn shrink(&mut self, spare: usize) {
        if self.bytes.capacity() - self.len() > spare.max(self.len() / 4) {
            self.bytes.drain(..self.taken);
            self.taken = 0;
            self.bytes.shrink_to_fit();
        }
    }
}

/// The idle buffers. A buffer either holds bytes for a borrower or waits here for the next.
#[derive(Debug, Default)]
pub struct Pool {
    /// Boxed, so that a connection without a buffer pays for one pointer only. At most
    /// [`BUFFERS_KEPT_MAX`].
    #[expect(clippy::vec_box, reason = "the box is what is lent, and moving it must not allocate")]
    idle: Vec<Box<Buffer>>,
    /// The capacity of all of them together. At most [`POOL_BYTES_KEPT_MAX`].
    idle_bytes: usize,
}

impl Pool {
    /// Returns an empty buffer, and allocates one only if no buffer is idle.
    pub fn lend(&mut self) -> Box<Buffer> {
        let Some(buffer) = self.idle.pop() else {
            return Box::new(Buffer { bytes: Vec::with_capacity(BUFFER_BYTES), taken: 0 });
        };
        self.idle_bytes -= buffer.bytes.capacity();
        buffer
    }

    /// Frees all idle buffers.
    pub fn release_memory(&mut self) {
        *self = Pool::default();
    }

    /// Takes a buffer back and empties it. Frees the buffer if it is not between [`BUFFER_BYTES`] and
    /// [`BUFFER_BYTES_KEPT_MAX`] or if the pool is full: one burst must not hold memory for ever.
    pub fn take_back(&mut self, mut buffer: Box<Buffer>) {
        let capacity = buffer.bytes.capacity();
        let idle_bytes = self.idle_bytes + capacity;
        if self.idle.len() < BUFFERS_KEPT_MAX
            && (BUFFER_BYTES..=BUFFER_BYTES_KEPT_MAX).contains(&capacity)
            && idle_bytes <= POOL_BYTES_KEPT_MAX
        {
            buffer.clear();
            self.idle.push(buffer);
            self.idle_bytes = idle_bytes;
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
    fn bytes_go_in_before_others_wherever_the_queue_begins() {
        let mut buffer = Buffer::default();
        buffer.push([b"xxhead tail"]);
        buffer.take(2);
        buffer.insert(5, b"middle ");
        assert_eq!(buffer.as_slice(), b"head middle tail");
        buffer.take(16);
        buffer.insert(0, b"alone");
        assert_eq!(buffer.as_slice(), b"alone");
    }

    #[test]
    fn a_buffer_that_drained_keeps_no_more_than_it_needs() {
        let mut buffer = *Pool::default().lend();
        buffer.push([&[7; 40 * BUFFER_BYTES]]);
        buffer.take(40 * BUFFER_BYTES - 100);
        buffer.shrink(BUFFER_BYTES);
        assert_eq!(buffer.as_slice(), [7; 100]);
        assert!(buffer.bytes.capacity() < 200, "{}", buffer.bytes.capacity());
    }

    #[test]
    fn the_pool_keeps_few_bytes() {
        let mut pool = Pool::default();
        let mut buffers = Vec::from_iter((0..BUFFERS_KEPT_MAX).map(|_| pool.lend()));
        for buffer in &mut buffers {
            buffer.push([&[0; BUFFER_BYTES_KEPT_MAX / 2]]);
        }
        buffers.into_iter().for_each(|buffer| pool.take_back(buffer));
        let kept = pool.idle.iter().map(|buffer| buffer.bytes.capacity()).sum::<usize>();
        assert_eq!(kept, pool.idle_bytes);
        assert!(kept <= POOL_BYTES_KEPT_MAX && kept > POOL_BYTES_KEPT_MAX / 2, "{kept}");
        while !pool.idle.is_empty() {
            pool.lend();
        }
        assert_eq!(pool.idle_bytes, 0);
    }

    #[test]
    fn a_buffer_refilled_while_it_drains_does_not_grow() {
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
