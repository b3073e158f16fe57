//! What Enter does: whether a line goes out, and how it looks once it has.

use super::input_kind::{InputKind, input_kind, is_answer, is_answer_in_room};
use super::{Action, Link, StateMachine};
use crate::client::ui::client_state::ClientState;
use crate::core::framing::text;

impl StateMachine {
    pub(super) fn submit(&mut self) {
        let Link::Up { .. } = self.link else { return };
        if self.editor.is_empty() {
            return self.submit_nothing();
        }
        if self.begun_at != self.state
            && let Some(warning) = self.warning()
        {
            self.notice(&warning);
            self.begun_at = self.state.clone();
            return;
        }
        // As the server cleans it: the line is then shown as its readers see it.
        let line = text::clean(&self.editor.take()).into_owned();
        if self.state != ClientState::Naming {
            self.history.push(&line);
        }
        self.say(&line);
    }

    /// What to say if the line would do here what it was not begun for: reach a partner or a room,
    /// miss one, or answer somebody who asked since.
    fn warning(&self) -> Option<String> {
        let line = self.editor.text();
        let misleads = match &self.state {
            ClientState::Chatting { .. } => true,
            ClientState::Room { asked_by, .. } if self.begun_at.is_same(&self.state) => {
                let by = asked_by.as_ref().filter(|_| is_answer_in_room(line))?;
                return Some(format!("It is {by} who asks now; Enter again answers"));
            }
            ClientState::Room { .. } => true,
            ClientState::Asked { .. } => self.begun_at.is_heard() || is_answer(line),
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Menu
            | ClientState::Choosing
            | ClientState::Asking { .. } => self.begun_at.is_heard(),
        };
        let (then, now) = (self.begun_at.words(), self.state.words());
        misleads.then(|| format!("This line was for {then}; Enter again sends it to {now}"))
    }

    /// Enter on an empty line sends nothing to anybody; elsewhere it does what is harmless.
    fn submit_nothing(&mut self) {
        match self.state {
            ClientState::Menu => self.arrived.push(self.transcript.hint(&self.menu)),
            ClientState::Choosing => self.say(""),
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Asking { .. }
            | ClientState::Asked { .. }
            | ClientState::Chatting { .. }
            | ClientState::Room { .. } => {}
        }
    }

    /// Sends a line, and shows it in the transcript as what it is here, unless the server will say
    /// it to us as well.
    pub(super) fn say(&mut self, line: &str) {
        let shown = match (input_kind(&self.state, line), &self.me) {
            (InputKind::Echoed, _) => None,
            (InputKind::Told(text), Some(me)) => Some(self.transcript.own_message(me, text)),
            (InputKind::Told(_) | InputKind::Command, _) => {
                Some(self.transcript.command(&self.state.prompt().text(), line))
            }
        };
        self.arrived.extend(shown);
        self.unanswered = true;
        self.actions.push_back(Action::Send(line.to_owned()));
    }
}
