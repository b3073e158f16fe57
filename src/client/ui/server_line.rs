//! Parses a line from the server: its kind, and the names in it (`protocol.md`, part 3).
//!
//! The state machine, the transcript and the pipe call [`ServerLine::read`]. The tag alone decides
//! the kind, because no username can begin with a tag (3.2.3) and no message can forge a line. The
//! parser tests only the words that the protocol fixes, thus other wording may change freely.

use crate::core::limits::NAME_BYTES_MAX;

/// A line from the server, without its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerLine<'a> {
    /// `* text`: something has happened.
    Information(&'a str),
    /// `! text`: the server refuses something.
    Error(&'a str),
    /// `? text`: the server waits for an answer.
    Question(&'a str),
    /// `- text`: one row of a list.
    Row(&'a str),
    /// `name: text`: a message from another user, or our own message from a room.
    Message {
        /// The sender's username.
        from: &'a str,
        /// The message, without the blank after the colon.
        text: &'a str,
    },
    /// A line that this version of the protocol does not define. A newer server may send it, so
    /// the client shows the line unchanged.
    Unknown(&'a str),
}

/// What kind of answer a `?` line waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question<'a> {
    /// A username (4.2).
    Username,
    /// A choice from the menu (4.1.7).
    Menu,
    /// The name of a user to chat with (4.3).
    Whom,
    /// Yes or no to a request from this user (4.6).
    Request(&'a str),
    /// A password (4.11, 4.12), in these words.
    Password(&'a str),
    /// A question that is newer than this client.
    Unknown,
}

/// The meaning of a `*` line: a change of our own state, or another user who comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News<'a> {
    /// The user has this username now (4.2.2).
    Hello(&'a str),
    /// The user is asking this other user (4.3.2).
    Asked(&'a str),
    /// The user is chatting with this partner (4.6.2).
    Chatting(&'a str),
    /// The user is in this room (6.1.4).
    Entered(&'a str),
    /// The user has left a room or a chat (4.8.3, 4.7.3).
    YouLeft,
    /// The request from this other user is over (4.6).
    RequestOver(&'a str),
    /// Another user has entered a room (6.1.4).
    Joined {
        /// The username of that user.
        name: &'a str,
        /// The room.
        room: &'a str,
    },
    /// Another user has left a chat, a room or the server (4.7.3, 4.10.1, 4.8.3).
    Left {
        /// The username of that user.
        name: &'a str,
        /// The word after "left": the name of a room, the first word of "the chat", or empty if
        /// the user has left the server.
        place: &'a str,
    },
    /// The server skipped lines of a room, because this client read too slowly (6.2.2).
    Missed,
    /// The session is over because the user asked to leave (4.9.1).
    Goodbye,
    /// Anything else. Such a line changes no state.
    Other,
}

impl<'a> ServerLine<'a> {
    /// Parses a line. The caller has removed control characters ([`crate::core::framing::text`]),
    /// because the parts that are returned go to the terminal.
    #[must_use]
    pub fn read(line: &'a str) -> ServerLine<'a> {
        if let Some((tag, text)) = line.split_at_checked(2) {
            match tag {
                "* " => return ServerLine::Information(text),
                "! " => return ServerLine::Error(text),
                "? " => return ServerLine::Question(text),
                "- " => return ServerLine::Row(text),
                _ => {}
            }
        }
        match line.split_once(':') {
            Some((from, text)) if is_name(from) => {
                ServerLine::Message { from, text: text.strip_prefix(' ').unwrap_or(text) }
            }
            _ => ServerLine::Unknown(line),
        }
    }
}

impl<'a> Question<'a> {
    /// Parses the text of a `?` line. A request is tested first: a username such as `1` or
    /// `Username` could otherwise pass for another question.
    #[must_use]
    pub fn read(text: &'a str) -> Question<'a> {
        if let Some((name, rest)) = text.split_once(' ')
            && rest.starts_with("wants to chat")
            && is_name(name)
        {
            Question::Request(name)
        } else if text.starts_with("Username") {
            Question::Username
        } else if text.starts_with("1 ") {
            Question::Menu
        } else if text.starts_with("Chat with whom") {
            Question::Whom
        } else if is_password_prompt(text) {
            Question::Password(text.trim_end_matches(':'))
        } else {
            Question::Unknown
        }
    }
}

/// Whether a `?` line asks for a password. In doubt it does: nothing is lost if typing is hidden.
fn is_password_prompt(text: &str) -> bool {
    text.to_lowercase().contains("password")
}

/// Whether a `*` line warns that typing is visible, which it is not in this client (3.4.4).
pub fn is_visibility_warning(text: &str) -> bool {
    text.starts_with("Your screen shows what you type")
}

impl<'a> News<'a> {
    /// Parses the text of a `*` line.
    ///
    /// A line about another user begins with a name that this user has chosen. The name may be a
    /// word of the server: 3.2.3 forbids some of these words, but not all, and an older server may
    /// forbid none. Lines about others are therefore tested first, and a word of the server counts
    /// only with the punctuation that follows the word.
    #[must_use]
    pub fn read(text: &'a str) -> News<'a> {
        News::about_other(text).or_else(|| News::about_self(text)).unwrap_or(News::Other)
    }

    /// Parses news that begin with another user's name.
    fn about_other(text: &'a str) -> Option<News<'a>> {
        let (name, deed) = text.split_once(' ').filter(|(name, _)| is_name(name))?;
        // "You" is never a username (3.2.3): the line is about ourselves.
        if name.eq_ignore_ascii_case("you") {
            return None;
        }
        if let Some(room) = deed.strip_prefix("joined ").map(first_name) {
            return is_name(room).then_some(News::Joined { name, room });
        }
        if deed.starts_with("withdrew ") {
            return Some(News::RequestOver(name));
        }
        match deed.strip_prefix("left")? {
            place if place.starts_with(' ') => Some(first_name(&place[1..])),
            reason if reason.is_empty() || reason.starts_with(':') => Some(""),
            _ => None,
        }
        .map(|place| News::Left { name, place })
    }

    /// Parses news that begin with words of the server.
    fn about_self(text: &'a str) -> Option<News<'a>> {
        let name_after = |words| text.strip_prefix(words).map(first_name);
        let ends_clause = |word: &str| !text[word.len()..].starts_with(char::is_whitespace);
        if let Some(name) = name_after("Hello, ") {
            Some(News::Hello(name))
        } else if let Some(name) = name_after("Asked ") {
            let rest = &text["Asked ".len() + name.len()..];
            rest.starts_with(is_punctuation).then_some(News::Asked(name))
        } else if let Some(name) = name_after("You are now chatting with ") {
            Some(News::Chatting(name))
        } else if let Some(room) = name_after("You are now in ") {
            is_name(room).then_some(News::Entered(room))
        } else if let Some(by) = name_after("You declined ").or(name_after("The request of ")) {
            Some(News::RequestOver(by))
        } else if text.starts_with("You left ") {
            Some(News::YouLeft)
        } else if text.starts_with("You missed ") {
            Some(News::Missed)
        } else {
            (first_name(text) == "Goodbye" && ends_clause("Goodbye")).then_some(News::Goodbye)
        }
    }
}

/// Whether a `!` line says that an operator has removed this user (8.2.2), or that the same account has
/// signed in elsewhere (4.11.4). The client must not reconnect on its own after that: two clients would
/// take over from each other for ever.
#[must_use]
pub fn is_removal(text: &str) -> bool {
    text.starts_with("An operator removed you") || text.contains(" has signed in on another ")
}

/// Whether a `!` line says that a partner left before lines of this user arrived (4.1.5).
#[must_use]
pub fn is_undelivered(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains("not delivered")
}

/// The number of lines of a room's history that a `*` line announces (6.1.4).
#[must_use]
pub fn history_lines(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("The last ")?;
    match rest.split(' ').next()? {
        "line" => Some(1),
        number => number.parse().ok(),
    }
}

/// The name at the start of `text`. A name ends at a blank or at punctuation that cannot be part of
/// a name (3.2.1).
#[must_use]
pub fn first_name(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || is_punctuation(c));
    &text[..end.unwrap_or(text.len())]
}

/// Whether `text` has the form of a name. The test is wider than 3.2.1: the server has checked the
/// name already, and a future server may allow more.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.starts_with(char::is_alphanumeric)
        && first_name(text) == text
}

/// Punctuation that follows a name in the server's sentences.
fn is_punctuation(c: char) -> bool {
    ",;:!…—".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_decides_the_kind_of_a_line() {
        assert_eq!(ServerLine::read("* Hello, A"), ServerLine::Information("Hello, A"));
        assert_eq!(ServerLine::read("! no"), ServerLine::Error("no"));
        assert_eq!(ServerLine::read("? Username:"), ServerLine::Question("Username:"));
        assert_eq!(ServerLine::read("- A available"), ServerLine::Row("A available"));
        assert_eq!(
            ServerLine::read("日本: a: b"),
            ServerLine::Message { from: "日本", text: "a: b" }
        );
        assert_eq!(ServerLine::read("A: "), ServerLine::Message { from: "A", text: "" });
        assert_eq!(
            ServerLine::read("A:   indented"),
            ServerLine::Message { from: "A", text: "  indented" }
        );
    }

    #[test]
    fn a_line_of_no_known_kind_is_kept_unchanged() {
        for line in ["", "*", "two words: text", ": text", "é", "/who: text"] {
            assert_eq!(ServerLine::read(line), ServerLine::Unknown(line));
        }
    }

    #[test]
    fn each_question_is_told_apart_by_its_first_words() {
        assert_eq!(Question::read("Username:"), Question::Username);
        assert_eq!(
            Question::read("1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms"),
            Question::Menu
        );
        assert_eq!(Question::read("Chat with whom?"), Question::Whom);
        assert_eq!(Question::read("a.b wants to chat. yes or no"), Question::Request("a.b"));
        assert_eq!(Question::read("1 wants to chat, /yes or /no"), Question::Request("1"));
        assert_eq!(Question::read("Colour?"), Question::Unknown);
    }

    #[test]
    fn news_of_a_session_carry_the_name_in_them() {
        assert_eq!(News::read("Hello, anna"), News::Hello("anna"));
        assert_eq!(News::read("Asked b.c; cancel withdraws"), News::Asked("b.c"));
        assert_eq!(News::read("You are now chatting with B, quit leaves"), News::Chatting("B"));
        assert_eq!(News::read("Goodbye, A"), News::Goodbye);
        assert_eq!(News::read("A accepted"), News::Other);
    }

    /// (6.1.4, 4.8.3, 4.8.4, 4.10.2, 6.2.2)
    #[test]
    fn news_of_a_room_carry_the_room_in_them() {
        assert_eq!(News::read("You are now in lobby; quit leaves"), News::Entered("lobby"));
        assert_eq!(News::read("A joined b.c"), News::Joined { name: "A", room: "b.c" });
        assert_eq!(News::read("A left lobby"), News::Left { name: "A", place: "lobby" });
        assert_eq!(News::read("A left lobby: it ended"), News::Left { name: "A", place: "lobby" });
        assert_eq!(News::read("You left lobby"), News::YouLeft);
        assert_eq!(News::read("You missed 3 lines"), News::Missed);
    }

    /// (4.6.3, 4.5.2, 4.5.3, 4.9.2)
    #[test]
    fn a_request_is_over_after_a_no_a_withdrawal_a_lapse_or_a_departure() {
        for text in ["You declined A", "A withdrew the request", "The request of A has lapsed"] {
            assert_eq!(News::read(text), News::RequestOver("A"), "{text}");
        }
        for text in ["A left", "A left: the connection ended"] {
            assert_eq!(News::read(text), News::Left { name: "A", place: "" }, "{text}");
        }
    }

    /// (6.1.4, 4.1.5)
    #[test]
    fn a_heading_tells_the_number_of_lines_of_the_history() {
        assert_eq!(history_lines("The last 50 lines said here"), Some(50));
        assert_eq!(history_lines("The last line said here"), Some(1));
        for text in ["The last lines", "3 lines", "The last -1 lines", "Thelast line"] {
            assert_eq!(history_lines(text), None);
        }
        assert!(is_undelivered("3 lines you had typed before that were not delivered"));
        assert!(!is_undelivered("No such command, and it was not delivered"));
    }

    /// (3.2.3, 3.3.1)
    #[test]
    fn a_username_that_is_a_word_of_the_server_forges_no_news() {
        for name in ["Asked", "Goodbye", "Hello", "The", "left", "joined", "Goodbyes"] {
            let joined = News::Joined { name, room: "lobby" };
            assert_eq!(News::read(&format!("{name} joined lobby")), joined);
            let left = News::Left { name, place: "lobby" };
            assert_eq!(News::read(&format!("{name} left lobby: it ended")), left);
            for deed in ["accepted", "declined", "is not reading; what", "did not answer; your"] {
                assert_eq!(News::read(&format!("{name} {deed}")), News::Other, "{name} {deed}");
            }
            assert_eq!(News::read(&format!("Asked {name}, waiting")), News::Asked(name));
        }
    }
}
