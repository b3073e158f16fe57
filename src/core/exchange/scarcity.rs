//! Memory for output: how much waits in all outboxes together, and what follows from that.
//!
//! Above the limit of 7.58 memory is *scarce*, and each client may cause little more output before it
//! reads. Above the limit of 7.10 the high-water mark falls. Lines of rooms are counted apart, because
//! a room stores each line once (7.59).

use super::endpoint::Sending;
use super::endpoints::Endpoints;
use crate::core::SessionId;
use crate::core::limits::{
    OUTPUT_BYTES_BEFORE_PRESSURE, REPLIES_BYTES_MAX, ROOM_BYTES_BEFORE_PRESSURE,
};

impl Endpoints {
    /// Counts bytes that were added to an outbox.
    pub(super) fn count_output(&mut self, bytes: usize) {
        self.outbox_bytes += bytes;
        self.is_scarce |= self.outbox_bytes > self.limits.scarce_bytes;
    }

    /// Counts bytes that left an outbox.
    pub(super) fn discount_output(&mut self, bytes: usize) {
        self.outbox_bytes -= bytes;
        // With one mark for both, each write could end scarcity and the next line begin it again.
        if self.is_scarce && self.outbox_bytes <= self.limits.scarce_bytes / 2 {
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
        let is_blocked = matches!(endpoint.sending, Sending::Open { blocked: Some(_) });
        endpoint.outbox.len() <= REPLIES_BYTES_MAX
            && !endpoint.outbox.has_gap()
            && !(self.is_scarce && is_blocked)
    }

    /// Lets the input of clients with a full socket go on, which scarcity has held. This visits all
    /// connections, and comes at most once for each `scarce_bytes / 2` bytes of output.
    fn resume_blocked(&mut self) {
        let ids = (0..self.endpoints.len()).map(SessionId::from_key);
        let is_blocked = |endpoint: &super::endpoint::Endpoint| {
            matches!(endpoint.sending, Sending::Open { blocked: Some(_) })
        };
        let blocked = ids.zip(&self.endpoints).filter_map(|(id, endpoint)| {
            endpoint.as_ref().is_some_and(is_blocked).then_some(id)
        });
        self.resumable.extend(blocked);
    }
}
