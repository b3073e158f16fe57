//! One run of an attack: the honest pair alone, the attack, and the time after it.

use std::io;
use std::net::SocketAddr;

use super::Note;
use super::attacker::Attacker;
use super::kinds::{Cast, Kind};
use super::report::{Phase, Report};
use super::witness::{Newcomer, Witness};
use crate::core::limits::PEER_PATIENCE_S;
use crate::peers::peer::{Micros, SECOND};
use crate::peers::pool::Pool;
use crate::peers::screen::{Screen, print};
use crate::server::descriptors::Descriptors;

/// The honest pair, which stays in the pool.
const WITNESSES: usize = 2;
/// How long the pair chats alone, before and after.
const CALM: Micros = SECOND;
/// How long the pair may take to meet.
const MEETING: Micros = 8 * SECOND;
/// How long the attackers may take to leave.
const LEAVING: Micros = 6 * SECOND;
const PATIENCE: Micros = PEER_PATIENCE_S * SECOND;

pub(super) struct Campaign {
    kind: &'static Kind,
    pool: Pool<Note>,
    report: Report,
    cast: Cast,
    tag: u32,
    as_json: bool,
    screen: Screen,
    /// When progress is shown next, and when the attack began.
    shown_at: Micros,
    began: Micros,
}

impl Campaign {
    pub(super) fn new(
        kind: &'static Kind,
        server: SocketAddr,
        as_json: bool,
    ) -> io::Result<Campaign> {
        let tag = std::process::id() % 10_000;
        let cast = Cast::new(kind.prefix, tag);
        let report = Report::new(cast.stem());
        let pool = Pool::new(server)?;
        let screen = Screen::new();
        Ok(Campaign { kind, pool, report, cast, tag, as_json, screen, shown_at: 0, began: 0 })
    }

    /// Runs all of it. Returns whether the honest people were served.
    pub(super) fn run(
        &mut self,
        connections: usize,
        seconds: u64,
        bytes: u64,
    ) -> Result<bool, String> {
        let failed = |error: io::Error| error.to_string();
        let possible = Descriptors::raise().connections();
        if connections > possible {
            return Err(format!(
                "{connections} connections need as many file descriptors, and the limit here \
                 leaves {possible}; nothing was sent"
            ));
        }
        for witness in Witness::pair(self.tag) {
            self.pool.add(Box::new(witness), 0, true);
        }
        let is_over = |this: &Campaign| this.report.pair_is_ready() || !this.report.lost.is_empty();
        self.wait(MEETING, is_over).map_err(failed)?;
        if !self.report.pair_is_ready() {
            let why = self.report.lost.first().map_or("the server does not answer", String::as_str);
            return Err(format!("no honest pair came into a chat before the attack: {why}"));
        }
        self.wait(CALM, |_| false).map_err(failed)?;
        self.attack(connections, seconds, bytes).map_err(failed)?;
        let elapsed = self.pool.now() - self.began;
        self.calm_down().map_err(failed)?;
        let (report, bytes) = (&self.report, self.pool.bytes);
        match self.as_json {
            true => print(&format!("{}\n", report.json(self.kind.name, elapsed, bytes, true))),
            false => self.screen.draw(&report.text(elapsed, bytes)),
        }
        .map_err(failed)?;
        Ok(self.report.lost.is_empty())
    }

    fn attack(&mut self, connections: usize, seconds: u64, bytes: u64) -> io::Result<()> {
        self.report.begin(Phase::During);
        self.began = self.pool.now();
        self.shown_at = self.began + SECOND;
        for n in 0..connections {
            let (name, moves) = (self.cast.name(n), (self.kind.moves)(n, &self.cast));
            let share = bytes / connections as u64;
            let attacker = Attacker::new(name, self.kind.logs_in, share, moves);
            // Half a second for all of them: a crowd at the door is not the attack.
            let at = self.began + n as u64 * (SECOND / 2) / connections as u64;
            self.pool.add(Box::new(attacker), at, false);
        }
        self.wait(seconds * SECOND, |this| this.pool.len() <= WITNESSES)
    }

    /// Sends the attackers away, and looks at the server without them.
    fn calm_down(&mut self) -> io::Result<()> {
        self.shown_at = 0;
        let report = &mut self.report;
        self.pool.stop(false, &mut |_, now, note| report.hear(now, note));
        self.wait(LEAVING, |this| this.pool.len() <= WITNESSES)?;
        self.pool.drop_others();
        self.report.begin(Phase::After);
        let now = self.pool.now();
        self.pool.add(Box::new(Newcomer::new(self.tag, now)), now, true);
        self.wait(CALM, |_| false)?;
        let is_over =
            |this: &Campaign| this.report.newcomer_is_served() || !this.report.lost.is_empty();
        self.wait(PATIENCE, is_over)?;
        // The goodbyes of the pair are no part of the report.
        self.pool.stop(true, &mut |_, _, _| {});
        for _ in 0..8 {
            let soon = self.pool.now();
            self.pool.turn(soon, &mut |_, _, _| {})?;
        }
        Ok(())
    }

    /// Turns the loop for this time, or until `is_over`.
    fn wait(&mut self, time: Micros, is_over: impl Fn(&Campaign) -> bool) -> io::Result<()> {
        let until = self.pool.now() + time;
        while self.pool.now() < until && !is_over(self) {
            let report = &mut self.report;
            let next = if self.shown_at > 0 { self.shown_at.min(until) } else { until };
            self.pool.turn(next, &mut |_, now, note| report.hear(now, note))?;
            let now = self.pool.now();
            if self.shown_at > 0 && now >= self.shown_at {
                self.shown_at += SECOND;
                self.show(now)?;
            }
            if self.report.overdue(now) > PATIENCE && self.report.lost.is_empty() {
                let why = format!("a line of the pair took more than {PEER_PATIENCE_S} s");
                self.report.lost.push(why);
            }
        }
        Ok(())
    }

    /// Shows progress. A reader that has gone, such as `head`, ends the run.
    fn show(&mut self, now: Micros) -> io::Result<()> {
        let (report, elapsed, bytes) = (&self.report, now - self.began, self.pool.bytes);
        match self.as_json {
            true => print(&format!("{}\n", report.json(self.kind.name, elapsed, bytes, false))),
            false => self.screen.draw(&format!("{}\n", report.progress(elapsed, bytes))),
        }
    }
}
