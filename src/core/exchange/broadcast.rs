//! What is said to many: a line goes into a log once, and from there to each reader, in one write
//! with all else of the turn. A reader's own lines stand in its outbox; what of the log comes before
//! them is moved there first, so that each reads everything in the order it was said.

use super::broadcast_log::{BroadcastLog, Cursor};
use super::endpoint::{Endpoint, Sending};
use super::endpoints::{Endpoints, endpoint_mut};
use super::{Action, Pending};
use crate::core::SessionId;
use crate::core::buffers::{Outbox, Pool};
use crate::core::chat::{BroadcastId, missed_lines};

/// A reader together with its log.
struct Reading<'a> {
    who: SessionId,
    cursor: &'a mut Cursor,
    log: &'a mut BroadcastLog,
    outbox: &'a mut Outbox,
    pool: &'a mut Pool,
    high_water: usize,
    /// What one turn may bring to somebody who reads: far enough from 5.13 for a reply behind it.
    turn_most: usize,
    lines_missed: &'a mut u64,
    /// The socket takes nothing at the moment.
    is_blocked: bool,
}

impl Endpoints {
    /// Gives `line` to all who are cursor in to `id`.
    pub(super) fn publish(&mut self, id: BroadcastId, line: &[u8]) {
        let Some(log) = self.logs.get_mut(id) else { return };
        log.push(&mut self.pool, line);
        self.output_bytes += line.len();
        self.traffic.lines_out += log.readers().len() as u64;
        self.touched.extend((!log.needs_trim).then_some(id));
        log.needs_trim = true;
        if std::mem::replace(&mut log.is_scheduled, true) {
            return;
        }
        for &reader in log.readers() {
            let endpoint = endpoint_mut(&mut self.endpoints, reader);
            // A socket that is full will say when it is not.
            if endpoint.sending == Sending::OPEN && !endpoint.to_write {
                endpoint.to_write = true;
                self.actions.push_back(Action::Write(reader));
            }
        }
    }

    /// From now on `who` reads what is published on `to`, and on no other log. What was published
    /// before is still to be read.
    pub(super) fn set_subscription(&mut self, who: SessionId, to: Option<BroadcastId>) {
        self.flush_log_to_outbox(who);
        if let Some(cursor) = self[who].cursor.take() {
            if let Some(log) = self.logs.get_mut(cursor.log) {
                self.output_bytes -= log.discard_if_read(&mut self.pool);
            }
            self.logs.unsubscribe(cursor, who);
        }
        self[who].cursor = to.map(|to| self.logs.subscribe(to, who));
    }

    /// Moves what `who` has not read of its log into its outbox, since something else is to follow.
    /// Of somebody who does not read what is more than the high-water mark is missed (6.9); of somebody
    /// who does, only what one turn brings beyond all measure.
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

    /// `who` is about to be written to: in one write, if that can be.
    pub(super) fn prepare_write(&mut self, who: SessionId) {
        self.with_reading(who, |reading| {
            reading.report_missed();
            let (own, rest) = (reading.outbox.len(), reading.log.rest(*reading.cursor).len());
            if own > 0 && own + rest <= reading.high_water {
                reading.copy_rest_to_outbox();
            }
        });
    }

    /// What waits to be written to `who`: its own lines, and when those are written the log.
    pub(super) fn output(&self, who: SessionId) -> &[u8] {
        let Endpoint { outbox, cursor, .. } = &self[who];
        match cursor {
            Some(cursor) if outbox.is_empty() => {
                self.logs.get(cursor.log).map_or(&[], |log| log.rest(*cursor))
            }
            _ => outbox.as_slice(),
        }
    }

    /// All that waits for `who`.
    pub(super) fn pending(&self, who: SessionId) -> Pending<'_> {
        let Endpoint { outbox, cursor, .. } = &self[who];
        let log = cursor.and_then(|cursor| Some((cursor, self.logs.get(cursor.log)?)));
        Pending {
            own: outbox.as_slice(),
            missed: log.map_or(0, |(_, log)| log.missed(who)),
            shared: log.map_or(&[], |(cursor, log)| log.rest(cursor)),
        }
    }

    /// Whether there is something to be written to `who`, or to be prepared for it.
    pub(super) fn has_output(&self, who: SessionId) -> bool {
        let Endpoint { outbox, cursor, .. } = &self[who];
        let of_feed =
            |cursor: Cursor| self.logs.get(cursor.log)?.has_more(cursor, who).then_some(());
        !outbox.is_empty() || cursor.and_then(of_feed).is_some()
    }

    /// The socket of `who` took `count` bytes of its log.
    pub(super) fn advance_cursor(&mut self, who: SessionId, count: usize) {
        self.with_reading(who, |reading| reading.log.advance(reading.cursor, count));
    }

    /// The end of a turn: what all have read is given up, and who is too far behind is moved on.
    pub(super) fn trim_logs(&mut self) {
        while let Some(id) = self.touched.pop() {
            let high_water = self.high_water_bytes();
            let Some(log) = self.logs.get_mut(id) else { continue };
            log.needs_trim = false;
            self.output_bytes -= log.discard_if_read(&mut self.pool);
            let excess = log.excess(high_water);
            if excess > 0 {
                self.skip(id, excess);
            }
        }
    }

    /// Gives up the oldest `excess` bytes of a log; whoever has not read them is moved on.
    fn skip(&mut self, id: BroadcastId, excess: usize) {
        let readers = self.logs.get(id).map_or(0, |log| log.readers().len());
        for n in 0..readers {
            let Some(&who) = self.logs.get(id).and_then(|log| log.readers().get(n)) else {
                continue;
            };
            self.with_reading(who, |reading| {
                let lag = reading.log.lag(*reading.cursor, excess);
                reading.skip(lag);
            });
        }
        if let Some(log) = self.logs.get_mut(id) {
            log.discard(excess);
            self.output_bytes -= excess;
        }
    }

    /// Moves a reader on in some way, which may put bytes into its outbox.
    fn with_reading(&mut self, who: SessionId, moves: impl FnOnce(&mut Reading<'_>)) {
        let Some(mut reading) = self.reading(who) else { return };
        let before = reading.outbox.len();
        moves(&mut reading);
        let Reading { cursor, log, outbox, .. } = reading;
        let (id, has_grown) = (cursor.log, outbox.len() > before);
        if log.is_read() && !std::mem::replace(&mut log.needs_trim, true) {
            self.touched.push(id);
        }
        if has_grown {
            self.record_output(who, before);
        }
    }

    fn reading(&mut self, who: SessionId) -> Option<Reading<'_>> {
        let high_water = self.high_water_bytes();
        let turn_most = self.limits.outbox_bytes_max() / 2;
        let Endpoint { outbox, cursor, sending, .. } = endpoint_mut(&mut self.endpoints, who);
        let is_blocked = *sending != Sending::OPEN;
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

impl Reading<'_> {
    /// Moves the reader on by `count` bytes; a line already written in part is kept.
    fn skip(&mut self, count: usize) {
        let begun = self.log.skip(self.cursor, self.who, count);
        if !begun.is_empty() {
            self.outbox.push(self.pool, [begun], self.high_water);
        }
    }

    /// Says, in their place, that lines were missed.
    fn report_missed(&mut self) {
        if let Some(count) = self.log.take_missed(self.who) {
            *self.lines_missed += count;
            self.outbox.push(self.pool, [missed_lines(count).as_bytes()], self.high_water);
        }
    }

    /// Moves what has not been read into the outbox.
    fn copy_rest_to_outbox(&mut self) {
        let rest = self.log.rest(*self.cursor);
        let count = rest.len();
        if count > 0 {
            self.outbox.push(self.pool, [rest], self.high_water);
            self.log.advance(self.cursor, count);
        }
    }
}
