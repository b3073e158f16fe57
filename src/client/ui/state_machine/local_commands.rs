//! Commands that the client answers itself: `/keys`, and its part of `/help`.
//!
//! `submit` calls this module before it sends a line. The server knows every other command, and it
//! is asked for help as well: it knows best what it accepts.

use super::{Link, StateMachine};

/// The keys and what they do. Each row fits 70 columns.
const KEYS: [(&str, &str); 11] = [
    ("Enter", "send the line"),
    ("arrows, Ctrl-A, Ctrl-E", "move; Alt-B and Alt-F move by a word"),
    ("Ctrl-U, Ctrl-K", "cut to the start, to the end of the line"),
    ("Ctrl-W, Alt-D, Ctrl-Y", "cut a word, the next word; insert it"),
    ("Ctrl-_", "undo"),
    ("arrow-up, arrow-down", "earlier lines, and back"),
    ("Ctrl-R", "search them; Enter takes the line found"),
    ("Alt-.", "the last word of an earlier line"),
    ("Tab, Shift-Tab", "complete a name or command; again: next"),
    ("Ctrl-C", "clear the line; on an empty line, leave"),
    ("Ctrl-D, Ctrl-L, Ctrl-Z", "leave, clear the screen, stop until fg"),
];

impl StateMachine {
    /// Answers the line in the editor if it is for the client alone. Returns whether it was.
    pub(super) fn answer_locally(&mut self) -> bool {
        let line = self.editor.text().trim();
        let is_help = line.eq_ignore_ascii_case("/help") && !matches!(self.link, Link::Up { .. });
        if !is_help && !line.eq_ignore_ascii_case("/keys") {
            return false;
        }
        let line = self.editor.take();
        let prompt = self.state.prompt().text();
        self.pending_lines.push(self.transcript.command(&prompt, line.trim()));
        for (keys, effect) in KEYS {
            self.pending_lines.push(self.transcript.quote(&format!("{keys:23}{effect}")));
        }
        if is_help {
            self.notice("The server's own help comes with a connection");
        }
        true
    }

    /// Adds the client's part to the help of the server.
    pub(super) fn point_to_keys(&mut self, sent: &str) {
        let word = sent.trim();
        if word.eq_ignore_ascii_case("/help")
            || (!self.state.reaches_others() && word.eq_ignore_ascii_case("help"))
        {
            self.notice("/keys shows the keys of this client");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_keys_fits_70_columns() {
        for (keys, effect) in KEYS {
            assert!(keys.len() < 23, "{keys}");
            assert!("   | ".len() + 23 + effect.len() <= 69, "{effect}");
        }
    }
}
