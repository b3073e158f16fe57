//! Names of people and rooms, and what they say. Plain words: somebody in the class may be asked by one
//! of them.

use crate::peers::random::Random;

const NAMES: [&str; 40] = [
    "anna", "ben", "carla", "david", "emma", "felix", "greta", "hugo", "ida", "jonas", "karin",
    "leo", "mara", "nils", "olga", "paul", "quinn", "rosa", "sven", "tilda", "uwe", "vera",
    "willi", "xenia", "yara", "zoe", "aylin", "bela", "chen", "dora", "emir", "finn", "gina",
    "hana", "iris", "juri", "kaya", "luis", "mina", "noah",
];

/// The rooms that people visit. The first is the one that a user enters without a name.
pub const ROOMS: [&str; 6] = ["lobby", "tea", "music", "cats", "books", "football"];

const TEXTS: [&str; 24] = [
    "hello",
    "how are you?",
    "fine, and you?",
    "have you seen the new film?",
    "not yet",
    "the lecture was good today",
    "I am still looking for my keys",
    "did you try the other door?",
    "that would explain a lot",
    "haha",
    "no way",
    "tell me more",
    "my train is late again",
    "then take the bike",
    "it is raining",
    "of course it is",
    "what are you reading?",
    "a book about event loops",
    "is it any good?",
    "it never blocks",
    "see you at eight",
    "bring something to eat",
    "I have to go soon",
    "same here",
];

/// The name of person `n`. No two persons have names that look alike.
#[must_use]
pub fn name(n: usize) -> String {
    let name = NAMES[n % NAMES.len()];
    match n / NAMES.len() {
        0 => name.to_owned(),
        round => format!("{name}{}", round + 1),
    }
}

/// Something to say.
pub fn text(random: &mut Random) -> &'static str {
    random.choose(&TEXTS).copied().unwrap_or("hello")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ten_thousand_people_have_ten_thousand_names_of_letters_and_digits() {
        let names = (0..10_000).map(name).collect::<BTreeSet<_>>();
        assert_eq!(names.len(), 10_000);
        assert!(names.iter().all(|name| name.len() <= 20));
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric())));
    }

    #[test]
    fn nothing_that_people_say_is_a_word_of_the_server() {
        for text in TEXTS {
            assert!(text.contains(' ') || ["hello", "haha"].contains(&text), "{text}");
            assert!(!text.starts_with('/'));
        }
    }
}
