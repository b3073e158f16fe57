//! What stands in a recording in place of a password.

use ring::hmac;

use super::{PasswordError, Secret};
use crate::core::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN};

/// What every stand-in begins with, so that a reader of the recording sees what it is.
const MARK: &str = "***";

/// Letters of the stand-in of a password that may be a new one.
const LETTERS: usize = 16;

/// Letters of one that is too short for that.
const FEW_LETTERS: usize = 4;

const _: () = assert!(MARK.len() + FEW_LETTERS < PASSWORD_CHARACTERS_MIN);
const _: () = assert!(MARK.len() + LETTERS >= PASSWORD_CHARACTERS_MIN);

/// A text that the chat treats like the password `typed`, and that tells neither the password nor its
/// length: only whether it is too short or too long. One password has one stand-in under one `key` and
/// for one `connection`, so that a repeated password is seen to be the same.
pub(crate) fn stand_in(key: &hmac::Key, connection: u64, typed: &str) -> String {
    let letters = match Secret::parse_new(typed) {
        Err(PasswordError::TooLong) => return "x".repeat(PASSWORD_BYTES_MAX + 1),
        Err(PasswordError::TooShort | PasswordError::IsCommand) => FEW_LETTERS,
        Ok(_) => LETTERS,
    };
    let mut context = hmac::Context::with_key(key);
    context.update(&connection.to_be_bytes());
    // Two keyboards may send the same password as different bytes.
    if let Some(secret) = Secret::parse(typed) {
        context.update(secret.expose());
    }
    let tag = context.sign();
    let letter = |byte: &u8| char::from(b'a' + byte % 26);
    MARK.chars().chain(tag.as_ref().iter().take(letters).map(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_treated_like_the_password_and_tells_nothing_about_it() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let of = |typed: &str| stand_in(&key, 1, typed);
        for typed in ["seven77", "correct horse", "ééééééé", " a  b ", &"x".repeat(200), "a"]
        {
            let (real, instead) = (Secret::parse_new(typed), Secret::parse_new(&of(typed)));
            assert_eq!(real.err(), instead.err(), "{typed}");
        }
        let long = "y".repeat(PASSWORD_BYTES_MAX + 1);
        assert_eq!(Secret::parse(&of(&long)), None);
        assert_eq!(of("correct horse").len(), of("incorrect horse battery").len());
        assert_eq!(of("caf\u{e9} au lait"), of("cafe\u{301} au lait"));
        assert_ne!(of("correct horse"), of("Correct horse"));
        assert_ne!(of("correct horse"), stand_in(&key, 2, "correct horse"), "another user's");
        let other = hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]);
        assert_ne!(of("correct horse"), stand_in(&other, 1, "correct horse"));
    }
}
