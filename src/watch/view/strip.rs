//! The strip: one column for each turn in which something happened, the latest on the right. The height
//! is the time that the loop was awake, from 10 microseconds to 10 milliseconds: each row is ten times
//! the one below. With little room it is one row for all.

use super::figures::Turns;
use super::paper::{Ink, Paper};
use super::state::State;

/// Rows of the columns, without the marks below them.
pub(super) const HEIGHT: u16 = 3;
pub(super) const LOW_HEIGHT: u16 = 1;

/// Columns of the labels on the left.
const LABEL_COLUMNS: u16 = 10;
/// The time of the lowest level, and over how many powers of ten the levels spread.
const LOWEST_NS: f64 = 1e4;
const DECADES: f64 = 3.0;
/// From this time on the column is full. Users begin to notice.
const SLOW_NS: u64 = 10_000_000;

/// Draws the part from `row` on, with columns of `height` rows.
pub(super) fn draw(state: &State, paper: &mut Paper<'_>, row: u16, height: u16) {
    // A replay of the core has one column for each input, and no times.
    let is_replay = state.story.is_some();
    let labels = if is_replay { ["", "", ""] } else { ["10 ms", "1 ms", "0.1 ms"] };
    for (n, label) in (0..height).zip(labels) {
        paper.put(1, row + n, LABEL_COLUMNS - 1, label, Ink::Quiet);
    }
    let width = paper.columns().saturating_sub(LABEL_COLUMNS + 1);
    let shown = state.strip.iter().rev().take(usize::from(width));
    for (n, turns) in (1..).zip(shown) {
        let column = LABEL_COLUMNS + width - n;
        let ns = turns.awake_ns() / turns.turns.max(1);
        let ink = match ns {
            SLOW_NS.. => Ink::Hot,
            _ if !turns.held.is_empty() => Ink::Warm,
            _ => Ink::Bar,
        };
        paper.column((column, row + height - 1), height, level(ns, height), ink);
        let (mark, ink) = mark(turns);
        paper.put(column, row + height, 1, mark, ink);
    }
    let what = if is_replay { "inputs" } else { "turns" };
    paper.put(1, row + height, LABEL_COLUMNS - 1, what, Ink::Quiet);
}

/// The height of a column, in eighths of a row; at least one.
fn level(ns: u64, height: u16) -> u16 {
    let decades = (ns.max(1) as f64 / LOWEST_NS).log10().clamp(0.0, DECADES);
    let most = f64::from(8 * height - 1);
    1 + (decades / DECADES * most).round() as u16
}

/// The most telling thing of a column.
fn mark(turns: &Turns) -> (&'static str, Ink) {
    match turns {
        turns if !turns.held.is_empty() => ("h", Ink::Warm),
        Turns { closes: 1.., .. } => ("x", Ink::Quiet),
        Turns { accepted: 1.., .. } => ("+", Ink::Quiet),
        Turns { timers: 1.., .. } => ("t", Ink::Quiet),
        _ => (" ", Ink::Quiet),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_grows_by_powers_of_ten() {
        let times = [0, 10_000, 100_000, 1_000_000, 10_000_000, u64::MAX];
        assert_eq!(times.map(|ns| level(ns, HEIGHT)), [1, 1, 9, 16, 24, 24]);
        assert_eq!(times.map(|ns| level(ns, LOW_HEIGHT)), [1, 1, 3, 6, 8, 8]);
    }
}
