//! A line of the server, read as `protocol.md` 3 says: which kind it is, and who is in it.
//!
//! Nothing a person says can pass for a line of the server (3.2.3), so the tag decides.

use crate::core::limits::NAME_BYTES_MAX;

/// A line of the server, without its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerLine<'a> {
    /// `* text`
    Information(&'a str),
    /// `! text`
    Error(&'a str),
    /// `? text`
    Question(&'a str),
    /// `- text`
    Row(&'a str),
    /// `name: text`
    Message {
        /// Who says it.
        from: &'a str,
        /// What is said.
        text: &'a str,
    },
    /// Nothing the protocol knows. A newer server may say it, so it is shown as it is.
    Unknown(&'a str),
}

/// What a `?` line waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question<'a> {
    /// A username (4.2).
    Username,
    /// A choice from the menu (4.1.7).
    Menu,
    /// The name of somebody to chat with (4.3).
    Whom,
    /// Yes or no to a request of this user (4.6).
    Request(&'a str),
    /// Something newer than this client.
    Unknown,
}

/// What a `*` line tells: where one is, and who comes and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News<'a> {
    /// One has this username now (4.2.2).
    Hello(&'a str),
    /// One is asking this user (4.3.2).
    Asked(&'a str),
    /// One is chatting with this user (4.6.2).
    Chatting(&'a str),
    /// One is in this room (6.1.4).
    Entered(&'a str),
    /// One has left a room or a chat (4.8.3, 4.7.3).
    YouLeft,
    /// The request of this user is over (4.6).
    RequestOver(&'a str),
    /// Somebody has come into a room (6.1.4).
    Joined {
        /// Who.
        who: &'a str,
        /// Into which.
        room: &'a str,
    },
    /// Somebody has left (4.7.3, 4.10.1, 4.8.3).
    Left {
        /// Who.
        who: &'a str,
        /// The word that says what was left: a room's name, if it was one; empty for the server.
        what: &'a str,
    },
    /// Lines of a room were passed over (6.2.2).
    Missed,
    /// The session is over as one wished (4.9.1).
    Goodbye,
    /// Anything else: it changes nothing by itself.
    Other,
}

impl<'a> ServerLine<'a> {
    /// Reads a line, which must be safe already ([`crate::core::framing::text`]).
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
    /// Reads the text of a `?` line.
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
        } else {
            Question::Unknown
        }
    }
}

impl<'a> News<'a> {
    /// Reads the text of a `*` line.
    ///
    /// What others cause begins with a name of their choice, which may be a word of the server, such
    /// as `Asked` or `Goodbye`; so those lines are looked for first, and each word of the server
    /// only counts with the sign that stands behind it.
    #[must_use]
    pub fn read(text: &'a str) -> News<'a> {
        News::of_others(text).or_else(|| News::of_oneself(text)).unwrap_or(News::Other)
    }

    /// News that begin with somebody's name.
    fn of_others(text: &'a str) -> Option<News<'a>> {
        let (who, deed) = text.split_once(' ').filter(|(who, _)| is_name(who))?;
        if who.eq_ignore_ascii_case("you") {
            return None;
        }
        if let Some(room) = deed.strip_prefix("joined ").map(first_name) {
            return is_name(room).then_some(News::Joined { who, room });
        }
        if deed.starts_with("withdrew ") {
            return Some(News::RequestOver(who));
        }
        match deed.strip_prefix("left")? {
            state if state.starts_with(' ') => Some(first_name(&state[1..])),
            reason if reason.is_empty() || reason.starts_with(':') => Some(""),
            _ => None,
        }
        .map(|what| News::Left { who, what })
    }

    /// News that begin with words of the server.
    fn of_oneself(text: &'a str) -> Option<News<'a>> {
        let name_after = |words| text.strip_prefix(words).map(first_name);
        let is_signed = |word: &str| !text[word.len()..].starts_with(char::is_whitespace);
        if let Some(name) = name_after("Hello, ") {
            Some(News::Hello(name))
        } else if let Some(name) = name_after("Asked ") {
            let rest = &text["Asked ".len() + name.len()..];
            rest.starts_with(is_sign).then_some(News::Asked(name))
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
            (first_name(text) == "Goodbye" && is_signed("Goodbye")).then_some(News::Goodbye)
        }
    }
}

/// Whether a `!` line says that an operator has ended the session (8.2.2).
#[must_use]
pub fn is_removal(text: &str) -> bool {
    text.starts_with("An operator removed you")
}

/// The name a text begins with. What ends a name in a sentence cannot be part of one (3.2.1).
#[must_use]
pub fn first_name(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || is_sign(c));
    &text[..end.unwrap_or(text.len())]
}

/// Whether the protocol could mean `text` as a name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.starts_with(char::is_alphanumeric)
        && first_name(text) == text
}

fn is_sign(c: char) -> bool {
    ",;:!…—".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_decides() {
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
    fn what_nobody_knows_is_shown_as_it_is() {
        for line in ["", "*", "two words: text", ": text", "é", "/who: text"] {
            assert_eq!(ServerLine::read(line), ServerLine::Unknown(line));
        }
    }

    #[test]
    fn questions() {
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
    fn news() {
        assert_eq!(News::read("Hello, anna"), News::Hello("anna"));
        assert_eq!(News::read("Asked b.c; cancel withdraws"), News::Asked("b.c"));
        assert_eq!(News::read("You are now chatting with B, quit leaves"), News::Chatting("B"));
        assert_eq!(News::read("Goodbye, A"), News::Goodbye);
        assert_eq!(News::read("A accepted"), News::Other);
    }

    /// (6.1.4, 4.8.3, 4.8.4, 4.10.2, 6.2.2)
    #[test]
    fn news_of_a_room() {
        assert_eq!(News::read("You are now in lobby; quit leaves"), News::Entered("lobby"));
        assert_eq!(News::read("A joined b.c"), News::Joined { who: "A", room: "b.c" });
        assert_eq!(News::read("A left lobby"), News::Left { who: "A", what: "lobby" });
        assert_eq!(News::read("A left lobby: it ended"), News::Left { who: "A", what: "lobby" });
        assert_eq!(News::read("You left lobby"), News::YouLeft);
        assert_eq!(News::read("You missed 3 lines"), News::Missed);
    }

    /// (4.6.3, 4.5.2, 4.5.3, 4.9.2)
    #[test]
    fn news_of_a_request_that_is_over() {
        for text in ["You declined A", "A withdrew the request", "The request of A has lapsed"] {
            assert_eq!(News::read(text), News::RequestOver("A"), "{text}");
        }
        for text in ["A left", "A left: the connection ended"] {
            assert_eq!(News::read(text), News::Left { who: "A", what: "" }, "{text}");
        }
    }

    /// (3.2.3, 3.3.1)
    #[test]
    fn a_name_that_is_a_word_of_the_server_forges_no_news() {
        for name in ["Asked", "Goodbye", "Hello", "The", "left", "joined", "Goodbyes"] {
            let joined = News::Joined { who: name, room: "lobby" };
            assert_eq!(News::read(&format!("{name} joined lobby")), joined);
            let left = News::Left { who: name, what: "lobby" };
            assert_eq!(News::read(&format!("{name} left lobby: it ended")), left);
            for deed in ["accepted", "declined", "is not reading; what", "did not answer; your"] {
                assert_eq!(News::read(&format!("{name} {deed}")), News::Other, "{name} {deed}");
            }
            assert_eq!(News::read(&format!("Asked {name}, waiting")), News::Asked(name));
        }
    }
}
