//! What the roster knows of sessions and users, read-only: names, lists, and what users see others do.

use compact_str::CompactString;

use super::Roster;
use crate::core::SessionId;
use crate::core::chat::name::Name;
use crate::core::chat::rooms::RoomId;
use crate::core::chat::session::{Session, UserState};
use crate::core::chat::status::Status;

impl Roster {
    /// The username of a session. A session that has ended keeps its name until it is removed.
    pub(in crate::core::chat) fn name_of(&self, id: SessionId) -> Option<&Name> {
        match self.find_session(id)? {
            Session::Naming { .. } | Session::SigningIn(_) => None,
            Session::User(user) => Some(&user.name),
            Session::Over { name } => name.as_ref(),
        }
    }

    /// The user with this name, in any case.
    pub(in crate::core::chat) fn find(&self, name: &Name) -> Option<SessionId> {
        self.users.get(name)
    }

    /// Whether the name of a user looks like `name`, or is the same.
    pub(in crate::core::chat) fn has_look_alike(&self, name: &Name) -> bool {
        self.users.has_look_alike(name)
    }

    /// The number of sessions with a username.
    pub(in crate::core::chat) fn user_count(&self) -> usize {
        self.users.len()
    }

    /// The number of chats.
    pub(in crate::core::chat) fn chat_count(&self) -> usize {
        self.chats
    }

    /// The users whose names begin with `prefix` in any case, in order of name.
    pub(in crate::core::chat) fn users(&self, prefix: &str) -> impl Iterator<Item = SessionId> {
        self.users.with_prefix(prefix)
    }

    /// As [`Self::users`], for a folded prefix: the users after the folded name `last`, each with their
    /// own.
    pub(in crate::core::chat) fn users_after(
        &self,
        prefix: &str,
        last: &str,
    ) -> impl Iterator<Item = (&CompactString, SessionId)> {
        self.users.with_prefix_after(prefix, last)
    }

    /// The room that a session is in.
    pub(in crate::core::chat) fn room_of(&self, id: SessionId) -> Option<RoomId> {
        match self.find_session(id)? {
            Session::User(user) => user.state.room(),
            Session::Naming { .. } | Session::SigningIn(_) | Session::Over { .. } => None,
        }
    }

    /// Every session that has not ended, with or without a username, in order of id: what users see
    /// must not depend on the order of a hash map.
    pub(in crate::core::chat) fn present(&self) -> impl Iterator<Item = SessionId> {
        let is_present = |session: &Option<Session>| {
            matches!(
                session,
                Some(Session::Naming { .. } | Session::SigningIn(_) | Session::User(_))
            )
        };
        let ids = (0..self.sessions.len()).map(SessionId::from_key);
        ids.zip(&self.sessions).filter(move |(_, session)| is_present(session)).map(|(id, _)| id)
    }

    /// What other users see a user doing. A user who asks or chats is never `Busy`, because the
    /// activity says more (5.2.1).
    pub(in crate::core::chat) fn status(&self, id: SessionId) -> Status<'_> {
        let user = self.user(id);
        let is_busy = self.options.get(user.options).busy;
        match user.state {
            UserState::Menu { .. } | UserState::Choosing if is_busy => Status::Busy,
            UserState::GivingPassword { .. } => Status::Busy,
            UserState::Menu { .. } | UserState::Choosing => Status::Available,
            UserState::Asking { asked, .. } => Status::Asking(&self.user(asked).name),
            UserState::Asked { asker, .. } | UserState::AskedInRoom { asker, .. } => {
                Status::AskedBy(&self.user(asker).name)
            }
            UserState::Chatting { partner } => Status::ChattingWith(&self.user(partner).name),
            UserState::InRoom { room } => {
                Status::InRoom { room: &self.rooms.room(room).name, busy: is_busy }
            }
        }
    }
}
