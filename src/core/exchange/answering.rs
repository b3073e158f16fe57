//! Long answers on their way to a reader: rows are made when the outbox has room for them (7.36).
//!
//! The chat knows where an answer is; the outbox knows where its rows belong. While rows are still to
//! come, the reader's own input is held, and later lines wait behind the answer. The order of lines is
//! therefore the same as if the whole answer had been made at once.

use super::Exchange;
use super::endpoint::Sending;
use super::endpoints::Endpoints;
use crate::core::SessionId;
use crate::core::chat::AnswerPart;
use crate::core::limits::{REPLIES_BYTES_MAX, SCARCE_ANSWER_BYTES};

impl Exchange {
    /// Makes the next rows of the answer to `id`, if there is one and its reader has room for them.
    pub(super) fn continue_answer(&mut self, id: SessionId) {
        if let Some(bytes) = self.endpoints.room_for_rows(id) {
            let part = self.chat.continue_answer(id, bytes);
            self.endpoints.add_rows(id, part);
        }
    }
}

impl Endpoints {
    /// The rows of an answer belong behind all that waits for `id` now, lines of its room included.
    pub(super) fn begin_answer(&mut self, id: SessionId) {
        self.flush_log_to_outbox(id);
        self[id].outbox.open_gap();
    }

    /// How many bytes of rows may be made now; `None` if no answer waits for its reader.
    pub(super) fn room_for_rows(&self, id: SessionId) -> Option<usize> {
        let outbox = &self[id].outbox;
        let waiting = outbox.ready_len();
        let bytes = match self.is_scarce {
            true if waiting == 0 => SCARCE_ANSWER_BYTES,
            // One byte above the limit, as for any other input: only then is the reader's own held.
            false if waiting <= REPLIES_BYTES_MAX => REPLIES_BYTES_MAX + 1 - waiting,
            _ => 0,
        };
        (outbox.has_gap() && bytes > 0).then_some(bytes)
    }

    /// Puts rows of an answer into the outbox.
    fn add_rows(&mut self, id: SessionId, part: AnswerPart<'_>) {
        let high_water = self.high_water_bytes();
        let (endpoint, pool) = self.with_pool(id);
        let before = endpoint.outbox.len();
        endpoint.outbox.fill_gap(pool, part.rows, high_water);
        if part.is_last {
            endpoint.outbox.close_gap();
        }
        self.traffic.lines_out += part.count;
        self.record_output(id, before);
        // What waited behind the answer follows, room lines included.
        if part.is_last {
            self.prepare_write(id);
            if self[id].sending == Sending::Open {
                self.write_rest(id);
            }
        }
    }
}
