//! How the state machine handles Tab, Shift-Tab and Alt-., which go on when they are pressed again.
//!
//! `key_handling` calls this module. `completion` finds the candidates.

use super::StateMachine;
use crate::client::ui::completion::{Completion, complete};
use crate::core::limits::LISTED_CANDIDATES_MAX;

/// What the next press of the same key goes on with. Any other key ends it.
#[derive(Debug)]
pub(super) enum Repeated {
    /// Tab has inserted or listed these candidates.
    Completion {
        completion: Completion,
        /// The candidate in the line; `None` if the candidates were only listed.
        chosen: Option<usize>,
        /// The text before the cursor. If it has changed since, Tab starts anew.
        before: String,
    },
    /// Alt-. has inserted the last word of an earlier line.
    LastWord {
        /// Steps up to that line in the history.
        steps: usize,
        /// Byte index in the line at which the word starts.
        start: usize,
        /// The text before the cursor.
        before: String,
    },
}

impl StateMachine {
    /// Handles Tab, and Shift-Tab if `back` is true.
    ///
    /// A user's name is inserted at once, the likeliest first, and each further press inserts the
    /// next name: a list of a large room would fill the screen. Commands and rooms are extended as
    /// far as all candidates agree, then listed, as a shell does.
    pub(super) fn complete(&mut self, back: bool) {
        match self.repeated.take() {
            Some(Repeated::Completion { completion, chosen, before })
                if before == self.editor.before() =>
            {
                let count = completion.candidates.len();
                let next = match (chosen, back) {
                    (None, false) => 0,
                    (None, true) => count - 1,
                    (Some(at), false) => (at + 1) % count,
                    (Some(at), true) => (at + count - 1) % count,
                };
                self.choose(completion, next);
            }
            _ => self.start_completion(),
        }
    }

    fn start_completion(&mut self) {
        self.note_draft_state();
        let before = self.editor.before();
        // The user's own name is left out, since no command is of use with it.
        let completion = complete(&self.state, before, &self.known, self.username.as_deref());
        let word = &before[completion.start..];
        match &completion.candidates[..] {
            [] => {}
            [_] => self.choose(completion, 0),
            _ if completion.are_users => self.choose(completion, 0),
            _ if completion.common().len() > word.len() => {
                let fitted = self.editor.replace_from(completion.start, completion.common());
                self.notice_unless(fitted);
            }
            candidates => {
                let hidden = candidates.len().saturating_sub(LISTED_CANDIDATES_MAX);
                let mut list = candidates[..candidates.len() - hidden].join("  ");
                if hidden > 0 {
                    list.push_str(&format!("  … {hidden} more"));
                }
                let before = before.to_owned();
                self.pending_lines.push(self.transcript.quote(&list));
                self.repeated = Some(Repeated::Completion { completion, chosen: None, before });
            }
        }
    }

    /// Puts a candidate into the line, and remembers the others for the next Tab.
    fn choose(&mut self, completion: Completion, at: usize) {
        let whole = format!("{}{}", completion.candidates[at], completion.after);
        let fitted = self.editor.replace_from(completion.start, &whole);
        self.notice_unless(fitted);
        if completion.candidates.len() > 1 {
            let before = self.editor.before().to_owned();
            self.repeated = Some(Repeated::Completion { completion, chosen: Some(at), before });
        }
    }

    /// Handles Alt-.: inserts the last word of the line that was sent last. Each further press
    /// replaces it with the last word of the line before that one.
    pub(super) fn insert_last_word(&mut self) {
        self.note_draft_state();
        let (mut steps, start) = match self.repeated.take() {
            Some(Repeated::LastWord { steps, start, before }) if before == self.editor.before() => {
                (steps, start)
            }
            _ => (0, self.editor.before().len()),
        };
        // A line without a word has nothing to offer.
        let word = loop {
            steps += 1;
            match self.history.line(steps).map(|line| line.split_whitespace().next_back()) {
                Some(Some(word)) => break Some(word),
                Some(None) => {}
                None => break None,
            }
        };
        let Some(word) = word else { return self.ring_unless(false) };
        let fitted = self.editor.replace_from(start, word);
        self.notice_unless(fitted);
        let before = self.editor.before().to_owned();
        self.repeated = Some(Repeated::LastWord { steps, start, before });
    }
}
