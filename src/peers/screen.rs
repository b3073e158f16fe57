//! Shows a report on standard output. On a terminal each picture takes the place of the last one.

use std::io::{self, IsTerminal, Write};

use rustix::stdio::stdout;
use rustix::termios::tcgetwinsize;

/// Where reports are shown.
#[derive(Debug)]
pub struct Screen {
    is_terminal: bool,
    /// Rows of the picture that stands on the terminal.
    rows: usize,
}

impl Screen {
    /// Standard output.
    #[must_use]
    pub fn new() -> Screen {
        Screen { is_terminal: io::stdout().is_terminal(), rows: 0 }
    }

    /// Whether a picture takes the place of the last one.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Shows whole lines in the place of the last ones.
    ///
    /// # Errors
    /// As for [`print()`].
    pub fn draw(&mut self, lines: &str) -> io::Result<()> {
        let up = match self.rows {
            rows if rows > 0 && self.is_terminal => format!("\x1b[{rows}A\x1b[J"),
            _ => String::new(),
        };
        self.rows = rows_of(lines, columns());
        print(&format!("{up}{lines}"))
    }
}

impl Default for Screen {
    fn default() -> Self {
        Screen::new()
    }
}

/// The width of the terminal. One that does not know its own has 80 columns.
fn columns() -> usize {
    let known = tcgetwinsize(stdout()).map_or(0, |size| size.ws_col);
    if known == 0 { 80 } else { usize::from(known) }
}

/// How many rows lines take on a terminal, which wraps those that are too long.
fn rows_of(lines: &str, columns: usize) -> usize {
    lines.lines().map(|line| line.chars().count().div_ceil(columns).max(1)).sum()
}

/// Prints a text.
///
/// # Errors
/// The reader has gone, such as `head`; that ends the run.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_takes_more_rows() {
        let line = "x".repeat(80);
        for (lines, rows) in [("", 0), ("a\n\nb\n", 3), (&*line, 1), (&*format!("{line}x\n"), 2)] {
            assert_eq!(rows_of(lines, 80), rows, "{lines}");
        }
    }
}
