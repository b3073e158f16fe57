//! What the server will make of a line, as far as the person must know it beforehand.

use crate::client::ui::client_state::ClientState;
use crate::core::limits::LINE_BYTES_MAX;

/// What becomes of a line where it is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InputKind<'a> {
    /// A partner reads this, and nothing of it comes back (4.7.2).
    Told(&'a str),
    /// A room reads it, and the server says it to us as well, in its state among the others (4.8.2).
    Echoed,
    /// The server takes it for itself.
    Command,
}

/// What `line` means at `state`.
pub(super) fn input_kind<'a>(state: &ClientState, line: &'a str) -> InputKind<'a> {
    match state {
        ClientState::Chatting { .. } => match line.strip_prefix('/') {
            _ if is_quit(line) => InputKind::Command,
            Some(text) if text.starts_with('/') => InputKind::Told(text),
            Some(_) => InputKind::Command,
            None => InputKind::Told(line),
        },
        ClientState::Room { .. } if leaves_room(line) => InputKind::Command,
        ClientState::Room { .. } => match line.strip_prefix('/') {
            Some(command) if !command.starts_with('/') && !says(command) => InputKind::Command,
            Some(_) | None => InputKind::Echoed,
        },
        ClientState::Nowhere
        | ClientState::Naming
        | ClientState::Menu
        | ClientState::Choosing
        | ClientState::Asking { .. }
        | ClientState::Asked { .. } => InputKind::Command,
    }
}

/// A pasted line is meant as text, so where others read it, it must not become a command (4.7.4,
/// 4.8.5). The words that leave a room lose the blanks around them, so that they always fit.
pub(super) fn as_text(state: &ClientState, line: String) -> String {
    match state {
        ClientState::Room { .. } if leaves_room(&line) => format!("/say {}", line.trim()),
        ClientState::Room { .. } | ClientState::Chatting { .. }
            if line.starts_with('/') && line.len() < LINE_BYTES_MAX =>
        {
            format!("/{line}")
        }
        ClientState::Room { .. }
        | ClientState::Chatting { .. }
        | ClientState::Nowhere
        | ClientState::Naming
        | ClientState::Menu
        | ClientState::Choosing
        | ClientState::Asking { .. }
        | ClientState::Asked { .. } => line,
    }
}

/// Whether a line answers a request (4.6).
pub(super) fn is_answer(line: &str) -> bool {
    is_one_of(line.trim(), &["yes", "y", "no", "n"])
}

/// Whether a line answers a request in a room (4.8.6).
pub(super) fn is_answer_in_room(line: &str) -> bool {
    is_one_of(line.trim_end(), &["/yes", "/y", "/no", "/n"])
}

/// Whether a line ends a chat (4.7.3).
pub(super) fn is_quit(line: &str) -> bool {
    is_one_of(line.trim(), &["quit", "/quit"])
}

/// Whether a line leaves a room (4.8.3).
fn leaves_room(line: &str) -> bool {
    is_quit(line) || is_one_of(line.trim(), &["q", ".exit"])
}

/// Whether a command of a room, without its slash, says something (4.8.3, 4.8.5).
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

    fn room() -> ClientState {
        ClientState::Room { room: "lobby".into(), asked_by: None }
    }

    /// (4.8.2, 6.2.1, 4.8.3, 4.8.4, 4.8.5, 4.8.1)
    #[test]
    fn in_a_room_what_is_said_comes_back_and_commands_do_not() {
        for line in
            ["hello", "//usr", " /who", "quit it", "/say quit", "/ME waves", "yes", ".exit!"]
        {
            assert_eq!(input_kind(&room(), line), InputKind::Echoed, "{line}");
        }
        for line in ["/who", "/yes", "quit", " Quit ", " /quit", "Q", ".exit", "/", "/say", "/me  "]
        {
            assert_eq!(input_kind(&room(), line), InputKind::Command, "{line}");
        }
    }

    /// (4.7.4, 4.7.1)
    #[test]
    fn in_a_chat_nothing_comes_back() {
        let chat = ClientState::Chatting { with: "ben".into() };
        for (line, text) in [("hello", "hello"), ("//usr", "/usr"), (".exit", ".exit")] {
            assert_eq!(input_kind(&chat, line), InputKind::Told(text));
        }
        for line in ["/help", "quit", " /quit", "/", "/say x"] {
            assert_eq!(input_kind(&chat, line), InputKind::Command, "{line}");
        }
    }

    /// (4.8.3, 4.8.4, 4.8.5, 4.8.1)
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
        assert_eq!(as_text(&ClientState::Menu, "/etc".into()), "/etc");
    }
}
