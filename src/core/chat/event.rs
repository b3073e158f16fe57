//! Events: what happened in the chat, as plain data.

use crate::core::SessionId;

use super::rooms::RoomId;

/// Something that came about, for those who look after the server. Never what people say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A session has taken its username.
    Named(SessionId),
    /// Somebody asked somebody.
    Asked {
        /// The asker.
        by: SessionId,
        /// The asked.
        whom: SessionId,
    },
    /// A request came to nothing.
    Unanswered {
        /// The asker.
        by: SessionId,
        /// The asked.
        whom: SessionId,
        /// How it ended.
        how: RequestEnd,
    },
    /// A chat began.
    Paired {
        /// The asker.
        by: SessionId,
        /// The asked.
        with: SessionId,
    },
    /// A chat ended.
    Parted {
        /// Who ended it.
        by: SessionId,
        /// Who is left.
        from: SessionId,
    },
    /// A user entered a room.
    Joined {
        /// The user.
        who: SessionId,
        /// The room.
        room: RoomId,
    },
    /// A user is in a room no more.
    LeftRoom {
        /// The user.
        who: SessionId,
        /// The room.
        room: RoomId,
    },
    /// A session is over.
    Left {
        /// Whose.
        who: SessionId,
        /// Why.
        why: DisconnectReason,
    },
    /// The moment that an operator set has come: every session is over, and the server stops.
    StopIsDue,
}

/// How a request ended without a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestEnd {
    /// The asked said no.
    Declined,
    /// The asker took it back.
    Withdrawn,
    /// Nobody said anything in time.
    Lapsed,
    /// The asker's session is over.
    AskerLeft(DisconnectReason),
    /// The asked's session is over.
    AskedLeft(DisconnectReason),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectReason {
    /// They chose to leave.
    Exit,
    /// The client ended its half of the connection.
    HungUp,
    /// The connection failed.
    Lost,
    /// No username came in time (5.5).
    Nameless,
    /// It spoke TLS (1.10).
    SpokeTls,
    /// It spoke HTTP (1.10).
    SpokeHttp,
    /// They took nothing for too long (5.15).
    Stalled,
    /// Too much was waiting for them (5.13).
    Overrun,
    /// The server stops.
    Stopping,
    /// An operator removed them.
    Removed,
    /// An operator bans where they come from.
    Banned,
}

impl DisconnectReason {
    /// Every way to go, each at the place that it has as a number.
    pub const ALL: [DisconnectReason; 11] = [
        DisconnectReason::Exit,
        DisconnectReason::HungUp,
        DisconnectReason::Lost,
        DisconnectReason::Nameless,
        DisconnectReason::SpokeTls,
        DisconnectReason::SpokeHttp,
        DisconnectReason::Stalled,
        DisconnectReason::Overrun,
        DisconnectReason::Stopping,
        DisconnectReason::Removed,
        DisconnectReason::Banned,
    ];
}

/// How an operator puts somebody out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// This session is over.
    Kicked,
    /// So is every other from where it comes.
    Banned,
}

/// How long it is until a stop, as people say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopNotice {
    pub(super) ms: u64,
}
