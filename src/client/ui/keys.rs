//! Parses the bytes of a terminal into keys. A read may end anywhere, even inside a character.
//!
//! The loop pushes bytes, and `state_machine` receives [`Key`]s. The sequences are those of ECMA-48
//! and xterm's `ctlseqs`. The parser must not know the time. It therefore cannot tell a lone Escape
//! from the start of a sequence, and treats Escape before a key as Alt, as shells do. It discards
//! unknown sequences whole: otherwise a function key would type its sequence into the line.

use crate::core::limits::{PASTE_BYTES_MAX, SEQUENCE_BYTES_MAX};
use std::mem;

/// The end of a bracketed paste. It contains ESC only as its first byte, so a failed match can
/// start again only at an ESC.
const PASTE_END: &[u8] = b"\x1b[201~";

const ESCAPE: u8 = 0x1b;

/// One key, one paste, or one answer of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A character to insert. A cluster of several characters arrives as several keys.
    Char(char),
    /// Return or Ctrl-J.
    Enter,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace. Terminals send 0x7f or 0x08 for it.
    Backspace,
    /// Delete, which deletes to the right of the cursor.
    Delete,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Arrow left with Ctrl or Alt.
    WordLeft,
    /// Arrow right with Ctrl or Alt.
    WordRight,
    /// Home.
    Home,
    /// End.
    End,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Ctrl with a letter, in lower case.
    Control(char),
    /// Alt, or Escape before, with a character.
    Alt(char),
    /// Alt with Backspace.
    AltBackspace,
    /// Text of a bracketed paste. It may hold control characters; the caller must remove them.
    Paste {
        /// The text, with invalid UTF-8 replaced.
        text: String,
        /// The paste was longer than [`PASTE_BYTES_MAX`], and `text` lacks a part.
        cut: bool,
    },
    /// Not a key: the terminal reports the column of the cursor, counted from 1.
    CursorAt(u16),
    /// Not a key: the terminal reports that it has gained the focus (true) or lost it (false).
    Focus(bool),
    /// A key without a function in the client.
    Other,
}

/// The parser and the bytes of an unfinished key.
#[derive(Debug, Default)]
pub struct KeyReader {
    state: State,
}

/// What the parser has read of the next key.
#[derive(Debug, Default)]
enum State {
    /// Nothing: the next byte starts a key.
    #[default]
    Ground,
    /// Inside a UTF-8 sequence; `alt` if an Escape came before it.
    Character { bytes: Vec<u8>, alt: bool },
    /// After ESC.
    Escape,
    /// After ESC O (SS3): one more byte follows.
    SingleShift,
    /// After ESC \[ (CSI): the parameters so far. A byte from 0x40 to 0x7e ends the sequence.
    Sequence(Vec<u8>),
    /// Inside the Linux console's ESC \[ \[ A, a function key: one more byte follows.
    ConsoleFunctionKey,
    /// Inside a paste. The last `matched` bytes may be the start of [`PASTE_END`].
    Paste { bytes: Vec<u8>, matched: usize, cut: bool },
}

impl KeyReader {
    /// Reads one byte. Returns a key if the byte completes one.
    pub fn push(&mut self, byte: u8) -> Option<Key> {
        match mem::take(&mut self.state) {
            State::Ground => self.begin(byte, false),
            State::Character { bytes, alt } => self.character(bytes, byte, alt),
            State::Escape => self.after_escape(byte),
            State::SingleShift => Some(letter_key(byte, false)),
            State::Sequence(parameters) => self.sequence(parameters, byte),
            State::ConsoleFunctionKey => Some(Key::Other),
            State::Paste { bytes, matched, cut } => self.paste(bytes, matched, cut, byte),
        }
    }

    fn begin(&mut self, byte: u8, alt: bool) -> Option<Key> {
        match byte {
            ESCAPE => {
                self.state = State::Escape;
                None
            }
            b' '..=b'~' => Some(character_key(char::from(byte), alt)),
            0x80.. => self.character(Vec::new(), byte, alt),
            0x7f | 0x08 => Some(if alt { Key::AltBackspace } else { Key::Backspace }),
            b'\r' | b'\n' => Some(Key::Enter),
            b'\t' => Some(Key::Tab),
            // A terminal sends Ctrl with a letter as the last five bits of the letter.
            0x01..=0x1a => Some(Key::Control(char::from(byte | 0x60))),
            // Ctrl-_ and, on most terminals, Ctrl-/.
            0x1f => Some(Key::Control('_')),
            _ => Some(Key::Other),
        }
    }

    fn character(&mut self, mut bytes: Vec<u8>, byte: u8, alt: bool) -> Option<Key> {
        if !bytes.is_empty() && byte < 0x80 {
            // The UTF-8 sequence is broken. Drop it, but not the key that follows it.
            return self.begin(byte, false);
        }
        bytes.push(byte);
        match str::from_utf8(&bytes) {
            Ok(text) => text.chars().next().map(|c| character_key(c, alt)),
            Err(error) if error.error_len().is_none() => {
                self.state = State::Character { bytes, alt };
                None
            }
            Err(_) => Some(Key::Other),
        }
    }

    fn after_escape(&mut self, byte: u8) -> Option<Key> {
        match byte {
            b'[' => self.state = State::Sequence(Vec::new()),
            b'O' => self.state = State::SingleShift,
            _ => return self.begin(byte, true),
        }
        None
    }

    fn sequence(&mut self, mut parameters: Vec<u8>, byte: u8) -> Option<Key> {
        match byte {
            b'[' if parameters.is_empty() => self.state = State::ConsoleFunctionKey,
            0x40..=0x7e => return self.end_of_sequence(&parameters, byte),
            0x20..=0x3f => {
                // Drop parameters beyond the limit: the sequence must end without using memory.
                if parameters.len() < SEQUENCE_BYTES_MAX {
                    parameters.push(byte);
                }
                self.state = State::Sequence(parameters);
            }
            _ => return self.begin(byte, false),
        }
        None
    }

    fn end_of_sequence(&mut self, parameters: &[u8], last: u8) -> Option<Key> {
        let mut numbers = parameters
            .split(|&b| b == b';')
            .map(|digits| str::from_utf8(digits).ok().and_then(|d| d.parse::<u16>().ok()));
        let first = numbers.next().flatten();
        // xterm sends modifiers as 1 plus their sum: shift 1, alt 2, control 4.
        let second = numbers.next().flatten();
        let by_word = second.is_some_and(|m| m.wrapping_sub(1) & 0b110 != 0);
        match (last, first) {
            (b'~', Some(200)) => {
                self.state = State::Paste { bytes: Vec::new(), matched: 0, cut: false };
                None
            }
            (b'~', Some(1 | 7)) => Some(Key::Home),
            (b'~', Some(4 | 8)) => Some(Key::End),
            (b'~', Some(3)) => Some(Key::Delete),
            (b'~', _) => Some(Key::Other),
            (b'I', None) => Some(Key::Focus(true)),
            (b'O', None) => Some(Key::Focus(false)),
            (b'R', Some(_)) => Some(second.map_or(Key::Other, Key::CursorAt)),
            _ => Some(letter_key(last, by_word)),
        }
    }

    fn paste(
        &mut self,
        mut bytes: Vec<u8>,
        mut matched: usize,
        mut cut: bool,
        byte: u8,
    ) -> Option<Key> {
        if byte == PASTE_END[matched] {
            matched += 1;
            if matched == PASTE_END.len() {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                return Some(Key::Paste { text, cut });
            }
        } else {
            // The matched bytes were text after all.
            let restarts = byte == ESCAPE;
            let last = if restarts { &[][..] } else { &[byte] };
            let pasted = [&PASTE_END[..matched], last].concat();
            matched = usize::from(restarts);
            if bytes.len() + pasted.len() <= PASTE_BYTES_MAX {
                bytes.extend_from_slice(&pasted);
            } else {
                cut = true;
            }
        }
        self.state = State::Paste { bytes, matched, cut };
        None
    }
}

fn character_key(c: char, alt: bool) -> Key {
    if alt { Key::Alt(c) } else { Key::Char(c) }
}

/// The keys that end in a letter: arrows, Home, End, and Enter of the keypad.
fn letter_key(last: u8, by_word: bool) -> Key {
    match (last, by_word) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', false) => Key::Right,
        (b'C', true) => Key::WordRight,
        (b'D', false) => Key::Left,
        (b'D', true) => Key::WordLeft,
        (b'H', _) => Key::Home,
        (b'F', _) => Key::End,
        (b'M', _) => Key::Enter,
        (b'Z', _) => Key::BackTab,
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut reader = KeyReader::default();
        bytes.iter().filter_map(|&byte| reader.push(byte)).collect()
    }

    fn paste(text: &str) -> Key {
        Key::Paste { text: text.to_owned(), cut: false }
    }

    #[test]
    fn characters_of_every_length_are_keys() {
        let expected = ['a', 'é', '日', '👋'].map(Key::Char);
        assert_eq!(keys("aé日👋".as_bytes()), expected);
    }

    #[test]
    fn the_parser_knows_the_editing_keys_of_xterm_rxvt_and_the_linux_console() {
        let spellings: [(&[u8], Key); 28] = [
            (b"\x1b[24;300R", Key::CursorAt(300)),
            (b"\x1b[D", Key::Left),
            (b"\x1bOD", Key::Left),
            (b"\x1b[C", Key::Right),
            (b"\x1b[A", Key::Up),
            (b"\x1b[B", Key::Down),
            (b"\x1b[1;5D", Key::WordLeft),
            (b"\x1b[1;3C", Key::WordRight),
            (b"\x1b[1;2C", Key::Right),
            (b"\x1b[H", Key::Home),
            (b"\x1b[1~", Key::Home),
            (b"\x1b[7~", Key::Home),
            (b"\x1bOF", Key::End),
            (b"\x1b[4~", Key::End),
            (b"\x1b[3~", Key::Delete),
            (b"\x7f", Key::Backspace),
            (b"\x08", Key::Backspace),
            (b"\x1b\x7f", Key::AltBackspace),
            (b"\x1bb", Key::Alt('b')),
            (b"\x1b\x1bb", Key::Alt('b')),
            (b"\r", Key::Enter),
            (b"\x01", Key::Control('a')),
            (b"\x1a", Key::Control('z')),
            (b"\x1f", Key::Control('_')),
            (b"\x1b.", Key::Alt('.')),
            (b"\x1b[Z", Key::BackTab),
            (b"\x1b[I", Key::Focus(true)),
            (b"\x1b[O", Key::Focus(false)),
        ];
        for (bytes, key) in spellings {
            assert_eq!(keys(bytes), [key], "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn unknown_sequences_type_nothing() {
        for bytes in
            ["\x1b[15~", "\x1b[[A", "\x1bOP", "\x1b[<0;3;4M", "\x1b[?1;2c", "\x1b[38;5;6;7;8z"]
        {
            let typed = keys(bytes.as_bytes());
            assert!(!typed.iter().any(|key| matches!(key, Key::Char(_))), "{bytes:?}: {typed:?}");
        }
    }

    #[test]
    fn invalid_utf_8_types_nothing_and_does_not_swallow_the_next_key() {
        assert_eq!(keys(b"\xffa"), [Key::Other, Key::Char('a')]);
        assert_eq!(keys(b"\xc3a"), [Key::Char('a')]);
        assert_eq!(keys(b"\xe6\x97\x1b[D"), [Key::Left]);
    }

    #[test]
    fn a_paste_is_one_key_whatever_it_contains() {
        assert_eq!(keys(b"\x1b[200~two\rlines\x1b[201~"), [paste("two\rlines")]);
        assert_eq!(keys(b"\x1b[200~\x1b\x1b[20\x1b[201~x"), [paste("\x1b\x1b[20"), Key::Char('x')]);
    }

    #[test]
    fn a_long_paste_is_cut_and_marked_as_cut() {
        let typed = [b"\x1b[200~", &[b'x'; PASTE_BYTES_MAX + 9][..], PASTE_END].concat();
        let [Key::Paste { text, cut: true }] = &keys(&typed)[..] else { panic!("one cut paste") };
        assert_eq!(text.len(), PASTE_BYTES_MAX);
    }

    #[test]
    fn a_paste_with_a_part_of_its_end_sequence_loses_and_repeats_no_bytes() {
        for part in 1..PASTE_END.len() {
            let start = str::from_utf8(&PASTE_END[..part]).expect("ASCII");
            let typed = format!("\x1b[200~a{start}b{start}\x1b[201~");
            assert_eq!(keys(typed.as_bytes()), [paste(&format!("a{start}b{start}"))]);
        }
    }
}
