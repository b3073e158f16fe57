//! The exchange as the shell sees it: each call that changes it is noted while somebody records.
//!
//! Calls that only read reach the [`Exchange`] by itself; each that changes it has a method here with
//! the same name. So a call that nobody notes does not build. Without a recorder each costs one branch.
//! The three calls about tracing are not noted, because the chat does not depend on them.

use std::ops::Deref;

use super::call::Call;
use super::checksum;
use super::recorder::Recorder;
use super::transport::NotedTransport;
use crate::core::exchange::{Action, Exchange, Hop};
use crate::core::limits::Limits;
use crate::core::time::Time;
use crate::core::transport::Transport;
use crate::core::{Origin, SessionId};

/// An exchange, and perhaps a recorder of its calls.
#[derive(Debug)]
pub struct Recorded {
    exchange: Exchange,
    recorder: Option<Box<Recorder>>,
}

impl Deref for Recorded {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        &self.exchange
    }
}

impl Recorded {
    /// An exchange without connections, whose calls nobody notes.
    #[must_use]
    pub fn new(limits: Limits) -> Recorded {
        Recorded { exchange: Exchange::new(limits), recorder: None }
    }

    /// Notes every call from now on. No call may have come before. `key` is random: it makes the
    /// stand-ins of passwords, and is kept nowhere else.
    pub fn start_recorder(&mut self, recorder: Recorder, key: [u8; 32]) {
        self.exchange.start_tap(key);
        self.recorder = Some(Box::new(recorder));
    }

    /// The lines of the recording since the last call; empty without a recorder. After a panic they
    /// have everything up to the call that did not return.
    pub fn take_recording(&mut self) -> Vec<u8> {
        self.note_rest();
        self.recorder.as_mut().map(|recorder| recorder.take_lines()).unwrap_or_default()
    }

    /// Whether the recording has ended because it is full.
    #[must_use]
    pub fn is_recording_full(&self) -> bool {
        self.recorder.as_ref().is_some_and(|recorder| recorder.is_full())
    }

    /// Notes no more.
    pub fn end_recorder(&mut self) {
        self.recorder = None;
        self.exchange.end_tap();
    }

    /// Makes a call, and notes it before: if it panics, it is in the recording.
    #[inline]
    pub(super) fn pass<R>(
        &mut self,
        now: Option<Time>,
        call: impl FnOnce(&mut Recorder, &Exchange) -> Call,
        then: impl FnOnce(&mut Exchange) -> R,
    ) -> R {
        let Some(recorder) = &mut self.recorder else { return then(&mut self.exchange) };
        let call = call(recorder, &self.exchange);
        let id = call.id();
        recorder.note_call(now, call);
        let result = then(&mut self.exchange);
        self.note_rest();
        if let (Some(recorder), Some(id)) = (&mut self.recorder, id) {
            recorder.note_left(id);
        }
        result
    }

    /// Notes what followed from the last call.
    fn note_rest(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.note_transports();
            recorder.note_taken(self.exchange.drain_tap());
        }
    }

    /// [`Exchange::handle_connect_from`].
    #[inline]
    pub fn handle_connect_from(&mut self, now: Time, id: SessionId, origin: Origin) {
        self.pass(
            Some(now),
            |recorder, _| Call::Connect(id, recorder.made_up(origin)),
            |exchange| exchange.handle_connect_from(now, id, origin),
        );
    }

    /// [`Exchange::handle_connect_through_from`].
    pub fn handle_connect_through_from(
        &mut self,
        now: Time,
        id: SessionId,
        origin: Origin,
        transport: Box<dyn Transport>,
    ) {
        let transport: Box<dyn Transport> = match &self.recorder {
            None => transport,
            Some(recorder) => Box::new(NotedTransport::new(id, transport, &recorder.transports)),
        };
        self.pass(
            Some(now),
            |recorder, _| Call::ConnectThrough(id, recorder.made_up(origin)),
            |exchange| exchange.handle_connect_through_from(now, id, origin, transport),
        );
    }

    /// [`Exchange::begin_session`].
    pub fn begin_session(&mut self, now: Time, id: SessionId, origin: Origin) {
        self.pass(
            Some(now),
            |recorder, _| Call::BeginSession(id, recorder.made_up(origin)),
            |exchange| exchange.begin_session(now, id, origin),
        );
    }

    /// [`Exchange::reject`].
    pub fn reject(&mut self, now: Time, id: SessionId, line: &str) {
        self.pass(
            Some(now),
            |_, _| Call::Reject(id, line.to_owned()),
            |exchange| exchange.reject(now, id, line),
        );
    }

    /// [`Exchange::handle_received`].
    #[inline]
    pub fn handle_received(&mut self, now: Time, id: SessionId, bytes: &[u8]) {
        self.pass(
            Some(now),
            |recorder, exchange| {
                recorder.note_chunk(id, if exchange.is_encoded(id) { 0 } else { bytes.len() });
                Call::Received(id)
            },
            |exchange| exchange.handle_received(now, id, bytes),
        );
    }

    /// [`Exchange::handle_stale_input`].
    pub fn handle_stale_input(&mut self, now: Time, id: SessionId, bytes: &[u8]) {
        self.pass(
            Some(now),
            |recorder, exchange| {
                recorder
                    .note_stale_chunk(id, if exchange.is_encoded(id) { 0 } else { bytes.len() });
                Call::StaleInput(id)
            },
            |exchange| exchange.handle_stale_input(now, id, bytes),
        );
    }

    /// [`Exchange::handle_end_of_input`].
    pub fn handle_end_of_input(&mut self, now: Time, id: SessionId) {
        self.of_one(now, Call::EndOfInput, id, Exchange::handle_end_of_input);
    }

    /// [`Exchange::handle_failure`].
    pub fn handle_failure(&mut self, now: Time, id: SessionId) {
        self.of_one(now, Call::Failure, id, Exchange::handle_failure);
    }

    /// [`Exchange::handle_sent`].
    #[inline]
    pub fn handle_sent(&mut self, now: Time, id: SessionId, count: usize) {
        self.pass(
            Some(now),
            |_, exchange| {
                let is_plain = !exchange.is_encoded(id);
                let sent = exchange.output(id).get(..count).filter(|_| is_plain);
                Call::Sent(id, count, sent.map(checksum))
            },
            |exchange| exchange.handle_sent(now, id, count),
        );
    }

    /// [`Exchange::handle_writable`].
    #[inline]
    pub fn handle_writable(&mut self, id: SessionId) {
        self.pass(None, |_, _| Call::Writable(id), |exchange| exchange.handle_writable(id));
    }

    /// [`Exchange::handle_blocked`].
    pub fn handle_blocked(&mut self, now: Time, id: SessionId) {
        self.of_one(now, Call::Blocked, id, Exchange::handle_blocked);
    }

    /// [`Exchange::forget`].
    pub fn forget(&mut self, id: SessionId) {
        self.pass(None, |_, _| Call::Forget(id), |exchange| exchange.forget(id));
        if let Some(recorder) = &mut self.recorder {
            recorder.forget(id);
        }
    }

    /// [`Exchange::resume`].
    #[inline]
    pub fn resume(&mut self, now: Time, id: SessionId) {
        self.of_one(now, Call::Resume, id, Exchange::resume);
    }

    /// [`Exchange::finish_drain`].
    pub fn finish_drain(&mut self, now: Time, id: SessionId) {
        self.of_one(now, Call::FinishDrain, id, Exchange::finish_drain);
    }

    /// [`Exchange::count_hold`].
    #[inline]
    pub fn count_hold(&mut self, id: SessionId) {
        self.pass(None, |_, _| Call::CountHold(id), |exchange| exchange.count_hold(id));
    }

    #[inline]
    fn of_one(
        &mut self,
        now: Time,
        call: impl FnOnce(SessionId) -> Call,
        id: SessionId,
        then: impl FnOnce(&mut Exchange, Time, SessionId),
    ) {
        self.pass(Some(now), |_, _| call(id), |exchange| then(exchange, now, id));
    }

    /// [`Exchange::poll_action`].
    #[inline]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.pass(None, |_, _| Call::PollAction, Exchange::poll_action)
    }

    /// [`Exchange::poll_action_at_once`].
    pub fn poll_action_at_once(&mut self, now: Time) -> Option<Action> {
        while let Some(id) = self.poll_drain() {
            self.finish_drain(now, id);
        }
        while let Some(id) = self.poll_resume() {
            self.resume(now, id);
        }
        self.poll_action()
    }

    /// [`Exchange::poll_resume`].
    #[inline]
    pub fn poll_resume(&mut self) -> Option<SessionId> {
        self.pass(None, |_, _| Call::PollResume, Exchange::poll_resume)
    }

    /// [`Exchange::handle_timeout`].
    #[inline]
    pub fn handle_timeout(&mut self, now: Time) {
        self.pass(Some(now), |_, _| Call::Timeout, |exchange| exchange.handle_timeout(now));
    }

    /// [`Exchange::postpone_fan_out`].
    pub fn postpone_fan_out(&mut self) {
        self.pass(None, |_, _| Call::PostponeFanOut, Exchange::postpone_fan_out);
    }

    /// [`Exchange::clear_records`].
    #[inline]
    pub fn clear_records(&mut self) {
        self.pass(None, |_, _| Call::ClearRecords, Exchange::clear_records);
    }

    /// [`Exchange::begin_trace`].
    pub fn begin_trace(&mut self, id: Option<SessionId>) {
        self.exchange.begin_trace(id);
    }

    /// [`Exchange::trace_read`].
    #[inline]
    pub fn trace_read(&mut self, id: SessionId, events: usize, bytes: usize) {
        self.exchange.trace_read(id, events, bytes);
    }

    /// [`Exchange::trace_output`].
    #[inline]
    pub fn trace_output(&mut self, hop: Hop, to: Option<SessionId>, bytes: usize) {
        self.exchange.trace_output(hop, to, bytes);
    }
}
