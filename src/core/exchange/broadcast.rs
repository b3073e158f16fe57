//! Broadcast: one line for many readers, stored once and written to each reader from there.
//!
//! A reader has lines of its own in its outbox and lines of its room in a broadcast log. Before a line
//! goes into the outbox, the unread part of the log is copied there, so that the reader gets all
//! lines in their order. `endpoints.rs` and the exchange call this; `broadcast_log.rs` is the storage.

use super::Exchange;
use super::Pending;
use super::broadcast_log::{BroadcastLog, BroadcastLogs, Cursor};
use super::endpoint::{Endpoint, Sending};
use super::endpoints::{Endpoints, endpoint_mut};
use crate::core::SessionId;
use crate::core::buffers::{Outbox, Pool};
use crate::core::chat::{BroadcastId, missed_lines};

/// One reader, borrowed together with its log and outbox.
struct Reading<'a> {
    /// The reader's id, under which the log counts missed lines.
    who: SessionId,
    cursor: &'a mut Cursor,
    log: &'a mut BroadcastLog,
    outbox: &'a mut Outbox,
    pool: &'a mut Pool,
    high_water: usize,
    /// Bytes that one turn may bring to a reader that keeps up. This is half of the limit of 7.11, so
    /// that a reply fits behind them, or less while memory is scarce.
    turn_most: usize,
    /// The counter for the metrics.
    lines_missed: &'a mut u64,
    /// The socket is full.
    is_blocked: bool,
}

impl Exchange {
    /// Writes to no reader of a room in this turn: other input is ready, and comes first. The lines of
    /// several turns then leave in one write for each reader.
    pub fn postpone_fan_out(&mut self) {
        self.endpoints.fan_out_left = 0;
    }

    /// Whether readers of rooms wait for a later turn.
    #[must_use]
    pub fn has_fan_out(&self) -> bool {
        self.endpoints.fan_out.front().is_some()
    }
}

impl Endpoints {
    /// Gives `line` to every reader of the log `id`. The cost does not depend on the number of readers
    /// while their writes are scheduled already.
    pub(super) fn publish(&mut self, id: BroadcastId, line: &[u8]) {
        self.note_published(line.len());
        let Some(log) = self.logs.get_mut(id) else { return };
        log.push(&mut self.pool, line);
        self.log_bytes += line.len();
        self.traffic.lines_out += log.readers().len() as u64;
        self.touched.extend((!log.needs_trim).then_some(id));
        log.needs_trim = true;
        // Many lines in one turn visit the readers once. In a room of 1,000 this is the difference
        // between one pass per turn and one pass per line.
        if std::mem::replace(&mut log.is_scheduled, true) {
            return;
        }
        for &reader in log.readers() {
            let endpoint = endpoint_mut(&mut self.endpoints, reader);
            // A full socket reports when it takes bytes again.
            let is_queued = endpoint.to_write || endpoint.to_fan_out;
            if endpoint.sending == Sending::Open && !is_queued {
                endpoint.to_fan_out = true;
                self.fan_out.push_back(reader);
            }
        }
    }

    /// Moves the subscription of `who` to the log `to`. Unread lines of the old log stay readable: they
    /// are copied into the outbox.
    pub(super) fn set_subscription(&mut self, who: SessionId, to: Option<BroadcastId>) {
        self.flush_log_to_outbox(who);
        if let Some(cursor) = self[who].cursor.take() {
            if let Some(log) = self.logs.get_mut(cursor.log) {
                self.log_bytes -= log.discard_if_read(&mut self.pool);
            }
            self.logs.unsubscribe(cursor, who);
        }
        self[who].cursor = to.map(|to| self.logs.subscribe(to, who));
    }

    /// Copies the unread part of the log into the outbox, because a line for `who` alone follows.
    /// A reader with a full socket loses what exceeds the high-water mark (6.2.2); a reader that keeps up
    /// loses only what exceeds `turn_most`.
    pub(super) fn flush_log_to_outbox(&mut self, who: SessionId) {
        self.with_reading(who, |reading| {
            let rest = reading.log.rest(*reading.cursor).len();
            let most = if reading.is_blocked { reading.high_water } else { reading.turn_most };
            let excess = (reading.outbox.len() + rest).saturating_sub(most).min(rest);
            let lines = reading.log.whole_lines(*reading.cursor, excess);
            reading.skip(lines);
            reading.report_missed();
            reading.copy_rest_to_outbox();
        });
    }

    /// Prepares the write to `who`. Outbox and log become one slice when both are small, which saves a
    /// system call. Lines of the room wait behind an answer that is not complete.
    pub(super) fn prepare_write(&mut self, who: SessionId) {
        if self[who].outbox.has_gap() {
            return;
        }
        self.with_reading(who, |reading| {
            reading.report_missed();
            // Copying a little is cheaper than a second system call; copying much is not, and the
            // copy would count against this reader's output limit.
            let (own, rest) = (reading.outbox.len(), reading.log.rest(*reading.cursor).len());
            if own > 0 && own + rest <= reading.high_water {
                reading.copy_rest_to_outbox();
            }
        });
    }

    /// The bytes that the socket of `who` takes next.
    pub(super) fn output(&self, who: SessionId) -> &[u8] {
        match self[who].is_encoded {
            true => self.encoded_output(who),
            false => application_output(&self[who], &self.logs),
        }
    }

    /// All application bytes that wait for `who`, in their parts.
    pub(super) fn pending(&self, who: SessionId) -> Pending<'_> {
        let Endpoint { outbox, cursor, .. } = &self[who];
        let log = cursor.and_then(|cursor| Some((cursor, self.logs.get(cursor.log)?)));
        Pending {
            own: outbox.ready(),
            behind_answer: outbox.has_gap().then(|| outbox.behind_gap()),
            missed: log.map_or(0, |(_, log)| log.missed(who)),
            shared: log.map_or(&[], |(cursor, log)| log.rest(cursor)),
        }
    }

    /// Whether anything waits to be written to `who`.
    pub(super) fn has_output(&self, who: SessionId) -> bool {
        let Endpoint { outbox, cursor, .. } = &self[who];
        let in_log =
            |cursor: Cursor| self.logs.get(cursor.log)?.has_more(cursor, who).then_some(());
        let has_own = match outbox.has_gap() {
            true => outbox.ready_len() > 0,
            false => !outbox.is_empty() || cursor.and_then(in_log).is_some(),
        };
        has_own || self.has_encoded_output(who)
    }

    /// `who` took `count` bytes of its log.
    pub(super) fn advance_cursor(&mut self, who: SessionId, count: usize) {
        self.with_reading(who, |reading| reading.log.advance(reading.cursor, count));
    }

    /// Ends a turn: frees the lines that every reader has read, and moves readers forward that are more
    /// than the high-water mark behind.
    pub(super) fn trim_logs(&mut self) {
        while let Some(id) = self.touched.pop() {
            let high_water = self.room_high_water_bytes();
            let Some(log) = self.logs.get_mut(id) else { continue };
            log.needs_trim = false;
            self.log_bytes -= log.discard_if_read(&mut self.pool);
            let excess = log.excess(high_water);
            if excess > 0 {
                self.skip(id, excess);
            }
        }
    }

    /// The next reader of a room to write to, if this turn has not done its share (7.47). A reader that
    /// had other output in the meantime has everything already.
    pub(super) fn poll_fan_out(&mut self) -> Option<SessionId> {
        while self.fan_out_left > 0 {
            let id = self.fan_out.pop_front()?;
            if !self.contains(id) || !std::mem::take(&mut self[id].to_fan_out) {
                continue;
            }
            if self[id].sending == Sending::Open && self.has_output(id) {
                self.fan_out_left -= 1;
                return Some(id);
            }
        }
        None
    }

    /// Frees the oldest `excess` bytes of a log. Readers with a full socket that have not read them
    /// miss them. Readers that only wait for their turn in the fan-out get a copy.
    fn skip(&mut self, id: BroadcastId, excess: usize) {
        let readers = self.logs.get(id).map_or(0, |log| log.readers().len());
        // By index, because moving a reader borrows the whole table.
        for n in 0..readers {
            let Some(&who) = self.logs.get(id).and_then(|log| log.readers().get(n)) else {
                continue;
            };
            self.with_reading(who, |reading| {
                let lag = reading.log.lag(*reading.cursor, excess);
                match reading.is_blocked {
                    true => reading.skip(lag),
                    false => reading.copy_to_outbox(lag),
                }
            });
        }
        if let Some(log) = self.logs.get_mut(id) {
            log.discard(excess);
            self.log_bytes -= excess;
        }
    }

    /// Runs `change` on a reader, then updates the bookkeeping: a log that everybody has read must be
    /// trimmed, an outbox that has grown must be written.
    fn with_reading(&mut self, who: SessionId, change: impl FnOnce(&mut Reading<'_>)) {
        let Some(mut reading) = self.reading(who) else { return };
        let before = reading.outbox.len();
        change(&mut reading);
        let Reading { cursor, log, outbox, .. } = reading;
        let (id, has_grown) = (cursor.log, outbox.len() > before);
        if log.is_read() && !std::mem::replace(&mut log.needs_trim, true) {
            self.touched.push(id);
        }
        if has_grown {
            self.record_output(who, before);
        }
    }

    /// Borrows a reader, its log and its outbox at the same time. `None` if `who` subscribes to no log.
    fn reading(&mut self, who: SessionId) -> Option<Reading<'_>> {
        let high_water = self.high_water_bytes();
        let turn_most = match self.is_scarce {
            true => high_water,
            false => self.limits.outbox_bytes_max() / 2,
        };
        let Endpoint { outbox, cursor, sending, .. } = endpoint_mut(&mut self.endpoints, who);
        let is_blocked = *sending != Sending::Open;
        let cursor = cursor.as_mut()?;
        let log = self.logs.get_mut(cursor.log)?;
        Some(Reading {
            who,
            cursor,
            log,
            outbox,
            pool: &mut self.pool,
            high_water,
            turn_most,
            lines_missed: &mut self.traffic.lines_missed,
            is_blocked,
        })
    }
}

/// The next application bytes of a connection: its own lines, and after those the log.
pub(super) fn application_output<'a>(endpoint: &'a Endpoint, logs: &'a BroadcastLogs) -> &'a [u8] {
    match endpoint.cursor {
        Some(cursor) if endpoint.outbox.is_empty() && !endpoint.outbox.has_gap() => {
            logs.get(cursor.log).map_or(&[], |log| log.rest(cursor))
        }
        _ => endpoint.outbox.ready(),
    }
}

impl Reading<'_> {
    /// Moves the cursor forward by `count` bytes. The rest of a line that was written in part goes into
    /// the outbox, so that no reader sees a torn line.
    fn skip(&mut self, count: usize) {
        let begun = self.log.skip(self.cursor, self.who, count);
        if !begun.is_empty() {
            self.outbox.push(self.pool, [begun], self.high_water);
        }
    }

    /// Puts "You missed N lines" where the missed lines would have been.
    fn report_missed(&mut self) {
        if let Some(count) = self.log.take_missed(self.who) {
            *self.lines_missed += count;
            self.outbox.push(self.pool, [missed_lines(count).as_bytes()], self.high_water);
        }
    }

    /// Copies the unread part of the log into the outbox.
    fn copy_rest_to_outbox(&mut self) {
        self.copy_to_outbox(self.log.rest(*self.cursor).len());
    }

    /// Copies the next `count` bytes of the log into the outbox.
    fn copy_to_outbox(&mut self, count: usize) {
        if count > 0 {
            let bytes = &self.log.rest(*self.cursor)[..count];
            self.outbox.push(self.pool, [bytes], self.high_water);
            self.log.advance(self.cursor, count);
        }
    }
}
