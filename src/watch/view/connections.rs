//! The connections that fill, hold or cost most: their output against the high-water mark, why their
//! input waits, and the next deadline.

use super::figures::Connection;
use super::paper::{Ink, Paper, bytes, milliseconds};
use super::state::State;

/// Columns of the bar.
const BAR_COLUMNS: u16 = 12;
/// Where each column of the table begins.
const NUMBER: u16 = 1;
const NAME: u16 = 8;
const STATE: u16 = 21;
const BAR: u16 = 39;
const BYTES: u16 = BAR + BAR_COLUMNS + 6;
const WHY: u16 = BYTES + 2;

/// Draws at most `rows` rows from `row` on.
pub(super) fn draw(state: &State, paper: &mut Paper<'_>, row: u16, rows: u16) {
    if rows < 2 {
        return;
    }
    let mark = format!("output of {}", bytes(state.high_water));
    let heads = [(NUMBER, "number"), (NAME, "name"), (STATE, "state"), (BAR, &*mark)];
    for (column, head) in heads.into_iter().chain([(WHY, "waits, deadline")]) {
        paper.put(column, row, 20, head, Ink::Quiet);
    }
    let fitting = usize::from(rows - 1);
    // The chosen row is always among those that are shown.
    let first = state.place_of_chosen().map_or(0, |place| (place + 1).saturating_sub(fitting));
    let shown = state.connections.iter().skip(first).take(fitting);
    for (n, connection) in (1..).zip(shown) {
        draw_row(state, connection, paper, row + n);
    }
}

fn draw_row(state: &State, connection: &Connection, paper: &mut Paper<'_>, row: u16) {
    let is_chosen = state.chosen == Some(connection.number);
    let is_followed = state.followed.as_ref().is_some_and(|it| it.number == connection.number);
    if is_chosen {
        paper.put(0, row, 1, paper.glyphs().arrow, Ink::Strong);
    }
    let ink = if is_chosen || is_followed { Ink::Strong } else { Ink::Plain };
    paper.put(NUMBER, row, NAME - NUMBER - 1, &format!("#{}", connection.number), Ink::Quiet);
    paper.put(NAME, row, STATE - NAME - 1, &connection.name, ink);
    let state_words = match &*connection.with {
        "" => connection.state.to_lowercase(),
        with => format!("{} {with}", connection.state.to_lowercase().replace("chatting", "with")),
    };
    paper.put(STATE, row, BAR - STATE - 1, &state_words, Ink::Plain);
    let ink = match connection {
        Connection { is_congested: true, .. } => Ink::Hot,
        _ => Ink::Bar,
    };
    paper.bar((BAR, row), BAR_COLUMNS, (connection.output, state.high_water), ink);
    let ink = if connection.is_congested { Ink::Hot } else { Ink::Plain };
    let output = if connection.output == 0 { String::new() } else { bytes(connection.output) };
    paper.put_right(BYTES, row, &output, ink);
    let (text, ink) = why(connection);
    paper.put(WHY, row, paper.columns().saturating_sub(WHY), &text, ink);
}

/// Why input waits, or what runs.
fn why(connection: &Connection) -> (String, Ink) {
    let deadline = connection.deadlines.iter().min_by_key(|(_, ms)| *ms);
    let deadline = deadline.map(|(word, ms)| format!("{word} {}", milliseconds(*ms)));
    let waits = connection.waits && !connection.hold.is_empty();
    match (waits, deadline) {
        (true, Some(deadline)) => (format!("{}; {deadline}", reason(connection)), Ink::Warm),
        (true, None) => (reason(connection), Ink::Warm),
        (false, Some(deadline)) => (deadline, Ink::Quiet),
        (false, None) if connection.cpu_percent >= 0.1 => {
            (format!("{:.1} % CPU", connection.cpu_percent), Ink::Quiet)
        }
        (false, None) => (String::new(), Ink::Quiet),
    }
}

/// The reason in short words. A word that this view does not know is shown as it is.
fn reason(connection: &Connection) -> String {
    let Connection { hold, with, .. } = connection;
    match &**hold {
        "partner" if with.is_empty() => "partner is full".to_owned(),
        "partner" => format!("{with} is full"),
        "replies" => "unread replies".to_owned(),
        "memory" => "memory scarce".to_owned(),
        "requests" => "asks too often".to_owned(),
        "room" => "room pace".to_owned(),
        "address" => "address pace".to_owned(),
        "password" => "hashing".to_owned(),
        "drain" => "draining".to_owned(),
        other => other.to_owned(),
    }
}
