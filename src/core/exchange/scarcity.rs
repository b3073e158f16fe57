//! Memory: how much output and held input waits for all connections together, and what follows.
//!
//! Above the limit of 7.58 memory is *scarce*: each client may cause little more output before it
//! reads, and little of its input is read at a time. Above the limit of 7.10 the high-water mark
//! falls. Lines of rooms are counted apart, because a room stores each line once (7.59).

use super::Exchange;
use super::endpoints::Endpoints;
use crate::core::SessionId;
use crate::core::limits::{
    BUFFER_BYTES, OUTPUT_BYTES_BEFORE_PRESSURE, REPLIES_BYTES_MAX, ROOM_BYTES_BEFORE_PRESSURE,
};
use crate::core::session_id::shrink_table;

impl Exchange {
    /// Bytes that wait in outboxes, transports and held input, of all connections.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.endpoints.buffered_bytes()
    }

    /// Bytes of output and of held input that wait for all connections. Cheap, unlike
    /// [`Exchange::buffered_bytes`]; without encoded bytes.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.endpoints.outbox_bytes + self.endpoints.log_bytes + self.endpoints.held_input_bytes
    }

    /// Frees what tables, queues and buffers keep of a larger crowd. This visits every connection.
    pub fn release_memory(&mut self) {
        self.endpoints.release_memory();
        self.chat.release_memory();
        self.records.shrink_to_fit();
        self.decoded.shrink_to_fit();
    }
}

impl Endpoints {
    /// Counts bytes that were added to an outbox.
    pub(super) fn count_output(&mut self, bytes: usize) {
        self.outbox_bytes += bytes;
        self.note_growth();
    }

    /// Counts bytes that left an outbox.
    pub(super) fn discount_output(&mut self, bytes: usize) {
        self.outbox_bytes -= bytes;
        self.note_decline();
    }

    /// Throws away what waits in the outbox of `id`.
    pub(super) fn clear_outbox(&mut self, id: SessionId) {
        let (endpoint, pool) = self.with_pool(id);
        let unsent = endpoint.outbox.len();
        endpoint.outbox.clear(pool);
        self.discount_output(unsent);
    }

    /// More output or held input waits.
    pub(super) fn note_growth(&mut self) {
        self.is_scarce |= self.outbox_bytes + self.held_input_bytes > self.limits.scarce_bytes;
    }

    /// Less output or held input waits.
    pub(super) fn note_decline(&mut self) {
        let waiting = self.outbox_bytes + self.held_input_bytes;
        // With one mark for both, each write could end scarcity and the next line begin it again.
        if self.is_scarce && waiting <= self.limits.scarce_bytes / 2 {
            self.is_scarce = false;
            self.resume_blocked();
        }
    }

    /// The high-water mark that applies now to outboxes (7.7, 7.10).
    pub(super) fn high_water_bytes(&self) -> usize {
        self.mark(self.outbox_bytes > OUTPUT_BYTES_BEFORE_PRESSURE)
    }

    /// The mark that applies now to the lines of one room (6.2.2, 7.59).
    pub(super) fn room_high_water_bytes(&self) -> usize {
        self.mark(self.log_bytes > ROOM_BYTES_BEFORE_PRESSURE)
    }

    /// A crowd of slow readers shares one budget instead of multiplying it by its size.
    fn mark(&self, is_pressed: bool) -> usize {
        let most = if is_pressed { REPLIES_BYTES_MAX } else { usize::MAX };
        self.limits.high_water_bytes.min(most)
    }

    /// Whether `id` has read enough of its output to cause more (7.9, 7.58): the rows of an answer are
    /// complete, and little waits. While memory is scarce, a full socket is too much.
    pub(super) fn may_be_answered(&self, id: SessionId) -> bool {
        let endpoint = &self[id];
        let is_blocked = endpoint.sending.is_blocked();
        endpoint.outbox.len() <= REPLIES_BYTES_MAX
            && !endpoint.outbox.has_gap()
            && !(self.is_scarce && is_blocked)
    }

    /// Unused bytes that a buffer may keep which waits for long.
    pub(super) fn spare_bytes(&self) -> usize {
        if self.is_scarce { 0 } else { BUFFER_BYTES }
    }

    /// Frees what tables and queues keep of a larger crowd.
    pub(super) fn release_memory(&mut self) {
        shrink_table(&mut self.endpoints);
        self.pool.release_memory();
        self.actions.shrink_to_fit();
        self.fan_out.shrink_to_fit();
        self.resumable.shrink_to_fit();
        self.drains.shrink_to_fit();
        self.opening.shrink_to_fit();
    }

    /// Lets the input of clients with a full socket go on, which scarcity has held. This visits all
    /// of them, and comes at most once for each `scarce_bytes / 2` bytes that waited.
    fn resume_blocked(&mut self) {
        let blocked = self.blocked().collect::<Vec<_>>();
        self.resumable.extend(blocked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::Limits;

    /// (7.10, 7.59)
    #[test]
    fn what_waits_elsewhere_costs_no_member_of_a_room_a_line() {
        let mut endpoints = Endpoints::new(Limits::default());
        let high_water_bytes = endpoints.limits.high_water_bytes;
        endpoints.count_output(OUTPUT_BYTES_BEFORE_PRESSURE + 1);
        assert_eq!(endpoints.high_water_bytes(), REPLIES_BYTES_MAX);
        assert_eq!(endpoints.room_high_water_bytes(), high_water_bytes);
        endpoints.log_bytes = ROOM_BYTES_BEFORE_PRESSURE + 1;
        assert_eq!(endpoints.room_high_water_bytes(), REPLIES_BYTES_MAX);
    }

    /// (7.58)
    #[test]
    fn memory_is_scarce_until_half_of_what_waited_has_gone() {
        let mut endpoints = Endpoints::new(Limits::default());
        let scarce_bytes = endpoints.limits.scarce_bytes;
        endpoints.count_output(scarce_bytes + 1);
        assert!(endpoints.is_scarce);
        endpoints.discount_output(scarce_bytes / 2);
        assert!(endpoints.is_scarce);
        endpoints.discount_output(1);
        assert!(!endpoints.is_scarce);
    }
}
