//! The invariants that span sessions, indexes and rooms.
//!
//! The simulation and the tests check them after each step. The checks walk over every session, and
//! the server itself therefore never runs them.

use super::Roster;
use crate::core::SessionId;
use crate::core::chat::session::{PasswordStep, Session, User, UserState};

/// What the sessions add up to. The roster keeps the same counts, and both must agree.
#[derive(Debug, Default)]
struct Counts {
    /// Sessions with a username.
    users: usize,
    /// Users in a room.
    members: usize,
    /// Users in a chat.
    chatting: usize,
    /// Users who must type a new password again.
    repeating: usize,
    /// Users with options of their own.
    options: usize,
    /// Sessions without a name, and askers.
    deadlines: usize,
}

impl Roster {
    /// Checks every invariant: partners agree, each asker has an asked user, names are unique, and
    /// each waiting session has a deadline. Takes O(sessions): for tests and the simulation.
    ///
    /// # Panics
    /// If an invariant does not hold, which is a bug.
    pub(in crate::core::chat) fn check(&self) {
        let mut counts = Counts::default();
        for id in self.present() {
            match self.session(id) {
                Session::User(user) => self.check_user(id, user, &mut counts),
                Session::SigningIn(signing_in) => {
                    counts.deadlines += usize::from(signing_in.proof.until().is_some());
                }
                // A session without a name has nothing but its deadline.
                Session::Naming { .. } | Session::Over { .. } => counts.deadlines += 1,
            }
        }
        self.check_tables(counts.options);
        assert_eq!(self.passwords.typed_count(), counts.repeating, "no password is kept too long");
        self.users.check();
        self.rooms.check();
        assert_eq!(self.users.len(), counts.users, "every indexed name has a user");
        assert_eq!(self.rooms.member_count(), counts.members, "every member is a present user");
        assert_eq!(2 * self.chats, counts.chatting, "a chat has two users");
        assert_eq!(self.deadlines.len(), counts.deadlines, "every deadline has a session");
    }

    /// Checks one user against the indexes and against the other user of a request or chat.
    fn check_user(&self, id: SessionId, user: &User, counts: &mut Counts) {
        counts.users += 1;
        counts.options += usize::from(user.options.is_some());
        assert_eq!(self.users.get(&user.name), Some(id), "the name finds the user");
        assert!(self.users.has_look_alike(&user.name), "the name's skeleton is indexed");
        if let Some(room) = user.state.room() {
            counts.members += 1;
            assert!(self.rooms.has(room, &user.name, id), "{id} is not a member of its room");
        }
        match user.state {
            UserState::Menu { .. } | UserState::Choosing | UserState::InRoom { .. } => {}
            UserState::GivingPassword { step, .. } => {
                counts.repeating += usize::from(step == PasswordStep::Repeat);
            }
            UserState::Asking { asked, lapses_at } => {
                counts.deadlines += 1;
                // `deadlines` holds one entry per request, under the asker's id. The copy of the
                // time on the asked side must not drift from it.
                let (UserState::Asked { asker, lapses_at: at, .. }
                | UserState::AskedInRoom { asker, lapses_at: at, .. }) = self.user(asked).state
                else {
                    panic!("{id} asks {asked}, but {asked} is not asked");
                };
                assert_eq!((asker, at), (id, lapses_at), "both sides of a request agree");
            }
            UserState::Asked { asker, .. } | UserState::AskedInRoom { asker, .. } => {
                let asker_state = self.user(asker).state;
                let agrees = matches!(asker_state, UserState::Asking { asked, .. } if asked == id);
                assert!(agrees, "{id} is asked by {asker}, but {asker} does not ask {id}");
            }
            UserState::Chatting { partner } => {
                counts.chatting += 1;
                let expected = UserState::Chatting { partner: id };
                assert_eq!(self.user(partner).state, expected, "both sides of a chat agree");
                assert_ne!(partner, id, "no user chats with themselves");
            }
        }
    }
}
