//! Every line that the chat says, tag included. No other module of the chat contains text for
//! users.
//!
//! The chat passes a [`Line`] with data; `output` calls [`Line::encode`]. The words in bold in
//! `protocol.md` are stable, because client programs match them. This module decides nothing: it
//! must not depend on sessions, the roster or outputs.

use std::fmt::{self, Write};

use super::name::Name;
use super::status::Status;

mod news;
mod refusals;
mod rooms;
mod terms;

pub(super) use news::News;
pub(super) use refusals::Refusal;
pub(super) use rooms::{ROOM_HELP, RoomNews, RoomRefusal, RoomRow, RoomText};

/// One line. The first character tells a client program what kind of line it is, because no
/// username begins with a tag (3.2.3).
#[derive(Debug, Clone, Copy)]
pub(super) enum Line<'a> {
    /// `*`: something happened.
    News(News<'a>),
    /// `!`: the server refused something.
    Refusal(Refusal<'a>),
    /// `?`: the server waits for an answer.
    Prompt(Prompt<'a>),
    /// `-`: a row of a list.
    Row(Row<'a>),
    /// `NAME: `: what a member says in a room. A message in a chat has the same form, but does not
    /// pass through here (`output::ChatMessage`).
    Said { from: &'a Name, said: RoomText<'a> },
}

/// A question. It ends a reply, so that a user finds it at the bottom of the screen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Prompt<'a> {
    /// NAMING: which username?
    Username,
    /// MENU: which choice? The line shows the choices.
    Menu,
    /// CHOOSING: which user to ask?
    PartnerName,
    /// ASKED: yes or no? In a room the answer needs a `/`, because a plain `yes` is said to the
    /// members (4.8.6).
    WantsToChat { by: &'a Name, in_room: bool },
}

/// A row of a list. The `*` line before it says what the list is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'a> {
    /// A user (5.2.1). `is_reader` marks the reader's own row.
    User { name: &'a Name, status: Status<'a>, is_reader: bool },
    /// The last row of a list that was cut: how many rows are missing, or `None` beyond
    /// `LIST_COUNT_MAX`. `choice` is the number in the menu that makes the list (5.2.2).
    More { count: Option<usize>, choice: u8 },
    /// A row about a room.
    Room(RoomRow<'a>),
    /// A name on the ignore list, folded (5.6.1).
    Ignored(&'a str),
    /// A row of a help text.
    Help(&'static str),
}

/// The rows of `help` outside chats and rooms (5.4.1).
pub(super) const MENU_HELP: [&str; 8] = [
    "1 or list: who is here and who is free; 1 AN lists the names that begin with an",
    "2 or chat: ask somebody to chat; 2 ANNA asks anna at once",
    "3 or exit: leave",
    "4 or join: the lobby, a room where everybody hears everybody; 4 ROOM another, or a new one",
    "5 or rooms: which rooms there are",
    "busy: nobody can ask you; free: they can again",
    "ignore NAME: no requests from NAME; unignore NAME: again; ignore: whom you ignore",
    "yes or no answers a request; cancel withdraws yours; quit ends a chat",
];

/// The rows of `/help` in a chat (4.7.4).
pub(super) const CHAT_HELP: [&str; 3] = [
    "whatever you type goes to your partner, and to nobody else",
    "quit or /quit: end the chat, back to the menu",
    "// at the start of a line: a text that begins with /",
];

/// The line that tells a member of a room how many lines it missed (6.2.2), encoded.
///
/// Public, because only the exchange knows how far a member has read, and only this module has
/// words.
#[must_use]
pub fn missed_lines(count: u64) -> String {
    let mut line = String::new();
    Line::from(RoomNews::Missed(count)).encode(&mut line);
    line
}

impl Line<'_> {
    /// Appends the line to `out`, tag and line ending included (2.1.1). Allocates only if `out` must
    /// grow.
    pub(super) fn encode(&self, out: &mut String) {
        let written = match self {
            Line::News(news) => write!(out, "* {news}"),
            Line::Refusal(refusal) => write!(out, "! {refusal}"),
            Line::Prompt(prompt) => write!(out, "? {prompt}"),
            Line::Row(row) => write!(out, "- {row}"),
            Line::Said { from, said: RoomText::Said(text) } => write!(out, "{from}: {text}"),
            Line::Said { from, said: RoomText::Done(text) } => write!(out, "{from}: *{text}*"),
        };
        written.expect("writing to memory does not fail");
        out.push_str("\r\n");
    }
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

impl fmt::Display for Prompt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Prompt::Username => write!(f, "Username:"),
            Prompt::Menu => {
                write!(f, "1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms")
            }
            Prompt::PartnerName => write!(f, "Chat with whom?"),
            Prompt::WantsToChat { by, in_room: false } => {
                write!(f, "{by} wants to chat, yes or no")
            }
            Prompt::WantsToChat { by, in_room: true } => {
                write!(f, "{by} wants to chat, /yes or /no")
            }
        }
    }
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Row::User { name, status, is_reader: false } => write!(f, "{name} {status}"),
            Row::User { name, status, is_reader: true } => write!(f, "{name} {status} (you)"),
            Row::More { count: Some(count), choice } => {
                write!(f, "and {count} more; {choice} PREFIX narrows the list")
            }
            Row::More { count: None, choice } => {
                write!(f, "and many more; {choice} PREFIX narrows the list")
            }
            Row::Room(row) => row.fmt(f),
            Row::Ignored(name) => write!(f, "{name}"),
            Row::Help(row) => write!(f, "{row}"),
        }
    }
}
