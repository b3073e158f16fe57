//! The status of a user, as other users see it in a list and operators see it at the console.
//!
//! `roster` derives the status from the user's state; `wording` turns the status into text.

use super::name::Name;

/// What other users see a user doing (5.2.1).
///
/// A state shows less than the server knows: a user at "Chat with whom?" looks like a user at the
/// menu, because nobody else needs to tell the two apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Status<'a> {
    /// At the menu or choosing a partner, and takes requests.
    Available,
    /// At the menu or choosing a partner, with do-not-disturb on.
    Busy,
    /// Waits for an answer from this user.
    Asking(&'a Name),
    /// Owes this user an answer. Covers a member of a room, where the request hides the room.
    AskedBy(&'a Name),
    /// In a chat with this user.
    ChattingWith(&'a Name),
    /// In this room. A member can be asked, unless do-not-disturb is on.
    InRoom { room: &'a Name, busy: bool },
}
