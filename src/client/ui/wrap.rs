//! Wraps a line of the transcript at words, for `--wrap`.
//!
//! `state_machine` calls [`wrap`] just before it draws. The continued rows hang below the text of the
//! message, so that names and times stand out. Without `--wrap` the terminal wraps: then it can wrap
//! old lines anew when its width changes.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::server_line::ServerLine;

/// The tags of the server and of the client, and the marks that stand for them with colours.
const TAGS: [&str; 7] = ["-- ", "* ", "! ", "? ", "- ", "   | ", "  "];

/// The indent of a line without a tag, a time or a name.
const INDENT: usize = 2;

/// A run of blanks and the word after it. Colours count as part of the word.
struct Word<'a> {
    blanks: usize,
    text: &'a str,
    columns: usize,
}

/// Returns `line` with line endings and indents, so that each row has at most `columns`.
///
/// A word that is longer than a row is left to the terminal: a wrapped address could not be copied.
#[must_use]
pub fn wrap(line: &str, columns: usize) -> String {
    let indent = hanging_indent(&without_colours(line), columns);
    let (mut wrapped, mut filled, mut has_word) = (String::with_capacity(line.len()), 0, false);
    for Word { blanks, text, columns: width } in words(line) {
        if has_word && width > 0 && filled + blanks + width > columns {
            wrapped.push_str("\r\n");
            wrapped.push_str(&" ".repeat(indent));
            filled = indent + width;
        } else {
            wrapped.push_str(&" ".repeat(blanks));
            filled += blanks + width;
        }
        wrapped.push_str(text);
        has_word |= width > 0;
        if filled > columns {
            filled = (filled - 1) % columns + 1;
        }
    }
    wrapped
}

/// Splits a line at its blanks.
fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let start = rest.find(|c| c != ' ').unwrap_or(rest.len());
        let length = rest[start..].find(' ').unwrap_or(rest.len() - start);
        let text = &rest[start..start + length];
        let is_over = rest.is_empty();
        rest = &rest[start + length..];
        let columns = without_colours(text).graphemes(true).map(UnicodeWidthStr::width).sum();
        (!is_over).then_some(Word { blanks: start, text, columns })
    })
}

/// The text without the escape sequences of colours. No other sequence occurs in a line: control
/// characters of the server were removed before.
fn without_colours(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or("", |(_, after)| after))
}

/// The columns before the text proper: the time, the tag, the name. If they take more than a third
/// of the row, the text would become a narrow strip, and the rows hang by [`INDENT`] only.
fn hanging_indent(line: &str, columns: usize) -> usize {
    let rest = after_time(line);
    let untagged = TAGS.iter().find_map(|tag| rest.strip_prefix(tag)).unwrap_or(rest);
    let message = after_time(untagged);
    // Behind a tag only a row of the history names a speaker.
    let may_be_message = message.len() < untagged.len() || untagged.len() == rest.len();
    let text = match ServerLine::read(message) {
        ServerLine::Message { text, .. } if may_be_message => text,
        _ => untagged,
    };
    let lead = line[..line.len() - text.len()].width();
    if lead == 0 || lead > columns / 3 { INDENT } else { lead }
}

/// The line after a time of day, with or without a date.
fn after_time(line: &str) -> &str {
    let pattern = |form: &str| {
        let text = line.get(..form.len()).filter(|_| line[form.len()..].starts_with(' '));
        let fits = |text: &str| {
            let mut pairs = form.bytes().zip(text.bytes());
            pairs.all(|(f, b)| if f == b'0' { b.is_ascii_digit() } else { f == b })
        };
        text.is_some_and(fits).then(|| &line[form.len() + 1..])
    };
    pattern("00:00").or_else(|| pattern("0000-00-00 00:00")).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(line: &str, columns: usize) -> Vec<String> {
        wrap(line, columns).split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn rows_break_at_words_and_hang_below_the_text() {
        assert_eq!(
            rows("12:00 anna: one two three four five six seven", 36),
            ["12:00 anna: one two three four five", "            six seven"]
        );
        assert_eq!(
            rows("* You are now in lobby; quit leaves it", 30),
            ["* You are now in lobby; quit", "  leaves it"]
        );
        assert_eq!(
            rows("- 10:05 ben: one two three four five six seven eight", 40),
            ["- 10:05 ben: one two three four five six", "             seven eight"]
        );
        assert_eq!(rows("- busy: nobody can ask you", 20), ["- busy: nobody can", "  ask you"]);
        assert_eq!(rows("one two three", 8), ["one two", "  three"]);
        assert_eq!(rows("a-very-long-name: one two", 22), ["a-very-long-name: one", "  two"]);
    }

    #[test]
    fn a_line_that_fits_stays_as_it_is() {
        for line in ["", "ben: hi", "ben:   x  =  1  ", "1234567890", "日本語 日本"] {
            assert_eq!(wrap(line, 16), line);
        }
    }

    #[test]
    fn a_word_longer_than_a_row_stays_whole() {
        let address = "https://example.org/a/long/way/to/go";
        assert_eq!(
            rows(&format!("ben: see {address} please"), 20).concat().matches(address).count(),
            1
        );
        assert_eq!(rows("x", 1), ["x"]);
    }

    #[test]
    fn wide_letters_count_twice_and_colours_not_at_all() {
        assert_eq!(rows("日本語 日本語 語", 10), ["日本語", "  日本語", "  語"]);
        let coloured = "\x1b[38;5;64mben\x1b[m: one \x1b[1mtwo\x1b[m three";
        assert_eq!(
            rows(coloured, 16),
            ["\x1b[38;5;64mben\x1b[m: one \x1b[1mtwo\x1b[m", "     three"]
        );
    }

    #[test]
    fn no_line_makes_it_panic_and_no_letter_is_lost() {
        let pieces =
            ["12:00", " ", "  ", "日", "anna", ":", "\x1b[1m", "- ", "e\u{301}", "*", "2026-01-02"];
        let mut state = 3_usize;
        for _ in 0..5_000 {
            let mut line = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                line.push_str(pieces[(state >> 33) % pieces.len()]);
            }
            for columns in [1, 8, 20] {
                let letters = |text: &str| text.replace([' ', '\r', '\n'], "");
                assert_eq!(letters(&wrap(&line, columns)), letters(&line));
            }
        }
    }
}
