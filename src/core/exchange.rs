//! Bytes in, bytes out: joins the framing, the chat and the outboxes of all connections, and holds
//! the rule of backpressure (5.10, 5.11). Everything a server is, but for the sockets.
//!
//! The shell tells what happened to a connection through the `handle_*` methods and then does what
//! [`Exchange::poll_action`] says. Like the chat, this is a state machine without a clock or I/O; a
//! whole server with slow, dying and hostile clients runs in a test, from a seed.
//!
//! The rule: *nobody is read who has answers of their own to read first, or whose partner has.*
//! It is looked up each time from the state it speaks of, never stored, so it cannot be left
//! behind.

mod broadcast;
mod broadcast_log;
mod endpoint;
mod endpoints;
mod held_input;
mod history;
mod operator_actions;
#[cfg(test)]
mod tests;

use crate::core::SessionId;
use crate::core::buffers::Buffer;
use crate::core::chat::{Audience, BroadcastId, Chat, DisconnectReason, Event, Output};
use crate::core::framing::{Frame, Input};
use crate::core::limits::{Limits, REPLIES_BYTES_MAX, STALL_NOTICE_MS};
use crate::core::time::Time;
use endpoint::{Receiving, Sending};
use endpoints::Endpoints;
use held_input::Discarded;
pub use operator_actions::TrafficCounts;

/// The chat, and both ends of every connection to it.
#[derive(Debug)]
pub struct Exchange {
    limits: Limits,
    chat: Chat,
    endpoints: Endpoints,
    /// Sessions whose input may be held no longer.
    to_resume: Vec<SessionId>,
    /// Sessions whose chat ended with lines of theirs unsent, and how many.
    undelivered: Vec<(SessionId, usize)>,
    /// Sessions that had said, behind those lines, that no more would come.
    ended: Vec<SessionId>,
    /// What was said in rooms and is to be written down.
    records: Vec<u8>,
}

/// What waits for a connection, for whoever looks in from outside: the parts come to be one when they
/// are written.
#[derive(Debug, Clone, Copy)]
pub struct Pending<'a> {
    /// Said to this one alone, or moved here since something of that kind was to follow.
    pub own: &'a [u8],
    /// Lines that were passed over behind that, of which it will be told (6.9).
    pub missed: u64,
    /// The rest of the log it is cursor in to.
    pub shared: &'a [u8],
}

/// What the shell is to do, in the order it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// There is output: write [`Exchange::output`], tell [`Exchange::handle_sent`].
    Write(SessionId),
    /// Input is wanted again: read if the socket was found readable when it was not.
    Resume(SessionId),
    /// All has been sent: end the sending half of the connection (FIN).
    EndSending(SessionId),
    /// Both halves have ended, or time is up: close the socket, then [`Exchange::forget`].
    Close(SessionId),
    /// For the log.
    Report(Event),
}

impl Exchange {
    /// An exchange without connections.
    #[must_use]
    pub fn new(limits: Limits) -> Exchange {
        Exchange {
            chat: Chat::new(limits.clone()),
            endpoints: Endpoints::new(limits.clone()),
            to_resume: Vec::new(),
            undelivered: Vec::new(),
            ended: Vec::new(),
            records: Vec::new(),
            limits,
        }
    }

    /// Somebody has connected.
    pub fn handle_connect(&mut self, now: Time, id: SessionId) {
        self.endpoints.add(id);
        self.chat.handle_connect(now, id);
        self.deliver(now);
    }

    /// These bytes came; to be called only while [`Exchange::wants_input`].
    pub fn handle_received(&mut self, now: Time, id: SessionId, mut bytes: &[u8]) {
        if self.endpoints[id].receiving != Receiving::Lines {
            return;
        }
        self.process_input(now, id, &mut bytes);
        if !bytes.is_empty() && self.endpoints[id].receiving == Receiving::Lines {
            self.endpoints.hold_input(id, bytes);
        }
        self.resume_all(now);
    }

    /// The client has ended its half; what it had sent is still answered (1.6).
    pub fn handle_end_of_input(&mut self, now: Time, id: SessionId) {
        match self.endpoints[id].receiving {
            Receiving::Lines => {
                self.endpoints[id].receiving = Receiving::LastLines;
                self.to_resume.push(id);
                self.resume_all(now);
            }
            Receiving::Discarding => self.endpoints.end_receiving(id),
            Receiving::LastLines | Receiving::Ended => {}
        }
    }

    /// The connection has failed: nothing can be read or written any more.
    pub fn handle_failure(&mut self, now: Time, id: SessionId) {
        self.chat.handle_disconnect(now, id, DisconnectReason::Lost);
        self.deliver(now);
        self.endpoints.close(now, id);
        self.resume_all(now);
    }

    /// The socket took so many bytes of the output.
    pub fn handle_sent(&mut self, now: Time, id: SessionId, count: usize) {
        debug_assert!(self.records.is_empty(), "what was said is written down before it is read");
        let relief = self.endpoints.take_output(now, id, count);
        if relief.of_own_input {
            self.to_resume.push(id);
        }
        if relief.of_partner {
            self.to_resume.extend(self.chat.partner(id));
        }
        if !self.to_resume.is_empty() {
            self.resume_all(now);
        }
    }

    /// The socket takes bytes again.
    pub fn handle_writable(&mut self, id: SessionId) {
        self.endpoints.write_rest(id);
    }

    /// The socket takes no more at the moment, and output waits.
    pub fn handle_blocked(&mut self, now: Time, id: SessionId) {
        self.endpoints.block(now, id);
    }

    /// It is `now`: whatever was to happen by then happens.
    pub fn handle_timeout(&mut self, now: Time) {
        self.chat.handle_timeout(now);
        self.deliver(now);
        while let Some(id) = self.endpoints.due(now) {
            self.endpoint_due(now, id);
        }
        self.resume_all(now);
    }

    /// The server stops: everyone is told, and every connection is to be closed (3.9.3).
    pub fn handle_stop(&mut self, now: Time) {
        self.chat.handle_stop(now);
        self.deliver(now);
    }

    /// The connection is closed; its id is free.
    pub fn forget(&mut self, id: SessionId) {
        self.endpoints.remove(id);
        self.chat.forget(id);
    }

    /// Whether bytes of that connection are wanted now; if not, [`Action::Resume`] will say when.
    #[must_use]
    pub fn wants_input(&self, id: SessionId) -> bool {
        let endpoint = &self.endpoints[id];
        match endpoint.receiving {
            Receiving::Lines => endpoint.held_input.is_none() && self.may_process_input(id),
            Receiving::Discarding => true,
            Receiving::LastLines | Receiving::Ended => false,
        }
    }

    /// What waits to be written to that connection.
    #[must_use]
    pub fn output(&self, id: SessionId) -> &[u8] {
        self.endpoints.output(id)
    }

    /// All that waits to be written to that connection, in its parts and their order.
    #[must_use]
    pub fn pending(&self, id: SessionId) -> Pending<'_> {
        self.endpoints.pending(id)
    }

    /// The next thing to do; `None` when there is none.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.endpoints.poll_action()
    }

    /// When [`Exchange::handle_timeout`] is to be called, unless something happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.chat.poll_timeout().into_iter().chain(self.endpoints.next_deadline()).min()
    }

    /// The chat, to look at.
    #[must_use]
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// Bytes in the outboxes and held_input buffers of all connections.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.endpoints.buffered_bytes()
    }

    /// The rule of backpressure.
    fn may_process_input(&self, id: SessionId) -> bool {
        let endpoint = &self.endpoints[id];
        endpoint.held_until.is_none()
            && endpoint.outbox.len() <= REPLIES_BYTES_MAX
            && self.chat.partner(id).is_none_or(|with| !self.endpoints[with].outbox.is_congested())
    }

    /// Hands the lines in `bytes` to the chat, as far as the rule allows; what is left is left.
    fn process_input(&mut self, now: Time, id: SessionId, bytes: &mut &[u8]) {
        while self.may_process_input(id) {
            let receiving = self.endpoints[id].receiving;
            if !matches!(receiving, Receiving::Lines | Receiving::LastLines) {
                return;
            }
            let Some(frame) = self.next_frame(id, bytes) else { return };
            self.handle_frame(now, id, frame);
        }
    }

    /// The next frame that is for the chat. While a session is chatting, what it says goes through
    /// the route to its partner on the way: asking the chat where to for each line would cost a
    /// third of the lines a second (leave the route out, and `cargo bench --bench core` shows it).
    fn next_frame<'i>(&mut self, id: SessionId, bytes: &mut &'i [u8]) -> Option<Frame<'i>> {
        let Some(route) = self.chat.route(id) else {
            let (endpoint, pool) = self.endpoints.with_pool(id);
            return endpoint.reader.next(pool, bytes);
        };
        self.endpoints.relay(id, route, bytes)
    }

    fn handle_frame(&mut self, now: Time, id: SessionId, frame: Frame<'_>) {
        match &frame {
            Frame::Line(_) | Frame::Assembled(_) => {
                self.endpoints.traffic.lines_in += 1;
                self.pass_to_chat(now, id, frame.text().map_or(Input::NotUtf8, Input::Line));
            }
            Frame::Input(input) => self.pass_to_chat(now, id, *input),
            Frame::Reply(refusal) => self.endpoints.say(id, [refusal]),
        }
        self.endpoints.recycle(frame);
    }

    /// Tells the chat what a session sent, and delivers what comes of it.
    fn pass_to_chat(&mut self, now: Time, id: SessionId, input: Input<'_>) {
        if let Some(relay) = self.chat.handle_input(now, id, input) {
            self.endpoints.say(relay.to, relay.parts());
            if !self.endpoints.has_overrun() {
                return;
            }
        }
        self.deliver(now);
    }

    /// Puts what the chat says where it belongs.
    fn deliver(&mut self, now: Time) {
        loop {
            while let Some(output) = self.chat.poll_output() {
                match output {
                    Output::Say { to, line } => self.endpoints.say(to, [line]),
                    Output::Publish { room, audience, line } => {
                        self.endpoints.publish(BroadcastId::of(room, false), line);
                        if audience == Audience::Everybody {
                            self.endpoints.publish(BroadcastId::of(room, true), line);
                        }
                    }
                    Output::Subscribe { who, to } => self.endpoints.set_subscription(who, to),
                    Output::Record { record } => self.records.extend_from_slice(record),
                    Output::HangUp { whom } => self.endpoints.hang_up(now, whom),
                    Output::Pause { whom, until } => self.endpoints.pause(whom, until),
                    Output::Report(event) => {
                        self.endpoints.report(event);
                        if let Event::Parted { by, from } = event {
                            self.endpoints.restart_stall_clock(now, from);
                            let discarded = self.endpoints.discard_held_input(from);
                            let Discarded { lines, end_said } = discarded;
                            self.undelivered.extend((lines > 0).then_some((from, lines)));
                            self.ended.extend(end_said.then_some(from));
                            self.to_resume.extend([by, from]);
                        }
                    }
                }
            }
            // Only now may the chat be told something again.
            if let Some(id) = self.endpoints.poll_overrun() {
                self.chat.handle_disconnect(now, id, DisconnectReason::Overrun);
            } else if let Some((id, lines)) = self.undelivered.pop() {
                self.chat.handle_undelivered(id, lines);
            } else if let Some(id) = self.ended.pop() {
                self.chat.handle_disconnect(now, id, DisconnectReason::HungUp);
            } else {
                return;
            }
        }
    }

    fn resume_all(&mut self, now: Time) {
        while let Some(id) = self.to_resume.pop() {
            if self.endpoints.contains(id) {
                self.resume(now, id);
            }
        }
    }

    /// Hands on what was held, if it is held no longer.
    fn resume(&mut self, now: Time, id: SessionId) {
        if let Some(held_input) = self.endpoints[id].held_input.take() {
            self.process_held_input(now, id, held_input);
        }
        let endpoint = &self.endpoints[id];
        if endpoint.receiving == Receiving::LastLines
            && endpoint.held_input.is_none()
            && self.may_process_input(id)
        {
            self.finish(now, id);
        }
        if self.wants_input(id) {
            self.endpoints.act(Action::Resume(id));
        }
    }

    fn process_held_input(&mut self, now: Time, id: SessionId, mut held_input: Box<Buffer>) {
        let mut rest = held_input.as_slice();
        self.process_input(now, id, &mut rest);
        let handed_on = held_input.len() - rest.len();
        held_input.take(handed_on);
        self.endpoints.put_back_held_input(id, held_input, handed_on);
    }

    /// All lines have been handed on, and no more will come.
    fn finish(&mut self, now: Time, id: SessionId) {
        self.endpoints[id].receiving = Receiving::Ended;
        let (endpoint, pool) = self.endpoints.with_pool(id);
        if let Some(frame) = endpoint.reader.finish(pool) {
            self.handle_frame(now, id, frame);
        }
        self.chat.handle_disconnect(now, id, DisconnectReason::HungUp);
        self.deliver(now);
    }

    fn endpoint_due(&mut self, now: Time, id: SessionId) {
        let endpoint = &mut self.endpoints[id];
        if endpoint.held_until.is_some_and(|until| until <= now) {
            endpoint.held_until = None;
            self.to_resume.push(id);
        }
        match &mut endpoint.sending {
            Sending::Finishing { until } | Sending::Ended { until } => {
                if *until <= now {
                    self.endpoints.close(now, id);
                }
            }
            Sending::Open { blocked: Some(blocked) } => {
                let quiet_ms = now.ms_since(blocked.since);
                if quiet_ms >= self.limits.stall_ms {
                    self.chat.handle_disconnect(now, id, DisconnectReason::Stalled);
                } else if quiet_ms >= STALL_NOTICE_MS && !blocked.told {
                    blocked.told = true;
                    self.chat.handle_stall(id);
                }
                self.deliver(now);
            }
            Sending::Open { blocked: None } => {}
        }
        self.endpoints.refresh_deadline(id);
    }
}
