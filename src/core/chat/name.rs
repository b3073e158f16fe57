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

use crate::core::limits::{
    NAME_BYTES_MAX, NAME_COLUMNS_MAX, NAME_FOLDED_COLUMNS_MAX, NAME_MARKS_MAX, NAME_TYPED_BYTES_MAX,
};

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
    /// The text has no letter.
    NoLetter,
    /// The letters come from more than one script: `p` is Latin, but `а` can be Cyrillic.
    MixedScripts,
}

impl Name {
    /// Normalizes `text` to NFC and checks the result.
    ///
    /// # Errors
    /// The first [`NameError`] found.
    pub fn parse(text: &str) -> Result<Name, NameError> {
        if text.len() > NAME_TYPED_BYTES_MAX {
            return Err(NameError::TooLong);
        }
        let name: CompactString = text.nfc().collect();
        if !name.starts_with(is_letter_or_digit) {
            return Err(NameError::BadStart);
        }
        if !name.chars().all(|c| is_letter_or_digit(c) || is_mark(c) || "_-.".contains(c)) {
            return Err(NameError::BadCharacter);
        }
        // `1` is a choice of the menu, and `192.0.2.7` an address for the operator.
        if !name.contains(char::is_alphabetic) {
            return Err(NameError::NoLetter);
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

    /// A hash of the name's skeleton (UTS #39, section 4), without marks on Latin, Greek and Cyrillic
    /// letters: equal for names that look alike (3.2.2).
    ///
    /// 64 bits replace the skeleton, because the server only compares it. Two names that look
    /// different share a hash about once in 10^19 pairs; the cost is one name refused.
    #[must_use]
    pub fn skeleton_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        // UTS #39 keeps `Zay` and `Zaỵ` apart. Readers of these scripts do not: to them a mark is a
        // detail of the letter. In other scripts a mark is a vowel or makes another letter.
        let mut marks_count = false;
        let letters = skeleton(&self.0).filter(|&c| {
            let is_mark = is_combining_mark(c);
            if !is_mark {
                marks_count = c.is_alphabetic() && !is_latin_greek_or_cyrillic(c);
            }
            !is_mark || marks_count
        });
        fold(&letters.collect::<CompactString>()).hash(&mut hasher);
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

/// Folds what a user typed to find names that begin with it. `None` if no name is that long: folding
/// a long line costs a hundred times as much as any other command.
#[must_use]
pub fn fold_prefix(text: &str) -> Option<CompactString> {
    // The bytes come first: measuring columns takes time per character, too.
    let can_begin_a_name =
        text.len() <= NAME_TYPED_BYTES_MAX && text.width() <= NAME_FOLDED_COLUMNS_MAX;
    can_begin_a_name.then(|| fold(text))
}

fn is_letter_or_digit(c: char) -> bool {
    c.is_ascii_alphanumeric() || (c.is_alphanumeric() && !is_mark(c) && c.identifier_allowed())
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_combining_mark(c) && c.identifier_allowed()
}

/// Whether `c` lies in a Unicode block of one of these scripts.
fn is_latin_greek_or_cyrillic(c: char) -> bool {
    matches!(c,
        '\0'..='\u{2af}' | '\u{1d00}'..='\u{1dbf}' | '\u{1e00}'..='\u{1eff}' // Latin
        | '\u{2c60}'..='\u{2c7f}' | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}'
        | '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' // Greek
        | '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}') // Cyrillic
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
        use NameError::{BadCharacter, BadStart, MixedScripts, NoLetter, TooLong};
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
            ("1", NoLetter),
            ("192.0.2.7", NoLetter),
            ("٣", NoLetter),
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

    /// The limits on typed and folded names hold for every character that a name may contain.
    #[test]
    fn every_valid_name_is_found_by_each_spelling() {
        let is_valid = |&c: &char| is_letter_or_digit(c) || is_mark(c);
        for c in (0..=0x10_ffff).filter_map(char::from_u32).filter(is_valid) {
            let (typed, one) = (c.to_string().nfd().collect::<String>(), c.to_string());
            let composed = one.nfc().collect::<String>();
            assert!(typed.len() * NAME_BYTES_MAX <= composed.len() * NAME_TYPED_BYTES_MAX, "{c}");
            let (folded, columns) = (fold(&one).width(), one.width().max(1));
            assert!(folded * NAME_COLUMNS_MAX <= columns * NAME_FOLDED_COLUMNS_MAX, "{c}");
        }
        let longest = name(&"ß".repeat(NAME_COLUMNS_MAX));
        assert_eq!(fold_prefix(&"sS".repeat(NAME_COLUMNS_MAX)), Some(longest.folded()));
        assert!(
            fold_prefix("\u{3b1}\u{313}\u{301}\u{345}".repeat(NAME_COLUMNS_MAX).as_str()).is_some()
        );
        for line in ["\u{390}".repeat(500), "a\u{301}".repeat(300), "a".repeat(41)] {
            assert_eq!(fold_prefix(&line), None, "{line}");
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
            ("BannZay", "BannZaỵ"),
            ("jose", "JOSÉ"),
            ("Lodz", "Łódź"),
            ("Юлии", "Юлий"),
            ("Ψυχη", "Ψυχή"),
            ("user2", "user2\u{323}"),
        ] {
            assert_eq!(name(one).skeleton_hash(), name(other).skeleton_hash(), "{one} {other}");
        }
        for (one, other) in [
            ("anna", "hanna"),
            ("Kai", "Kal"),
            ("user10", "user11"),
            ("はは", "ばば"),
            ("किरण", "करण"),
            ("กา", "ก่า"),
        ] {
            assert_ne!(name(one).skeleton_hash(), name(other).skeleton_hash(), "{one} {other}");
        }
    }
}
