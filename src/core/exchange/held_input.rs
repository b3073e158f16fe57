//! Held input: bytes that were received but must not be processed yet (7.7, 7.9, 5.7.2, 6.2.3).
//!
//! The exchange stops reading a connection while its input is held, so at most one read is kept per
//! connection. When a chat ends, input that was meant for the partner is discarded here.

use super::endpoint::Receiving;
use super::endpoints::Endpoints;
use crate::core::SessionId;
use crate::core::buffers::Buffer;
use crate::core::framing::{Frame, Input};

/// What a piece of discarded input contained.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Discarded {
    pub(super) lines: usize,
    /// The input also said that no more would follow: IAC EOF or control-D (2.2.3, 2.3.1).
    pub(super) end_said: bool,
}

impl Endpoints {
    /// Keeps `bytes` until they may be processed.
    pub(super) fn hold_input(&mut self, id: SessionId, bytes: &[u8]) {
        let (endpoint, pool) = self.with_pool(id);
        endpoint.held_input.get_or_insert_with(|| pool.lend()).push([bytes]);
        self.held_input_bytes += bytes.len();
        self.traffic.inputs_held += 1;
    }

    /// Keeps the rest of held input after `processed` bytes of the input were processed.
    pub(super) fn put_back_held_input(
        &mut self,
        id: SessionId,
        held_input: Box<Buffer>,
        processed: usize,
    ) {
        self.held_input_bytes -= processed;
        let (endpoint, pool) = self.with_pool(id);
        // The session may have ended while its held input was processed.
        let is_wanted = matches!(endpoint.receiving, Receiving::Lines | Receiving::LastLines);
        if is_wanted && !held_input.is_empty() {
            endpoint.held_input = Some(held_input);
        } else {
            let left = held_input.len();
            pool.take_back(held_input);
            self.held_input_bytes -= left;
        }
    }

    /// Discards the input that is held for a chat that has ended (4.1.5), including a line whose first
    /// part was processed already: the sender wrote all of it to the partner. Telnet options inside
    /// are still refused, because telnet waits for the answer.
    pub(super) fn discard_held_input(&mut self, id: SessionId) -> Discarded {
        let mut discarded = Discarded::default();
        let (endpoint, pool) = self.with_pool(id);
        let Some(held_input) = endpoint.held_input.take() else { return discarded };
        let (mut rest, mut refusals) = (held_input.as_slice(), Vec::new());
        while let Some(frame) = endpoint.reader.next(pool, &mut rest) {
            match frame {
                Frame::Reply(refusal) => refusals.push(refusal),
                Frame::Line(_)
                | Frame::Assembled(_)
                | Frame::Input(Input::TooLong | Input::NotUtf8) => discarded.lines += 1,
                Frame::Input(Input::End) => {
                    discarded.end_said = true;
                    break;
                }
                Frame::Input(_) => {}
            }
            frame.recycle(pool);
        }
        // The rest of a partial line arrives later; the reader drops it then.
        discarded.lines += usize::from(endpoint.reader.drop_begun(pool));
        let bytes = held_input.len();
        pool.take_back(held_input);
        self.held_input_bytes -= bytes;
        // The borrow of the endpoint ends here; only then can a reply go into its outbox.
        refusals.iter().for_each(|refusal| self.say(id, [refusal]));
        discarded
    }

    /// Frees the held input of a session that is over.
    pub(super) fn drop_held_input(&mut self, id: SessionId) {
        let (endpoint, pool) = self.with_pool(id);
        if let Some(held_input) = endpoint.held_input.take() {
            let left = held_input.len();
            pool.take_back(held_input);
            self.held_input_bytes -= left;
        }
    }
}
