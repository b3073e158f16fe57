//! The lines that the user has sent, for arrow-up and arrow-down. `state_machine` calls this
//! module.
//!
//! The history lives in memory only. Chats are private, and the client must not write them to a
//! file.

use crate::core::limits::INPUT_HISTORY_LINES_MAX;
use std::collections::VecDeque;

/// The sent lines and the line among them that the user looks at.
#[derive(Debug, Default)]
pub struct InputHistory {
    /// The oldest first; at most [`INPUT_HISTORY_LINES_MAX`].
    lines: VecDeque<String>,
    /// Steps up from the input line; 0 is the input line itself.
    steps: usize,
    /// The unfinished input line from before the first arrow-up. Arrow-down brings it back.
    draft: String,
}

impl InputHistory {
    /// Adds a line and returns to the input line. Ignores an empty line and a repetition of the
    /// last line, because each would cost the user another press of arrow-up.
    pub fn push(&mut self, line: &str) {
        self.steps = 0;
        if line.is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == INPUT_HISTORY_LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    /// Returns the next older line, or `None` at the oldest. The first step keeps `shown`, the text
    /// of the input line, as the draft.
    pub fn up(&mut self, shown: &str) -> Option<&str> {
        if self.steps == 0 {
            shown.clone_into(&mut self.draft);
        }
        if self.steps == self.lines.len() {
            return None;
        }
        self.steps += 1;
        self.current()
    }

    /// Returns the next newer line and after the newest the draft. Returns `None` if the user
    /// already sees the input line.
    pub fn down(&mut self) -> Option<&str> {
        self.steps = self.steps.checked_sub(1)?;
        self.current()
    }

    /// Returns the line that is this many steps up from the input line, which is step 0.
    #[must_use]
    pub fn line(&self, steps: usize) -> Option<&str> {
        let index = self.lines.len().checked_sub(steps).filter(|_| steps > 0)?;
        self.lines.get(index).map(String::as_str)
    }

    /// Returns the steps to the first line with `text`, from step `first` on upwards. Ignores case.
    #[must_use]
    pub fn older_with(&self, text: &str, first: usize) -> Option<usize> {
        (first.max(1)..=self.lines.len()).find(|&steps| self.has(text, steps))
    }

    /// Returns the steps to the first line with `text`, from step `first` on downwards.
    #[must_use]
    pub fn newer_with(&self, text: &str, first: usize) -> Option<usize> {
        (1..=first.min(self.lines.len())).rev().find(|&steps| self.has(text, steps))
    }

    fn has(&self, text: &str, steps: usize) -> bool {
        self.line(steps).is_some_and(|line| line.to_lowercase().contains(&text.to_lowercase()))
    }

    fn current(&self) -> Option<&str> {
        match self.steps {
            0 => Some(&self.draft),
            steps => self.line(steps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_down_ends_at_the_unfinished_line() {
        let mut history = InputHistory::default();
        for line in ["one", "two", "two", ""] {
            history.push(line);
        }
        assert_eq!(history.up("half"), Some("two"));
        assert_eq!(history.up("two"), Some("one"));
        assert_eq!(history.up("one"), None);
        assert_eq!(history.down(), Some("two"));
        assert_eq!(history.down(), Some("half"));
        assert_eq!(history.down(), None);
    }

    #[test]
    fn a_full_history_drops_the_oldest_line() {
        let mut history = InputHistory::default();
        for number in 0..=INPUT_HISTORY_LINES_MAX {
            history.push(&number.to_string());
        }
        assert_eq!(history.lines.len(), INPUT_HISTORY_LINES_MAX);
        assert_eq!(history.lines.front().map(String::as_str), Some("1"));
    }
}
