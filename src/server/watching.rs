//! Watching: what the loop did in its last turns, for operators who watch (8.2.11 to 8.2.13, 7.100 to 7.107).
//!
//! While nobody watches, each step of a turn costs one branch. While somebody does, `Server::end_step`
//! takes the time of each step. What happened in a turn is the difference of counters that the server
//! keeps anyway. `stream.rs` makes the lines, and `teaching.rs` holds the loop.

mod ring;
mod stream;
mod teaching;

use std::io;
use std::time::Duration;

use super::Server;
use super::operator_commands::Asker;
use crate::core::SessionId;
use crate::core::limits::WATCHED_TURNS_MEASURED;
use crate::core::operator::{
    Answer, CommandRefusal, Outcome, Step, TurnCounts, TurnRecord, WatchCommand, WatchOutcome,
    WatchRefusal, WatchedConnection,
};
use crate::core::time::Time;
use ring::Ring;
use teaching::Teaching;

/// What watchers see of the loop.
#[derive(Debug)]
pub(super) struct Watching {
    /// Somebody watches, or the loop is held.
    is_on: bool,
    /// The turn that is running is measured.
    is_measured: bool,
    /// Of how many turns one is measured (7.107).
    every: u64,
    /// Turns since the last measured one.
    unmeasured: u64,
    /// Turns since the last line.
    turns: u64,
    watchers: Vec<Watcher>,
    ring: Ring,
    /// All turns together, also those without an entry.
    total: TurnRecord,
    /// The turn that is running.
    turn: TurnRecord,
    /// The server's counters at its begin.
    before: TurnCounts,
    /// When the last step ended.
    step_ended: Duration,
    /// Sockets that the poll has reported since the last measured turn, without those of consoles.
    pub(super) events: u64,
    /// The same, of this turn alone.
    pub(super) turn_events: u64,
    /// When the next line is due; `None` while nobody watches.
    due: Option<Time>,
    /// When the last line was sent, by the clock of the core and by the one that goes on.
    last_line: Time,
    last_line_at: Duration,
    /// The connections of the last line, and until when they are good enough.
    connections: Vec<WatchedConnection>,
    connections_until: Option<Time>,
    /// The followed session.
    followed: Option<SessionId>,
    pub(super) teaching: Option<Teaching>,
}

/// A console that watches.
#[derive(Debug)]
struct Watcher {
    asker: Asker,
    /// The number of the next turn to send.
    next: u64,
    /// See [`Watching::total`]; at the last line.
    total: TurnRecord,
}

impl Watching {
    /// Nobody watches yet.
    pub(super) fn new() -> Watching {
        Watching {
            is_on: false,
            is_measured: false,
            every: 1,
            unmeasured: 0,
            turns: 0,
            watchers: Vec::new(),
            ring: Ring::default(),
            total: TurnRecord::default(),
            turn: TurnRecord::default(),
            before: TurnCounts::default(),
            step_ended: Duration::ZERO,
            events: 0,
            turn_events: 0,
            due: None,
            last_line: Time::START,
            last_line_at: Duration::ZERO,
            connections: Vec::new(),
            connections_until: None,
            followed: None,
            teaching: None,
        }
    }

    /// When the loop must wake up for watchers.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.due
    }

    /// Follows from who watches and whether the loop is held.
    fn refresh(&mut self) {
        let is_watched = !self.watchers.is_empty();
        self.is_on = is_watched || self.is_holding();
        self.is_measured &= self.is_on;
        if !is_watched {
            self.due = None;
            self.ring.clear();
            self.connections = Vec::new();
        }
    }

    fn is_holding(&self) -> bool {
        self.teaching.as_ref().is_some_and(Teaching::is_holding)
    }

    /// Ends the turn that is running. It stands for the turns before it that were not measured. Turns that only served consoles get no entry: watching would
    /// fill the picture with itself.
    fn end_turn(&mut self, counts: TurnCounts) {
        let mut turn = std::mem::take(&mut self.turn);
        let turns = std::mem::take(&mut self.unmeasured) + 1;
        (turn.turns, turn.events) = (turns, std::mem::take(&mut self.events));
        turn.ns = turn.ns.map(|ns| ns.saturating_mul(turns));
        self.turns += 1;
        turn.counts = counts.since(&self.before);
        self.before = counts;
        self.total.add(&turn);
        if turn.events == 0 && turn.counts == TurnCounts::default() {
            return;
        }
        self.ring.push(turn);
    }
}

impl Server {
    /// A step of the turn is done.
    #[inline]
    pub(super) fn end_step(&mut self, step: Step) -> io::Result<()> {
        if self.watching.is_measured {
            return self.end_watched_step(step);
        }
        if step == Step::Act && self.watching.is_on {
            self.end_unmeasured_turn();
        }
        Ok(())
    }

    /// A turn is done that nobody measured. The next one is measured if it is due.
    fn end_unmeasured_turn(&mut self) {
        let watching = &mut self.watching;
        watching.unmeasured += 1;
        watching.turns += 1;
        let is_due = watching.due.is_some_and(|due| due <= self.now);
        if is_due || watching.is_holding() || watching.unmeasured + 1 >= watching.every {
            self.measure_turn();
        }
    }

    /// Takes the time of the steps from now on.
    fn measure_turn(&mut self) {
        if !self.watching.is_measured {
            self.watching.is_measured = true;
            self.watching.step_ended = self.elapsed();
        }
    }

    /// Time since the server started, without the time in which the loop was held.
    #[inline]
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed().saturating_sub(self.stood_still())
    }

    #[cold]
    fn end_watched_step(&mut self, step: Step) -> io::Result<()> {
        let now = self.elapsed();
        let took = now.saturating_sub(self.watching.step_ended);
        self.watching.step_ended = now;
        self.watching.turn.ns[step as usize] += u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if step == Step::Act {
            self.watching.end_turn(self.counts());
            if self.stream_if_due() {
                // Making the line belongs to no step.
                self.watching.step_ended = self.elapsed();
                self.watching.every = measure_every(self.watching.turns);
                self.watching.turns = 0;
            }
            self.watching.is_measured = self.watching.every == 1 || self.watching.is_holding();
            self.watching.is_measured &= self.watching.is_on;
        }
        self.hold(step.next())
    }

    /// The counters that a turn is described by.
    fn counts(&self) -> TurnCounts {
        let (metrics, traffic) = (&self.metrics, self.exchange.traffic());
        TurnCounts {
            accepted: u64::from(self.accepted_count),
            reads: metrics.reads,
            bytes_in: metrics.bytes_in - metrics.secret_bytes_in,
            lines: traffic.lines_in,
            held: self.exchange.holds(),
            timers: traffic.timeouts,
            writes: metrics.writes,
            bytes_out: metrics.bytes_out,
            closes: metrics.closes,
        }
    }

    /// Executes `watch` (8.2.11). The followed session is the same for all who watch.
    pub(super) fn watch(&mut self, asker: Asker, command: WatchCommand<'_>) -> Answer {
        let followed = match command {
            WatchCommand::All => None,
            WatchCommand::User(name) => match self.exchange.chat().find(name) {
                Some(id) => Some(id),
                None => return Answer::Refused(CommandRefusal::NoSuchUser),
            },
            WatchCommand::Number(number) => {
                let found = self.connections.iter().find(|(_, open)| open.number == number);
                match found {
                    Some((key, _)) => Some(SessionId::from_key(key)),
                    None => return watched(Err(WatchRefusal::NoSuchNumber)),
                }
            }
            WatchCommand::Off if self.end_stream(asker) => return watched(Ok(WatchOutcome::Ended)),
            WatchCommand::Off => return watched(Err(WatchRefusal::NotWatching)),
        };
        self.follow(followed);
        self.start_stream(asker);
        let label = |id: SessionId| match self.exchange.chat().name(id) {
            Some(name) => name.to_string(),
            None => format!("#{}", self.connections[id.key()].number),
        };
        watched(Ok(WatchOutcome::Watching { follows: followed.map(label) }))
    }

    /// A connection is closed: nobody follows it any more.
    pub(super) fn end_following(&mut self, id: SessionId) {
        if self.watching.followed == Some(id) {
            self.follow(None);
        }
    }

    fn follow(&mut self, id: Option<SessionId>) {
        self.watching.followed = id;
        self.exchange.begin_trace(id);
    }

    fn start_stream(&mut self, asker: Asker) {
        if !self.watching.is_on {
            self.begin_watched_turn();
        }
        let watching = &mut self.watching;
        if !watching.watchers.iter().any(|watcher| watcher.asker == asker) {
            let (next, total) = (watching.ring.next(), watching.total);
            watching.watchers.push(Watcher { asker, next, total });
        }
        // The first line comes at once.
        watching.due = Some(self.now);
        watching.refresh();
    }

    /// Nothing of this turn so far was measured.
    fn begin_watched_turn(&mut self) {
        let (counts, now) = (self.counts(), self.elapsed());
        let watching = &mut self.watching;
        (watching.before, watching.step_ended) = (counts, now);
        watching.turn = TurnRecord::default();
        (watching.events, watching.unmeasured, watching.turns) = (0, 0, 0);
        (watching.every, watching.is_measured) = (1, true);
    }

    /// Returns whether there was a stream.
    fn end_stream(&mut self, asker: Asker) -> bool {
        let before = self.watching.watchers.len();
        self.watching.watchers.retain(|watcher| watcher.asker != asker);
        let was_there = self.watching.watchers.len() < before;
        self.end_watching_if_alone();
        was_there
    }

    fn end_watching_if_alone(&mut self) {
        if self.watching.watchers.is_empty() {
            self.follow(None);
        }
        self.watching.refresh();
    }
}

/// Of how many turns one is measured, after `turns` of them between two lines (7.107).
fn measure_every(turns: u64) -> u64 {
    turns.div_ceil(WATCHED_TURNS_MEASURED).max(1)
}

/// The answer to a command about watching.
fn watched(done: Result<WatchOutcome, WatchRefusal>) -> Answer {
    match done {
        Ok(outcome) => Answer::done(Outcome::Watch(outcome)),
        Err(refusal) => Answer::Refused(CommandRefusal::Watch(refusal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (7.107)
    #[test]
    fn a_loop_that_turns_fast_is_measured_in_one_turn_of_several() {
        assert_eq!([0, 1, 200, 201, 7_000].map(measure_every), [1, 1, 1, 2, 35]);
        let mut watching = Watching::new();
        watching.unmeasured = 9;
        watching.events = 20;
        watching.turn.ns[Step::Read as usize] = 5;
        watching.end_turn(TurnCounts { lines: 11, ..TurnCounts::default() });
        let (_, turns) = watching.ring.since(0);
        assert_eq!((turns.len(), turns[0].turns, turns[0].events), (1, 10, 20));
        assert_eq!((turns[0].counts.lines, turns[0].ns[Step::Read as usize]), (11, 50));
        assert_eq!(watching.unmeasured, 0);
    }
}
