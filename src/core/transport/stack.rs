//! Two transports as one, such as WebSocket over TLS.
//!
//! The outer layer talks to the socket, the inner layer to the exchange. Each keeps its own bounded
//! buffer: the outer takes from the inner's output only as much as fits, so the bound of a stack is
//! the sum of both. Neither layer knows that the other exists.

use super::{Opening, Received, SessionEnd, Transport, TransportError};
use crate::core::time::Time;

/// An inner transport whose bytes travel through an outer one.
#[derive(Debug)]
pub struct Stack<Outer, Inner> {
    outer: Outer,
    inner: Inner,
    /// Bytes on their way from the outer to the inner layer; empty between calls.
    between: Vec<u8>,
}

impl<Outer: Transport, Inner: Transport> Stack<Outer, Inner> {
    /// Puts `inner` on top of `outer`.
    pub fn new(outer: Outer, inner: Inner) -> Self {
        Stack { outer, inner, between: Vec::new() }
    }

    /// Moves the inner layer's output into the outer layer, as far as it takes it.
    fn pump(&mut self) {
        while !self.inner.output().is_empty() {
            let taken = self.outer.send(self.inner.output());
            if taken == 0 {
                return;
            }
            self.inner.handle_sent(taken);
        }
    }
}

impl<Outer: Transport, Inner: Transport> Transport for Stack<Outer, Inner> {
    /// Decodes through both layers.
    fn receive(
        &mut self,
        now: Time,
        bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        let outer = self.outer.receive(now, bytes, &mut self.between);
        // Bytes that came before an error or an end still count.
        let inner = self.inner.receive(now, &self.between, input);
        self.between.clear();
        self.pump();
        match (outer?, inner?) {
            (Received::Data, Received::Data) => Ok(Received::Data),
            (Received::EndOfInput, Received::Data) if !self.inner.is_end_clean() => {
                Err(TransportError("the outer layer was closed before the inner layer"))
            }
            (Received::EndOfInput, _) | (_, Received::EndOfInput) => Ok(Received::EndOfInput),
        }
    }

    fn send(&mut self, data: &[u8]) -> usize {
        let taken = self.inner.send(data);
        self.pump();
        taken
    }

    fn output(&self) -> &[u8] {
        self.outer.output()
    }

    fn handle_sent(&mut self, count: usize) {
        self.outer.handle_sent(count);
        self.pump();
    }

    /// Closes from the inside out. The exchange calls again after each write, until both are closed.
    fn close(&mut self) {
        self.inner.close();
        self.pump();
        // The outer close goes behind the inner one, never before bytes that still wait.
        if self.inner.output().is_empty() {
            self.outer.close();
        }
    }

    fn opening(&self) -> Opening {
        match (self.outer.opening(), self.inner.opening()) {
            (Opening::Pending, _) | (_, Opening::Pending) => Opening::Pending,
            // The inner layer is nearer to the client.
            (Opening::Ready(outer), Opening::Ready(inner)) => Opening::Ready(inner.or(outer)),
        }
    }

    fn is_handshaking(&self) -> bool {
        self.outer.is_handshaking() || self.inner.is_handshaking()
    }

    fn is_end_clean(&self) -> bool {
        self.outer.is_end_clean() && self.inner.is_end_clean()
    }

    fn is_private(&self) -> bool {
        self.outer.is_private() || self.inner.is_private()
    }

    fn hides_passwords(&self) -> bool {
        self.inner.hides_passwords()
    }

    fn deadline(&self) -> Option<Time> {
        self.outer.deadline().into_iter().chain(self.inner.deadline()).min()
    }

    /// Either deadline has come, or both.
    fn handle_timeout(&mut self, now: Time, is_read: bool) -> Result<Received, TransportError> {
        let is_due = |deadline: Option<Time>| deadline.is_some_and(|at| at <= now);
        let mut received = Received::Data;
        if is_due(self.outer.deadline()) {
            received = self.outer.handle_timeout(now, is_read)?;
        }
        if received == Received::Data && is_due(self.inner.deadline()) {
            received = self.inner.handle_timeout(now, is_read)?;
        }
        self.pump();
        Ok(received)
    }

    fn handle_session_end(&mut self, why: SessionEnd) {
        self.outer.handle_session_end(why);
        self.inner.handle_session_end(why);
    }
}
