//! How the state machine keeps a password to itself while the server asks for one (3.4.4).
//!
//! What the user types is not drawn, and enters no history, no log, no undo and no list of lines that
//! may be sent again. When the server asks for something else, what was typed is forgotten: otherwise
//! Enter could send the rest of a password as a message.

use super::{Action, Link, StateMachine};
use crate::client::ui::client_state::ClientState;
use crate::client::ui::editor::Editor;
use crate::client::ui::keys::Key;
use crate::core::framing::text;
use crate::core::limits::LINE_BYTES_MAX;

impl StateMachine {
    /// Whether the server asks for a password.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.state, ClientState::Password { .. })
    }

    /// The state changes. A draft waits until the password is over.
    pub(super) fn guard_secret(&mut self, next: &ClientState) {
        let is_secret_next = matches!(next, ClientState::Password { .. });
        match (self.is_secret(), is_secret_next) {
            (false, true) => {
                self.search = None;
                self.repeated = None;
                if !self.editor.is_empty() {
                    let draft = self.editor.take();
                    match &self.saved_draft {
                        None => self.saved_draft = Some((draft, self.draft_state.clone())),
                        Some(_) => self.history.push(&draft),
                    }
                }
                self.editor = Editor::default();
            }
            (true, false) => {
                self.editor = Editor::default();
                // At the prompt for a username a draft would become the username.
                if *next != ClientState::Naming && *next != ClientState::Nowhere {
                    self.restore_draft();
                }
            }
            (true, true) | (false, false) => {}
        }
    }

    /// Handles a key that would fill the line with other text, or show it. Returns whether it was one.
    pub(super) fn handle_key_in_secret(&mut self, key: &Key) -> bool {
        match key {
            Key::Tab | Key::BackTab | Key::Up | Key::Down => {}
            Key::Control('r' | 'p' | 'n') | Key::Alt('.') => {}
            Key::Paste { text, .. } => {
                // The first line: a password manager may add the line ending.
                let line = text.lines().next().unwrap_or_default().to_owned();
                self.insert(&line);
                return true;
            }
            Key::Enter => {
                self.submit_secret();
                return true;
            }
            _ => return false,
        }
        self.ring_unless(false);
        true
    }

    /// Sends the password, and shows the prompt alone. An empty line goes back (4.11.2).
    fn submit_secret(&mut self) {
        let Link::Up { .. } = self.link else { return };
        // Behind `cancel` the server asks for a username. A line that follows at once would become it.
        if self.setup.keeps_name && self.is_password_sent {
            return;
        }
        self.is_password_sent = true;
        let line = text::clean(self.editor.text()).into_owned();
        self.editor = Editor::default();
        if line.len() > LINE_BYTES_MAX {
            return self.notice("No password is that long; type it again");
        }
        let prompt = self.state.prompt().text();
        self.log.add_sent(&prompt, "");
        self.pending_lines.push(self.transcript.command(&prompt, ""));
        self.actions.push_back(Action::Send(line));
    }
}
