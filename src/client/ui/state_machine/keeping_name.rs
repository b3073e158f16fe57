//! `--only-name`: somebody else has started the client, such as sshd, and vouches for the username. The user
//! can send no other, and cannot stop the client to get a shell.

use super::{Action, StateMachine};
use crate::client::ui::client_state::ClientState;

impl StateMachine {
    /// Stops the process for Ctrl-Z, unless somebody else has started it.
    pub(super) fn suspend(&mut self) {
        match self.setup.keeps_name {
            true => self.notice("Ctrl-Z is off here"),
            false => self.actions.push_back(Action::Suspend),
        }
    }

    /// Whether a line that is sent now could become a username.
    pub(super) fn may_rename(&self) -> bool {
        self.setup.keeps_name && matches!(self.state, ClientState::Nowhere | ClientState::Naming)
    }

    /// Whether `line` could become another username than the one that the user must keep.
    pub(super) fn would_rename(&self, line: &str) -> bool {
        self.may_rename() && self.setup.name.as_deref() != Some(line)
    }
}
