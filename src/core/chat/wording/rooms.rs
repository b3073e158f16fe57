//! The lines about rooms (part 6), without their tags. `wording` adds the tags.
//!
//! A line that is published to a room (`Joined`, `Left`) has many readers and speaks of the user by
//! name. The other lines have one reader and say "you".

use std::fmt;

use jiff::Timestamp;

use super::terms::UNKNOWN_COMMAND;
use crate::core::chat::event::DisconnectReason;
use crate::core::chat::history::UnixSeconds;
use crate::core::chat::name::{Name, NameError};

/// What a member says in a room.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum RoomText<'a> {
    /// Plain text.
    Said(&'a str),
    /// What the speaker does (`/me`), shown between asterisks. The asterisks follow the name, and
    /// the line can therefore not pass for a `*` line.
    Done(&'a str),
}

/// Something that happened in a room.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum RoomNews<'a> {
    /// To the members: `who` entered (6.1.4).
    Joined { who: &'a Name, room: &'a Name },
    /// To the user who entered, with the number of other members (6.1.4).
    NowIn { room: &'a Name, others: usize },
    /// Heads the answer to `/who`, with the number of other members (4.8.5).
    OthersHere(usize),
    /// Heads the answer to `/who PREFIX`, with the number of other members that match (4.8.10).
    OthersMatching(usize, &'a str),
    /// Heads the last lines of history, with their number (6.3.1).
    LastLines(usize),
    /// To the user who left the room by choice (4.8.3).
    YouLeft(&'a Name),
    /// To the remaining members. `why` is shown unless the user chose to leave (4.8.3, 4.10.2).
    Left { who: &'a Name, room: &'a Name, why: DisconnectReason },
    /// To a slow reader, in place of skipped lines, with their number (6.2.2).
    Missed(u64),
    /// Heads a list of rooms, with their number and the prefix of their names, if any (5.3.1).
    Count(usize, &'a str),
    /// The reader hides joins and leavings now (4.8.9).
    Quiet,
    /// The reader sees joins and leavings now (4.8.9).
    Loud,
}

/// Why the server did not do what a user typed about a room, or in a room.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum RoomRefusal<'a> {
    /// The text is no valid name for a room (6.1.1).
    Name(NameError),
    /// The name looks like the name of another room, or of the lobby (6.1.1).
    LooksTaken,
    /// The room has as many members as the limit allows (7.28).
    Full,
    /// There are as many rooms as the limit allows, and none is empty (7.27).
    TooMany,
    /// As many rooms as allowed were created from the user's address, and none is empty (7.56).
    TooManyFromAddress,
    /// A `/` begins no command (4.8.5).
    NotACommand,
    /// The argument of `/history` is no positive number (6.3.1).
    NotACount,
    /// The partner has just ended a chat, and the line may have been meant for them (7.20).
    ChatJustEnded,
    /// The request of this user waits for a `/yes` or `/no` (4.8.6).
    AnswerFirst(&'a Name),
    /// `/join` with the name of the room that the user is in (4.8.12).
    AlreadyHere(&'a Name),
    /// `/chat` without a name (4.8.8).
    ChatWithWhom,
    /// A bare `exit` was not said to the room (4.8.11).
    ExitHeldBack { room: &'a Name },
    /// A bare answer to the request of this user was not said to the room (4.8.11).
    AnswerHeldBack { by: &'a Name, word: &'a str },
}

/// A row of a list about rooms.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum RoomRow<'a> {
    /// A member (6.1.4).
    Member(&'a Name),
    /// The last row of a list that was cut: with the number of missing members (5.2.2).
    MoreMembers(usize),
    /// A room and its number of members (5.3.1).
    Room { name: &'a Name, members: usize },
    /// A line of the history, and when it was said (6.3.1).
    History { said_at: UnixSeconds, line: &'a str },
}

impl fmt::Display for RoomNews<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomNews::Joined { who, room } => write!(f, "{who} joined {room}"),
            RoomNews::NowIn { room, others } => {
                write!(
                    f,
                    "You are now in {room} {}; quit leaves, /help says more",
                    OthersCount(*others)
                )
            }
            RoomNews::OthersHere(others) => write!(f, "You are here {}", OthersCount(*others)),
            RoomNews::OthersMatching(0, prefix) => {
                write!(f, "Nobody else here has a name that begins with {prefix}")
            }
            RoomNews::OthersMatching(1, prefix) => {
                write!(f, "1 other here whose name begins with {prefix}")
            }
            RoomNews::OthersMatching(others, prefix) => {
                write!(f, "{others} others here whose names begin with {prefix}")
            }
            RoomNews::LastLines(0) => write!(f, "Nothing has been said here yet"),
            RoomNews::LastLines(1) => write!(f, "The last line said here"),
            RoomNews::LastLines(count) => write!(f, "The last {count} lines said here"),
            RoomNews::YouLeft(room) => write!(f, "You left {room}"),
            RoomNews::Left { who, room, why: DisconnectReason::Exit } => {
                write!(f, "{who} left {room}")
            }
            RoomNews::Left { who, room, why } => write!(f, "{who} left {room}: {why}"),
            RoomNews::Missed(1) => write!(f, "You missed 1 line: it came faster than you read"),
            RoomNews::Missed(count) => {
                write!(f, "You missed {count} lines: they came faster than you read")
            }
            RoomNews::Count(0, "") => write!(f, "No rooms yet; 4 NAME creates one"),
            RoomNews::Count(1, "") => write!(f, "1 room"),
            RoomNews::Count(count, "") => write!(f, "{count} rooms"),
            RoomNews::Count(0, prefix) => write!(f, "No room's name begins with {prefix}"),
            RoomNews::Count(1, prefix) => write!(f, "1 room whose name begins with {prefix}"),
            RoomNews::Count(count, prefix) => {
                write!(f, "{count} rooms whose names begin with {prefix}")
            }
            RoomNews::Quiet => write!(f, "Joins and leaves are hidden; /loud shows them"),
            RoomNews::Loud => write!(f, "Joins and leaves are shown; /quiet hides them"),
        }
    }
}

impl fmt::Display for RoomRefusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomRefusal::Name(error) => error.fmt(f),
            RoomRefusal::LooksTaken => {
                write!(f, "That looks like the name of another room; not joined")
            }
            RoomRefusal::Full => write!(f, "That room is full; not joined"),
            RoomRefusal::TooMany => write!(f, "There are too many rooms; not joined"),
            RoomRefusal::TooManyFromAddress => {
                write!(f, "Your address has created too many rooms; not joined")
            }
            RoomRefusal::NotACommand => f.write_str(UNKNOWN_COMMAND),
            RoomRefusal::NotACount => {
                write!(f, "That is not a number of lines; /history 20 shows 20")
            }
            RoomRefusal::ChatJustEnded => {
                write!(f, "Your chat has just ended; not joined, try again in a moment")
            }
            RoomRefusal::AnswerFirst(by) => write!(f, "Answer {by} first: /yes or /no"),
            RoomRefusal::AlreadyHere(room) => write!(f, "You are in {room} already"),
            RoomRefusal::ChatWithWhom => write!(f, "Chat with whom? Type /chat NAME"),
            RoomRefusal::ExitHeldBack { room } => write!(
                f,
                "Not said. Leave? quit leaves {room}, /exit leaves chinwag, /say exit says it"
            ),
            RoomRefusal::AnswerHeldBack { by, word } => {
                write!(f, "Not said. Answer {by}? Type /yes or /no; /say {word} says it here")
            }
        }
    }
}

impl fmt::Display for RoomRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomRow::Member(name) => write!(f, "{name}"),
            RoomRow::MoreMembers(count) => {
                write!(f, "and {count} more; /who PREFIX narrows the list")
            }
            RoomRow::Room { name, members: 1 } => write!(f, "{name} 1 user"),
            RoomRow::Room { name, members } => write!(f, "{name} {members} users"),
            RoomRow::History { said_at, line } => write!(f, "{} {line}", Minute(*said_at)),
        }
    }
}

/// The number of other members, as a phrase.
struct OthersCount(usize);

impl fmt::Display for OthersCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => write!(f, "with nobody else"),
            1 => write!(f, "with 1 other"),
            others => write!(f, "with {others} others"),
        }
    }
}

/// A time to the minute, in UTC: the server does not know its users' time zones.
struct Minute(UnixSeconds);

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The time may come from a damaged file. A time beyond the calendar is shown as 1970.
        let seconds = i64::try_from(self.0).unwrap_or_default();
        let said_at = Timestamp::from_second(seconds).unwrap_or_default();
        write!(f, "{}", said_at.strftime("%Y-%m-%d %H:%MZ"))
    }
}
