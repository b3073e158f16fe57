//! What the view knows: the last line of the stream, the last second, the last turns, and what the user
//! has chosen.

use std::collections::VecDeque;

use super::Wish;
use super::figures::{Connection, Figures, Followed, Teach, Turns, cleaned};
use super::story::Story;

/// The time that shares and rates are about.
const WINDOW_MS: u64 = 1_000;

/// Lines that the window holds. While the loop is held, its clock stands still and ends no window.
const WINDOW_LINES_MAX: usize = 32;

/// Columns of the strip that are kept: the widest terminal.
const COLUMNS_MAX: usize = 512;

/// Characters of the note at the bottom.
const NOTE_CHARACTERS_MAX: usize = 200;

/// How long the loop is held before each step, at each press of a key.
const SLOW_MS: [u64; 8] = [10, 50, 100, 250, 500, 1_000, 2_000, 5_000];

/// Everything that was received and chosen.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) has_received: bool,
    pub(super) at_ms: u64,
    pub(super) count: u64,
    pub(super) high_water: u64,
    /// Turns that this view has missed so far.
    pub(super) skipped: u64,
    pub(super) connections: Vec<Connection>,
    pub(super) followed: Option<Followed>,
    pub(super) teach: Option<Teach>,
    /// The turns of the last second, each with its line's time.
    window: VecDeque<(u64, Turns)>,
    /// The last turns, the oldest first.
    pub(super) strip: VecDeque<Turns>,
    /// What happened at this place, in words; only a replay of the core knows.
    pub(super) story: Option<Story>,
    /// The number of the chosen connection.
    pub(super) chosen: Option<u64>,
    /// The keys of the program that the view is a part of.
    pub(super) keys: Option<String>,
    /// The last answer of the server, or why there are no more lines.
    pub(super) note: String,
    pub(super) has_ended: bool,
}

impl State {
    /// Takes one line of the console: of the stream, or an answer.
    pub(super) fn handle_line(&mut self, line: &[u8]) {
        if let Some(figures) = Figures::parse(line) {
            return self.take(figures);
        }
        let line = cleaned(&String::from_utf8_lossy(line), NOTE_CHARACTERS_MAX);
        // The answer to the first command tells nothing that the screen does not; a refusal does.
        if line.starts_with('!') || (self.has_received && line.starts_with('*')) {
            self.note = line;
        }
    }

    fn take(&mut self, figures: Figures) {
        let Figures { at_ms, skipped, total, turns, .. } = figures;
        self.has_received = true;
        self.at_ms = at_ms;
        self.skipped = self.skipped.saturating_add(skipped);
        self.count = figures.count;
        self.high_water = figures.high_water;
        self.connections = figures.connections;
        self.followed = figures.followed;
        self.teach = figures.teach;
        self.window.push_back((at_ms, total));
        while self.window.len() > WINDOW_LINES_MAX
            || self.window.front().is_some_and(|&(at, _)| at.saturating_add(WINDOW_MS) <= at_ms)
                && self.window.len() > 1
        {
            self.window.pop_front();
        }
        self.strip.extend(turns);
        let surplus = self.strip.len().saturating_sub(COLUMNS_MAX);
        self.strip.drain(..surplus);
    }

    /// All turns of the last second together.
    pub(super) fn last_second(&self) -> Turns {
        let mut sum = Turns::default();
        self.window.iter().for_each(|(_, turns)| sum.add(turns));
        sum
    }

    /// The user goes on, and has read the last answer.
    pub(super) fn forget_note(&mut self) {
        if !self.has_ended && self.keys.is_none() {
            self.note.clear();
        }
    }

    /// No more lines will come.
    pub(super) fn end(&mut self, why: &str) {
        self.note = cleaned(why, NOTE_CHARACTERS_MAX);
        self.has_ended = true;
    }

    /// Chooses the connection above (-1) or below (1) the chosen one.
    pub(super) fn choose(&mut self, by: isize) -> Wish {
        let last = self.connections.len().saturating_sub(1);
        let place = self.place_of_chosen().map_or(0, |place| place.saturating_add_signed(by));
        self.chosen = self.connections.get(place.min(last)).map(|connection| connection.number);
        Wish::Draw
    }

    /// Where the chosen connection is in the list.
    pub(super) fn place_of_chosen(&self) -> Option<usize> {
        let chosen = self.chosen?;
        self.connections.iter().position(|connection| connection.number == chosen)
    }

    /// The command that follows the chosen connection, or nobody if it is followed already.
    pub(super) fn command_to_follow(&self) -> Option<String> {
        let followed = self.followed.as_ref().map(|followed| followed.number);
        match self.place_of_chosen().and(self.chosen) {
            None => followed.map(|_| "watch\n".to_owned()),
            chosen if chosen == followed => Some("watch\n".to_owned()),
            Some(number) => Some(format!("watch #{number}\n")),
        }
    }

    /// The command that makes the loop slower or faster.
    pub(super) fn slower(&self, slower: bool) -> String {
        let now = self.teach.as_ref().map_or(0, |teach| teach.slow_ms);
        let next = match slower {
            true => SLOW_MS.into_iter().find(|&ms| ms > now).or(SLOW_MS.last().copied()),
            false => SLOW_MS.into_iter().rev().find(|&ms| ms < now),
        };
        next.map_or_else(|| "go\n".to_owned(), |ms| format!("slow {ms}ms\n"))
    }
}
