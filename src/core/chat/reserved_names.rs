//! Usernames that no user can have (3.2.3): words of the server, and words of the menu.
//!
//! `roster` asks this module before it assigns a username. The names of rooms are free: no line
//! begins with the name of a room, and no room answers for the server.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::name::Name;

/// Words that begin a line of the server where a username could stand (`* You left`, `* Asked B`),
/// and words for persons or programs that speak for the server.
const SERVER_WORDS: [&str; 16] = [
    "you",
    "asked",
    "hello",
    "welcome",
    "goodbye",
    "nobody",
    "everybody",
    "operator",
    "operators",
    "admin",
    "administrator",
    "moderator",
    "root",
    "server",
    "system",
    "chinwag",
];

/// The words of the prompts. A user with such a name could not be told from a command: `list` at
/// "Chat with whom?" would ask the user called `list`. The menu's numbers are no names (3.2.1).
const MENU_WORDS: [&str; 20] = [
    "list",
    "chat",
    "exit",
    "join",
    "rooms",
    "help",
    "busy",
    "free",
    "ignore",
    "unignore",
    "register",
    "password",
    "unregister",
    "cancel",
    "quit",
    "q",
    "yes",
    "y",
    "no",
    "n",
];

/// The skeletons of the words: `Y0u` would deceive as well as `You`. Upper case has other
/// look-alikes than lower case: `L1ST` looks like `LIST` and not like `list`.
static SKELETONS: LazyLock<BTreeSet<u64>> = LazyLock::new(|| {
    let spellings = words().flat_map(|word| [word.to_owned(), word.to_ascii_uppercase()]);
    spellings.filter_map(|word| Some(Name::parse(&word).ok()?.skeleton_hash())).collect()
});

/// Whether `name` is a reserved word in any case, or looks like one.
pub(super) fn is_reserved(name: &Name) -> bool {
    let folded = name.folded();
    SKELETONS.contains(&name.skeleton_hash()) || words().any(|word| folded == word)
}

fn words() -> impl Iterator<Item = &'static str> {
    SERVER_WORDS.into_iter().chain(MENU_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (3.2.3)
    #[test]
    fn words_of_the_server_and_of_the_menu_and_their_look_alikes_are_reserved() {
        let is_reserved = |text| is_reserved(&Name::parse(text).unwrap());
        for text in words() {
            assert!(is_reserved(text), "{text}");
        }
        for text in ["Y0u", "OPERATOR", "Ópérator", "admín", "AdmIn", "LIST", "L1ST", "Ỵes", "у"]
        {
            assert!(is_reserved(text), "{text}");
        }
        for text in ["anna", "youth", "listen", "A", "Noah", "operetta", "L"] {
            assert!(!is_reserved(text), "{text}");
        }
    }
}
