//! Memory after a storm: what thousands of connections needed goes back when they are gone.
//!
//! Tables keep the size of the largest crowd, and the allocator keeps what was freed. [`MemoryUse`]
//! follows how much the server needs; when most of it is gone, `Server::release_memory` shrinks the
//! tables. That takes some milliseconds, so it happens rarely.

use super::Server;
use crate::core::limits::{CONNECTION_BYTES, RELEASE_BYTES_MIN, RELEASE_INTERVAL_MS};
use crate::core::time::Time;

/// How much memory the connections need, and needed at most since memory was released.
#[derive(Debug)]
pub(super) struct MemoryUse {
    most: usize,
    /// Memory may be released from this time on.
    not_before: Time,
    /// Much is free.
    is_due: bool,
}

impl Default for MemoryUse {
    fn default() -> Self {
        MemoryUse { most: 0, not_before: Time::START, is_due: false }
    }
}

impl MemoryUse {
    /// Notes that the connections need `bytes` now. Returns whether to release memory.
    fn follow(&mut self, now: Time, bytes: usize) -> bool {
        self.most = self.most.max(bytes);
        self.is_due = bytes <= self.most / 2 && self.most - bytes >= RELEASE_BYTES_MIN;
        if !self.is_due || now < self.not_before {
            return false;
        }
        self.most = bytes;
        self.is_due = false;
        self.not_before = now.after_ms(RELEASE_INTERVAL_MS);
        true
    }

    /// When the loop must look again although nothing happens.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.is_due.then_some(self.not_before)
    }
}

impl Server {
    /// Ends a turn: returns memory if a storm is over.
    pub(super) fn follow_memory_use(&mut self) {
        let bytes = self.exchange.waiting_bytes() + self.connections.len() * CONNECTION_BYTES;
        if self.memory_use.follow(self.now, bytes) {
            self.release_memory();
        }
    }

    fn release_memory(&mut self) {
        self.exchange.release_memory();
        self.connections.shrink_to_fit();
        self.to_read.shrink_to_fit();
        self.read_queue.shrink();
        self.admission.shrink();
        trim_heap();
    }
}

/// Gives the free pages of the heap back to the kernel. By itself, glibc returns only what is free
/// behind the last allocation: after a storm one late line keeps 80 MB.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim_heap() {
    // malloc_trim(3) has no preconditions, and reports only whether pages were freed.
    #[expect(
        unsafe_code,
        reason = "the one declaration that std and rustix lack; calling it is safe"
    )]
    unsafe extern "C" {
        safe fn malloc_trim(pad: usize) -> core::ffi::c_int;
    }
    malloc_trim(0);
}

/// Other allocators return pages on their own, or cannot be asked.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim_heap() {}

#[cfg(test)]
mod tests {
    use super::*;

    const STORM: usize = 8 * RELEASE_BYTES_MIN;

    #[test]
    fn memory_is_released_once_when_most_of_a_storm_is_gone() {
        let mut memory_use = MemoryUse::default();
        assert!(!memory_use.follow(Time::START, STORM), "it rises");
        assert!(!memory_use.follow(Time::START, STORM / 2 + 1), "half is there");
        assert!(memory_use.follow(Time::START, STORM / 2));
        assert!(!memory_use.follow(Time::START, STORM / 2));
        assert!(!memory_use.follow(Time::START, RELEASE_BYTES_MIN - 1), "too soon");
        let later = Time::START.after_ms(RELEASE_INTERVAL_MS);
        assert_eq!(memory_use.deadline(), Some(later), "nothing else wakes the loop");
        assert!(memory_use.follow(later, RELEASE_BYTES_MIN - 1));
        assert_eq!(memory_use.deadline(), None);
    }

    #[test]
    fn a_calm_server_releases_nothing() {
        let mut memory_use = MemoryUse::default();
        for n in 0..1_000 {
            assert!(!memory_use.follow(Time::START, n % 2 * (RELEASE_BYTES_MIN - 1)));
        }
        assert_eq!(memory_use.deadline(), None);
    }
}
