//! Every line the server says of rooms (part 6), tag apart.

use std::fmt;

use jiff::Timestamp;

use super::{Line, News, Refusal, Row};
use crate::core::chat::event::DisconnectReason;
use crate::core::chat::history::UnixSeconds;
use crate::core::chat::name::{Name, NameFault};

/// What is said in a room.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum RoomText<'a> {
    /// In words.
    Said(&'a str),
    /// What one does, told of oneself (`/me`).
    Done(&'a str),
}

#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum RoomNews<'a> {
    Joined {
        who: &'a Name,
        room: &'a Name,
    },
    NowIn {
        room: &'a Name,
        others: usize,
    },
    OthersHere(usize),
    /// So many lines of the past follow.
    LastLines(usize),
    YouLeft(&'a Name),
    Left {
        who: &'a Name,
        room: &'a Name,
        why: DisconnectReason,
    },
    /// So many lines were passed over.
    Missed(u64),
    /// So many rooms follow, whose names begin so.
    Count(usize, &'a str),
    Quiet,
    Loud,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum RoomRefusal<'a> {
    Name(NameFault),
    LooksTaken,
    Full,
    TooMany,
    NotACommand,
    NotACount,
    NobodyAsks,
    ChatJustEnded,
    AnswerFirst(&'a Name),
}

#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum RoomRow<'a> {
    Member(&'a Name),
    /// So many members are not shown.
    MoreMembers(usize),
    Room {
        name: &'a Name,
        members: usize,
    },
    /// What was said, and when.
    History {
        said_at: UnixSeconds,
        line: &'a str,
    },
}

/// What a room offers, as `/help` shows it.
pub(in crate::core::chat) const ROOM_HELP: [&str; 9] = [
    "whatever you type goes to everybody here, and comes back to you when it was said",
    "quit, q, .exit or /quit: leave the room, back to the menu",
    "/who: who is here; /history 20: the last 20 lines",
    "/me waves: what you do; /say quit: any text as it is; //: a text that begins with /",
    "/chat ANNA: leave, and ask anna to chat; /yes or /no: answer somebody who asks you",
    "/quiet: do not read who joins and leaves; /loud: again",
    "/list: who is online; /rooms: which rooms there are",
    "/busy: nobody can ask you; /free: they can again",
    "/ignore NAME, /unignore NAME: requests from NAME",
];

/// The line that tells a member of a room how many of its lines were passed over (6.9).
#[must_use]
pub fn missed_lines(count: u64) -> String {
    let mut line = String::new();
    Line::from(RoomNews::Missed(count)).encode(&mut line);
    line
}

impl<'a> From<RoomNews<'a>> for Line<'a> {
    fn from(news: RoomNews<'a>) -> Self {
        Line::News(News::Room(news))
    }
}

impl<'a> From<RoomRefusal<'a>> for Line<'a> {
    fn from(refusal: RoomRefusal<'a>) -> Self {
        Line::Refusal(Refusal::Room(refusal))
    }
}

impl<'a> From<RoomRow<'a>> for Line<'a> {
    fn from(row: RoomRow<'a>) -> Self {
        Line::Row(Row::Room(row))
    }
}

impl fmt::Display for RoomNews<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomNews::Joined { who, room } => write!(f, "{who} joined {room}"),
            RoomNews::NowIn { room, others } => {
                write!(f, "You are now in {room} {}; quit leaves, /help says more", With(*others))
            }
            RoomNews::OthersHere(others) => write!(f, "You are here {}", With(*others)),
            RoomNews::LastLines(0) => write!(f, "Nothing was said here yet"),
            RoomNews::LastLines(1) => write!(f, "The last line said here"),
            RoomNews::LastLines(count) => write!(f, "The last {count} lines said here"),
            RoomNews::YouLeft(room) => write!(f, "You left {room}"),
            RoomNews::Left { who, room, why: DisconnectReason::Exit } => {
                write!(f, "{who} left {room}")
            }
            RoomNews::Left { who, room, why } => write!(f, "{who} left {room}: {why}"),
            RoomNews::Missed(1) => write!(f, "You missed 1 line, which came faster than you read"),
            RoomNews::Missed(count) => {
                write!(f, "You missed {count} lines, which came faster than you read")
            }
            RoomNews::Count(0, "") => write!(f, "0 rooms; 4 ROOM makes one"),
            RoomNews::Count(1, "") => write!(f, "1 room"),
            RoomNews::Count(count, "") => write!(f, "{count} rooms"),
            RoomNews::Count(0, prefix) => write!(f, "No room has a name that begins with {prefix}"),
            RoomNews::Count(1, prefix) => write!(f, "1 room whose name begins with {prefix}"),
            RoomNews::Count(count, prefix) => {
                write!(f, "{count} rooms whose names begin with {prefix}")
            }
            RoomNews::Quiet => {
                write!(f, "You do not read who joins and leaves until you say /loud")
            }
            RoomNews::Loud => write!(f, "You read who joins and leaves"),
        }
    }
}

impl fmt::Display for RoomRefusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomRefusal::Name(fault) => {
                fault.word(f, "room's name")?;
                write!(f, "; no room was entered")
            }
            RoomRefusal::LooksTaken => {
                write!(f, "That looks like the name of another room; no room was entered")
            }
            RoomRefusal::Full => write!(f, "That room is full; no room was entered"),
            RoomRefusal::TooMany => write!(f, "There are too many rooms; no room was entered"),
            RoomRefusal::NotACommand => {
                write!(f, "No such command, and it was not said; /help lists them, // says a /")
            }
            RoomRefusal::NotACount => write!(f, "That is no number of lines; /history 20 shows 20"),
            RoomRefusal::ChatJustEnded => {
                write!(f, "Your chat has just ended; no room was entered, say it again in a moment")
            }
            RoomRefusal::AnswerFirst(by) => {
                write!(f, "{by} wants to chat: /yes or /no first; nothing else was done")
            }
            RoomRefusal::NobodyAsks => write!(f, "Nobody asks you at the moment; nothing was done"),
        }
    }
}

impl fmt::Display for RoomRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoomRow::Member(name) => write!(f, "{name}"),
            RoomRow::MoreMembers(count) => write!(f, "and {count} more"),
            RoomRow::Room { name, members: 1 } => write!(f, "{name} 1 user"),
            RoomRow::Room { name, members } => write!(f, "{name} {members} users"),
            RoomRow::History { said_at, line } => write!(f, "{} {line}", Minute(*said_at)),
        }
    }
}

/// With how many others one is in a room.
struct With(usize);

impl fmt::Display for With {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => write!(f, "with nobody else"),
            1 => write!(f, "with 1 other"),
            others => write!(f, "with {others} others"),
        }
    }
}

/// A moment of the past, to the minute, in UTC.
struct Minute(UnixSeconds);

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A time that a file says and no calendar has is shown as the first there is.
        let seconds = i64::try_from(self.0).unwrap_or_default();
        let said_at = Timestamp::from_second(seconds).unwrap_or_default();
        write!(f, "{}", said_at.strftime("%Y-%m-%d %H:%MZ"))
    }
}
