//! Decides which characters may reach a terminal (3.1.1).
//!
//! The server cleans every line that it accepts, and the client every line that it shows. Both call
//! this module, so that they cannot disagree. An unsafe character could move the cursor, recolour
//! the screen, or make one user's line look like another's.

use std::borrow::Cow;

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

/// Removes unsafe characters ([`is_unsafe`]) from `text`, and the escape sequences that arrow and
/// function keys send. A tab becomes a blank. Returns `text` itself, without a copy, if it is safe.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_unsafe) {
        cleaned.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('\t') {
            cleaned.push(' ');
        }
        rest = &rest[unsafe_len(rest)..];
    }
    cleaned.push_str(rest);
    Cow::Owned(cleaned)
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
