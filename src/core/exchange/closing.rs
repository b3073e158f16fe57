//! How a connection closes: output first, then our FIN, then the client's, then the socket.
//!
//! The exchange calls this when a session ends or a connection fails. A TCP connection closes in two
//! halves, and each half is waited for, because closing a socket early can destroy the last lines on
//! their way to the client (RFC 1122, 4.2.2.13). Deadlines bound every wait (7.18).

use super::Action;
use super::endpoint::{Receiving, Sending};
use super::endpoints::Endpoints;
use crate::core::SessionId;
use crate::core::time::Time;

impl Endpoints {
    /// The session is over, or there will be none: its output is still written, its input is discarded.
    pub(super) fn hang_up(&mut self, now: Time, id: SessionId) {
        self.drop_held_input(id);
        self.leave_opening(id);
        let until = now.after_ms(self.limits.closing_ms);
        let (endpoint, pool) = self.with_pool(id);
        endpoint.reader.release(pool);
        endpoint.receiving = match endpoint.receiving {
            Receiving::Opening
            | Receiving::Admission
            | Receiving::Lines
            | Receiving::Discarding => Receiving::Discarding,
            Receiving::LastLines | Receiving::Ended => Receiving::Ended,
        };
        // The rest of an answer is not made any more. What waited behind it is written.
        let was_answered = endpoint.outbox.close_gap();
        if endpoint.sending.is_open() {
            self.set_sending(id, Sending::Finishing, Some(until));
            self.end_sending_if_done(now, id);
        }
        if was_answered {
            self.write_rest(id);
        }
        self.refresh_deadline(id);
        // Readiness that was ignored while input was held matters now: the input must be read and
        // discarded, or the client's FIN would never be seen.
        self.queue_resume(id);
    }

    /// The client has ended its half after the session was over.
    pub(super) fn end_receiving(&mut self, id: SessionId) {
        self[id].receiving = Receiving::Ended;
        if self[id].is_closed() {
            self.act(Action::Close(id));
        }
    }

    /// Both halves are useless: the connection failed, or its time is over.
    pub(super) fn close(&mut self, now: Time, id: SessionId) {
        if self[id].is_closed() {
            return;
        }
        self.drop_held_input(id);
        self.leave_opening(id);
        self.clear_outbox(id);
        let endpoint = &mut self[id];
        endpoint.receiving = Receiving::Ended;
        endpoint.is_encoded = false;
        self.set_sending(id, Sending::Ended, Some(now));
        self.drop_transport(id);
        self.act(Action::Close(id));
    }

    /// Sends our FIN once everything is written, closing bytes of the transport included.
    pub(super) fn end_sending_if_done(&mut self, now: Time, id: SessionId) {
        let until = now.after_ms(self.limits.closing_ms);
        let endpoint = &self[id];
        if endpoint.sending != Sending::Finishing || !endpoint.outbox.is_empty() {
            return;
        }
        if endpoint.is_encoded && !self.is_transport_closed(id) {
            return;
        }
        self.set_sending(id, Sending::Ended, Some(until));
        let action = if self[id].is_closed() { Action::Close(id) } else { Action::EndSending(id) };
        self.act(action);
    }
}
