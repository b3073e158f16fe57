//! Checks that a message is UTF-8, although its bytes come in pieces that end anywhere.
//!
//! [`super::WebSocket`] passes each piece of a text message through [`Utf8Check`]. Nothing is kept
//! but the position inside one character.

/// The position inside a character that has begun: nothing else decides whether the next byte fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Utf8Check {
    /// Bytes that the character still needs.
    missing: u8,
    /// The smallest value of the next byte.
    low: u8,
    /// The largest value of the next byte.
    high: u8,
}

impl Utf8Check {
    /// Checks the next piece.
    ///
    /// # Errors
    /// How many bytes of `piece` were right before the wrong one.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), usize> {
        let mut checked = 0;
        while self.missing > 0 {
            let Some(&byte) = piece.get(checked) else { return Ok(()) };
            self.step(byte).ok_or(checked)?;
            checked += 1;
        }
        let rest = &piece[checked..];
        let Err(error) = str::from_utf8(rest) else { return Ok(()) };
        checked += error.valid_up_to();
        if error.error_len().is_some() {
            return Err(checked);
        }
        // The piece ends inside a character.
        for &byte in &piece[checked..] {
            self.step(byte).ok_or(checked)?;
        }
        Ok(())
    }

    /// Whether the bytes so far end with a whole character.
    pub(super) fn is_complete(self) -> bool {
        self.missing == 0
    }

    /// Takes one byte (RFC 3629, 4: the first byte limits the second). `None` if it does not fit.
    fn step(&mut self, byte: u8) -> Option<()> {
        if self.missing > 0 {
            let fits = (self.low..=self.high).contains(&byte);
            *self = Utf8Check { missing: self.missing - 1, low: 0x80, high: 0xbf };
            return fits.then_some(());
        }
        let (missing, low, high) = match byte {
            0x00..=0x7f => (0, 0x80, 0xbf),
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return None,
        };
        *self = Utf8Check { missing, low, high };
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_utf8(pieces: &[&[u8]]) -> bool {
        let mut check = Utf8Check::default();
        pieces.iter().all(|piece| check.push(piece).is_ok()) && check.is_complete()
    }

    #[test]
    fn every_cut_gives_the_answer_of_the_whole() {
        let texts: [&[u8]; 14] = [
            "añ日本🙂\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}".as_bytes(),
            b"\xc0\x80",
            b"\xc1\xbf",
            b"a\xe0\x9f\xbf",
            b"\xed\xa0\x80",
            b"\xed\x9f\xbf",
            b"\xf0\x8f\xbf\xbf",
            b"\xf4\x90\x80\x80",
            b"\xf5\x80\x80\x80",
            b"\x80",
            b"ok\xff",
            b"\xf0\x9f\x99",
            b"\xe2\x82x",
            b"",
        ];
        for text in texts {
            let whole = str::from_utf8(text).is_ok();
            for first in 0..=text.len() {
                for second in first..=text.len() {
                    let pieces = [&text[..first], &text[first..second], &text[second..]];
                    assert_eq!(is_utf8(&pieces), whole, "{text:x?} cut at {first} and {second}");
                }
            }
        }
    }

    #[test]
    fn every_pair_of_bytes_is_judged_as_the_standard_library_judges_it() {
        for first in 0..=255u8 {
            for second in 0..=255 {
                let pair = [first, second];
                let whole = str::from_utf8(&pair).is_ok();
                assert_eq!(is_utf8(&[&pair[..1], &pair[1..]]), whole, "{pair:x?}");
            }
        }
    }

    #[test]
    fn a_wrong_byte_is_found_at_its_place() {
        let mut check = Utf8Check::default();
        assert_eq!(check.push(b"ab\xc3"), Ok(()));
        assert_eq!(check.push(b"\xa4cd\xffe"), Err(3));
    }
}
