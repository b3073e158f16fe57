//! What the log says of what came about: who, from where, with whom; never what was said.

use std::fmt;

use log::{debug, info};
use slab::Slab;

use super::connection::Connection;
use crate::core::SessionId;
use crate::core::chat::{Chat, Event, Name, RequestEnd, RoomId};

/// Writes `event` to the log, one line.
pub(super) fn report(event: Event, connections: &Slab<Connection>, chat: &Chat) {
    let who = |id: SessionId| Who { id, connections, chat };
    let name = |room: RoomId| chat.room_name(room).map_or("a room", Name::as_str);
    match event {
        Event::Named(id) => info!(target: "chinwag", "{} took the name", who(id)),
        Event::Asked { by, whom } => debug!(target: "chinwag", "{} asked {}", who(by), who(whom)),
        Event::Unanswered { by, whom, how } => {
            debug!(target: "chinwag", "{} asked {} in vain: {how}", who(by), who(whom));
        }
        Event::Paired { by, with } => {
            info!(target: "chinwag", "{} and {} are chatting", who(by), who(with))
        }
        Event::Parted { by, from } => {
            info!(target: "chinwag", "{} and {} parted", who(by), who(from))
        }
        Event::Joined { who: id, room } => {
            info!(target: "chinwag", "{} joined {}", who(id), name(room))
        }
        Event::LeftRoom { who: id, room } => {
            info!(target: "chinwag", "{} left {}", who(id), name(room));
        }
        Event::Left { who: id, why } => info!(target: "chinwag", "{} left: {why}", who(id)),
        Event::StopIsDue => info!(target: "chinwag", "operator: the time is up, stopping"),
    }
}

/// A session as the log names it: its connection's number and address, and its username.
pub(super) struct Who<'a> {
    pub(super) id: SessionId,
    pub(super) connections: &'a Slab<Connection>,
    pub(super) chat: &'a Chat,
}

impl fmt::Display for Who<'_> {
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
            RequestEnd::AskedLeft(_) => "the asked left",
        })
    }
}
