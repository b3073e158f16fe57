//! The earlier states of the input line, for undo. [`super::editor`] keeps a state before each change.

use std::collections::VecDeque;

use crate::core::limits::UNDO_STEPS_MAX;

/// States of the line, the newest last; at most [`UNDO_STEPS_MAX`].
#[derive(Debug, Default)]
pub struct UndoSteps {
    steps: VecDeque<(String, usize)>,
    /// The cursor after the last change, if that change was typed text.
    typed_to: Option<usize>,
}

impl UndoSteps {
    /// Keeps the line as it is before a change.
    pub fn keep(&mut self, text: &str, cursor: usize) {
        self.typed_to = None;
        if self.steps.len() == UNDO_STEPS_MAX {
            self.steps.pop_front();
        }
        self.steps.push_back((text.to_owned(), cursor));
    }

    /// Keeps the line before `inserted` is typed at `cursor`. The letters of a word are one step.
    pub fn keep_before_insertion(&mut self, text: &str, cursor: usize, inserted: &str) {
        let continues_word = self.typed_to == Some(cursor) && !inserted.contains(' ');
        if !continues_word {
            self.keep(text, cursor);
        }
        self.typed_to = Some(cursor + inserted.len());
    }

    /// Takes back the last change: returns the line before it, and its cursor.
    pub fn pop(&mut self) -> Option<(String, usize)> {
        self.typed_to = None;
        self.steps.pop_back()
    }

    /// Forgets everything, because another line begins.
    pub fn clear(&mut self) {
        *self = UndoSteps::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_memory_drops_the_oldest_step() {
        let mut steps = UndoSteps::default();
        for number in 0..=UNDO_STEPS_MAX {
            steps.keep(&number.to_string(), 0);
        }
        let popped = std::iter::from_fn(|| steps.pop()).collect::<Vec<_>>();
        assert_eq!(popped.len(), UNDO_STEPS_MAX);
        assert_eq!(popped.last(), Some(&("1".to_owned(), 0)));
    }
}
