//! The input line: its text and the cursor. `state_machine` calls one method for each editing key.
//!
//! The editor must not know columns: `screen` decides how wide a character is. The cursor always
//! stands between two grapheme clusters (UAX #29), which readers see as single characters. An
//! accented letter or a family emoji consists of several code points. One key must move over all
//! of them or delete all of them, because half a cluster shows as a different character.

use std::mem;

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::undo::UndoSteps;
use crate::core::limits::DRAFT_BYTES_MAX;

/// The input line, its cursor and the kill buffer.
#[derive(Debug, Default)]
pub struct Editor {
    /// At most [`DRAFT_BYTES_MAX`] bytes.
    text: String,
    /// A byte index into `text`, always on a boundary between clusters.
    cursor: usize,
    /// The text that the last kill command (Ctrl-K, Ctrl-U, Ctrl-W) deleted. Ctrl-Y inserts it.
    killed: String,
    undo: UndoSteps,
}

impl Editor {
    /// The whole line.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the line has no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// The text after the cursor.
    #[must_use]
    pub fn after(&self) -> &str {
        &self.text[self.cursor..]
    }

    /// Inserts `text` at the cursor. Returns `false` and changes nothing if the line would become
    /// longer than [`DRAFT_BYTES_MAX`]. The client splits a line that is too long for the server.
    #[must_use]
    pub fn insert(&mut self, text: &str) -> bool {
        if self.text.len() + text.len() > DRAFT_BYTES_MAX {
            return false;
        }
        self.undo.keep_before_insertion(&self.text, self.cursor, text);
        self.text.insert_str(self.cursor, text);
        self.move_cursor_to(self.cursor + text.len());
        true
    }

    /// Replaces the line and moves the cursor to its end. Does not check the length, because the
    /// text is a username or a line that was sent or typed before. Undo does not go back beyond.
    pub fn set(&mut self, text: &str) {
        self.undo.clear();
        text.clone_into(&mut self.text);
        self.cursor = self.text.len();
    }

    /// Replaces the text from byte `start` to the cursor, for completion. Returns `false` and
    /// changes nothing if the line would become too long.
    #[must_use]
    pub fn replace_from(&mut self, start: usize, with: &str) -> bool {
        let replaced = self.cursor - start;
        if self.text.len() - replaced + with.len() > DRAFT_BYTES_MAX {
            return false;
        }
        self.undo.keep(&self.text, self.cursor);
        self.text.replace_range(start..self.cursor, with);
        self.move_cursor_to(start + with.len());
        true
    }

    /// Returns the line and leaves the editor empty.
    pub fn take(&mut self) -> String {
        self.undo.clear();
        self.cursor = 0;
        mem::take(&mut self.text)
    }

    /// Empties the line. Undo brings it back.
    pub fn clear(&mut self) {
        self.remove(0, self.text.len());
    }

    /// Takes back the last change. Returns `false` if there is none.
    #[must_use]
    pub fn undo(&mut self) -> bool {
        let Some((text, cursor)) = self.undo.pop() else { return false };
        (self.text, self.cursor) = (text, cursor);
        true
    }

    /// Makes undo forget earlier changes: they belong to another draft.
    pub fn forget_changes(&mut self) {
        self.undo.clear();
    }

    /// Moves the cursor one cluster to the left.
    pub fn left(&mut self) {
        self.cursor = self.previous();
    }

    /// Moves the cursor one cluster to the right.
    pub fn right(&mut self) {
        self.cursor = self.next();
    }

    /// Moves the cursor to the start of the word at or before it.
    pub fn word_left(&mut self) {
        self.cursor = self.word_start(char::is_alphanumeric);
    }

    /// Moves the cursor to the end of the word at or after it.
    pub fn word_right(&mut self) {
        self.cursor = self.word_end();
    }

    /// Moves the cursor to the start of the line.
    pub fn home(&mut self) {
        self.cursor = 0;
    }

    /// Moves the cursor to the end of the line.
    pub fn end(&mut self) {
        self.cursor = self.text.len();
    }

    /// Deletes the cluster before the cursor.
    pub fn backspace(&mut self) {
        self.remove(self.previous(), self.cursor);
    }

    /// Deletes the cluster after the cursor.
    pub fn delete(&mut self) {
        self.remove(self.cursor, self.next());
    }

    /// Kills from the cursor to the end of the line.
    pub fn kill_to_end(&mut self) {
        self.kill(self.cursor, self.text.len());
    }

    /// Kills from the start of the line to the cursor.
    pub fn kill_to_start(&mut self) {
        self.kill(0, self.cursor);
    }

    /// Kills back to the last blank, as Ctrl-W does in a shell.
    pub fn kill_blank_word_left(&mut self) {
        self.kill(self.word_start(|c| !c.is_whitespace()), self.cursor);
    }

    /// Kills back to the start of the word.
    pub fn kill_word_left(&mut self) {
        self.kill(self.word_start(char::is_alphanumeric), self.cursor);
    }

    /// Kills to the end of the word.
    pub fn kill_word_right(&mut self) {
        self.kill(self.cursor, self.word_end());
    }

    /// Inserts the killed text. Returns `false` if the line would become too long.
    #[must_use]
    pub fn yank(&mut self) -> bool {
        let killed = mem::take(&mut self.killed);
        let fitted = self.insert(&killed);
        self.killed = killed;
        fitted
    }

    fn previous(&self) -> usize {
        self.before().graphemes(true).next_back().map_or(0, |last| self.cursor - last.len())
    }

    fn next(&self) -> usize {
        self.cursor + self.after().graphemes(true).next().map_or(0, str::len)
    }

    /// Byte index at which the word at or before the cursor starts.
    fn word_start(&self, is_word: fn(char) -> bool) -> usize {
        let before = self.before().trim_end_matches(|c| !is_word(c));
        before
            .rfind(|c| !is_word(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8))
    }

    /// Byte index at which the word at or after the cursor ends.
    fn word_end(&self) -> usize {
        let after = self.after();
        let word = after.trim_start_matches(|c: char| !c.is_alphanumeric());
        let len = word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len());
        self.cursor + after.len() - word.len() + len
    }

    /// Deletes a range and keeps it for [`Editor::yank`]. An empty range keeps the older text: a
    /// kill command at the end of the line must not lose it.
    fn kill(&mut self, start: usize, end: usize) {
        if start < end {
            self.text[start..end].clone_into(&mut self.killed);
            self.remove(start, end);
        }
    }

    fn remove(&mut self, start: usize, end: usize) {
        if start == end {
            return;
        }
        self.undo.keep(&self.text, self.cursor);
        self.text.replace_range(start..end, "");
        self.move_cursor_to(start);
    }

    /// Moves the cursor to `at`, or to the end of the cluster around `at`. An edit can merge its
    /// neighbours into one cluster: an accent joins the letter before it, two flags' letters pair
    /// up.
    fn move_cursor_to(&mut self, at: usize) {
        let mut cluster = GraphemeCursor::new(at, self.text.len(), true);
        let is_boundary = cluster.is_boundary(&self.text, 0).unwrap_or(true);
        self.cursor = match is_boundary {
            true => at,
            false => cluster.next_boundary(&self.text, 0).ok().flatten().unwrap_or(self.text.len()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An editor with `text`, in which `|` marks the cursor.
    fn editor(text: &str) -> Editor {
        let (before, after) = text.split_once('|').expect("a cursor");
        let mut editor = Editor::default();
        editor.set(&format!("{before}{after}"));
        editor.cursor = before.len();
        editor
    }

    fn after(text: &str, edit: impl FnOnce(&mut Editor)) -> String {
        let mut editor = editor(text);
        edit(&mut editor);
        format!("{}|{}", editor.before(), editor.after())
    }

    #[test]
    fn one_key_moves_over_or_deletes_a_whole_cluster() {
        for cluster in ["é", "e\u{301}", "日", "👩‍👩‍👧", "🇩🇪", "👍🏽", "각", "ก็"]
        {
            let typed = format!("a{cluster}|b");
            assert_eq!(after(&typed, Editor::backspace), "a|b", "{cluster}");
            assert_eq!(after(&typed, Editor::left), format!("a|{cluster}b"));
            assert_eq!(after(&format!("a|{cluster}b"), Editor::delete), "a|b");
            assert_eq!(after(&format!("a|{cluster}b"), Editor::right), typed);
        }
    }

    #[test]
    fn a_key_at_the_end_of_the_line_changes_nothing() {
        for edit in [Editor::left, Editor::backspace, Editor::word_left, Editor::kill_to_start] {
            assert_eq!(after("|ab", edit), "|ab");
        }
        for edit in [Editor::right, Editor::delete, Editor::word_right, Editor::kill_to_end] {
            assert_eq!(after("ab|", edit), "ab|");
        }
    }

    #[test]
    fn word_keys_move_and_kill_as_in_a_shell() {
        assert_eq!(after("say 日本 — to|", Editor::word_left), "say 日本 — |to");
        assert_eq!(after("say 日本 — |to", Editor::word_left), "say |日本 — to");
        assert_eq!(after("say| 日本 — to", Editor::word_right), "say 日本| — to");
        assert_eq!(after("see a-b.c  |x", Editor::kill_blank_word_left), "see |x");
        assert_eq!(after("see a-b|x", Editor::kill_word_left), "see a-|x");
        assert_eq!(after("see| a-b", Editor::kill_word_right), "see|-b");
    }

    #[test]
    fn yank_inserts_the_killed_text() {
        let mut editor = editor("one two| three");
        editor.kill_to_start();
        editor.end();
        assert!(editor.yank());
        assert_eq!(editor.text(), " threeone two");
    }

    #[test]
    fn undo_takes_back_words_and_deletions_one_by_one() {
        let mut editor = Editor::default();
        for letter in ["o", "n", "e", " ", "t", "w", "o"] {
            assert!(editor.insert(letter));
        }
        editor.kill_blank_word_left();
        editor.clear();
        let mut texts = Vec::new();
        while editor.undo() {
            texts.push(format!("{}|{}", editor.before(), editor.after()));
        }
        assert_eq!(texts, ["one |", "one two|", "one|", "|"]);
        assert!(editor.insert("x"));
        editor.left();
        assert!(editor.insert("y") && editor.undo());
        assert_eq!(editor.text(), "x", "a word typed elsewhere is a step of its own");
        editor.set("another line");
        assert!(!editor.undo());
    }

    #[test]
    fn the_editor_refuses_a_line_longer_than_the_server_accepts() {
        let mut editor = Editor::default();
        assert!(editor.insert(&"x".repeat(DRAFT_BYTES_MAX)));
        assert!(!editor.insert("y"));
        editor.home();
        assert!(!editor.replace_from(0, "y"));
        editor.right();
        assert!(editor.replace_from(0, "y"));
        assert_eq!(editor.text().len(), DRAFT_BYTES_MAX);
    }

    #[test]
    fn the_cursor_never_stands_inside_a_cluster() {
        let pieces = ["e", "\u{301}", "🇩", "🇪", "👩", "\u{200d}", "日", " ", "ก", "็"];
        let mut state = 7_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).expect("31 bits")
        };
        let mut editor = Editor::default();
        for step in 0..20_000 {
            match random() % 12 {
                0 => editor.left(),
                1 => editor.right(),
                2 => editor.backspace(),
                3 => editor.delete(),
                4 => editor.word_left(),
                5 if step % 50 == 0 => editor.kill_to_end(),
                _ if editor.text().len() > 200 => editor.set("🇩🇪"),
                _ => assert!(editor.insert(pieces[random() % pieces.len()])),
            }
            let len = editor.text.len();
            let is_boundary =
                GraphemeCursor::new(editor.cursor, len, true).is_boundary(&editor.text, 0);
            assert!(is_boundary.expect("whole text"), "step {step}: {editor:?}");
        }
    }
}
