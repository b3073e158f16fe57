//! Names of users and rooms (3.2.1, 3.2.2). `Name::parse` is the only way to make a [`Name`], and a
//! `Name` is therefore always valid: no other code checks names.
//!
//! The rules follow UAX #31 (identifiers) and UTS #39 (Unicode security). They keep one user from
//! posing as another, and keep a name from imitating a line of the server.

use std::hash::{DefaultHasher, Hash, Hasher};

use compact_str::CompactString;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{GeneralSecurityProfile, MixedScript, skeleton};
use unicode_width::UnicodeWidthStr;

use crate::core::limits::{NAME_BYTES_MAX, NAME_COLUMNS_MAX, NAME_MARKS_MAX};

/// A valid name in Unicode NFC, spelled as its user typed it. Up to 24 bytes are stored inline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(CompactString);

/// Why a text is not a valid name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// The text is empty, or does not begin with a letter or a digit.
    BadStart,
    /// The text exceeds the limit on columns, on bytes, or on combining marks in a row.
    TooLong,
    /// The text contains a character other than letters, digits, marks and `_` `-` `.`.
    BadCharacter,
    /// The letters come from more than one script: `p` is Latin, but `а` can be Cyrillic.
    MixedScripts,
}

impl Name {
    /// Normalizes `text` to NFC and checks the result.
    ///
    /// # Errors
    /// The first [`NameError`] found.
    pub fn parse(text: &str) -> Result<Name, NameError> {
        // Normalization costs time per byte. NFC shrinks no valid name to a quarter of its size,
        // and a longer text can be rejected without the work.
        if text.len() > 4 * NAME_BYTES_MAX {
            return Err(NameError::TooLong);
        }
        let name: CompactString = text.nfc().collect();
        if !name.starts_with(is_letter_or_digit) {
            return Err(NameError::BadStart);
        }
        if !name.chars().all(|c| is_letter_or_digit(c) || is_mark(c) || "_-.".contains(c)) {
            return Err(NameError::BadCharacter);
        }
        // Columns are what a list row needs (UAX #11); bytes are what the server must store.
        if name.width() > NAME_COLUMNS_MAX
            || name.len() > NAME_BYTES_MAX
            || has_too_many_marks(&name)
        {
            return Err(NameError::TooLong);
        }
        if !name.as_str().is_single_script() {
            return Err(NameError::MixedScripts);
        }
        Ok(Name(name))
    }

    /// The name as its user typed it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The case-folded name: equal for names that differ only in case. The server finds and sorts
    /// names by this form.
    #[must_use]
    pub fn folded(&self) -> CompactString {
        fold(&self.0)
    }

    /// A hash of the name's skeleton (UTS #39, section 4): equal for names that look alike.
    ///
    /// 64 bits replace the skeleton, because the server only compares it. Two names that look
    /// different share a hash about once in 10^19 pairs; the cost is one name refused.
    #[must_use]
    pub fn skeleton_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        fold(&skeleton(&self.0).collect::<CompactString>()).hash(&mut hasher);
        hasher.finish()
    }
}

/// Removes differences in case from `text`.
///
/// The text goes to upper case first. Lower case alone would keep two spellings of the same letter
/// apart: both lower-case Greek sigmas become `Σ`, and `ß` becomes `SS`.
#[must_use]
pub fn fold(text: &str) -> CompactString {
    // Most names are ASCII, where lower case alone is enough and costs no Unicode tables.
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

/// Whether more than `NAME_MARKS_MAX` combining marks follow one letter. No language writes that
/// many, and a stack of marks spills over the lines above and below.
fn has_too_many_marks(name: &str) -> bool {
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
        Name::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
    }

    #[test]
    fn names_of_every_script_are_valid() {
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
    fn an_invalid_name_is_refused_with_its_error() {
        use NameError::{BadCharacter, BadStart, MixedScripts, TooLong};
        let wide = "日".repeat(NAME_COLUMNS_MAX / 2);
        for (text, error) in [
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
            assert_eq!(Name::parse(text), Err(error), "{text:?}");
        }
        assert!(Name::parse(&format!("a{}", "\u{320}".repeat(30))).is_err(), "stacked marks");
        assert!(Name::parse(&"x".repeat(NAME_COLUMNS_MAX)).is_ok());
        assert!(Name::parse(&wide).is_ok());
    }

    #[test]
    fn names_that_differ_only_in_case_fold_to_the_same_text() {
        for (one, other) in
            [("Anna", "aNNA"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("Straße", "STRASSE"), ("ÉVA", "éva")]
        {
            assert_eq!(name(one).folded(), name(other).folded());
        }
    }

    #[test]
    fn names_that_look_alike_share_a_skeleton() {
        for (one, other) in [
            ("paypal", "раураӏ"),
            ("paypa", "РАУРА"),
            ("BOB", "B0B"),
            ("AI", "Al"),
            ("rnary", "mary"),
        ] {
            assert_eq!(name(one).skeleton_hash(), name(other).skeleton_hash(), "{one} {other}");
        }
        for (one, other) in [("anna", "hanna"), ("Kai", "Kal"), ("user10", "user11")] {
            assert_ne!(name(one).skeleton_hash(), name(other).skeleton_hash(), "{one} {other}");
        }
    }
}
