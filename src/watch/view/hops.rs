//! The way of the followed session's last input: each hop with its function, its file, and how much
//! passed it.

use super::figures::{Followed, Hop};
use super::paper::{Ink, Paper};
use crate::core::number::with_separators;

/// Hops that are shown.
const HOPS_MAX: u16 = 9;

const FUNCTION: u16 = 4;
const FILE: u16 = 31;
const COUNT: u16 = 65;

/// Rows of this part, with a blank row above and the head.
pub(super) fn rows(followed: &Followed) -> u16 {
    let hops = u16::try_from(followed.hops.len()).unwrap_or(HOPS_MAX);
    2 + hops.clamp(1, HOPS_MAX)
}

/// Draws the part into `rows` rows from `row` on. The first stays blank.
pub(super) fn draw(followed: &Followed, paper: &mut Paper<'_>, row: u16, rows: u16) {
    let (row, hops_max) = (row + 1, HOPS_MAX.min(rows.saturating_sub(2)));
    let who = match &*followed.name {
        "" => format!("#{}", followed.number),
        name => name.to_owned(),
    };
    paper.put(1, row, 60, &format!("the last input of {who}, hop by hop"), Ink::Strong);
    if followed.hops.is_empty() {
        return paper.put(1, row + 1, 60, "it has sent nothing since", Ink::Quiet);
    }
    for (n, hop) in (1..).zip(followed.hops.iter().take(usize::from(hops_max))) {
        draw_hop(hop, paper, row + n);
    }
}

fn draw_hop(hop: &Hop, paper: &mut Paper<'_>, row: u16) {
    paper.put(1, row, 2, &hop.number.to_string(), Ink::Quiet);
    let ink = if hop.function.ends_with("::hold_input") { Ink::Warm } else { Ink::Plain };
    paper.put(FUNCTION, row, FILE - FUNCTION - 1, &hop.function, ink);
    paper.put(FILE, row, COUNT - FILE - 1, &hop.file, Ink::Quiet);
    let unit = match hop.count {
        1 => hop.unit.strip_suffix('s').unwrap_or(&hop.unit),
        _ => &hop.unit,
    };
    let with = if hop.with.is_empty() { String::new() } else { format!(", {}", hop.with) };
    let text = format!("{} {unit}{with}", with_separators(hop.count));
    paper.put(COUNT, row, paper.columns().saturating_sub(COUNT), &text, Ink::Plain);
}
