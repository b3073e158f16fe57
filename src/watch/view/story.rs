//! What happened at one place of a replay, in words: the input, and the lines that left for users.

use super::figures::cleaned;
use super::paper::{Ink, Paper};

/// Rows of this part in the view: the input, and lines.
pub(super) const ROWS: u16 = 5;

/// Lines of one place that are kept. A room of a thousand would fill the memory.
const LINES_MAX: usize = 50;

/// Characters of a line that are kept: more than most screens are wide.
const CHARACTERS_MAX: usize = 200;

/// Columns of a name.
const NAME_COLUMNS: u16 = 13;

/// One place of a replay.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Story {
    /// The time, in milliseconds since the server started.
    pub(super) at_ms: u64,
    /// What came in.
    pub(super) input: String,
    /// Who reads what.
    lines: Vec<(String, String)>,
    /// Lines that are not kept.
    more: usize,
}

impl Story {
    /// A place at which nothing has left yet.
    pub(super) fn new(at_ms: u64, input: &str) -> Story {
        let input = cleaned(input, CHARACTERS_MAX);
        Story { at_ms, input, lines: Vec::new(), more: 0 }
    }

    /// Text leaves for a reader. The end of a line may leave later than its begin.
    pub(super) fn add_output(&mut self, reader: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for line in text.lines().map(|line| cleaned(line, CHARACTERS_MAX)) {
            match self.lines.len() < LINES_MAX {
                _ if line.is_empty() => {}
                true => self.lines.push((reader.to_owned(), line)),
                false => self.more += 1,
            }
        }
    }

    /// Draws the part from `row` on.
    pub(super) fn draw(&self, paper: &mut Paper<'_>, row: u16) {
        let columns = paper.columns();
        paper.put(1, row, columns.saturating_sub(2), &self.input, Ink::Strong);
        let rows = usize::from(ROWS - 1);
        let all = self.lines.len() + self.more;
        let shown = if all > rows { rows - 1 } else { all };
        let text_columns = columns.saturating_sub(NAME_COLUMNS + 4);
        for (n, (reader, line)) in (1..).zip(self.lines.iter().take(shown)) {
            paper.put(3, row + n, NAME_COLUMNS - 1, reader, Ink::Quiet);
            paper.put(3 + NAME_COLUMNS, row + n, text_columns, line, Ink::Plain);
        }
        if all > shown {
            let text = format!("and {} more lines", all - shown);
            paper.put(3 + NAME_COLUMNS, row + ROWS - 1, text_columns, &text, Ink::Quiet);
        }
    }

    /// The same as lines of text, each with its ending.
    pub(super) fn text(&self) -> String {
        let Story { at_ms, input, lines, more } = self;
        let (seconds, ms) = (at_ms / 1_000, at_ms % 1_000);
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let mut text = format!("{hours}:{minutes:02}:{seconds:02}.{ms:03}  {input}\n");
        for (reader, line) in lines {
            text += &format!("    {reader} < {line}\n");
        }
        if *more > 0 {
            text += &format!("    and {more} more lines\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_recording_can_move_the_cursor_or_fill_the_memory() {
        let mut story = Story::new(3_725_004, "anna sends \u{1b}[2J\u{202e}x");
        for _ in 0..LINES_MAX + 7 {
            story.add_output("bert", b"\x1b]0;title\x07* hello\r\n\r\n");
        }
        let text = story.text();
        assert!(text.starts_with("1:02:05.004  anna sends "), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{text}");
        assert!(text.ends_with("    and 7 more lines\n"), "{text}");
    }
}
