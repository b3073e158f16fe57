//! Connections whose bytes pass through a [`Transport`]: decoding, encoding, and the closing bytes.
//!
//! `exchange.rs` and `endpoints.rs` call this for connections that are not plain TCP. The transports
//! stand in a table of their own, so a plain connection pays one flag for all of this. Nothing here
//! knows which transports exist; `core/transport.rs` holds the contract.

use super::broadcast::application_output;
use super::endpoint::{Endpoint, Receiving};
use super::endpoints::{Endpoints, Resumable, endpoint_mut};
use super::{Action, Exchange};
use crate::core::SessionId;
use crate::core::chat::DisconnectReason;
use crate::core::time::Time;
use crate::core::transport::{Received, SessionEnd, Transport, TransportError};

/// IAC EOF (RFC 1184, 2.4), which the framing reads as the end of input (2.2.3). A transport's close
/// must stay behind the bytes before it, even while backpressure holds them, so it travels as the
/// same two bytes that a telnet client would send.
const END_OF_INPUT: [u8; 2] = [255, 236];

impl Exchange {
    /// Decodes bytes from the socket and processes what they contain.
    pub(super) fn receive_encoded(&mut self, now: Time, id: SessionId, bytes: &[u8]) {
        // One buffer serves all connections: decoding allocates nothing once it has grown.
        let mut input = std::mem::take(&mut self.decoded);
        let was_secret = self.is_secret(id);
        let received = self.endpoints.decode(now, id, bytes, &mut input);
        received.iter().for_each(|&received| self.mark_end(received, &mut input));
        match received {
            Ok(received) if self.endpoints[id].receiving == Receiving::Opening => {
                self.receive_opening(now, id, received, &input);
            }
            _ => self.process_received(now, id, &input),
        }
        if was_secret || self.is_secret(id) {
            input.fill(0);
        }
        input.clear();
        self.decoded = input;
        if let Err(error) = received {
            self.fail_transport(now, id, error);
        }
        self.endpoints.write_rest(id);
        self.endpoints.refresh_deadline(id);
    }

    /// Whether the next bytes of that connection may cost as much as a step of a handshake does.
    #[must_use]
    pub fn is_handshaking(&self, id: SessionId) -> bool {
        self.endpoints.contains(id)
            && self.endpoints[id].is_encoded
            && self.endpoints[id].receiving == Receiving::Opening
            && self.endpoints.transports.get(id).is_some_and(|transport| transport.is_handshaking())
    }

    /// Whether the bytes of that connection pass through a transport.
    #[must_use]
    pub fn is_encoded(&self, id: SessionId) -> bool {
        self.endpoints.contains(id) && self.endpoints[id].is_encoded
    }

    /// Puts the end of input behind the decoded bytes, if the peer closed the transport.
    pub(super) fn mark_end(&self, received: Received, input: &mut Vec<u8>) {
        if received == Received::EndOfInput {
            input.extend_from_slice(&END_OF_INPUT);
        }
    }

    /// Moves output into the transport before the shell writes. Does nothing for plain TCP.
    pub(super) fn encode_output(&mut self, id: SessionId) {
        if self.endpoints.contains(id) && self.endpoints[id].is_encoded {
            let resumable = self.endpoints.encode(id);
            self.queue_resumable(id, resumable);
        }
    }

    /// Tells the transport if its deadline has passed, which may end the connection.
    pub(super) fn check_transport_deadline(&mut self, now: Time, id: SessionId) {
        let is_read = self.wants_input(id);
        match self.endpoints.transport_timeout(now, id, is_read) {
            Ok(Received::EndOfInput) if self.endpoints[id].receiving == Receiving::Opening => {
                self.endpoints.hang_up(now, id);
            }
            Ok(_) => self.endpoints.write_rest(id),
            Err(error) => self.fail_transport(now, id, error),
        }
    }

    /// The peer broke the transport's protocol. The output of the transport, which may hold an alert,
    /// is still written; lines that it never took are not.
    pub(super) fn fail_transport(&mut self, now: Time, id: SessionId, error: TransportError) {
        self.endpoints.act(Action::TransportFailed(id, error));
        self.end_session(now, id, DisconnectReason::Lost);
        self.endpoints.discard_output(now, id);
    }
}

impl Endpoints {
    /// Puts a transport under a new connection.
    pub(super) fn set_transport(&mut self, id: SessionId, transport: Box<dyn Transport>) {
        self[id].is_encoded = true;
        self.transports.insert(id, transport);
        self.refresh_deadline(id);
    }

    /// Forgets the transport of a connection that has ended or failed.
    pub(super) fn drop_transport(&mut self, id: SessionId) {
        self.transports.remove(id);
    }

    /// Decodes bytes, unless the session is over and they do not matter any more.
    pub(super) fn decode(
        &mut self,
        now: Time,
        id: SessionId,
        bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        match self.transports.get_mut(id) {
            Some(transport) if self.endpoints[id.key()].as_ref().is_some_and(is_wanted) => {
                transport.receive(now, bytes, input)
            }
            _ => Ok(Received::Data),
        }
    }

    /// Whether the end of the TCP stream was announced inside the transport.
    pub(super) fn is_end_clean(&self, id: SessionId) -> bool {
        self.transports.get(id).is_none_or(|transport| transport.is_end_clean())
    }

    /// Whether nobody on the way can read the application bytes.
    pub(super) fn is_transport_private(&self, id: SessionId) -> bool {
        self.transports.get(id).is_some_and(|transport| transport.is_private())
    }

    /// Whether the client hides passwords by itself.
    pub(super) fn hides_passwords(&self, id: SessionId) -> bool {
        self.transports.get(id).is_some_and(|transport| transport.hides_passwords())
    }

    /// Moves application bytes into the transport until it takes no more.
    fn encode(&mut self, id: SessionId) -> Resumable {
        let mut resumable = Resumable::NOTHING;
        while let Some(transport) = self.transports.get_mut(id) {
            let endpoint = endpoint_mut(&mut self.endpoints, id);
            let data = application_output(endpoint, &self.logs);
            let taken = if data.is_empty() { 0 } else { transport.send(data) };
            if taken == 0 {
                break;
            }
            let freed = self.consume_output(id, taken);
            resumable.own_input |= freed.own_input;
            resumable.partner |= freed.partner;
        }
        resumable
    }

    /// Encoded bytes that the socket has not taken.
    pub(super) fn encoded_output(&self, id: SessionId) -> &[u8] {
        self.transports.get(id).map_or(&[], |transport| transport.output())
    }

    /// Whether the socket still has to take encoded bytes.
    pub(super) fn has_encoded_output(&self, id: SessionId) -> bool {
        self[id].is_encoded && !self.encoded_output(id).is_empty()
    }

    /// The socket took `count` encoded bytes, which makes room for more output.
    pub(super) fn take_encoded(&mut self, now: Time, id: SessionId, count: usize) -> Resumable {
        if let Some(transport) = self.transports.get_mut(id) {
            transport.handle_sent(count);
        }
        let resumable = self.encode(id);
        self.record_sent(now, id, count);
        resumable
    }

    /// Asks the transport for its closing bytes; `true` once they are written too.
    pub(super) fn is_transport_closed(&mut self, id: SessionId) -> bool {
        let Some(transport) = self.transports.get_mut(id) else { return true };
        transport.close();
        if transport.output().is_empty() {
            return true;
        }
        self.write_rest(id);
        false
    }

    /// Tells the transport that its deadline has passed.
    fn transport_timeout(
        &mut self,
        now: Time,
        id: SessionId,
        is_read: bool,
    ) -> Result<Received, TransportError> {
        match self.transports.get_mut(id) {
            Some(transport) if transport.deadline().is_some_and(|at| at <= now) => {
                transport.handle_timeout(now, is_read)
            }
            _ => Ok(Received::Data),
        }
    }

    /// Tells the transport why the session is over.
    pub(super) fn tell_session_end(&mut self, id: SessionId, why: DisconnectReason) {
        if let Some(transport) = self.transports.get_mut(id) {
            transport.handle_session_end(session_end(why));
        }
    }

    /// The handshake deadline of the transport, if it has one.
    pub(super) fn transport_deadline(&self, id: SessionId) -> Option<Time> {
        self.transports.get(id)?.deadline()
    }

    /// Throws away lines that the transport will never take.
    fn discard_output(&mut self, now: Time, id: SessionId) {
        self.clear_outbox(id);
        self.end_sending_if_done(now, id);
        self.refresh_deadline(id);
    }

    /// Encoded bytes of all connections.
    pub(super) fn encoded_bytes(&self) -> usize {
        self.transports.values().map(|transport| transport.output().len()).sum()
    }
}

/// What a transport needs to know of the reason.
fn session_end(why: DisconnectReason) -> SessionEnd {
    match why {
        DisconnectReason::Exit | DisconnectReason::HungUp | DisconnectReason::Lost => {
            SessionEnd::Left
        }
        DisconnectReason::Stopping => SessionEnd::ServerStops,
        DisconnectReason::Nameless
        | DisconnectReason::SpokeTls
        | DisconnectReason::SpokeHttp
        | DisconnectReason::Stalled
        | DisconnectReason::Overrun
        | DisconnectReason::Removed
        | DisconnectReason::Banned
        | DisconnectReason::WrongPassword
        | DisconnectReason::TakenOver
        | DisconnectReason::AccountChanged => SessionEnd::Removed,
    }
}

/// Whether input still matters: bytes for a session that is over are not worth decoding.
fn is_wanted(endpoint: &Endpoint) -> bool {
    matches!(endpoint.receiving, Receiving::Opening | Receiving::Lines)
}
