//! How the state machine handles Enter: whether a line is sent, and how it looks in the transcript.
//!
//! `key_handling` and `paste` call this module. The line goes to the event loop as an action; this
//! module does not know whether or when the socket takes it.

use super::input_kind::{InputKind, input_kind, is_answer, is_answer_in_room};
use super::{Action, Link, StateMachine};
use crate::client::ui::client_state::ClientState;
use crate::core::framing::text;

impl StateMachine {
    /// Sends the line in the editor. If the state has changed since the line was started, the first
    /// Enter may only warn; the second Enter sends.
    pub(super) fn submit(&mut self) {
        if self.answer_locally() {
            return;
        }
        // Without a connection the line stays in the editor, where the user can see it.
        let Link::Up { .. } = self.link else { return };
        if self.editor.is_empty() {
            return self.submit_nothing();
        }
        if self.draft_state != self.state
            && let Some(warning) = self.warning()
        {
            self.notice(&warning);
            // The next Enter sends the line, unless the state changes once more.
            self.draft_state = self.state.clone();
            return;
        }
        // Cleaned as the server cleans it: the line is then shown as its readers see it.
        let line = text::clean(&self.editor.take()).into_owned();
        // A username would only be in the way at later prompts.
        if self.state != ClientState::Naming {
            self.history.push(&line);
        }
        self.send_line(&line);
        self.point_to_keys(&line);
    }

    /// The warning to show if the line has another effect in this state than the user intended: it
    /// reaches other users, no longer reaches them, or answers a request that came later. `None`
    /// means that the line may go: a warning for a harmless line would train users to ignore it.
    fn warning(&self) -> Option<String> {
        let line = self.editor.text();
        let is_risky = match &self.state {
            // A partner would read a line that was meant for the server or for others.
            ClientState::Chatting { .. } => true,
            ClientState::Room { asked_by, .. }
                if self.draft_state.has_same_recipients(&self.state) =>
            {
                let by = asked_by.as_ref().filter(|_| is_answer_in_room(line))?;
                return Some(format!("It is {by} who asks now; Enter again answers"));
            }
            ClientState::Room { .. } => true,
            // A request that arrives while the user types must not be answered by accident.
            ClientState::Asked { .. } => self.draft_state.reaches_others() || is_answer(line),
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Menu
            | ClientState::Choosing
            | ClientState::Asking { .. } => self.draft_state.reaches_others(),
        };
        let (then, now) = (self.draft_state.recipient(), self.state.recipient());
        is_risky.then(|| format!("This line was for {then}; Enter again sends it to {now}"))
    }

    /// Handles Enter on an empty line. It never sends an empty message. At the menu it shows the
    /// choices again, and at the prompt for a partner it returns to the menu (4.4.2).
    fn submit_nothing(&mut self) {
        match self.state {
            ClientState::Menu => self.pending_lines.push(self.transcript.hint(&self.menu)),
            ClientState::Choosing => self.send_line(""),
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Asking { .. }
            | ClientState::Asked { .. }
            | ClientState::Chatting { .. }
            | ClientState::Room { .. } => {}
        }
    }

    /// Sends a line and shows it in the transcript, unless the server will echo the line: the echo
    /// has the place of the line among the messages of the room (6.2.1).
    pub(super) fn send_line(&mut self, line: &str) {
        match (input_kind(&self.state, line), &self.username) {
            (InputKind::EchoedMessage, _) => {}
            (InputKind::Message(text), Some(me)) => {
                self.log.add_sent(&format!("{me}: "), text);
                self.pending_lines.push(self.transcript.own_message(me, text));
            }
            (InputKind::Message(_) | InputKind::Command, _) => {
                let prompt = self.state.prompt().text();
                self.log.add_sent(&prompt, line);
                self.pending_lines.push(self.transcript.command(&prompt, line));
            }
        }
        self.unanswered = true;
        self.actions.push_back(Action::Send(line.to_owned()));
    }
}
