//! Draining: input that a user sent to a partner goes to nobody once the partner has ended the chat
//! (4.1.5), wherever it is by then: held here, or still in the kernel's buffer.
//!
//! While a session drains, its input is not processed and its output is not written. The user
//! therefore cannot have read of the end when they sent what is discarded. The shell asks
//! [`Exchange::poll_drain`] before it writes, and reads that socket until it is empty.

use super::endpoint::{Drain, Receiving};
use super::endpoints::Endpoints;
use super::{Action, Exchange};
use crate::core::SessionId;
use crate::core::chat::DisconnectReason;
use crate::core::framing::{Frame, Input};
use crate::core::time::Time;

impl Exchange {
    /// The next session whose socket must be read until it is empty. The shell passes the bytes to
    /// [`Exchange::handle_stale_input`], and then calls [`Exchange::finish_drain`].
    #[must_use]
    pub fn poll_drain(&self) -> Option<SessionId> {
        self.endpoints.drains.front().map(|drain| drain.id)
    }

    /// [`Exchange::poll_action`] for callers without sockets: drains end at once, because no kernel
    /// buffer holds anything, and input resumes at once, because nobody needs fairness.
    pub fn poll_action_at_once(&mut self, now: Time) -> Option<Action> {
        while let Some(id) = self.poll_drain() {
            self.finish_drain(now, id);
        }
        while let Some(id) = self.poll_resume() {
            self.resume(now, id);
        }
        self.poll_action()
    }

    /// The socket of the session that drains delivered `bytes`, which are discarded.
    pub fn handle_stale_input(&mut self, now: Time, id: SessionId, bytes: &[u8]) {
        // Held bytes came before these.
        self.endpoints.discard_held_input(id);
        if !self.endpoints[id].is_encoded {
            return self.endpoints.discard(id, bytes);
        }
        let mut input = std::mem::take(&mut self.decoded);
        // A broken transport is found by the next read that matters.
        if let Ok(received) = self.endpoints.decode(now, id, bytes, &mut input) {
            self.mark_end(received, &mut input);
        }
        self.endpoints.discard(id, &input);
        input.clear();
        self.decoded = input;
    }

    /// The socket of the session that drains is empty: the user is told how much was discarded, and
    /// the session goes on.
    pub fn finish_drain(&mut self, now: Time, id: SessionId) {
        let Some(drain) = self.endpoints.end_drain(id) else { return };
        if drain.lines > 0 {
            self.chat.handle_undelivered(id, drain.lines);
            self.deliver(now);
        }
        if drain.end_said {
            self.chat.handle_disconnect(now, id, DisconnectReason::HungUp);
            self.deliver(now);
        }
        self.endpoints.write_rest(id);
        self.endpoints.queue_resume(id);
    }
}

impl Endpoints {
    /// The partner of `id` has ended the chat.
    pub(super) fn begin_drain(&mut self, id: SessionId) {
        if !std::mem::replace(&mut self[id].is_draining, true) {
            self.drains.push_back(Drain { id, lines: 0, end_said: false });
        }
    }

    /// Discards what is held, and a line whose first part was processed: the user wrote all of the
    /// line to the partner, and the reader drops its rest when the rest arrives.
    fn end_drain(&mut self, id: SessionId) -> Option<Drain> {
        self.discard_held_input(id);
        let (endpoint, pool) = self.with_pool(id);
        endpoint.is_draining = false;
        let is_line_cut =
            endpoint.receiving != Receiving::Ended && endpoint.reader.drop_begun(pool);
        let at = self.drains.iter().position(|drain| drain.id == id)?;
        let mut drain = self.drains.remove(at)?;
        drain.lines += usize::from(is_line_cut && !drain.end_said);
        Some(drain)
    }

    fn discard_held_input(&mut self, id: SessionId) {
        if let Some(held_input) = self.take_held_input(id) {
            self.discard(id, held_input.as_slice());
            self.pool.take_back(held_input);
        }
    }

    /// Forgets the drain of a connection that is gone.
    pub(super) fn drop_drain(&mut self, id: SessionId) {
        self.drains.retain(|drain| drain.id != id);
    }

    /// Counts the lines in `bytes` and throws them away. Telnet options are still refused, because
    /// telnet shows nothing until it has the answer.
    fn discard(&mut self, id: SessionId, bytes: &[u8]) {
        let Some(at) = self.drains.iter().position(|drain| drain.id == id) else { return };
        let (mut rest, mut refusals) = (bytes, Vec::new());
        let (mut lines, mut end_said) = (0, self.drains[at].end_said);
        let (endpoint, pool) = self.with_pool(id);
        while !end_said && endpoint.receiving != Receiving::Discarding {
            let Some(frame) = endpoint.reader.next(pool, &mut rest) else { break };
            match frame {
                Frame::Reply(refusal) => refusals.push(refusal),
                Frame::Line(_)
                | Frame::Assembled(_)
                | Frame::Input(Input::TooLong | Input::NotUtf8) => lines += 1,
                Frame::Input(Input::End) => end_said = true,
                Frame::Input(_) => {}
            }
            frame.recycle(pool);
        }
        self.tap_stale(id, &bytes[..bytes.len() - rest.len()]);
        self.drains[at].lines += lines;
        self.drains[at].end_said = end_said;
        // The borrow of the endpoint ends above; only then can a reply go into its outbox.
        refusals.into_iter().for_each(|refusal| self.refuse_option(id, refusal));
    }
}
