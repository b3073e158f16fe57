//! What a session is: every state of `protocol.md` 3 is a variant that holds just what it needs.

use compact_str::CompactString;

use super::name::Name;
use super::rooms::RoomId;
use super::user_options::UserOptions;
use crate::core::SessionId;
use crate::core::time::Time;

/// One connection's conversation, from its arrival until it is forgotten.
#[derive(Debug)]
pub(super) enum Session {
    /// Has not given a username yet, and must before this moment.
    Naming { until: Time },
    /// Is one of those who are here.
    User(User),
    /// Is over; the name it had is kept for the log while the connection closes.
    Over { name: Option<Name> },
}

/// A session that has a username.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Name,
    pub(super) phase: UserState,
    /// Made when first needed; `None` is the default of it.
    pub(super) options: Option<Box<UserOptions>>,
}

/// What a user is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserState {
    /// At the menu.
    Menu {
        /// A request to this user ended, and they may have answered before they could know
        /// (3.6.5). Until their next line.
        missed_request: bool,
    },
    /// Was asked "Chat with whom?".
    Choosing,
    /// Asked somebody, and waits.
    Asking { whom: SessionId, lapses_at: Time },
    /// Was asked by somebody at a prompt, and owes an answer.
    Asked { by: SessionId, lapses_at: Time, interrupted: InterruptedPrompt },
    /// Is in a chat.
    Chatting { with: SessionId },
    /// Is in a room, and owes nobody an answer.
    InRoom { room: RoomId },
    /// Was asked by somebody while in a room, and stays there (6.7).
    AskedInRoom { by: SessionId, lapses_at: Time, room: RoomId },
}

/// Which prompt a request interrupted: the line on its way may be the answer to that one (3.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InterruptedPrompt {
    Menu,
    Whom,
}

impl UserState {
    /// The menu, with nothing on its way.
    pub(super) const MENU: UserState = UserState::Menu { missed_request: false };

    /// The room one is in, asked there or not.
    pub(super) fn room(self) -> Option<RoomId> {
        match self {
            UserState::InRoom { room } | UserState::AskedInRoom { room, .. } => Some(room),
            UserState::Menu { .. }
            | UserState::Choosing
            | UserState::Asking { .. }
            | UserState::Asked { .. }
            | UserState::Chatting { .. } => None,
        }
    }

    /// Who waits for an answer.
    pub(super) fn asked_by(self) -> Option<SessionId> {
        match self {
            UserState::Asked { by, .. } | UserState::AskedInRoom { by, .. } => Some(by),
            UserState::Menu { .. }
            | UserState::Choosing
            | UserState::Asking { .. }
            | UserState::Chatting { .. }
            | UserState::InRoom { .. } => None,
        }
    }
}

impl User {
    pub(super) fn is_busy(&self) -> bool {
        self.options.as_ref().is_some_and(|options| options.busy)
    }

    pub(super) fn ignores(&self, folded_name: &str) -> bool {
        self.options.as_ref().is_some_and(|options| options.ignores(folded_name))
    }

    /// Whether this user does not read who joins and leaves a room (6.11).
    pub(super) fn is_quiet(&self) -> bool {
        self.options.as_ref().is_some_and(|options| options.quiet)
    }

    /// Whether a line of this user may have been meant for a partner who has just ended their chat.
    pub(super) fn chat_just_ended(&self, now: Time) -> bool {
        let until = self.options.as_ref().and_then(|options| options.no_room_until);
        until.is_some_and(|until| now < until)
    }

    /// The folded names of those this user ignores.
    pub(super) fn ignored(&self) -> &[CompactString] {
        self.options.as_ref().map_or(&[], |options| options.ignored())
    }

    /// Seconds before this user may ask the one of that folded name again (4.3).
    pub(super) fn cooldown_seconds(&self, now: Time, folded_name: &str) -> Option<u64> {
        self.options.as_ref()?.cooldown_seconds(now, folded_name)
    }

    pub(super) fn options_mut(&mut self) -> &mut UserOptions {
        self.options.get_or_insert_default()
    }
}
