//! How the prompt shows lines that are on their way, and how waiting lines are sent or dropped.
//!
//! `submit` puts messages into [`Sending`](crate::client::ui::sending::Sending); this module takes
//! them out. The prompt of a room shows a message without an echo only after a second, because most
//! echoes come sooner.

use super::input_kind::text_of;
use super::{Action, Confirmation, Link, StateMachine, count};
use crate::client::ui::client_state::ClientState;
use crate::client::ui::color::Paint;
use crate::client::ui::prompt::Prompt;
use crate::client::ui::sending::Proof;
use crate::core::limits::ECHO_SHOWN_MS;
use crate::core::time::Time;

impl StateMachine {
    /// The kernel has taken all lines. Returns `true` if this makes room for waiting lines.
    pub fn handle_drained(&mut self) -> bool {
        self.sending.handle_drained();
        self.send_waiting();
        !self.actions.is_empty()
    }

    /// Whether [`StateMachine::handle_acknowledgement`] would be of use. `has_heard` tells that the
    /// server has said something in this turn: the next time it does so may prove something.
    #[must_use]
    pub fn wants_acknowledgement(&self, has_heard: bool) -> bool {
        (has_heard || self.sending.is_stuck()) && self.sending.wants_acknowledgement()
    }

    /// The server's kernel has received all sent bytes but the last `unacknowledged`.
    pub fn handle_acknowledgement(&mut self, unacknowledged: usize) {
        self.sending.handle_acknowledgement(unacknowledged);
    }

    /// Sends the waiting lines that may go now. A message to a partner is shown when it goes; a
    /// room echoes it.
    pub(super) fn send_waiting(&mut self) {
        let Link::Up { .. } = self.link else { return };
        while let Some(line) = self.sending.next(self.now) {
            if line.proof == Proof::Delivery {
                let me = self.username.as_deref().unwrap_or_default();
                let text = text_of(&line.line);
                self.log.add_sent(&format!("{me}: "), &text);
                self.pending_lines.push(self.transcript.own_message(me, &text));
            }
            self.actions.push_back(Action::Send(line.line.clone()));
        }
        self.finish_when_sent();
    }

    /// Drops the waiting lines. The user can have them back with arrow-up.
    pub(super) fn drop_waiting(&mut self) {
        let recipient = self.state.recipient();
        let lines = self.sending.take_waiting();
        self.keep_unsent(lines, &recipient);
    }

    /// When the prompt must show that messages have no echo yet, or that waiting lines are stuck.
    pub(super) fn pending_due(&self, now: Time) -> Option<Time> {
        let due = self.sending.unechoed_since()?.after_ms(ECHO_SHOWN_MS);
        (due > now).then_some(due)
    }

    /// The prompt of the session, with the number of lines that are on their way.
    pub(super) fn sending_prompt(&self, now: Time) -> Prompt {
        let waiting = self.sending.waiting();
        let since = self.sending.unechoed_since();
        let is_late = since.is_some_and(|since| now.ms_since(since) >= ECHO_SHOWN_MS);
        if waiting == 0 && !is_late {
            return self.state.prompt();
        }
        let label = self.state.prompt().label().to_owned();
        let number = self.sending.pending();
        let hint = if waiting == 0 { "" } else { ", Ctrl-C drops them" };
        Prompt::new(&format!("{label} ({number} waiting{hint})"), Paint::Notice)
            .or_short(&format!("{number} waiting"))
    }

    /// The prompt of a confirmation.
    pub(super) fn question(&self, confirmation: &Confirmation) -> Prompt {
        let question = match confirmation {
            Confirmation::Leave if self.unsent.is_empty() => "Leave? y/n".to_owned(),
            Confirmation::Leave => {
                format!("{} not sent. Leave? y/n", count(self.unsent.len(), "line"))
            }
            Confirmation::DropWaiting { .. } => {
                let place = match self.state {
                    ClientState::Room { .. } => self.state.recipient(),
                    _ => "the chat".to_owned(),
                };
                let number = self.sending.waiting();
                format!("Drop {number} waiting and leave {place}? y/n")
            }
            Confirmation::Send { lines, .. } => {
                let lines = count(lines.len(), "line");
                format!("Send {lines} to {}? y/n", self.state.recipient())
            }
        };
        Prompt::new(&question, Paint::Notice).or_short("y/n")
    }
}
