//! What to write so that arriving lines scroll away above the line being typed, and nothing of
//! that line moves.
//!
//! Pure: bytes for the terminal come out, none are written here. Arrived lines go into the
//! terminal's own history, whole and unwrapped, where copying and searching find them; the line
//! being typed is one row, scrolled sideways when it is long, drawn again below them.
//!
//! Terminals disagree about how wide some clusters are. So the cursor is never sent to a column
//! that was computed: the row is drawn up to the cursor, the terminal itself remembers the state
//! (DECSC), and returns to it. And a row with such clusters is drawn with wrapping off.

mod cells;

use std::fmt::Write;
use std::mem;

use unicode_width::UnicodeWidthStr;

use cells::Cells;

use super::color::Palette;
use super::prompt::Prompt;

/// Columns assumed of a terminal that does not say, and the fewest that anything is drawn for.
const COLUMNS_UNKNOWN: u16 = 80;
const COLUMNS_MIN: u16 = 8;

/// Columns that the prompt of an empty line leaves free.
const ROOM_MIN: usize = 4;

const START_OF_ROW: &str = "\r";
const ERASE_REST_OF_ROW: &str = "\x1b[K";
const ERASE_REST_OF_SCREEN: &str = "\x1b[J";
const ERASE_SCREEN: &str = "\x1b[H\x1b[2J";
const ASK_FOR_CURSOR: &str = "\x1b[6n";
const REMEMBER_CURSOR: &str = "\x1b7";
const RETURN_TO_CURSOR: &str = "\x1b8";
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";
const END_OF_LINE: &str = "\r\n";

/// The line being typed, to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// What stands before it.
    pub prompt: &'a Prompt,
    /// Its text before the cursor, between clusters.
    pub before: &'a str,
    /// Its text after the cursor.
    pub after: &'a str,
}

/// What is on the terminal, as far as it matters.
#[derive(Debug)]
pub struct Screen {
    palette: Palette,
    columns: usize,
    /// Columns of the prompt. While something is typed they stay as they are, whatever the prompt
    /// has to say meanwhile.
    prompt_columns: usize,
    /// Something stood in the line when it was last laid out.
    has_text: bool,
    /// Columns of the line that are hidden at its left.
    scrolled: usize,
    drawn: Option<Row>,
    /// How to get to where the row can be drawn anew, after something disturbed it.
    recovery: String,
    /// Where the cursor stood in a row that has become too long for the terminal.
    cursor_asked: Option<usize>,
    /// The terminal is to be asked where the cursor is.
    asks: bool,
    /// Answers to that which have not come.
    answers_due: u32,
}

/// The row of the line being typed, as it was drawn.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    prompt: String,
    before: String,
    after: String,
    /// Where the cursor stands, counted from 0.
    cursor: usize,
}

impl Screen {
    /// An empty screen of this many columns.
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
            cursor_asked: None,
            asks: false,
            answers_due: 0,
        };
        screen.set_columns(columns);
        screen
    }

    /// The terminal has this many columns now. What was drawn is drawn anew.
    ///
    /// If the row has become too long, the start of it may now be rows above the cursor, because
    /// most terminals wrap such a row; some cut it. Nobody can tell but the terminal: it is asked
    /// where the cursor is, and [`Screen::cursor_is_at`] takes the answer. Until it comes, what is
    /// above is left alone.
    pub fn resize(&mut self, columns: u16) {
        let columns_before = self.columns;
        self.set_columns(columns);
        let cursor = match (self.drawn.take(), self.cursor_asked) {
            (Some(row), None) => row.cursor,
            // Drawn below rows that may be its own, as far as the terminal is concerned.
            (Some(row), Some(asked)) => asked / columns_before * columns_before + row.cursor,
            (None, asked) => asked.unwrap_or(0),
        };
        self.cursor_asked = (cursor >= self.columns).then_some(cursor);
        self.asks = self.cursor_asked.is_some();
        self.recovery = format!("{START_OF_ROW}{ERASE_REST_OF_SCREEN}");
    }

    /// The terminal answers that the cursor was in this column, counted from 1.
    ///
    /// Where a wrapped row would have it, the row was wrapped, and the rows above that belong to
    /// it are taken away with it. An answer that both a wrapped and a cut row would give is taken
    /// for that of a cut one, which costs no line of the transcript.
    pub fn cursor_is_at(&mut self, column: u16) {
        let is_last = self.answers_due == 1;
        self.answers_due = self.answers_due.saturating_sub(1);
        if !is_last {
            return;
        }
        let Some(cursor) = self.cursor_asked.take() else { return };
        let (rows, wrapped) = (cursor / self.columns, cursor % self.columns);
        if usize::from(column) == wrapped + 1 && wrapped + 1 < self.columns {
            self.drawn = None;
            self.recovery = format!("\x1b[{rows}A{START_OF_ROW}{ERASE_REST_OF_SCREEN}");
        }
    }

    /// Somebody else has written to the terminal, the cursor is where they left it, and there are
    /// this many columns now.
    pub fn disturb(&mut self, columns: u16) {
        self.set_columns(columns);
        self.drawn = None;
        self.recovery = format!("{START_OF_ROW}{ERASE_REST_OF_ROW}");
    }

    /// The person wants an empty screen.
    pub fn clear(&mut self) {
        self.drawn = None;
        self.recovery = ERASE_SCREEN.to_owned();
    }

    /// Writes what has `arrived` (painted lines, without endings), and the line being typed.
    pub fn draw(&mut self, arrived: &[String], typed: Typed<'_>, out: &mut String) {
        let row = self.lay_out(typed);
        if !arrived.is_empty() {
            self.rub_out(out);
            // From here on other lines stand above, and must not be taken away.
            self.cursor_asked = None;
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

    /// Takes the line being typed off the terminal, and leaves the cursor where it began.
    pub fn rub_out(&mut self, out: &mut String) {
        if mem::take(&mut self.asks) {
            out.push_str(ASK_FOR_CURSOR);
            self.answers_due += 1;
        }
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

    /// Decides what of the line is seen, and where.
    fn lay_out(&mut self, typed: Typed<'_>) -> Row {
        let has_text = !(typed.before.is_empty() && typed.after.is_empty());
        let columns_max = if has_text { self.columns / 2 } else { self.columns - ROOM_MIN };
        let had_text = mem::replace(&mut self.has_text, has_text);
        if !(had_text && has_text) {
            self.prompt_columns = typed.prompt.text().width();
        }
        // What the screen has no room for is not forgotten: it may grow again.
        let prompt_columns = self.prompt_columns.min(columns_max);
        // The last column stays free: there the cursor stands at the end of a full row.
        let room = self.columns - prompt_columns - 1;
        let cells = Cells::new(typed, room);
        self.scrolled = cells.scroll(self.scrolled);
        let (before, after) = cells.visible(self.scrolled);
        let prompt = typed.prompt.fitted(prompt_columns);
        let cursor = prompt_columns + cells.cursor - self.scrolled;
        Row { prompt, before, after, cursor }
    }
}

impl Row {
    /// What was added to `drawn` at its end, if that is all that happened: then nothing else has
    /// to be written.
    fn tail_after(&self, drawn: &Row) -> Option<&str> {
        if self == drawn {
            return Some("");
        }
        let grew_at_its_end =
            self.prompt == drawn.prompt && self.after.is_empty() && drawn.after.is_empty();
        self.before.strip_prefix(&drawn.before).filter(|tail| grew_at_its_end && !tail.is_empty())
    }
}

/// Draws a row's text and leaves the cursor between its two parts.
fn draw_text(before: &str, after: &str, erase: &str, out: &mut String) {
    let is_uncertain = !before.is_ascii() || !after.is_ascii();
    let is_parted = !after.is_empty();
    let _ = write!(
        out,
        "{}{before}{}{after}{erase}{}{}",
        if is_uncertain { WRAP_OFF } else { "" },
        if is_parted { REMEMBER_CURSOR } else { "" },
        if is_parted { RETURN_TO_CURSOR } else { "" },
        if is_uncertain { WRAP_ON } else { "" },
    );
}

#[cfg(test)]
mod tests;
