//! A simulated terminal (`vt100`) processes the bytes of the screen. Each test compares a picture
//! of the terminal, because the same picture can come from different bytes.

use crate::client::picture::{picture, size};
use crate::client::ui::color::Paint;
use unicode_segmentation::UnicodeSegmentation;

use super::*;

mod resizes;

/// A terminal and the screen that draws on it.
struct Drawing {
    terminal: vt100::Parser,
    screen: Screen,
    prompt: Prompt,
    /// Bytes of the last drawing.
    written_bytes: usize,
}

impl Drawing {
    fn new(rows: u16, columns: u16) -> Drawing {
        let palette = Palette { colours: true };
        Drawing {
            terminal: vt100::Parser::new(size(rows), size(columns), 100),
            screen: Screen::new(palette, columns),
            prompt: Prompt::new("menu", Paint::Plain),
            written_bytes: 0,
        }
    }

    /// Draws the new lines `arrived` and the input line `typed`, in which `|` marks the cursor.
    fn draw(&mut self, arrived: &[&str], typed: &str) {
        let (before, after) = typed.split_once('|').expect("a cursor");
        let arrived: Vec<_> = arrived.iter().map(|&line| line.to_owned()).collect();
        let typed = Typed { prompt: &self.prompt, before, after };
        let mut out = String::new();
        self.screen.draw(&arrived, typed, &mut out);
        self.written_bytes = out.len();
        self.terminal.process(out.as_bytes());
    }

    fn picture(&self) -> Vec<String> {
        picture(self.terminal.screen())
    }
}

#[test]
fn new_lines_appear_above_the_input_line_and_the_input_line_stays() {
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
fn wide_characters_and_accents_keep_their_columns() {
    let mut drawing = Drawing::new(3, 20);
    drawing.draw(&[], "日本e\u{301}|語");
    drawing.draw(&["ben: hi"], "日本e\u{301}|語");
    assert_eq!(drawing.picture(), ["ben: hi", "menu> 日本e\u{301}|語", ""]);
    drawing.draw(&[], "日|e\u{301}語");
    assert_eq!(drawing.picture(), ["ben: hi", "menu> 日|e\u{301}語", ""]);
}

#[test]
fn a_new_prompt_moves_the_text_after_it_only_to_show_a_whole_name() {
    let mut drawing = Drawing::new(3, 24);
    drawing.draw(&[], "2 be|");
    drawing.prompt = Prompt::new("al asks, yes or no", Paint::Request).or_short("al?");
    drawing.draw(&["al wants to chat"], "2 be|");
    assert_eq!(drawing.picture(), ["al wants to chat", " al?> 2 be|", ""]);
    drawing.prompt = Prompt::new("to carla", Paint::Plain).or_bare("chat");
    drawing.draw(&[], "2 be|");
    assert_eq!(drawing.picture()[1], "to carla> 2 be|");
    drawing.prompt = Prompt::new("al", Paint::Plain);
    drawing.draw(&[], "2 be|");
    assert_eq!(drawing.picture()[1], "      al> 2 be|");
    drawing.prompt = Prompt::new("to bartholomew", Paint::Plain).or_bare("chat");
    drawing.draw(&[], "2 be|");
    assert_eq!(drawing.picture()[1], "    chat> 2 be|");
    drawing.draw(&[], "|");
    assert_eq!(drawing.picture()[1], "to bartholomew> |");
}

#[test]
fn a_long_line_scrolls_sideways_and_marks_its_hidden_ends() {
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
fn an_emoji_wider_than_computed_does_not_misplace_the_cursor() {
    let mut drawing = Drawing::new(3, 20);
    drawing.draw(&[], "👩‍👩‍👧 ab|c");
    let wider = drawing.terminal.screen().cursor_position();
    drawing.draw(&["ben: hi"], "👩‍👩‍👧 ab|c");
    let (row, column) = drawing.terminal.screen().cursor_position();
    assert_eq!((row, column), (1, wider.1));
    let c = drawing.terminal.screen().cell(row, column).expect("on the screen");
    assert_eq!(c.contents(), "c", "the cursor stands on the character after it");
}

#[test]
fn a_terminal_with_two_rows_shows_the_last_line_and_the_input_line() {
    let mut drawing = Drawing::new(2, 12);
    drawing.draw(&["one", "a line longer than the screen"], "hi|");
    assert_eq!(drawing.picture(), ["creen", "menu> hi|"]);
    drawing.draw(&["two"], "hi|");
    assert_eq!(drawing.picture(), ["two", "menu> hi|"]);
}

#[test]
fn a_character_at_the_end_costs_only_its_own_bytes_and_no_change_costs_none() {
    let mut drawing = Drawing::new(3, 30);
    drawing.draw(&[], "hell|");
    drawing.draw(&[], "hello|");
    assert_eq!(drawing.written_bytes, 1);
    drawing.draw(&[], "hello|");
    assert_eq!(drawing.written_bytes, 0);
    drawing.draw(&[], "hell|");
    assert_eq!(drawing.picture()[0], "menu> hell|");
}

#[test]
fn a_cleared_or_disturbed_screen_shows_the_input_line_again() {
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
fn every_line_fits_into_one_row_at_every_width() {
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
