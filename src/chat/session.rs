//! What a session is: every state of `protocol.md` 3 is a variant that holds just what it needs.

use compact_str::CompactString;

use super::manners::Manners;
use super::name::Name;
use super::rooms::RoomId;
use crate::SessionId;
use crate::time::Time;

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
    pub(super) phase: Phase,
    /// Made when first needed; `None` is the default of it.
    pub(super) manners: Option<Box<Manners>>,
}

/// What a user is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
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
    Asked { by: SessionId, lapses_at: Time, overtook: Overtaken },
    /// Is in a chat.
    Chatting { with: SessionId },
    /// Is in a room, and owes nobody an answer.
    InRoom { room: RoomId },
    /// Was asked by somebody while in a room, and stays there (6.7).
    AskedInRoom { by: SessionId, lapses_at: Time, room: RoomId },
}

/// Which prompt a request overtook: the line on its way may be the answer to that one (3.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overtaken {
    Menu,
    Whom,
}

/// What a user is seen to be doing by others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pursuit<'a> {
    Available,
    Busy,
    Asking(&'a Name),
    AskedBy(&'a Name),
    ChattingWith(&'a Name),
    InRoom { room: &'a Name, busy: bool },
}

impl Phase {
    /// The menu, with nothing on its way.
    pub(super) const MENU: Phase = Phase::Menu { missed_request: false };

    /// The room one is in, asked there or not.
    pub(super) fn room(self) -> Option<RoomId> {
        match self {
            Phase::InRoom { room } | Phase::AskedInRoom { room, .. } => Some(room),
            Phase::Menu { .. }
            | Phase::Choosing
            | Phase::Asking { .. }
            | Phase::Asked { .. }
            | Phase::Chatting { .. } => None,
        }
    }

    /// Who waits for an answer.
    pub(super) fn asked_by(self) -> Option<SessionId> {
        match self {
            Phase::Asked { by, .. } | Phase::AskedInRoom { by, .. } => Some(by),
            Phase::Menu { .. }
            | Phase::Choosing
            | Phase::Asking { .. }
            | Phase::Chatting { .. }
            | Phase::InRoom { .. } => None,
        }
    }
}

impl User {
    pub(super) fn is_busy(&self) -> bool {
        self.manners.as_ref().is_some_and(|manners| manners.busy)
    }

    pub(super) fn ignores(&self, folded_name: &str) -> bool {
        self.manners.as_ref().is_some_and(|manners| manners.ignores(folded_name))
    }

    /// Whether this user does not read who joins and leaves a room (6.11).
    pub(super) fn is_quiet(&self) -> bool {
        self.manners.as_ref().is_some_and(|manners| manners.quiet)
    }

    /// Whether a line of this user may have been meant for a partner who has just ended their chat.
    pub(super) fn is_just_parted(&self, now: Time) -> bool {
        let until = self.manners.as_ref().and_then(|manners| manners.parted_until);
        until.is_some_and(|until| now < until)
    }

    /// The folded names of those this user ignores.
    pub(super) fn ignored(&self) -> &[CompactString] {
        self.manners.as_ref().map_or(&[], |manners| manners.ignored())
    }

    /// Seconds before this user may ask the one of that folded name again (4.3).
    pub(super) fn cooling_seconds(&self, now: Time, folded_name: &str) -> Option<u64> {
        self.manners.as_ref()?.cooling_seconds(now, folded_name)
    }

    pub(super) fn manners_mut(&mut self) -> &mut Manners {
        self.manners.get_or_insert_default()
    }
}
