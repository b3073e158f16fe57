//! How the state machine handles keys: editing, Enter, Tab, history, confirmations, Ctrl keys.
//!
//! The event loop calls [`StateMachine::handle_key`] for each key. Enter is in `submit` and a paste
//! in `paste`. This module knows keys only by name; `ui::keys` has decoded their bytes.

use super::{Confirmation, Leaving, Link, Source, StateMachine};
use crate::client::ui::client_state::ClientState;
use crate::client::ui::history_search::HistorySearch;
use crate::client::ui::keys::Key;
use crate::client::ui::notifier::Occasion;
use crate::core::framing::text;
use crate::core::limits::TYPING_MS;

impl StateMachine {
    /// Handles one key.
    pub fn handle_key(&mut self, key: Key) {
        // Reports of the terminal arrive among the keys. They are no key presses, so they must not
        // answer a confirmation.
        match key {
            Key::CursorAt(column) => return self.screen.cursor_is_at(column, self.now),
            Key::Focus(is_here) => return self.notifier.handle_focus(is_here),
            _ => self.notifier.handle_key(),
        }
        let is_typing = self.note_typing(&key);
        if self.departure.is_some() {
            return self.handle_key_in_departure(&key);
        }
        let key = match self.confirmation.take() {
            Some(confirmation) => match self.answer(confirmation, key, is_typing) {
                Some(key) => key,
                None => return,
            },
            None => key,
        };
        let key = match self.search.take() {
            Some(search) => match self.search_with(search, key) {
                Some(key) => key,
                None => return,
            },
            None => key,
        };
        if !matches!(key, Key::Tab | Key::BackTab | Key::Alt('.')) {
            self.repeated = None;
        }
        // A key press shows that a user is there and wants the connection back. Ctrl-C, Ctrl-D and
        // Ctrl-Z rather say that the user wants to go. A user whom an operator has removed may
        // still be typing, so only Enter on an empty line counts.
        let is_deliberate = key == Key::Enter && (!self.was_removed || self.editor.is_empty());
        if let Link::Lost(wait) = self.link
            && !matches!(key, Key::Control('c' | 'd' | 'z'))
            && (is_deliberate
                || (!self.was_removed && (wait.is_none() || self.shortened_wait != wait)))
        {
            // Only the first key cuts a wait short, since a user who goes on typing a draft would
            // otherwise start an attempt with every letter. Enter is always a wish to connect.
            self.shortened_wait = wait;
            self.connect();
        }
        self.act_on(key);
    }

    /// Handles a key that answers no question.
    fn act_on(&mut self, key: Key) {
        if self.is_secret() && self.handle_key_in_secret(&key) {
            return;
        }
        match key {
            Key::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Paste { text, cut } => self.paste(&text, cut),
            Key::Enter => self.submit(),
            Key::Tab => self.complete(false),
            Key::BackTab => self.complete(true),
            Key::Alt('.') => self.insert_last_word(),
            Key::Control('r') => self.search = Some(HistorySearch::default()),
            // Undo must not pass for a new draft: it brings back text for the old recipients.
            Key::Control('_') => {
                let undone = self.editor.undo();
                self.ring_unless(undone);
            }
            Key::Up | Key::Control('p') => self.recall_previous(),
            Key::Down | Key::Control('n') => self.recall_next(),
            // On an empty line Ctrl-C asks before it leaves: a second Ctrl-C by accident is common.
            // Ctrl-D leaves without a question, as in a shell, unless lines would be lost.
            Key::Control('c') if self.editor.is_empty() && self.sending.waiting() > 0 => {
                self.drop_waiting();
            }
            Key::Control('c') if self.editor.is_empty() => {
                self.confirmation = Some(Confirmation::Leave)
            }
            Key::Control('d') if self.editor.is_empty() && !self.unsent.is_empty() => {
                self.confirmation = Some(Confirmation::Leave);
            }
            Key::Control('d') if self.editor.is_empty() => self.leave(Leaving::Wished),
            Key::Control('c') => self.editor.clear(),
            Key::Control('l') => self.screen.clear(),
            Key::Control('z') => self.suspend(),
            _ => self.edit(&key),
        }
    }

    /// Handles the keys that move the cursor or delete text. The bindings are those of readline(3),
    /// because users know them from the shell.
    fn edit(&mut self, key: &Key) {
        self.note_draft_state();
        let editor = &mut self.editor;
        match key {
            Key::Left | Key::Control('b') => editor.left(),
            Key::Right | Key::Control('f') => editor.right(),
            Key::WordLeft | Key::Alt('b') => editor.word_left(),
            Key::WordRight | Key::Alt('f') => editor.word_right(),
            Key::Home | Key::Control('a') => editor.home(),
            Key::End | Key::Control('e') => editor.end(),
            Key::Backspace | Key::Control('h') => editor.backspace(),
            Key::Delete | Key::Control('d') => editor.delete(),
            Key::Control('k') => editor.kill_to_end(),
            Key::Control('u') => editor.kill_to_start(),
            Key::Control('w') => editor.kill_blank_word_left(),
            Key::AltBackspace => editor.kill_word_left(),
            Key::Alt('d') => editor.kill_word_right(),
            Key::Control('y') => {
                let fitted = editor.yank();
                self.notice_unless(fitted);
            }
            // An unknown key does nothing: inserting its bytes would surprise the user.
            _ => {}
        }
    }

    /// Handles a key as the answer to a confirmation. A key that is no answer to "Leave?" is
    /// returned, and the caller handles the key as usual: the user wants to go on. The question
    /// about unsent lines stays until an answer comes, because a stray key must not discard them. A
    /// letter inside fast typing is no answer: its user has not read the question.
    fn answer(&mut self, confirmation: Confirmation, key: Key, is_typing: bool) -> Option<Key> {
        let is_send = matches!(confirmation, Confirmation::Send { .. });
        match (confirmation, key) {
            (question, Key::Char(_)) if is_send && is_typing => self.confirmation = Some(question),
            (question, key @ Key::Control('l' | 'z')) if is_send => {
                self.confirmation = Some(question);
                return Some(key);
            }
            // Ctrl-C once more and Ctrl-D also mean yes: the user presses them to get out.
            (Confirmation::Leave, Key::Char('y' | 'Y') | Key::Control('c' | 'd')) => {
                self.leave(Leaving::Wished);
            }
            (Confirmation::Leave, Key::Char('n' | 'N')) => {}
            (Confirmation::Leave, key) => return Some(key),
            (Confirmation::DropWaiting { command }, Key::Char('y' | 'Y')) => {
                self.drop_waiting();
                self.send_command(&command);
            }
            (Confirmation::DropWaiting { command }, Key::Char('n' | 'N') | Key::Control('c')) => {
                self.editor.set(&command);
                self.draft_state = self.state.clone();
            }
            (Confirmation::Send { lines, source }, Key::Char('y' | 'Y')) => {
                self.send_confirmed(lines, source);
            }
            (Confirmation::Send { .. }, Key::Char('n' | 'N') | Key::Control('c')) => {
                self.notice("Nothing was sent");
            }
            (Confirmation::Send { mut lines, source }, Key::Paste { text, cut })
                if source != Source::Unsent =>
            {
                self.paste_more(&mut lines, &text, cut);
                self.confirmation = Some(Confirmation::Send { lines, source });
            }
            (confirmation, Key::Paste { .. }) => {
                self.notice("The paste was not taken: answer the question first");
                self.confirmation = Some(confirmation);
            }
            (confirmation, _) => self.confirmation = Some(confirmation),
        }
        None
    }

    /// Notes whether `key` is typed text. Returns whether text was typed just before it. Enter ends
    /// a line, and the answer to a question is no text.
    fn note_typing(&mut self, key: &Key) -> bool {
        let is_typing = self.typed_at.is_some_and(|at| self.now.ms_since(at) < TYPING_MS);
        match key {
            Key::Char(_) if is_typing || self.confirmation.is_none() => {
                self.typed_at = Some(self.now);
            }
            Key::Char('y' | 'Y' | 'n' | 'N') | Key::Enter => self.typed_at = None,
            Key::Char(_) => self.typed_at = Some(self.now),
            _ => {}
        }
        is_typing
    }

    /// Sends lines after the user has agreed.
    fn send_confirmed(&mut self, lines: Vec<String>, source: Source) {
        match source {
            Source::Paste => self.send_pasted(lines),
            Source::Draft => {
                let draft = self.editor.take();
                self.history.push(&draft);
                self.send_pasted(lines);
            }
            Source::Unsent => self.send_again(lines),
        }
    }

    /// Inserts text at the cursor, without control characters: a paste may hold escape sequences,
    /// and drawing them would let the clipboard control the terminal (3.1.1).
    pub(super) fn insert(&mut self, text: &str) {
        self.note_draft_state();
        // Keys come one by one, and the tags of a flag are no text without each other, so the whole
        // line is cleaned when it is sent.
        let fitted = self.editor.insert(&text.replace(text::is_unsafe, ""));
        self.notice_unless(fitted);
    }

    /// Remembers the state in which the user starts a line. Every edit calls this, but only an edit
    /// of an empty line counts: later edits do not change the intended recipients.
    pub(super) fn note_draft_state(&mut self) {
        if self.editor.is_empty() {
            if self.draft_state != self.state {
                self.editor.forget_changes();
            }
            self.draft_state = self.state.clone();
        }
    }

    /// Rings the bell if a key had no effect: there is no earlier line, for example.
    pub(super) fn ring_unless(&mut self, succeeded: bool) {
        if !succeeded {
            self.notifier.handle(Occasion::Refused);
        }
    }

    /// Handles arrow-up: offers unsent lines on an empty line, else goes back in the history. At
    /// the prompt for a username unsent lines are not offered: they would become the username.
    fn recall_previous(&mut self) {
        // They are taken out of `unsent`: the history keeps them if the user declines.
        if self.editor.is_empty()
            && !self.unsent.is_empty()
            && !matches!(self.state, ClientState::Nowhere | ClientState::Naming)
        {
            let recipient = self.unsent.recipient().to_owned();
            let lines = self.unsent.take();
            self.notice(&format!("Typed for {recipient} before:"));
            self.quote(&lines);
            self.confirmation = Some(Confirmation::Send { lines, source: Source::Unsent });
            return;
        }
        if let Some(line) = self.history.up(self.editor.text()) {
            self.editor.set(line);
            // A line from the history is chosen for the present state, whatever it was before.
            self.draft_state = self.state.clone();
        }
    }

    /// Handles arrow-down: goes forward in the history, and in the end back to the draft.
    fn recall_next(&mut self) {
        if let Some(line) = self.history.down() {
            self.editor.set(line);
        }
    }
}
