//! What keys do.

use std::mem;

use super::{Action, Asking, Leaving, Link, StateMachine};
use crate::client::options::Bell;
use crate::client::ui::client_state::ClientState;
use crate::client::ui::completion::complete;
use crate::client::ui::keys::Key;
use crate::core::framing::text;

impl StateMachine {
    /// A key was pressed.
    pub fn handle_key(&mut self, key: Key) {
        if let Key::CursorAt(column) = key {
            return self.screen.cursor_is_at(column);
        }
        let key = match self.asking.take() {
            Some(asking) => match self.answer(asking, key) {
                Some(key) => key,
                None => return,
            },
            None => key,
        };
        if let Link::Lost(wait) = self.link
            && !matches!(key, Key::Control('c' | 'd' | 'z'))
            && (key == Key::Enter || wait.is_none() || self.hurried != wait)
        {
            // Once for each wait: whoever types on at a draft does not ask for a try with each
            // letter.
            self.hurried = wait;
            self.connect();
        }
        match key {
            Key::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Paste { text, cut } => self.paste(&text, cut),
            Key::Enter => self.submit(),
            Key::Tab => self.complete(),
            Key::Up | Key::Control('p') => self.look_up(),
            Key::Down | Key::Control('n') => self.look_down(),
            Key::Control('c') if self.editor.is_empty() => self.asking = Some(Asking::Leave),
            Key::Control('d') if self.editor.is_empty() => self.leave(),
            Key::Control('c') => drop(self.editor.take()),
            Key::Control('l') => self.screen.clear(),
            Key::Control('z') => self.actions.push_back(Action::Suspend),
            _ => self.edit(&key),
        }
    }

    /// The keys that move in the line or take something out of it, named as readline names them.
    fn edit(&mut self, key: &Key) {
        self.begin();
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
                self.refuse_unless(fitted);
            }
            _ => {}
        }
    }

    /// Handles the answer to a question of ours; gives back a key that was none, to be handled
    /// as if nothing had been asked.
    fn answer(&mut self, asking: Asking, key: Key) -> Option<Key> {
        match (asking, key) {
            (Asking::Leave, Key::Char('y' | 'Y') | Key::Control('c' | 'd')) => self.leave(),
            (Asking::Leave, Key::Char('n' | 'N')) => {}
            (Asking::Leave, key) => return Some(key),
            (Asking::Send { lines, pasted: true }, Key::Char('y' | 'Y')) => self.send_pasted(lines),
            (Asking::Send { lines, pasted: false }, Key::Char('y' | 'Y')) => {
                lines.iter().for_each(|line| self.say(line));
            }
            (Asking::Send { .. }, Key::Char('n' | 'N') | Key::Control('c')) => {
                self.notice("Nothing was sent");
            }
            (asking, _) => self.asking = Some(asking),
        }
        None
    }

    fn leave(&mut self) {
        self.actions.push_back(Action::Leave(Leaving::Wished));
    }

    pub(super) fn insert(&mut self, text: &str) {
        self.begin();
        // Keys come one by one, and the tags of a flag are no text without each other: `submit`
        // cleans the whole line.
        let fitted = self.editor.insert(&text.replace(text::is_unsafe, ""));
        self.refuse_unless(fitted);
    }

    /// Remembers where a line is begun, if it is.
    fn begin(&mut self) {
        if self.editor.is_empty() {
            self.begun_at = self.state.clone();
        }
    }

    fn refuse_unless(&mut self, fitted: bool) {
        if !fitted {
            self.rings |= self.setup.bell != Bell::Off;
        }
    }

    fn complete(&mut self) {
        self.begin();
        let before = self.editor.before();
        let completion = complete(&self.state, before, &self.known, self.me.as_deref());
        let word = &before[completion.start..];
        let is_only = completion.candidates.len() == 1;
        if is_only || completion.common.len() > word.len() {
            let blank = if is_only { " " } else { "" };
            let whole = format!("{}{blank}", completion.common);
            let fitted = self.editor.replace_from(completion.start, &whole);
            self.refuse_unless(fitted);
        } else if !completion.candidates.is_empty() {
            let candidates = completion.candidates.join("  ");
            self.arrived.push(self.transcript.quote(&candidates));
        }
    }

    fn look_up(&mut self) {
        if self.editor.is_empty()
            && !self.unsent.is_empty()
            && !matches!(self.state, ClientState::Nowhere | ClientState::Naming)
        {
            let lines = mem::take(&mut self.unsent);
            self.notice("Not sent before:");
            self.quote(&lines);
            self.asking = Some(Asking::Send { lines, pasted: false });
            return;
        }
        if let Some(line) = self.history.up(self.editor.text()) {
            self.editor.set(line);
            self.begun_at = self.state.clone();
        }
    }

    fn look_down(&mut self) {
        if let Some(line) = self.history.down() {
            self.editor.set(line);
        }
    }
}
