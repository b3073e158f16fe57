//! The strip: one column for each turn in which something happened, the latest on the right. The height
//! is the time that the loop was awake, from 10 microseconds to 100 milliseconds by powers of ten.

use super::figures::Turns;
use super::paper::{Ink, Paper};
use super::state::State;

/// Rows of this part: the columns, and the marks below them.
pub(super) const ROWS: u16 = HEIGHT + 1;

const HEIGHT: u16 = 3;
/// Columns of the labels on the left.
const LABEL_COLUMNS: u16 = 10;
/// The time of the lowest level, and over how many powers of ten the levels spread.
const LOWEST_NS: f64 = 1e4;
const DECADES: f64 = 4.0;
/// Above this time users notice, and the column is drawn as hot.
const SLOW_NS: u64 = 50_000_000;

/// Draws the part from `row` on.
pub(super) fn draw(state: &State, paper: &mut Paper<'_>, row: u16) {
    let labels = ["100 ms", "1 ms", "turns"];
    for (n, label) in (0..).zip(labels) {
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
        paper.column((column, row + HEIGHT - 1), HEIGHT, level(ns), ink);
        let (mark, ink) = mark(turns);
        paper.put(column, row + HEIGHT, 1, mark, ink);
    }
    paper.put(1, row + HEIGHT, LABEL_COLUMNS, "", Ink::Quiet);
    let legend = "h held";
    paper.put(1, row + HEIGHT, LABEL_COLUMNS - 1, legend, Ink::Quiet);
}

/// The height of a column, in eighths of a row; at least one.
fn level(ns: u64) -> u16 {
    let decades = (ns.max(1) as f64 / LOWEST_NS).log10().clamp(0.0, DECADES);
    let most = f64::from(8 * HEIGHT - 1);
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
        let levels = [0, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, u64::MAX];
        assert_eq!(levels.map(level), [1, 1, 7, 13, 18, 24, 24]);
    }
}
