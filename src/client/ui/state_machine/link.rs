//! How the state machine handles changes of the connection: open, failed, lost, retried.
//!
//! The event loop reports each change here. Two rules hold: a line goes over no other connection
//! than the one it was typed for, and the user learns about every line that may be lost.

use std::mem;

use super::{Action, Leaving, StateMachine, count};
use crate::client::options::Server;
use crate::client::ui::backoff::CountDown;
use crate::client::ui::client_state::ClientState;
use crate::core::time::Time;

/// The state of the connection, as the prompt shows it.
#[derive(Debug)]
pub(super) enum Link {
    /// An attempt to connect is under way.
    Connecting {
        /// False only for the very first attempt. A failure of that attempt ends the client: the
        /// address is most likely wrong, and a retry would hide that.
        is_retry: bool,
        /// The wait that a key has cut short. If the attempt fails, this wait goes on. Otherwise
        /// each impatient key would lengthen the waits.
        remaining_wait: Option<CountDown>,
    },
    /// The connection is open.
    Up {
        /// The client has already sent the username on its own. If the server asks once more, it
        /// has refused the name, and sending it again would loop.
        name_tried: bool,
        /// The server has said goodbye: the end of this connection is no loss.
        said_goodbye: bool,
    },
    /// There is no connection. The next attempt starts after the wait, if there is a wait, or at a
    /// key.
    Lost(Option<CountDown>),
}

impl StateMachine {
    /// Reconnects if the wait is over. The loop calls this in every turn, so an early call must be
    /// harmless.
    pub fn handle_timeout(&mut self, now: Time) {
        if let Link::Lost(Some(wait)) = self.link
            && wait.is_over(now)
        {
            self.connect();
        }
    }

    /// Handles an open connection. The session starts anew: the server asks for a username.
    pub fn handle_connected(&mut self) {
        if let Link::Connecting { is_retry: true, .. } = self.link {
            self.notice("Connected again");
        }
        self.last_failure.clear();
        self.link = Link::Up { name_tried: false, said_goodbye: false };
    }

    /// Handles a failed attempt to connect: ends the client at the first attempt, else waits.
    pub fn handle_failure(&mut self, reason: &str, now: Time) {
        if let Link::Connecting { is_retry: false, .. } = self.link {
            let failed = cannot_connect(&self.setup.server, reason);
            self.actions.push_back(Action::Leave(Leaving::Failed(failed)));
            return;
        }
        if self.last_failure != reason {
            self.notice(&format!("Still not connected: {reason}"));
            reason.clone_into(&mut self.last_failure);
        }
        let wait = match self.link {
            Link::Connecting { remaining_wait: Some(wait), .. } if !wait.is_over(now) => wait,
            _ => self.backoff.next(now),
        };
        self.link = Link::Lost(Some(wait));
    }

    /// Handles the end of an open connection. `unsent` holds the lines that the kernel has not
    /// taken.
    pub fn handle_loss(&mut self, reason: &str, mut unsent: Vec<String>, now: Time) {
        if let ClientState::Room { room, .. } = mem::take(&mut self.state) {
            self.lost_room = Some(room);
        }
        self.cancel_confirmation();
        self.take_back_unsent(&mut unsent);
        if let Link::Up { said_goodbye: true, .. } = self.link {
            self.actions.push_back(Action::Leave(Leaving::Wished));
            return;
        }
        self.notice(&format!("Connection lost: {reason}"));
        self.keep_unsent(unsent);
        if !self.setup.reconnects {
            let lost = format!("the connection was lost: {reason}");
            self.actions.push_back(Action::Leave(Leaving::Failed(lost)));
        } else if self.username.is_some() {
            self.notice("Connecting again by itself; a key tries at once");
            self.link = Link::Lost(Some(self.backoff.next(now)));
        } else {
            // Without a username there is no session to restore. A server that closes because no
            // username came in time would make the client reconnect for ever.
            self.notice("A key connects again");
            self.link = Link::Lost(None);
        }
    }

    /// Tells the user at the end how many lines were not sent.
    pub fn handle_leaving(&mut self, unsent: usize) {
        if unsent > 0 {
            self.notice(&format!("{} not sent", count(unsent, "line")));
        }
    }

    /// Moves lines that the loop has not fetched yet to `unsent`. The next connection must not
    /// carry them: its first prompt would take a line for a username.
    fn take_back_unsent(&mut self, unsent: &mut Vec<String>) {
        for action in mem::take(&mut self.actions) {
            match action {
                Action::Send(line) => unsent.push(line),
                other => self.actions.push_back(other),
            }
        }
    }

    /// Shows unsent lines and keeps them, in the input history as well: the user decides about them
    /// after the next login.
    pub(super) fn keep_unsent(&mut self, unsent: Vec<String>) {
        if mem::take(&mut self.unanswered) && unsent.is_empty() {
            self.notice("What you sent last may not have arrived");
        }
        if !unsent.is_empty() {
            self.notice(&format!("Not sent: {}", count(unsent.len(), "line")));
        }
        self.quote(&unsent);
        for line in unsent {
            self.history.push(&line);
            self.unsent.push(line);
        }
    }

    /// Starts an attempt to reconnect.
    pub(super) fn connect(&mut self) {
        let remaining_wait = match self.link {
            Link::Lost(wait) => wait,
            Link::Connecting { .. } | Link::Up { .. } => None,
        };
        self.link = Link::Connecting { is_retry: true, remaining_wait };
        self.actions.push_back(Action::Connect);
    }
}

/// The error message of a failed attempt. The pipe prints the same message.
pub(in crate::client) fn cannot_connect(server: &Server, reason: &str) -> String {
    format!("cannot connect to {server}: {reason}")
}
