//! The states in which a password is awaited or checked (4.11, 4.12): every way in and out of them.
//!
//! A session that signs in has no name: only [`Roster::sign_in`] gives it one.

use std::collections::BTreeMap;

use super::Roster;
use crate::core::SessionId;
use crate::core::accounts::{RequestNumber, Secret};
use crate::core::chat::name::Name;
use crate::core::chat::session::{
    PasswordStep, Proof, Purpose, Session, SigningIn, User, UserState,
};
use crate::core::time::Time;

/// What few sessions need, beside the sessions.
#[derive(Debug, Default)]
pub(super) struct PasswordTable {
    /// The new password that was typed once, for users at [`PasswordStep::Repeat`].
    typed: BTreeMap<SessionId, Secret>,
    /// By [`SessionId::key`]: whether nobody on the way can read the connection.
    is_private: Vec<bool>,
}

impl PasswordTable {
    pub(super) fn set_private(&mut self, id: SessionId, is_private: bool) {
        if self.is_private.len() <= id.key() {
            self.is_private.resize(id.key() + 1, false);
        }
        self.is_private[id.key()] = is_private;
    }

    pub(super) fn typed_count(&self) -> usize {
        self.typed.len()
    }
}

impl Proof {
    /// When the session ends without a password.
    pub(in crate::core::chat) fn until(self) -> Option<Time> {
        match self {
            Proof::Awaited { until } => Some(until),
            Proof::Checked { .. } => None,
        }
    }
}

impl Roster {
    /// Whether a password may pass on the connection of a session.
    pub(in crate::core::chat) fn is_private(&self, id: SessionId) -> bool {
        self.passwords.is_private.get(id.key()).copied().unwrap_or(false)
    }

    /// A session without a name has typed the name of `account`. The deadline stays.
    pub(in crate::core::chat) fn begin_sign_in(&mut self, id: SessionId, account: Name) {
        let session = self.session_mut(id);
        let Session::Naming { until, origin, wrong } = *session else {
            panic!("{id} has a name already")
        };
        let proof = Proof::Awaited { until };
        *session = Session::SigningIn(Box::new(SigningIn { account, proof, origin, wrong }));
    }

    /// A session that signs in asks for a username again; it has to have one before `until`.
    pub(in crate::core::chat) fn cancel_sign_in(&mut self, id: SessionId, until: Time) {
        let signing_in = self.signing_in(id);
        let (origin, wrong, old) = (signing_in.origin, signing_in.wrong, signing_in.proof.until());
        *self.session_mut(id) = Session::Naming { until, origin, wrong };
        self.deadlines.replace(id, old, Some(until));
    }

    /// The store checks the password that a session has typed, or has checked it.
    pub(in crate::core::chat) fn set_proof(&mut self, id: SessionId, proof: Proof) {
        let Session::SigningIn(signing_in) = self.session_mut(id) else {
            panic!("{id} does not sign in")
        };
        let old = std::mem::replace(&mut signing_in.proof, proof);
        self.deadlines.replace(id, old.until(), proof.until());
    }

    /// Counts a wrong password. Returns how many there were.
    pub(in crate::core::chat) fn count_wrong(&mut self, id: SessionId) -> u8 {
        let Session::SigningIn(signing_in) = self.session_mut(id) else {
            panic!("{id} does not sign in")
        };
        signing_in.wrong = signing_in.wrong.saturating_add(1);
        signing_in.wrong
    }

    /// The store has confirmed the password: the session has the name of its account, and is at the
    /// menu. Nobody has the name by now. Returns the name.
    pub(in crate::core::chat) fn sign_in(&mut self, id: SessionId) -> Name {
        let signing_in = self.signing_in(id);
        assert!(matches!(signing_in.proof, Proof::Checked { .. }), "{id} has proved nothing");
        let (name, origin) = (signing_in.account.clone(), signing_in.origin);
        self.users.insert(&name, id);
        let user = User { name: name.clone(), state: UserState::MENU, options: None, origin };
        *self.session_mut(id) = Session::User(user);
        name
    }

    /// The session with this id, which signs in.
    ///
    /// # Panics
    /// If it does not.
    pub(in crate::core::chat) fn signing_in(&self, id: SessionId) -> &SigningIn {
        let Session::SigningIn(signing_in) = self.session(id) else {
            panic!("{id} does not sign in")
        };
        signing_in
    }

    /// A user at the menu begins to give a password, or goes on to the next step.
    pub(in crate::core::chat) fn set_password_step(
        &mut self,
        id: SessionId,
        purpose: Purpose,
        step: PasswordStep,
    ) {
        assert!(step != PasswordStep::Repeat, "a password is kept with this step");
        self.passwords.typed.remove(&id);
        let user = self.user_mut(id);
        assert!(
            matches!(
                user.state,
                UserState::Menu { .. } | UserState::Choosing | UserState::GivingPassword { .. }
            ),
            "{id} is not at the menu"
        );
        user.state = UserState::GivingPassword { purpose, step };
    }

    /// A user has typed a new password, and must type it again.
    pub(in crate::core::chat) fn keep_password(
        &mut self,
        id: SessionId,
        purpose: Purpose,
        typed: Secret,
    ) {
        self.passwords.typed.insert(id, typed);
        let step = PasswordStep::Repeat;
        self.user_mut(id).state = UserState::GivingPassword { purpose, step };
    }

    /// Takes the password that a user typed first.
    pub(in crate::core::chat) fn take_password(&mut self, id: SessionId) -> Option<Secret> {
        self.passwords.typed.remove(&id)
    }

    /// A user who gave a password is at the menu again.
    pub(in crate::core::chat) fn end_password(&mut self, id: SessionId) {
        self.passwords.typed.remove(&id);
        self.user_mut(id).state = UserState::MENU;
    }

    /// The question to the store that a session waits for.
    pub(in crate::core::chat) fn open_request(&self, id: SessionId) -> Option<RequestNumber> {
        match self.session(id) {
            Session::SigningIn(signing_in) => match signing_in.proof {
                Proof::Checked { number } => Some(number),
                Proof::Awaited { .. } => None,
            },
            Session::User(User { state, .. }) => match *state {
                UserState::GivingPassword { step: PasswordStep::Asked(number), .. } => Some(number),
                _ => None,
            },
            Session::Naming { .. } | Session::Over { .. } => None,
        }
    }

    /// Whether the next line of a session is a password, or the store still works on the last one.
    pub(in crate::core::chat) fn is_giving_password(&self, id: SessionId) -> bool {
        match self.session(id) {
            Session::SigningIn(_) => true,
            Session::User(user) => matches!(user.state, UserState::GivingPassword { .. }),
            Session::Naming { .. } | Session::Over { .. } => false,
        }
    }
}
