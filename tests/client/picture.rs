//! Converts a terminal's screen to text that a test can compare. Shared by the unit tests of the
//! client and by the client's tests under a pty.

use std::num::NonZeroU16;

use unicode_width::UnicodeWidthStr;

/// A number of rows or columns in the type that the terminal emulator takes.
pub(crate) fn size(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).expect("terminals have rows and columns")
}

/// The rows of the screen, with `|` at the cursor and without the blanks at the ends of rows.
pub(crate) fn picture(screen: &vt100::Screen) -> Vec<String> {
    let columns = screen.size().1.get();
    let (row, column) = screen.cursor_position();
    let mut rows: Vec<_> = screen.rows(0, columns).collect();
    let left = screen.rows(0, column).nth(row.into()).unwrap_or_default();
    let right = screen.rows(column, columns - column).nth(row.into()).unwrap_or_default();
    let filled = " ".repeat(usize::from(column).saturating_sub(left.width()));
    rows[usize::from(row)] = format!("{left}{filled}|{right}");
    rows.iter().map(|row| row.trim_end().to_owned()).collect()
}
