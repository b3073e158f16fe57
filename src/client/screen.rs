//! What to write so that arriving lines scroll away above the line being typed, and nothing of
//! that line moves.
//!
//! Pure: bytes for the terminal come out, none are written here. Arrived lines go into the
//! terminal's own history, whole and unwrapped, where copying and searching find them; the line
//! being typed is one row, scrolled sideways when it is long, drawn again below them.
//!
//! Terminals disagree about how wide some clusters are. So the cursor is never sent to a column
//! that was computed: the row is drawn up to the cursor, the terminal itself remembers the place
//! (DECSC), and returns to it. And a row with such clusters is drawn with wrapping off.

use std::fmt::Write;
use std::mem;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::paint::Palette;
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
        self.prompt_columns = self.prompt_columns.min(columns_max);
        // The last column stays free: there the cursor stands at the end of a full row.
        let room = self.columns - self.prompt_columns - 1;
        let cells = Cells::new(typed, room);
        self.scrolled = cells.scroll(self.scrolled);
        let (before, after) = cells.seen(self.scrolled);
        let prompt = typed.prompt.fitted(self.prompt_columns);
        let cursor = self.prompt_columns + cells.cursor - self.scrolled;
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

/// The line in columns.
struct Cells<'a> {
    /// Each cluster, the column it starts at, and its width.
    clusters: Vec<(&'a str, usize, usize)>,
    /// How many of `clusters` stand before the cursor.
    before: usize,
    /// The column of the cursor.
    cursor: usize,
    /// Columns of the whole line.
    total: usize,
    /// Columns there are for it on the screen.
    room: usize,
}

impl<'a> Cells<'a> {
    fn new(typed: Typed<'a>, room: usize) -> Cells<'a> {
        let mut cells = Cells { clusters: Vec::new(), before: 0, cursor: 0, total: 0, room };
        cells.add(typed.before);
        cells.before = cells.clusters.len();
        cells.cursor = cells.total;
        cells.add(typed.after);
        cells
    }

    fn add(&mut self, text: &'a str) {
        for cluster in text.graphemes(true) {
            let width = cluster.width();
            self.clusters.push((cluster, self.total, width));
            self.total += width;
        }
    }

    /// How far to scroll: as little changes as possible, and when it must, the cursor comes to
    /// the middle, so that the line does not jump at every key.
    fn scroll(&self, scrolled: usize) -> usize {
        let farthest = self.total.saturating_sub(self.room);
        let scrolled = scrolled.min(farthest);
        let (left, right) = self.marks(scrolled);
        let seen = scrolled + left..=scrolled + self.room - 2 * right;
        if seen.contains(&self.cursor) {
            scrolled
        } else {
            self.cursor.saturating_sub(self.room / 2).min(farthest)
        }
    }

    /// Columns taken by the mark of what is hidden at the left, and at the right.
    fn marks(&self, scrolled: usize) -> (usize, usize) {
        (usize::from(scrolled > 0), usize::from(self.total > scrolled + self.room))
    }

    /// What is seen before and after the cursor.
    fn seen(&self, scrolled: usize) -> (String, String) {
        let (left, right) = self.marks(scrolled);
        let (start, end) = (scrolled + left, scrolled + self.room - right);
        let (mut before, mut after) = ("<".repeat(left), String::new());
        let mut filled = start;
        for (number, &(cluster, column, width)) in self.clusters.iter().enumerate() {
            let seen = if number < self.before { &mut before } else { &mut after };
            if column >= start && column + width <= end {
                seen.push_str(cluster);
            } else if column < start && column + width > start {
                // A wide cluster is half hidden.
                seen.push_str(&" ".repeat(column + width - start));
            } else {
                continue;
            }
            filled = column + width;
        }
        if right > 0 {
            after.push_str(&" ".repeat(end - filled));
            after.push('>');
        }
        (before, after)
    }
}

#[cfg(test)]
mod tests {
    use super::super::paint::Paint;
    use super::super::picture::{picture, size};
    use super::*;

    /// A terminal and the screen that draws on it.
    struct Drawing {
        terminal: vt100::Parser,
        screen: Screen,
        prompt: Prompt,
        written: usize,
    }

    impl Drawing {
        fn new(rows: u16, columns: u16) -> Drawing {
            let palette = Palette { colours: true };
            Drawing {
                terminal: vt100::Parser::new(size(rows), size(columns), 100),
                screen: Screen::new(palette, columns),
                prompt: Prompt::new("menu", Paint::Plain),
                written: 0,
            }
        }

        /// Draws `arrived`, and `typed`, in which `|` stands for the cursor.
        fn draw(&mut self, arrived: &[&str], typed: &str) {
            let (before, after) = typed.split_once('|').expect("a cursor");
            let arrived: Vec<_> = arrived.iter().map(|&line| line.to_owned()).collect();
            let typed = Typed { prompt: &self.prompt, before, after };
            let mut out = String::new();
            self.screen.draw(&arrived, typed, &mut out);
            self.written = out.len();
            self.terminal.process(out.as_bytes());
        }

        fn resize(&mut self, columns: u16) {
            let (rows, _) = self.terminal.screen().size();
            self.terminal.screen_mut().set_size(rows, size(columns));
            self.screen.resize(columns);
        }

        fn picture(&self) -> Vec<String> {
            picture(self.terminal.screen())
        }
    }

    #[test]
    fn what_arrives_appears_above_the_line_and_the_line_stays() {
        let mut drawing = Drawing::new(4, 20);
        drawing.draw(&["Hello, anna"], "|");
        assert_eq!(drawing.picture(), ["Hello, anna", "menu> |", "", ""]);
        drawing.draw(&[], "2 b|en");
        drawing.draw(&["ben left"], "2 b|en");
        assert_eq!(drawing.picture(), ["Hello, anna", "ben left", "menu> 2 b|en", ""]);
        drawing.draw(&["one", "two", "three"], "2 b|en");
        assert_eq!(drawing.picture(), ["one", "two", "three", "menu> 2 b|en"]);
    }

    #[test]
    fn wide_characters_and_marks_keep_their_columns() {
        let mut drawing = Drawing::new(3, 20);
        drawing.draw(&[], "日本e\u{301}|語");
        drawing.draw(&["ben: hi"], "日本e\u{301}|語");
        assert_eq!(drawing.picture(), ["ben: hi", "menu> 日本e\u{301}|語", ""]);
        drawing.draw(&[], "日|e\u{301}語");
        assert_eq!(drawing.picture(), ["ben: hi", "menu> 日|e\u{301}語", ""]);
    }

    #[test]
    fn a_prompt_that_changes_does_not_move_what_is_typed() {
        let mut drawing = Drawing::new(3, 20);
        drawing.draw(&[], "2 be|");
        drawing.prompt = Prompt::new("carla asks, yes or no", Paint::Request);
        drawing.draw(&["carla wants to chat"], "2 be|");
        assert_eq!(drawing.picture(), ["carla wants to chat", "car~> 2 be|", ""]);
        drawing.prompt = Prompt::new("al", Paint::Plain);
        drawing.draw(&[], "2 be|");
        assert_eq!(drawing.picture()[1], "  al> 2 be|");
        drawing.draw(&[], "|");
        assert_eq!(drawing.picture()[1], "al> |");
    }

    #[test]
    fn a_long_line_scrolls_sideways_and_says_so() {
        let mut drawing = Drawing::new(2, 17);
        drawing.draw(&[], "0123456789|");
        assert_eq!(drawing.picture()[0], "menu> 0123456789|");
        drawing.draw(&[], "0123456789a|");
        assert_eq!(drawing.picture()[0], "menu> <23456789a|");
        drawing.draw(&[], "|0123456789a");
        assert_eq!(drawing.picture()[0], "menu> |012345678>");
        drawing.draw(&["news"], "0123456789abcdefg|hijklmnopq");
        assert_eq!(drawing.picture(), ["news", "menu> <defg|hijk>"]);
        drawing.draw(&[], "0123456789abcdefgh|ijklmnopq");
        assert_eq!(drawing.picture()[1], "menu> <defgh|ijk>");
    }

    #[test]
    fn a_wide_character_at_an_edge_is_not_cut_in_half() {
        let mut drawing = Drawing::new(2, 17);
        for typed in
            ["日本語日本|語日本語日本語", "a日本語日本|語日本語日本語", "日本語日本語日本|語"]
        {
            drawing.draw(&[], typed);
            let row = drawing.picture().swap_remove(0);
            assert!(row.replace('|', "").width() <= 16, "{row}");
            let (before, after) = row.split_once('|').expect("a cursor");
            let text = |part: &str| part.replace(['<', '>', ' '], "").replace("menu", "");
            assert!(typed.contains(&format!("{}|{}", text(before), text(after))), "{row}");
        }
    }

    #[test]
    fn an_emoji_the_terminal_draws_wider_than_we_think_moves_no_cursor() {
        let mut drawing = Drawing::new(3, 20);
        drawing.draw(&[], "👩‍👩‍👧 ab|c");
        let wider = drawing.terminal.screen().cursor_position();
        drawing.draw(&["ben: hi"], "👩‍👩‍👧 ab|c");
        let (row, column) = drawing.terminal.screen().cursor_position();
        assert_eq!((row, column), (1, wider.1));
        let c = drawing.terminal.screen().cell(row, column).expect("on the screen");
        assert_eq!(c.contents(), "c", "the cursor stands on what follows it");
    }

    #[test]
    fn a_resize_draws_the_line_anew_and_takes_nothing_else_away() {
        let mut drawing = Drawing::new(4, 30);
        drawing.draw(&["one", "two"], "a long line that |goes on");
        // This terminal cuts rows that are too long.
        drawing.resize(12);
        drawing.draw(&[], "a long line that |goes on");
        assert_eq!(drawing.picture(), ["one", "two", "menu> < |go>", ""]);
        drawing.screen.cursor_is_at(12);
        drawing.draw(&[], "a long line that |goes on");
        assert_eq!(drawing.picture(), ["one", "two", "menu> < |go>", ""]);
        drawing.resize(40);
        drawing.draw(&["news"], "a long line that |goes on");
        assert_eq!(drawing.picture(), ["one", "two", "news", "menu> a long line that |goes on"]);
    }

    #[test]
    fn a_row_that_the_terminal_has_wrapped_is_taken_away_whole() {
        let mut drawing = Drawing::new(6, 40);
        drawing.draw(&["one"], "a long line that |goes on");
        drawing.screen.resize(10);
        // The cursor stood in column 23: this terminal has wrapped two rows away.
        drawing.terminal.process(b"\x1b[4;4H");
        drawing.draw(&[], "a long line that |goes on");
        drawing.screen.cursor_is_at(4);
        drawing.draw(&[], "a long line that |goes on");
        assert_eq!(drawing.picture(), ["one", "me~> < |g>", "", "", "", ""]);
    }

    #[test]
    fn an_answer_that_comes_too_late_or_unasked_changes_nothing() {
        let mut drawing = Drawing::new(6, 40);
        drawing.screen.cursor_is_at(4);
        drawing.draw(&["one"], "a long line that |goes on");
        drawing.screen.resize(10);
        drawing.draw(&["news"], "a long line that |goes on");
        let picture = drawing.picture();
        drawing.screen.cursor_is_at(4);
        drawing.draw(&[], "a long line that |goes on");
        assert_eq!(drawing.picture(), picture);
    }

    #[test]
    fn a_terminal_two_rows_high_shows_the_last_line_and_the_line_being_typed() {
        let mut drawing = Drawing::new(2, 12);
        drawing.draw(&["one", "a line longer than the screen"], "hi|");
        assert_eq!(drawing.picture(), ["creen", "menu> hi|"]);
        drawing.draw(&["two"], "hi|");
        assert_eq!(drawing.picture(), ["two", "menu> hi|"]);
    }

    #[test]
    fn a_character_typed_at_the_end_costs_its_own_bytes_and_nothing_new_costs_none() {
        let mut drawing = Drawing::new(3, 30);
        drawing.draw(&[], "hell|");
        drawing.draw(&[], "hello|");
        assert_eq!(drawing.written, 1);
        drawing.draw(&[], "hello|");
        assert_eq!(drawing.written, 0);
        drawing.draw(&[], "hell|");
        assert_eq!(drawing.picture()[0], "menu> hell|");
    }

    #[test]
    fn a_screen_cleared_or_disturbed_is_drawn_anew() {
        let mut drawing = Drawing::new(3, 30);
        drawing.draw(&["one", "two"], "hi|");
        drawing.screen.clear();
        drawing.draw(&[], "hi|");
        assert_eq!(drawing.picture(), ["menu> hi|", "", ""]);
        drawing.terminal.process(b"\r\n[1]+ Stopped\r\n");
        drawing.screen.disturb(30);
        drawing.draw(&[], "hi|");
        assert_eq!(drawing.picture(), ["menu> hi", "[1]+ Stopped", "menu> hi|"]);
    }

    #[test]
    fn no_line_and_no_size_leave_the_row() {
        let text = "日本 e\u{301} 👩‍👩‍👧 plain 語 text 🇩🇪 that is long enough to scroll about";
        let boundaries: Vec<_> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        for columns in [1, 2, 8, 9, 13, 20, 41] {
            let prompt = Prompt::new("日本語 asks", Paint::Request);
            let mut screen = Screen::new(Palette { colours: false }, columns);
            for &at in boundaries.iter().chain(boundaries.iter().rev()) {
                let (before, after) = text.split_at(at);
                let row = screen.lay_out(Typed { prompt: &prompt, before, after });
                let width = row.prompt.width() + row.before.width() + row.after.width();
                assert!(width < screen.columns, "{columns}: {row:?}");
                assert_eq!(row.cursor, row.prompt.width() + row.before.width(), "{row:?}");
            }
        }
    }
}
