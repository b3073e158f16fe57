//! Waits after a change of the terminal's width until the fate of a long row is known.
//!
//! Some terminals wrap a row that no longer fits, others cut it. Only the terminal knows, and while
//! somebody drags the edge of a window its width is newer than any report. So the screen writes
//! nothing until the width has been stable for a moment, then asks where the cursor is. What stands
//! on the terminal is meanwhile the row as it was drawn, however often the terminal wrapped it.

use crate::core::limits::{SETTLE_ANSWER_MS, SETTLE_LONGEST_MS, SETTLE_MS};
use crate::core::time::Time;

/// Asks for the position of the cursor (ECMA-48, DSR 6).
pub(super) const ASK: &str = "\x1b[6n";

/// Answers that fit no row, after which the row counts as cut.
const MISFITS_MAX: u32 = 2;

/// The wait, and what is known of the terminal.
#[derive(Debug, Default)]
pub(super) struct Settling {
    stage: Stage,
    /// Answers about the cursor that the terminal still owes. Only the last one counts.
    answers_due: u32,
    /// Answers in a row that fitted no row.
    misfits: u32,
    /// The terminal is known to wrap rows when it becomes narrower, or known to cut them.
    wraps: Option<bool>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Stage {
    #[default]
    Settled,
    /// The width may still be changing.
    Changing { until: Time, latest: Time },
    /// The terminal has been asked.
    Asked { until: Time, latest: Time },
}

/// What the screen must do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Draw as usual.
    Draw,
    /// Write nothing yet.
    Wait,
    /// Write [`ASK`] and nothing else.
    Ask,
    /// Draw without an answer: this terminal gives none.
    GiveUp,
}

impl Settling {
    /// The width has changed. A long drag is interrupted now and then, so that lines appear.
    pub(super) fn begin(&mut self, now: Time) {
        let latest = match self.stage {
            Stage::Changing { latest, .. } | Stage::Asked { latest, .. } => latest,
            Stage::Settled => now.after_ms(SETTLE_LONGEST_MS),
        };
        let until = now.after_ms(SETTLE_MS).min(latest);
        self.stage = Stage::Changing { until, latest };
    }

    /// Ends the wait, because the row on the terminal no longer matters.
    pub(super) fn end(&mut self) {
        self.misfits = 0;
        self.stage = Stage::Settled;
    }

    /// Milliseconds until [`Settling::advance`] has something to do.
    pub(super) fn poll_timeout(&self, now: Time) -> Option<u64> {
        match self.stage {
            Stage::Settled => None,
            Stage::Changing { until, .. } | Stage::Asked { until, .. } => Some(until.ms_since(now)),
        }
    }

    /// Goes on to the next stage if its time has come.
    pub(super) fn advance(&mut self, now: Time) -> Step {
        match self.stage {
            Stage::Settled => Step::Draw,
            Stage::Changing { until, .. } | Stage::Asked { until, .. } if now < until => Step::Wait,
            Stage::Changing { latest, .. } => {
                self.answers_due = self.answers_due.saturating_add(1);
                self.stage = Stage::Asked { until: now.after_ms(SETTLE_ANSWER_MS), latest };
                Step::Ask
            }
            Stage::Asked { .. } => {
                self.end();
                Step::GiveUp
            }
        }
    }

    /// Handles the answer of the terminal. The cursor was drawn in column `drawn`; it is now in
    /// column `at`, both counted from 0, of a terminal with `columns`. Returns how many rows of a
    /// wrapped line are above the cursor, or `None` if the answer does not count or does not fit.
    ///
    /// In the last column a wrapped and a cut row look alike. Earlier answers then decide. Without
    /// any the row counts as cut: a wrong guess leaves remains, but erases no line of the transcript.
    pub(super) fn handle_answer(
        &mut self,
        drawn: usize,
        at: usize,
        columns: usize,
        now: Time,
    ) -> Option<usize> {
        let is_last_answer = self.answers_due == 1;
        self.answers_due = self.answers_due.saturating_sub(1);
        let Stage::Asked { latest, .. } = self.stage else { return None };
        if !is_last_answer {
            return None;
        }
        let fits_wrapped = at == drawn % columns;
        let is_last_column = at + 1 >= columns;
        let rows = match (fits_wrapped, is_last_column) {
            (true, false) => drawn / columns,
            (true, true) if self.wraps == Some(true) => drawn / columns,
            (_, true) => 0,
            // The terminal has another width by now, and the client will learn it soon. Or the
            // terminal has cut the row when it was narrower still.
            (false, false) if self.misfits < MISFITS_MAX && now < latest => {
                self.misfits += 1;
                self.begin(now);
                return None;
            }
            (false, false) => 0,
        };
        if drawn >= columns && fits_wrapped != is_last_column {
            self.wraps = Some(fits_wrapped);
        }
        self.end();
        Some(rows)
    }
}
