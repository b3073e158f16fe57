//! Where somebody is named in what others say.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// Where in `text` `name` stands as a word of its own, in any case.
#[must_use]
pub fn mentions(text: &str, name: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut before = None;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let begins_word = at >= end && !before.is_some_and(is_of_word);
        before = Some(c);
        if begins_word
            && let Some(length) = length_of(name, &text[at..])
            && !text[at + length..].starts_with(is_of_word)
        {
            end = at + length;
            found.push(at..end);
        }
    }
    found
}

/// Bytes that `name` takes at the start of `text`, if it stands there. Letters change their size
/// with their case, so they are compared one by one.
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

/// Whether a name goes on with `c`. A full stop ends more sentences than it stands in names.
fn is_of_word(c: char) -> bool {
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
    fn a_name_is_found_as_a_word_of_its_own_and_in_any_case() {
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
    fn a_letter_that_changes_its_size_with_its_case_is_no_trouble() {
        assert_eq!(marked("\u{212a}ai kai", "kai"), "[\u{212a}ai] [kai]");
        assert_eq!(marked("\u{130}x i\u{307}x", "\u{130}x"), "[\u{130}x] [i\u{307}x]");
        assert_eq!(marked("ab", ""), "ab");
        assert_eq!(marked("日本 日本語", "日本"), "[日本] 日本語");
    }
}
