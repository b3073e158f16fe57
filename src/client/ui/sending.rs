//! The typed lines on their way to the server: lines that wait here, and sent lines without a proof
//! that they arrived.
//!
//! `state_machine` owns one [`Sending`]. A room echoes each message (4.8.2), and only a few messages
//! may be without their echo: the rest waits here, where the user can still drop it. A chat has no
//! echo (4.7.2), so the proof is TCP's acknowledgement and a later line of the server.

use std::collections::VecDeque;

use crate::core::limits::{UNECHOED_LINES_MAX, UNPROVEN_BYTES_MAX, WAITING_BYTES_MAX};
use crate::core::time::Time;

/// Bytes that end a sent line.
const ENDING_BYTES: usize = "\r\n".len();

/// What proves that the server has processed a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The room's echo: a message from the user with this text.
    Echo(String),
    /// In a chat: TCP has acknowledged the line, and the server has said something since.
    Delivery,
    /// The server's reply to a command.
    Reply {
        /// What the command leaves, if it leaves something. The server says so.
        leaves: Option<Place>,
    },
}

/// What a user can leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The chat or the room.
    Conversation,
    /// The server.
    Server,
}

/// A sent line without a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproven {
    /// The line as it was sent, without its ending.
    pub line: String,
    /// The proof that is missing.
    pub proof: Proof,
    /// When the line was sent.
    sent_at: Time,
    /// The server's kernel has received the line.
    is_acknowledged: bool,
}

/// The lines of a lost connection that nobody may have read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// These lines may have arrived.
    pub uncertain: Vec<Unproven>,
    /// These lines were never sent.
    pub unsent: Vec<String>,
}

/// The lines on their way.
#[derive(Debug, Default)]
pub struct Sending {
    /// Messages that must wait, the oldest first. All of them have the same recipients.
    waiting: VecDeque<(String, Proof)>,
    waiting_bytes: usize,
    /// Sent lines, the oldest first. The server processes them in this order.
    unproven: VecDeque<Unproven>,
    unproven_bytes: usize,
    /// Messages handed over since the queue of the connection was empty. The user can drop waiting
    /// lines, but not the lines in that queue.
    handed_over: usize,
    /// The line that the last server line refused. If the connection ends now, the refusal was the
    /// server's last word about something else, and this line is uncertain again.
    refused: Option<Unproven>,
}

impl Sending {
    /// Whether `bytes` more may wait.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        self.waiting_bytes + bytes <= WAITING_BYTES_MAX
    }

    /// Appends a message to the waiting lines. [`Sending::next`] returns it when it may be sent.
    pub fn push(&mut self, line: String, proof: Proof) {
        self.waiting_bytes += line.len();
        self.waiting.push_back((line, proof));
    }

    /// The next waiting line that may be sent now. The caller sends it.
    pub fn next(&mut self, now: Time) -> Option<&Unproven> {
        let unechoed = self.unechoed().count();
        let is_blocked = self.handed_over >= UNECHOED_LINES_MAX
            || unechoed >= UNECHOED_LINES_MAX
            || self.unproven_bytes >= UNPROVEN_BYTES_MAX;
        if is_blocked {
            return None;
        }
        let (line, proof) = self.waiting.pop_front()?;
        self.waiting_bytes -= line.len();
        self.handed_over += 1;
        self.sent(line, proof, now);
        self.unproven.back()
    }

    /// Records a line that the caller sends at once, before the waiting lines.
    pub fn sent(&mut self, line: String, proof: Proof, now: Time) {
        self.unproven_bytes += line.len();
        let is_acknowledged = false;
        self.unproven.push_back(Unproven { line, proof, sent_at: now, is_acknowledged });
    }

    /// The kernel has taken all lines that were sent.
    pub fn handle_drained(&mut self) {
        self.handed_over = 0;
    }

    /// The number of waiting lines.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The number of messages that the room has not echoed, waiting lines included.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.unechoed().count() + self.waiting.len()
    }

    /// Whether only an acknowledgement by TCP lets the waiting lines go on. No event announces it.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        !self.waiting.is_empty() && self.unproven_bytes >= UNPROVEN_BYTES_MAX
    }

    /// When the oldest message without an echo was sent.
    #[must_use]
    pub fn unechoed_since(&self) -> Option<Time> {
        self.unechoed().next().map(|line| line.sent_at)
    }

    /// Whether every line has arrived, and none waits.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.unproven.is_empty()
    }

    /// The sent lines without a proof, the oldest first.
    pub fn unproven(&self) -> impl Iterator<Item = &Unproven> {
        self.unproven.iter()
    }

    /// The room echoed a message with this text, so all lines up to it have arrived. The server may
    /// change a text more than the client expects: then the oldest message is meant.
    pub fn handle_echo(&mut self, text: &str) {
        let is_echo = |line: &Unproven| matches!(&line.proof, Proof::Echo(echo) if echo == text);
        let first = || self.unproven.iter().position(|line| matches!(line.proof, Proof::Echo(_)));
        if let Some(at) = self.unproven.iter().position(is_echo).or_else(first) {
            self.prove(at + 1);
        }
    }

    /// The server replied to the oldest command. Replies come in order, so the chat lines before it
    /// have arrived. A message before it that has no echo yet shows that this was no reply.
    pub fn handle_reply(&mut self) {
        let at = self.unproven.iter().position(|line| line.proof != Proof::Delivery);
        if let Some(at) = at
            && matches!(self.unproven[at].proof, Proof::Reply { .. })
        {
            self.prove(at + 1);
        }
    }

    /// The server refused the oldest command or message to a room.
    pub fn handle_refusal(&mut self) {
        let at = self.unproven.iter().position(|line| line.proof != Proof::Delivery);
        if let Some(at) = at {
            let refused = self.unproven[at].clone();
            self.prove(at + 1);
            self.refused = Some(refused);
        }
    }

    /// The server has said another line since the last refusal, so that was a refusal of the line.
    pub fn confirm_refusal(&mut self) {
        self.refused = None;
    }

    /// The user has left a chat or a room: the command that leaves has arrived, and so have the
    /// lines before it.
    pub fn handle_leaving(&mut self) {
        let leaves = |line: &Unproven| matches!(line.proof, Proof::Reply { leaves: Some(_) });
        let is_command = |line: &Unproven| matches!(line.proof, Proof::Reply { .. });
        let at = self.unproven.iter().position(leaves);
        if let Some(at) = at.or_else(|| self.unproven.iter().position(is_command)) {
            self.prove(at + 1);
        }
    }

    /// The server has sent a line that no typed line caused. Chat lines that its kernel had before
    /// have most likely been read by now.
    pub fn handle_sign_of_life(&mut self) {
        self.unproven.retain(|line| line.proof != Proof::Delivery || !line.is_acknowledged);
        self.count_bytes();
    }

    /// Whether the number of unacknowledged bytes would prove anything.
    #[must_use]
    pub fn wants_acknowledgement(&self) -> bool {
        let is_open = |line: &&Unproven| line.proof == Proof::Delivery && !line.is_acknowledged;
        self.unproven.iter().rev().find(is_open).is_some()
    }

    /// The server's kernel has received all but the last `unacknowledged` bytes.
    pub fn handle_acknowledgement(&mut self, unacknowledged: usize) {
        let mut later = 0;
        for line in self.unproven.iter_mut().rev() {
            line.is_acknowledged |= later >= unacknowledged;
            later += line.line.len() + ENDING_BYTES;
        }
        // Nobody remembers a hundred screens of chat: the oldest lines make room for new ones.
        while self.unproven_bytes >= UNPROVEN_BYTES_MAX
            && self.unproven.front().is_some_and(|line| line.is_acknowledged)
        {
            self.prove(1);
        }
    }

    /// The chat is over, and the server has not said that any of its lines did not arrive.
    pub fn handle_chat_end(&mut self) {
        self.unproven.retain(|line| line.proof != Proof::Delivery);
        self.count_bytes();
    }

    /// The server has processed everything that was sent.
    pub fn handle_all(&mut self) {
        self.prove(self.unproven.len());
    }

    /// The server has closed its half of the connection behind ours. A server that crashes does the
    /// same, so this proves no message.
    pub fn handle_end(&mut self) {
        self.unproven.retain(|line| !matches!(line.proof, Proof::Reply { .. }));
        self.count_bytes();
    }

    /// Takes the chat lines without a proof: the server says that the partner left before some.
    pub fn take_undelivered(&mut self) -> Vec<String> {
        let lines = self.unproven.iter().filter(|line| line.proof == Proof::Delivery);
        let lines = lines.map(|line| line.line.clone()).collect();
        self.unproven.retain(|line| line.proof != Proof::Delivery);
        self.count_bytes();
        lines
    }

    /// Takes the waiting lines: the user drops them, or their recipients are gone.
    pub fn take_waiting(&mut self) -> Vec<String> {
        self.waiting_bytes = 0;
        self.waiting.drain(..).map(|(line, _)| line).collect()
    }

    /// The connection is lost: takes every line that may be lost with it. The last `unsent` lines
    /// never left this machine.
    pub fn take_lost(&mut self, unsent: usize) -> Lost {
        let mut uncertain: Vec<_> = self.refused.take().into_iter().collect();
        uncertain.extend(self.unproven.drain(..));
        let sent = uncertain.len().saturating_sub(unsent);
        let mut unsent: Vec<_> = uncertain.drain(sent..).map(|line| line.line).collect();
        unsent.extend(self.take_waiting());
        *self = Sending::default();
        Lost { uncertain, unsent }
    }

    fn unechoed(&self) -> impl Iterator<Item = &Unproven> {
        self.unproven.iter().filter(|line| matches!(line.proof, Proof::Echo(_)))
    }

    /// Forgets the oldest `count` lines: they have arrived.
    fn prove(&mut self, count: usize) {
        self.unproven.drain(..count);
        self.count_bytes();
    }

    fn count_bytes(&mut self) {
        self.unproven_bytes = self.unproven.iter().map(|line| line.line.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(text: &str) -> Proof {
        Proof::Echo(text.to_owned())
    }

    /// Sends what may be sent, and returns it.
    fn sent(sending: &mut Sending) -> Vec<String> {
        let next = || sending.next(Time::START).map(|line| line.line.clone());
        std::iter::from_fn(next).collect()
    }

    fn lines(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|number| number.to_string()).collect()
    }

    /// (4.8.2, 6.2.3)
    #[test]
    fn a_room_gets_the_next_line_when_it_has_echoed_an_earlier_one() {
        let mut sending = Sending::default();
        for line in lines(0..UNECHOED_LINES_MAX + 2) {
            sending.push(line.clone(), Proof::Echo(line));
        }
        assert_eq!(sent(&mut sending), lines(0..UNECHOED_LINES_MAX));
        sending.handle_echo("0");
        assert!(sent(&mut sending).is_empty(), "the queue of the connection is full");
        sending.handle_drained();
        assert_eq!(sent(&mut sending), [UNECHOED_LINES_MAX.to_string()]);
        assert_eq!((sending.waiting(), sending.pending()), (1, UNECHOED_LINES_MAX + 1));
        assert_eq!(sending.take_waiting(), [(UNECHOED_LINES_MAX + 1).to_string()]);
    }

    #[test]
    fn an_echo_proves_the_lines_before_it_even_with_an_unexpected_text() {
        let mut sending = Sending::default();
        for line in ["a", "b", "a", "c"] {
            sending.sent(line.to_owned(), echo(line), Time::START);
        }
        sending.handle_echo("b");
        assert_eq!(sending.pending(), 2);
        sending.handle_echo("something else");
        assert_eq!(sending.unproven().map(|line| &*line.line).collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn a_refusal_as_the_last_word_of_a_server_leaves_the_line_uncertain() {
        let mut sending = Sending::default();
        sending.sent("a".into(), echo("a"), Time::START);
        sending.sent("b".into(), echo("b"), Time::START);
        sending.handle_refusal();
        let lost = sending.take_lost(1);
        assert_eq!(lost.uncertain.iter().map(|line| &*line.line).collect::<Vec<_>>(), ["a"]);
        assert_eq!(lost.unsent, ["b"]);
    }

    /// (4.7.2)
    #[test]
    fn a_chat_line_is_proven_by_an_acknowledgement_and_a_later_line() {
        let mut sending = Sending::default();
        for line in ["one", "two", "three"] {
            sending.sent(line.into(), Proof::Delivery, Time::START);
        }
        sending.handle_sign_of_life();
        assert_eq!(sending.unproven().count(), 3, "TCP has acknowledged none");
        sending.handle_acknowledgement("three\r\n".len() + 1);
        sending.handle_sign_of_life();
        assert_eq!(sending.unproven().count(), 2, "one byte of the second is missing");
        sending.handle_acknowledgement("three\r\n".len());
        sending.handle_sign_of_life();
        assert_eq!(sending.take_lost(0).uncertain.len(), 1);
    }

    /// (4.7.3)
    #[test]
    fn leaving_proves_the_lines_before_the_command() {
        let mut sending = Sending::default();
        sending.sent("one".into(), Proof::Delivery, Time::START);
        sending.sent("/help".into(), Proof::Reply { leaves: None }, Time::START);
        let leaves = Some(Place::Conversation);
        sending.sent("quit".into(), Proof::Reply { leaves }, Time::START);
        sending.sent("two".into(), Proof::Delivery, Time::START);
        sending.handle_leaving();
        assert_eq!(sending.take_undelivered(), ["two"]);
        assert!(sending.is_done());
    }
}
