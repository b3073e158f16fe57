//! What may reach a terminal (2.1): the one place that decides it, for the server and the client.

use std::borrow::Cow;

/// Whether every byte is a printable ASCII character. Nearly every line is, and this is all the
/// checking it needs: no telnet command, no control character, no broken UTF-8 is made of those.
#[must_use]
#[inline]
pub fn is_plain(bytes: &[u8]) -> bool {
    const LANES: usize = 16;
    let is_odd = |byte: u8| u8::from(byte.wrapping_sub(0x20) > 0x5e);
    let Some(last) = bytes.last_chunk::<LANES>() else {
        return bytes.iter().fold(0, |odd, &byte| odd | is_odd(byte)) == 0;
    };
    // Lane by lane and without an early exit: the compiler makes a vector of the lanes. The last
    // chunk overlaps the one before, which costs less than a rest of single bytes.
    let mut odd = [0; LANES];
    for chunk in bytes.as_chunks::<LANES>().0.iter().chain([last]) {
        for lane in 0..LANES {
            odd[lane] |= is_odd(chunk[lane]);
        }
    }
    odd == [0; LANES]
}

/// Whether `c` could move the cursor, reorder, hide or break what a terminal shows.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}'           // line and paragraph separators
            | '\u{202a}'..='\u{202e}'         // bidirectional embeddings and overrides
            | '\u{2066}'..='\u{206f}'         // isolates, deprecated format characters
            | '\u{feff}'                      // a byte order mark, wherever it stands
            | '\u{fff9}'..='\u{fffb}') // interlinear annotations
}

/// `text` without what [`is_unsafe`], and without the escape sequences that arrow and function
/// keys send; a tab becomes a blank. Borrowed, if nothing had to go.
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

/// Bytes of the escape sequence or unsafe character that `text` begins with.
///
/// A control sequence (ECMA-48, 5.4) is its introducer, parameter bytes, intermediate bytes and
/// one final byte; SS3 is followed by one byte. Anything else that begins with ESC loses only the
/// ESC, since where it would end is the terminal's guess, and a guess could swallow the text.
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

/// Bytes of parameters, intermediates and final byte at the start of `rest`; 0 if they do not end
/// in a final byte, so that a lone introducer takes nothing with it.
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
    fn what_is_harmless_is_borrowed_untouched() {
        for text in ["", " two  blanks ", "naïve 日本 👩‍👩‍👧 e\u{301}", "\u{200f}שלום"]
        {
            assert!(matches!(clean(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn no_control_character_and_no_reordering_survives() {
        let every_char = (0..=0x10_ffff).filter_map(char::from_u32).collect::<String>();
        let cleaned = clean(&every_char);
        assert!(!cleaned.contains(is_unsafe));
        assert!(
            !cleaned.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c))
        );
        assert!(cleaned.contains('\u{200d}'), "joiners make families out of emoji");
    }

    #[test]
    fn escape_sequences_go_whole_where_their_end_is_certain() {
        for (sent, said) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}2Jclear", "clear"),
            ("up\u{1b}[A \u{1b}OPf1", "up f1"),
            ("\u{1b}]0;title\u{7}text", "]0;titletext"),
            ("cut \u{1b}[", "cut "),
            ("cut \u{1b}[3", "cut 3"),
            ("\u{1b}\u{1b}[1mx", "x"),
            ("a\tb\rc\u{2028}d\u{7f}", "a bcd"),
        ] {
            assert_eq!(clean(sent), said, "{sent:?}");
        }
    }

    #[test]
    fn plain_is_printable_ascii_and_nothing_else() {
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
