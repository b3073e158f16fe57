//! What a transport answered, instead of what it is.
//!
//! TLS has keys and random numbers, which must be in no recording. So a recording keeps the answers of
//! each transport to the exchange, and a replay gives the same answers. The application bytes are noted
//! where all others are, when the framing takes them.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use serde_json::Value;

use super::Output;
use super::call::size;
use crate::core::SessionId;
use crate::core::time::Time;
use crate::core::transport::{Opening, Received, SessionEnd, Transport, TransportError};

/// The answer to one call that changes a transport, and what the transport says of itself then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TransportEvent {
    answer: Answer,
    state: State,
}

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// To a call without an answer, and to the beginning.
    Done,
    /// `send`.
    Took(usize),
    /// `receive` and `handle_timeout`.
    Received(Received),
    /// The same: the peer broke the protocol, or was too slow.
    Failed,
}

/// What a transport says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    opening: Opening,
    is_handshaking: bool,
    is_transparent: bool,
    is_private: bool,
    hides_passwords: bool,
    is_end_clean: bool,
    deadline: Option<Time>,
    output_bytes: usize,
}

/// The log that all transports of one recorder write to: who, what, and how many application bytes came.
pub(super) type TransportLog = Rc<TransportEvents>;

type TransportEvents = RefCell<Vec<(SessionId, TransportEvent, usize)>>;

/// Bytes of encoded output that a replay believes. No transport of ours buffers as much.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// The address that stands for one that a proxy told.
const LEARNED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// A transport whose answers are noted.
#[derive(Debug)]
pub(super) struct NotedTransport {
    id: SessionId,
    inner: Box<dyn Transport>,
    /// Gone with the recorder: the connection may outlive it.
    log: Weak<TransportEvents>,
}

/// The answers of a transport that was noted.
#[derive(Debug)]
pub(super) struct ReplayedTransport {
    id: SessionId,
    answers: VecDeque<TransportEvent>,
    state: State,
    pipe: Pipe,
}

/// What a replay and all its transports share.
#[derive(Debug, Clone)]
pub(super) struct Pipe {
    /// The application bytes that the next `receive` yields.
    pub(super) chunk: Rc<RefCell<Vec<u8>>>,
    /// What the exchange has sent.
    pub(super) sent: Rc<RefCell<Vec<Output>>>,
    zeros: Rc<[u8]>,
}

impl Default for Pipe {
    fn default() -> Self {
        let zeros = vec![0; OUTPUT_BYTES_MAX].into();
        Pipe { chunk: Rc::default(), sent: Rc::default(), zeros }
    }
}

/// One of the flags.
type Flag = fn(&mut State) -> &mut bool;

/// The letter of each flag in a line.
const FLAGS: [(char, Flag); 5] = [
    ('h', |state| &mut state.is_handshaking),
    ('t', |state| &mut state.is_transparent),
    ('p', |state| &mut state.is_private),
    ('w', |state| &mut state.hides_passwords),
    ('c', |state| &mut state.is_end_clean),
];

impl State {
    fn of(transport: &dyn Transport) -> State {
        State {
            opening: match transport.opening() {
                Opening::Ready(Some(_)) => Opening::Ready(Some(LEARNED)),
                opening => opening,
            },
            is_handshaking: transport.is_handshaking(),
            is_transparent: transport.is_transparent(),
            is_private: transport.is_private(),
            hides_passwords: transport.hides_passwords(),
            is_end_clean: transport.is_end_clean(),
            deadline: transport.deadline(),
            output_bytes: transport.output().len(),
        }
    }

    fn flags(mut self) -> String {
        let opening = match self.opening {
            Opening::Pending => None,
            Opening::Ready(None) => Some('r'),
            Opening::Ready(Some(_)) => Some('l'),
        };
        let set = FLAGS.iter().filter(|(_, flag)| *flag(&mut self)).map(|(letter, _)| *letter);
        opening.into_iter().chain(set).collect()
    }
}

impl TransportEvent {
    /// The answer, the bytes of output, the flags, and the deadline if there is one.
    pub(super) fn to_json(&self) -> Vec<Value> {
        let answer = match self.answer {
            Answer::Done => "done".into(),
            Answer::Took(count) => count.into(),
            Answer::Received(Received::Data) => "data".into(),
            Answer::Received(Received::EndOfInput) => "end".into(),
            Answer::Failed => "failed".into(),
        };
        let mut values = vec![answer, self.state.output_bytes.into(), self.state.flags().into()];
        values.extend(self.state.deadline.map(|at| at.ms_since(Time::START).into()));
        values
    }

    /// The event that [`Self::to_json`] has written.
    pub(super) fn from_json(values: &[Value]) -> Option<TransportEvent> {
        let (answer, output, flags, deadline) = match values {
            [answer, output, flags] => (answer, output, flags, None),
            [answer, output, flags, deadline] => (answer, output, flags, Some(deadline.as_u64()?)),
            _ => return None,
        };
        let answer = match (answer.as_u64(), answer.as_str()) {
            (Some(_), _) => Answer::Took(size(answer)?),
            (_, Some("done")) => Answer::Done,
            (_, Some("data")) => Answer::Received(Received::Data),
            (_, Some("end")) => Answer::Received(Received::EndOfInput),
            (_, Some("failed")) => Answer::Failed,
            _ => return None,
        };
        let flags = flags.as_str()?;
        let mut state = State {
            opening: match flags.chars().next() {
                Some('r') => Opening::Ready(None),
                Some('l') => Opening::Ready(Some(LEARNED)),
                _ => Opening::Pending,
            },
            is_handshaking: false,
            is_transparent: false,
            is_private: false,
            hides_passwords: false,
            is_end_clean: false,
            deadline: deadline.map(|ms| Time::START.after_ms(ms)),
            output_bytes: size(output).filter(|&bytes| bytes <= OUTPUT_BYTES_MAX)?,
        };
        for (letter, flag) in FLAGS {
            *flag(&mut state) = flags.contains(letter);
        }
        Some(TransportEvent { answer, state })
    }

    /// The peer has closed the transport.
    pub(super) fn is_end(&self) -> bool {
        self.answer == Answer::Received(Received::EndOfInput)
    }
}

impl NotedTransport {
    /// Notes the answers of `inner` in `log`, the first of them at once.
    pub(super) fn new(id: SessionId, inner: Box<dyn Transport>, log: &TransportLog) -> Self {
        let noted = NotedTransport { id, inner, log: Rc::downgrade(log) };
        noted.note(Answer::Done);
        noted
    }

    fn note(&self, answer: Answer) {
        self.note_decoded(answer, 0);
    }

    fn note_decoded(&self, answer: Answer, count: usize) {
        if let Some(log) = self.log.upgrade() {
            let state = State::of(&*self.inner);
            log.borrow_mut().push((self.id, TransportEvent { answer, state }, count));
        }
    }
}

impl Transport for NotedTransport {
    fn receive(
        &mut self,
        now: Time,
        bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        let before = input.len();
        let received = self.inner.receive(now, bytes, input);
        let count = input.len() - before;
        match received {
            // The exchange adds two bytes for the end.
            Ok(Received::EndOfInput) => {
                self.note_decoded(Answer::Received(Received::EndOfInput), count + 2);
            }
            Ok(Received::Data) => self.note_decoded(Answer::Received(Received::Data), count),
            Err(_) => self.note_decoded(Answer::Failed, count),
        }
        received
    }

    fn send(&mut self, data: &[u8]) -> usize {
        let count = self.inner.send(data);
        self.note(Answer::Took(count));
        count
    }

    fn output(&self) -> &[u8] {
        self.inner.output()
    }

    fn handle_sent(&mut self, count: usize) {
        self.inner.handle_sent(count);
        self.note(Answer::Done);
    }

    fn close(&mut self) {
        self.inner.close();
        self.note(Answer::Done);
    }

    fn is_end_clean(&self) -> bool {
        self.inner.is_end_clean()
    }

    fn opening(&self) -> Opening {
        self.inner.opening()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn is_transparent(&self) -> bool {
        self.inner.is_transparent()
    }

    fn is_private(&self) -> bool {
        self.inner.is_private()
    }

    fn hides_passwords(&self) -> bool {
        self.inner.hides_passwords()
    }

    fn deadline(&self) -> Option<Time> {
        self.inner.deadline()
    }

    fn handle_timeout(&mut self, now: Time, is_read: bool) -> Result<Received, TransportError> {
        let received = self.inner.handle_timeout(now, is_read);
        self.note(received.map_or(Answer::Failed, Answer::Received));
        received
    }

    fn handle_session_end(&mut self, why: SessionEnd) {
        self.inner.handle_session_end(why);
        self.note(Answer::Done);
    }
}

impl ReplayedTransport {
    /// A transport that answers as `answers` say; the first is about its beginning. `None` without it.
    pub(super) fn new(
        id: SessionId,
        mut answers: VecDeque<TransportEvent>,
        pipe: Pipe,
    ) -> Option<ReplayedTransport> {
        let state = answers.pop_front()?.state;
        Some(ReplayedTransport { id, answers, state, pipe })
    }

    /// The next answer. A replay that goes another way than its recording gets the last state again.
    fn next(&mut self) -> Answer {
        let Some(event) = self.answers.pop_front() else { return Answer::Done };
        self.state = event.state;
        event.answer
    }

    fn next_received(&mut self) -> Result<Received, TransportError> {
        match self.next() {
            Answer::Received(received) => Ok(received),
            Answer::Failed => Err(TransportError("as it was recorded")),
            Answer::Done | Answer::Took(_) => Ok(Received::Data),
        }
    }
}

impl Transport for ReplayedTransport {
    fn receive(
        &mut self,
        _now: Time,
        _bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        input.append(&mut self.pipe.chunk.borrow_mut());
        self.next_received()
    }

    fn send(&mut self, data: &[u8]) -> usize {
        match self.next() {
            Answer::Took(count) => {
                let count = count.min(data.len());
                let bytes = data[..count].to_vec();
                self.pipe.sent.borrow_mut().push(Output { to: self.id, bytes });
                count
            }
            Answer::Done | Answer::Received(_) | Answer::Failed => 0,
        }
    }

    fn output(&self) -> &[u8] {
        // As many zeros as there were bytes.
        &self.pipe.zeros[..self.state.output_bytes]
    }

    fn handle_sent(&mut self, _count: usize) {
        self.next();
    }

    fn close(&mut self) {
        self.next();
    }

    fn is_end_clean(&self) -> bool {
        self.state.is_end_clean
    }

    fn opening(&self) -> Opening {
        self.state.opening
    }

    fn is_handshaking(&self) -> bool {
        self.state.is_handshaking
    }

    fn is_transparent(&self) -> bool {
        self.state.is_transparent
    }

    fn is_private(&self) -> bool {
        self.state.is_private
    }

    fn hides_passwords(&self) -> bool {
        self.state.hides_passwords
    }

    fn deadline(&self) -> Option<Time> {
        self.state.deadline
    }

    fn handle_timeout(&mut self, _now: Time, _is_read: bool) -> Result<Received, TransportError> {
        self.next_received()
    }

    fn handle_session_end(&mut self, _why: SessionEnd) {
        self.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::transport::ProxyProtocol;

    #[test]
    fn every_event_is_read_as_it_was_written() {
        let state = State {
            opening: Opening::Ready(Some(LEARNED)),
            is_handshaking: true,
            is_transparent: false,
            is_private: true,
            hides_passwords: false,
            is_end_clean: true,
            deadline: Some(Time::START.after_ms(5)),
            output_bytes: 99,
        };
        let plain = State { opening: Opening::Pending, deadline: None, ..state };
        for answer in [
            Answer::Done,
            Answer::Took(0),
            Answer::Took(7),
            Answer::Received(Received::Data),
            Answer::Received(Received::EndOfInput),
            Answer::Failed,
        ] {
            for state in [state, plain] {
                let event = TransportEvent { answer, state };
                assert_eq!(TransportEvent::from_json(&event.to_json()), Some(event));
            }
        }
    }

    #[test]
    fn a_connection_that_outlives_the_recording_is_noted_no_more() {
        let (id, log) = (SessionId::from_key(0), TransportLog::default());
        let transport = Box::new(ProxyProtocol::new(Time::START, None));
        let mut noted = NotedTransport::new(id, transport, &log);
        noted.close();
        assert_eq!(log.borrow().len(), 2);
        drop(log);
        noted.close();
        assert!(noted.log.upgrade().is_none(), "nothing collects what nobody takes");
    }
}
