//! Held input: bytes that were received but must not be processed yet (7.7, 7.9, 5.7.2, 6.2.3).
//!
//! The exchange stops reading a connection while its input is held, so at most one read is kept per
//! connection. `draining.rs` discards it when it was meant for a partner who ended the chat.

use super::endpoint::Receiving;
use super::endpoints::Endpoints;
use super::trace::Hop;
use crate::core::SessionId;
use crate::core::buffers::Buffer;
use crate::core::chat::Pace;
use crate::core::time::Time;

impl Endpoints {
    /// Keeps `bytes` until they may be processed.
    pub(super) fn hold_input(&mut self, id: SessionId, bytes: &[u8]) {
        let is_scarce = self.is_scarce;
        let (endpoint, pool) = self.with_pool(id);
        let held_input = endpoint.held_input.get_or_insert_with(|| pool.lend());
        held_input.push([bytes]);
        if is_scarce {
            held_input.shrink(0);
        }
        self.held_input_bytes += bytes.len();
        self.note(id, Hop::Hold, bytes.len());
        self.note_growth();
    }

    /// Keeps the rest of held input after `processed` bytes of the input were processed.
    pub(super) fn put_back_held_input(
        &mut self,
        id: SessionId,
        mut held_input: Box<Buffer>,
        processed: usize,
    ) {
        let is_scarce = self.is_scarce;
        let (endpoint, pool) = self.with_pool(id);
        // The session may have ended while its held input was processed.
        let is_wanted = matches!(endpoint.receiving, Receiving::Lines | Receiving::LastLines);
        let freed = if is_wanted && !held_input.is_empty() {
            if is_scarce {
                held_input.shrink(0);
            }
            endpoint.held_input = Some(held_input);
            processed
        } else {
            let left = held_input.len();
            pool.take_back(held_input);
            processed + left
        };
        self.held_input_bytes -= freed;
        self.note_decline();
    }

    /// Takes the held input out, for the caller to look at and give back to the pool.
    pub(super) fn take_held_input(&mut self, id: SessionId) -> Option<Box<Buffer>> {
        let held_input = self[id].held_input.take()?;
        self.held_input_bytes -= held_input.len();
        self.note_decline();
        Some(held_input)
    }

    /// Frees the held input of a session that is over, and ends its pause.
    pub(super) fn drop_held_input(&mut self, id: SessionId) {
        self.paused.remove(&id);
        if let Some(held_input) = self.take_held_input(id) {
            self.pool.take_back(held_input);
        }
    }
    /// Holds the input of `id` until `until`, because a rate limit was exceeded (5.7.2, 6.2.3). A later
    /// time wins over an earlier one.
    pub(super) fn pause(&mut self, id: SessionId, until: Time, pace: Pace) {
        let end = self.paused.entry(id).or_insert((until, pace));
        if until > end.0 {
            *end = (until, pace);
        }
        self.traffic.inputs_slowed += 1;
        self.refresh_deadline(id);
    }

    /// Resumes the input if the time of its rate limit is over.
    pub(super) fn end_pause(&mut self, now: Time, id: SessionId) {
        if self.paused.get(&id).is_some_and(|&(until, _)| until <= now) {
            self.paused.remove(&id);
            self.queue_resume(id);
        }
    }
}
