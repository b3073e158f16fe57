//! What Tab makes of the line: names the client has seen, and the words that mean something here.

use std::collections::BTreeMap;

use super::place::Place;
use crate::limits::COMPLETED_NAMES_MAX;

/// The words of the menu (`protocol.md` 3.2 and 4), and whether a name follows.
const MENU_WORDS: [(&str, bool); 8] = [
    ("list", false),
    ("chat", true),
    ("exit", false),
    ("help", false),
    ("busy", false),
    ("free", false),
    ("ignore", true),
    ("unignore", true),
];

/// The names the server has mentioned.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

/// What could stand in place of the word before the cursor.
#[derive(Debug, PartialEq, Eq)]
pub struct Completion {
    /// Byte index at which that word starts.
    pub start: usize,
    /// Everything it could become, in order.
    pub candidates: Vec<String>,
    /// What all candidates begin with.
    pub common: String,
}

impl Names {
    /// Remembers a name, as it was written last.
    pub fn learn(&mut self, name: &str) {
        let key = name.to_lowercase();
        if self.0.len() < COMPLETED_NAMES_MAX || self.0.contains_key(&key) {
            self.0.insert(key, name.to_owned());
        }
    }

    /// The names that begin with `prefix`, without regard to case, without that of `except`.
    fn beginning_with(&self, prefix: &str, except: Option<&str>) -> Vec<String> {
        let prefix = prefix.to_lowercase();
        let except = except.map(str::to_lowercase);
        self.0
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .filter(|(key, _)| Some(*key) != except.as_ref())
            .map(|(_, name)| name.clone())
            .collect()
    }
}

/// What the word at the end of `before` could become at `place`; `me` is never offered.
#[must_use]
pub fn complete(place: &Place, before: &str, names: &Names, me: Option<&str>) -> Completion {
    let start = before.rfind(' ').map_or(0, |blank| blank + 1);
    let (earlier, word) = before.split_at(start);
    let words = |words: &[&str]| {
        let is_meant = |w: &&&str| w.starts_with(&word.to_lowercase());
        words.iter().filter(is_meant).map(|&w| w.to_owned()).collect()
    };
    let candidates = match place {
        Place::Nowhere | Place::Naming => Vec::new(),
        Place::Choosing if start == 0 => names.beginning_with(word, me),
        Place::Asked { .. } if start == 0 => words(&["yes", "no", "list", "exit"]),
        Place::Asking { .. } if start == 0 => words(&["cancel", "list", "exit"]),
        Place::Chatting { .. } if start == 0 && word.starts_with('/') => words(&["/help", "/quit"]),
        Place::Chatting { .. } if !word.is_empty() => names.beginning_with(word, me),
        Place::Menu if start == 0 => words(&MENU_WORDS.map(|(menu_word, _)| menu_word)),
        Place::Menu if takes_name(earlier) => names.beginning_with(word, me),
        Place::Menu
        | Place::Choosing
        | Place::Asked { .. }
        | Place::Asking { .. }
        | Place::Chatting { .. } => Vec::new(),
    };
    let common = common_start(&candidates).to_owned();
    Completion { start, candidates, common }
}

fn takes_name(earlier: &str) -> bool {
    let word = earlier.trim().to_lowercase();
    word == "1" || word == "2" || MENU_WORDS.contains(&(word.as_str(), true))
}

fn common_start(candidates: &[String]) -> &str {
    let Some((first, rest)) = candidates.split_first() else { return "" };
    let mut common = first.as_str();
    for candidate in rest {
        let same = common.chars().zip(candidate.chars()).take_while(|(a, b)| a == b);
        common = &common[..same.map(|(c, _)| c.len_utf8()).sum()];
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(place: &Place, before: &str) -> Vec<String> {
        let mut names = Names::default();
        for name in ["Anna", "anton", "Ben", "日本", "me"] {
            names.learn(name);
        }
        complete(place, before, &names, Some("me")).candidates
    }

    #[test]
    fn words_at_the_start_and_names_after_them() {
        assert_eq!(candidates(&Place::Menu, "ch"), ["chat"]);
        assert_eq!(candidates(&Place::Menu, "2 an"), ["Anna", "anton"]);
        assert_eq!(candidates(&Place::Menu, "chat 日"), ["日本"]);
        assert_eq!(candidates(&Place::Menu, "exit a"), [""; 0]);
        assert_eq!(candidates(&Place::Choosing, "B"), ["Ben"]);
        assert_eq!(candidates(&Place::Choosing, "m"), [""; 0]);
    }

    #[test]
    fn in_a_chat_only_words_with_a_slash_are_commands() {
        let chat = Place::Chatting { with: "Ben".into() };
        assert_eq!(candidates(&chat, "/q"), ["/quit"]);
        assert_eq!(candidates(&chat, "hello be"), ["Ben"]);
        assert_eq!(candidates(&chat, "qu"), [""; 0]);
        assert_eq!(candidates(&chat, ""), [""; 0]);
    }

    #[test]
    fn what_all_candidates_share_is_found_between_characters() {
        let of = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        assert_eq!(common_start(&of(&["anna", "anton"])), "an");
        assert_eq!(common_start(&of(&["日本", "日曜"])), "日");
        assert_eq!(common_start(&[]), "");
    }

    #[test]
    fn a_flood_of_names_is_bounded() {
        let mut names = Names::default();
        for number in 0..2 * COMPLETED_NAMES_MAX {
            names.learn(&number.to_string());
        }
        assert_eq!(names.0.len(), COMPLETED_NAMES_MAX);
    }
}
