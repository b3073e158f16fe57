//! A walk over the history of all rooms, for the history store (6.3.3).
//!
//! The store writes its file anew from memory, a few rooms at a time, while users go on talking.
//! The walk goes by name, because a name stays the same while rooms come and go.

use compact_str::CompactString;

use super::Chat;
use super::history::Record;
use super::name::fold;

/// A place in a walk over all rooms, in order of folded name. The default is the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryCursor {
    /// The folded name of the last room that was written; empty at the beginning.
    last: CompactString,
}

impl HistoryCursor {
    /// Whether the walk has passed a room of this name. A line that is said there now is not part of
    /// the walk; any other line will be.
    #[must_use]
    pub fn has_passed(&self, room: &str) -> bool {
        fold(room) <= self.last
    }
}

impl Chat {
    /// Appends the records of the next rooms to `out`, until `out` has `bytes` bytes or the walk
    /// ends. A room is never split, so `out` can exceed `bytes` by one history (7.5). Returns whether
    /// the walk has ended.
    pub fn write_history(
        &self,
        cursor: &mut HistoryCursor,
        bytes: usize,
        out: &mut String,
    ) -> bool {
        for room in self.roster.rooms().after(&cursor.last.clone()) {
            if out.len() >= bytes {
                return false;
            }
            for (said_at, line) in room.history.last(usize::MAX) {
                Record { said_at, room: room.name.as_str(), line }.encode(out);
            }
            cursor.last = room.name.folded();
        }
        true
    }
}
