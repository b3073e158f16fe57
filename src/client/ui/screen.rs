//! Produces the bytes that show new lines above the input line and keep the input line in place.
//!
//! `state_machine` calls this module; `client::io` writes the bytes. New lines go unwrapped into
//! the terminal's own scrollback, so that the user can copy and search them. The input line takes
//! one row.
//!
//! Terminals disagree about the width of some clusters. The screen therefore never moves the cursor
//! to a computed column: it draws up to the cursor, saves the position (DECSC), and restores it.

mod cells;
mod settling;

use std::fmt::Write;
use std::mem;

use unicode_width::UnicodeWidthStr;

use cells::Cells;
use settling::{ASK, Settling, Step};

use super::color::Palette;
use super::prompt::Prompt;
use crate::core::time::Time;

/// Columns to assume if the terminal reports 0, as a serial line does.
const COLUMNS_UNKNOWN: u16 = 80;

/// The fewest columns for a layout: a bare prompt, a few clusters and their marks must fit.
const COLUMNS_MIN: u16 = 8;

/// Columns that the prompt must leave free while the input line is empty.
const ROOM_COLUMNS_MIN: usize = 4;

/// Columns that the prompt must leave free for text, or half of a narrow terminal.
const TEXT_COLUMNS_MIN: usize = 12;

// ECMA-48 control sequences, and DEC's private sequences ESC 7, ESC 8 and mode 7 (DECAWM).
const START_OF_ROW: &str = "\r";
const ERASE_REST_OF_ROW: &str = "\x1b[K";
const ERASE_REST_OF_SCREEN: &str = "\x1b[J";
const ERASE_SCREEN: &str = "\x1b[H\x1b[2J";
const SAVE_CURSOR: &str = "\x1b7";
const RESTORE_CURSOR: &str = "\x1b8";
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";
const END_OF_LINE: &str = "\r\n";

/// The prompt and the input line, which the caller wants on the screen.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// The prompt before the line.
    pub prompt: &'a Prompt,
    /// The text before the cursor. It must end on a boundary between clusters.
    pub before: &'a str,
    /// The text after the cursor.
    pub after: &'a str,
}

/// The input line's row as the terminal shows it, and the work that the next drawing must do.
#[derive(Debug)]
pub struct Screen {
    palette: Palette,
    /// Columns of the terminal, at least [`COLUMNS_MIN`].
    columns: usize,
    /// Columns of the prompt. While the line has text they stay the same, or grow for a prompt that
    /// would not fit: a new prompt should not move the text under the user's fingers.
    prompt_columns: usize,
    /// The line had text in the last layout.
    has_text: bool,
    /// Columns of the line that are hidden at the left.
    scrolled: usize,
    /// The row on the terminal; `None` if the terminal shows no row or an unknown one.
    drawn: Option<Row>,
    /// Bytes that prepare the place for the row after a resize or foreign output. Usually empty.
    recovery: String,
    /// The wait for the fate of the row after a resize.
    settling: Settling,
}

/// The visible part of the input line.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    prompt: String,
    before: String,
    after: String,
    /// The cursor's column in the row, counted from 0.
    cursor: usize,
}

impl Screen {
    /// Makes a screen on which nothing is drawn yet. The terminal has `columns` columns.
    #[must_use]
    pub fn new(palette: Palette, columns: u16) -> Screen {
        let mut screen = Screen {
            palette,
            columns: 0,
            prompt_columns: 0,
            has_text: false,
            scrolled: 0,
            drawn: None,
            recovery: START_OF_ROW.to_owned(),
            settling: Settling::default(),
        };
        screen.set_columns(columns);
        screen
    }

    /// The columns of a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Sets the new number of columns. The next drawing draws the row again, and a long row only
    /// after [`Screen::settle`] allows it.
    pub fn resize(&mut self, columns: u16, now: Time) {
        self.set_columns(columns);
        if self.drawn.as_ref().is_some_and(|row| row.columns() > usize::from(COLUMNS_MIN)) {
            self.settling.begin(now);
        } else {
            self.draw_afresh(0);
        }
    }

    /// Milliseconds until [`Screen::settle`] has something to do. `None` means that no timer runs.
    #[must_use]
    pub fn poll_timeout(&self, now: Time) -> Option<u64> {
        self.settling.poll_timeout(now)
    }

    /// Returns whether the next drawing must wait after a resize. Appends a question to the terminal
    /// to `out` when its time has come.
    #[must_use]
    pub fn settle(&mut self, now: Time, out: &mut String) -> bool {
        let step = self.settling.advance(now);
        match step {
            Step::Ask => out.push_str(ASK),
            Step::GiveUp => self.draw_afresh(0),
            Step::Draw | Step::Wait => {}
        }
        matches!(step, Step::Ask | Step::Wait)
    }

    /// Handles the terminal's answer: the cursor is in this column, counted from 1. If the row was
    /// wrapped, the next drawing erases the rows above the cursor as well.
    pub fn cursor_is_at(&mut self, column: u16, now: Time) {
        let drawn = self.drawn.as_ref().map_or(0, |row| row.cursor);
        let at = usize::from(column.saturating_sub(1));
        if let Some(rows) = self.settling.handle_answer(drawn, at, self.columns, now) {
            self.draw_afresh(rows);
        }
    }

    /// Makes the next drawing erase the present row, `rows` rows above it, and everything below.
    fn draw_afresh(&mut self, rows: usize) {
        self.drawn = None;
        if self.recovery.is_empty() {
            let up = if rows > 0 { format!("\x1b[{rows}A") } else { String::new() };
            self.recovery = format!("{up}{START_OF_ROW}{ERASE_REST_OF_SCREEN}");
        }
    }

    /// Prepares for a new drawing after another program has written to the terminal. The cursor is
    /// at an unknown place, and the terminal has `columns` columns.
    pub fn disturb(&mut self, columns: u16) {
        self.set_columns(columns);
        self.settling.end();
        self.drawn = None;
        self.recovery = format!("{START_OF_ROW}{ERASE_REST_OF_ROW}");
    }

    /// Makes the next drawing erase the whole screen first.
    pub fn clear(&mut self) {
        self.settling.end();
        self.drawn = None;
        self.recovery = ERASE_SCREEN.to_owned();
    }

    /// Appends to `out` the bytes that show the lines `arrived` and below them the input line.
    ///
    /// The lines carry their colours but no line endings. If only text at the end was added, the
    /// bytes are just that text: a key over a slow link costs one byte, not a row.
    pub fn draw(&mut self, arrived: &[String], typed: Typed<'_>, out: &mut String) {
        let row = self.lay_out(typed);
        if !arrived.is_empty() {
            self.rub_out(out);
            for line in arrived {
                out.push_str(line);
                out.push_str(END_OF_LINE);
            }
            self.draw_row(&row, typed.prompt, "", out);
        } else if self.recovery.is_empty() {
            match self.drawn.as_ref().and_then(|drawn| row.tail_after(drawn)) {
                Some(tail) => draw_text(tail, "", "", out),
                None => {
                    out.push_str(START_OF_ROW);
                    self.draw_row(&row, typed.prompt, ERASE_REST_OF_ROW, out);
                }
            }
        } else {
            self.rub_out(out);
            self.draw_row(&row, typed.prompt, "", out);
        }
        self.drawn = Some(row);
    }

    /// Erases the input line from the terminal and leaves the cursor at the start of its row.
    pub fn rub_out(&mut self, out: &mut String) {
        match mem::take(&mut self.recovery) {
            recovery if !recovery.is_empty() => out.push_str(&recovery),
            _ if self.drawn.is_some() => {
                out.push_str(START_OF_ROW);
                out.push_str(ERASE_REST_OF_ROW);
            }
            _ => {}
        }
        self.drawn = None;
    }

    fn set_columns(&mut self, columns: u16) {
        let columns = if columns == 0 { COLUMNS_UNKNOWN } else { columns };
        self.columns = usize::from(columns.max(COLUMNS_MIN));
    }

    fn draw_row(&self, row: &Row, prompt: &Prompt, erase: &str, out: &mut String) {
        self.palette.put(out, prompt.paint(), &row.prompt);
        draw_text(&row.before, &row.after, erase, out);
    }

    /// Chooses the visible part of the line and the columns of the prompt.
    fn lay_out(&mut self, typed: Typed<'_>) -> Row {
        let has_text = !(typed.before.is_empty() && typed.after.is_empty());
        let columns_max = match has_text {
            true => (self.columns / 2).max(self.columns.saturating_sub(TEXT_COLUMNS_MIN)),
            false => self.columns - ROOM_COLUMNS_MIN,
        };
        let had_text = mem::replace(&mut self.has_text, has_text);
        let prompt = match had_text && has_text && self.prompt_columns <= columns_max {
            true => typed.prompt.in_place(self.prompt_columns, columns_max),
            false => typed.prompt.fitted(columns_max),
        };
        self.prompt_columns = prompt.width();
        // The last column stays free for the cursor at the end of a full row. A character there
        // would make the terminal wrap.
        let room = self.columns - self.prompt_columns - 1;
        let cells = Cells::new(typed, room);
        self.scrolled = cells.scroll(self.scrolled);
        let (before, after) = cells.visible(self.scrolled);
        let cursor = self.prompt_columns + cells.cursor - self.scrolled;
        Row { prompt, before, after, cursor }
    }
}

impl Row {
    fn columns(&self) -> usize {
        self.prompt.width() + self.before.width() + self.after.width()
    }

    /// Returns the text after the end of `drawn` if the rows differ in nothing else, otherwise
    /// `None`.
    fn tail_after(&self, drawn: &Row) -> Option<&str> {
        if self == drawn {
            return Some("");
        }
        let cursor_is_at_the_end =
            self.prompt == drawn.prompt && self.after.is_empty() && drawn.after.is_empty();
        self.before
            .strip_prefix(&drawn.before)
            .filter(|tail| cursor_is_at_the_end && !tail.is_empty())
    }
}

/// Draws the text of a row and leaves the cursor between its two parts.
///
/// Wrapping is off for text that is not ASCII. The terminal may draw such text wider than computed,
/// and a wrapped row would push a line of the transcript out of place.
fn draw_text(before: &str, after: &str, erase: &str, out: &mut String) {
    let is_width_uncertain = !before.is_ascii() || !after.is_ascii();
    let has_text_after = !after.is_empty();
    let _ = write!(
        out,
        "{}{before}{}{after}{erase}{}{}",
        if is_width_uncertain { WRAP_OFF } else { "" },
        if has_text_after { SAVE_CURSOR } else { "" },
        if has_text_after { RESTORE_CURSOR } else { "" },
        if is_width_uncertain { WRAP_ON } else { "" },
    );
}

#[cfg(test)]
mod tests;
