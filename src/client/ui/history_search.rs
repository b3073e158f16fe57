//! Searches the input history backwards, as Ctrl-R does in a shell.
//!
//! `state_machine` holds a [`HistorySearch`] from Ctrl-R until another key ends the search. The line
//! that the user was typing stays untouched in the editor meanwhile.

use super::input_history::InputHistory;
use crate::core::limits::SEARCH_BYTES_MAX;

/// The text looked for, and the line found.
#[derive(Debug, Default)]
pub struct HistorySearch {
    query: String,
    /// Steps up from the input line to the line found; 0 if none was found.
    found: usize,
}

impl HistorySearch {
    /// The text looked for.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The line found.
    #[must_use]
    pub fn found<'a>(&self, history: &'a InputHistory) -> Option<&'a str> {
        history.line(self.found)
    }

    /// Looks for a longer text. The line found stays if it holds that text too. Returns `false` and
    /// keeps the text if it would become too long.
    #[must_use]
    pub fn extend(&mut self, text: &str, history: &InputHistory) -> bool {
        if self.query.len() + text.len() > SEARCH_BYTES_MAX {
            return false;
        }
        self.query.push_str(text);
        self.found = history.older_with(&self.query, self.found.max(1)).unwrap_or(0);
        true
    }

    /// Drops the last character of the text and searches again from the newest line.
    pub fn shorten(&mut self, history: &InputHistory) {
        self.query.pop();
        self.found = match self.query.is_empty() {
            true => 0,
            false => history.older_with(&self.query, 1).unwrap_or(0),
        };
    }

    /// Goes to the next older line with the text. Returns `false` if there is none.
    #[must_use]
    pub fn older(&mut self, history: &InputHistory) -> bool {
        let older = history.older_with(&self.query, self.found + 1);
        self.found = older.unwrap_or(self.found);
        older.is_some()
    }

    /// Goes back to the next newer line with the text. Returns `false` if there is none.
    #[must_use]
    pub fn newer(&mut self, history: &InputHistory) -> bool {
        let newer = history.newer_with(&self.query, self.found.saturating_sub(1));
        self.found = newer.unwrap_or(self.found);
        newer.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> InputHistory {
        let mut history = InputHistory::default();
        for line in ["say Hello", "2 ben", "hello again", "1"] {
            history.push(line);
        }
        history
    }

    #[test]
    fn a_search_finds_the_newest_line_first_and_then_older_ones() {
        let (history, mut search) = (history(), HistorySearch::default());
        assert_eq!(search.found(&history), None);
        assert!(search.extend("h", &history) && search.extend("ell", &history));
        assert_eq!(search.found(&history), Some("hello again"));
        assert!(search.older(&history));
        assert_eq!(search.found(&history), Some("say Hello"));
        assert!(!search.older(&history));
        assert_eq!(search.found(&history), Some("say Hello"), "the oldest stays");
        assert!(search.newer(&history) && !search.newer(&history));
        assert_eq!(search.found(&history), Some("hello again"));
    }

    #[test]
    fn a_text_in_no_line_finds_nothing_until_it_is_shortened() {
        let (history, mut search) = (history(), HistorySearch::default());
        assert!(search.extend("bex", &history));
        assert_eq!(search.found(&history), None);
        search.shorten(&history);
        assert_eq!(search.found(&history), Some("2 ben"));
        assert!(!search.extend(&"x".repeat(SEARCH_BYTES_MAX), &history));
        assert_eq!(search.query(), "be");
    }
}
