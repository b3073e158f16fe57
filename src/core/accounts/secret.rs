//! A password on its way from a user's line to the helper process.
//!
//! It is wiped when it is dropped, is never printed, and is not `Clone`: each copy would be one more
//! to wipe.

use std::fmt;
use std::hint::black_box;

use unicode_normalization::UnicodeNormalization;

use crate::core::framing::text;
use crate::core::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN};

/// A password in Unicode NFC. Two keyboards may send the same letter as different characters; after
/// this they are the same password (RFC 8265, 4.2).
#[derive(PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Why a text cannot be a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordError {
    /// Fewer than [`PASSWORD_CHARACTERS_MIN`] characters.
    TooShort,
    /// More than [`PASSWORD_BYTES_MAX`] bytes.
    TooLong,
    /// Begins with `/`, as commands do; or is `cancel`, or has nothing but blanks.
    IsCommand,
}

impl Secret {
    /// What a user typed as a password; every blank counts. `None` if no password is that long.
    ///
    /// Characters that no line of a user can hold (3.1.1) are removed, so that a password from a file
    /// is the same as one from a line.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Secret> {
        if typed.len() > PASSWORD_BYTES_MAX {
            return None;
        }
        // With its full size at once the buffer never moves, and leaves no copy behind.
        let mut bytes = Vec::with_capacity(3 * typed.len());
        let mut utf8 = [0; 4];
        for c in text::clean(typed).nfc() {
            bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
        }
        Some(Secret(bytes))
    }

    /// A new password, for the user at a prompt and for an operator's class list alike.
    ///
    /// # Errors
    /// The first [`PasswordError`] found.
    pub fn parse_new(typed: &str) -> Result<Secret, PasswordError> {
        let trimmed = typed.trim();
        if trimmed.starts_with('/') || trimmed.is_empty() || trimmed.eq_ignore_ascii_case("cancel")
        {
            return Err(PasswordError::IsCommand);
        }
        let secret = Secret::parse(typed).ok_or(PasswordError::TooLong)?;
        let characters = str::from_utf8(&secret.0).map_or(0, |text| text.chars().count());
        match characters {
            ..PASSWORD_CHARACTERS_MIN => Err(PasswordError::TooShort),
            _ => Ok(secret),
        }
    }

    /// The password itself, for the helper process alone.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without a reader the compiler may leave out the writes.
        black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (7.85)
    #[test]
    fn a_password_has_a_shortest_and_a_longest_length() {
        let new = |text: &str| Secret::parse_new(text);
        assert_eq!(new("seven77"), Err(PasswordError::TooShort));
        assert_eq!(new("ééééééé"), Err(PasswordError::TooShort), "characters count, not bytes");
        assert!(new("eight888").is_ok());
        assert!(new(&"x".repeat(PASSWORD_BYTES_MAX)).is_ok());
        assert_eq!(new(&"x".repeat(PASSWORD_BYTES_MAX + 1)), Err(PasswordError::TooLong));
        for command in ["", "        ", "/exit-now", " /exit-now", "cancel", " Cancel "] {
            assert_eq!(new(command), Err(PasswordError::IsCommand), "{command:?}");
        }
    }

    #[test]
    fn blanks_count_and_each_keyboard_sends_the_same_password() {
        let parse = |text: &str| Secret::parse(text).unwrap();
        assert_eq!(parse(" a  b ").expose(), b" a  b ");
        assert_ne!(parse("pass word"), parse("password"));
        assert_eq!(parse("caf\u{e9}"), parse("cafe\u{301}"));
    }

    #[test]
    fn a_password_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::parse("hunter22")), "Some(***)");
    }
}
