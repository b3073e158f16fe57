//! What is said to many: a line goes into a feed once, and from there to each reader, in one write
//! with all else of the turn. A reader's own lines stand in its outbox; what of the feed comes before
//! them is moved there first, so that each reads everything in the order it was said.

use super::endpoint::{Endpoint, Sending};
use super::endpoints::{Endpoints, endpoint_mut};
use super::feed::{Feed, Tuned};
use super::{Action, Pending};
use crate::SessionId;
use crate::chat::{FeedId, missed_lines};
use crate::wire::{Outbox, Pool};

/// A reader together with its feed.
struct Reading<'a> {
    who: SessionId,
    tuned: &'a mut Tuned,
    feed: &'a mut Feed,
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
    /// Gives `line` to all who are tuned in to `id`.
    pub(super) fn publish(&mut self, id: FeedId, line: &[u8]) {
        let Some(feed) = self.feeds.get_mut(id) else { return };
        feed.push(&mut self.pool, line);
        self.output_bytes += line.len();
        self.traffic.lines_out += feed.readers().len() as u64;
        self.touched.extend((!feed.is_touched).then_some(id));
        feed.is_touched = true;
        if std::mem::replace(&mut feed.is_announced, true) {
            return;
        }
        for &reader in feed.readers() {
            let endpoint = endpoint_mut(&mut self.endpoints, reader);
            // A socket that is full will say when it is not.
            if endpoint.sending == Sending::OPEN && !endpoint.to_write {
                endpoint.to_write = true;
                self.actions.push_back(Action::Write(reader));
            }
        }
    }

    /// From now on `who` reads what is published on `to`, and on no other feed. What was published
    /// before is still to be read.
    pub(super) fn tune(&mut self, who: SessionId, to: Option<FeedId>) {
        self.catch_up(who);
        if let Some(tuned) = self[who].tuned.take() {
            if let Some(feed) = self.feeds.get_mut(tuned.feed) {
                self.output_bytes -= feed.give_up_if_read(&mut self.pool);
            }
            self.feeds.tune_out(tuned, who);
        }
        self[who].tuned = to.map(|to| self.feeds.tune_in(to, who));
    }

    /// Moves what `who` has not read of its feed into its outbox, since something else is to follow.
    /// Of somebody who does not read what is more than the high-water mark is missed (6.9); of somebody
    /// who does, only what one turn brings beyond all measure.
    pub(super) fn catch_up(&mut self, who: SessionId) {
        self.with_reading(who, |reading| {
            let rest = reading.feed.rest(*reading.tuned).len();
            let most = if reading.is_blocked { reading.high_water } else { reading.turn_most };
            let excess = (reading.outbox.len() + rest).saturating_sub(most).min(rest);
            let lines = reading.feed.whole_lines(*reading.tuned, excess);
            reading.pass_over(lines);
            reading.tell_missed();
            reading.move_rest();
        });
    }

    /// `who` is about to be written to: in one write, if that can be.
    pub(super) fn prepare_write(&mut self, who: SessionId) {
        self.with_reading(who, |reading| {
            reading.tell_missed();
            let (own, rest) = (reading.outbox.len(), reading.feed.rest(*reading.tuned).len());
            if own > 0 && own + rest <= reading.high_water {
                reading.move_rest();
            }
        });
    }

    /// What waits to be written to `who`: its own lines, and when those are written the feed.
    pub(super) fn output(&self, who: SessionId) -> &[u8] {
        let Endpoint { outbox, tuned, .. } = &self[who];
        match tuned {
            Some(tuned) if outbox.is_empty() => {
                self.feeds.get(tuned.feed).map_or(&[], |feed| feed.rest(*tuned))
            }
            _ => outbox.as_slice(),
        }
    }

    /// All that waits for `who`.
    pub(super) fn pending(&self, who: SessionId) -> Pending<'_> {
        let Endpoint { outbox, tuned, .. } = &self[who];
        let feed = tuned.and_then(|tuned| Some((tuned, self.feeds.get(tuned.feed)?)));
        Pending {
            own: outbox.as_slice(),
            missed: feed.map_or(0, |(_, feed)| feed.missed(who)),
            shared: feed.map_or(&[], |(tuned, feed)| feed.rest(tuned)),
        }
    }

    /// Whether there is something to be written to `who`, or to be prepared for it.
    pub(super) fn has_output(&self, who: SessionId) -> bool {
        let Endpoint { outbox, tuned, .. } = &self[who];
        let of_feed = |tuned: Tuned| self.feeds.get(tuned.feed)?.has_more(tuned, who).then_some(());
        !outbox.is_empty() || tuned.and_then(of_feed).is_some()
    }

    /// The socket of `who` took `count` bytes of its feed.
    pub(super) fn take_from_feed(&mut self, who: SessionId, count: usize) {
        self.with_reading(who, |reading| reading.feed.advance(reading.tuned, count));
    }

    /// The end of a turn: what all have read is given up, and who is too far behind is moved on.
    pub(super) fn trim_feeds(&mut self) {
        while let Some(id) = self.touched.pop() {
            let high_water = self.high_water_bytes();
            let Some(feed) = self.feeds.get_mut(id) else { continue };
            feed.is_touched = false;
            self.output_bytes -= feed.give_up_if_read(&mut self.pool);
            let excess = feed.excess(high_water);
            if excess > 0 {
                self.pass_over(id, excess);
            }
        }
    }

    /// Gives up the oldest `excess` bytes of a feed; whoever has not read them is moved on.
    fn pass_over(&mut self, id: FeedId, excess: usize) {
        let readers = self.feeds.get(id).map_or(0, |feed| feed.readers().len());
        for n in 0..readers {
            let Some(&who) = self.feeds.get(id).and_then(|feed| feed.readers().get(n)) else {
                continue;
            };
            self.with_reading(who, |reading| {
                let lag = reading.feed.lag(*reading.tuned, excess);
                reading.pass_over(lag);
            });
        }
        if let Some(feed) = self.feeds.get_mut(id) {
            feed.give_up(excess);
            self.output_bytes -= excess;
        }
    }

    /// Moves a reader on in some way, which may put bytes into its outbox.
    fn with_reading(&mut self, who: SessionId, moves: impl FnOnce(&mut Reading<'_>)) {
        let Some(mut reading) = self.reading(who) else { return };
        let before = reading.outbox.len();
        moves(&mut reading);
        let Reading { tuned, feed, outbox, .. } = reading;
        let (id, has_grown) = (tuned.feed, outbox.len() > before);
        if feed.is_read() && !std::mem::replace(&mut feed.is_touched, true) {
            self.touched.push(id);
        }
        if has_grown {
            self.note_said(who, before);
        }
    }

    fn reading(&mut self, who: SessionId) -> Option<Reading<'_>> {
        let high_water = self.high_water_bytes();
        let turn_most = self.limits.outbox_bytes_max() / 2;
        let Endpoint { outbox, tuned, sending, .. } = endpoint_mut(&mut self.endpoints, who);
        let is_blocked = *sending != Sending::OPEN;
        let tuned = tuned.as_mut()?;
        let feed = self.feeds.get_mut(tuned.feed)?;
        Some(Reading {
            who,
            tuned,
            feed,
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
    fn pass_over(&mut self, count: usize) {
        let begun = self.feed.pass_over(self.tuned, self.who, count);
        if !begun.is_empty() {
            self.outbox.push(self.pool, [begun], self.high_water);
        }
    }

    /// Says, in their place, that lines were missed.
    fn tell_missed(&mut self) {
        if let Some(count) = self.feed.take_missed(self.who) {
            *self.lines_missed += count;
            self.outbox.push(self.pool, [missed_lines(count).as_bytes()], self.high_water);
        }
    }

    /// Moves what has not been read into the outbox.
    fn move_rest(&mut self) {
        let rest = self.feed.rest(*self.tuned);
        let count = rest.len();
        if count > 0 {
            self.outbox.push(self.pool, [rest], self.high_water);
            self.feed.advance(self.tuned, count);
        }
    }
}
