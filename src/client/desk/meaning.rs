//! What the server will make of a line, as far as the person must know it beforehand.

use super::super::place::Place;
use crate::limits::LINE_BYTES_MAX;

/// What becomes of a line where it is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// A partner reads this, and nothing of it comes back (3.7.1).
    Told(&'a str),
    /// A room reads it, and the server says it to us as well, in its place among the others (6.3).
    Echoed,
    /// The server takes it for itself.
    Command,
}

/// What `line` means at `place`.
pub(super) fn meaning<'a>(place: &Place, line: &'a str) -> Meaning<'a> {
    match place {
        Place::Chatting { .. } => match line.strip_prefix('/') {
            _ if is_quit(line) => Meaning::Command,
            Some(text) if text.starts_with('/') => Meaning::Told(text),
            Some(_) => Meaning::Command,
            None => Meaning::Told(line),
        },
        Place::Room { .. } if leaves_room(line) => Meaning::Command,
        Place::Room { .. } => match line.strip_prefix('/') {
            Some(command) if !command.starts_with('/') && !says(command) => Meaning::Command,
            Some(_) | None => Meaning::Echoed,
        },
        Place::Nowhere
        | Place::Naming
        | Place::Menu
        | Place::Choosing
        | Place::Asking { .. }
        | Place::Asked { .. } => Meaning::Command,
    }
}

/// A pasted line is meant as text, so where others read it, it must not become a command (3.7.3,
/// 6.5). The words that leave a room lose the blanks around them, so that they always fit.
pub(super) fn as_text(place: &Place, line: String) -> String {
    match place {
        Place::Room { .. } if leaves_room(&line) => format!("/say {}", line.trim()),
        Place::Room { .. } | Place::Chatting { .. }
            if line.starts_with('/') && line.len() < LINE_BYTES_MAX =>
        {
            format!("/{line}")
        }
        Place::Room { .. }
        | Place::Chatting { .. }
        | Place::Nowhere
        | Place::Naming
        | Place::Menu
        | Place::Choosing
        | Place::Asking { .. }
        | Place::Asked { .. } => line,
    }
}

/// Whether a line answers a request (3.6).
pub(super) fn is_answer(line: &str) -> bool {
    is_one_of(line.trim(), &["yes", "y", "no", "n"])
}

/// Whether a line answers a request in a room (6.7).
pub(super) fn is_answer_in_room(line: &str) -> bool {
    is_one_of(line.trim_end(), &["/yes", "/y", "/no", "/n"])
}

/// Whether a line ends a chat (3.7.2).
pub(super) fn is_quit(line: &str) -> bool {
    is_one_of(line.trim(), &["quit", "/quit"])
}

/// Whether a line leaves a room (6.4).
fn leaves_room(line: &str) -> bool {
    is_quit(line) || is_one_of(line.trim(), &["q", ".exit"])
}

/// Whether a command of a room, without its slash, says something (6.4, 6.5).
fn says(command: &str) -> bool {
    command
        .split_once(' ')
        .is_some_and(|(word, text)| is_one_of(word, &["say", "me"]) && !text.trim().is_empty())
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Place {
        Place::Room { room: "lobby".into(), asked_by: None }
    }

    /// (6.3, 6.4, 6.5)
    #[test]
    fn in_a_room_what_is_said_comes_back_and_commands_do_not() {
        for line in
            ["hello", "//usr", " /who", "quit it", "/say quit", "/ME waves", "yes", ".exit!"]
        {
            assert_eq!(meaning(&room(), line), Meaning::Echoed, "{line}");
        }
        for line in ["/who", "/yes", "quit", " Quit ", " /quit", "Q", ".exit", "/", "/say", "/me  "]
        {
            assert_eq!(meaning(&room(), line), Meaning::Command, "{line}");
        }
    }

    /// (3.7.3)
    #[test]
    fn in_a_chat_nothing_comes_back() {
        let chat = Place::Chatting { with: "ben".into() };
        for (line, text) in [("hello", "hello"), ("//usr", "/usr"), (".exit", ".exit")] {
            assert_eq!(meaning(&chat, line), Meaning::Told(text));
        }
        for line in ["/help", "quit", " /quit", "/", "/say x"] {
            assert_eq!(meaning(&chat, line), Meaning::Command, "{line}");
        }
    }

    /// (6.4, 6.5)
    #[test]
    fn a_pasted_line_neither_leaves_a_room_nor_commands_there() {
        for (line, sent) in [
            ("/etc", "//etc"),
            ("//etc", "///etc"),
            (" Quit ", "/say Quit"),
            ("/quit", "/say /quit"),
            ("q", "/say q"),
            (".exit", "/say .exit"),
            ("quite", "quite"),
        ] {
            assert_eq!(as_text(&room(), line.to_owned()), sent);
        }
        let full = format!("/{}", "x".repeat(LINE_BYTES_MAX - 1));
        assert_eq!(as_text(&room(), full.clone()), full, "it is refused, and harms nobody");
        let padded = format!("{}quit", " ".repeat(LINE_BYTES_MAX - 4));
        assert_eq!(as_text(&room(), padded), "/say quit");
        assert_eq!(as_text(&Place::Menu, "/etc".into()), "/etc");
    }
}
