//! What somebody who watches may see of a session (8.2.12): its state and its deadline.
//!
//! Nothing here tells what a user says.

use super::Chat;
use super::session::{Proof, Session, UserState};
use crate::core::SessionId;
use crate::core::time::Time;

/// A deadline of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionDeadline {
    /// The client must choose a username (7.13).
    Naming,
    /// A request to chat lapses (7.14).
    Answer,
}

impl SessionDeadline {
    /// The word of the deadline in the stream of a watcher.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            SessionDeadline::Naming => "naming",
            SessionDeadline::Answer => "answer",
        }
    }
}

impl Chat {
    /// The name of the session's state, as `protocol.md` 1 has it. `None` without a session.
    #[must_use]
    pub fn state(&self, id: SessionId) -> Option<&'static str> {
        if !self.has_session(id) {
            return None;
        }
        match self.roster.session(id) {
            Session::Naming { .. } => Some("NAMING"),
            Session::SigningIn(_) => Some("SIGNING IN"),
            Session::User(user) => Some(match user.state {
                UserState::Menu { .. } => "MENU",
                UserState::Choosing => "CHOOSING",
                UserState::Asking { .. } => "ASKING",
                UserState::Asked { .. } | UserState::AskedInRoom { .. } => "ASKED",
                UserState::Chatting { .. } => "CHATTING",
                UserState::InRoom { .. } => "IN ROOM",
                UserState::GivingPassword { .. } => "PASSWORD",
            }),
            Session::Over { .. } => None,
        }
    }

    /// The deadline of the session.
    #[must_use]
    pub fn deadline(&self, id: SessionId) -> Option<(SessionDeadline, Time)> {
        if !self.has_session(id) {
            return None;
        }
        match self.roster.session(id) {
            Session::Naming { until, .. } => Some((SessionDeadline::Naming, *until)),
            Session::SigningIn(signing_in) => match signing_in.proof {
                Proof::Awaited { until } => Some((SessionDeadline::Naming, until)),
                Proof::Checked { .. } => None,
            },
            Session::User(user) => match user.state {
                UserState::Asking { lapses_at, .. }
                | UserState::Asked { lapses_at, .. }
                | UserState::AskedInRoom { lapses_at, .. } => {
                    Some((SessionDeadline::Answer, lapses_at))
                }
                UserState::Menu { .. }
                | UserState::Choosing
                | UserState::GivingPassword { .. }
                | UserState::Chatting { .. }
                | UserState::InRoom { .. } => None,
            },
            Session::Over { .. } => None,
        }
    }
}
