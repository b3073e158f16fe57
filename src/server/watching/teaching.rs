//! Holding the loop, for a class that looks on (8.2.14, 8.2.15).
//!
//! `Server::end_step` calls [`Server::hold`] between two steps of a turn. While the loop is held, a
//! second, small wait serves the consoles and the signals. The clock of the core stands still, so no
//! deadline passes and nobody is disconnected for it.

use std::io;
use std::time::Duration;

use log::info;

use super::Server;
use crate::core::limits::{WATCH_IDLE_MS, WATCH_INTERVAL_MS};
use crate::core::operator::{
    CommandRefusal, Held, Outcome, Step, TeachCommand, WatchOutcome, WatchRefusal,
};
use crate::server::logging::{self, OPERATOR};

/// The longest wait for a console. A signal that comes just before the wait is found after it.
const WAIT: Duration = Duration::from_millis(200);

/// How the loop is held.
#[derive(Debug)]
pub(in crate::server) struct Teaching {
    is_paused: bool,
    /// One step may run although the loop is held.
    may_step: bool,
    slow_ms: u64,
    /// The step that comes next.
    next: Step,
    /// How long the loop was held so far.
    stood_still: Duration,
    /// Since when the loop is held now, by the clock that goes on.
    since: Option<Duration>,
    /// The longest pause (7.105).
    pause_max: Duration,
}

impl Teaching {
    fn new(pause_max: Duration) -> Teaching {
        Teaching {
            is_paused: false,
            may_step: false,
            slow_ms: 0,
            next: Step::Wait,
            stood_still: Duration::ZERO,
            since: None,
            pause_max,
        }
    }

    /// Whether the loop is held before each step.
    pub(super) fn is_holding(&self) -> bool {
        self.is_paused || self.slow_ms > 0
    }

    /// What watchers see of it.
    pub(super) fn held(&self) -> Held {
        Held { is_paused: self.is_paused, next: self.next, slow_ms: self.slow_ms }
    }

    fn go(&mut self) {
        (self.is_paused, self.slow_ms) = (false, 0);
    }

    /// How much longer the loop is held, at `now` by the clock that goes on. `None` lets it go on.
    fn left(&mut self, now: Duration) -> Option<Duration> {
        let held = now.saturating_sub(self.since?);
        if self.is_paused {
            if std::mem::take(&mut self.may_step) {
                return None;
            }
            if held < self.pause_max {
                return Some(self.pause_max - held);
            }
            info!(target: OPERATOR, "the loop was held for {} s and runs again", held.as_secs());
            self.go();
        }
        Duration::from_millis(self.slow_ms).checked_sub(held).filter(|left| !left.is_zero())
    }
}

impl Server {
    /// Lets operators hold the loop, at most `pause_max` at a time (7.105). Everybody who connects is
    /// told.
    pub fn allow_teaching(&mut self, pause_max: Duration) {
        self.watching.teaching = Some(Teaching::new(pause_max));
        self.exchange
            .add_notice("This server is used for teaching: its operator may hold it still");
    }

    /// How long the loop was held so far.
    pub(super) fn stood_still(&self) -> Duration {
        let Some(teaching) = &self.watching.teaching else { return Duration::ZERO };
        let now = teaching.since.map(|since| self.started.elapsed().saturating_sub(since));
        teaching.stood_still + now.unwrap_or_default()
    }

    /// Holds the loop before the step `next`, if an operator wants it. Consoles and signals are served
    /// meanwhile.
    pub(super) fn hold(&mut self, next: Step) -> io::Result<()> {
        let is_stopping = self.stop_by.is_some();
        let Some(teaching) = &mut self.watching.teaching else { return Ok(()) };
        teaching.next = next;
        if is_stopping || !teaching.is_holding() {
            return Ok(());
        }
        teaching.since = Some(self.started.elapsed());
        // Each step that a person runs has a line; a loop that is only slow has no more than others.
        let interval_ms = if teaching.is_paused { 0 } else { WATCH_INTERVAL_MS };
        self.stream_after(interval_ms);
        while let Some(left) = self.left_to_hold() {
            self.operators.wait(left.min(WAIT))?;
            self.handle_signals();
            self.serve_consoles();
            self.stream_after(WATCH_IDLE_MS);
            logging::flush_due();
        }
        let stood_still = self.stood_still();
        if let Some(teaching) = &mut self.watching.teaching {
            (teaching.stood_still, teaching.since) = (stood_still, None);
        }
        self.watching.step_ended = self.elapsed();
        self.watching.refresh();
        Ok(())
    }

    /// Sends a line to the watchers if the last one is so old.
    fn stream_after(&mut self, ms: u64) {
        let since = self.started.elapsed().saturating_sub(self.watching.last_line_at);
        if since >= Duration::from_millis(ms) {
            self.stream_now();
        }
    }

    /// A stop lets the loop go on: everybody still reads the goodbye.
    fn left_to_hold(&mut self) -> Option<Duration> {
        let now = self.started.elapsed();
        let teaching = self.watching.teaching.as_mut()?;
        if self.stop_by.is_some() {
            teaching.go();
            return None;
        }
        teaching.left(now)
    }

    /// Executes `pause`, `step`, `slow` and `go` (8.2.14).
    pub(in crate::server) fn teach(
        &mut self,
        command: TeachCommand,
    ) -> Result<Outcome, CommandRefusal> {
        let refused = |refusal| Err(CommandRefusal::Watch(refusal));
        if self.stop_by.is_some() {
            return refused(WatchRefusal::Stopping);
        }
        match &self.watching.teaching {
            None => return refused(WatchRefusal::NotTeaching),
            Some(teaching) if command == TeachCommand::Step && !teaching.is_paused => {
                return refused(WatchRefusal::NotHeld);
            }
            Some(_) => {}
        }
        match self.watching.is_on {
            false => self.begin_watched_turn(),
            // The loop is held at the end of this step, also in a turn that is not measured.
            true => self.measure_turn(),
        }
        let Some(teaching) = &mut self.watching.teaching else {
            return refused(WatchRefusal::NotTeaching);
        };
        let is_held = teaching.since.is_some();
        let outcome = match command {
            TeachCommand::Pause => {
                teaching.is_paused = true;
                WatchOutcome::Held
            }
            TeachCommand::Step => {
                teaching.may_step = true;
                WatchOutcome::Stepped(if is_held { teaching.next.word() } else { "next" })
            }
            TeachCommand::Slow(ms) => {
                (teaching.is_paused, teaching.slow_ms) = (false, ms);
                WatchOutcome::Slowed(ms)
            }
            TeachCommand::Go => {
                teaching.go();
                WatchOutcome::Running
            }
        };
        self.watching.refresh();
        info!(target: OPERATOR, "operator: {outcome}");
        Ok(Outcome::Watch(outcome))
    }
}
