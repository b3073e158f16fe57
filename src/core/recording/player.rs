//! Makes the calls of a recording again.
//!
//! A recording comes from outside. Each call is checked before it is made: the exchange may trust the
//! shell, but not a file. A call that panics is what a reader of a bug report looks for, so it is caught
//! and told.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::call::Call;
use super::reading::Recording;
use super::transport::{Pipe, ReplayedTransport};
use super::{Output, checksum};
use crate::core::SessionId;
use crate::core::accounts::RequestNumber;
use crate::core::chat::Record;
use crate::core::exchange::{Action, Exchange, Hop};
use crate::core::time::Time;

/// A replay: an exchange, and the place in the recording that it has come to.
#[derive(Debug)]
pub struct Player {
    recording: Rc<Recording>,
    exchange: Exchange,
    /// Calls made so far.
    made: usize,
    /// The number of each connection, as the log of the server counts them.
    numbers: BTreeMap<SessionId, u32>,
    connections_so_far: u32,
    /// Connections that the exchange wants closed.
    to_forget: BTreeSet<SessionId>,
    /// What goes through transports in the call that is made.
    pipe: Pipe,
    difference: Option<Difference>,
}

/// How a replay went another way than its recording. It ends there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The call with this number cannot be made now.
    Impossible(usize),
    /// In the call with this number, a client reads something else.
    OtherOutput(usize),
    /// The call with this number panics: the server has died there, or would.
    Panic(usize, String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Impossible(call) => write!(f, "call {call} cannot follow"),
            Difference::OtherOutput(call) => {
                write!(f, "in call {call} a user reads something else than when it was recorded")
            }
            Difference::Panic(call, message) => write!(f, "call {call} panics: {message}"),
        }
    }
}

impl Player {
    /// A replay before the first call.
    #[must_use]
    pub fn new(recording: Rc<Recording>) -> Player {
        Player {
            exchange: Exchange::new(recording.limits.clone()),
            recording,
            made: 0,
            numbers: BTreeMap::new(),
            connections_so_far: 0,
            to_forget: BTreeSet::new(),
            pipe: Pipe::default(),
            difference: None,
        }
    }

    /// The call that comes next, with its time and the bytes that come in it. `None` at the end, and
    /// after a difference.
    #[must_use]
    pub fn next_call(&self) -> Option<(Time, &Call, &[u8])> {
        if self.difference.is_some() {
            return None;
        }
        let (at, call) = self.recording.calls.get(self.made)?;
        Some((*at, call, self.recording.chunks.get(&self.made).map_or(&[], Vec::as_slice)))
    }

    /// Makes the next call, and adds the lines that leave in it to `outputs`.
    ///
    /// # Errors
    /// The replay goes another way than its recording, and ends here.
    pub fn step(&mut self, outputs: &mut Vec<Output>) -> Result<(), Difference> {
        let recording = Rc::clone(&self.recording);
        let Some((now, call)) =
            recording.calls.get(self.made).filter(|_| self.difference.is_none())
        else {
            return self.difference.clone().map_or(Ok(()), Err);
        };
        let number = self.made + 1;
        let result = match self.is_possible(call) {
            false => Err(Difference::Impossible(number)),
            true => catch_unwind(AssertUnwindSafe(|| self.make(*now, call, outputs)))
                .unwrap_or_else(|panic| Err(Difference::Panic(number, message(&*panic)))),
        };
        self.made += usize::from(result.is_ok());
        self.difference = result.clone().err();
        result
    }

    /// Calls made so far.
    #[must_use]
    pub fn made(&self) -> usize {
        self.made
    }

    /// The exchange, to look at. Not after a panic.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The number of a connection in the log.
    #[must_use]
    pub fn number(&self, id: SessionId) -> u32 {
        self.numbers.get(&id).copied().unwrap_or_default()
    }

    /// The connections that were not forgotten.
    pub fn connections(&self) -> impl Iterator<Item = (SessionId, u32)> {
        self.numbers.iter().map(|(id, number)| (*id, *number))
    }

    /// Connections so far.
    #[must_use]
    pub fn connections_so_far(&self) -> u32 {
        self.connections_so_far
    }

    /// Follows the inputs of the connection with this number from now on.
    pub fn follow(&mut self, number: Option<u32>) {
        let found = number.and_then(|number| self.connections().find(|(_, it)| *it == number));
        self.exchange.begin_trace(found.map(|(id, _)| id));
    }

    /// Whether the exchange allows the call now.
    fn is_possible(&self, call: &Call) -> bool {
        let exchange = &self.exchange;
        let is_open = |id: &SessionId| exchange.has_connection(*id);
        match call {
            Call::Start(..)
            | Call::StartAccounts
            | Call::LoadAccount(_)
            | Call::KeepHistory
            | Call::AddNotice(_) => self.connections_so_far == 0,
            // The keys of a slab are dense: a table as large as the file is long, and no larger.
            Call::Connect(id, _) | Call::ConnectThrough(id, _) => {
                !is_open(id) && id.key() <= self.connections_so_far as usize
            }
            Call::Received(id) => is_open(id) && exchange.wants_input(*id),
            Call::StaleInput(id) | Call::FinishDrain(id) => exchange.poll_drain() == Some(*id),
            Call::Sent(id, count, _) => {
                is_open(id) && *count <= exchange.output(*id).len() && exchange.records().is_empty()
            }
            Call::Forget(id) => self.to_forget.contains(id),
            call => call.id().is_none_or(|id| exchange.has_connection(id)),
        }
    }

    fn make(
        &mut self,
        now: Time,
        call: &Call,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Difference> {
        let exchange = &mut self.exchange;
        match call {
            Call::Connect(id, origin) => {
                self.number_connection(*id);
                self.exchange.handle_connect_from(now, *id, *origin);
            }
            Call::ConnectThrough(id, origin) => {
                let answers = self.recording.transports.get(&self.made).cloned();
                let transport =
                    ReplayedTransport::new(*id, answers.unwrap_or_default(), self.pipe.clone());
                let transport = transport.ok_or(Difference::Impossible(self.made + 1))?;
                self.number_connection(*id);
                self.exchange.handle_connect_through_from(now, *id, *origin, Box::new(transport));
            }
            Call::BeginSession(id, origin) => exchange.begin_session(now, *id, *origin),
            Call::Reject(id, line) => exchange.reject(now, *id, line),
            Call::Received(id) => self.receive(now, *id, Exchange::handle_received),
            Call::StaleInput(id) => self.receive(now, *id, Exchange::handle_stale_input),
            Call::EndOfInput(id) => exchange.handle_end_of_input(now, *id),
            Call::Failure(id) => exchange.handle_failure(now, *id),
            Call::Sent(id, count, sum) => return self.send(now, *id, *count, *sum, outputs),
            Call::Writable(id) => exchange.handle_writable(*id),
            Call::Blocked(id) => exchange.handle_blocked(now, *id),
            Call::Forget(id) => {
                self.to_forget.remove(id);
                self.numbers.remove(id);
                exchange.forget(*id);
            }
            Call::Resume(id) => exchange.resume(now, *id),
            Call::FinishDrain(id) => exchange.finish_drain(now, *id),
            Call::CountHold(id) => exchange.count_hold(*id),
            Call::PollAction => {
                if let Some(Action::Close(id)) = exchange.poll_action() {
                    self.to_forget.insert(id);
                }
            }
            Call::PollResume => {
                exchange.poll_resume();
            }
            other => self.make_general(now, other),
        }
        outputs.append(&mut self.pipe.sent.borrow_mut());
        Ok(())
    }

    /// The calls that are about no connection, or come from an operator.
    fn make_general(&mut self, now: Time, call: &Call) {
        let exchange = &mut self.exchange;
        match call {
            Call::Start(at, lines) => exchange.handle_start(
                *at,
                lines.iter().map(|stored| Record {
                    said_at: stored.said_at,
                    room: &stored.room,
                    line: &stored.line,
                }),
            ),
            Call::KeepHistory => exchange.start_recording(),
            Call::StartAccounts => exchange.start_accounts(),
            Call::LoadAccount(name) => {
                exchange.load_account(name.clone());
            }
            Call::SetPage(place) => exchange.set_page(place),
            Call::SetTls(place) => exchange.set_tls(place),
            Call::AddNotice(text) => exchange.add_notice(text),
            Call::Timeout => exchange.handle_timeout(now),
            Call::Stop => exchange.handle_stop(now),
            Call::EndOpening => exchange.end_opening(now),
            Call::PostponeFanOut => exchange.postpone_fan_out(),
            Call::ReleaseMemory => exchange.release_memory(),
            Call::ClearRecords => exchange.clear_records(),
            Call::WallClock(shown) => exchange.handle_wall_clock(now, *shown),
            Call::AccountAnswer(of, answer) => {
                exchange.handle_account_answer(now, RequestNumber(*of), *answer);
            }
            Call::AccountChange(change) => exchange.handle_account_change(now, change.clone()),
            Call::AccountsReloaded(names) => exchange.handle_accounts_reloaded(now, names.clone()),
            Call::Announcement(text) => {
                exchange.handle_announcement(now, text);
            }
            Call::Removal(id, how, reason) => {
                exchange.handle_removal(now, *id, *how, reason);
            }
            Call::StopIn(ms) => exchange.handle_stop_in(now, *ms),
            Call::StopCalledOff => {
                exchange.handle_stop_called_off(now);
            }
            _ => {}
        }
    }

    fn number_connection(&mut self, id: SessionId) {
        self.connections_so_far += 1;
        self.numbers.insert(id, self.connections_so_far);
    }

    /// Passes the bytes of the call on: directly, or through the transport.
    fn receive(
        &mut self,
        now: Time,
        id: SessionId,
        then: impl FnOnce(&mut Exchange, Time, SessionId, &[u8]),
    ) {
        let recording = Rc::clone(&self.recording);
        let bytes = recording.chunks.get(&self.made).map_or(&[][..], Vec::as_slice);
        self.exchange.trace_read(id, 1, bytes.len());
        if self.exchange.is_encoded(id) {
            bytes.clone_into(&mut self.pipe.chunk.borrow_mut());
        }
        then(&mut self.exchange, now, id, bytes);
        self.pipe.chunk.borrow_mut().clear();
    }

    /// The socket takes output; it must be the same that was recorded.
    fn send(
        &mut self,
        now: Time,
        id: SessionId,
        count: usize,
        sum: Option<u32>,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Difference> {
        let sent = self.exchange.output(id).get(..count).unwrap_or_default();
        if !self.exchange.is_encoded(id) {
            if sum.is_some_and(|sum| sum != checksum(sent)) {
                return Err(Difference::OtherOutput(self.made + 1));
            }
            outputs.push(Output { to: id, bytes: sent.to_vec() });
        }
        self.exchange.trace_output(Hop::Write, Some(id), count);
        self.exchange.handle_sent(now, id, count);
        outputs.append(&mut self.pipe.sent.borrow_mut());
        Ok(())
    }
}

/// What a panic has said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDINGS: [&str; 3] = [
        include_str!("../../../tests/recordings/chat.jsonl"),
        include_str!("../../../tests/recordings/accounts.jsonl"),
        include_str!("../../../tests/recordings/burst.jsonl"),
    ];

    /// Plays as far as it goes.
    fn play(text: &str) -> Result<usize, Difference> {
        let recording = Recording::parse(text.as_bytes()).map_err(|_| Difference::Impossible(0))?;
        let (mut player, mut outputs) = (Player::new(Rc::new(recording)), Vec::new());
        while player.next_call().is_some() {
            player.step(&mut outputs)?;
        }
        Ok(player.made())
    }

    #[test]
    fn a_difference_is_found_where_it_is() {
        let changed = RECORDINGS[0].replace("how are you?", "how are you!");
        assert_ne!(changed, RECORDINGS[0]);
        assert!(play(RECORDINGS[0]).is_ok());
        assert!(matches!(play(&changed), Err(Difference::OtherOutput(_))));
    }

    /// A file may hold any calls in any order. A call that the exchange cannot take is refused before it
    /// is made; this looks for one that gets through.
    #[test]
    fn lines_that_are_missing_doubled_or_swapped_end_a_replay_and_nothing_else() {
        for recording in RECORDINGS {
            let lines = recording.lines().collect::<Vec<_>>();
            for at in (1..lines.len() - 1).step_by(7) {
                let missing = [&lines[..at], &lines[at + 1..]].concat();
                let doubled = [&lines[..=at], &lines[at..]].concat();
                let mut swapped = lines.clone();
                swapped.swap(at, at + 1);
                for lines in [missing, doubled, swapped] {
                    let end = play(&format!("{}\n", lines.join("\n")));
                    assert!(!matches!(end, Err(Difference::Panic(..))), "line {at}: {end:?}");
                }
            }
        }
    }

    #[test]
    fn a_call_that_panics_is_told_with_its_message() {
        let text =
            RECORDINGS[0].replace("[0,\"poll action\"]", "[18446744073709551615,\"timeout\"]");
        assert!(play(&text).is_err(), "all deadlines have passed");
        let panic: Box<dyn Any + Send> = Box::new("ids are dense".to_owned());
        assert_eq!(message(&*panic), "ids are dense");
        assert_eq!(
            Difference::Panic(7, message(&*panic)).to_string(),
            "call 7 panics: ids are dense"
        );
    }
}
