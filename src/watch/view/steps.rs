//! The steps of a turn and their share of the last second, beside what was counted in it.

use super::figures::{STEPS, Turns};
use super::paper::{Ink, Paper, bytes, number};
use super::state::State;

/// Rows of this part: two steps in each.
pub(super) const ROWS: u16 = 4;

/// Columns of a step without its bar: name, share, and blanks.
const STEP_COLUMNS: u16 = 20;
/// Columns of what was counted.
const COUNT_COLUMNS: u16 = 26;

/// Draws the part from `row` on.
pub(super) fn draw(state: &State, paper: &mut Paper<'_>, row: u16) {
    let second = state.last_second();
    let whole = second.ns.iter().fold(0u64, |sum, ns| sum.saturating_add(*ns));
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
        let ink = if step == "wait" { Ink::Quiet } else { Ink::Bar };
        paper.bar((column + 9, row), width, (ns, whole), ink);
        let percent = 100.0 * ns as f64 / whole.max(1) as f64;
        paper.put_right(column + 9 + width + 8, row, &format!("{percent:.1} %"), Ink::Plain);
    }
    draw_counts(&second, paper, row);
}

/// What happened in the second.
fn draw_counts(second: &Turns, paper: &mut Paper<'_>, row: u16) {
    let column = paper.columns().saturating_sub(COUNT_COLUMNS - 1);
    let held = second.held.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
    let most = second.held.iter().max_by_key(|(_, count)| *count);
    let why = most.map(|(word, _)| format!(" by {word}")).unwrap_or_default();
    let rows = [
        ("read", format!("{} {:>6}", number(second.reads), bytes(second.bytes_in)), Ink::Plain),
        ("wrote", format!("{} {:>6}", number(second.writes), bytes(second.bytes_out)), Ink::Plain),
        ("lines", number(second.lines), Ink::Plain),
        ("held", format!("{}{why}", number(held)), if held > 0 { Ink::Warm } else { Ink::Plain }),
    ];
    for (n, (label, text, ink)) in (0..).zip(rows) {
        paper.put(column, row + n, 6, label, Ink::Quiet);
        paper.put(column + 7, row + n, COUNT_COLUMNS - 8, &text, ink);
    }
}
