//! Tapping: the exchange notes what the framing takes, if somebody records; `tap.rs` keeps it.

use super::Exchange;
use super::endpoints::Endpoints;
use super::tap::{Taken, Tap};
use crate::core::SessionId;
use crate::core::chat::Chat;
use crate::core::framing::Frame;

impl Exchange {
    /// Notes from now on what is taken from each connection. Call this before the first one. `key` is
    /// random, and kept nowhere else.
    pub(crate) fn start_tap(&mut self, key: [u8; 32]) {
        self.endpoints.tap = Some(Box::new(Tap::new(key)));
    }

    /// Notes no more.
    pub(crate) fn end_tap(&mut self) {
        self.endpoints.tap = None;
    }

    /// What was taken since the last call, in order.
    pub(crate) fn drain_tap(&mut self) -> Vec<Taken> {
        self.endpoints.tap.as_mut().map(|tap| tap.drain()).unwrap_or_default()
    }

    /// The framing has taken `bytes` of `id`, which complete `frame`.
    #[inline]
    pub(super) fn tap(&mut self, id: SessionId, bytes: &[u8], frame: Option<&Frame<'_>>) {
        if let Some(tap) = &mut self.endpoints.tap {
            match self.chat.is_giving_password(id) {
                true => tap.take_secret(id, bytes, frame, Chat::is_instead_of_password),
                false => tap.take(id, bytes),
            }
        }
    }
}

impl Endpoints {
    /// The framing has taken `bytes` of `id`, which were meant for its last partner.
    pub(super) fn tap_stale(&mut self, id: SessionId, bytes: &[u8]) {
        if let Some(tap) = &mut self.tap {
            tap.take(id, bytes);
        }
    }
}
