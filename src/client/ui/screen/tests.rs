//! What is written, tested as what a terminal then shows.

use crate::client::picture::{picture, size};
use crate::client::ui::color::Paint;
use unicode_segmentation::UnicodeSegmentation;

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
    for typed in ["日本語日本|語日本語日本語", "a日本語日本|語日本語日本語", "日本語日本語日本|語"]
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
