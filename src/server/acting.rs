//! The last step of a turn: what the exchange wants done becomes system calls.
//!
//! `Server::turn` calls [`Server::act`]. Sockets are closed only here, after the batch of events that
//! names them.

use std::io;

use log::{debug, info};

use super::connection::{Connection, IoOutcome};
use super::{Server, event_log};
use crate::core::SessionId;
use crate::core::chat;
use crate::core::exchange::{Action, Hop};
use crate::core::limits::DRAINS_PER_TURN;
use crate::core::transport::TransportError;

impl Server {
    /// Performs the actions of the exchange. Each socket gets everything of this turn in one write, and
    /// sockets are closed only here, after the batch of events that names them.
    pub(super) fn act(&mut self) {
        let mut drains_left = DRAINS_PER_TURN;
        loop {
            self.drain(&mut drains_left);
            let Some(action) = self.exchange.poll_action() else { break };
            match action {
                Action::Write(id) => self.write(id),
                Action::EndSending(id) => self.end_sending(id),
                Action::Close(id) => self.close(id),
                Action::Open(id, learned) => self.open(id, learned),
                Action::Report(event) => self.report(event),
                Action::TransportFailed(id, error) => self.log_transport_error(id, error),
                Action::AskAccounts(request) => self.ask_accounts(request),
            }
        }
        self.queue_resumed();
        self.store_history();
        self.tend_history();
    }

    /// Logs and counts an event. A planned stop that is due ends the loop.
    fn report(&mut self, event: chat::Event) {
        self.metrics.record(event);
        event_log::report(event, &self.connections, self.exchange.chat());
        if event == chat::Event::StopIsDue {
            self.await_disconnects();
        }
    }

    /// Writes until the socket is full or nothing waits. Readiness to write is not awaited first: a
    /// socket is almost always ready, and a failed attempt costs no more than asking.
    fn write(&mut self, id: SessionId) {
        while self.connections.contains(id.key()) && !self.exchange.output(id).is_empty() {
            // Inside the loop, because a write can release held input, and that input can be a room
            // message for this same reader.
            self.store_history();
            let connection = &mut self.connections[id.key()];
            self.metrics.writes += 1;
            match connection.write(self.exchange.output(id)) {
                IoOutcome::Bytes(n) => {
                    self.exchange.trace_output(Hop::Write, Some(id), n);
                    self.metrics.bytes_out += n as u64;
                    self.exchange.handle_sent(self.now, id, n);
                }
                IoOutcome::Nothing => return self.exchange.handle_blocked(self.now, id),
                IoOutcome::End => return self.fail(id, &io::ErrorKind::WriteZero.into()),
                IoOutcome::Failed(e) => return self.fail(id, &e),
            }
        }
    }

    /// Sends our FIN.
    fn end_sending(&mut self, id: SessionId) {
        let Some(connection) = self.connections.get_mut(id.key()) else { return };
        if let Err(e) = connection.end_sending() {
            self.fail(id, &e);
        }
    }

    /// A system call failed for this connection. Only this connection ends.
    pub(super) fn fail(&mut self, id: SessionId, error: &io::Error) {
        debug!(target: "chinwag", "#{}: {error}", self.connections[id.key()].number);
        self.exchange.handle_failure(self.now, id);
    }

    fn log_transport_error(&self, id: SessionId, error: TransportError) {
        if let Some(connection) = self.connections.get(id.key()) {
            let Connection { number, peer, .. } = connection;
            info!(target: "chinwag", "#{number} {peer} failed: {error}");
        }
    }

    /// Closes the socket; its slab key becomes free.
    fn close(&mut self, id: SessionId) {
        let connection = self.connections.remove(id.key());
        self.metrics.closes += 1;
        self.end_following(id);
        debug!(target: "chinwag", "#{} {} closed", connection.number, connection.peer);
        self.release(&connection);
        self.exchange.forget(id);
        // A file descriptor is free again, so a listener that ran out of them can accept.
        for listener in &mut self.listeners {
            listener.retry_now();
        }
    }
}
