//! The states of a session (`protocol.md` 4). Each state is one enum variant and holds exactly the
//! data that the state needs; a state with missing or stale data cannot be written down.
//!
//! Only `roster` changes a state. The other modules read it.

use super::name::Name;
use super::rooms::RoomId;
use super::user_options::OptionsKey;
use crate::core::SessionId;
use crate::core::accounts::RequestNumber;
use crate::core::origin::OriginKey;
use crate::core::time::Time;

/// One connection's conversation, from connecting until the server has forgotten the id.
#[derive(Debug)]
pub(super) enum Session {
    /// Has no username yet, and ends at `until` without one (4.2.4). Has given a wrong password
    /// `wrong` times.
    Naming { until: Time, origin: OriginKey, wrong: u8 },
    /// Has typed a registered name, and must prove that it is theirs (4.11).
    SigningIn(Box<SigningIn>),
    /// Has a username.
    User(User),
    /// Has ended, but the connection is still closing. The log needs the name until then.
    Over { name: Option<Name> },
}

/// A session that has typed a registered name. Boxed, because there are few, and for a short time.
#[derive(Debug)]
pub(super) struct SigningIn {
    /// The account, as it was registered.
    pub(super) account: Name,
    pub(super) proof: Proof,
    /// Where the session comes from.
    pub(super) origin: OriginKey,
    /// Wrong passwords so far.
    pub(super) wrong: u8,
}

/// How far a session is with proving its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Must type the password; ends at `until` without it.
    Awaited { until: Time },
    /// The store checks the password. The session's further input waits.
    Checked { number: RequestNumber },
}

/// A session that has a username.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: Name,
    pub(super) state: UserState,
    /// `None` means the defaults. Most users never change an option, and an idle user should cost
    /// little memory.
    pub(super) options: Option<OptionsKey>,
    /// Where the user comes from.
    pub(super) origin: OriginKey,
}

/// What a user is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserState {
    /// At the menu.
    Menu {
        /// A request to this user ended without their answer. A late `yes` or `no` may be on its
        /// way and must not count as a choice from the menu (4.6.5). The next line clears the flag.
        request_just_ended: bool,
    },
    /// At the prompt "Chat with whom?".
    Choosing,
    /// Asked another user and waits for the answer until `lapses_at`.
    Asking { asked: SessionId, lapses_at: Time },
    /// Was asked at a prompt and owes `asker` an answer. `lapses_at` is equal on both sides.
    Asked { asker: SessionId, lapses_at: Time, interrupted: InterruptedPrompt },
    /// In a chat.
    Chatting { partner: SessionId },
    /// In a room, and nobody waits for an answer.
    InRoom { room: RoomId },
    /// Was asked in a room, and stays a member until the answer is yes (4.8.6).
    AskedInRoom { asker: SessionId, lapses_at: Time, room: RoomId },
    /// Has typed `register`, `password` or `unregister` at the menu (4.12).
    GivingPassword { purpose: Purpose, step: PasswordStep },
}

/// What a user gives a password for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// `register`: makes an account of the username.
    Register,
    /// `password`: changes the password of the account.
    Change,
    /// `unregister`: removes the account.
    Unregister,
}

/// Which password the user must type next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PasswordStep {
    /// The password that the account has.
    Current,
    /// A new password.
    New,
    /// The new password again. The roster keeps the first one.
    Repeat,
    /// None: the store works on this question. The user's further input waits.
    Asked(RequestNumber),
}

/// The prompt that a request interrupted. The user may have sent the next line before the request
/// arrived. The line may therefore answer the interrupted prompt (4.6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InterruptedPrompt {
    /// The menu, or none: nothing special about the next line.
    Menu,
    /// "Chat with whom?". If the next line is the asker's name, both users want the same chat.
    PartnerName,
}

impl UserState {
    /// At the menu, with no answer to a request on its way.
    pub(super) const MENU: UserState = UserState::Menu { request_just_ended: false };

    /// The room that the user is a member of.
    pub(super) fn room(self) -> Option<RoomId> {
        match self {
            UserState::InRoom { room } | UserState::AskedInRoom { room, .. } => Some(room),
            UserState::Menu { .. }
            | UserState::Choosing
            | UserState::Asking { .. }
            | UserState::Asked { .. }
            | UserState::GivingPassword { .. }
            | UserState::Chatting { .. } => None,
        }
    }

    /// The user who waits for this user's answer.
    pub(super) fn asker(self) -> Option<SessionId> {
        match self {
            UserState::Asked { asker, .. } | UserState::AskedInRoom { asker, .. } => Some(asker),
            UserState::Menu { .. }
            | UserState::Choosing
            | UserState::Asking { .. }
            | UserState::GivingPassword { .. }
            | UserState::Chatting { .. }
            | UserState::InRoom { .. } => None,
        }
    }
}
