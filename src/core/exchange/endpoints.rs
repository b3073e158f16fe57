//! All endpoints: their buffers, their deadlines, and the actions for the shell.
//!
//! The exchange decides *what* happens; this module keeps the bookkeeping right: byte totals, the
//! write list, and one registered deadline per endpoint. Nothing here knows what a line means.

use std::collections::{BTreeMap, VecDeque};
use std::ops::{Index, IndexMut};

use super::broadcast_log::BroadcastLogs;
use super::clocks::Clocks;
use super::endpoint::{Drain, Endpoint, Sending};
use super::tap::Tap;
use super::trace::Trace;
use super::transport_table::TransportTable;
use super::{Action, TrafficCounts};
use crate::core::SessionId;
use crate::core::buffers::Pool;
use crate::core::chat::{BroadcastId, Event, Pace};
use crate::core::framing::Frame;
use crate::core::limits::{FAN_OUT_WRITES_PER_TURN, Limits, REPLIES_BYTES_MAX};
use crate::core::time::Time;

/// Every endpoint, and everything that endpoints share.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub(super) limits: Limits,
    /// Indexed by [`SessionId::key`], as in the roster.
    pub(super) endpoints: Vec<Option<Endpoint>>,
    pub(super) pool: Pool,
    pub(super) clocks: Clocks,
    pub(super) actions: VecDeque<Action>,
    pub(super) logs: BroadcastLogs,
    /// Logs to trim at the end of the turn.
    pub(super) touched: Vec<BroadcastId>,
    /// Sessions whose output has passed its limit (7.11).
    overrun: Vec<SessionId>,
    /// Bytes in all outboxes.
    pub(super) outbox_bytes: usize,
    /// Bytes in all broadcast logs.
    pub(super) log_bytes: usize,
    /// Too much output waits (7.58).
    pub(super) is_scarce: bool,
    pub(super) held_input_bytes: usize,
    pub(super) traffic: TrafficCounts,
    /// Readers of rooms that wait to be written to. A line to a room of a thousand costs a thousand
    /// writes, and other users must not wait for all of them.
    pub(super) fan_out: VecDeque<SessionId>,
    /// How many more of those writes this turn may do (7.47).
    pub(super) fan_out_left: usize,
    /// Sessions whose input a rate limit holds, and until when (5.7.2, 6.2.3). Few at any time, so
    /// an endpoint does not carry the time.
    pub(super) paused: BTreeMap<SessionId, (Time, Pace)>,
    /// The way of one session's last input, if somebody follows it.
    pub(super) trace: Option<Box<Trace>>,
    /// What is taken from each connection, if somebody records.
    pub(super) tap: Option<Box<Tap>>,
    /// Sessions whose input may go on.
    pub(super) resumable: VecDeque<SessionId>,
    /// Sessions whose old input is to be discarded before their output is written.
    pub(super) drains: VecDeque<Drain>,
    /// The transports of connections that are not plain TCP: most servers have few or none, so an
    /// endpoint does not carry a pointer for one.
    pub(super) transports: TransportTable,
    /// Connections that have no session yet, the oldest first (7.64).
    pub(super) opening: VecDeque<SessionId>,
}

/// Whose held input may go on, now that output was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resumable {
    /// The connection's own input (7.9).
    pub(super) own_input: bool,
    /// The input of its chat partner (7.7).
    pub(super) partner: bool,
}

impl Resumable {
    pub(super) const NOTHING: Resumable = Resumable { own_input: false, partner: false };
}

impl Endpoints {
    /// A table without connections.
    pub(super) fn new(limits: Limits) -> Endpoints {
        Endpoints {
            limits,
            endpoints: Vec::new(),
            pool: Pool::default(),
            clocks: Clocks::default(),
            actions: VecDeque::new(),
            logs: BroadcastLogs::default(),
            touched: Vec::new(),
            overrun: Vec::new(),
            outbox_bytes: 0,
            log_bytes: 0,
            is_scarce: false,
            held_input_bytes: 0,
            traffic: TrafficCounts::default(),
            transports: TransportTable::default(),
            opening: VecDeque::new(),
            drains: VecDeque::new(),
            resumable: VecDeque::new(),
            paused: BTreeMap::new(),
            trace: None,
            tap: None,
            fan_out: VecDeque::new(),
            fan_out_left: FAN_OUT_WRITES_PER_TURN,
        }
    }

    /// Adds the endpoint of a new connection. The table grows to the largest key ever used and never
    /// shrinks; an unused slot costs as much memory as an idle user.
    pub(super) fn add(&mut self, id: SessionId) {
        if self.endpoints.len() <= id.key() {
            self.endpoints.resize_with(id.key() + 1, || None);
        }
        self.endpoints[id.key()] = Some(Endpoint::new());
        self.tap.iter_mut().for_each(|tap| tap.begin(id));
    }

    /// Removes an endpoint and returns all of its buffers to the pool. The id may be reused at once.
    pub(super) fn remove(&mut self, id: SessionId) {
        self.drop_held_input(id);
        self.drop_transport(id);
        self.drop_drain(id);
        self.drop_clocks(id);
        self.tap.iter_mut().for_each(|tap| tap.forget(id));
        let Some(mut endpoint) = self.endpoints[id.key()].take() else { return };
        let unsent = endpoint.outbox.len();
        endpoint.outbox.clear(&mut self.pool);
        endpoint.reader.release(&mut self.pool);
        self.discount_output(unsent);
    }

    /// Whether the connection still exists. Lists of ids can outlive a connection, so their users ask
    /// first.
    pub(super) fn contains(&self, id: SessionId) -> bool {
        self.endpoints.get(id.key()).is_some_and(Option::is_some)
    }

    /// An endpoint together with the buffer pool. One method returns both because the borrow checker
    /// does not see through two calls that each borrow all of `self`.
    pub(super) fn with_pool(&mut self, id: SessionId) -> (&mut Endpoint, &mut Pool) {
        (endpoint_mut(&mut self.endpoints, id), &mut self.pool)
    }

    /// Appends a line, given in parts, to the outbox of `to`. The shell writes at the end of the turn,
    /// so all lines of a turn leave in one system call.
    pub(super) fn say<const N: usize>(&mut self, to: SessionId, parts: [&[u8]; N]) {
        if self[to].cursor.is_some() {
            self.flush_log_to_outbox(to);
        }
        let high_water = self.high_water_bytes();
        let endpoint = endpoint_mut(&mut self.endpoints, to);
        if endpoint.sending.is_open() {
            let before = endpoint.outbox.len();
            endpoint.outbox.push(&mut self.pool, parts, high_water);
            self.traffic.lines_out += 1;
            self.record_output(to, before);
        }
    }

    /// Updates the totals and the write list after the outbox of `to`, which held `before` bytes,
    /// has grown.
    pub(super) fn record_output(&mut self, to: SessionId, before: usize) {
        let endpoint = &self[to];
        let after = endpoint.outbox.len();
        // A full socket reports when it takes bytes again; a write before only costs a system call.
        let is_blocked = endpoint.sending != Sending::Open;
        self.count_output(after - before);
        // Ending the session at once would change the chat in the middle of a delivery, so the session
        // is only noted here.
        if after > self.limits.outbox_bytes_max() {
            self.overrun.push(to);
        }
        if after > before && !is_blocked {
            self.write(to);
        }
    }

    /// Schedules a write if output waits for `id`.
    pub(super) fn write_rest(&mut self, id: SessionId) {
        if self.has_output(id) {
            self.write(id);
        }
    }

    /// Queues one write per connection and turn, however many lines the connection gets.
    fn write(&mut self, id: SessionId) {
        let endpoint = endpoint_mut(&mut self.endpoints, id);
        if !endpoint.to_write {
            endpoint.to_write = true;
            self.actions.push_back(Action::Write(id));
        }
    }

    /// Notes that the input of `id` may go on.
    pub(super) fn queue_resume(&mut self, id: SessionId) {
        self.resumable.push_back(id);
    }

    /// The next session whose input may go on, and that is still connected.
    pub(super) fn poll_resume(&mut self) -> Option<SessionId> {
        while let Some(id) = self.resumable.pop_front() {
            if self.contains(id) {
                return Some(id);
            }
        }
        None
    }

    /// Whether any session waits to be ended for too much output.
    pub(super) fn has_overrun(&self) -> bool {
        !self.overrun.is_empty()
    }

    /// Returns the buffer of a frame to the pool.
    pub(super) fn recycle(&mut self, frame: Frame<'_>) {
        frame.recycle(&mut self.pool);
    }

    /// A session that has passed its output limit and is still connected.
    pub(super) fn poll_overrun(&mut self) -> Option<SessionId> {
        while let Some(id) = self.overrun.pop() {
            if self.contains(id) {
                return Some(id);
            }
        }
        None
    }

    /// The socket took `count` bytes of the output of `id`.
    pub(super) fn take_output(&mut self, now: Time, id: SessionId, count: usize) -> Resumable {
        if self[id].is_encoded {
            return self.take_encoded(now, id, count);
        }
        let resumable = self.consume_output(id, count);
        self.record_sent(now, id, count);
        resumable
    }

    /// Removes `count` application bytes from the front of the outbox, or of the log if the outbox is
    /// empty.
    pub(super) fn consume_output(&mut self, id: SessionId, count: usize) -> Resumable {
        let low_water = self.limits.low_water_bytes();
        let endpoint = endpoint_mut(&mut self.endpoints, id);
        endpoint.has_written = true;
        let (before, pool) = (endpoint.outbox.len(), &mut self.pool);
        if before == 0 {
            self.advance_cursor(id, count);
            return Resumable::NOTHING;
        }
        let partner = endpoint.outbox.take(pool, count, low_water);
        let after = endpoint.outbox.len();
        self.discount_output(before - after);
        let own_input = before > REPLIES_BYTES_MAX && after <= REPLIES_BYTES_MAX;
        Resumable { own_input: own_input || self.room_for_rows(id).is_some(), partner }
    }

    /// Restarts the clocks that measure how long a socket takes nothing.
    pub(super) fn record_sent(&mut self, now: Time, id: SessionId, count: usize) {
        let (has_more, until) = (self.has_output(id), now.after_ms(self.limits.closing_ms));
        match self[id].sending {
            Sending::Blocked { .. } if !has_more => {
                self.set_sending(id, Sending::Open, None);
                // While memory is scarce, a full socket has held the client's input.
                self.queue_resume(id);
            }
            blocked @ Sending::Blocked { .. } if count > 0 => {
                self.set_sending(id, blocked, Some(now))
            }
            Sending::Finishing if count > 0 => {
                self.set_sending(id, Sending::Finishing, Some(until))
            }
            Sending::Open | Sending::Blocked { .. } | Sending::Finishing | Sending::Ended => {}
        }
        self.end_sending_if_done(now, id);
        self.refresh_deadline(id);
    }

    /// The socket of `id` takes no more bytes for now.
    pub(super) fn block(&mut self, now: Time, id: SessionId) {
        if self[id].sending == Sending::Open {
            self.set_sending(id, Sending::Blocked { told: false }, Some(now));
        }
        let spare = self.spare_bytes();
        self[id].outbox.shrink(spare);
        self.refresh_deadline(id);
    }

    /// Passes an event on to the shell's log.
    pub(super) fn report(&mut self, event: Event) {
        self.act(Action::Report(event));
    }

    /// Queues an action for the shell.
    pub(super) fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// The next action for the shell. `None` ends the turn, and the logs are trimmed.
    pub(super) fn poll_action(&mut self) -> Option<Action> {
        // Actions queue up while the shell works; the end of the queue is the end of the turn.
        while let Some(action) = self.actions.pop_front() {
            if let Action::Write(id) = action
                && self.contains(id)
            {
                self[id].to_write = false;
                if self[id].is_draining {
                    // The write is queued again when the drain ends.
                    continue;
                }
                self.prepare_write(id);
                self[id].to_write = false;
            }
            return Some(action);
        }
        if let Some(id) = self.poll_fan_out() {
            self.prepare_write(id);
            return Some(Action::Write(id));
        }
        self.fan_out_left = FAN_OUT_WRITES_PER_TURN;
        self.trim_logs();
        None
    }

    /// The partner of `id` ended the chat and may have caused the stall of `id`, so the stall is timed
    /// from now (7.17).
    pub(super) fn restart_stall_clock(&mut self, now: Time, id: SessionId) {
        if self[id].sending.is_blocked() {
            self.set_sending(id, Sending::Blocked { told: false }, Some(now));
        }
        self.refresh_deadline(id);
    }

    /// Bytes in memory on behalf of all connections: output, held input, encoded output.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.outbox_bytes + self.log_bytes + self.held_input_bytes + self.encoded_bytes()
    }
}

/// A free function instead of a method, so that callers can borrow other fields at the same time.
pub(super) fn endpoint_mut(endpoints: &mut [Option<Endpoint>], id: SessionId) -> &mut Endpoint {
    endpoints[id.key()].as_mut().expect("the id of a connection that is here")
}

impl Index<SessionId> for Endpoints {
    type Output = Endpoint;

    fn index(&self, id: SessionId) -> &Endpoint {
        self.endpoints[id.key()].as_ref().expect("the id of a connection that is here")
    }
}

impl IndexMut<SessionId> for Endpoints {
    fn index_mut(&mut self, id: SessionId) -> &mut Endpoint {
        endpoint_mut(&mut self.endpoints, id)
    }
}
