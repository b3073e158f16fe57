//! One simulated person: what it is doing, and what it does next.

use std::collections::VecDeque;

use super::pace::Pace;
use super::words::{self, ROOMS};
use super::{Note, What};
use crate::core::limits::PEER_PATIENCE_S;
use crate::peers::lines::Lines;
use crate::peers::peer::{Acts, Close, End, Input, Micros, Peer, SECOND};
use crate::peers::random::Random;

mod hearing;

/// How long a person waits for an answer.
const PATIENCE: Micros = PEER_PATIENCE_S * SECOND;
/// A line that crosses with one of another user can be refused, and the server can hold a request for
/// seconds (7.23): so long after the person sent something, a refusal is no problem.
const CROSSING: Micros = 10 * SECOND;
/// The server takes nobody into a room for 2 s after a chat that the other has ended (7.20).
const AFTER_CHAT: Micros = 2_200_000;
/// How many names a person remembers from a list.
const KNOWN_MAX: usize = 50;

/// A simulated person.
#[derive(Debug)]
pub struct Person {
    name: String,
    /// The name under which the server knows the person: another one if the first was taken.
    entered_as: String,
    pace: Pace,
    random: Random,
    lines: Lines,
    state: State,
    /// Users that the last list showed as available.
    known: Vec<String>,
    /// When the person last sent something, asked somebody, and was in a chat.
    sent_at: Micros,
    asked_at: Option<Micros>,
    chat_ended_at: Option<Micros>,
    is_stopping: bool,
}

/// What a person is doing.
#[derive(Debug)]
enum State {
    /// Is not connected, or not greeted yet.
    Arriving { since: Micros },
    /// Has sent its name.
    Naming,
    /// Is at the menu.
    Menu,
    /// Waits for the answer to a choice, which ends with the menu.
    Waiting { what: Option<What>, since: Micros },
    /// Waits for the answer to its request.
    Asking,
    /// Owes somebody an answer.
    Asked { by: String, has_answered: bool },
    /// Chats, and will say so many lines more.
    Chatting { with: String, lines: u64 },
    /// Is in a room, and will say so many lines more.
    InRoom { lines: u64, unheard: VecDeque<(String, Micros)>, asked: bool },
    /// Has said goodbye.
    Leaving,
    /// Has left for good.
    Gone,
}

impl Person {
    /// Person `n` of the crowd with this seed, who connects at the time `arrives_at`.
    #[must_use]
    pub fn new(seed: u64, n: usize, pace: Pace, arrives_at: Micros) -> Person {
        Person {
            name: words::name(n),
            entered_as: String::new(),
            pace,
            random: Random::new(seed, n),
            lines: Lines::default(),
            state: State::Arriving { since: arrives_at },
            known: Vec::new(),
            sent_at: 0,
            asked_at: None,
            chat_ended_at: None,
            is_stopping: false,
        }
    }

    fn says(&mut self, line: &str, now: Micros, acts: &mut Acts<Note>) {
        self.sent_at = now;
        acts.say(line);
    }

    /// Acts, because the time to think is over.
    fn acts(&mut self, now: Micros, acts: &mut Acts<Note>) {
        match &self.state {
            State::Menu => self.chooses(now, acts),
            State::Asked { .. } => {
                let answer = if self.random.percent(80) { "yes" } else { "no" };
                if let State::Asked { has_answered, .. } = &mut self.state {
                    *has_answered = true;
                }
                self.says(answer, now, acts);
                acts.wake_at = Some(now + PATIENCE);
            }
            State::Asking => {
                self.says("cancel", now, acts);
                acts.wake_at = Some(now + PATIENCE);
            }
            State::Chatting { .. } => self.chats(now, acts),
            State::InRoom { .. } => self.speaks(now, acts),
            State::Arriving { .. } => self.gives_up("a greeting", acts),
            State::Naming => self.gives_up("a hello", acts),
            State::Waiting { .. } => self.gives_up("an answer at the menu", acts),
            State::Leaving => self.gives_up("a goodbye", acts),
            State::Gone => {}
        }
    }

    fn gives_up(&mut self, what: &str, acts: &mut Acts<Note>) {
        acts.notes.push(Note::Problem(format!("no sign of {what} for {PEER_PATIENCE_S} s")));
        acts.close = Some(Close::Whole);
        self.state = State::Gone;
    }

    /// Makes a choice at the menu.
    fn chooses(&mut self, now: Micros, acts: &mut Acts<Note>) {
        let may_ask = self.asked_at.is_none_or(|at| at + self.pace.asks_every <= now);
        let waits = |what, since| State::Waiting { what, since };
        acts.wake_at = Some(now + PATIENCE);
        match self.random.within(0..100) {
            0..40 if may_ask && !self.known.is_empty() => {
                let n = self.random.within(0..self.known.len() as u64) as usize;
                let whom = self.known.swap_remove(n);
                self.says(&format!("2 {whom}"), now, acts);
                self.asked_at = Some(now);
                self.state = waits(None, now);
            }
            0..60 => {
                self.known.clear();
                // A list shows fifty users, and those whose names begin with a should not get all
                // requests.
                let letter = self.random.within(u64::from(b'a')..u64::from(b'z') + 1) as u8;
                let is_narrow = self.random.percent(70);
                let choice = match is_narrow {
                    true => format!("1 {}", char::from(letter)),
                    false => "1".to_owned(),
                };
                self.says(&choice, now, acts);
                self.state = waits(Some(What::List), now);
            }
            60..85 if self.chat_ended_at.is_none_or(|at| now >= at + AFTER_CHAT) => {
                let room = self.random.choose(&ROOMS).copied().unwrap_or(ROOMS[0]);
                self.says(&format!("4 {room}"), now, acts);
                self.state = waits(None, now);
            }
            85..92 => {
                self.says("5", now, acts);
                self.state = waits(None, now);
            }
            92..95 => self.leaves(now, acts),
            _ => acts.wake_at = Some(now + self.random.within(self.pace.thinks.clone())),
        }
    }

    fn leaves(&mut self, now: Micros, acts: &mut Acts<Note>) {
        self.says("/exit", now, acts);
        self.state = State::Leaving;
        acts.wake_at = Some(now + PATIENCE);
    }

    /// Says the next line to the partner, or ends the chat.
    fn chats(&mut self, now: Micros, acts: &mut Acts<Note>) {
        let State::Chatting { lines, .. } = &mut self.state else { return };
        if *lines == 0 {
            acts.wake_at = Some(now + PATIENCE);
            return self.says("quit", now, acts);
        }
        *lines -= 1;
        let text = words::text(&mut self.random);
        acts.notes.push(Note::Said(text.to_owned()));
        self.says(text, now, acts);
        acts.wake_at = Some(now + self.random.within(self.pace.types.clone()));
    }

    /// Answers a request in the room, says the next line there, or leaves the room.
    fn speaks(&mut self, now: Micros, acts: &mut Acts<Note>) {
        let is_yes = self.random.percent(60);
        let State::InRoom { lines, unheard, asked } = &mut self.state else { return };
        acts.wake_at = Some(now + self.random.within(self.pace.speaks.clone()));
        if std::mem::take(asked) {
            return self.says(if is_yes { "/yes" } else { "/no" }, now, acts);
        }
        if let Some((_, since)) = unheard.front() {
            // The room has not said the last line yet.
            if since + PATIENCE < now {
                return self.gives_up("a line said in a room", acts);
            }
            return;
        }
        if *lines == 0 {
            return self.says("quit", now, acts);
        }
        *lines -= 1;
        let text = words::text(&mut self.random);
        unheard.push_back((text.to_owned(), now));
        self.says(text, now, acts);
    }

    fn connection_ended(&mut self, end: End, now: Micros, acts: &mut Acts<Note>) {
        self.lines = Lines::default();
        self.known.clear();
        acts.wake_at = None;
        acts.notes.push(Note::Left);
        match self.state {
            State::Leaving if end == End::Closed => {}
            State::Gone => return,
            _ if self.is_stopping => return,
            _ => {
                let how = match end {
                    End::Failed => "no connection",
                    End::Closed => "the server ended a session",
                    End::Reset => "the server cut a connection",
                };
                acts.notes.push(Note::Problem(how.to_owned()));
            }
        }
        if !self.is_stopping {
            let at = now + self.random.within(self.pace.stays_away.clone());
            acts.connect_at = Some(at);
            self.state = State::Arriving { since: at };
        }
    }
}

impl Peer<Note> for Person {
    fn handle(&mut self, input: Input<'_>, now: Micros, acts: &mut Acts<Note>) {
        match input {
            Input::Connected => {
                // The time of the connection counts too: it began when the person wanted it.
                acts.wake_at = Some(now + PATIENCE);
            }
            Input::Received(bytes) => {
                let mut lines = std::mem::take(&mut self.lines);
                lines.push(bytes, |line| self.hears(line, now, acts));
                self.lines = lines;
            }
            Input::Sent => {}
            Input::Due => {
                acts.wake_at = None;
                self.acts(now, acts);
            }
            Input::Ended(end) => self.connection_ended(end, now, acts),
            Input::Stop => {
                self.is_stopping = true;
                match self.state {
                    State::Arriving { .. } | State::Gone => acts.close = Some(Close::Whole),
                    _ => self.leaves(now, acts),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
