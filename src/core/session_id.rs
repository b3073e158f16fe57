//! The name a session has in the program: the key of its connection in the loop's slab.

use std::fmt;

/// Identifies a session from its arrival until it is forgotten; after that the number may serve
/// another.
///
/// The shell hands it in. It is small and dense, because tables are indexed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u32);

impl SessionId {
    /// The id of the connection at `key`.
    ///
    /// # Panics
    /// If `key` does not fit: the bound on connections is far below.
    #[must_use]
    pub fn from_key(key: usize) -> SessionId {
        SessionId(u32::try_from(key).expect("connections are bounded far below 2^32"))
    }

    /// The key it was made from.
    #[must_use]
    pub fn key(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.0)
    }
}
