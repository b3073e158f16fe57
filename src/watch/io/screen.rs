//! A terminal's screen: writes what differs between the last picture and the next.
//!
//! The sequences are those of ECMA-48. Only the styles that the view uses are known here.

use std::fmt::Write;

use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier};

/// The largest screen that is drawn on: more cells cost memory and show nothing more.
const COLUMNS_MAX: u16 = 1_000;
const ROWS_MAX: u16 = 500;

/// What the screen shows now.
#[derive(Debug)]
pub struct Screen {
    shown: Buffer,
    /// The screen may show anything, and is drawn as a whole next time.
    is_unknown: bool,
}

impl Screen {
    /// A screen of this many columns and rows. A terminal that does not know its size has 80 by 24.
    #[must_use]
    pub fn new((columns, rows): (u16, u16)) -> Screen {
        let columns = if columns == 0 { 80 } else { columns.min(COLUMNS_MAX) };
        let rows = if rows == 0 { 24 } else { rows.min(ROWS_MAX) };
        Screen { shown: Buffer::empty(Rect::new(0, 0, columns, rows)), is_unknown: true }
    }

    /// The whole screen.
    #[must_use]
    pub fn area(&self) -> Rect {
        self.shown.area
    }

    /// The screen may show anything now, as after a change of its size.
    pub fn forget(&mut self, size: (u16, u16)) {
        *self = Screen::new(size);
    }

    /// What must be written to show what `draw` draws.
    pub fn paint(&mut self, draw: impl FnOnce(Rect, &mut Buffer)) -> String {
        let mut out = String::new();
        if std::mem::take(&mut self.is_unknown) {
            out.push_str("\x1b[0m\x1b[2J");
            self.shown.reset();
        }
        let mut next = Buffer::empty(self.shown.area);
        draw(next.area, &mut next);
        let mut pen: Option<(u16, u16, &Cell)> = None;
        for (x, y, cell) in self.shown.diff(&next) {
            // Wide characters and clusters move the cursor in ways that terminals do not agree on.
            let follows = pen.is_some_and(|(left, row, before)| {
                row == y && left + 1 == x && before.symbol().is_ascii()
            });
            if !follows {
                write!(out, "\x1b[{};{}H", y + 1, x + 1)
                    .expect("writing to a String does not fail");
            }
            if pen.is_none_or(|(_, _, before)| style_of(before) != style_of(cell)) {
                out.push_str(&style_of(cell));
            }
            out.push_str(cell.symbol());
            pen = Some((x, y, cell));
        }
        if pen.is_some() {
            out.push_str("\x1b[0m");
        }
        self.shown = next;
        out
    }
}

/// The sequence that selects the style of a cell.
fn style_of(cell: &Cell) -> String {
    let mut out = "\x1b[0".to_owned();
    for (modifier, code) in
        [(Modifier::BOLD, ";1"), (Modifier::DIM, ";2"), (Modifier::REVERSED, ";7")]
    {
        if cell.modifier.contains(modifier) {
            out.push_str(code);
        }
    }
    out.push_str(match cell.fg {
        Color::Red => ";31",
        Color::Green => ";32",
        Color::Yellow => ";33",
        Color::Blue => ";34",
        Color::Magenta => ";35",
        Color::Cyan => ";36",
        _ => "",
    });
    out.push('m');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(parser: &vt100::Parser) -> Vec<String> {
        parser.screen().rows(0, 20).map(|row| row.trim_end().to_owned()).collect()
    }

    #[test]
    fn the_terminal_shows_each_picture_and_only_differences_are_written() {
        let (mut screen, size) = (Screen::new((20, 3)), |n| std::num::NonZeroU16::new(n).unwrap());
        let mut terminal = vt100::Parser::new(size(3), size(20), 0);
        let mut paint = |text: &str, row| {
            let out = screen.paint(|area, buffer| {
                buffer.set_string(area.x, row, text, ratatui_core::style::Style::new());
            });
            terminal.process(out.as_bytes());
            (out.len(), shown(&terminal))
        };
        assert_eq!(paint("wait ▏ 日本 é", 1).1, ["", "wait ▏ 日本 é", ""]);
        assert_eq!(paint("wait ▏ 日本 é", 1).0, 0);
        assert_eq!(paint("wait ▎ x日 e", 1).1, ["", "wait ▎ x日 e", ""]);
        assert_eq!(paint("", 0).1, ["", "", ""]);
    }
}
