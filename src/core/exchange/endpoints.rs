//! All endpoints: their buffers, their deadlines, and what the shell is to do about them.

use std::collections::VecDeque;
use std::ops::{Index, IndexMut};

use super::broadcast_log::BroadcastLogs;
use super::endpoint::{Blocked, Endpoint, Receiving, Sending};
use super::{Action, TrafficCounts};
use crate::core::SessionId;
use crate::core::buffers::Pool;
use crate::core::chat::{BroadcastId, Event, Route};
use crate::core::framing::Frame;
use crate::core::limits::{Limits, OUTPUT_BYTES_BEFORE_PRESSURE, REPLIES_BYTES_MAX};
use crate::core::time::{Deadlines, Time};

/// Every endpoint, and what they share.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub(super) limits: Limits,
    /// By the key of the id, as in the roster.
    pub(super) endpoints: Vec<Option<Endpoint>>,
    pub(super) pool: Pool,
    deadlines: Deadlines<SessionId>,
    pub(super) actions: VecDeque<Action>,
    pub(super) logs: BroadcastLogs,
    /// BroadcastLogs that are to be trimmed at the end of the turn.
    pub(super) touched: Vec<BroadcastId>,
    /// Those whose output has passed its bound (5.13).
    overrun: Vec<SessionId>,
    pub(super) output_bytes: usize,
    pub(super) held_input_bytes: usize,
    pub(super) traffic: TrafficCounts,
}

/// Whose input need not be held any longer, now that output has been taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resumable {
    pub(super) of_own_input: bool,
    pub(super) of_partner: bool,
}

impl Endpoints {
    pub(super) fn new(limits: Limits) -> Endpoints {
        Endpoints {
            limits,
            endpoints: Vec::new(),
            pool: Pool::default(),
            deadlines: Deadlines::default(),
            actions: VecDeque::new(),
            logs: BroadcastLogs::default(),
            touched: Vec::new(),
            overrun: Vec::new(),
            output_bytes: 0,
            held_input_bytes: 0,
            traffic: TrafficCounts::default(),
        }
    }

    pub(super) fn add(&mut self, id: SessionId) {
        if self.endpoints.len() <= id.key() {
            self.endpoints.resize_with(id.key() + 1, || None);
        }
        self.endpoints[id.key()] = Some(Endpoint::new());
    }

    pub(super) fn remove(&mut self, id: SessionId) {
        self.drop_held_input(id);
        let Some(mut endpoint) = self.endpoints[id.key()].take() else { return };
        self.output_bytes -= endpoint.outbox.len();
        endpoint.outbox.clear(&mut self.pool);
        endpoint.reader.release(&mut self.pool);
        self.deadlines.replace(id, endpoint.deadline, None);
    }

    pub(super) fn contains(&self, id: SessionId) -> bool {
        self.endpoints.get(id.key()).is_some_and(Option::is_some)
    }

    pub(super) fn with_pool(&mut self, id: SessionId) -> (&mut Endpoint, &mut Pool) {
        (endpoint_mut(&mut self.endpoints, id), &mut self.pool)
    }

    /// Puts the `parts` of a line into the outbox of `to`; the shell will write it at the end of
    /// the turn, with all that comes until then.
    pub(super) fn say<const N: usize>(&mut self, to: SessionId, parts: [&[u8]; N]) {
        if self[to].cursor.is_some() {
            self.flush_log_to_outbox(to);
        }
        let high_water = self.high_water_bytes();
        let endpoint = endpoint_mut(&mut self.endpoints, to);
        if let Sending::Open { .. } = endpoint.sending {
            let before = endpoint.outbox.len();
            endpoint.outbox.push(&mut self.pool, parts, high_water);
            self.traffic.lines_out += 1;
            self.record_output(to, before);
        }
    }

    /// Something was said to `to`, for whom `before` bytes had waited.
    pub(super) fn record_output(&mut self, to: SessionId, before: usize) {
        let endpoint = &self[to];
        let after = endpoint.outbox.len();
        // A socket that is full will say when it is not; trying before costs a call in vain.
        let is_blocked = endpoint.sending != Sending::OPEN;
        self.output_bytes += after - before;
        if after > self.limits.outbox_bytes_max() {
            self.overrun.push(to);
        }
        if after > before && !is_blocked {
            self.write(to);
        }
    }

    /// The high-water mark as it is now (5.10, 5.12).
    pub(super) fn high_water_bytes(&self) -> usize {
        let is_pressed = self.output_bytes > OUTPUT_BYTES_BEFORE_PRESSURE;
        let most = if is_pressed { REPLIES_BYTES_MAX } else { usize::MAX };
        self.limits.high_water_bytes.min(most)
    }

    /// Puts what `id` says through the route into the outbox of its partner, while that one is not
    /// congested. Returns the first frame that is not for the partner.
    pub(super) fn relay<'i>(
        &mut self,
        id: SessionId,
        route: Route<'_>,
        bytes: &mut &'i [u8],
    ) -> Option<Frame<'i>> {
        let high_water = self.high_water_bytes();
        let [Some(from), Some(to)] =
            self.endpoints.get_disjoint_mut([id.key(), route.to.key()]).ok()?
        else {
            return None;
        };
        let before = to.outbox.len();
        let (mut other, mut lines) = (None, 0);
        while !to.outbox.is_congested() {
            let Some(frame) = from.reader.next(&mut self.pool, bytes) else { break };
            let Some(relay) = frame.line().and_then(|line| route.message(line)) else {
                other = Some(frame);
                break;
            };
            to.outbox.push(&mut self.pool, relay.parts(), high_water);
            frame.recycle(&mut self.pool);
            lines += 1;
        }
        self.traffic.lines_in += lines;
        self.traffic.lines_out += lines;
        self.record_output(route.to, before);
        other
    }

    /// What waits for `id`, if anything does, can be written.
    pub(super) fn write_rest(&mut self, id: SessionId) {
        if self.has_output(id) {
            self.write(id);
        }
    }

    fn write(&mut self, id: SessionId) {
        let endpoint = endpoint_mut(&mut self.endpoints, id);
        if !endpoint.to_write {
            endpoint.to_write = true;
            self.actions.push_back(Action::Write(id));
        }
    }

    pub(super) fn has_overrun(&self) -> bool {
        !self.overrun.is_empty()
    }

    pub(super) fn recycle(&mut self, frame: Frame<'_>) {
        frame.recycle(&mut self.pool);
    }

    /// Someone whose output has passed its bound, and who is still here.
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
        let low_water = self.limits.low_water_bytes();
        let endpoint = endpoint_mut(&mut self.endpoints, id);
        let (before, pool) = (endpoint.outbox.len(), &mut self.pool);
        if before == 0 {
            self.advance_cursor(id, count);
            self.record_sent(now, id, count);
            return Resumable { of_own_input: false, of_partner: false };
        }
        let of_partner = endpoint.outbox.take(pool, count, low_water);
        let after = endpoint.outbox.len();
        self.output_bytes -= before - after;
        self.record_sent(now, id, count);
        let of_own_input = before > REPLIES_BYTES_MAX && after <= REPLIES_BYTES_MAX;
        Resumable { of_own_input, of_partner }
    }

    /// The socket of `id` took `count` bytes of whatever waited for it.
    fn record_sent(&mut self, now: Time, id: SessionId, count: usize) {
        let (has_more, until) = (self.has_output(id), now.after_ms(self.limits.closing_ms));
        match &mut self[id].sending {
            Sending::Open { blocked } if !has_more => *blocked = None,
            Sending::Open { blocked: Some(blocked) } if count > 0 => blocked.since = now,
            Sending::Finishing { until: given_up_at } if count > 0 => *given_up_at = until,
            Sending::Open { .. } | Sending::Finishing { .. } | Sending::Ended { .. } => {}
        }
        self.end_sending_if_done(now, id);
        self.refresh_deadline(id);
    }

    /// The socket of `id` takes no more at the moment.
    pub(super) fn block(&mut self, now: Time, id: SessionId) {
        if let Sending::Open { blocked } = &mut self[id].sending {
            blocked.get_or_insert(Blocked { since: now, told: false });
        }
        self.refresh_deadline(id);
    }

    /// The session is over: what waits is still written, what comes is thrown away.
    pub(super) fn hang_up(&mut self, now: Time, id: SessionId) {
        self.drop_held_input(id);
        let until = now.after_ms(self.limits.closing_ms);
        let (endpoint, pool) = self.with_pool(id);
        endpoint.reader.release(pool);
        endpoint.held_until = None;
        endpoint.receiving = match endpoint.receiving {
            Receiving::Lines | Receiving::Discarding => Receiving::Discarding,
            Receiving::LastLines | Receiving::Ended => Receiving::Ended,
        };
        if let Sending::Open { .. } = endpoint.sending {
            endpoint.sending = Sending::Finishing { until };
            self.end_sending_if_done(now, id);
        }
        self.refresh_deadline(id);
        // Whatever readiness was left alone while input was held is wanted now, to be thrown away.
        self.act(Action::Resume(id));
    }

    /// The client has ended its half after the session was over.
    pub(super) fn end_receiving(&mut self, id: SessionId) {
        self[id].receiving = Receiving::Ended;
        if self[id].is_closed() {
            self.act(Action::Close(id));
        }
    }

    /// Neither half is of any use any more.
    pub(super) fn close(&mut self, now: Time, id: SessionId) {
        if self[id].is_closed() {
            return;
        }
        self.output_bytes -= self[id].outbox.len();
        let (endpoint, pool) = self.with_pool(id);
        endpoint.outbox.clear(pool);
        endpoint.receiving = Receiving::Ended;
        endpoint.sending = Sending::Ended { until: now };
        self.act(Action::Close(id));
    }

    pub(super) fn pause(&mut self, id: SessionId, until: Time) {
        let held_until = &mut self[id].held_until;
        *held_until = (*held_until).max(Some(until));
        self.traffic.inputs_slowed += 1;
        self.refresh_deadline(id);
    }

    pub(super) fn report(&mut self, event: Event) {
        self.act(Action::Report(event));
    }

    pub(super) fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// The next thing for the shell to do; when there is none, the turn is over. A connection that is
    /// to be written to is off the list once that has been said.
    pub(super) fn poll_action(&mut self) -> Option<Action> {
        let Some(action) = self.actions.pop_front() else {
            self.trim_logs();
            return None;
        };
        if let Action::Write(id) = action
            && self.contains(id)
        {
            self.prepare_write(id);
            self[id].to_write = false;
        }
        Some(action)
    }

    /// The chat of `id` was ended by the other, who may have caused its stall: that is counted from
    /// now (5.15).
    pub(super) fn restart_stall_clock(&mut self, now: Time, id: SessionId) {
        if let Sending::Open { blocked: Some(blocked) } = &mut self[id].sending {
            *blocked = Blocked { since: now, told: false };
        }
        self.refresh_deadline(id);
    }

    fn end_sending_if_done(&mut self, now: Time, id: SessionId) {
        let until = now.after_ms(self.limits.closing_ms);
        let endpoint = &mut self[id];
        if !matches!(endpoint.sending, Sending::Finishing { .. }) || !endpoint.outbox.is_empty() {
            return;
        }
        endpoint.sending = Sending::Ended { until };
        let action = if endpoint.is_closed() { Action::Close(id) } else { Action::EndSending(id) };
        self.act(action);
    }

    /// Sets the deadline that the state of `id` asks for.
    pub(super) fn refresh_deadline(&mut self, id: SessionId) {
        let endpoint = endpoint_mut(&mut self.endpoints, id);
        let due = endpoint.due(&self.limits);
        self.deadlines.replace(id, endpoint.deadline, due);
        endpoint.deadline = due;
    }

    /// Someone for whom something was to happen by now.
    pub(super) fn due(&self, now: Time) -> Option<SessionId> {
        self.deadlines.due(now)
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.next()
    }

    pub(super) fn buffered_bytes(&self) -> usize {
        self.output_bytes + self.held_input_bytes
    }
}

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
