//! The limit on log lines per second and kind (7.60). A flood of connections must not fill the
//! operator's disk with lines that say the same.
//!
//! `logging.rs` asks here before it formats a line. A kind is a place in the code: all lines of one
//! `info!` are of one kind. This module knows neither the clock nor the log.

use std::collections::HashMap;
use std::time::Duration;

use log::Level;

use crate::core::number::with_separators;

/// How long lines of one kind count together.
const WINDOW: Duration = Duration::from_secs(1);

/// The place in the code that logs a line: its module and line number.
pub(super) type Kind = (&'static str, u32);

/// The lines of each kind in the current second.
#[derive(Debug)]
pub(super) struct LogPace {
    /// Lines of one kind that are written in one second; 0 means all.
    lines_max: u32,
    /// When the current second began.
    began: Duration,
    /// At most one entry for each place in the code that logs.
    kinds: HashMap<Kind, Lines>,
    /// Whether any kind has withheld lines. The loop asks once per turn.
    has_withheld: bool,
}

/// The lines of one kind in the current second.
#[derive(Debug)]
struct Lines {
    written: u32,
    withheld: u64,
    level: Level,
    /// The last written line, which stands for the withheld ones.
    example: String,
}

/// Whether to write a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Write the line.
    Write,
    /// Write the line, and pass its text to [`LogPace::remember`]: it is the last of this second.
    WriteLast,
    /// Do not write the line. It is counted.
    Withhold,
}

/// Lines that were not written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Withheld {
    /// The level of the lines.
    pub(super) level: Level,
    /// The text for the log.
    pub(super) text: String,
}

impl LogPace {
    pub(super) fn new(lines_max: u32) -> LogPace {
        LogPace { lines_max, began: Duration::ZERO, kinds: HashMap::new(), has_withheld: false }
    }

    /// Counts a line. Call [`LogPace::take_due`] first.
    pub(super) fn admit(&mut self, kind: Kind, level: Level) -> Verdict {
        if self.lines_max == 0 {
            return Verdict::Write;
        }
        let new = || Lines { written: 0, withheld: 0, level, example: String::new() };
        let lines = self.kinds.entry(kind).or_insert_with(new);
        if lines.written == self.lines_max {
            lines.withheld += 1;
            self.has_withheld = true;
            return Verdict::Withhold;
        }
        lines.written += 1;
        match lines.written == self.lines_max {
            true => Verdict::WriteLast,
            false => Verdict::Write,
        }
    }

    /// Keeps the text of the last line of this second, in case more of its kind follow.
    pub(super) fn remember(&mut self, kind: Kind, text: &str) {
        if let Some(lines) = self.kinds.get_mut(&kind) {
            text.clone_into(&mut lines.example);
        }
    }

    /// Begins a new second if the current one is over. Returns the withheld lines.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<Withheld> {
        if now.saturating_sub(self.began) < WINDOW {
            return Vec::new();
        }
        self.began = now;
        self.take()
    }

    /// Returns the withheld lines, and counts anew.
    pub(super) fn take(&mut self) -> Vec<Withheld> {
        self.has_withheld = false;
        let withheld = self.kinds.drain().filter(|(_, lines)| lines.withheld > 0);
        let withheld = withheld.map(|(_, Lines { withheld, level, example, .. })| {
            let count = with_separators(withheld);
            Withheld { level, text: format!("and {count} more such as: {example}") }
        });
        withheld.collect()
    }

    /// Whether lines are withheld that [`LogPace::take_due`] will return.
    pub(super) fn has_withheld(&self) -> bool {
        self.has_withheld
    }

    /// How long until the current second is over.
    pub(super) fn due_in(&self, now: Duration) -> Duration {
        (self.began + WINDOW).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Kind = ("a", 1);
    const B: Kind = ("b", 1);

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    /// (7.60)
    #[test]
    fn lines_of_one_kind_beyond_the_limit_become_one_line_and_other_kinds_are_written() {
        let mut pace = LogPace::new(2);
        assert_eq!(pace.take_due(seconds(5)), []);
        let verdicts = [A, A, A, B].map(|kind| pace.admit(kind, Level::Info));
        let expected = [Verdict::Write, Verdict::WriteLast, Verdict::Withhold, Verdict::Write];
        assert_eq!(verdicts, expected);
        pace.remember(A, "#2 connected");
        assert!(pace.has_withheld() && pace.due_in(seconds(5)) == seconds(1));
        for _ in 1..16_300 {
            pace.admit(A, Level::Info);
        }
        assert_eq!(pace.take_due(seconds(6) - Duration::from_nanos(1)), []);
        let text = "and 16,300 more such as: #2 connected".to_owned();
        assert_eq!(pace.take_due(seconds(6)), [Withheld { level: Level::Info, text }]);
        assert!(!pace.has_withheld());
        assert_eq!(pace.admit(A, Level::Info), Verdict::Write, "a new second begins");
    }

    /// (7.60)
    #[test]
    fn without_a_limit_every_line_is_written() {
        let mut pace = LogPace::new(0);
        assert!((0..1_000).all(|_| pace.admit(A, Level::Info) == Verdict::Write));
        assert!(!pace.has_withheld());
    }
}
