//! Every line that the chat says, tag included. No other module of the chat contains text for
//! users.
//!
//! The chat passes a [`Line`] with data; `output` calls [`Line::encode`]. The words in bold in
//! `protocol.md` are stable, because client programs match them. This module decides nothing: it
//! must not depend on sessions, the roster or outputs.

use std::fmt::{self, Write};

use super::name::Name;
use super::status::Status;

mod accounts;
mod lists;
mod news;
mod refusals;
mod rooms;
mod terms;

pub(super) use accounts::{AccountNews, AccountRefusal};
pub(super) use lists::{ListNews, ListRow, ListSize};
pub(super) use news::News;
pub(super) use refusals::Refusal;
pub(super) use rooms::{RoomNews, RoomRefusal, RoomRow, RoomText};

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
    /// The password of this account? (4.11, 4.12)
    Password(&'a Name),
    /// A new password for this username? (4.12)
    NewPassword(&'a Name),
    /// The new password again? (4.12)
    PasswordAgain,
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
    /// `LIST_COUNT_MAX` (5.2.2).
    More { count: Option<usize>, list: List },
    /// A row about a room.
    Room(RoomRow<'a>),
    /// A row for followers of the lists (5.8.3).
    List(ListRow<'a>),
    /// A name on the ignore list, folded (5.6.1).
    Ignored(&'a str),
    /// A row of a help text.
    Help(&'static str),
}

/// A list that can be too long to show whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum List {
    Users,
    Rooms,
}

/// The rows of `/help` for a session without a username (5.4.1). No row of help is wider than 80
/// columns.
pub(super) const NAMING_HELP: [&str; 2] = [
    "type the name that others will see: letters, digits, _ - and .",
    "exit or /exit: leave chinwag",
];

/// The rows of `/help` where a password is awaited (5.4.1).
pub(super) const PASSWORD_HELP: [&str; 2] = [
    "type the password that the prompt asks for; every blank counts",
    "cancel or an empty line: go back; exit or /exit: leave chinwag",
];

/// The rows of `help` outside chats and rooms (5.4.1).
pub(super) const MENU_HELP: [&str; 10] = [
    "1 or list: who is here, and who is free; 1 AN: names that begin with an",
    "2 or chat: ask somebody to chat; 2 ANNA asks anna at once",
    "3 or exit: leave chinwag",
    "4 or join: the lobby, where everybody reads everybody; 4 TEA: the room tea",
    "5 or rooms: which rooms there are",
    "yes or no: answer a request; cancel: take yours back; quit: end a chat",
    "busy: nobody can ask you to chat; free: they can again",
    "ignore NAME: no requests from NAME; unignore NAME: again; ignore: your list",
    "register: only you can use your name; password, unregister: change that",
    "each word works everywhere with a / before it, as in /list and /join TEA",
];

/// The rows of `/help` in a chat (4.7.4).
pub(super) const CHAT_HELP: [&str; 5] = [
    "what you type goes to your partner, and to nobody else",
    "quit: end the chat, back to the menu; /exit: leave chinwag",
    "/me waves: what you do; //TEXT: a message that starts with /",
    "/list: who is online; /rooms: which rooms there are",
    "/busy, /free, /ignore NAME, /unignore NAME: who can ask you to chat",
];

/// The rows of `/help` in a room (4.8.5).
pub(super) const ROOM_HELP: [&str; 9] = [
    "what you type goes to everybody here, and comes back when it was said",
    "quit, q or /leave: back to the menu; /join TEA: move to the room tea",
    "/exit: leave chinwag",
    "/who: who is here; /who AN: names that begin with an; /history 20: last lines",
    "/me waves: what you do; /say quit: any text; //TEXT: a text that starts with /",
    "/chat ANNA: leave, and ask anna to chat; /yes or /no: answer a request",
    "/quiet: hide joins and leaves; /loud: show them",
    "/list: who is online; /rooms: which rooms there are",
    "/busy, /free, /ignore NAME, /unignore NAME: who can ask you to chat",
];

/// The line that warns a client which shows what is typed, before a password (3.4.4), encoded. Public
/// as [`missed_lines`] is: only the exchange knows whether the client can hide it.
#[must_use]
pub fn typing_is_visible() -> String {
    let mut line = String::new();
    Line::News(News::Account(AccountNews::TypingIsVisible)).encode(&mut line);
    line
}

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
            Prompt::Password(name) => write!(f, "Password for {name}:"),
            Prompt::NewPassword(name) => write!(f, "New password for {name}:"),
            Prompt::PasswordAgain => write!(f, "The same password again:"),
            Prompt::Menu => {
                write!(f, "1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms")
            }
            Prompt::PartnerName => write!(f, "Chat with whom?"),
            Prompt::WantsToChat { by, in_room: false } => {
                write!(f, "{by} wants to chat. Accept? yes or no")
            }
            Prompt::WantsToChat { by, in_room: true } => {
                write!(f, "{by} wants to chat. Accept? /yes or /no")
            }
        }
    }
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Row::User { name, status, is_reader: false } => write!(f, "{name} {status}"),
            Row::User { name, status, is_reader: true } => write!(f, "{name} {status} (you)"),
            Row::More { count: Some(count), list } => {
                write!(f, "and {count} more; {list} PREFIX narrows the list")
            }
            Row::More { count: None, list } => {
                write!(f, "and many more; {list} PREFIX narrows the list")
            }
            Row::Room(row) => row.fmt(f),
            Row::List(row) => row.fmt(f),
            Row::Ignored(name) => write!(f, "{name}"),
            Row::Help(row) => write!(f, "{row}"),
        }
    }
}

/// The choice at the menu that makes the list, and the command that does it in every state (5.1.2).
impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            List::Users => "1 PREFIX or /list",
            List::Rooms => "5 PREFIX or /rooms",
        })
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    /// (5.4.1, 4.1.1)
    #[test]
    fn help_and_welcome_fit_80_columns() {
        let help = [&NAMING_HELP[..], &PASSWORD_HELP, &MENU_HELP, &CHAT_HELP, &ROOM_HELP].concat();
        let rows = help.into_iter().map(|row| Line::Row(Row::Help(row)));
        for line in rows.chain([Line::News(News::Welcome), Line::Prompt(Prompt::Menu)]) {
            let mut text = String::new();
            line.encode(&mut text);
            assert!(text.trim_end().width() <= 80, "{text}");
        }
    }
}
