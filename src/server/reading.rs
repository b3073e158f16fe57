//! Reading: which connections are read in a turn, and how much of each.
//!
//! `Server::turn` calls [`Server::read`]. Connections with a new readiness event come first if they
//! are light (`read_queue.rs`); then connections with leftovers or with held input that may go on.
//! Nothing here knows what a line means.

use std::io;
use std::time::Duration;

use mio::event::Event;

use super::Server;
use super::connection::IoOutcome;
use super::costs::Cost;
use super::read_queue::Burst;
use crate::core::SessionId;
use crate::core::limits::{EVENTS_PER_TURN, FAN_OUT_POSTPONED_TURNS_MAX};
use crate::core::time::Time;

impl Server {
    /// Records the event of one client socket.
    pub(super) fn record_readiness(&mut self, key: usize, event: &Event) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let id = SessionId::from_key(key);
        if event.is_writable() {
            self.exchange.handle_writable(id);
        }
        if event.is_error() && !self.exchange.wants_input(id) {
            // Input is held, so the read that would report the error never happens.
            self.exchange.handle_failure(self.now, id);
        } else if connection.record_event(event) {
            self.queue(id);
        }
    }

    /// Queues a connection, whose flag says so already.
    pub(super) fn queue(&mut self, id: SessionId) {
        match self.exchange.is_handshaking(id) {
            true => self.read_queue.push_handshake(id),
            false => self.read_queue.push(id, self.connections[id.key()].work, self.now_s()),
        }
    }

    /// Processes the input of a bounded number of connections, light ones first.
    pub(super) fn read(&mut self) {
        self.queue_resumed();
        let mut turn = std::mem::take(&mut self.to_read);
        self.read_queue.take_turn(&mut self.handshakes_left, &mut turn);
        let is_sampled = self.costs.samples_turn();
        for id in turn.drain(..) {
            match is_sampled {
                true => self.read_and_measure(id),
                false => drop(self.read_once(id)),
            }
        }
        self.to_read = turn;
    }

    /// Reads all input that has arrived, if a deadline is due: an answer that arrived in time must win
    /// against its deadline, even after the process was stopped for seconds and thousands of answers
    /// wait (4.1.6). Each round sees another batch of ready sockets, so the rounds are bounded by the
    /// number of connections.
    pub(super) fn read_before_timeouts(&mut self) -> io::Result<()> {
        let is_due = |at: Time| at <= self.now;
        if !self.exchange.poll_timeout().is_some_and(is_due) {
            return Ok(());
        }
        for _ in 0..=self.connections.len() / EVENTS_PER_TURN {
            if !self.poll_at_once()? && self.read_queue.has_only_handshakes() {
                break;
            }
            self.record_events();
            self.read();
        }
        Ok(())
    }

    /// Queues the sessions whose held input may go on. It goes on in the *next* turn: input that went
    /// on after each write would let a burst of commands keep this turn to itself.
    pub(super) fn queue_resumed(&mut self) {
        while let Some(id) = self.exchange.poll_resume() {
            self.queue_again(id);
        }
    }

    /// Reads once, and records what that cost (8.2.8).
    fn read_and_measure(&mut self, id: SessionId) {
        let (before, began) = (self.exchange.traffic(), self.elapsed());
        let received = self.read_once(id);
        let after = self.exchange.traffic();
        let processing = self.elapsed().saturating_sub(began);
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let cost = Cost {
            lines: count(after.lines_in - before.lines_in),
            bytes: count(received as u64),
            deliveries: count(after.lines_out - before.lines_out),
            processing_us: u32::try_from(processing.as_micros()).unwrap_or(u32::MAX),
        };
        let now_s = self.now_s();
        if let Some(connection) = self.connections.get(id.key()) {
            self.costs.record(now_s, id.key(), connection.number, cost);
        }
    }

    /// Processes held input, then reads once. One read per turn, even if more is waiting: otherwise
    /// one fast sender could keep the loop to itself. Returns the bytes read.
    fn read_once(&mut self, id: SessionId) -> usize {
        let Some(connection) = self.connections.get_mut(id.key()) else { return 0 };
        connection.is_queued = false;
        // Reading the clock for every line would cost a calm server; a burst pays for it itself.
        let began = connection.work.is_heavy().then(|| self.started.elapsed());
        let before = self.exchange.outbox_bytes(id);
        if self.exchange.holds_input(id) {
            self.exchange.resume(self.now, id);
        }
        let mut received = 0;
        if self.exchange.wants_input(id) {
            received = self.read_socket(id);
        } else {
            self.exchange.count_hold(id);
        }
        self.record_work(id, before, received, began);
        self.end_handshake_if_done(id);
        self.queue_again(id);
        received
    }

    /// A handshake that is done no longer counts for its address.
    fn end_handshake_if_done(&mut self, id: SessionId) {
        if let Some(connection) = self.connections.get_mut(id.key())
            && connection.is_handshaking
            && !self.exchange.is_handshaking(id)
        {
            connection.is_handshaking = false;
            self.admission.end_handshake(connection.peer.ip());
        }
    }

    /// Reads the socket once, if an event says that there is something. Returns the bytes read.
    fn read_socket(&mut self, id: SessionId) -> usize {
        let Some(connection) = self.connections.get_mut(id.key()) else { return 0 };
        if !connection.has_more {
            return 0;
        }
        let bytes_max = self.exchange.read_bytes_max();
        self.metrics.reads += 1;
        match connection.read(&mut self.read_buffer[..bytes_max]) {
            IoOutcome::Bytes(n) => {
                self.exchange.trace_read(id, self.watching.turn_events as usize, n);
                self.metrics.bytes_in += n as u64;
                let was_secret = self.exchange.is_secret(id);
                self.exchange.handle_received(self.now, id, &self.read_buffer[..n]);
                if was_secret || self.exchange.is_secret(id) {
                    self.read_buffer[..n].fill(0);
                    self.metrics.secret_bytes_in += n as u64;
                }
                return n;
            }
            IoOutcome::End => self.exchange.handle_end_of_input(self.now, id),
            IoOutcome::Nothing => {}
            IoOutcome::Failed(e) => self.fail(id, &e),
        }
        0
    }

    /// Records what a connection sent, and what that caused.
    fn record_work(
        &mut self,
        id: SessionId,
        outbox_before: usize,
        received: usize,
        began: Option<Duration>,
    ) {
        let now_s = self.now_s();
        let replied = self.exchange.outbox_bytes(id).saturating_sub(outbox_before);
        let must_wait = self.exchange.must_wait(id);
        let took = began.map(|began| self.started.elapsed().saturating_sub(began));
        if let Some(connection) = self.connections.get_mut(id.key()) {
            connection.work.record(now_s, Burst { received, replied, must_wait, took });
        }
    }

    /// Queues a connection for the next turn if it has input that may be processed.
    pub(super) fn queue_again(&mut self, id: SessionId) {
        let Some(connection) = self.connections.get_mut(id.key()) else { return };
        let may_read = connection.has_more && self.exchange.wants_input(id);
        if !connection.is_queued && (may_read || self.exchange.may_resume(id)) {
            connection.is_queued = true;
            self.queue(id);
        }
    }

    /// Reads before it writes to rooms: a full batch of events means that more input is ready. The
    /// number of turns is limited, so that members of rooms wait a moment and not for ever (7.47).
    pub(super) fn postpone_fan_out(&mut self, events: u64) {
        let is_full = events as usize == EVENTS_PER_TURN;
        if is_full && self.postponed_turns < FAN_OUT_POSTPONED_TURNS_MAX {
            self.postponed_turns += 1;
            self.exchange.postpone_fan_out();
        } else {
            self.postponed_turns = 0;
        }
    }

    /// Collects readiness without waiting; `false` if nothing is ready.
    fn poll_at_once(&mut self) -> io::Result<bool> {
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Ok(()) => Ok(!self.events.is_empty()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(e) => Err(e),
        }
    }

    /// Seconds since the start of the server.
    pub(super) fn now_s(&self) -> u64 {
        self.now.ms_since(Time::START) / 1000
    }
}
