//! What Tab makes of the line: names the client has seen, and the words that mean something here.

use std::collections::BTreeMap;

use super::client_state::ClientState;
use crate::core::limits::COMPLETED_NAMES_MAX;

/// What comes after a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// Nothing, or text.
    Nothing,
    /// Somebody's name.
    Person,
    /// The name of a room.
    Room,
}

/// The words of the menu (`protocol.md` 3.2 and 4).
const MENU_WORDS: [(&str, Follows); 10] = [
    ("list", Follows::Person),
    ("chat", Follows::Person),
    ("exit", Follows::Nothing),
    ("join", Follows::Room),
    ("rooms", Follows::Room),
    ("help", Follows::Nothing),
    ("busy", Follows::Nothing),
    ("free", Follows::Nothing),
    ("ignore", Follows::Person),
    ("unignore", Follows::Person),
];

/// Its numbers, which nobody needs help with typing.
const MENU_NUMBERS: [(&str, Follows); 4] =
    [("1", Follows::Person), ("2", Follows::Person), ("4", Follows::Room), ("5", Follows::Room)];

/// The commands in a room (6.5).
const ROOM_WORDS: [(&str, Follows); 17] = [
    ("/who", Follows::Person),
    ("/me", Follows::Nothing),
    ("/history", Follows::Nothing),
    ("/quiet", Follows::Nothing),
    ("/loud", Follows::Nothing),
    ("/chat", Follows::Person),
    ("/yes", Follows::Nothing),
    ("/no", Follows::Nothing),
    ("/help", Follows::Nothing),
    ("/say", Follows::Nothing),
    ("/quit", Follows::Nothing),
    ("/list", Follows::Person),
    ("/rooms", Follows::Room),
    ("/busy", Follows::Nothing),
    ("/free", Follows::Nothing),
    ("/ignore", Follows::Person),
    ("/unignore", Follows::Person),
];

/// The names the server has mentioned: of people, or of rooms.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

/// Everything the server has mentioned.
#[derive(Debug, Default)]
pub struct Known {
    /// Who there is.
    pub people: Names,
    /// Which rooms there are.
    pub rooms: Names,
}

/// What could stand in state of the word before the cursor.
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

/// What the word at the end of `before` could become at `state`; `me` is never offered.
#[must_use]
pub fn complete(state: &ClientState, before: &str, known: &Known, me: Option<&str>) -> Completion {
    let start = before.rfind(' ').map_or(0, |blank| blank + 1);
    let (earlier, word) = before.split_at(start);
    let people = || known.people.beginning_with(word, me);
    let rooms = || known.rooms.beginning_with(word, None);
    let words = |words: &[&str]| {
        let is_meant = |w: &&&str| w.starts_with(&word.to_lowercase());
        words.iter().filter(is_meant).map(|&w| w.to_owned()).collect()
    };
    let candidates = match state {
        ClientState::Nowhere | ClientState::Naming => Vec::new(),
        ClientState::Choosing if start == 0 => people(),
        ClientState::Asked { .. } if start == 0 => words(&["yes", "no", "list", "rooms", "exit"]),
        ClientState::Asking { .. } if start == 0 => words(&["cancel", "list", "rooms", "exit"]),
        ClientState::Chatting { .. } if start == 0 && word.starts_with('/') => {
            words(&["/help", "/quit"])
        }
        ClientState::Chatting { .. } if !word.is_empty() => people(),
        ClientState::Room { .. } if start == 0 && word.starts_with('/') => {
            words(&ROOM_WORDS.map(|(room_word, _)| room_word))
        }
        ClientState::Room { .. } => match follows(&ROOM_WORDS, earlier.trim_end()) {
            Follows::Room => rooms(),
            Follows::Person => people(),
            Follows::Nothing if word.is_empty() => Vec::new(),
            Follows::Nothing => people(),
        },
        ClientState::Menu if start == 0 => words(&MENU_WORDS.map(|(menu_word, _)| menu_word)),
        ClientState::Menu => {
            match follows(&[&MENU_WORDS[..], &MENU_NUMBERS].concat(), earlier.trim()) {
                Follows::Room => rooms(),
                Follows::Person => people(),
                Follows::Nothing => Vec::new(),
            }
        }
        ClientState::Choosing
        | ClientState::Asked { .. }
        | ClientState::Asking { .. }
        | ClientState::Chatting { .. } => Vec::new(),
    };
    let common = common_start(&candidates).to_owned();
    Completion { start, candidates, common }
}

/// What comes after `word`, which is read without regard to case (3.1.2).
fn follows(words: &[(&str, Follows)], word: &str) -> Follows {
    let known = words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map_or(Follows::Nothing, |&(_, follows)| follows)
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

    fn candidates(state: &ClientState, before: &str) -> Vec<String> {
        let mut known = Known::default();
        for name in ["Anna", "anton", "Ben", "日本", "me"] {
            known.people.learn(name);
        }
        for room in ["lobby", "annex", "me"] {
            known.rooms.learn(room);
        }
        complete(state, before, &known, Some("me")).candidates
    }

    #[test]
    fn words_at_the_start_and_names_after_them() {
        assert_eq!(candidates(&ClientState::Menu, "ch"), ["chat"]);
        assert_eq!(candidates(&ClientState::Menu, "2 an"), ["Anna", "anton"]);
        assert_eq!(candidates(&ClientState::Menu, "chat 日"), ["日本"]);
        assert_eq!(candidates(&ClientState::Menu, "exit a"), [""; 0]);
        assert_eq!(candidates(&ClientState::Choosing, "B"), ["Ben"]);
        assert_eq!(candidates(&ClientState::Choosing, "m"), [""; 0]);
    }

    /// (6.1, 6.13)
    #[test]
    fn rooms_after_the_words_that_take_them() {
        assert_eq!(candidates(&ClientState::Menu, "jo"), ["join"]);
        assert_eq!(candidates(&ClientState::Menu, "ro"), ["rooms"]);
        assert_eq!(candidates(&ClientState::Menu, "4 "), ["annex", "lobby", "me"]);
        assert_eq!(candidates(&ClientState::Menu, "JOIN an"), ["annex"]);
        assert_eq!(candidates(&ClientState::Menu, "5 l"), ["lobby"]);
        assert_eq!(candidates(&ClientState::Menu, "ignore l"), [""; 0]);
    }

    /// (6.5)
    #[test]
    fn in_a_room_commands_begin_with_a_slash_and_names_stand_anywhere() {
        let room = ClientState::Room { room: "lobby".into(), asked_by: None };
        assert_eq!(candidates(&room, "/un"), ["/unignore"]);
        assert_eq!(candidates(&room, "/").len(), ROOM_WORDS.len());
        assert_eq!(candidates(&room, "/chat "), ["Anna", "anton", "Ben", "日本"]);
        assert_eq!(candidates(&room, "/who be"), ["Ben"]);
        assert_eq!(candidates(&room, "/rooms "), ["annex", "lobby", "me"]);
        assert_eq!(candidates(&room, "/me hugs be"), ["Ben"]);
        assert_eq!(candidates(&room, "an"), ["Anna", "anton"]);
        assert_eq!(candidates(&room, "so, an"), ["Anna", "anton"]);
        for before in ["", "so, ", "qu", "so, /w", "/quiet "] {
            assert_eq!(candidates(&room, before), [""; 0], "{before}");
        }
    }

    #[test]
    fn in_a_chat_only_words_with_a_slash_are_commands() {
        let chat = ClientState::Chatting { with: "Ben".into() };
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
