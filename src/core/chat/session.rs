//! The states of a session (`protocol.md` 4). Each state is one enum variant and holds exactly the
//! data that the state needs; a state with missing or stale data cannot be written down.
//!
//! Only `roster` changes a state. The other modules read it.

use compact_str::CompactString;

use super::name::Name;
use super::rooms::RoomId;
use super::user_options::UserOptions;
use crate::core::SessionId;
use crate::core::time::Time;

/// One connection's conversation, from connecting until the server has forgotten the id.
#[derive(Debug)]
pub(super) enum Session {
    /// Has no username yet, and ends at `until` without one (4.2.4).
    Naming { until: Time },
    /// Has a username.
    User(User),
    /// Has ended, but the connection is still closing. The log needs the name until then.
    Over { name: Option<Name> },
}

/// A session that has a username.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Name,
    pub(super) state: UserState,
    /// Allocated at the first change; `None` means the defaults. Most users never change an option,
    /// and an idle user should cost little memory.
    pub(super) options: Option<Box<UserOptions>>,
}

/// What a user is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserState {
    /// At the menu.
    Menu {
        /// A request to this user ended without their answer. A late `yes` or `no` may be on its
        /// way and must not count as a choice from the menu (4.6.5). The next line clears the flag.
        request_just_ended: bool,
    },
    /// At the prompt "Chat with whom?".
    Choosing,
    /// Asked another user and waits for the answer until `lapses_at`.
    Asking { asked: SessionId, lapses_at: Time },
    /// Was asked at a prompt and owes `asker` an answer. `lapses_at` is equal on both sides.
    Asked { asker: SessionId, lapses_at: Time, interrupted: InterruptedPrompt },
    /// In a chat.
    Chatting { partner: SessionId },
    /// In a room, and nobody waits for an answer.
    InRoom { room: RoomId },
    /// Was asked in a room, and stays a member until the answer is yes (4.8.6).
    AskedInRoom { asker: SessionId, lapses_at: Time, room: RoomId },
}

/// The prompt that a request interrupted. The user may have sent the next line before the request
/// arrived. The line may therefore answer the interrupted prompt (4.6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InterruptedPrompt {
    /// The menu, or none: nothing special about the next line.
    Menu,
    /// "Chat with whom?". If the next line is the asker's name, both users want the same chat.
    PartnerName,
}

impl UserState {
    /// At the menu, with no answer to a request on its way.
    pub(super) const MENU: UserState = UserState::Menu { request_just_ended: false };

    /// The room that the user is a member of.
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

    /// The user who waits for this user's answer.
    pub(super) fn asker(self) -> Option<SessionId> {
        match self {
            UserState::Asked { asker, .. } | UserState::AskedInRoom { asker, .. } => Some(asker),
            UserState::Menu { .. }
            | UserState::Choosing
            | UserState::Asking { .. }
            | UserState::Chatting { .. }
            | UserState::InRoom { .. } => None,
        }
    }
}

/// Reads options without allocating them.
impl User {
    pub(super) fn is_busy(&self) -> bool {
        self.options.as_ref().is_some_and(|options| options.busy)
    }

    pub(super) fn ignores(&self, folded_name: &str) -> bool {
        self.options.as_ref().is_some_and(|options| options.ignores(folded_name))
    }

    /// Whether the user hides joins and leavings in rooms (4.8.9).
    pub(super) fn is_quiet(&self) -> bool {
        self.options.as_ref().is_some_and(|options| options.quiet)
    }

    /// Whether the user may not enter a room yet (7.20): the partner has just ended a chat, and the
    /// user's next lines may have been typed for that partner.
    pub(super) fn must_wait_for_room(&self, now: Time) -> bool {
        let until = self.options.as_ref().and_then(|options| options.no_room_until);
        until.is_some_and(|until| now < until)
    }

    /// The folded names on the ignore list, in order.
    pub(super) fn ignored(&self) -> &[CompactString] {
        self.options.as_ref().map_or(&[], |options| options.ignored())
    }

    /// Seconds, rounded up, until this user may ask the user of that folded name again (5.7.1).
    pub(super) fn cooldown_seconds(&self, now: Time, folded_name: &str) -> Option<u64> {
        self.options.as_ref()?.cooldown_seconds(now, folded_name)
    }

    pub(super) fn options_mut(&mut self) -> &mut UserOptions {
        self.options.get_or_insert_default()
    }
}
