//! A row of a list, read as `protocol.md` 3.4.1, 6.2, 6.8 and 6.13 say.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::server_line::{ServerLine, first_name, is_name};

/// What a row can say of somebody, but for the room they are in.
const PURSUITS: [&str; 5] = ["available", "busy", "asking ", "asked by ", "chatting with "];

/// How the server writes when something was said, and how many bytes that takes.
const TIME_FORMAT: &str = "%Y-%m-%d %H:%MZ";
const TIME_BYTES: usize = "2026-11-24 14:03Z".len();

/// Ends the row of whoever reads it.
const READER: &str = " (you)";

/// The text of a `-` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'a> {
    /// A user, and what they are doing.
    User {
        /// Who.
        name: &'a str,
        /// The rest of the row.
        pursuit: &'a str,
    },
    /// A user in a room.
    Guest {
        /// Who.
        name: &'a str,
        /// Where.
        room: &'a str,
        /// The rest of the row.
        pursuit: &'a str,
    },
    /// A user in a list that says no more of them: a member of the room.
    Member {
        /// Who.
        name: &'a str,
        /// The rest of the row.
        rest: &'a str,
    },
    /// A room that has members.
    Room {
        /// Which.
        room: &'a str,
        /// How many, in words.
        users: &'a str,
    },
    /// What was said in a room before.
    InputHistory {
        /// When.
        when: Timestamp,
        /// Who said it.
        from: &'a str,
        /// What.
        text: &'a str,
    },
    /// Something to be read and no more.
    Other(&'a str),
}

impl<'a> Row<'a> {
    /// Reads the text of a `-` line.
    #[must_use]
    pub fn read(text: &'a str) -> Row<'a> {
        if let Some(past) = Row::past(text) {
            return past;
        }
        let (name, rest) = match text.split_once(' ') {
            Some((name, _)) => text.split_at(name.len()),
            None => (text, ""),
        };
        if !is_name(name) {
            Row::Other(text)
        } else if rest.is_empty() || rest == READER {
            Row::Member { name, rest }
        } else {
            Row::doing(name, &rest[1..]).unwrap_or(Row::Other(text))
        }
    }

    fn doing(name: &'a str, pursuit: &'a str) -> Option<Row<'a>> {
        if PURSUITS.iter().any(|known| pursuit.starts_with(known)) {
            Some(Row::User { name, pursuit })
        } else if let Some(room) = room_of(pursuit) {
            Some(Row::Guest { name, room, pursuit })
        } else {
            is_count_of_users(pursuit).then_some(Row::Room { room: name, users: pursuit })
        }
    }

    fn past(text: &'a str) -> Option<Row<'a>> {
        let (time, said) = text.split_at_checked(TIME_BYTES)?;
        let when = DateTime::strptime(TIME_FORMAT, time).ok()?;
        let when = when.to_zoned(TimeZone::UTC).ok()?.timestamp();
        match ServerLine::read(said.strip_prefix(' ')?) {
            ServerLine::Message { from, text } => Some(Row::InputHistory { when, from, text }),
            ServerLine::Information(_)
            | ServerLine::Error(_)
            | ServerLine::Question(_)
            | ServerLine::Row(_)
            | ServerLine::Unknown(_) => None,
        }
    }

    /// Whether this is somebody who can be asked to chat.
    #[must_use]
    pub fn is_free(&self) -> bool {
        match self {
            Row::User { pursuit, .. } => pursuit.starts_with("available"),
            Row::Guest { pursuit, .. } => !pursuit.contains(", busy"),
            Row::Member { .. } | Row::Room { .. } | Row::InputHistory { .. } | Row::Other(_) => {
                false
            }
        }
    }
}

/// The room in `in ROOM`, `in ROOM, busy` and either with the mark of the reader's own row; a row
/// of the help may begin so as well, but goes on in other ways.
fn room_of(pursuit: &str) -> Option<&str> {
    let words = pursuit.strip_prefix("in ")?;
    let words = words.strip_suffix(READER).unwrap_or(words);
    let room = first_name(words);
    let rest = &words[room.len()..];
    (is_name(room) && (rest.is_empty() || rest == ", busy")).then_some(room)
}

fn is_count_of_users(words: &str) -> bool {
    words.split_once(' ').is_some_and(|(count, what)| {
        count.parse::<u32>().is_ok() && matches!(what, "user" | "users")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (5.2.1)
    #[test]
    fn users() {
        for pursuit in ["available", "busy (you)", "asked by B", "chatting with in"] {
            let row = format!("A {pursuit}");
            assert_eq!(Row::read(&row), Row::User { name: "A", pursuit });
        }
        for pursuit in ["in b.c", "in b.c, busy", "in b.c (you)", "in b.c, busy (you)"] {
            let row = format!("in {pursuit}");
            assert_eq!(Row::read(&row), Row::Guest { name: "in", room: "b.c", pursuit });
        }
        assert!(Row::read("A in b").is_free() && !Row::read("A in b, busy").is_free());
    }

    /// (6.1.4, 5.3.1)
    #[test]
    fn rooms_and_members() {
        assert_eq!(Row::read("日本"), Row::Member { name: "日本", rest: "" });
        assert_eq!(Row::read("A (you)"), Row::Member { name: "A", rest: " (you)" });
        for users in ["1 user", "20 users"] {
            let row = format!("lobby {users}");
            assert_eq!(Row::read(&row), Row::Room { room: "lobby", users });
        }
    }

    /// (6.3.1)
    #[test]
    fn the_past() {
        let when = "2026-11-24T14:03:00Z".parse().expect("a time");
        let read = Row::read("2026-11-24 14:03Z A: - x in y: z");
        assert_eq!(read, Row::InputHistory { when, from: "A", text: "- x in y: z" });
        let row = Row::read("2026-11-24 14:03Z A: ");
        assert_eq!(row, Row::InputHistory { when, from: "A", text: "" });
    }

    #[test]
    fn what_is_none_of_these_is_shown_as_it_is() {
        for text in [
            "",
            "and 3 more; 1 PREFIX narrows the list",
            "1 or list: who is here",
            "a in the middle of a sentence",
            "a in lobby and elsewhere",
            "/who",
            "2026-13-24 14:03Z A: x",
            "2026-11-24 14:03Z A left",
            "2026-11-24 14:03Z",
            "2026-11-24 14:03Z日A: x",
            "日日日日日日日日: x",
        ] {
            assert_eq!(Row::read(text), Row::Other(text));
        }
    }
}
