//! The exchange: a complete chat server without sockets. Bytes go in, bytes come out.
//!
//! It joins framing, chat and outboxes, and applies backpressure (7.7, 7.9). The shell reports what
//! happened to a connection through the `handle_*` methods and performs what
//! [`Exchange::poll_action`] returns. It has no clock and no I/O, so a server with slow, dying and
//! hostile clients runs in a test, from a seed.

mod accounts;
mod answering;
mod broadcast;
mod broadcast_log;
mod browsers;
mod clocks;
mod closing;
mod draining;
mod endpoint;
mod endpoints;
mod following;
mod held_input;
mod history;
mod holds;
mod opening;
mod operator_actions;
mod relay;
mod resuming;
mod scarcity;
mod tap;
mod tapping;
#[cfg(test)]
mod tests;
mod timeouts;
mod trace;
mod tracing;
mod transport_table;
mod transports;
mod typing;

use core::net::SocketAddr;

use crate::core::accounts::AccountRequest;
use crate::core::chat::{Audience, BroadcastId, Chat, DisconnectReason, Event, Output};
use crate::core::framing::{Frame, Input};
use crate::core::limits::{Limits, REPLY_BYTES_PER_TURN};
use crate::core::time::Time;
use crate::core::transport::TransportError;
use crate::core::{Origin, SessionId};
use endpoint::Receiving;
use endpoints::Endpoints;
pub use holds::{Deadline, Hold};
pub use operator_actions::TrafficCounts;
pub(crate) use tap::Taken;
pub use trace::{Hop, HopTaken, Place, Trace};

/// The chat, and our end of every connection.
#[derive(Debug)]
pub struct Exchange {
    limits: Limits,
    chat: Chat,
    endpoints: Endpoints,
    /// Messages in rooms that the shell must store before it writes.
    records: Vec<u8>,
    /// How often received input has waited, by the number of the [`Hold`].
    holds: [u64; Hold::ALL.len()],
    /// Decoded bytes of the connection that is being read; empty between calls.
    decoded: Vec<u8>,
}

/// The application bytes that wait for one connection, in their parts. Tests and the simulation look
/// at them; a write joins the parts.
#[derive(Debug, Clone, Copy)]
pub struct Pending<'a> {
    /// The outbox: lines for this connection alone, and log lines that had to come before them.
    pub own: &'a [u8],
    /// The part of the outbox that waits behind an answer whose rows are not all made, as all that
    /// follows does. `None` if no answer is in progress.
    pub behind_answer: Option<&'a [u8]>,
    /// Lines missed after the outbox, which the reader will be told about (6.2.2).
    pub missed: u64,
    /// The unread part of the broadcast log.
    pub shared: &'a [u8],
}

/// A task for the shell. Actions come in the order in which their causes happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Output waits: write [`Exchange::output`], then call [`Exchange::handle_sent`].
    Write(SessionId),
    /// Everything is written: end the sending half (FIN).
    EndSending(SessionId),
    /// Both halves have ended, or the closing deadline passed: close the socket, then call
    /// [`Exchange::forget`].
    Close(SessionId),
    /// The transport is ready for a session. The shell admits the client's address, which is this one
    /// if the transport learned another than the socket's, and answers in the same turn with
    /// [`Exchange::begin_session`] or [`Exchange::reject`].
    Open(SessionId, Option<SocketAddr>),
    /// An event for the log.
    Report(Event),
    /// The peer broke the protocol of its transport; for the log.
    TransportFailed(SessionId, TransportError),
    /// Ask the store of accounts. The shell answers with [`Exchange::handle_account_answer`].
    AskAccounts(AccountRequest),
}

impl Exchange {
    /// An exchange without connections.
    #[must_use]
    pub fn new(limits: Limits) -> Exchange {
        Exchange {
            chat: Chat::new(limits.clone()),
            endpoints: Endpoints::new(limits.clone()),
            records: Vec::new(),
            decoded: Vec::new(),
            holds: [0; Hold::ALL.len()],
            limits,
        }
    }

    /// A client has connected over plain TCP, from no address that has limits. `id` must be free.
    pub fn handle_connect(&mut self, now: Time, id: SessionId) {
        self.handle_connect_from(now, id, Origin::NONE);
    }

    /// A client has connected over plain TCP. `id` must be free. The limits of part 7 that belong to
    /// an address apply to all sessions of one `origin` together.
    pub fn handle_connect_from(&mut self, now: Time, id: SessionId, origin: Origin) {
        self.endpoints.add(id);
        self.chat.handle_connect(now, id, origin, origin.is_loopback());
        self.deliver(now);
    }

    /// The socket delivered `bytes`. The shell calls this only while [`Exchange::wants_input`].
    pub fn handle_received(&mut self, now: Time, id: SessionId, bytes: &[u8]) {
        self.endpoints.note(id, Hop::Receive, bytes.len());
        match self.endpoints[id].is_encoded {
            true => self.receive_encoded(now, id, bytes),
            false => self.process_received(now, id, bytes),
        }
        self.endpoints.end_note();
    }

    /// Processes application bytes, and holds those that must wait.
    fn process_received(&mut self, now: Time, id: SessionId, mut bytes: &[u8]) {
        if self.endpoints[id].receiving != Receiving::Lines {
            return;
        }
        self.process_input(now, id, &mut bytes);
        if !bytes.is_empty() && self.endpoints[id].receiving == Receiving::Lines {
            self.count_hold(id);
            self.endpoints.hold_input(id, bytes);
        }
    }

    /// The client ended its half (FIN). Everything that it sent before is still answered (2.1.6).
    pub fn handle_end_of_input(&mut self, now: Time, id: SessionId) {
        match self.endpoints[id].receiving {
            // Cut, by the network or by an attacker. What came before is authentic, and the answers to it
            // are still written: some clients end their half without a close of the transport.
            Receiving::Lines if !self.endpoints.is_end_clean(id) => {
                self.end_session(now, id, DisconnectReason::Lost);
                self.endpoints.end_receiving(id);
            }
            Receiving::Lines => {
                self.endpoints[id].receiving = Receiving::LastLines;
                self.resume(now, id);
            }
            // Nobody waits for a session any more. What the transport has to say is still written.
            Receiving::Opening | Receiving::Admission => {
                self.endpoints.leave_opening(id);
                self.endpoints[id].receiving = Receiving::Ended;
                self.endpoints.hang_up(now, id);
            }
            Receiving::Discarding => self.endpoints.end_receiving(id),
            Receiving::LastLines | Receiving::Ended => {}
        }
    }

    /// The connection failed (reset, timeout): nothing can be read or written any more.
    pub fn handle_failure(&mut self, now: Time, id: SessionId) {
        self.end_session(now, id, DisconnectReason::Lost);
        self.endpoints.close(now, id);
    }

    /// The socket took `count` bytes of the output.
    pub fn handle_sent(&mut self, now: Time, id: SessionId, count: usize) {
        debug_assert!(self.records.is_empty(), "a message is stored before anybody can read it");
        let resumable = self.endpoints.take_output(now, id, count);
        self.queue_resumable(id, resumable);
        if self.chat.has_unread_requests() && self.endpoints[id].outbox.is_empty() {
            self.chat.handle_output_taken(id);
        }
        self.release_follower(now, id);
    }

    /// The socket, which was full, takes bytes again.
    pub fn handle_writable(&mut self, id: SessionId) {
        self.endpoints.write_rest(id);
    }

    /// The socket is full, and output waits.
    pub fn handle_blocked(&mut self, now: Time, id: SessionId) {
        self.endpoints.block(now, id);
    }

    /// The server stops: every session is told and ends (4.10.4).
    pub fn handle_stop(&mut self, now: Time) {
        self.chat.handle_stop(now);
        self.deliver(now);
    }

    /// The socket is closed; its id is free for another connection.
    pub fn forget(&mut self, id: SessionId) {
        self.endpoints.remove(id);
        if self.chat.has_session(id) {
            self.chat.forget(id);
        }
    }

    /// Whether the shell may read that socket now. If not, [`Exchange::poll_resume`] returns the session
    /// later.
    #[must_use]
    pub fn wants_input(&self, id: SessionId) -> bool {
        // Bytes that are held already come first, so nothing more is read until they are processed.
        let endpoint = &self.endpoints[id];
        match endpoint.receiving {
            Receiving::Lines => endpoint.held_input.is_none() && self.may_process_input(id),
            Receiving::Opening => endpoint.held_input.is_none(),
            Receiving::Discarding => true,
            Receiving::Admission | Receiving::LastLines | Receiving::Ended => false,
        }
    }

    /// The next bytes to write to that socket.
    #[must_use]
    pub fn output(&self, id: SessionId) -> &[u8] {
        self.endpoints.output(id)
    }

    /// All application bytes that wait for that connection.
    #[must_use]
    pub fn pending(&self, id: SessionId) -> Pending<'_> {
        self.endpoints.pending(id)
    }

    /// The next task for the shell; `None` when the turn is done.
    pub fn poll_action(&mut self) -> Option<Action> {
        if let Some(request) = self.chat.poll_account_request() {
            return Some(Action::AskAccounts(request));
        }
        let mut action = self.endpoints.poll_action();
        while action.as_ref().is_some_and(|action| !self.is_current(action)) {
            action = self.endpoints.poll_action();
        }
        if let Some(Action::Write(id)) = action {
            self.encode_output(id);
        }
        action
    }

    /// Whether `id` is of a connection that was not forgotten.
    #[must_use]
    pub fn has_connection(&self, id: SessionId) -> bool {
        self.endpoints.contains(id)
    }

    /// The chat, read-only.
    #[must_use]
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// Passes the lines in `bytes` to the chat as far as the rule allows. The rest stays in `bytes`.
    fn process_input(&mut self, now: Time, id: SessionId, bytes: &mut &[u8]) {
        let before = self.outbox_bytes(id);
        // While memory is scarce, a client gets one answer in a turn, and then has to read it.
        let replies_max = if self.endpoints.is_scarce { 0 } else { REPLY_BYTES_PER_TURN };
        while self.may_process_input(id) {
            let unread = *bytes;
            let frame = self.next_frame(id, bytes);
            self.tap(id, &unread[..unread.len() - bytes.len()], frame.as_ref());
            let Some(frame) = frame else { return };
            let drains = self.endpoints.drains.len();
            self.handle_frame(now, id, frame);
            // Whoever ends a chat goes on after the drain: a question to the old partner must not come
            // before the news of the partner's lost lines.
            let ended_chat = self.endpoints.drains.len() > drains;
            if ended_chat || self.outbox_bytes(id) > before + replies_max {
                return self.endpoints.queue_resume(id);
            }
        }
    }

    /// The next frame that the chat must see. Messages between chat partners go straight to the
    /// partner's outbox instead: asking the chat for the receiver of every single message would cost
    /// a third of the messages per second (`cargo bench --bench core` measures it).
    fn next_frame<'i>(&mut self, id: SessionId, bytes: &mut &'i [u8]) -> Option<Frame<'i>> {
        let Some(route) = self.chat.route(id) else {
            let (endpoint, pool) = self.endpoints.with_pool(id);
            return endpoint.reader.next(pool, bytes);
        };
        self.endpoints.note(id, Hop::Route, 1);
        self.endpoints.relay(id, route, bytes)
    }

    /// Handles one frame and returns its buffer to the pool.
    fn handle_frame(&mut self, now: Time, id: SessionId, mut frame: Frame<'_>) {
        let is_password = self.chat.is_giving_password(id);
        match &frame {
            Frame::Line(_) | Frame::Assembled(_) => {
                self.endpoints.traffic.lines_in += 1;
                self.endpoints.note(id, Hop::Line, 1);
                self.endpoints.note(id, Hop::Input, 1);
                self.pass_to_chat(now, id, frame.text().map_or(Input::NotUtf8, Input::Line));
            }
            Frame::Input(input) => {
                if *input == Input::HttpRequest {
                    self.endpoints.answer_as_http(id);
                }
                self.pass_to_chat(now, id, *input);
            }
            // A telnet option is refused at once; the chat never hears of it.
            Frame::Reply(refusal) => self.endpoints.refuse_option(id, *refusal),
        }
        if is_password {
            frame.wipe();
        }
        self.endpoints.recycle(frame);
    }

    /// Passes one input to the chat and delivers the lines that follow from it.
    fn pass_to_chat(&mut self, now: Time, id: SessionId, input: Input<'_>) {
        if let Some(relay) = self.chat.handle_input(now, id, input) {
            self.endpoints.say(relay.to, relay.parts());
            if !self.endpoints.has_overrun() {
                return;
            }
        }
        self.deliver(now);
    }

    /// Carries out everything that the chat wants done.
    fn deliver(&mut self, now: Time) {
        let mut answered = None;
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
                    Output::BeginAnswer { to } => {
                        self.endpoints.begin_answer(to);
                        answered = Some(to);
                    }
                    Output::Subscribe { who, to } => self.endpoints.set_subscription(who, to),
                    Output::Record { record } => self.records.extend_from_slice(record),
                    Output::HangUp { whom } => self.endpoints.hang_up(now, whom),
                    Output::Pause { whom, until, pace } => self.endpoints.pause(whom, until, pace),
                    Output::HideTyping { whom, hide } => self.endpoints.hide_typing(whom, hide),
                    Output::Report(event) => self.handle_event(now, event),
                }
            }
            if let Some(id) = answered.take() {
                self.continue_answer(id);
            }
            // The chat takes new input only after all its outputs were taken.
            if let Some(id) = self.endpoints.poll_overrun() {
                self.chat.handle_disconnect(now, id, DisconnectReason::Overrun);
            } else {
                return self.chat.note_list_changes(now);
            }
        }
    }

    /// Passes an event on to the log, and does what follows from it for a connection.
    fn handle_event(&mut self, now: Time, event: Event) {
        self.endpoints.report(event);
        match event {
            // The end of a chat is the one event that changes the fate of input: held lines were meant
            // for the partner and must not become menu choices (4.1.5).
            Event::Parted { by, from } => {
                self.endpoints.restart_stall_clock(now, from);
                self.endpoints.begin_drain(from);
                self.endpoints.queue_resume(by);
            }
            Event::Left { who, why } => self.endpoints.tell_session_end(who, why),
            _ => {}
        }
    }
}
