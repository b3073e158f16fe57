//! What a person makes of a line from the server.

use std::collections::VecDeque;

use super::{CROSSING, KNOWN_MAX, Note, PATIENCE, Person, State, What};
use crate::peers::peer::{Acts, Micros};

impl Person {
    /// Reads one line. The tag tells what kind it is (1.2).
    pub(super) fn hears(&mut self, line: &str, now: Micros, acts: &mut Acts<Note>) {
        match line.split_at_checked(2) {
            Some(("* ", news)) => self.hears_news(news, now, acts),
            Some(("? ", prompt)) => self.is_prompted(prompt, now, acts),
            Some(("! ", refusal)) => self.is_refused(refusal, now, acts),
            Some(("- ", row)) => self.sees_row(row),
            _ => self.hears_text(line, now, acts),
        }
    }

    fn hears_news(&mut self, news: &str, now: Micros, acts: &mut Acts<Note>) {
        if let State::Leaving = self.state {
            // A yes, or the answer to an earlier choice, has crossed with the goodbye.
            return;
        }
        if let Some(rest) = news.strip_prefix("You are now chatting with ") {
            let with = rest.split(';').next().unwrap_or(rest).to_owned();
            self.state = State::Chatting { with, lines: self.random.within(3..13) };
            acts.notes.push(Note::ChatBegan);
            acts.wake_at = Some(now + self.random.within(self.pace.types.clone()));
        } else if news.starts_with("You are now in ") {
            let lines = self.random.within(1..8);
            self.state = State::InRoom { lines, unheard: VecDeque::new(), asked: false };
            acts.wake_at = Some(now + self.random.within(self.pace.speaks.clone()));
        } else if news.starts_with("Asked ") {
            self.state = State::Asking;
            // Most people wait for the answer.
            let is_patient = self.random.percent(85);
            let decides = self.random.within(self.pace.decides.clone());
            acts.wake_at = Some(now + if is_patient { PATIENCE } else { decides });
        } else if let Some(name) = news.strip_prefix("Hello, ") {
            self.entered_as = name.to_owned();
            acts.notes.push(Note::Entered(name.to_owned()));
        }
    }

    fn is_prompted(&mut self, prompt: &str, now: Micros, acts: &mut Acts<Note>) {
        if prompt.starts_with("Username:") {
            if let State::Arriving { since } = self.state {
                acts.notes.push(Note::Took(What::Greeting, now.saturating_sub(since)));
            }
            let name = match self.state {
                State::Arriving { .. } => self.name.clone(),
                // The old session of the same person may not be over yet, or somebody has the name.
                _ => format!("{}{}", self.name, self.random.within(2..10_000)),
            };
            self.state = State::Naming;
            self.says(&name, now, acts);
            acts.wake_at = Some(now + PATIENCE);
        } else if prompt.contains("wants to chat") {
            match &mut self.state {
                State::InRoom { asked, .. } if prompt.contains("/yes") => *asked = true,
                State::Leaving => return,
                // The question again, because an earlier line crossed with it. A second yes would be
                // said in the chat.
                State::Asked { by, has_answered: true } if prompt.starts_with(&**by) => return,
                _ => {
                    let by = prompt.split(' ').next().unwrap_or_default().to_owned();
                    self.state = State::Asked { by, has_answered: false };
                }
            }
            acts.wake_at = Some(now + self.random.within(self.pace.decides.clone()));
        } else if prompt.starts_with("1 ") {
            self.is_at_menu(now, acts);
        }
    }

    fn is_at_menu(&mut self, now: Micros, acts: &mut Acts<Note>) {
        match &self.state {
            // The goodbye crossed with the end of a chat, and was thrown away (4.1.5).
            State::Leaving => return self.leaves(now, acts),
            State::Waiting { what: Some(what), since } => {
                acts.notes.push(Note::Took(*what, now.saturating_sub(*since)));
            }
            State::Chatting { .. } => {
                self.chat_ended_at = Some(now);
                acts.notes.push(Note::ChatEnded);
            }
            _ => {}
        }
        self.state = State::Menu;
        acts.wake_at = Some(now + self.random.within(self.pace.thinks.clone()));
    }

    fn is_refused(&mut self, refusal: &str, now: Micros, acts: &mut Acts<Note>) {
        // What a person types can cross with what another does; the server then says so.
        match now.saturating_sub(self.sent_at) < CROSSING {
            true => acts.notes.push(Note::Refused),
            false => acts.notes.push(Note::Problem(refusal.to_owned())),
        }
    }

    fn sees_row(&mut self, row: &str) {
        let is_list = matches!(self.state, State::Waiting { what: Some(What::List), .. });
        if let Some(name) = row.strip_suffix(" available")
            && is_list
            && self.known.len() < KNOWN_MAX
        {
            self.known.push(name.to_owned());
        }
    }

    fn hears_text(&mut self, line: &str, now: Micros, acts: &mut Acts<Note>) {
        let Some((from, text)) = line.split_once(": ") else {
            return acts.notes.push(Note::Problem(format!("no line of the protocol: {line}")));
        };
        match &mut self.state {
            State::Chatting { with, .. } if with == from => {
                acts.notes.push(Note::Heard(from.to_owned(), text.to_owned()));
            }
            State::Chatting { .. } => {
                acts.notes.push(Note::Problem(format!("a line of somebody else: {line}")));
            }
            State::InRoom { unheard, .. } if from == self.entered_as => {
                // A member who reads slowly may have missed earlier lines (6.2.2).
                let Some(at) = unheard.iter().position(|(said, _)| said == text) else { return };
                let (_, since) = unheard[at];
                unheard.drain(..=at);
                acts.notes.push(Note::Took(What::Room, now.saturating_sub(since)));
            }
            State::InRoom { .. } | State::Leaving => {}
            _ => acts.notes.push(Note::Problem(format!("a line outside a chat: {line}"))),
        }
    }
}
