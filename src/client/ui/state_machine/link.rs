//! What the fate of the connection does.

use std::mem;

use super::{Action, Leaving, StateMachine, count};
use crate::client::options::Server;
use crate::client::ui::backoff::CountDown;
use crate::client::ui::client_state::ClientState;
use crate::core::time::Time;

/// The state of the connection, as a person would tell it.
#[derive(Debug)]
pub(super) enum Link {
    /// Being made; `again` if there was one before.
    Connecting {
        /// There was one before.
        again: bool,
        /// A key cut this wait short: it goes on, if nothing comes of it.
        waiting: Option<CountDown>,
    },
    /// There.
    Up {
        /// The wanted name has been sent without asking.
        name_tried: bool,
        /// The server has said goodbye.
        over: bool,
    },
    /// Lost. It is tried again when the time has come, if there is one, or at a key.
    Lost(Option<CountDown>),
}

impl StateMachine {
    /// The time has come that [`StateMachine::poll_timeout`] told.
    pub fn handle_timeout(&mut self, now: Time) {
        if let Link::Lost(Some(wait)) = self.link
            && wait.is_over(now)
        {
            self.connect();
        }
    }

    /// The connection is there.
    pub fn handle_connected(&mut self) {
        if let Link::Connecting { again: true, .. } = self.link {
            self.notice("Connected again");
        }
        self.failure.clear();
        self.link = Link::Up { name_tried: false, over: false };
    }

    /// No connection could be made.
    pub fn handle_failure(&mut self, reason: &str, now: Time) {
        if let Link::Connecting { again: false, .. } = self.link {
            let failed = cannot_connect(&self.setup.server, reason);
            self.actions.push_back(Action::Leave(Leaving::Failed(failed)));
            return;
        }
        if self.failure != reason {
            self.notice(&format!("Still not connected: {reason}"));
            reason.clone_into(&mut self.failure);
        }
        let wait = match self.link {
            Link::Connecting { waiting: Some(wait), .. } if !wait.is_over(now) => wait,
            _ => self.backoff.next(now),
        };
        self.link = Link::Lost(Some(wait));
    }

    /// The connection has ended, and `unsent` had not left.
    pub fn handle_loss(&mut self, reason: &str, mut unsent: Vec<String>, now: Time) {
        if let ClientState::Room { room, .. } = mem::take(&mut self.state) {
            self.lost_room = Some(room);
        }
        self.void_question();
        self.take_back_unsent(&mut unsent);
        if let Link::Up { over: true, .. } = self.link {
            self.actions.push_back(Action::Leave(Leaving::Wished));
            return;
        }
        self.notice(&format!("Connection lost: {reason}"));
        self.keep_unsent(unsent);
        if !self.setup.reconnects {
            let lost = format!("the connection was lost: {reason}");
            self.actions.push_back(Action::Leave(Leaving::Failed(lost)));
        } else if self.me.is_some() {
            self.notice("Connecting again by itself; a key tries at once");
            self.link = Link::Lost(Some(self.backoff.next(now)));
        } else {
            // Without a username there is nothing to come back to, and a server that closes
            // because none was given would be asked again for ever.
            self.notice("A key connects again");
            self.link = Link::Lost(None);
        }
    }

    /// The client is about to leave, and so many lines had not left.
    pub fn handle_leaving(&mut self, unsent: usize) {
        if unsent > 0 {
            self.notice(&format!("{} not sent", count(unsent, "line")));
        }
    }

    /// Takes back what the loop has not even been given: it must not go over the next connection.
    fn take_back_unsent(&mut self, unsent: &mut Vec<String>) {
        for action in mem::take(&mut self.actions) {
            match action {
                Action::Send(line) => unsent.push(line),
                other => self.actions.push_back(other),
            }
        }
    }

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

    pub(super) fn connect(&mut self) {
        let waiting = match self.link {
            Link::Lost(wait) => wait,
            Link::Connecting { .. } | Link::Up { .. } => None,
        };
        self.link = Link::Connecting { again: true, waiting };
        self.actions.push_back(Action::Connect);
    }
}

/// The words for a connection that could not be made.
pub(in crate::client) fn cannot_connect(server: &Server, reason: &str) -> String {
    format!("cannot connect to {server}: {reason}")
}
