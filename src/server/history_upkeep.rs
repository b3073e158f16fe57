//! How the loop keeps the history of rooms: it restores it at the start, stores what is said, tends
//! the files, and follows the wall clock for the dates (6.3.1, 6.3.3).

use std::io;

use super::history_store::{HistoryStore, StoredHistory};
use super::wall_clock::unix_seconds;
use super::{Server, StateFolder};
use crate::core::exchange::Hop;
use crate::core::limits::WALL_CLOCK_MS;
use crate::core::recording::Recorded;
use crate::core::time::Time;

/// Restores the history in the state folder, if there is one, and begins to record.
///
/// # Errors
/// The folder cannot be used.
pub(super) fn restore(
    exchange: &mut Recorded,
    state: Option<&StateFolder>,
) -> io::Result<Option<HistoryStore>> {
    let folder = state.map(StateFolder::history).transpose()?;
    let stored = folder.as_deref().map(StoredHistory::open).transpose()?;
    exchange.handle_start(unix_seconds(), stored.iter().flat_map(StoredHistory::records));
    let store = stored.map(|stored| stored.into_store(exchange)).transpose()?;
    if store.is_some() {
        exchange.start_recording();
    }
    Ok(store)
}

impl Server {
    /// Stores new room messages. This happens before any write to a socket, so a crash never loses a
    /// message that somebody has read.
    pub(super) fn store_history(&mut self) {
        if let Some(history_store) = &mut self.history_store
            && !self.exchange.records().is_empty()
        {
            let records = self.exchange.records();
            let bytes = records.len();
            history_store.append(self.now, records);
            self.exchange.trace_output(Hop::Store, None, bytes);
            self.exchange.clear_records();
        }
    }

    /// Tends the files, once per turn.
    pub(super) fn tend_history(&mut self) {
        if let Some(history_store) = &mut self.history_store {
            history_store.tend(self.now, &self.exchange);
        }
    }

    /// Whether the files need the next turn at once.
    pub(super) fn has_history_work(&self) -> bool {
        self.history_store.as_ref().is_some_and(HistoryStore::has_work)
    }

    /// When the files need a turn.
    pub(super) fn history_deadline(&self) -> Option<Time> {
        self.history_store.as_ref().and_then(HistoryStore::next_deadline)
    }

    /// Looks at the wall clock, which an operator or NTP may have set, at most once per second.
    pub(super) fn follow_wall_clock(&mut self) {
        if self.now.ms_since(self.wall_clock_read_at) >= WALL_CLOCK_MS {
            self.wall_clock_read_at = self.now;
            self.exchange.handle_wall_clock(self.now, unix_seconds());
        }
    }
}
