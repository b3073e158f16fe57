//! How the state machine handles Enter: whether a line is sent, and how it looks in the transcript.
//!
//! `key_handling` and `paste` call this module. The line goes to the event loop as an action; this
//! module does not know whether or when the socket takes it.

use super::input_kind::{
    InputKind, input_kind, is_answer, is_answer_in_room, leaves, leaves_server, text_of,
};
use super::{Action, Confirmation, Link, StateMachine};
use crate::client::ui::client_state::ClientState;
use crate::client::ui::sending::{Place, Proof};
use crate::core::framing::text;
use crate::core::limits::LINE_BYTES_MAX;

impl StateMachine {
    /// Sends the line in the editor. If the state has changed since the line was started, the first
    /// Enter may only warn; the second Enter sends.
    pub(super) fn submit(&mut self) {
        if self.answer_trust() || self.answer_locally() || self.may_rename() {
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
        let line = text::clean(self.editor.text()).into_owned();
        if line.len() > LINE_BYTES_MAX {
            return self.offer_parts(&line);
        }
        if !self.sending.has_room(line.len()) {
            return self.notice("Not taken: too many lines are waiting already");
        }
        drop(self.editor.take());
        // A username would only be in the way at later prompts.
        if self.state != ClientState::Naming {
            self.history.push(&line);
        }
        let is_leaving = leaves(&self.state, &line) || leaves_server(&self.state, &line);
        if self.sending.waiting() > 0 && is_leaving {
            self.confirmation = Some(Confirmation::DropWaiting { command: line });
        } else {
            self.send_line(&line);
            self.point_to_keys(&line);
        }
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
            | ClientState::Password { .. }
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
            | ClientState::Password { .. }
            | ClientState::Asking { .. }
            | ClientState::Asked { .. }
            | ClientState::Chatting { .. }
            | ClientState::Room { .. } => {}
        }
    }

    /// Sends a line. A message may have to wait for the lines before it.
    pub(super) fn send_line(&mut self, line: &str) {
        let proof = match input_kind(&self.state, line) {
            InputKind::EchoedMessage => Proof::Echo(text_of(line)),
            InputKind::Message => Proof::Delivery,
            InputKind::Command => return self.send_command(line),
        };
        self.sending.push(line.to_owned(), proof);
        self.send_waiting();
    }

    /// Sends a command at once and shows it. It does not wait for the messages that wait: an answer
    /// to a request would come too late.
    pub(super) fn send_command(&mut self, line: &str) {
        let prompt = self.state.prompt().text();
        self.log.add_sent(&prompt, line);
        self.pending_lines.push(self.transcript.command(&prompt, line));
        self.has_just_entered = false;
        // A username is not worth an offer after a lost connection: the client has it anyway.
        if self.state != ClientState::Naming {
            let leaves = match line {
                _ if leaves_server(&self.state, line) => Some(Place::Server),
                _ if leaves(&self.state, line) => Some(Place::Conversation),
                _ => None,
            };
            let proof = Proof::Reply { leaves };
            self.sending.sent(line.to_owned(), proof, self.now);
        }
        self.actions.push_back(Action::Send(line.to_owned()));
    }
}
