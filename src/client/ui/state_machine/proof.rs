//! Which server line proves that a typed line has arrived.
//!
//! The server processes the lines of a connection in order and replies in order. A wrong guess here
//! must err on the safe side: the client then offers a line again that has arrived, and asks first.

use super::StateMachine;
use crate::client::ui::client_state::ClientState;
use crate::client::ui::server_line::{News, Question, ServerLine, is_removal, is_undelivered};

impl StateMachine {
    /// Takes `line` as a proof, if it is one. `self.state` is the state before the line.
    pub(super) fn note_proof(&mut self, line: &ServerLine<'_>) {
        self.sending.confirm_refusal();
        let is_undelivered = matches!(line, ServerLine::Error(text) if is_undelivered(text));
        if !matches!(self.state, ClientState::Chatting { .. }) && !is_undelivered {
            self.sending.handle_chat_end();
        }
        match *line {
            ServerLine::Message { from, text } => self.note_message(from, text),
            ServerLine::Error(text) if is_removal(text) => {}
            ServerLine::Error(text) if is_undelivered => self.note_undelivered(text),
            ServerLine::Error(_) if !self.state.has_prompt() => self.sending.handle_refusal(),
            ServerLine::Error(_) => {}
            // In a state with a prompt every reply ends with the prompt.
            ServerLine::Question(text) => match Question::read(text) {
                Question::Request(_) => {}
                Question::Unknown => self.sending.handle_refusal(),
                _ if self.state.has_prompt() => self.sending.handle_reply(),
                _ => {}
            },
            ServerLine::Information(text) => self.note_news(text),
            // The reply to help has nothing but rows.
            ServerLine::Row(_) if !self.last_was_row => {
                let is_help = |line: &str| line.trim_start_matches('/').starts_with("help");
                if self.sending.unproven().next().is_some_and(|line| is_help(&line.line)) {
                    self.sending.handle_reply();
                }
            }
            ServerLine::Row(_) | ServerLine::Unknown(_) => {}
        }
        self.last_was_row = matches!(line, ServerLine::Row(_));
    }

    fn note_message(&mut self, from: &str, text: &str) {
        let is_own = self.username.as_deref() == Some(from);
        match self.state {
            ClientState::Room { .. } if is_own => self.sending.handle_echo(text),
            ClientState::Chatting { .. } if !self.is_partner_stalled => {
                self.sending.handle_sign_of_life();
            }
            _ => {}
        }
    }

    fn note_news(&mut self, text: &str) {
        let is_about_others = is_about_others(text);
        match News::read(text) {
            News::YouLeft | News::Goodbye => self.sending.handle_leaving(),
            News::Asked(_) | News::Chatting(_) | News::Entered(_) => self.sending.handle_reply(),
            News::Other if self.is_finishing() && !is_about_others => self.sending.handle_all(),
            News::Other if is_about_others => {
                self.is_partner_stalled |= text.contains(" is not reading");
            }
            News::Other if !self.state.has_prompt() => self.sending.handle_reply(),
            News::RequestOver(_) if !self.state.has_prompt() && text.starts_with("You ") => {
                self.sending.handle_reply();
            }
            News::RequestOver(_)
            | News::Hello(_)
            | News::Joined { .. }
            | News::Left { .. }
            | News::Missed
            | News::Other => {}
        }
    }

    /// The partner left before some lines, and the server says how many. It does not say which: the
    /// user is shown all lines without a proof.
    fn note_undelivered(&mut self, text: &str) {
        let lines = self.sending.take_undelivered();
        let number = text.split(' ').next().and_then(|word| word.parse().ok());
        let title = match number.is_some_and(|number| lines.len() > number) {
            true => "Only some of these were delivered",
            false => "Not delivered",
        };
        self.keep_as(title, lines, "your last partner");
    }
}

/// Whether a `*` line tells of other users or of the server, and is no reply.
fn is_about_others(text: &str) -> bool {
    let deeds = ["accepted", "declined", "did not answer", "is not reading"];
    let deed = text.split_once(' ').map_or("", |(_, deed)| deed);
    text.starts_with("The operator ")
        || text.starts_with("The server ")
        || deeds.iter().any(|known| deed.starts_with(known))
}
