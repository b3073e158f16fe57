//! Who is here, by id and by name. Alone in adding, removing, pairing and parting people: what two
//! sessions share is changed here, on both ends at once.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::ops::Bound;
use std::sync::LazyLock;

use compact_str::CompactString;

use super::name::{Name, fold};
use super::rooms::{Room, RoomId, RoomUnavailable, Rooms};
use super::session::{InterruptedPrompt, Session, User, UserState};
use super::status::Status;
use crate::core::SessionId;
use crate::core::time::{Deadlines, Time};

/// All sessions, and every index over them.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// By the key of the id; dense, since the shell's slab hands out the keys.
    sessions: Vec<Option<Session>>,
    /// The users, by folded name, which is also the order of lists.
    by_name: BTreeMap<CompactString, SessionId>,
    /// What the names in use look like.
    looks: BTreeSet<u64>,
    /// When a session must have a name, and when an asker's request lapses.
    deadlines: Deadlines<SessionId>,
    rooms: Rooms,
    pairs: usize,
}

/// What lines of the server begin with that no user may seem to be the subject of (2.5): `* You left`,
/// `* Asked B`, `* Goodbye`.
const RESERVED: [&str; 5] = ["you", "asked", "hello", "welcome", "goodbye"];

/// What those look like: `Y0u` is no better.
static RESERVED_LOOKS: LazyLock<BTreeSet<u64>> = LazyLock::new(|| {
    RESERVED.iter().filter_map(|name| Some(Name::parse(name).ok()?.look())).collect()
});

/// Why a name cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameInUse {
    Taken,
    LooksTaken,
}

impl Roster {
    /// Adds a session without a name.
    pub(super) fn add(&mut self, id: SessionId, until: Time) {
        if self.sessions.len() <= id.key() {
            self.sessions.resize_with(id.key() + 1, || None);
        }
        let replaced = self.sessions[id.key()].replace(Session::Naming { until });
        assert!(replaced.is_none(), "{id} arrived twice");
        self.deadlines.replace(id, None, Some(until));
    }

    /// Gives a session without a name this one.
    pub(super) fn name(&mut self, id: SessionId, name: Name) -> Result<(), NameInUse> {
        let (folded, look) = (name.folded(), name.look());
        if RESERVED_LOOKS.contains(&look) || self.by_name.contains_key(&folded) {
            return Err(NameInUse::Taken);
        }
        if self.looks.contains(&look) {
            return Err(NameInUse::LooksTaken);
        }
        let session = self.session_mut(id);
        let Session::Naming { until } = *session else { panic!("{id} has a name already") };
        *session = Session::User(User { name, phase: UserState::MENU, options: None });
        self.deadlines.replace(id, Some(until), None);
        self.by_name.insert(folded, id);
        self.looks.insert(look);
        Ok(())
    }

    /// Ends a session that has nothing to do with anybody any more; its name is free at once.
    pub(super) fn end(&mut self, id: SessionId) {
        let session = self.session_mut(id);
        match mem::replace(session, Session::Over { name: None }) {
            Session::Naming { until } => self.deadlines.replace(id, Some(until), None),
            Session::User(user) => {
                assert!(
                    matches!(user.phase, UserState::Menu { .. } | UserState::Choosing),
                    "{id} is engaged"
                );
                self.by_name.remove(&user.name.folded());
                self.looks.remove(&user.name.look());
                *self.session_mut(id) = Session::Over { name: Some(user.name) };
            }
            Session::Over { name } => *session = Session::Over { name },
        }
    }

    /// Removes a session that is over.
    pub(super) fn forget(&mut self, id: SessionId) {
        let session = self.sessions[id.key()].take();
        assert!(
            matches!(session, Some(Session::Over { .. })),
            "{id} was forgotten, and is not over"
        );
    }

    /// Puts an unengaged user at the menu or before "Chat with whom?".
    pub(super) fn prompt(&mut self, id: SessionId, phase: UserState) {
        let user = self.user_mut(id);
        assert!(
            matches!(user.phase, UserState::Menu { .. } | UserState::Choosing),
            "{id} is engaged"
        );
        assert!(matches!(phase, UserState::Menu { .. } | UserState::Choosing), "that takes two");
        user.phase = phase;
    }

    /// `by` asks `whom`.
    pub(super) fn ask(&mut self, by: SessionId, whom: SessionId, lapses_at: Time) {
        let asked = &mut self.user_mut(whom).phase;
        *asked = match *asked {
            UserState::Menu { .. } => {
                UserState::Asked { by, lapses_at, interrupted: InterruptedPrompt::Menu }
            }
            UserState::Choosing => {
                UserState::Asked { by, lapses_at, interrupted: InterruptedPrompt::Whom }
            }
            UserState::InRoom { room } => UserState::AskedInRoom { by, lapses_at, room },
            UserState::Asking { .. }
            | UserState::Asked { .. }
            | UserState::AskedInRoom { .. }
            | UserState::Chatting { .. } => panic!("{whom} is engaged"),
        };
        self.user_mut(by).phase = UserState::Asking { whom, lapses_at };
        self.deadlines.replace(by, None, Some(lapses_at));
    }

    /// The line that a request may have overtaken has come.
    pub(super) fn catch_up(&mut self, id: SessionId) {
        if let UserState::Asked { interrupted, .. } = &mut self.user_mut(id).phase {
            *interrupted = InterruptedPrompt::Menu;
        }
    }

    /// The request of `by` is over; both are at the menu, or still in a room. Returns who was asked.
    pub(super) fn end_ask(&mut self, by: SessionId, was_answered: bool) -> SessionId {
        let UserState::Asking { whom, lapses_at } = self.user(by).phase else {
            panic!("{by} asks nobody")
        };
        self.deadlines.replace(by, Some(lapses_at), None);
        self.user_mut(by).phase = UserState::MENU;
        let asked = self.user_mut(whom);
        asked.phase = match asked.phase.room() {
            Some(room) => UserState::InRoom { room },
            None => UserState::Menu { missed_request: !was_answered },
        };
        whom
    }

    /// The request of `by` is accepted by somebody in no room: a chat begins. Returns who was asked.
    pub(super) fn pair(&mut self, by: SessionId) -> SessionId {
        let whom = self.end_ask(by, true);
        self.user_mut(by).phase = UserState::Chatting { with: whom };
        self.user_mut(whom).phase = UserState::Chatting { with: by };
        self.pairs += 1;
        whom
    }

    /// The chat of `by` is over; both are at the menu. Returns who the other is.
    pub(super) fn part(&mut self, by: SessionId) -> SessionId {
        let UserState::Chatting { with } = self.user(by).phase else {
            panic!("{by} is in no chat")
        };
        self.user_mut(by).phase = UserState::MENU;
        self.user_mut(with).phase = UserState::MENU;
        self.pairs -= 1;
        with
    }

    /// The room of that name, which is made if need be and kept until `until` while nobody is in it.
    pub(super) fn find_or_add_room(
        &mut self,
        name: &Name,
        until: Time,
        rooms_max: usize,
    ) -> Result<RoomId, RoomUnavailable> {
        self.rooms.find_or_add(name, until, rooms_max)
    }

    /// A user at the menu enters a room.
    pub(super) fn enter(&mut self, id: SessionId, room: RoomId) {
        let user = self.user_mut(id);
        assert!(matches!(user.phase, UserState::Menu { .. }), "{id} is not at the menu");
        user.phase = UserState::InRoom { room };
        let name = user.name.folded();
        self.rooms.enter(room, name, id);
    }

    /// A user is in no room any more, and asked as at the menu if asked there; `until` is how long
    /// the room is kept if nobody is left in it. Returns the room, if there was one.
    pub(super) fn leave_room(&mut self, id: SessionId, until: Time) -> Option<RoomId> {
        let Session::User(user) = self.session_mut(id) else { return None };
        let room = user.phase.room()?;
        user.phase = match user.phase {
            UserState::AskedInRoom { by, lapses_at, .. } => {
                UserState::Asked { by, lapses_at, interrupted: InterruptedPrompt::Menu }
            }
            _ => UserState::MENU,
        };
        let name = user.name.folded();
        self.rooms.leave(room, &name, until);
        Some(room)
    }

    pub(super) fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    pub(super) fn room_mut(&mut self, id: RoomId) -> &mut Room {
        self.rooms.room_mut(id)
    }

    /// Keeps an empty room at least until then.
    pub(super) fn prolong_room(&mut self, id: RoomId, until: Time) {
        self.rooms.prolong(id, until);
    }

    pub(super) fn expire_rooms(&mut self, now: Time) {
        self.rooms.expire(now);
    }

    /// Whatever a session is engaged in is over, for both.
    pub(super) fn disengage(&mut self, id: SessionId) {
        let Session::User(user) = self.session(id) else { return };
        match user.phase {
            UserState::Menu { .. } | UserState::Choosing | UserState::InRoom { .. } => {}
            UserState::Asking { .. } => drop(self.end_ask(id, false)),
            UserState::Asked { by, .. } | UserState::AskedInRoom { by, .. } => {
                _ = self.end_ask(by, false);
            }
            UserState::Chatting { .. } => drop(self.part(id)),
        }
    }

    pub(super) fn session(&self, id: SessionId) -> &Session {
        self.sessions[id.key()].as_ref().expect("the id of a session that is here")
    }

    fn session_mut(&mut self, id: SessionId) -> &mut Session {
        self.sessions[id.key()].as_mut().expect("the id of a session that is here")
    }

    pub(super) fn user(&self, id: SessionId) -> &User {
        let Session::User(user) = self.session(id) else { panic!("{id} is no user") };
        user
    }

    pub(super) fn user_mut(&mut self, id: SessionId) -> &mut User {
        let Session::User(user) = self.session_mut(id) else { panic!("{id} is no user") };
        user
    }

    /// The name of a session that has, or until it was over had, one.
    pub(super) fn name_of(&self, id: SessionId) -> Option<&Name> {
        match self.session(id) {
            Session::Naming { .. } => None,
            Session::User(user) => Some(&user.name),
            Session::Over { name } => name.as_ref(),
        }
    }

    /// The user of that name, in any case.
    pub(super) fn find(&self, name: &Name) -> Option<SessionId> {
        self.by_name.get(&name.folded()).copied()
    }

    /// How many users are here.
    pub(super) fn user_count(&self) -> usize {
        self.by_name.len()
    }

    /// How many chats there are.
    pub(super) fn pair_count(&self) -> usize {
        self.pairs
    }

    /// The users whose names begin so, in order of name.
    pub(super) fn users(&self, prefix: &str) -> impl Iterator<Item = SessionId> {
        let prefix = fold(prefix);
        let from = Bound::Included(prefix.as_str());
        self.by_name
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(move |(name, _)| name.starts_with(prefix.as_str()))
            .map(|(_, &id)| id)
    }

    /// Every session that is not over.
    pub(super) fn present(&self) -> impl Iterator<Item = SessionId> {
        let is_present = |session: &Option<Session>| {
            matches!(session, Some(Session::Naming { .. } | Session::User(_)))
        };
        let ids = (0..self.sessions.len()).map(SessionId::from_key);
        ids.zip(&self.sessions).filter(move |(_, session)| is_present(session)).map(|(id, _)| id)
    }

    /// What others see a user do.
    pub(super) fn status(&self, id: SessionId) -> Status<'_> {
        let user = self.user(id);
        match user.phase {
            UserState::Menu { .. } | UserState::Choosing if user.is_busy() => Status::Busy,
            UserState::Menu { .. } | UserState::Choosing => Status::Available,
            UserState::Asking { whom, .. } => Status::Asking(&self.user(whom).name),
            UserState::Asked { by, .. } | UserState::AskedInRoom { by, .. } => {
                Status::AskedBy(&self.user(by).name)
            }
            UserState::Chatting { with } => Status::ChattingWith(&self.user(with).name),
            UserState::InRoom { room } => {
                Status::InRoom { room: &self.rooms.room(room).name, busy: user.is_busy() }
            }
        }
    }

    pub(super) fn deadlines(&self) -> &Deadlines<SessionId> {
        &self.deadlines
    }

    /// States what always holds. Costs a walk over everybody: for tests and the simulation.
    ///
    /// # Panics
    /// If it does not hold, which is a bug.
    pub(super) fn check(&self) {
        let mut users = 0;
        let (mut deadlines, mut members, mut chatting) = (0, 0, 0);
        for id in self.present() {
            let Session::User(user) = self.session(id) else {
                deadlines += 1;
                continue;
            };
            users += 1;
            assert_eq!(self.by_name.get(&user.name.folded()), Some(&id), "found by name");
            assert!(self.looks.contains(&user.name.look()), "look-alikes are known");
            if let Some(room) = user.phase.room() {
                members += 1;
                assert!(self.rooms.has(room, &user.name, id), "{id} is in a room without it");
            }
            match user.phase {
                UserState::Menu { .. } | UserState::Choosing | UserState::InRoom { .. } => {}
                UserState::Asking { whom, lapses_at } => {
                    deadlines += 1;
                    let (UserState::Asked { by, lapses_at: at, .. }
                    | UserState::AskedInRoom { by, lapses_at: at, .. }) = self.user(whom).phase
                    else {
                        panic!("{id} asks {whom}, who was not asked");
                    };
                    assert_eq!((by, at), (id, lapses_at), "asker and asked agree");
                }
                UserState::Asked { by, .. } | UserState::AskedInRoom { by, .. } => {
                    let agreed =
                        matches!(self.user(by).phase, UserState::Asking { whom, .. } if whom == id);
                    assert!(agreed, "{id} was asked by {by}, who does not ask");
                }
                UserState::Chatting { with } => {
                    let back = self.user(with).phase;
                    assert_eq!(back, UserState::Chatting { with: id }, "partners agree");
                    assert_ne!(with, id, "nobody chats with themselves");
                    chatting += 1;
                }
            }
        }
        assert_eq!((self.by_name.len(), self.looks.len()), (users, users), "a name each");
        assert_eq!(self.rooms.member_count(), members, "nobody is in a room who is elsewhere");
        self.rooms.check();
        assert_eq!(2 * self.pairs, chatting, "pairs are counted");
        assert_eq!(self.deadlines.len(), deadlines, "no deadline without somebody it is for");
    }
}
