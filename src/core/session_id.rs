//! The number by which the program identifies a session.

use std::fmt;

/// Identifies a session from its connection until the exchange forgets it. A later session may get
/// the same number.
///
/// The shell chooses the number: the key of the connection in its slab. The keys are small and
/// dense, so that the core can use them as table indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u32);

impl SessionId {
    /// The id of the connection at slab key `key`.
    ///
    /// # Panics
    /// If `key` does not fit into 32 bits. The limit on file descriptors is far lower.
    #[must_use]
    pub fn from_key(key: usize) -> SessionId {
        SessionId(u32::try_from(key).expect("the limit on file descriptors is far below 2^32"))
    }

    /// The slab key that this id was made from.
    #[must_use]
    pub fn key(self) -> usize {
        self.0 as usize
    }
}

/// Frees what a table indexed by [`SessionId::key`] does not need: everything behind its last entry.
pub(crate) fn shrink_table<T>(table: &mut Vec<Option<T>>) {
    let len = table.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    table.truncate(len);
    table.shrink_to_fit();
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.0)
    }
}
