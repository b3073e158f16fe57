//! How the state machine handles a text that is longer than a line of the protocol (2.1.3): it splits
//! a message at words and shows the parts first, and it refuses a command in words.

use super::input_kind::is_long_command;
use super::{Confirmation, Source, StateMachine, count};
use crate::client::ui::split::split_at_words;
use crate::core::limits::LINE_BYTES_MAX;

/// Bytes of one part. A part that looks like a command gets a prefix of at most this difference.
const PART_BYTES_MAX: usize = LINE_BYTES_MAX - "/say ".len();

impl StateMachine {
    /// Offers to send `text` in parts. The draft stays in the editor until the user agrees.
    pub(super) fn offer_parts(&mut self, text: &str) {
        if !self.state.reaches_others() || is_long_command(text) {
            let bytes = text.len();
            return self.notice(&format!(
                "Not sent: a command has at most {LINE_BYTES_MAX} bytes, and this line has {bytes}"
            ));
        }
        // "//" stands for a "/" at the start. The parts get it back when they are sent.
        let text = if text.starts_with("//") { &text[1..] } else { text };
        let lines = split_at_words(text, PART_BYTES_MAX);
        let parts = count(lines.len(), "line");
        self.notice(&format!("Too long for one line, so it becomes {parts}:"));
        self.quote(&lines);
        self.confirmation = Some(Confirmation::Send { lines, source: Source::Draft });
    }

    /// The lines of a paste, with every line that is too long in parts.
    pub(super) fn split_long(lines: Vec<String>) -> Vec<String> {
        let parts = |line: String| match line.len() > LINE_BYTES_MAX {
            true => split_at_words(&line, PART_BYTES_MAX),
            false => vec![line],
        };
        lines.into_iter().flat_map(parts).collect()
    }

    /// Tells that text did not fit into the line, which is very long by then.
    pub(super) fn notice_unless(&mut self, fitted: bool) {
        // One notice is enough for all the keys of a paste without marks.
        if !fitted && !self.is_line_full {
            let bytes = self.editor.text().len();
            self.notice(&format!("Not taken: your line is full, it has {bytes} bytes"));
        }
        self.is_line_full = !fitted;
    }
}
