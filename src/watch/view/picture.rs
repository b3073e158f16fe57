//! The whole picture: a head, the steps, the strip of turns, the connections, the followed session, and
//! the keys. A part for which there is no room is left out, the last one first.

use super::paper::{Ink, Paper, milliseconds};
use super::state::State;
use super::{connections, hops, steps, story, strip};
use crate::core::number::with_separators;

/// Rows of the head with the blank row below it.
const HEAD_ROWS: u16 = 2;
/// Rows that the list of connections keeps: its head and two more.
const LIST_ROWS_MIN: u16 = 3;
/// Rows of the hops that are worth their head.
const HOP_ROWS_MIN: u16 = 4;
/// Columns between the pictures and the edges.
const MARGIN: u16 = 1;

/// Draws everything.
pub(super) fn draw(state: &State, paper: &mut Paper<'_>) {
    draw_head(state, paper);
    let last = paper.rows().saturating_sub(1);
    if last > 0 {
        draw_foot(state, paper, last);
    }
    if !state.has_received {
        return paper.put(
            MARGIN,
            HEAD_ROWS,
            60,
            "waiting for the first line of the server",
            Ink::Quiet,
        );
    }
    // What follows may use the rows from `row` up to the foot.
    let mut row = HEAD_ROWS;
    let first_rows = if state.story.is_some() { story::ROWS } else { steps::ROWS };
    if row + first_rows > last {
        return;
    }
    match &state.story {
        Some(story) => story.draw(paper, row),
        None => steps::draw(state, paper, row),
    }
    row += first_rows + 1;
    let hop_rows = state.followed.as_ref().map_or(0, hops::rows);
    // A replay has no times of steps, so its columns are all of one height.
    let is_low = state.story.is_some() || row + strip::HEIGHT + 2 + LIST_ROWS_MIN + hop_rows > last;
    let height = if is_low { strip::LOW_HEIGHT } else { strip::HEIGHT };
    if row + height + 1 > last {
        return;
    }
    strip::draw(state, paper, row, height);
    row += height + 2;
    let left = last.saturating_sub(row);
    // With little room the last hops are left out.
    let fitting = hop_rows.min(left.saturating_sub(LIST_ROWS_MIN));
    let hop_rows = if fitting >= hop_rows.min(HOP_ROWS_MIN) { fitting } else { 0 };
    connections::draw(state, paper, row, left - hop_rows);
    if let Some(followed) = state.followed.as_ref().filter(|_| hop_rows > 0) {
        hops::draw(followed, paper, last - hop_rows, hop_rows);
    }
}

fn draw_head(state: &State, paper: &mut Paper<'_>) {
    let right = paper.columns().saturating_sub(MARGIN);
    let (text, ink) = match &state.teach {
        _ if state.has_ended => ("ended".to_owned(), Ink::Hot),
        Some(teach) if teach.is_paused => (format!("held before {}", teach.next), Ink::Warm),
        Some(teach) if teach.slow_ms > 0 => {
            (format!("{} before each step", milliseconds(teach.slow_ms)), Ink::Warm)
        }
        _ if state.story.is_some() => ("replay".to_owned(), Ink::Quiet),
        _ => ("the loop".to_owned(), Ink::Quiet),
    };
    if state.has_received {
        let turns = state.last_second().turns;
        let dot = paper.glyphs().dot;
        let noun = if state.count == 1 { "connection" } else { "connections" };
        let seconds = state.at_ms / 1_000;
        let up = format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let (count, turns) = (with_separators(state.count), with_separators(turns));
        let figures = match &state.story {
            Some(_) => format!("{count} {noun} {dot} {up}.{:03}", state.at_ms % 1_000),
            None => format!("{count} {noun} {dot} {turns} turns/s {dot} {up}"),
        };
        paper.put_right(right, 0, &figures, Ink::Plain);
    }
    // Last, so that no number covers it.
    paper.put(MARGIN, 0, 9, "chinwag  ", Ink::Strong);
    paper.put(MARGIN + 9, 0, 34, &text, ink);
}

fn draw_foot(state: &State, paper: &mut Paper<'_>, row: u16) {
    let right = paper.columns().saturating_sub(MARGIN);
    let keys = match &state.teach {
        _ if state.keys.is_some() => state.keys.as_deref().unwrap_or_default(),
        _ if state.has_ended => "q quit",
        Some(_) => "q quit  up/down, enter follow  space hold/go  s step  - slower  + faster",
        None => "q quit  up/down choose  enter follow",
    };
    let note = match state.skipped {
        _ if !state.note.is_empty() => state.note.clone(),
        0 => String::new(),
        skipped => format!("{} turns were not shown", with_separators(skipped)),
    };
    let ink = match state.has_ended || note.starts_with('!') {
        true => Ink::Hot,
        false => Ink::Quiet,
    };
    // A note takes the place of the keys if there is no room for both.
    let note_columns = u16::try_from(note.chars().count()).unwrap_or(u16::MAX);
    let keys_columns = u16::try_from(keys.len()).unwrap_or(u16::MAX);
    let has_room = MARGIN + keys_columns + 2 + note_columns <= right;
    if has_room || note.is_empty() || !state.has_ended && !note.starts_with('!') {
        paper.put(MARGIN, row, keys_columns, keys, Ink::Quiet);
        if has_room {
            paper.put_right(right, row, &note, ink);
        }
    } else {
        paper.put(MARGIN, row, note_columns, &note, ink);
    }
}
