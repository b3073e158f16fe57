//! The status of a user, as other users and operators see it.

use super::name::Name;

/// What a user is seen to be doing by others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Status<'a> {
    Available,
    Busy,
    Asking(&'a Name),
    AskedBy(&'a Name),
    ChattingWith(&'a Name),
    InRoom { room: &'a Name, busy: bool },
}
