//! Decides which characters may reach a terminal (3.1.1).
//!
//! The server cleans every line that it accepts, and the client every line that it shows. Both call
//! this module, so that they cannot disagree. An unsafe character could move the cursor, recolour
//! the screen, or make one user's line look like another's.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_width::UnicodeWidthChar;

use crate::core::limits::{FLAG_TAGS_MAX, TEXT_MARKS_MAX};

/// Begins the flag of a region.
const BLACK_FLAG: char = '\u{1f3f4}';
/// The tag that ends a row of tags.
const CANCEL_TAG: char = '\u{e007f}';

/// Whether every byte is a printable ASCII character.
///
/// Nearly every line is plain, and a plain line needs no other check: printable ASCII contains no
/// telnet command, no control character and no broken UTF-8.
#[must_use]
#[inline]
pub fn is_plain(bytes: &[u8]) -> bool {
    const LANES: usize = 16;
    let is_not_plain = |byte: u8| u8::from(byte.wrapping_sub(0x20) > 0x5e);
    let Some(last) = bytes.last_chunk::<LANES>() else {
        return bytes.iter().fold(0, |found, &byte| found | is_not_plain(byte)) == 0;
    };
    // The loop has no early exit, so the compiler turns the 16 lanes into vector instructions. The
    // last chunk may overlap the chunk before; that costs less than a loop over single bytes.
    let mut found = [0; LANES];
    for chunk in bytes.as_chunks::<LANES>().0.iter().chain([last]) {
        for lane in 0..LANES {
            found[lane] |= is_not_plain(chunk[lane]);
        }
    }
    found == [0; LANES]
}

/// Whether `c` could move a terminal's cursor, or reorder, hide or break the text it shows.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}'           // line and paragraph separators
            | '\u{202a}'..='\u{202e}'         // bidirectional embeddings and overrides
            | '\u{2066}'..='\u{206f}'         // isolates, deprecated format characters
            | '\u{feff}'                      // byte order mark, at any position
            | '\u{fff9}'..='\u{fffb}') // interlinear annotations
}

/// Removes from `text` unsafe characters ([`is_unsafe`]), the escape sequences that arrow and function
/// keys send, tags outside of a flag, and marks beyond [`TEXT_MARKS_MAX`]. A tab becomes a blank.
/// Returns `text` itself, without a copy, if it contains none of these and no flag with tags.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let mut stack = MarkStack::default();
    if !text.contains(|c| is_unsafe(c) || is_tag(c) || stack.is_full_for(c)) {
        return Cow::Borrowed(text);
    }
    let (mut cleaned, mut stack) = (String::with_capacity(text.len()), MarkStack::default());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let flag_len = if c == BLACK_FLAG { flag_len(rest) } else { 0 };
        let (kept, len) = match c {
            '\t' => (" ", 1),
            c if is_unsafe(c) => ("", unsafe_len(rest)),
            BLACK_FLAG if flag_len > 0 => (&rest[..flag_len], flag_len),
            c if is_tag(c) => ("", c.len_utf8()),
            c => (&rest[..c.len_utf8()], c.len_utf8()),
        };
        // A removed character does not separate the marks around it: it leaves no trace.
        let is_mark_too_many = kept.chars().next().is_some_and(|kept| stack.is_full_for(kept));
        if !is_mark_too_many {
            cleaned.push_str(kept);
        }
        rest = &rest[len..];
    }
    Cow::Owned(cleaned)
}

/// Whether `c` is a tag. Tags are invisible and spell any ASCII text. Their one use is the name of a
/// flag (UTS #51, ED-14a); everywhere else they are text that no person sees.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0001}' | '\u{e0020}'..=CANCEL_TAG)
}

/// The length, in bytes, of the flag of a region at the start of `text`: a black flag, the tags of
/// the region's code, and the tag that ends them. 0 if `text` begins with no such flag.
fn flag_len(text: &str) -> usize {
    let is_of_a_code =
        |&c: &char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let code = text.chars().skip(1).take_while(is_of_a_code).count();
    match text.chars().nth(1 + code) {
        // Each of these characters has 4 bytes. A longer code names no region, but it hides a text.
        Some(CANCEL_TAG) if (1..=FLAG_TAGS_MAX).contains(&code) => 4 * (1 + code + 1),
        _ => 0,
    }
}

/// Counts the marks that terminals draw over one character. Hundreds of them cover the lines around.
#[derive(Debug, Default)]
struct MarkStack {
    marks: usize,
}

impl MarkStack {
    /// Adds `c`, and returns whether `c` is a mark too many. A joiner and other characters without a
    /// width do not begin a new stack: the next mark is drawn in the same place.
    fn is_full_for(&mut self, c: char) -> bool {
        // No mark comes before U+0300, and nearly every text is below.
        if c >= '\u{300}' && is_combining_mark(c) {
            self.marks += 1;
            return self.marks > TEXT_MARKS_MAX;
        }
        if self.marks > 0 && c.width() != Some(0) {
            self.marks = 0;
        }
        false
    }
}

/// The length, in bytes, of the escape sequence or unsafe character at the start of `text`.
///
/// A control sequence (ECMA-48, 5.4) is an introducer, parameter bytes, intermediate bytes and one
/// final byte; SS3 is followed by one byte. Any other sequence loses only its ESC: terminals
/// disagree on where it ends, and a wrong guess would remove the user's text.
fn unsafe_len(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let after = |prefix: &str, part: fn(&[u8]) -> usize| {
        text.strip_prefix(prefix).map(|rest| prefix.len() + part(rest.as_bytes()))
    };
    after("\u{1b}[", control_sequence_len)
        .or_else(|| after("\u{9b}", control_sequence_len))
        .or_else(|| {
            after("\u{1b}O", |rest| usize::from(rest.first().is_some_and(u8::is_ascii_graphic)))
        })
        .unwrap_or(first)
}

/// The length, in bytes, of the parameters, intermediates and final byte at the start of `rest`.
/// Returns 0 without a final byte, so that an incomplete sequence removes only its introducer.
fn control_sequence_len(rest: &[u8]) -> usize {
    let parameters = rest.iter().take_while(|b| (0x20..=0x3f).contains(*b)).count();
    match rest.get(parameters) {
        Some(0x40..=0x7e) => parameters + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_text_is_returned_unchanged_and_without_a_copy() {
        for text in ["", " two  blanks ", "naïve 日本 👩‍👩‍👧 e\u{301}", "\u{200f}שלום"]
        {
            assert!(matches!(clean(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn no_control_character_and_no_reordering_character_survives() {
        let every_char = (0..=0x10_ffff).filter_map(char::from_u32).collect::<String>();
        let cleaned = clean(&every_char);
        assert!(!cleaned.contains(is_unsafe));
        assert!(
            !cleaned.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c))
        );
        assert!(cleaned.contains('\u{200d}'), "a joiner combines emoji, as in a family");
    }

    #[test]
    fn an_escape_sequence_is_removed_whole_if_its_end_is_certain() {
        for (sent, expected) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}2Jclear", "clear"),
            ("up\u{1b}[A \u{1b}OPf1", "up f1"),
            ("\u{1b}]0;title\u{7}text", "]0;titletext"),
            ("cut \u{1b}[", "cut "),
            ("cut \u{1b}[3", "cut 3"),
            ("\u{1b}\u{1b}[1mx", "x"),
            ("a\tb\rc\u{2028}d\u{7f}", "a bcd"),
        ] {
            assert_eq!(clean(sent), expected, "{sent:?}");
        }
    }

    /// (3.1.1, 7.45)
    #[test]
    fn marks_beyond_the_limit_are_removed_and_every_writing_system_keeps_its_own() {
        let marked = |count| format!("a{}", "\u{301}".repeat(count));
        assert_eq!(clean(&marked(TEXT_MARKS_MAX)), marked(TEXT_MARKS_MAX));
        assert_eq!(clean(&marked(240)), marked(TEXT_MARKS_MAX));
        let one_each = "a\u{301}".repeat(200);
        assert_eq!(clean(&one_each), one_each, "each letter has its own marks");
        // Neither a joiner nor a character that is removed begins a new stack.
        for between in ["\u{200d}", "\u{1b}[1m", "\u{202e}", "\u{e0041}", "\u{fe0f}"] {
            let sent = format!("{}{between}{}", marked(TEXT_MARKS_MAX), "\u{489}".repeat(9));
            assert!(!clean(&sent).contains('\u{489}'), "{sent:?}");
        }
        assert_eq!(clean(&"\u{301}".repeat(9)), "\u{301}".repeat(TEXT_MARKS_MAX), "no letter");
        for text in ["किंकर्तव्यविमूढ़", "ที่นี่", "བསྒྲུབས", "שָׁלוֹם", "👩🏽‍❤️‍💋‍👨🏿", "1️⃣", "ộ\u{323}"]
        {
            assert_eq!(clean(text), text);
        }
    }

    /// (3.1.1, 7.45)
    #[test]
    fn tags_stay_only_in_a_flag() {
        let tags = |text: &str| {
            text.bytes().filter_map(|b| char::from_u32(0xe_0000 + u32::from(b))).collect::<String>()
        };
        let flag = |code| format!("\u{1f3f4}{}\u{e007f}", tags(code));
        for code in ["gbeng", "gbsct", "usca", "gbw0000"] {
            assert_eq!(clean(&format!("go {}!", flag(code))), format!("go {}!", flag(code)));
        }
        for (sent, expected) in [
            (format!("hi{}", tags("obey me")), "hi"),
            (format!("hi{}\u{e007f}\u{e0001}", tags("x")), "hi"),
            (format!("\u{1f3f4}{}", tags("gbeng")), "\u{1f3f4}"),
            (flag(""), "\u{1f3f4}"),
            (flag("a longer text"), "\u{1f3f4}"),
            (flag("GBENG"), "\u{1f3f4}"),
            (format!("\u{1f3f4}{}x\u{e007f}", tags("gb")), "\u{1f3f4}x"),
            (format!("{}{}", flag("gbeng"), tags("more")), &flag("gbeng")),
        ] {
            assert_eq!(clean(&sent), *expected, "{sent:?}");
        }
    }

    #[test]
    fn a_cleaned_text_is_clean() {
        let every_char = (0..=0x10_ffff).filter_map(char::from_u32).collect::<String>();
        for text in [&*every_char, "\u{1f3f4}\u{e0061}\u{1b}\u{e007f}\u{1f3f4}\u{e0062}\u{e007f}"] {
            let once = clean(text).into_owned();
            assert_eq!(clean(&once), once);
        }
    }

    #[test]
    fn plain_text_is_printable_ascii_and_nothing_else() {
        for byte in 0..=255_u8 {
            let is_printable = (b' '..=b'~').contains(&byte);
            for len in 1..70 {
                for at in [0, len / 2, len - 1] {
                    let mut text = vec![b'a'; len];
                    text[at] = byte;
                    assert_eq!(is_plain(&text), is_printable, "{byte} at {at} of {len}");
                }
            }
        }
    }
}
