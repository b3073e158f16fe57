//! A line of the server, read as `protocol.md` 3 says: which kind it is, and who is in it.
//!
//! Nothing a person says can pass for a line of the server (2.5), so the tag decides.

use crate::limits::NAME_BYTES_MAX;

/// A line of the server, without its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
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
    /// A username (3.3).
    Username,
    /// A choice from the menu (3.2).
    Menu,
    /// The name of somebody to chat with (3.5).
    Whom,
    /// Yes or no to a request of this user (3.6).
    Request(&'a str),
    /// Something newer than this client.
    Unknown,
}

/// What a `*` line tells about where one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News<'a> {
    /// One has this username now (3.3.1).
    Hello(&'a str),
    /// One is asking this user (3.5.1).
    Asked(&'a str),
    /// One is chatting with this user (3.6.1).
    Chatting(&'a str),
    /// The session is over as one wished (3.8.1).
    Goodbye,
    /// Anything else: it changes nothing by itself.
    Other,
}

impl<'a> Said<'a> {
    /// Reads a line, which must be safe already ([`crate::wire::text`]).
    #[must_use]
    pub fn read(line: &'a str) -> Said<'a> {
        if let Some((tag, text)) = line.split_at_checked(2) {
            match tag {
                "* " => return Said::Information(text),
                "! " => return Said::Error(text),
                "? " => return Said::Question(text),
                "- " => return Said::Row(text),
                _ => {}
            }
        }
        match line.split_once(':') {
            Some((from, text)) if is_name(from) => {
                Said::Message { from, text: text.strip_prefix(' ').unwrap_or(text) }
            }
            _ => Said::Unknown(line),
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
    #[must_use]
    pub fn read(text: &'a str) -> News<'a> {
        let name_after = |words| text.strip_prefix(words).map(first_name);
        if let Some(name) = name_after("Hello, ") {
            News::Hello(name)
        } else if let Some(name) = name_after("Asked ") {
            News::Asked(name)
        } else if let Some(name) = name_after("You are now chatting with ") {
            News::Chatting(name)
        } else if text.starts_with("Goodbye") {
            News::Goodbye
        } else {
            News::Other
        }
    }
}

/// Whether a `!` line says that an operator has ended the session (7.7).
#[must_use]
pub fn is_removal(text: &str) -> bool {
    text.starts_with("An operator removed you")
}

/// The name a text begins with. What ends a name in a sentence cannot be part of one (2.3).
fn first_name(text: &str) -> &str {
    let end = text.find(|c: char| c.is_whitespace() || ",;:!…—".contains(c));
    &text[..end.unwrap_or(text.len())]
}

/// Whether the protocol could mean `text` as a name.
fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && first_name(text) == text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_decides() {
        assert_eq!(Said::read("* Hello, A"), Said::Information("Hello, A"));
        assert_eq!(Said::read("! no"), Said::Error("no"));
        assert_eq!(Said::read("? Username:"), Said::Question("Username:"));
        assert_eq!(Said::read("- A available"), Said::Row("A available"));
        assert_eq!(Said::read("日本: a: b"), Said::Message { from: "日本", text: "a: b" });
        assert_eq!(Said::read("A: "), Said::Message { from: "A", text: "" });
        assert_eq!(Said::read("A:   indented"), Said::Message { from: "A", text: "  indented" });
    }

    #[test]
    fn what_nobody_knows_is_shown_as_it_is() {
        for line in ["", "*", "two words: text", ": text", "é"] {
            assert_eq!(Said::read(line), Said::Unknown(line));
        }
    }

    #[test]
    fn questions() {
        assert_eq!(Question::read("Username:"), Question::Username);
        assert_eq!(Question::read("1 list users, 2 request chat, 3 exit"), Question::Menu);
        assert_eq!(Question::read("Chat with whom?"), Question::Whom);
        assert_eq!(Question::read("a.b wants to chat. yes or no"), Question::Request("a.b"));
        assert_eq!(Question::read("Colour?"), Question::Unknown);
    }

    #[test]
    fn news() {
        assert_eq!(News::read("Hello, anna"), News::Hello("anna"));
        assert_eq!(News::read("Asked b.c; cancel withdraws"), News::Asked("b.c"));
        assert_eq!(News::read("You are now chatting with B, quit leaves"), News::Chatting("B"));
        assert_eq!(News::read("Goodbye, A"), News::Goodbye);
        assert_eq!(News::read("A left"), News::Other);
    }
}
