//! Writes the events of the chat to the log.
//!
//! The loop calls [`report`] for every event. A line names the users and their addresses, and never
//! contains what a user said: operators read the log, and chats are private.

use std::fmt;

use log::{debug, info};
use slab::Slab;

use super::connection::Connection;
use super::logging::OPERATOR;
use crate::core::SessionId;
use crate::core::chat::{Chat, DisconnectReason, Event, Name, RequestEnd, RoomId};

/// Writes one log line for `event`.
///
/// Requests are at level `debug`, because a user may make many of them; the other events are at
/// `info`.
pub(super) fn report(event: Event, connections: &Slab<Connection>, chat: &Chat) {
    let label = |id: SessionId| SessionLabel { id, connections, chat };
    // The chat may have forgotten the room since: the last member left.
    let room_name = |room: RoomId| chat.room_name(room).map_or("a room", Name::as_str);
    match event {
        Event::Named(id) => info!(target: "chinwag", "{} took the name", label(id)),
        Event::WrongPassword(id) => {
            info!(target: "chinwag", "{} gave a wrong password", label(id))
        }
        Event::AccountChanged(id) => {
            info!(target: "chinwag", "{} changed the account", label(id))
        }
        Event::Asked { by, whom } => {
            debug!(target: "chinwag", "{} asked {}", label(by), label(whom))
        }
        Event::Unanswered { by, whom, how } => {
            debug!(target: "chinwag", "{} asked {}: {how}", label(by), label(whom));
        }
        Event::Paired { by, with } => {
            info!(target: "chinwag", "{} and {} are chatting", label(by), label(with))
        }
        Event::Parted { by, from } => {
            info!(target: "chinwag", "{} ended the chat with {}", label(by), label(from))
        }
        Event::Joined { who: id, room } => {
            info!(target: "chinwag", "{} joined {}", label(id), room_name(room))
        }
        Event::LeftRoom { who: id, room } => {
            info!(target: "chinwag", "{} left {}", label(id), room_name(room));
        }
        // The log names every user that an operator removed, however many they are (8.1.6).
        Event::Left {
            who: id,
            why: why @ (DisconnectReason::Removed | DisconnectReason::Banned),
        } => {
            info!(target: OPERATOR, "{} left: {why}", label(id));
        }
        Event::Left { who: id, why } => info!(target: "chinwag", "{} left: {why}", label(id)),
        Event::StopIsDue => info!(target: "chinwag", "operator: the time is up, stopping"),
    }
}

/// A session as the log names it: the number and address of its connection, and the username if it
/// has one. The number lets an operator follow one connection through the log.
pub(super) struct SessionLabel<'a> {
    /// The session to name.
    pub(super) id: SessionId,
    /// For the number and address.
    pub(super) connections: &'a Slab<Connection>,
    /// For the username.
    pub(super) chat: &'a Chat,
}

/// The log needs no exact wording, so a missing connection or name is left out: a session may have
/// neither by the time that its event is reported.
impl fmt::Display for SessionLabel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(connection) = self.connections.get(self.id.key()) {
            write!(f, "#{} {}", connection.number, connection.peer)?;
        }
        match self.chat.name(self.id) {
            Some(name) => write!(f, " {name}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for RequestEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RequestEnd::Declined => "declined",
            RequestEnd::Withdrawn => "withdrawn",
            RequestEnd::Lapsed => "lapsed",
            RequestEnd::AskerLeft(_) => "the asker left",
            RequestEnd::AskedLeft(_) => "the asked user left",
        })
    }
}
