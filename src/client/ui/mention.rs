//! Finds a username in the text of a message.
//!
//! In a room, `state_machine` rings the bell for a message that mentions the user, and `transcript`
//! makes the name bold.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// Returns the byte ranges in `text` at which `name` is a whole word, in order. Ignores case.
#[must_use]
pub fn mentions(text: &str, name: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut before = None;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let begins_word = at >= end && !before.is_some_and(continues_word);
        before = Some(c);
        if begins_word
            && let Some(length) = length_of(name, &text[at..])
            && !text[at + length..].starts_with(continues_word)
        {
            end = at + length;
            found.push(at..end);
        }
    }
    found
}

/// Returns the length in bytes of `name` at the start of `text`, or `None` if `text` starts
/// otherwise.
///
/// The comparison works character by character. It cannot compare lower-case copies, because some
/// letters change their length with their case: `K` (the Kelvin sign) has 3 bytes and `k` has 1.
fn length_of(name: &str, text: &str) -> Option<usize> {
    let mut wanted = name.chars().flat_map(char::to_lowercase).peekable();
    for (at, c) in text.char_indices() {
        if wanted.peek().is_none() {
            return Some(at);
        }
        if !c.to_lowercase().all(|lower| wanted.next() == Some(lower)) {
            return None;
        }
    }
    wanted.peek().is_none().then_some(text.len())
}

/// Whether `c` next to a name makes the name part of a longer word.
///
/// A full stop may occur in a username, but after a name it usually ends the sentence. A character
/// without width, such as a combining accent, changes the letter before it and therefore the name.
fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-' || c.width() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, name: &str) -> String {
        let mut marked = text.to_owned();
        for range in mentions(text, name).into_iter().rev() {
            marked.insert(range.end, ']');
            marked.insert(range.start, '[');
        }
        marked
    }

    #[test]
    fn a_name_is_found_as_a_whole_word_in_any_case() {
        for found in ["[anna]", "so, [Anna], @[anna]: [ANNA].", "日本 [anna]!", "(x) [anna] [anna]"]
        {
            assert_eq!(marked(&found.replace(['[', ']'], ""), "Anna"), found);
        }
        for text in ["", "annabel", "hanna", "anna-lena", "anna_", "ann", "日anna", "anna\u{301}"]
        {
            assert_eq!(marked(text, "anna"), text);
        }
    }

    #[test]
    fn a_letter_that_changes_its_length_with_its_case_is_found() {
        assert_eq!(marked("\u{212a}ai kai", "kai"), "[\u{212a}ai] [kai]");
        assert_eq!(marked("\u{130}x i\u{307}x", "\u{130}x"), "[\u{130}x] [i\u{307}x]");
        assert_eq!(marked("ab", ""), "ab");
        assert_eq!(marked("日本 日本語", "日本"), "[日本] 日本語");
    }
}
