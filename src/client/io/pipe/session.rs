//! What the pipe must know of the session: whether the peer is a chinwag server, whether it has
//! accepted the username, and how the session ended.

use crate::client::ui::server_line::{
    News, Question, ServerLine, is_removal, is_visibility_warning,
};

/// The start of the answer to telnet AYT, which the client asks for behind the input (2.2.3).
const SIGN: &str = "chinwag is here";

/// What was learned from the server's lines.
#[derive(Debug)]
pub(super) struct Session {
    /// A person needs the prompts. For a script a prompt between two replies would be noise.
    is_interactive: bool,
    /// The server has asked for a username, as only a chinwag server does.
    pub(super) is_greeted: bool,
    /// The first line was none of a chinwag server.
    pub(super) is_foreign: bool,
    /// The server has accepted the username.
    pub(super) has_name: bool,
    /// The server has asked for a password.
    pub(super) asks_password: bool,
    /// The server refused the connection or the username, in these words.
    pub(super) refusal: Option<String>,
    /// The server ends the session for this reason.
    pub(super) last_words: Option<String>,
    /// The client has asked for a sign behind the input.
    pub(super) is_finished: bool,
    /// The sign has come: the server has processed all input.
    pub(super) saw_sign: bool,
    /// The server has said goodbye, so the end of the connection is no failure.
    pub(super) saw_goodbye: bool,
}

impl Session {
    pub(super) fn new(is_interactive: bool) -> Session {
        Session {
            is_interactive,
            is_greeted: false,
            is_foreign: false,
            has_name: false,
            asks_password: false,
            refusal: None,
            last_words: None,
            is_finished: false,
            saw_sign: false,
            saw_goodbye: false,
        }
    }

    /// Learns from a line, and tells whether to print it.
    pub(super) fn is_wanted(&mut self, line: &str) -> bool {
        if self.is_foreign || self.refusal.is_some() {
            return false;
        }
        let line = ServerLine::read(line);
        match line {
            ServerLine::Question(text) => self.is_question_wanted(Question::read(text)),
            ServerLine::Information(text) => self.is_information_wanted(text),
            ServerLine::Error(text) => self.is_error_wanted(text),
            // Behind the username only the username's owner is greeted, so other lines can come.
            ServerLine::Row(_) | ServerLine::Message { .. } | ServerLine::Unknown(_) => {
                self.is_foreign = !self.is_greeted;
                self.is_greeted
            }
        }
    }

    /// A request to chat also waits for an answer, but it is news, so it is always printed.
    fn is_question_wanted(&mut self, question: Question<'_>) -> bool {
        self.is_greeted |= question == Question::Username;
        match question {
            Question::Username | Question::Menu | Question::Whom => self.is_interactive,
            Question::Password(_) => {
                self.asks_password = true;
                self.is_interactive
            }
            Question::Request(_) | Question::Unknown => true,
        }
    }

    fn is_information_wanted(&mut self, text: &str) -> bool {
        match News::read(text) {
            News::Hello(_) => self.has_name = true,
            // Nobody types here.
            News::Other if is_visibility_warning(text) => return self.is_interactive,
            News::Goodbye => self.saw_goodbye = true,
            News::Other if self.is_finished && text.starts_with(SIGN) => {
                self.saw_sign = true;
                return false;
            }
            News::Other if text.starts_with("The server is stopping") => {
                self.last_words = Some(text.to_owned());
            }
            _ => {}
        }
        true
    }

    /// A script reads a refusal on standard error, once.
    fn is_error_wanted(&mut self, text: &str) -> bool {
        if !self.is_greeted || (!self.has_name && !self.is_interactive) {
            self.refusal = Some(text.to_owned());
            return false;
        }
        if is_removal(text) {
            self.last_words = Some(text.to_owned());
        }
        self.last_words.is_none()
    }
}

/// The number of bytes up to the end of the first line, with its ending (2.1.2).
pub(super) fn end_of_first_line(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    let is_pair = bytes[end..].starts_with(b"\r\n");
    Some(end + if is_pair { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session after these lines, and the lines that it prints.
    fn session<'a>(lines: &[&'a str]) -> (Session, Vec<&'a str>) {
        let mut session = Session::new(false);
        let printed = lines.iter().copied().filter(|line| session.is_wanted(line)).collect();
        (session, printed)
    }

    /// (6.1.4, 4.8.6, 4.8.7, 4.8.8, 6.3.1)
    #[test]
    fn lines_of_a_room_are_printed_unchanged_and_prompts_are_not_printed() {
        let lines = [
            "* Hello, anna",
            "* You are now in lobby; quit leaves it",
            "- 2026-11-24 14:03Z ben: hi",
            "* Goodbye joined lobby",
            "? ben wants to chat, /yes or /no",
            "anna: hello",
            "* You left lobby",
        ];
        let all = [&["? Username:"], &lines[..], &["? 1 list users, 2 request chat"]].concat();
        let (session, printed) = session(&all);
        assert_eq!(printed, lines);
        assert!(!session.saw_goodbye, "a user named Goodbye must not end the session");
    }

    #[test]
    fn a_peer_that_begins_with_other_lines_is_no_chinwag_server() {
        for line in ["HTTP/1.1 400 Bad Request", "SSH-2.0-OpenSSH_9.9", "<html>", ""] {
            let (session, printed) = session(&[line, "* Hello, anna"]);
            assert!(session.is_foreign && printed.is_empty(), "{line}");
        }
    }

    /// (4.2.3, 8.2.3)
    #[test]
    fn a_refusal_before_the_session_is_kept_for_standard_error() {
        let (full, printed) = session(&["! The server is full"]);
        assert_eq!((full.refusal.as_deref(), printed.len()), (Some("The server is full"), 0));
        let (taken, _) = session(&["? Username:", "! anna is taken", "? Username:"]);
        assert_eq!(taken.refusal.as_deref(), Some("anna is taken"));
        let (later, printed) = session(&["? Username:", "* Hello, anna", "! no such choice"]);
        assert_eq!((later.refusal, printed.len()), (None, 2));
    }

    /// (2.1.2)
    #[test]
    fn the_first_line_ends_at_any_line_ending() {
        for (bytes, end) in [("a\nb", 2), ("a\r\nb", 3), ("a\rb", 2), ("\n", 1)] {
            assert_eq!(end_of_first_line(bytes.as_bytes()), Some(end));
        }
        assert_eq!(end_of_first_line(b"anna"), None);
    }
}
