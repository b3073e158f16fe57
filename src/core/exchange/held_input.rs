//! Input that was read and may not be handed on yet (5.10, 5.11, 4.4, 6.10).

use super::endpoint::Receiving;
use super::endpoints::Endpoints;
use crate::core::SessionId;
use crate::core::buffers::Buffer;
use crate::core::framing::{Frame, Input};

/// What was in input that went to nobody.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Discarded {
    pub(super) lines: usize,
    /// Behind them the client had said that no more would come (1.8, 1.9).
    pub(super) end_said: bool,
}

impl Endpoints {
    /// Keeps what was read and may not be handed on yet.
    pub(super) fn hold_input(&mut self, id: SessionId, bytes: &[u8]) {
        let (endpoint, pool) = self.with_pool(id);
        endpoint.held_input.get_or_insert_with(|| pool.lend()).push([bytes]);
        self.held_input_bytes += bytes.len();
        self.traffic.inputs_held += 1;
    }

    /// Puts back what is left of held_input bytes that were taken out to be handed on.
    pub(super) fn put_back_held_input(
        &mut self,
        id: SessionId,
        held_input: Box<Buffer>,
        handed_on: usize,
    ) {
        self.held_input_bytes -= handed_on;
        let (endpoint, pool) = self.with_pool(id);
        let is_wanted = matches!(endpoint.receiving, Receiving::Lines | Receiving::LastLines);
        if is_wanted && !held_input.is_empty() {
            endpoint.held_input = Some(held_input);
        } else {
            let left = held_input.len();
            pool.take_back(held_input);
            self.held_input_bytes -= left;
        }
    }

    /// Lines that were held for a chat that has ended go to nobody (3.1.5), the one that was cut by
    /// reading included. Telnet in them is answered as ever.
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
        discarded.lines += usize::from(endpoint.reader.drop_begun(pool));
        let bytes = held_input.len();
        pool.take_back(held_input);
        self.held_input_bytes -= bytes;
        refusals.iter().for_each(|refusal| self.say(id, [refusal]));
        discarded
    }

    /// Throws away what was held.
    pub(super) fn drop_held_input(&mut self, id: SessionId) {
        let (endpoint, pool) = self.with_pool(id);
        if let Some(held_input) = endpoint.held_input.take() {
            let left = held_input.len();
            pool.take_back(held_input);
            self.held_input_bytes -= left;
        }
    }
}
