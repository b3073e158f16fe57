//! Usernames (2.3, 2.4): parsed once, valid ever after.

use std::hash::{DefaultHasher, Hash, Hasher};

use compact_str::CompactString;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{GeneralSecurityProfile, MixedScript, skeleton};
use unicode_width::UnicodeWidthStr;

use crate::core::limits::{NAME_BYTES_MAX, NAME_COLUMNS_MAX, NAME_MARKS_MAX};

/// A well-formed username, in the spelling its user gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(CompactString);

/// Why a text is no username.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// It does not begin with a letter or digit, or is empty.
    BadStart,
    /// It has more columns, bytes or marks in a row than a name may have.
    TooLong,
    /// It holds something else than letters, digits and `_` `-` `.`.
    BadCharacter,
    /// Its letters are of more than one script.
    MixedScripts,
}

impl Name {
    /// The name that `text` is, in NFC.
    ///
    /// # Errors
    /// The first [`NameFault`] of it.
    pub fn parse(text: &str) -> Result<Name, NameFault> {
        // Normalizing costs by the byte, so what is far too long is not looked at further.
        if text.len() > 4 * NAME_BYTES_MAX {
            return Err(NameFault::TooLong);
        }
        let name: CompactString = text.nfc().collect();
        if !name.starts_with(is_letter_or_digit) {
            return Err(NameFault::BadStart);
        }
        if !name.chars().all(|c| is_letter_or_digit(c) || is_mark(c) || "_-.".contains(c)) {
            return Err(NameFault::BadCharacter);
        }
        if name.width() > NAME_COLUMNS_MAX || name.len() > NAME_BYTES_MAX || is_overloaded(&name) {
            return Err(NameFault::TooLong);
        }
        if !name.as_str().is_single_script() {
            return Err(NameFault::MixedScripts);
        }
        Ok(Name(name))
    }

    /// The name as its user spelt it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for all spellings that differ in case alone; names are found and sorted by it.
    #[must_use]
    pub fn folded(&self) -> CompactString {
        fold(&self.0)
    }

    /// The same for all names that look alike (UTS #39, 4), in whatever case.
    ///
    /// A digest of 64 bits stands for the skeleton, which is not needed for anything else: two that
    /// differ would meet once in 10^19 pairs, and the price is one name refused.
    #[must_use]
    pub fn look(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        fold(&skeleton(&self.0).collect::<CompactString>()).hash(&mut hasher);
        hasher.finish()
    }
}

/// `text` without its differences in case. By way of the upper case, so that the two sigmas, and
/// the sharp s and its capital, are each the same letter.
#[must_use]
pub fn fold(text: &str) -> CompactString {
    if text.is_ascii() {
        let mut folded = CompactString::new(text);
        folded.make_ascii_lowercase();
        return folded;
    }
    let upper = text.chars().flat_map(char::to_uppercase).collect::<CompactString>();
    upper.chars().flat_map(char::to_lowercase).nfc().collect()
}

fn is_letter_or_digit(c: char) -> bool {
    c.is_ascii_alphanumeric() || (c.is_alphanumeric() && !is_mark(c) && c.identifier_allowed())
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_combining_mark(c) && c.identifier_allowed()
}

/// Whether marks are piled up on a letter beyond what any writing does.
fn is_overloaded(name: &str) -> bool {
    let mut marks = 0;
    name.chars().any(|c| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        marks > NAME_MARKS_MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap_or_else(|fault| panic!("{text:?}: {fault:?}"))
    }

    #[test]
    fn names_of_every_script_pass() {
        for text in [
            "A",
            "anna",
            "7of9",
            "a_b-c.d",
            "Özgür",
            "Ψυχή",
            "Юлия",
            "さくら",
            "日本語",
            "김철수",
            "प्रिया",
            "محمد",
        ] {
            assert_eq!(name(text).as_str(), text);
        }
        assert_eq!(name("Ame\u{301}lie").as_str(), "Amélie", "2.3: NFC");
    }

    #[test]
    fn what_is_no_name_is_refused_for_its_fault() {
        use NameFault::{BadCharacter, BadStart, MixedScripts, TooLong};
        let wide = "日".repeat(NAME_COLUMNS_MAX / 2);
        for (text, fault) in [
            ("", BadStart),
            ("_anna", BadStart),
            ("*", BadStart),
            ("\u{301}a", BadStart),
            ("an na", BadCharacter),
            ("anna:", BadCharacter),
            ("anna\u{200d}b", BadCharacter),
            ("anna\u{202e}", BadCharacter),
            ("a😀", BadCharacter),
            ("anna!", BadCharacter),
            (&"x".repeat(NAME_COLUMNS_MAX + 1), TooLong),
            (&format!("{wide}x"), if wide.is_empty() { BadStart } else { TooLong }),
            (&"x".repeat(10_000), TooLong),
            ("p\u{430}ypal", MixedScripts),
        ] {
            assert_eq!(Name::parse(text), Err(fault), "{text:?}");
        }
        assert!(Name::parse(&format!("a{}", "\u{320}".repeat(30))).is_err(), "piled marks");
        assert!(Name::parse(&"x".repeat(NAME_COLUMNS_MAX)).is_ok());
        assert!(Name::parse(&wide).is_ok());
    }

    #[test]
    fn case_makes_no_difference() {
        for (one, other) in
            [("Anna", "aNNA"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("Straße", "STRASSE"), ("ÉVA", "éva")]
        {
            assert_eq!(name(one).folded(), name(other).folded());
        }
    }

    #[test]
    fn look_alikes_look_alike() {
        for (one, other) in [
            ("paypal", "раураӏ"),
            ("paypa", "РАУРА"),
            ("BOB", "B0B"),
            ("AI", "Al"),
            ("rnary", "mary"),
        ] {
            assert_eq!(name(one).look(), name(other).look(), "{one} {other}");
        }
        for (one, other) in [("anna", "hanna"), ("Kai", "Kal"), ("user10", "user11")] {
            assert_ne!(name(one).look(), name(other).look(), "{one} {other}");
        }
    }
}
