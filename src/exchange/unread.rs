//! Input that was read and may not be handed on yet (5.10, 5.11, 4.4, 6.10).

use super::endpoint::Receiving;
use super::endpoints::Endpoints;
use crate::SessionId;
use crate::wire::{Buffer, Frame, Input};

/// What was in input that went to nobody.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Discarded {
    pub(super) lines: usize,
    /// Behind them the client had said that no more would come (1.8, 1.9).
    pub(super) end_said: bool,
}

impl Endpoints {
    /// Keeps what was read and may not be handed on yet.
    pub(super) fn keep_unread(&mut self, id: SessionId, bytes: &[u8]) {
        let (endpoint, pool) = self.with_pool(id);
        endpoint.unread.get_or_insert_with(|| pool.lend()).push([bytes]);
        self.unread_bytes += bytes.len();
        self.traffic.inputs_held += 1;
    }

    /// Puts back what is left of unread bytes that were taken out to be handed on.
    pub(super) fn put_back_unread(&mut self, id: SessionId, unread: Box<Buffer>, handed_on: usize) {
        self.unread_bytes -= handed_on;
        let (endpoint, pool) = self.with_pool(id);
        let is_wanted = matches!(endpoint.receiving, Receiving::Lines | Receiving::LastLines);
        if is_wanted && !unread.is_empty() {
            endpoint.unread = Some(unread);
        } else {
            let left = unread.len();
            pool.take_back(unread);
            self.unread_bytes -= left;
        }
    }

    /// Lines that were held for a chat that has ended go to nobody (3.1.5), the one that was cut by
    /// reading included. Telnet in them is answered as ever.
    pub(super) fn discard_unread(&mut self, id: SessionId) -> Discarded {
        let mut discarded = Discarded::default();
        let (endpoint, pool) = self.with_pool(id);
        let Some(unread) = endpoint.unread.take() else { return discarded };
        let (mut rest, mut refusals) = (unread.as_slice(), Vec::new());
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
        let bytes = unread.len();
        pool.take_back(unread);
        self.unread_bytes -= bytes;
        refusals.iter().for_each(|refusal| self.say(id, [refusal]));
        discarded
    }

    /// Throws away what was held.
    pub(super) fn drop_unread(&mut self, id: SessionId) {
        let (endpoint, pool) = self.with_pool(id);
        if let Some(unread) = endpoint.unread.take() {
            let left = unread.len();
            pool.take_back(unread);
            self.unread_bytes -= left;
        }
    }
}
