//! The past of rooms on its way to and from the shell (6.14), which keeps it where it outlasts us.

use super::Exchange;
use crate::core::chat::{Record, UnixSeconds};
use crate::core::time::Time;

impl Exchange {
    /// Says what the time of day is at [`Time::START`], and gives what was written down before then
    /// (6.14), the oldest first.
    pub fn handle_start<'a>(
        &mut self,
        started_at: UnixSeconds,
        past: impl IntoIterator<Item = Record<'a>>,
    ) {
        self.chat.set_start(started_at);
        past.into_iter().for_each(|record| self.chat.restore_history(record));
        // Rooms whose time was up before we came are not there.
        self.chat.handle_timeout(Time::START);
    }

    /// From now on what is said in rooms is in [`Exchange::records`].
    pub fn start_recording(&mut self) {
        self.chat.start_recording();
    }

    /// What was said in rooms and is to be written down before anything is written to a socket, or
    /// somebody may have read what does not survive us (6.14).
    #[must_use]
    pub fn records(&self) -> &[u8] {
        &self.records
    }

    /// All records have been written down.
    pub fn clear_records(&mut self) {
        self.records.clear();
    }
}
