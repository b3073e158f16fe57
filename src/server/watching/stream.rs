//! The lines of the stream: which turns, which connections, and the followed session (8.2.12, 8.2.13).
//!
//! A watcher that does not read gets no line; its turns wait in the ring, and those that the ring has
//! lost are counted for it. So a slow watcher costs no memory.

use std::cmp::Reverse;

use super::Server;
use crate::core::SessionId;
use crate::core::limits::{
    WATCH_IDLE_MS, WATCH_INTERVAL_MS, WATCHED_CONNECTIONS_MAX, WATCHED_CONNECTIONS_PER_MS,
    WATCHED_TURNS_PER_LINE,
};
use crate::core::operator::{Followed, TurnRecord, WatchReport, WatchedConnection};
use crate::core::time::Time;
use crate::server::console::Streamed;

/// A connection whose input is held ranks like one that fills its output to this part of the
/// high-water mark, in thousandths.
const HELD_RANK: u64 = 500;

impl Server {
    /// Sends a line to each watcher if one is due, and returns whether it was.
    pub(super) fn stream_if_due(&mut self) -> bool {
        if self.watching.watchers.is_empty() {
            return false;
        }
        let is_due = self.watching.due.is_some_and(|due| due <= self.now);
        if is_due {
            self.stream_now();
        }
        let is_behind = self.watching.watchers.iter().any(|w| w.next < self.watching.ring.next());
        let ms = if is_behind { WATCH_INTERVAL_MS } else { WATCH_IDLE_MS };
        self.watching.due = Some(self.watching.last_line.after_ms(ms));
        is_due
    }

    /// Sends a line to each watcher that takes one.
    pub(super) fn stream_now(&mut self) {
        self.watching.last_line = self.now;
        self.watching.last_line_at = self.started.elapsed();
        self.refresh_connections();
        let mut watchers = std::mem::take(&mut self.watching.watchers);
        watchers.retain_mut(|watcher| {
            let taken = match self.operators.may_stream(watcher.asker) {
                Streamed::Sent => {
                    let line = self.line_for(watcher.next, &watcher.total).encode();
                    watcher.next = self.watching.ring.next();
                    watcher.total = self.watching.total;
                    self.operators.stream(watcher.asker, &line)
                }
                other => other,
            };
            taken != Streamed::Gone
        });
        self.watching.watchers = watchers;
        if self.watching.watchers.is_empty() {
            self.end_watching_if_alone();
        }
    }

    /// The line for a watcher that has seen the turns before `next`.
    fn line_for(&self, next: u64, total: &TurnRecord) -> WatchReport {
        let watching = &self.watching;
        let (skipped, turns) = watching.ring.since(next);
        WatchReport {
            at_ms: self.now.ms_since(Time::START),
            skipped,
            total: watching.total.since(total),
            turns: together(&turns),
            count: self.connections.len(),
            high_water: self.exchange.high_water_bytes(),
            connections: watching.connections.clone(),
            followed: self.followed(),
            held: watching.teaching.as_ref().map(super::Teaching::held),
        }
    }

    /// The way of the followed session's last input.
    fn followed(&self) -> Option<Followed> {
        let id = self.watching.followed?;
        let trace = self.exchange.trace()?;
        // The trace may be older than the end of the other session.
        let name = |id: Option<SessionId>| {
            let id = id.filter(|id| self.exchange.chat().has_session(*id));
            let name = id.and_then(|id| self.exchange.chat().name(id));
            name.map(ToString::to_string).unwrap_or_default()
        };
        let hops = trace.hops().iter().map(|taken| (*taken, name(taken.other))).collect();
        let number = self.connections.get(id.key())?.number;
        Some(Followed { number, name: name(Some(id)), hops })
    }

    /// Looks at all connections, if that was not done just now (7.104).
    fn refresh_connections(&mut self) {
        if self.watching.connections_until.is_some_and(|until| self.now < until) {
            return;
        }
        let ranked = self.connections.iter().map(|(key, open)| {
            let id = SessionId::from_key(key);
            (Reverse(self.rank(id)), open.number, id)
        });
        let mut ranked = ranked.collect::<Vec<_>>();
        if ranked.len() > WATCHED_CONNECTIONS_MAX {
            ranked.select_nth_unstable(WATCHED_CONNECTIONS_MAX - 1);
            ranked.truncate(WATCHED_CONNECTIONS_MAX);
        }
        ranked.sort_unstable();
        let rows = ranked.into_iter().filter_map(|(_, _, id)| self.watched(id)).collect();
        self.watching.connections = rows;
        let ms = fresh_for_ms(self.connections.len());
        self.watching.connections_until = ms.map(|ms| self.now.after_ms(ms));
    }

    /// How much a connection fills, holds or costs; the most counts.
    fn rank(&self, id: SessionId) -> u64 {
        let fills = 1_000 * self.exchange.outbox_bytes(id) as u64
            / self.exchange.high_water_bytes().max(1) as u64;
        let holds = if self.input_waits(id) { HELD_RANK } else { 0 };
        let (cpu, _) = self.cost_rank(id);
        fills.max(holds).max(cpu / 1_000)
    }

    /// Whether input of a connection waits: in the exchange, or unread in the socket.
    fn input_waits(&self, id: SessionId) -> bool {
        let is_unread = self.connections.get(id.key()).is_some_and(|open| open.has_more);
        (is_unread || self.exchange.held_input_bytes(id) > 0) && self.exchange.hold(id).is_some()
    }

    fn watched(&self, id: SessionId) -> Option<WatchedConnection> {
        let connection = self.connections.get(id.key())?;
        let (chat, exchange) = (self.exchange.chat(), &self.exchange);
        let left = |at: Time| at.ms_since(self.now);
        let session = chat.deadline(id).map(|(deadline, at)| (deadline.word(), left(at)));
        let deadlines = exchange.deadlines(id).map(|(deadline, at)| (deadline.word(), left(at)));
        // A request for the web page has no session, nor has a handshake.
        let user = Some(id).filter(|id| chat.has_session(*id));
        let partner = user.and_then(|id| chat.partner(id)).and_then(|with| chat.name(with));
        let state = chat.state(id).unwrap_or("-");
        // A member of a room who is asked sees the request first.
        let room = user.and_then(|id| chat.room(id)).filter(|_| state == "IN ROOM");
        let room = room.and_then(|room| chat.room_name(room));
        let now_s = self.now_s();
        let cost = self.costs.of(now_s, id.key(), connection.number);
        Some(WatchedConnection {
            number: connection.number,
            name: user.and_then(|id| chat.name(id)).map(ToString::to_string).unwrap_or_default(),
            state,
            with: partner.or(room).map(ToString::to_string).unwrap_or_default(),
            output: exchange.outbox_bytes(id),
            is_congested: exchange.is_congested(id),
            held_bytes: exchange.held_input_bytes(id),
            waits: self.input_waits(id),
            hold: exchange.hold(id),
            deadlines: session.into_iter().chain(deadlines).collect(),
            cpu_percent: cost.map_or(0.0, |cost| self.costs.cpu_percent(now_s, cost)),
        })
    }
}

/// How long the figures of so many connections are good enough; `None` if each line has new ones.
fn fresh_for_ms(connections: usize) -> Option<u64> {
    let ms = (connections / WATCHED_CONNECTIONS_PER_MS) as u64;
    (ms > WATCH_INTERVAL_MS).then_some(ms)
}

/// The turns in few entries: each has as many turns as are needed for that.
fn together(turns: &[TurnRecord]) -> Vec<TurnRecord> {
    let each = turns.len().div_ceil(WATCHED_TURNS_PER_LINE).max(1);
    let sum = |turns: &[TurnRecord]| {
        let mut sum = TurnRecord::default();
        turns.iter().for_each(|turn| sum.add(turn));
        sum
    };
    turns.chunks(each).map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (7.104)
    #[test]
    fn a_crowd_is_looked_at_less_often() {
        assert_eq!([0, 60, 1_000].map(fresh_for_ms), [None; 3]);
        assert_eq!([2_000, 50_000].map(fresh_for_ms), [Some(200), Some(5_000)]);
    }

    /// (7.102)
    #[test]
    fn many_turns_share_the_entries_of_a_line_and_none_is_lost() {
        let turn = TurnRecord { turns: 1, events: 2, ..TurnRecord::default() };
        for count in [0, 1, 49, 50, 51, 1_024] {
            let entries = together(&vec![turn; count]);
            assert!(entries.len() <= WATCHED_TURNS_PER_LINE, "{count}: {}", entries.len());
            assert_eq!(entries.iter().map(|entry| entry.turns).sum::<u64>(), count as u64);
            assert_eq!(entries.iter().map(|entry| entry.events).sum::<u64>(), 2 * count as u64);
        }
    }
}
