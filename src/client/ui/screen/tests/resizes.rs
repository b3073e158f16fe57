//! Terminals that become narrower and wider, once or many times, and wrap or cut their rows.

use super::*;
use crate::core::limits::{SETTLE_ANSWER_MS, SETTLE_LONGEST_MS, SETTLE_MS};

const DRAFT: &str = "a long line that |goes on";

/// A terminal of which somebody drags the edge.
struct Dragged {
    drawing: Drawing,
    now: Time,
    /// The terminal wraps rows that no longer fit, as tmux, kitty and GNOME's terminal do.
    wraps: bool,
    answers: bool,
}

impl Dragged {
    fn new(columns: u16, wraps: bool, answers: bool) -> Dragged {
        let mut drawing = Drawing::new(24, columns);
        drawing.draw(&["one", "two"], DRAFT);
        Dragged { drawing, now: Time::START, wraps, answers }
    }

    /// Changes the width of the terminal. The client learns it later.
    fn terminal_becomes(&mut self, columns: u16) {
        let terminal = &mut self.drawing.terminal;
        if self.wraps {
            *terminal = reflowed(terminal.screen(), columns);
        } else {
            let (rows, _) = terminal.screen().size();
            terminal.screen_mut().set_size(rows, size(columns));
        }
    }

    /// The client learns a width, a moment after the last one.
    fn client_learns(&mut self, columns: u16) {
        self.drawing.screen.resize(columns, self.now);
        self.draw(&[]);
        self.now = self.now.after_ms(SETTLE_MS / 2);
    }

    /// Draws as the state machine does, and answers as the terminal does.
    fn draw(&mut self, arrived: &[&str]) {
        let mut out = String::new();
        if !self.drawing.screen.settle(self.now, &mut out) {
            return self.drawing.draw(arrived, DRAFT);
        }
        if !out.is_empty() && self.answers {
            assert_eq!(out, "\x1b[6n");
            let screen = self.drawing.terminal.screen();
            let column = screen.cursor_position().1.min(screen.size().1.get() - 1);
            self.drawing.screen.cursor_is_at(column + 1, self.now);
            self.draw(arrived);
        }
    }

    /// Lets the waits pass, and returns the rows of the screen.
    fn settled(&mut self) -> Vec<String> {
        for _ in 0..8 {
            if let Some(ms) = self.drawing.screen.poll_timeout(self.now) {
                self.now = self.now.after_ms(ms);
            }
            self.draw(&[]);
        }
        assert_eq!(self.drawing.screen.poll_timeout(self.now), None, "an idle screen has no timer");
        let mut rows = self.drawing.picture();
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        rows
    }
}

/// The screen of a terminal that wraps its lines anew for another width.
fn reflowed(screen: &vt100::Screen, columns: u16) -> vt100::Parser {
    let (rows, old_columns) = screen.size();
    let (cursor_row, cursor_column) = screen.cursor_position();
    let mut written = String::new();
    let mut line = String::new();
    let mut cursor = None;
    for (number, text) in screen.rows(0, old_columns.get()).enumerate() {
        let number = u16::try_from(number).expect("a few rows");
        let wraps = screen.row_wrapped(number);
        if number == cursor_row {
            cursor = Some(line.len() + usize::from(cursor_column));
        }
        line.push_str(&text);
        if wraps && number < cursor_row + 1 {
            line.push_str(&" ".repeat(usize::from(old_columns.get()) - text.len()));
            continue;
        }
        if number >= cursor_row && !wraps {
            break;
        }
        if number < cursor_row {
            written.push_str(&mem::take(&mut line));
            written.push_str("\r\n");
        }
    }
    let cursor = cursor.expect("the cursor is in a row");
    let missing = cursor.saturating_sub(line.len());
    line.push_str(&" ".repeat(missing));
    let mut parser = vt100::Parser::new(rows, size(columns), 0);
    parser.process(format!("{written}{}\x1b7{}\x1b8", &line[..cursor], &line[cursor..]).as_bytes());
    parser
}

#[test]
fn a_resize_draws_the_input_line_again_and_erases_nothing_else() {
    for (wraps, answers) in [(false, true), (false, false), (true, true)] {
        let mut dragged = Dragged::new(40, wraps, answers);
        dragged.terminal_becomes(13);
        dragged.client_learns(13);
        assert_eq!(dragged.settled(), ["one", "two", "menu> <t |go>"], "{wraps} {answers}");
        dragged.terminal_becomes(40);
        dragged.client_learns(40);
        dragged.draw(&["news"]);
        dragged.settled();
        dragged.draw(&["news"]);
        let wide = ["one", "two", "news", "menu> a long line that |goes on"];
        assert_eq!(dragged.settled(), wide, "{wraps} {answers}");
    }
}

#[test]
fn dragging_an_edge_leaves_no_remains_of_a_long_line_and_erases_no_other() {
    let widths = [39, 35, 30, 26, 21, 17, 12, 16, 22, 29, 38, 40, 33, 25, 18, 13];
    for wraps in [true, false] {
        // The client learns each width late, when the terminal has had others since.
        for delay in [0, 1, 3, 5] {
            let mut dragged = Dragged::new(40, wraps, true);
            for (number, &width) in widths.iter().enumerate() {
                dragged.terminal_becomes(width);
                if let Some(&late) = number.checked_sub(delay).and_then(|at| widths.get(at)) {
                    dragged.client_learns(late);
                }
            }
            for &late in &widths[widths.len() - delay..] {
                dragged.client_learns(late);
            }
            let rows = dragged.settled();
            assert_eq!(rows, ["one", "two", "menu> <t |go>"], "wraps {wraps}, delay {delay}");
        }
    }
}

#[test]
fn an_answer_that_fits_no_row_waits_for_the_width_that_explains_it() {
    let mut dragged = Dragged::new(40, true, true);
    dragged.terminal_becomes(30);
    dragged.terminal_becomes(14);
    dragged.client_learns(30);
    dragged.now = dragged.now.after_ms(SETTLE_MS);
    dragged.draw(&["news"]);
    assert_eq!(dragged.drawing.picture()[2], "menu> a long l", "nothing is written yet");
    dragged.client_learns(14);
    assert_eq!(dragged.settled(), ["one", "two", "menu> <t |goe>"]);
}

#[test]
fn an_endless_drag_does_not_hold_lines_back_for_ever() {
    let mut dragged = Dragged::new(40, true, true);
    let start = dragged.now;
    let mut width = 40;
    while dragged.now.ms_since(start) <= SETTLE_LONGEST_MS + SETTLE_MS {
        width = if width == 40 { 39 } else { 40 };
        dragged.terminal_becomes(width);
        dragged.client_learns(width);
        dragged.draw(&["news"]);
    }
    assert!(dragged.drawing.picture().contains(&"news".to_owned()));
}

#[test]
fn a_short_line_is_drawn_again_at_once() {
    let mut drawing = Drawing::new(4, 30);
    drawing.draw(&["one"], "a|");
    drawing.screen.resize(12, Time::START);
    assert_eq!(drawing.screen.poll_timeout(Time::START), None);
    drawing.draw(&[], "a|");
    assert_eq!(drawing.picture(), ["one", "menu> a|", "", ""]);
}

#[test]
fn a_late_or_unrequested_answer_changes_nothing() {
    let mut dragged = Dragged::new(40, false, false);
    dragged.drawing.screen.cursor_is_at(4, dragged.now);
    dragged.terminal_becomes(10);
    dragged.client_learns(10);
    let picture = dragged.settled();
    assert!(dragged.now.ms_since(Time::START) >= SETTLE_MS + SETTLE_ANSWER_MS);
    dragged.drawing.screen.cursor_is_at(4, dragged.now);
    assert_eq!(dragged.settled(), picture);
}
