//! Predicts how the server will treat a typed line: as a message or as a command.
//!
//! `submit` calls this module to decide how a sent line looks in the transcript, and `paste` to
//! keep pasted text from becoming a command. The rules repeat those of the server (4.7, 4.8).

use crate::client::ui::client_state::ClientState;
use crate::core::limits::LINE_BYTES_MAX;

/// How the server treats a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InputKind<'a> {
    /// The partner reads this text. The server does not echo the message (4.7.2), so the client
    /// must show it.
    Message(&'a str),
    /// The room reads the line. The server echoes it in the order of the room (4.8.2), so the
    /// client must not show the line itself.
    EchoedMessage,
    /// The server acts on the line. Nobody else reads it.
    Command,
}

/// How the server treats `line` in `state`.
pub(super) fn input_kind<'a>(state: &ClientState, line: &'a str) -> InputKind<'a> {
    match state {
        ClientState::Chatting { .. } => match line.strip_prefix('/') {
            // "quit" ends a chat even with blanks around it (4.1.2, 4.7.3).
            _ if is_quit(line) => InputKind::Command,
            Some(text) if text.starts_with('/') => InputKind::Message(text),
            Some(_) => InputKind::Command,
            None => InputKind::Message(line),
        },
        ClientState::Room { .. } if leaves_room(line) => InputKind::Command,
        ClientState::Room { .. } => match line.strip_prefix('/') {
            Some(command) if !command.starts_with('/') && !speaks(command) => InputKind::Command,
            Some(_) | None => InputKind::EchoedMessage,
        },
        ClientState::Nowhere
        | ClientState::Naming
        | ClientState::Menu
        | ClientState::Choosing
        | ClientState::Asking { .. }
        | ClientState::Asked { .. } => InputKind::Command,
    }
}

/// The text of the echo of `line`, which the room reads (4.8.1).
pub(super) fn echo_of(line: &str) -> String {
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

/// Whether `line` leaves the chat, the room or, at the menu, the server.
pub(super) fn leaves(state: &ClientState, line: &str) -> bool {
    let word = line.trim();
    match state {
        ClientState::Chatting { .. } => is_quit(line),
        ClientState::Room { .. } => leaves_room(line),
        ClientState::Menu | ClientState::Asking { .. } | ClientState::Asked { .. } => {
            is_one_of(word, &["3", "exit", "/exit"])
        }
        ClientState::Nowhere | ClientState::Naming | ClientState::Choosing => false,
    }
}

/// Whether a line that is too long begins like a command. `//` and `/say` begin a message.
pub(super) fn is_long_command(line: &str) -> bool {
    line.starts_with('/') && !line.starts_with("//")
}

/// Escapes a pasted line, so that other users read it as text and the server runs no command
/// (4.7.4, 4.8.5). Blanks around a word that leaves a room are removed: with the `/say` before it
/// the line could otherwise be longer than `LINE_BYTES_MAX`.
pub(super) fn as_text(state: &ClientState, line: String) -> String {
    match state {
        ClientState::Room { .. } if leaves_room(&line) => format!("/say {}", line.trim()),
        ClientState::Room { .. } | ClientState::Chatting { .. }
            // A line of full length has no room for the extra slash. The server refuses it.
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

/// Whether a room command, given without its slash, speaks to the room (4.8.3, 4.8.5).
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

    /// (4.8.2, 6.2.1, 4.8.3, 4.8.4, 4.8.5, 4.8.1)
    #[test]
    fn in_a_room_the_server_echoes_messages_but_not_commands() {
        for line in
            ["hello", "//usr", " /who", "quit it", "/say quit", "/ME waves", "yes", ".exit!"]
        {
            assert_eq!(input_kind(&room(), line), InputKind::EchoedMessage, "{line}");
        }
        for line in ["/who", "/yes", "quit", " Quit ", " /quit", "Q", ".exit", "/", "/say", "/me  "]
        {
            assert_eq!(input_kind(&room(), line), InputKind::Command, "{line}");
        }
    }

    /// (4.7.4, 4.7.1)
    #[test]
    fn in_a_chat_the_server_echoes_nothing() {
        let chat = ClientState::Chatting { with: "ben".into() };
        for (line, text) in [("hello", "hello"), ("//usr", "/usr"), (".exit", ".exit")] {
            assert_eq!(input_kind(&chat, line), InputKind::Message(text));
        }
        for line in ["/help", "quit", " /quit", "/", "/say x"] {
            assert_eq!(input_kind(&chat, line), InputKind::Command, "{line}");
        }
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
