//! What keys do.

use super::super::completion::complete;
use super::super::keys::Key;
use super::super::options::Bell;
use super::super::place::Place;
use super::{Action, Asking, Desk, Leaving, Link, count};
use crate::limits::LINE_BYTES_MAX;
use crate::wire::text;

impl Desk {
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

    fn insert(&mut self, text: &str) {
        self.begin();
        let fitted = self.editor.insert(&text::clean(text));
        self.refuse_unless(fitted);
    }

    /// Remembers where a line is begun, if it is.
    fn begin(&mut self) {
        if self.editor.is_empty() {
            self.begun_at = self.place.clone();
        }
    }

    fn refuse_unless(&mut self, fitted: bool) {
        if !fitted {
            self.rings |= self.setup.bell != Bell::Off;
        }
    }

    fn paste(&mut self, pasted: &str, cut: bool) {
        let pasted = pasted.replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<String> = pasted
            .trim_end_matches('\n')
            .split('\n')
            .map(|line| text::clean(line).into_owned())
            .collect();
        if let Some(at) = lines.iter().position(|line| line.len() > LINE_BYTES_MAX) {
            let number = at + 1;
            self.notice(&format!(
                "Line {number} of the pasted text is longer than {LINE_BYTES_MAX} bytes; \
                 none of it was taken"
            ));
        } else if let [line] = &lines[..] {
            self.insert(line);
        } else if matches!(self.link, Link::Up { .. }) {
            self.offer_pasted(lines, cut);
        } else {
            self.notice("The pasted lines were not taken: you are not connected");
        }
    }

    fn offer_pasted(&mut self, lines: Vec<String>, cut: bool) {
        self.notice(&format!("Pasted {}:", count(lines.len(), "line")));
        self.quote(&lines);
        if cut {
            self.notice("The pasted text was longer; this is its beginning");
        }
        if self.place.is_chat() && lines.iter().any(|line| is_quit(line)) {
            self.notice("A line of it is quit, which ends the chat");
        }
        self.asking = Some(Asking::Send { lines, pasted: true });
    }

    /// Sends pasted lines as text, but for one that ends the chat: what stands behind it was meant
    /// for the partner, and at the menu it would be choices.
    fn send_pasted(&mut self, mut lines: Vec<String>) {
        let end = lines.iter().position(|line| self.place.is_chat() && is_quit(line));
        let behind = end.map_or_else(Vec::new, |end| lines.split_off(end + 1));
        for line in lines {
            self.say(&self.as_text(line));
        }
        if !behind.is_empty() {
            self.keep_unsent(behind);
        }
    }

    /// A pasted line is meant as text, so in a chat it must not become a command (3.7.3).
    fn as_text(&self, line: String) -> String {
        match self.place.is_chat() && line.starts_with('/') && line.len() < LINE_BYTES_MAX {
            true => format!("/{line}"),
            false => line,
        }
    }

    fn submit(&mut self) {
        let Link::Up { .. } = self.link else { return };
        if self.editor.is_empty() {
            return self.submit_nothing();
        }
        if self.begun_at != self.place && self.would_mislead() {
            let (then, now) = (self.begun_at.words(), self.place.words());
            self.notice(&format!("This line was for {then}; Enter again sends it to {now}"));
            self.begun_at = self.place.clone();
            return;
        }
        let line = self.editor.take();
        if self.place != Place::Naming {
            self.history.push(&line);
        }
        self.say(&line);
    }

    /// Whether the line would do here what it was not begun for: reach a partner, miss one, or
    /// answer somebody who asked since.
    fn would_mislead(&self) -> bool {
        match self.place {
            Place::Chatting { .. } => true,
            Place::Asked { .. } => self.begun_at.is_chat() || is_answer(self.editor.text()),
            _ => self.begun_at.is_chat(),
        }
    }

    /// Enter on an empty line sends nothing to a partner; elsewhere it does what is harmless.
    fn submit_nothing(&mut self) {
        match self.place {
            Place::Menu => self.arrived.push(self.transcript.hint(&self.menu)),
            Place::Choosing => self.say(""),
            Place::Nowhere
            | Place::Naming
            | Place::Asking { .. }
            | Place::Asked { .. }
            | Place::Chatting { .. } => {}
        }
    }

    /// Sends a line, and shows it in the transcript as what it is here.
    fn say(&mut self, line: &str) {
        let text = line.strip_prefix('/').filter(|rest| rest.starts_with('/')).unwrap_or(line);
        let is_command = is_quit(line) || text.starts_with('/') && text.len() == line.len();
        let shown = match (&self.place, &self.me) {
            (Place::Chatting { .. }, Some(me)) if !is_command => {
                self.transcript.own_message(me, text)
            }
            (place, _) => self.transcript.command(&place.prompt().text(), line),
        };
        self.arrived.push(shown);
        self.unanswered = true;
        self.actions.push_back(Action::Send(line.to_owned()));
    }

    fn complete(&mut self) {
        self.begin();
        let before = self.editor.before();
        let completion = complete(&self.place, before, &self.names, self.me.as_deref());
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
            && !matches!(self.place, Place::Nowhere | Place::Naming)
        {
            let lines = std::mem::take(&mut self.unsent);
            self.notice("Not sent before:");
            self.quote(&lines);
            self.asking = Some(Asking::Send { lines, pasted: false });
            return;
        }
        if let Some(line) = self.history.up(self.editor.text()) {
            self.editor.set(line);
            self.begun_at = self.place.clone();
        }
    }

    fn look_down(&mut self) {
        if let Some(line) = self.history.down() {
            self.editor.set(line);
        }
    }
}

/// Whether a line answers a request (3.6).
fn is_answer(line: &str) -> bool {
    ["yes", "y", "no", "n"].iter().any(|word| line.trim().eq_ignore_ascii_case(word))
}

/// Whether a line ends a chat (3.7.2).
fn is_quit(line: &str) -> bool {
    let word = line.trim();
    word.eq_ignore_ascii_case("quit") || word.eq_ignore_ascii_case("/quit")
}
