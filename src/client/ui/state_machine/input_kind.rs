//! Predicts how the server will treat a typed line: as a message or as a command.
//!
//! `submit` calls this module to decide how a sent line looks in the transcript, and `paste` to
//! keep pasted text from becoming a command. The rules repeat those of the server (4.7, 4.8).

use crate::client::ui::client_state::ClientState;
use crate::core::limits::LINE_BYTES_MAX;

/// The words that leave a chat or a room with a `/` before them (4.7.1, 4.8.1).
const LEAVING_COMMANDS: [&str; 4] = ["quit", "q", "leave", "part"];

/// How the server treats a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InputKind {
    /// The partner reads the line. The server does not echo the message (4.7.2), so the client must
    /// show it.
    Message,
    /// The room reads the line. The server echoes it in the order of the room (4.8.2), so the
    /// client must not show the line itself.
    EchoedMessage,
    /// The server acts on the line, or holds it back. Nobody else reads it.
    Command,
}

/// How the server treats `line` in `state`.
pub(super) fn input_kind(state: &ClientState, line: &str) -> InputKind {
    let message = match state {
        ClientState::Chatting { .. } => InputKind::Message,
        ClientState::Room { .. } => InputKind::EchoedMessage,
        ClientState::Nowhere
        | ClientState::Naming
        | ClientState::Menu
        | ClientState::Choosing
        | ClientState::Password { .. }
        | ClientState::Asking { .. }
        | ClientState::Asked { .. } => return InputKind::Command,
    };
    match line.strip_prefix('/') {
        _ if is_bare_command(state, line) => InputKind::Command,
        Some(command) if !command.starts_with('/') && !speaks(command) => InputKind::Command,
        Some(_) | None => message,
    }
}

/// The text that others read if `line` is a message (4.7.1, 4.8.1).
pub(super) fn text_of(line: &str) -> String {
    match line.strip_prefix('/') {
        Some(text) if text.starts_with('/') => text.to_owned(),
        Some(command) => match command.split_once(' ') {
            Some((word, text)) if is_one_of(word, &["me"]) => format!("*{text}*"),
            Some((_, text)) => text.to_owned(),
            None => line.to_owned(),
        },
        None => line.to_owned(),
    }
}

/// Whether `line` leaves the chat or the room (4.7.1, 4.8.1).
pub(super) fn leaves(state: &ClientState, line: &str) -> bool {
    let line = line.trim();
    let is_command = line.strip_prefix('/').is_some_and(|word| is_one_of(word, &LEAVING_COMMANDS));
    match state {
        ClientState::Chatting { .. } => is_command || is_one_of(line, &["quit"]),
        ClientState::Room { .. } => is_command || is_one_of(line, &["quit", "q", ".exit"]),
        ClientState::Nowhere
        | ClientState::Naming
        | ClientState::Menu
        | ClientState::Choosing
        | ClientState::Password { .. }
        | ClientState::Asking { .. }
        | ClientState::Asked { .. } => false,
    }
}

/// Whether `line` ends the session (5.1.2).
pub(super) fn leaves_server(state: &ClientState, line: &str) -> bool {
    let is_bare_word = match state {
        ClientState::Menu | ClientState::Asking { .. } | ClientState::Asked { .. } => {
            is_one_of(line.trim(), &["3", "exit"])
        }
        ClientState::Nowhere
        | ClientState::Naming
        | ClientState::Choosing
        | ClientState::Password { .. }
        | ClientState::Chatting { .. }
        | ClientState::Room { .. } => false,
    };
    is_bare_word || is_one_of(line.trim(), &["/exit"])
}

/// Whether a line that is too long begins like a command. `//` begins a message.
pub(super) fn is_long_command(line: &str) -> bool {
    line.starts_with('/') && !line.starts_with("//")
}

/// Escapes a pasted line, so that other users read it as text and the server runs no command
/// (4.7.4, 4.8.5). Blanks around a word that is a command are removed: with the `/say` before it
/// the line could otherwise be longer than `LINE_BYTES_MAX`.
pub(super) fn as_text(state: &ClientState, line: String) -> String {
    if !state.reaches_others() {
        line
    } else if is_bare_command(state, &line) {
        format!("/say {}", line.trim())
    } else if line.starts_with('/') && line.len() < LINE_BYTES_MAX {
        // A line of full length has no room for the extra slash. The server refuses it.
        format!("/{line}")
    } else {
        line
    }
}

/// Whether the server takes a line for a command although it may have no `/` (4.7.1, 4.8.1). In a
/// room some words are held back with a question (4.8.11).
fn is_bare_command(state: &ClientState, line: &str) -> bool {
    let is_held_back = match state {
        ClientState::Room { asked_by, .. } => {
            is_one_of(line.trim(), &["exit"]) || (asked_by.is_some() && is_answer(line))
        }
        _ => false,
    };
    is_held_back || leaves(state, line)
}

/// Whether a line answers a request (4.6).
pub(super) fn is_answer(line: &str) -> bool {
    is_one_of(line.trim(), &["yes", "y", "no", "n"])
}

/// Whether a line answers a request in a room (4.8.6).
pub(super) fn is_answer_in_room(line: &str) -> bool {
    is_one_of(line.trim_end(), &["/yes", "/y", "/no", "/n"])
}

/// Whether a command, given without its slash, is said (4.7.1, 4.8.1).
fn speaks(command: &str) -> bool {
    command
        .split_once(' ')
        .is_some_and(|(word, text)| is_one_of(word, &["say", "me"]) && !text.trim().is_empty())
}

/// Whether `word` is one of `words`, without regard to case (4.1.2).
fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> ClientState {
        ClientState::Room { room: "lobby".into(), asked_by: None }
    }

    /// (4.8.2, 6.2.1, 4.8.3, 4.8.4, 4.8.5, 4.8.1, 4.8.11)
    #[test]
    fn in_a_room_the_server_echoes_messages_but_not_commands() {
        for line in ["hello", "//usr", " /who", "quit it", "/say quit", "/ME waves", "yes", "exit!"]
        {
            assert_eq!(input_kind(&room(), line), InputKind::EchoedMessage, "{line}");
        }
        for line in [
            "/who", "/yes", "quit", " Quit ", " /quit", "Q", ".exit", "/", "/say", "/me  ", "exit",
            "/exit", "/leave", "/part", "/q",
        ] {
            assert_eq!(input_kind(&room(), line), InputKind::Command, "{line}");
        }
        let asked = ClientState::Room { room: "lobby".into(), asked_by: Some("ben".into()) };
        assert_eq!(input_kind(&asked, "yes"), InputKind::Command);
        assert_eq!(input_kind(&asked, "yes!"), InputKind::EchoedMessage);
    }

    /// (4.7.4, 4.7.1)
    #[test]
    fn in_a_chat_the_server_echoes_nothing() {
        let chat = ClientState::Chatting { with: "ben".into() };
        for (line, text) in [
            ("hello", "hello"),
            ("//usr", "/usr"),
            (".exit", ".exit"),
            ("exit", "exit"),
            ("/say x", "x"),
            ("/me waves", "*waves*"),
        ] {
            assert_eq!(input_kind(&chat, line), InputKind::Message, "{line}");
            assert_eq!(text_of(line), text);
        }
        for line in ["/help", "quit", " /quit", "/", "/say", "/leave", "/q", "/exit"] {
            assert_eq!(input_kind(&chat, line), InputKind::Command, "{line}");
        }
        assert_eq!(as_text(&chat, "quit".into()), "/say quit");
        assert_eq!(as_text(&chat, "/usr".into()), "//usr");
    }

    /// (5.1.2, 4.7.1, 4.8.1)
    #[test]
    fn a_room_and_the_server_are_left_with_different_words() {
        for line in ["quit", "/q", "/leave", " /PART "] {
            assert!(leaves(&room(), line) && !leaves_server(&room(), line), "{line}");
        }
        assert!(leaves_server(&room(), "/exit") && !leaves(&room(), "/exit"));
        for line in ["3", "exit", "/exit"] {
            assert!(leaves_server(&ClientState::Menu, line), "{line}");
        }
        assert!(!leaves_server(&ClientState::Menu, "quit"));
        assert!(!leaves_server(&ClientState::Choosing, "3"), "the name of a user");
    }

    /// (4.8.3, 4.8.4, 4.8.5, 4.8.1)
    #[test]
    fn a_pasted_line_never_becomes_a_command_in_a_room() {
        for (line, sent) in [
            ("/etc", "//etc"),
            ("//etc", "///etc"),
            (" Quit ", "/say Quit"),
            ("/quit", "/say /quit"),
            ("q", "/say q"),
            (".exit", "/say .exit"),
            ("exit", "/say exit"),
            ("quite", "quite"),
        ] {
            assert_eq!(as_text(&room(), line.to_owned()), sent);
        }
        let full = format!("/{}", "x".repeat(LINE_BYTES_MAX - 1));
        assert_eq!(
            as_text(&room(), full.clone()),
            full,
            "the server refuses a line of this length, so it does no harm"
        );
        let padded = format!("{}quit", " ".repeat(LINE_BYTES_MAX - 4));
        assert_eq!(as_text(&room(), padded), "/say quit");
        assert_eq!(as_text(&ClientState::Menu, "/etc".into()), "/etc");
    }
}
