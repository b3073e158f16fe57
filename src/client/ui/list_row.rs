//! Parses a row of a list (`protocol.md` 5.2.1, 5.3.1, 6.1.4 and 6.3.1): users, rooms, members, history.
//!
//! `transcript` colours the parts of a row, and `state_machine` learns names from them. The parser
//! must accept every line: a newer server may send rows that this client does not know.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::server_line::{ServerLine, first_name, is_name};

/// How the status of a user starts, except `in ROOM` (5.2.1).
const STATUS_STARTS: [&str; 5] = ["available", "busy", "asking ", "asked by ", "chatting with "];

/// How the server writes the minute of a message in the history (6.3.1), and its length.
const TIME_FORMAT: &str = "%Y-%m-%d %H:%MZ";
const TIME_BYTES: usize = "2026-11-24 14:03Z".len();

/// The server adds this to the reader's own row.
const READER_MARK: &str = " (you)";

/// The parts of a `-` line. The tag is not part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'a> {
    /// A user in no room.
    User {
        /// The username.
        name: &'a str,
        /// The rest of the row, such as `available` or `asking anna`.
        status: &'a str,
    },
    /// A user in a room, in the list of all users.
    Guest {
        /// The username.
        name: &'a str,
        /// The name of the room.
        room: &'a str,
        /// The rest of the row, such as `in lobby, busy`.
        status: &'a str,
    },
    /// A user in the list of a room's members, which shows no status (6.1.4).
    Member {
        /// The username.
        name: &'a str,
        /// ` (you)` in the reader's own row, otherwise empty.
        reader_mark: &'a str,
    },
    /// A room (5.3.1).
    Room {
        /// The name of the room.
        room: &'a str,
        /// The number of members in words: `2 users`.
        users: &'a str,
    },
    /// A message in the history of a room (6.3.1).
    InputHistory {
        /// The minute in which the server received the message.
        when: Timestamp,
        /// The sender.
        from: &'a str,
        /// The message.
        text: &'a str,
    },
    /// Any other row, such as help. The client shows the row and does not interpret it.
    Other(&'a str),
}

impl<'a> Row<'a> {
    /// Parses the text of a `-` line.
    #[must_use]
    pub fn read(text: &'a str) -> Row<'a> {
        // The history comes first, because its date has the form of a username.
        if let Some(message) = Row::history(text) {
            return message;
        }
        let (name, rest) = match text.split_once(' ') {
            Some((name, _)) => text.split_at(name.len()),
            None => (text, ""),
        };
        if !is_name(name) {
            Row::Other(text)
        } else if rest.is_empty() || rest == READER_MARK {
            Row::Member { name, reader_mark: rest }
        } else {
            Row::with_details(name, &rest[1..]).unwrap_or(Row::Other(text))
        }
    }

    fn with_details(name: &'a str, details: &'a str) -> Option<Row<'a>> {
        if STATUS_STARTS.iter().any(|start| details.starts_with(start)) {
            Some(Row::User { name, status: details })
        } else if let Some(room) = room_of(details) {
            Some(Row::Guest { name, room, status: details })
        } else {
            is_count_of_users(details).then_some(Row::Room { room: name, users: details })
        }
    }

    fn history(text: &'a str) -> Option<Row<'a>> {
        let (time, message) = text.split_at_checked(TIME_BYTES)?;
        let when = DateTime::strptime(TIME_FORMAT, time).ok()?;
        let when = when.to_zoned(TimeZone::UTC).ok()?.timestamp();
        match ServerLine::read(message.strip_prefix(' ')?) {
            ServerLine::Message { from, text } => Some(Row::InputHistory { when, from, text }),
            ServerLine::Information(_)
            | ServerLine::Error(_)
            | ServerLine::Question(_)
            | ServerLine::Row(_)
            | ServerLine::Unknown(_) => None,
        }
    }

    /// Whether the row shows a user that accepts a request. A member of a room does, unless busy.
    #[must_use]
    pub fn is_free(&self) -> bool {
        match self {
            Row::User { status, .. } => status.starts_with("available"),
            Row::Guest { status, .. } => !status.contains(", busy"),
            Row::Member { .. } | Row::Room { .. } | Row::InputHistory { .. } | Row::Other(_) => {
                false
            }
        }
    }
}

/// Returns ROOM if `status` is `in ROOM` or `in ROOM, busy`, with or without the reader's mark. The
/// whole text must match, because a row of help may begin in the same way.
fn room_of(status: &str) -> Option<&str> {
    let words = status.strip_prefix("in ")?;
    let words = words.strip_suffix(READER_MARK).unwrap_or(words);
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
    fn rows_of_users_have_a_status_or_a_room() {
        for status in ["available", "busy (you)", "asked by B", "chatting with in"] {
            let row = format!("A {status}");
            assert_eq!(Row::read(&row), Row::User { name: "A", status });
        }
        for status in ["in b.c", "in b.c, busy", "in b.c (you)", "in b.c, busy (you)"] {
            let row = format!("in {status}");
            assert_eq!(Row::read(&row), Row::Guest { name: "in", room: "b.c", status });
        }
        assert!(Row::read("A in b").is_free() && !Row::read("A in b, busy").is_free());
    }

    /// (6.1.4, 5.3.1)
    #[test]
    fn rows_of_members_have_no_status_and_rows_of_rooms_have_a_count() {
        assert_eq!(Row::read("日本"), Row::Member { name: "日本", reader_mark: "" });
        assert_eq!(Row::read("A (you)"), Row::Member { name: "A", reader_mark: " (you)" });
        for users in ["1 user", "20 users"] {
            let row = format!("lobby {users}");
            assert_eq!(Row::read(&row), Row::Room { room: "lobby", users });
        }
    }

    /// (6.3.1)
    #[test]
    fn rows_of_the_history_have_a_time_and_a_message() {
        let when = "2026-11-24T14:03:00Z".parse().expect("a time");
        let read = Row::read("2026-11-24 14:03Z A: - x in y: z");
        assert_eq!(read, Row::InputHistory { when, from: "A", text: "- x in y: z" });
        let row = Row::read("2026-11-24 14:03Z A: ");
        assert_eq!(row, Row::InputHistory { when, from: "A", text: "" });
    }

    #[test]
    fn an_unknown_row_is_kept_as_text() {
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
