//! Held input that may go on: which sessions, and when.
//!
//! The exchange notes sessions whose backpressure or rate limit has ended. The shell asks for them and
//! decides in which turn their input goes on, because only the shell knows what else waits.

use super::Exchange;
use super::endpoint::Receiving;
use super::endpoints::Resumable;
use crate::core::SessionId;
use crate::core::buffers::Buffer;
use crate::core::chat::DisconnectReason;
use crate::core::limits::{READ_BYTES_PER_TURN, SCARCE_READ_BYTES};
use crate::core::time::Time;

impl Exchange {
    /// The next session whose input may go on: the shell calls [`Exchange::resume`] for it, and reads
    /// its socket if a readiness event came while input was held (an edge is reported once).
    ///
    /// The shell chooses when. Resuming at once, after each write, would let one client with a burst
    /// of commands keep the whole turn to itself.
    pub fn poll_resume(&mut self) -> Option<SessionId> {
        self.endpoints.poll_resume()
    }

    /// Whether received input of that session waits inside the exchange, or the rest of an answer.
    #[must_use]
    pub fn holds_input(&self, id: SessionId) -> bool {
        let endpoint = &self.endpoints[id];
        endpoint.held_input.is_some()
            || endpoint.outbox.has_gap()
            || endpoint.receiving == Receiving::LastLines
    }

    /// Whether held input of that session may go on now.
    #[must_use]
    pub fn may_resume(&self, id: SessionId) -> bool {
        self.endpoints.room_for_rows(id).is_some()
            || (self.holds_input(id) && self.may_process_input(id))
    }

    /// Whether the input of that session may be a password. If it was so before or is so after an input,
    /// the owner of the bytes overwrites them: a password is kept no longer than needed.
    #[must_use]
    pub fn is_secret(&self, id: SessionId) -> bool {
        self.chat.has_session(id) && self.chat.is_giving_password(id)
    }

    /// Bytes in the outbox of that session. The difference around a call shows how much reply one
    /// input has cost.
    #[must_use]
    pub fn outbox_bytes(&self, id: SessionId) -> usize {
        self.endpoints[id].outbox.len()
    }

    /// How many bytes the shell may read from one connection now (7.34, 7.58).
    #[must_use]
    pub fn read_bytes_max(&self) -> usize {
        if self.endpoints.is_scarce { SCARCE_READ_BYTES } else { READ_BYTES_PER_TURN }
    }

    /// Whether the client's own input has no further effect in this turn: an answer goes on, there were
    /// enough replies, or the client has to read some of them (7.9, 7.34, 7.36, 7.58).
    #[must_use]
    pub fn must_wait(&self, id: SessionId) -> bool {
        self.endpoints[id].held_input.is_some() || !self.endpoints.may_be_answered(id)
    }

    /// Makes the next rows of an answer, then processes held input, as far as the rules allow now.
    pub fn resume(&mut self, now: Time, id: SessionId) {
        self.continue_answer(id);
        if !self.may_process_input(id) {
            return;
        }
        if let Some(held_input) = self.endpoints[id].held_input.take() {
            self.process_held_input(now, id, held_input);
        }
        let endpoint = &self.endpoints[id];
        if endpoint.receiving == Receiving::LastLines
            && endpoint.held_input.is_none()
            && self.may_process_input(id)
        {
            self.finish(now, id);
        }
    }

    fn process_held_input(&mut self, now: Time, id: SessionId, mut held_input: Box<Buffer>) {
        let was_secret = self.is_secret(id);
        let mut rest = held_input.as_slice();
        self.process_input(now, id, &mut rest);
        let handed_on = held_input.len() - rest.len();
        if was_secret || self.is_secret(id) {
            held_input.as_mut_slice()[..handed_on].fill(0);
        }
        held_input.take(handed_on);
        self.endpoints.put_back_held_input(id, held_input, handed_on);
    }

    /// All input is processed, and the client has ended its half.
    fn finish(&mut self, now: Time, id: SessionId) {
        let (endpoint, pool) = self.endpoints.with_pool(id);
        if let Some(frame) = endpoint.reader.finish(pool) {
            self.tap(id, b"", Some(&frame));
            self.handle_frame(now, id, frame);
            // The client reads the whole answer to its last line before the end. The line may be a
            // password, or ask for a long list.
            if self.chat.awaits_store(id) || self.endpoints[id].outbox.has_gap() {
                return;
            }
        }
        self.endpoints[id].receiving = Receiving::Ended;
        self.chat.handle_disconnect(now, id, DisconnectReason::HungUp);
        self.deliver(now);
    }

    /// Notes the sessions whose held input may go on, because `id` has taken output.
    pub(super) fn queue_resumable(&mut self, id: SessionId, resumable: Resumable) {
        if resumable.own_input {
            self.endpoints.queue_resume(id);
        }
        if resumable.partner
            && let Some(partner) = self.chat.partner(id)
        {
            self.endpoints.queue_resume(partner);
        }
    }
}
