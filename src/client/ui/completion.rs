//! Tab completion: commands of the current state, and names from earlier server lines.
//!
//! `state_machine` calls [`complete`] when the user presses Tab. This module must not ask the server:
//! a request for names would show up in the transcript, and the user would wait for the answer.

use super::client_state::ClientState;
use super::known_names::Known;

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

type Words = [(&'static str, Argument)];

/// The commands at the menu (4.3.1, 5.1.1). The user sees candidates in this order.
const MENU_WORDS: &Words = &[
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
const MENU_NUMBERS: &Words =
    &[("1", Argument::User), ("2", Argument::User), ("4", Argument::Room), ("5", Argument::Room)];

/// The commands with a slash, which mean the same in every state.
const SLASH_WORDS: &Words = &[
    ("/list", Argument::User),
    ("/chat", Argument::User),
    ("/join", Argument::Room),
    ("/rooms", Argument::Room),
    ("/who", Argument::User),
    ("/names", Argument::User),
    ("/me", Argument::None),
    ("/history", Argument::None),
    ("/yes", Argument::None),
    ("/no", Argument::None),
    ("/cancel", Argument::None),
    ("/leave", Argument::None),
    ("/part", Argument::None),
    ("/busy", Argument::None),
    ("/free", Argument::None),
    ("/ignore", Argument::User),
    ("/unignore", Argument::User),
    ("/help", Argument::None),
    ("/keys", Argument::None),
    ("/quit", Argument::None),
    ("/exit", Argument::None),
];

/// The commands of a room besides [`SLASH_WORDS`] (4.8.5).
const ROOM_WORDS: &Words =
    &[("/quiet", Argument::None), ("/loud", Argument::None), ("/say", Argument::None)];

/// The possible replacements of the word before the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Byte index in the line at which the replaced text starts.
    pub start: usize,
    /// All replacements: commands in the order of their table, usernames with the latest speaker
    /// first, rooms by their lower case.
    pub candidates: Vec<String>,
    /// What follows the chosen candidate.
    pub after: &'static str,
    /// The candidates are users. There may be hundreds, and the first is likely the right one.
    pub are_users: bool,
}

impl Completion {
    /// The longest text with which all candidates begin. Tab can insert it without a question.
    #[must_use]
    pub fn common(&self) -> &str {
        let Some((first, rest)) = self.candidates.split_first() else { return "" };
        let mut common = first.as_str();
        for candidate in rest {
            // A cut in the middle of a UTF-8 sequence is not valid text.
            let same = common.chars().zip(candidate.chars()).take_while(|(a, b)| a == b);
            common = &common[..same.map(|(c, _)| c.len_utf8()).sum()];
        }
        common
    }
}

/// Finds candidates for the last word of `before`, the text between the start of the line and the
/// cursor.
///
/// `state` decides which commands and names fit. The candidates never contain the user's own name
/// `me`, because nobody asks or ignores themselves. Messages complete usernames, but only after the
/// first letter of a name: otherwise a Tab in a sentence would insert some user.
#[must_use]
pub fn complete(state: &ClientState, before: &str, known: &Known, me: Option<&str>) -> Completion {
    let start = before.rfind(' ').map_or(0, |blank| blank + 1);
    let (earlier, word) = before.split_at(start);
    if matches!(state, ClientState::Nowhere | ClientState::Naming | ClientState::Password { .. }) {
        return Completion::default();
    }
    if start == 0 && word.starts_with('/') {
        let room_words =
            if matches!(state, ClientState::Room { .. }) { ROOM_WORDS } else { Default::default() };
        return commands(word, [SLASH_WORDS, room_words].concat().iter().map(|&(known, _)| known));
    }
    let users = |start, word: &str, after| Completion {
        start,
        candidates: known.people.beginning_with(word, me),
        after,
        are_users: true,
    };
    let argument = argument_of(state, earlier.trim());
    match state {
        _ if argument == Argument::User => users(start, word, " "),
        // A room may be written as #lobby.
        _ if argument == Argument::Room => {
            let name = word.strip_prefix('#').unwrap_or(word);
            let candidates = known.rooms.beginning_with(name, None);
            Completion {
                start: before.len() - name.len(),
                candidates,
                after: " ",
                are_users: false,
            }
        }
        ClientState::Chatting { .. } | ClientState::Room { .. } => {
            // Text without a command before it is a message.
            match word.strip_prefix('@') {
                Some(name) => users(start + 1, name, " "),
                None if word.is_empty() => Completion::default(),
                None if start == 0 => users(start, word, ": "),
                None => users(start, word, " "),
            }
        }
        ClientState::Choosing if start == 0 => users(start, word, " "),
        ClientState::Menu if start == 0 => commands(word, MENU_WORDS.iter().map(|&(w, _)| w)),
        ClientState::Asked { .. } if start == 0 => {
            commands(word, ["yes", "no", "list", "rooms", "exit"].into_iter())
        }
        ClientState::Asking { .. } if start == 0 => {
            commands(word, ["cancel", "list", "rooms", "exit"].into_iter())
        }
        ClientState::Nowhere
        | ClientState::Naming
        | ClientState::Menu
        | ClientState::Choosing
        | ClientState::Password { .. }
        | ClientState::Asked { .. }
        | ClientState::Asking { .. } => Completion::default(),
    }
}

/// The commands among `words` that begin with `word`, at the start of the line. Case makes no
/// difference (4.1.2).
fn commands<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Completion {
    let word = word.to_lowercase();
    let candidates = words.filter(|known| known.starts_with(&word)).map(str::to_owned).collect();
    Completion { start: 0, candidates, after: " ", are_users: false }
}

/// The argument that the command `word` takes, if it is a command in this state.
fn argument_of(state: &ClientState, word: &str) -> Argument {
    let bare: [&Words; 2] = match state {
        ClientState::Menu => [MENU_WORDS, MENU_NUMBERS],
        _ => Default::default(),
    };
    let mut words = bare.into_iter().chain([SLASH_WORDS]).flatten();
    let known = words.find(|(known, _)| known.eq_ignore_ascii_case(word));
    known.map_or(Argument::None, |&(_, argument)| argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let mut known = Known::default();
        for name in ["Anna", "anton", "Ben", "日本", "me"] {
            known.people.learn(name);
        }
        for room in ["lobby", "annex", "me"] {
            known.rooms.learn(room);
        }
        known
    }

    fn candidates(state: &ClientState, before: &str) -> Vec<String> {
        complete(state, before, &known(), Some("me")).candidates
    }

    /// The line after Tab has chosen the first candidate.
    fn completed(state: &ClientState, before: &str) -> String {
        let completion = complete(state, before, &known(), Some("me"));
        let (kept, first) = (&before[..completion.start], completion.candidates.first());
        first.map_or(before.to_owned(), |first| format!("{kept}{first}{}", completion.after))
    }

    fn lobby() -> ClientState {
        ClientState::Room { room: "lobby".into(), asked_by: None }
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
        let room = lobby();
        assert_eq!(candidates(&room, "/un"), ["/unignore"]);
        assert_eq!(candidates(&room, "/").len(), SLASH_WORDS.len() + ROOM_WORDS.len());
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
    fn a_name_at_the_start_of_a_message_addresses_its_user() {
        assert_eq!(completed(&lobby(), "be"), "Ben: ");
        assert_eq!(completed(&lobby(), "so, be"), "so, Ben ");
        assert_eq!(completed(&lobby(), "@be"), "@Ben ");
        assert_eq!(completed(&lobby(), "see @be"), "see @Ben ");
        assert_eq!(completed(&lobby(), "@"), "@Anna ");
        assert_eq!(completed(&lobby(), "/chat be"), "/chat Ben ");
        assert_eq!(completed(&ClientState::Menu, "2 be"), "2 Ben ");
        assert_eq!(completed(&ClientState::Choosing, "be"), "Ben ");
        assert_eq!(completed(&ClientState::Menu, "4 #lo"), "4 #lobby ");
    }

    #[test]
    fn a_slash_starts_a_command_in_every_state() {
        for state in [ClientState::Menu, ClientState::Choosing, lobby()] {
            assert_eq!(candidates(&state, "/ke"), ["/keys"]);
            assert_eq!(candidates(&state, "/ignore be"), ["Ben"]);
            assert_eq!(candidates(&state, "/join an"), ["annex"]);
        }
        assert_eq!(candidates(&ClientState::Menu, "/qui"), ["/quit"]);
        assert_eq!(candidates(&lobby(), "/qui"), ["/quit", "/quiet"]);
        assert_eq!(candidates(&ClientState::Naming, "/"), [""; 0]);
    }

    #[test]
    fn the_common_prefix_ends_between_characters() {
        let of = |words: &[&str]| {
            let candidates = words.iter().map(|&word| word.to_owned()).collect();
            Completion { candidates, ..Completion::default() }.common().to_owned()
        };
        assert_eq!(of(&["anna", "anton"]), "an");
        assert_eq!(of(&["日本", "日曜"]), "日");
        assert_eq!(of(&[]), "");
    }
}
