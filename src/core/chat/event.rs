//! Events: facts about the chat as plain data, for the log, the metrics and the operator.
//!
//! `Chat` reports an event through `Output::Report`; the server logs and counts the event.
//! This module knows no wording and no output. `wording` depends on this module, never the reverse.

use crate::core::SessionId;

use super::rooms::RoomId;

/// A fact about the chat. An event never carries text that a user typed: the log must not contain
/// private messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A session gave a wrong password.
    WrongPassword(SessionId),
    /// A user made an account, gave it another password, or removed it.
    AccountChanged(SessionId),
    /// A session took a username and became a user.
    Named(SessionId),
    /// A user asked another user to chat.
    Asked {
        /// The asker.
        by: SessionId,
        /// The user who was asked.
        whom: SessionId,
    },
    /// A request ended without a chat.
    Unanswered {
        /// The asker.
        by: SessionId,
        /// The user who was asked.
        whom: SessionId,
        /// How the request ended.
        how: RequestEnd,
    },
    /// A chat began.
    Paired {
        /// The asker.
        by: SessionId,
        /// The user who accepted.
        with: SessionId,
    },
    /// A chat ended.
    Parted {
        /// The user who ended the chat.
        by: SessionId,
        /// The partner who remains.
        from: SessionId,
    },
    /// A user entered a room.
    Joined {
        /// The user.
        who: SessionId,
        /// The room.
        room: RoomId,
    },
    /// A user left a room, by choice or because the session ended.
    LeftRoom {
        /// The user.
        who: SessionId,
        /// The room.
        room: RoomId,
    },
    /// A session ended.
    Left {
        /// The session.
        who: SessionId,
        /// Why the session ended.
        why: DisconnectReason,
    },
    /// The time of a planned stop has come. All sessions are over and the server must stop.
    StopIsDue,
}

/// How a request ended without a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestEnd {
    /// The asked user said no (4.6.3).
    Declined,
    /// The asker took the request back (4.5.2).
    Withdrawn,
    /// No answer came within `Limits::ask_ms` (4.5.3).
    Lapsed,
    /// The asker's session ended (4.9.2).
    AskerLeft(DisconnectReason),
    /// The asked user's session ended (4.9.2).
    AskedLeft(DisconnectReason),
}

/// Why a session ended. Other users and the log see the reason.
///
/// The number of a variant indexes the departure counters of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The user chose to leave.
    Exit,
    /// The client ended its half of the connection (TCP FIN).
    HungUp,
    /// The connection failed, for example by a TCP reset.
    Lost,
    /// No username came within `Limits::naming_ms` (7.13).
    Nameless,
    /// The client spoke TLS, which this port does not understand (2.4.1).
    SpokeTls,
    /// The client spoke HTTP: a browser or a scanner (2.4.1).
    SpokeHttp,
    /// The client read nothing for `Limits::stall_ms` (7.17).
    Stalled,
    /// The outbox exceeded its limit (7.11).
    Overrun,
    /// The server stops (4.10.4).
    Stopping,
    /// An operator removed the session (8.2.2).
    Removed,
    /// An operator banned the address that the session came from (8.2.3).
    Banned,
    /// The client gave a wrong password too often (4.11.3).
    WrongPassword,
    /// The account signed in on another connection (4.11.4).
    TakenOver,
    /// An operator changed the account whose name the session had (3.4.8).
    AccountChanged,
}

impl DisconnectReason {
    /// Every reason, in declaration order: `ALL[reason as usize] == reason`.
    pub const ALL: [DisconnectReason; 14] = [
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
        DisconnectReason::WrongPassword,
        DisconnectReason::TakenOver,
        DisconnectReason::AccountChanged,
    ];
}

/// How an operator removes a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Ends this session only (`kick`, 7.7).
    Kicked,
    /// Ends this session because its address is banned now (`ban`, 7.8).
    Banned,
}

/// Milliseconds until the server stops. `wording` rounds them to minutes or seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopNotice {
    pub(super) ms: u64,
}
