//! How the state machine handles Ctrl-R: a search in the input history.
//!
//! `key_handling` hands each key to [`StateMachine::search_with`] while a search is under way.

use super::StateMachine;
use crate::client::ui::history_search::HistorySearch;
use crate::client::ui::keys::Key;
use crate::core::framing::text;

impl StateMachine {
    /// Handles a key during a search. A key that has no meaning in the search ends it: the line
    /// found goes into the editor, and the key is returned to act there.
    pub(super) fn search_with(&mut self, mut search: HistorySearch, key: Key) -> Option<Key> {
        let history = &self.history;
        let succeeded = match key {
            Key::Char(c) if !text::is_unsafe(c) => {
                search.extend(c.encode_utf8(&mut [0; 4]), history)
            }
            Key::Backspace | Key::Control('h') => {
                search.shorten(history);
                true
            }
            Key::Control('r') => search.older(history),
            Key::Control('s') => search.newer(history),
            // The draft was never touched, so it is still in the editor.
            Key::Control('c' | 'g') => return None,
            key => {
                if let Some(line) = search.found(history) {
                    self.editor.set(line);
                    // A line from the history is chosen for the present state.
                    self.draft_state = self.state.clone();
                }
                // Enter sends nothing yet: the user may have seen the line for an instant only.
                return (key != Key::Enter).then_some(key);
            }
        };
        self.ring_unless(succeeded);
        self.search = Some(search);
        None
    }
}
