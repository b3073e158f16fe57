//! Room history on its way to and from the shell, which stores it in files (6.3.3).
//!
//! The exchange collects records; `server/history_store.rs` writes them. Nothing here knows a file.

use super::Exchange;
use crate::core::chat::{Record, UnixSeconds};
use crate::core::time::Time;

impl Exchange {
    /// Sets the time of day at [`Time::START`] and restores the stored records (6.3.3), which come
    /// oldest first.
    pub fn handle_start<'a>(
        &mut self,
        started_at: UnixSeconds,
        past: impl IntoIterator<Item = Record<'a>>,
    ) {
        self.chat.set_start(started_at);
        past.into_iter().for_each(|record| self.chat.restore_history(record));
        // Rooms whose history expired while the server was down must not appear.
        self.chat.handle_timeout(Time::START);
    }

    /// Turns recording on: messages in rooms then appear in [`Exchange::records`].
    pub fn start_recording(&mut self) {
        self.chat.start_recording();
    }

    /// Records that must reach the file before any byte reaches a socket. Otherwise a crash could lose
    /// a message that a member has already read (6.3.3).
    #[must_use]
    pub fn records(&self) -> &[u8] {
        &self.records
    }

    /// The shell has stored all records.
    pub fn clear_records(&mut self) {
        self.records.clear();
    }
}
