//! The lines sent before, for the arrow keys. Pure, and gone when the client ends: what people
//! say to each other is written nowhere.

use crate::core::limits::INPUT_HISTORY_LINES_MAX;
use std::collections::VecDeque;

/// Lines sent before, and where among them the person is looking.
#[derive(Debug, Default)]
pub struct InputHistory {
    lines: VecDeque<String>,
    /// How many steps up from the line being typed; 0 is that line itself.
    steps: usize,
    /// The line that was being typed when the person began to look.
    draft: String,
}

impl InputHistory {
    /// Remembers a line, and looks at the line being typed again. A line twice in a row is kept
    /// once, an empty one not at all.
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

    /// One line further back than `shown`, the one on the screen; `None` at the oldest.
    pub fn up(&mut self, shown: &str) -> Option<&str> {
        if self.steps == 0 {
            shown.clone_into(&mut self.draft);
        }
        if self.steps == self.lines.len() {
            return None;
        }
        self.steps += 1;
        self.at_steps()
    }

    /// One line nearer; at last the line that was being typed. `None` if that is shown already.
    pub fn down(&mut self) -> Option<&str> {
        self.steps = self.steps.checked_sub(1)?;
        self.at_steps()
    }

    fn at_steps(&self) -> Option<&str> {
        match self.steps {
            0 => Some(&self.draft),
            steps => self.lines.get(self.lines.len() - steps).map(String::as_str),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_and_down_end_at_the_line_that_was_being_typed() {
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
    fn the_oldest_goes_first() {
        let mut history = InputHistory::default();
        for number in 0..=INPUT_HISTORY_LINES_MAX {
            history.push(&number.to_string());
        }
        assert_eq!(history.lines.len(), INPUT_HISTORY_LINES_MAX);
        assert_eq!(history.lines.front().map(String::as_str), Some("1"));
    }
}
