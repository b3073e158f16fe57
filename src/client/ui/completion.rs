//! Tab completion: commands of the current state, and names from earlier server lines.
//!
//! `state_machine` calls [`complete`] when the user presses Tab, and teaches [`Known`] the names
//! that it reads. This module must not ask the server: a request for names would show up in the
//! transcript, and the user would wait for the answer.

use std::collections::BTreeMap;

use super::client_state::ClientState;
use crate::core::limits::COMPLETED_NAMES_MAX;

/// The argument that a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Argument {
    /// No argument, or free text. Completion offers nothing.
    None,
    /// A username.
    User,
    /// The name of a room.
    Room,
}

/// The commands at the menu (4.3.1, 5.1.1). The user sees candidates in this order.
const MENU_WORDS: [(&str, Argument); 10] = [
    ("list", Argument::User),
    ("chat", Argument::User),
    ("exit", Argument::None),
    ("join", Argument::Room),
    ("rooms", Argument::Room),
    ("help", Argument::None),
    ("busy", Argument::None),
    ("free", Argument::None),
    ("ignore", Argument::User),
    ("unignore", Argument::User),
];

/// The menu's numbers that take an argument. Completion never offers the numbers themselves,
/// because one digit is quicker to type than Tab.
const MENU_NUMBERS: [(&str, Argument); 4] =
    [("1", Argument::User), ("2", Argument::User), ("4", Argument::Room), ("5", Argument::Room)];

/// The commands in a room (4.8.5).
const ROOM_WORDS: [(&str, Argument); 17] = [
    ("/who", Argument::User),
    ("/me", Argument::None),
    ("/history", Argument::None),
    ("/quiet", Argument::None),
    ("/loud", Argument::None),
    ("/chat", Argument::User),
    ("/yes", Argument::None),
    ("/no", Argument::None),
    ("/help", Argument::None),
    ("/say", Argument::None),
    ("/quit", Argument::None),
    ("/list", Argument::User),
    ("/rooms", Argument::Room),
    ("/busy", Argument::None),
    ("/free", Argument::None),
    ("/ignore", Argument::User),
    ("/unignore", Argument::User),
];

/// Names from earlier server lines, at most [`COMPLETED_NAMES_MAX`].
///
/// The key is the name in lower case. A sorted map finds all names with a prefix in one range.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

/// All names that completion can offer.
#[derive(Debug, Default)]
pub struct Known {
    /// Usernames.
    pub people: Names,
    /// Names of rooms.
    pub rooms: Names,
}

/// The possible replacements of the word before the cursor.
#[derive(Debug, PartialEq, Eq)]
pub struct Completion {
    /// Byte index in the line at which the word starts.
    pub start: usize,
    /// All replacements, commands in the order of their table, names sorted by their lower case.
    pub candidates: Vec<String>,
    /// The longest text with which all candidates begin. Tab can insert it without a question.
    pub common: String,
}

impl Names {
    /// Remembers a name with its latest spelling. Ignores new names once the limit is reached,
    /// because a server that sends names without end must not fill the client's memory.
    pub fn learn(&mut self, name: &str) {
        let key = name.to_lowercase();
        if self.0.len() < COMPLETED_NAMES_MAX || self.0.contains_key(&key) {
            self.0.insert(key, name.to_owned());
        }
    }

    /// Returns the names that begin with `prefix`, except the name `except`. Ignores case.
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

/// Finds candidates for the last word of `before`, the text between the start of the line and the
/// cursor.
///
/// `state` decides which commands and names fit. The candidates never contain the user's own name
/// `me`, because nobody asks or ignores themselves. Messages complete usernames, but only after the
/// first letter of a name: otherwise each Tab in a sentence would list all users.
#[must_use]
pub fn complete(state: &ClientState, before: &str, known: &Known, me: Option<&str>) -> Completion {
    let start = before.rfind(' ').map_or(0, |blank| blank + 1);
    let (earlier, word) = before.split_at(start);
    let users = || known.people.beginning_with(word, me);
    let rooms = || known.rooms.beginning_with(word, None);
    let words = |words: &[&str]| {
        let is_candidate = |w: &&&str| w.starts_with(&word.to_lowercase());
        words.iter().filter(is_candidate).map(|&w| w.to_owned()).collect()
    };
    let candidates = match state {
        ClientState::Nowhere | ClientState::Naming => Vec::new(),
        ClientState::Choosing if start == 0 => users(),
        ClientState::Asked { .. } if start == 0 => words(&["yes", "no", "list", "rooms", "exit"]),
        ClientState::Asking { .. } if start == 0 => words(&["cancel", "list", "rooms", "exit"]),
        ClientState::Chatting { .. } if start == 0 && word.starts_with('/') => {
            words(&["/help", "/quit"])
        }
        ClientState::Chatting { .. } if !word.is_empty() => users(),
        ClientState::Room { .. } if start == 0 && word.starts_with('/') => {
            words(&ROOM_WORDS.map(|(room_word, _)| room_word))
        }
        // Text without a command before it is a message.
        ClientState::Room { .. } => match argument_of(&ROOM_WORDS, earlier.trim_end()) {
            Argument::Room => rooms(),
            Argument::User => users(),
            Argument::None if word.is_empty() => Vec::new(),
            Argument::None => users(),
        },
        ClientState::Menu if start == 0 => words(&MENU_WORDS.map(|(menu_word, _)| menu_word)),
        ClientState::Menu => {
            match argument_of(&[&MENU_WORDS[..], &MENU_NUMBERS].concat(), earlier.trim()) {
                Argument::Room => rooms(),
                Argument::User => users(),
                Argument::None => Vec::new(),
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

/// Returns the argument that the command `word` takes. Case makes no difference (4.1.2).
fn argument_of(words: &[(&str, Argument)], word: &str) -> Argument {
    let known = words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map_or(Argument::None, |&(_, argument)| argument)
}

/// Returns the longest common prefix. It compares characters, because a cut in the middle of a
/// UTF-8 sequence is not valid text.
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
    fn the_menu_completes_commands_at_the_start_and_usernames_after_them() {
        assert_eq!(candidates(&ClientState::Menu, "ch"), ["chat"]);
        assert_eq!(candidates(&ClientState::Menu, "2 an"), ["Anna", "anton"]);
        assert_eq!(candidates(&ClientState::Menu, "chat 日"), ["日本"]);
        assert_eq!(candidates(&ClientState::Menu, "exit a"), [""; 0]);
        assert_eq!(candidates(&ClientState::Choosing, "B"), ["Ben"]);
        assert_eq!(candidates(&ClientState::Choosing, "m"), [""; 0]);
    }

    /// (6.1.1, 6.1.2, 6.1.3, 5.3.1)
    #[test]
    fn commands_that_take_a_room_complete_rooms() {
        assert_eq!(candidates(&ClientState::Menu, "jo"), ["join"]);
        assert_eq!(candidates(&ClientState::Menu, "ro"), ["rooms"]);
        assert_eq!(candidates(&ClientState::Menu, "4 "), ["annex", "lobby", "me"]);
        assert_eq!(candidates(&ClientState::Menu, "JOIN an"), ["annex"]);
        assert_eq!(candidates(&ClientState::Menu, "5 l"), ["lobby"]);
        assert_eq!(candidates(&ClientState::Menu, "ignore l"), [""; 0]);
    }

    /// (4.8.5, 4.8.1)
    #[test]
    fn in_a_room_a_slash_starts_a_command_and_usernames_complete_anywhere() {
        let room = ClientState::Room { room: "lobby".into(), asked_by: None };
        assert_eq!(candidates(&room, "/un"), ["/unignore"]);
        assert_eq!(candidates(&room, "/").len(), ROOM_WORDS.len());
        assert_eq!(candidates(&room, "/chat "), ["Anna", "anton", "Ben", "日本"]);
        assert_eq!(candidates(&room, "/who be"), ["Ben"]);
        assert_eq!(candidates(&room, "/rooms "), ["annex", "lobby", "me"]);
        assert_eq!(candidates(&room, "/me hugs be"), ["Ben"]);
        assert_eq!(candidates(&room, "an"), ["Anna", "anton"]);
        assert_eq!(candidates(&room, "so, an"), ["Anna", "anton"]);
        assert_eq!(candidates(&room, "/who an"), ["Anna", "anton"]);
        for before in ["", "so, ", "qu", "so, /w", "/quiet "] {
            assert_eq!(candidates(&room, before), [""; 0], "{before}");
        }
    }

    #[test]
    fn in_a_chat_only_a_word_with_a_slash_completes_as_a_command() {
        let chat = ClientState::Chatting { with: "Ben".into() };
        assert_eq!(candidates(&chat, "/q"), ["/quit"]);
        assert_eq!(candidates(&chat, "hello be"), ["Ben"]);
        assert_eq!(candidates(&chat, "qu"), [""; 0]);
        assert_eq!(candidates(&chat, ""), [""; 0]);
    }

    #[test]
    fn the_common_prefix_ends_between_characters() {
        let of = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        assert_eq!(common_start(&of(&["anna", "anton"])), "an");
        assert_eq!(common_start(&of(&["日本", "日曜"])), "日");
        assert_eq!(common_start(&[]), "");
    }

    #[test]
    fn a_flood_of_names_stops_at_the_limit() {
        let mut names = Names::default();
        for number in 0..2 * COMPLETED_NAMES_MAX {
            names.learn(&number.to_string());
        }
        assert_eq!(names.0.len(), COMPLETED_NAMES_MAX);
    }
}
