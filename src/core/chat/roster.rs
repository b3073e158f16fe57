//! All sessions, by id and by username. Only the roster changes the state of a session.
//!
//! A request and a chat belong to two sessions. Each function that begins or ends a request or a
//! chat changes both sessions. No caller can therefore leave one session behind in an old state.
//! The roster says nothing to users: `pairing`, `room_commands` and `dispatch` do.

mod check;
mod lookups;
mod options;
mod passwords;

use std::mem;

use super::name::Name;
use super::name_index::NameIndex;
use super::reserved_names::is_reserved;
use super::rooms::{Room, RoomId, RoomUnavailable, RoomWish, Rooms};
use super::session::{InterruptedPrompt, Session, User, UserState};
use super::user_options::OptionsTable;
use crate::core::Origin;
use crate::core::SessionId;
use crate::core::session_id::shrink_table;
use crate::core::time::{Deadlines, Time};
use options::Origins;
use passwords::PasswordTable;

/// All sessions, and every index over them.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Indexed by [`SessionId::key`]. Dense, because the keys come from the server's slab.
    sessions: Vec<Option<Session>>,
    /// The users, and therefore also the order of lists.
    users: NameIndex<SessionId>,
    /// For a session without a name: when it must have one. For an asker: when the request lapses.
    /// No session has both.
    deadlines: Deadlines<SessionId>,
    rooms: Rooms,
    options: OptionsTable,
    origins: Origins,
    passwords: PasswordTable,
    /// Chats in progress. Counted here because the metrics ask often, and a count would visit all.
    chats: usize,
    /// What users see of each other may have changed (5.8).
    has_changed: bool,
}

/// Why a username is not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameInUse {
    /// The name is a reserved word, or looks like one (3.2.3).
    Reserved,
    /// A user has the name, in any case.
    Taken,
    /// The name looks like the name of a user (3.2.2).
    LooksTaken,
}

impl Roster {
    /// Adds a session without a name. It must get one before `until`. `is_private` is whether others
    /// cannot read a password on its connection.
    pub(super) fn add(&mut self, id: SessionId, until: Time, origin: Origin, is_private: bool) {
        if self.sessions.len() <= id.key() {
            self.sessions.resize_with(id.key() + 1, || None);
        }
        let origin = self.origins.add(origin);
        self.passwords.set_private(id, is_private);
        let naming = Session::Naming { until, origin, wrong: 0 };
        let replaced = self.sessions[id.key()].replace(naming);
        assert!(replaced.is_none(), "{id} connected while its id was in use");
        self.deadlines.replace(id, None, Some(until));
    }

    /// Gives a session its username and puts it at the menu.
    pub(super) fn assign_name(&mut self, id: SessionId, name: Name) -> Result<(), NameInUse> {
        if is_reserved(&name) {
            return Err(NameInUse::Reserved);
        }
        if self.users.get(&name).is_some() {
            return Err(NameInUse::Taken);
        }
        if self.users.has_look_alike(&name) {
            return Err(NameInUse::LooksTaken);
        }
        let Session::Naming { until, origin, .. } = *self.session(id) else {
            panic!("{id} has a name already")
        };
        self.users.insert(&name, id);
        *self.session_mut(id) =
            Session::User(User { name, state: UserState::MENU, options: None, origin });
        self.deadlines.replace(id, Some(until), None);
        Ok(())
    }

    /// Ends a session. The caller has ended its request, chat and room membership first. The name
    /// is free at once (4.10.1), but the session keeps a copy for the log. Does nothing if the
    /// session has ended already.
    pub(super) fn end_session(&mut self, id: SessionId) {
        let session = self.session_mut(id);
        match mem::replace(session, Session::Over { name: None }) {
            Session::Naming { until, origin, .. } => {
                self.deadlines.replace(id, Some(until), None);
                self.origins.remove(origin);
            }
            Session::SigningIn(signing_in) => {
                self.deadlines.replace(id, signing_in.proof.until(), None);
                self.origins.remove(signing_in.origin);
            }
            Session::User(user) => {
                assert!(
                    matches!(user.state, UserState::Menu { .. } | UserState::Choosing),
                    "{id} still has a request, a chat or a room"
                );
                self.users.remove(&user.name);
                self.options.remove(user.options);
                self.origins.remove(user.origin);
                *self.session_mut(id) = Session::Over { name: Some(user.name) };
            }
            Session::Over { name } => *session = Session::Over { name },
        }
    }

    /// Removes a session that has ended. Its id may be used again.
    pub(super) fn remove(&mut self, id: SessionId) {
        let session = self.sessions[id.key()].take();
        assert!(
            matches!(session, Some(Session::Over { .. })),
            "{id} was removed before its session ended"
        );
    }

    /// Frees what tables keep of a larger crowd.
    pub(super) fn release_memory(&mut self) {
        shrink_table(&mut self.sessions);
        self.options.release_memory();
        self.origins.release_memory();
    }

    /// Moves a user between the menu and "Chat with whom?". Other states involve a second user or a
    /// room, and have their own functions.
    pub(super) fn set_prompt(&mut self, id: SessionId, state: UserState) {
        let user = self.user_mut(id);
        for state in [user.state, state] {
            let is_prompt = matches!(state, UserState::Menu { .. } | UserState::Choosing);
            assert!(is_prompt, "{id}: {state:?} is no prompt");
        }
        user.state = state;
    }

    /// Begins a request. The caller has checked that `asked` can be asked.
    pub(super) fn begin_request(&mut self, asker: SessionId, asked: SessionId, lapses_at: Time) {
        let state = &mut self.user_mut(asked).state;
        *state = match *state {
            UserState::Menu { .. } => {
                UserState::Asked { asker, lapses_at, interrupted: InterruptedPrompt::Menu }
            }
            UserState::Choosing => {
                UserState::Asked { asker, lapses_at, interrupted: InterruptedPrompt::PartnerName }
            }
            UserState::InRoom { room } => UserState::AskedInRoom { asker, lapses_at, room },
            UserState::Asking { .. }
            | UserState::Asked { .. }
            | UserState::AskedInRoom { .. }
            | UserState::GivingPassword { .. }
            | UserState::Chatting { .. } => panic!("{asked} has a request or a chat already"),
        };
        self.user_mut(asker).state = UserState::Asking { asked, lapses_at };
        self.deadlines.replace(asker, None, Some(lapses_at));
    }

    /// Forgets which prompt a request interrupted. Only the first line after the request can be an
    /// answer to that prompt (4.6.4).
    pub(super) fn forget_interrupted_prompt(&mut self, id: SessionId) {
        if let UserState::Asked { interrupted, .. } = &mut self.user_mut(id).state {
            *interrupted = InterruptedPrompt::Menu;
        }
    }

    /// Ends the request of `asker`. `was_answered` is whether the asked user's answer ended it; if
    /// not, a late answer may still be on its way (4.6.5). The asker returns to the menu; the asked
    /// user returns to the menu or stays in the room. Returns the asked user.
    pub(super) fn end_request(&mut self, asker: SessionId, was_answered: bool) -> SessionId {
        let UserState::Asking { asked, lapses_at } = self.user(asker).state else {
            panic!("{asker} has asked nobody")
        };
        self.deadlines.replace(asker, Some(lapses_at), None);
        self.user_mut(asker).state = UserState::MENU;
        let user = self.user_mut(asked);
        user.state = match user.state.room() {
            Some(room) => UserState::InRoom { room },
            None => UserState::Menu { request_just_ended: !was_answered },
        };
        asked
    }

    /// Turns the request of `asker` into a chat. The asked user has left their room first. Returns
    /// the asked user.
    pub(super) fn start_chat(&mut self, asker: SessionId) -> SessionId {
        let asked = self.end_request(asker, true);
        self.user_mut(asker).state = UserState::Chatting { partner: asked };
        self.user_mut(asked).state = UserState::Chatting { partner: asker };
        self.chats += 1;
        asked
    }

    /// Ends the chat of `id`. Both users return to the menu. Returns the partner.
    pub(super) fn end_chat(&mut self, id: SessionId) -> SessionId {
        let UserState::Chatting { partner } = self.user(id).state else {
            panic!("{id} is in no chat")
        };
        self.user_mut(id).state = UserState::MENU;
        self.user_mut(partner).state = UserState::MENU;
        self.chats -= 1;
        partner
    }

    /// Finds or creates a room.
    pub(super) fn find_or_add_room(
        &mut self,
        wish: RoomWish<'_>,
    ) -> Result<RoomId, RoomUnavailable> {
        self.rooms.find_or_add(wish)
    }

    /// Moves a user from the menu into a room.
    pub(super) fn enter_room(&mut self, id: SessionId, room: RoomId) {
        let user = self.user_mut(id);
        assert!(matches!(user.state, UserState::Menu { .. }), "{id} is not at the menu");
        user.state = UserState::InRoom { room };
        let name = user.name.folded();
        self.rooms.enter(room, name, id);
    }

    /// Moves a user from a room to the menu. A request to the user goes on there. A room that is
    /// empty now is kept until `until`. Returns the room, or `None` if the user was in none.
    pub(super) fn leave_room(&mut self, id: SessionId, until: Time) -> Option<RoomId> {
        let Session::User(user) = self.session_mut(id) else { return None };
        let room = user.state.room()?;
        user.state = match user.state {
            UserState::AskedInRoom { asker, lapses_at, .. } => {
                UserState::Asked { asker, lapses_at, interrupted: InterruptedPrompt::Menu }
            }
            _ => UserState::MENU,
        };
        let name = user.name.folded();
        self.rooms.leave(room, &name, until);
        Some(room)
    }

    /// The rooms, to read. Changes go through the roster, because members' sessions change too.
    pub(super) fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// A room, to add to its history.
    pub(super) fn room_mut(&mut self, id: RoomId) -> &mut Room {
        self.rooms.room_mut(id)
    }

    /// Keeps an empty room at least until `until`.
    pub(super) fn keep_room_until(&mut self, id: RoomId, until: Time) {
        self.rooms.keep_until(id, until);
    }

    /// Removes the empty rooms whose time is up at `now`.
    pub(super) fn expire_rooms(&mut self, now: Time) {
        self.rooms.expire(now);
    }

    /// Ends the request or chat of a session, on both sides, and tells nobody. Membership of a room
    /// is kept. Used when the whole server stops and every user is told the same anyway.
    pub(super) fn end_request_or_chat(&mut self, id: SessionId) {
        let Session::User(user) = self.session(id) else { return };
        match user.state {
            UserState::Menu { .. } | UserState::Choosing | UserState::InRoom { .. } => {}
            UserState::GivingPassword { .. } => self.end_password(id),
            UserState::Asking { .. } => drop(self.end_request(id, false)),
            UserState::Asked { asker, .. } | UserState::AskedInRoom { asker, .. } => {
                _ = self.end_request(asker, false);
            }
            UserState::Chatting { .. } => drop(self.end_chat(id)),
        }
    }

    /// When the request of `asker` lapses, if there is one.
    pub(super) fn lapses_at(&self, asker: SessionId) -> Option<Time> {
        match self.user(asker).state {
            UserState::Asking { lapses_at, .. } => Some(lapses_at),
            _ => None,
        }
    }

    /// A list may show another row from now on.
    pub(super) fn note_change(&mut self) {
        self.has_changed = true;
    }

    /// Whether a list may show another row than at the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        mem::take(&mut self.has_changed)
    }

    /// Whether a session has this id.
    pub(super) fn contains(&self, id: SessionId) -> bool {
        self.find_session(id).is_some()
    }

    /// The session with this id.
    ///
    /// # Panics
    /// If no session has the id. The server uses an id only between connecting and
    /// [`Self::remove`].
    pub(super) fn session(&self, id: SessionId) -> &Session {
        self.sessions[id.key()].as_ref().expect("ids are removed only after their last use")
    }

    /// The session with this id; `None` for a connection whose session has not begun.
    pub(super) fn find_session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(id.key())?.as_ref()
    }

    fn session_mut(&mut self, id: SessionId) -> &mut Session {
        self.has_changed = true;
        self.sessions[id.key()].as_mut().expect("ids are removed only after their last use")
    }

    /// The user with this id.
    ///
    /// # Panics
    /// If the session has no username, or has ended.
    pub(super) fn user(&self, id: SessionId) -> &User {
        let Session::User(user) = self.session(id) else { panic!("{id} is no user") };
        user
    }

    /// The user with this id, to change options. Panics as [`Self::user`] does.
    pub(super) fn user_mut(&mut self, id: SessionId) -> &mut User {
        let Session::User(user) = self.session_mut(id) else { panic!("{id} is no user") };
        user
    }

    /// The deadlines of all sessions, for [`super::Chat::handle_timeout`].
    pub(super) fn deadlines(&self) -> &Deadlines<SessionId> {
        &self.deadlines
    }
}
