//! Room history on its way to and from the shell, which stores it in files (6.3.3).
//!
//! The exchange collects records; `server/history_store.rs` writes them. Nothing here knows a file.

use super::Exchange;
use crate::core::chat::{HistoryCursor, Record, UnixSeconds};
use crate::core::time::Time;

impl Exchange {
    /// Sets the time of day at [`Time::START`] and restores the stored records (6.3.3), which come
    /// oldest first.
    pub fn handle_start<'a>(
        &mut self,
        started_at: UnixSeconds,
        past: impl IntoIterator<Item = Record<'a>>,
    ) {
        self.chat.set_wall_clock(Time::START, started_at);
        past.into_iter().for_each(|record| self.chat.restore_history(record));
        // Rooms whose history expired while the server was down must not appear.
        self.chat.handle_timeout(Time::START);
    }

    /// Tells what the wall clock shows. It can step while the server runs (6.3.1).
    pub fn handle_wall_clock(&mut self, now: Time, shown: UnixSeconds) {
        self.chat.set_wall_clock(now, shown);
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

    /// Appends records of kept history to `out`; see [`Chat::write_history`]. Every record of
    /// [`Exchange::records`] must be stored before: the walk includes the same lines.
    ///
    /// [`Chat::write_history`]: crate::core::chat::Chat::write_history
    pub fn write_history(
        &self,
        cursor: &mut HistoryCursor,
        bytes: usize,
        out: &mut String,
    ) -> bool {
        debug_assert!(self.records.is_empty(), "a line must not be written twice");
        self.chat.write_history(cursor, bytes, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::SessionId;
    use crate::core::limits::Limits;

    fn kept(exchange: &Exchange) -> String {
        let (mut cursor, mut out) = (HistoryCursor::default(), String::new());
        while !exchange.write_history(&mut cursor, out.len() + 1, &mut out) {}
        out
    }

    fn says(exchange: &mut Exchange, now: Time, text: &str) {
        exchange.handle_received(now, SessionId::from_key(0), format!("{text}\n").as_bytes());
        while exchange.poll_action().is_some() {}
    }

    /// (6.3.1)
    #[test]
    fn the_dates_of_history_follow_the_wall_clock_when_it_steps() {
        let mut exchange = Exchange::new(Limits::default());
        exchange.handle_start(1_000, []);
        exchange.handle_connect(Time::START, SessionId::from_key(0));
        says(&mut exchange, Time::START, "anna\n4 tea\nstart");
        let later = Time::START.after_ms(5_000);
        says(&mut exchange, later, "5 s later");
        exchange.handle_wall_clock(later, 90_000);
        says(&mut exchange, later.after_ms(1_999), "ahead");
        exchange.handle_wall_clock(later.after_ms(1_999), 1_007);
        says(&mut exchange, later.after_ms(2_999), "and back");
        let times = kept(&exchange);
        let times = times.lines().map(|record| record.split(' ').nth(1).unwrap_or_default());
        assert_eq!(times.collect::<Vec<_>>(), ["1000", "1005", "90001", "1008"]);
    }

    /// (6.3.3)
    #[test]
    fn a_record_from_the_future_counts_as_said_at_the_start() {
        let mut exchange = Exchange::new(Limits { room_history_ms: 60_000, ..Limits::default() });
        let record = |room, said_at| Record { said_at, room, line: "anna: hello" };
        let past = [record("b", u64::MAX), record("a", 999), record("c", 900)];
        exchange.handle_start(1_000, past);
        assert_eq!(kept(&exchange), "17 999 a anna: hello\n18 1000 b anna: hello\n");
        exchange.handle_timeout(Time::START.after_ms(60_000));
        assert_eq!(kept(&exchange), "", "its room is not kept until that future");
    }

    /// (6.3.3)
    #[test]
    fn a_walk_passes_every_room_once_and_knows_which_it_has_passed() {
        let mut exchange = Exchange::new(Limits::default());
        let rooms = ["Zoe", "abc", "\u{e9}t\u{e9}", "ABD"];
        let record = |room| Record { said_at: 1, room, line: "anna: hello" };
        exchange.handle_start(1, rooms.map(record));
        let (mut cursor, mut out) = (HistoryCursor::default(), String::new());
        assert!(!cursor.has_passed("abc"));
        assert!(!exchange.write_history(&mut cursor, 1, &mut out));
        assert!(cursor.has_passed("ABC") && !cursor.has_passed("abd"));
        while !exchange.write_history(&mut cursor, out.len() + 1, &mut out) {}
        let order = out.lines().map(|record| record.split(' ').nth(2).unwrap_or_default());
        assert_eq!(order.collect::<Vec<_>>(), ["abc", "ABD", "Zoe", "\u{e9}t\u{e9}"]);
        assert!(rooms.iter().all(|room| cursor.has_passed(room)));
    }
}
