//! What Enter does: whether a line goes out, and how it looks once it has.

use super::super::place::Place;
use super::{Action, Desk, Link};

impl Desk {
    pub(super) fn submit(&mut self) {
        let Link::Up { .. } = self.link else { return };
        if self.editor.is_empty() {
            return self.submit_nothing();
        }
        if self.begun_at != self.place && self.would_mislead() {
            let (then, now) = (self.begun_at.words(), self.place.words());
            self.notice(&format!("This line was for {then}; Enter again sends it to {now}"));
            self.begun_at = self.place.clone();
            return;
        }
        let line = self.editor.take();
        if self.place != Place::Naming {
            self.history.push(&line);
        }
        self.say(&line);
    }

    /// Whether the line would do here what it was not begun for: reach a partner, miss one, or
    /// answer somebody who asked since.
    fn would_mislead(&self) -> bool {
        match self.place {
            Place::Chatting { .. } => true,
            Place::Asked { .. } => self.begun_at.is_chat() || is_answer(self.editor.text()),
            _ => self.begun_at.is_chat(),
        }
    }

    /// Enter on an empty line sends nothing to a partner; elsewhere it does what is harmless.
    fn submit_nothing(&mut self) {
        match self.place {
            Place::Menu => self.arrived.push(self.transcript.hint(&self.menu)),
            Place::Choosing => self.say(""),
            Place::Nowhere
            | Place::Naming
            | Place::Asking { .. }
            | Place::Asked { .. }
            | Place::Chatting { .. } => {}
        }
    }

    /// Sends a line, and shows it in the transcript as what it is here.
    pub(super) fn say(&mut self, line: &str) {
        let text = line.strip_prefix('/').filter(|rest| rest.starts_with('/')).unwrap_or(line);
        let is_command = is_quit(line) || text.starts_with('/') && text.len() == line.len();
        let shown = match (&self.place, &self.me) {
            (Place::Chatting { .. }, Some(me)) if !is_command => {
                self.transcript.own_message(me, text)
            }
            (place, _) => self.transcript.command(&place.prompt().text(), line),
        };
        self.arrived.push(shown);
        self.unanswered = true;
        self.actions.push_back(Action::Send(line.to_owned()));
    }
}

/// Whether a line answers a request (3.6).
fn is_answer(line: &str) -> bool {
    ["yes", "y", "no", "n"].iter().any(|word| line.trim().eq_ignore_ascii_case(word))
}

/// Whether a line ends a chat (3.7.2).
pub(super) fn is_quit(line: &str) -> bool {
    let word = line.trim();
    word.eq_ignore_ascii_case("quit") || word.eq_ignore_ascii_case("/quit")
}
