//! What Enter does: whether a line goes out, and how it looks once it has.

use super::super::place::Place;
use super::meaning::{Meaning, is_answer, is_answer_in_room, meaning};
use super::{Action, Desk, Link};

impl Desk {
    pub(super) fn submit(&mut self) {
        let Link::Up { .. } = self.link else { return };
        if self.editor.is_empty() {
            return self.submit_nothing();
        }
        if self.begun_at != self.place
            && let Some(warning) = self.warning()
        {
            self.notice(&warning);
            self.begun_at = self.place.clone();
            return;
        }
        let line = self.editor.take();
        if self.place != Place::Naming {
            self.history.push(&line);
        }
        self.say(&line);
    }

    /// What to say if the line would do here what it was not begun for: reach a partner or a room,
    /// miss one, or answer somebody who asked since.
    fn warning(&self) -> Option<String> {
        let line = self.editor.text();
        let misleads = match &self.place {
            Place::Chatting { .. } => true,
            Place::Room { asked_by, .. } if self.begun_at.is_same(&self.place) => {
                let by = asked_by.as_ref().filter(|_| is_answer_in_room(line))?;
                return Some(format!("It is {by} who asks now; Enter again answers"));
            }
            Place::Room { .. } => true,
            Place::Asked { .. } => self.begun_at.is_heard() || is_answer(line),
            Place::Nowhere
            | Place::Naming
            | Place::Menu
            | Place::Choosing
            | Place::Asking { .. } => self.begun_at.is_heard(),
        };
        let (then, now) = (self.begun_at.words(), self.place.words());
        misleads.then(|| format!("This line was for {then}; Enter again sends it to {now}"))
    }

    /// Enter on an empty line sends nothing to anybody; elsewhere it does what is harmless.
    fn submit_nothing(&mut self) {
        match self.place {
            Place::Menu => self.arrived.push(self.transcript.hint(&self.menu)),
            Place::Choosing => self.say(""),
            Place::Nowhere
            | Place::Naming
            | Place::Asking { .. }
            | Place::Asked { .. }
            | Place::Chatting { .. }
            | Place::Room { .. } => {}
        }
    }

    /// Sends a line, and shows it in the transcript as what it is here, unless the server will say
    /// it to us as well.
    pub(super) fn say(&mut self, line: &str) {
        let shown = match (meaning(&self.place, line), &self.me) {
            (Meaning::Echoed, _) => None,
            (Meaning::Told(text), Some(me)) => Some(self.transcript.own_message(me, text)),
            (Meaning::Told(_) | Meaning::Command, _) => {
                Some(self.transcript.command(&self.place.prompt().text(), line))
            }
        };
        self.arrived.extend(shown);
        self.unanswered = true;
        self.actions.push_back(Action::Send(line.to_owned()));
    }
}
