//! Finds out which lines of a room's history the user has not seen.
//!
//! `state_machine` records every line of the room that it shows. After a reconnect the server sends
//! the history (6.1.4), which repeats some of these lines. All members read the lines of a room in
//! the same order (6.2.1), so the repeated lines are at the start of the history.

use std::collections::VecDeque;

use crate::core::limits::SEEN_LINES_MAX;

/// The last lines of a room that the user has seen.
#[derive(Debug, Default)]
pub struct SeenLines {
    /// Sender and text of each line, the oldest first. `None` stands for lines that the server
    /// skipped (6.2.2).
    lines: VecDeque<Option<String>>,
}

impl SeenLines {
    /// Records a line. `line` is the sender and the text, as the history has it.
    pub fn push(&mut self, line: &str) {
        self.push_or_gap(Some(line.to_owned()));
    }

    /// Records that lines are missing here.
    pub fn push_gap(&mut self) {
        self.push_or_gap(None);
    }

    /// Forgets the lines, because the user enters another room.
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// Whether no line is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The number of lines at the start of `history` that the user has seen.
    ///
    /// The seen lines end somewhere in the history. Before that place, both must agree as far as
    /// both go. If the same lines were said again and again, several places fit: then the place
    /// where most lines agree is the right one.
    #[must_use]
    pub fn count_in(&self, history: &[String]) -> usize {
        let (mut best, mut agreed_most) = (0, 0);
        for end in 1..=history.len() {
            let known = self.lines.iter().rev().map_while(Option::as_ref);
            let both = known.clone().count().min(end);
            let agreed = known.zip(history[..end].iter().rev()).take_while(|(a, b)| a == b).count();
            if agreed == both && agreed > agreed_most {
                (best, agreed_most) = (end, agreed);
            }
        }
        best
    }

    fn push_or_gap(&mut self, line: Option<String>) {
        if self.lines.len() == SEEN_LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the lines of `history` count as seen after `seen`. A dot is a gap.
    fn count(seen: &str, history: &str) -> usize {
        let mut lines = SeenLines::default();
        for line in seen.split_whitespace() {
            if line == "." { lines.push_gap() } else { lines.push(line) }
        }
        lines.count_in(&history.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    /// (6.2.1, 6.3.1)
    #[test]
    fn the_history_after_the_last_seen_line_is_new() {
        assert_eq!(count("a b c", "a b c d e"), 3);
        assert_eq!(count("a b c", "b c"), 2);
        assert_eq!(count("b c", "a b c d"), 3, "the user came after a");
        assert_eq!(count("a b c", "d e"), 0);
        assert_eq!(count("", "d e"), 0);
        assert_eq!(count("a b", "b a b b"), 3);
        assert_eq!(count("ok", "ok ok"), 1, "in doubt a line is shown");
        assert_eq!(count("x ok ok", "ok ok ok"), 2);
    }

    /// (6.2.2)
    #[test]
    fn skipped_lines_do_not_hide_what_came_after_them() {
        assert_eq!(count("a . d", "a b c d e"), 4);
        assert_eq!(count("a .", "a b"), 0);
    }

    #[test]
    fn a_long_stay_costs_no_more_memory_than_a_history() {
        let mut lines = SeenLines::default();
        (0..3 * SEEN_LINES_MAX).for_each(|number| lines.push(&number.to_string()));
        assert_eq!(lines.lines.len(), SEEN_LINES_MAX);
    }
}
