//! The steps of a turn and their time in the last second, beside what was counted in it.
//!
//! The bar of the wait is its part of the second. The other bars are parts of the time awake: an idle
//! loop would show none of them otherwise.

use super::figures::{STEPS, Turns};
use super::paper::{Ink, Paper, bytes};
use super::state::State;
use crate::core::number::with_separators;

/// Rows of this part: two steps in each.
pub(super) const ROWS: u16 = 4;

/// Columns of a step without its bar: name, share, and blanks.
const STEP_COLUMNS: u16 = 20;
/// Columns of what was counted.
const COUNT_COLUMNS: u16 = 26;

/// Draws the part from `row` on.
pub(super) fn draw(state: &State, paper: &mut Paper<'_>, row: u16) {
    let second = state.last_second();
    let awake = second.awake_ns();
    let whole = awake.saturating_add(second.ns[0]);
    let free = paper.columns().saturating_sub(COUNT_COLUMNS + 2 * STEP_COLUMNS);
    let width = (free / 2).clamp(4, 40);
    let next = state.teach.as_ref().filter(|teach| teach.is_paused).map(|teach| &*teach.next);
    for (n, (step, ns)) in STEPS.into_iter().zip(second.ns).enumerate() {
        let n = u16::try_from(n).unwrap_or(0);
        let (column, row) = (1 + n / ROWS * (STEP_COLUMNS + width), row + n % ROWS);
        let is_next = next == Some(step);
        if is_next {
            paper.put(column.saturating_sub(1), row, 1, paper.glyphs().arrow, Ink::Warm);
        }
        paper.put(column, row, 9, step, if is_next { Ink::Warm } else { Ink::Plain });
        let (whole_of_bar, ink) = match step {
            "wait" => (whole, Ink::Quiet),
            _ => (awake, Ink::Bar),
        };
        paper.bar((column + 9, row), width, (ns, whole_of_bar), ink);
        paper.put_right(column + 9 + width + 9, row, &share(ns, whole), Ink::Plain);
    }
    draw_counts(state, &second, paper, row);
}

/// The part of a second that a step takes, as a time.
fn share(ns: u64, whole: u64) -> String {
    let ms = 1_000.0 * ns as f64 / whole.max(1) as f64;
    match ms {
        100.0.. => format!("{ms:.0} ms"),
        10.0.. => format!("{ms:.1} ms"),
        _ => format!("{ms:.2} ms"),
    }
}

/// What happened in the second.
fn draw_counts(state: &State, second: &Turns, paper: &mut Paper<'_>, row: u16) {
    let column = paper.columns().saturating_sub(COUNT_COLUMNS - 1);
    let held = second.held.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
    let waiting = state.connections.iter().filter(|open| open.waits && !open.hold.is_empty());
    let waiting = waiting.count();
    let rows = [
        (
            "read",
            format!("{} {:>6}", with_separators(second.reads), bytes(second.bytes_in)),
            Ink::Plain,
        ),
        (
            "wrote",
            format!("{} {:>6}", with_separators(second.writes), bytes(second.bytes_out)),
            Ink::Plain,
        ),
        ("lines", with_separators(second.lines), Ink::Plain),
        (
            "held",
            format!("{} times, {waiting} now", with_separators(held)),
            if waiting > 0 { Ink::Warm } else { Ink::Plain },
        ),
    ];
    for (n, (label, text, ink)) in (0..).zip(rows) {
        paper.put(column, row + n, 6, label, Ink::Quiet);
        paper.put(column + 7, row + n, COUNT_COLUMNS - 8, &text, ink);
    }
}
