//! Every line the server says, its tag included; the only place with words in it.

use std::fmt::{self, Write};

use super::event::{DisconnectReason, Removal, StopNotice};
use super::name::{Name, NameFault};
use super::status::Status;
use crate::core::limits::{
    IGNORED_MAX, LINE_BYTES_MAX, LIST_COUNT_MAX, NAME_BYTES_MAX, NAME_COLUMNS_MAX,
};

mod rooms;

pub use rooms::missed_lines;
pub(super) use rooms::{ROOM_HELP, RoomNews, RoomRefusal, RoomRow, RoomText};

/// One line for one user. The bold words of `protocol.md` are a promise.
#[derive(Debug, Clone, Copy)]
pub(super) enum Line<'a> {
    /// `*`: something happened.
    News(News<'a>),
    /// `!`: something was refused.
    Refusal(Refusal<'a>),
    /// `?`: an answer is awaited.
    Prompt(Prompt<'a>),
    /// `-`: a row of a list.
    Row(Row<'a>),
    /// `NAME:`: what somebody says in a room.
    Said { from: &'a Name, said: RoomText<'a> },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum News<'a> {
    Welcome,
    Hello(&'a Name),
    UsersOnline(usize),
    /// How many names begin so; beyond what is counted, `None`.
    UsersMatching(Option<usize>, &'a str),
    Asked(&'a Name),
    Accepted(&'a Name),
    Declined(&'a Name),
    YouDeclined(&'a Name),
    YouWithdrew(&'a Name),
    Withdrew(&'a Name),
    YourRequestLapsed(&'a Name),
    RequestLapsed(&'a Name),
    NobodyAsked,
    NowChatting(&'a Name),
    YouLeft(&'a Name),
    Left(&'a Name),
    Gone {
        who: &'a Name,
        why: DisconnectReason,
    },
    NotReading(&'a Name),
    Room(RoomNews<'a>),
    Busy,
    Free,
    Ignoring(&'a Name),
    NotIgnoring(&'a Name),
    IgnoredCount(usize),
    Help,
    AreYouThere,
    Goodbye(Option<&'a Name>),
    Stopping,
    OperatorSays(&'a str),
    StopsIn(StopNotice),
    StopCalledOff,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Prompt<'a> {
    Username,
    Menu,
    Whom,
    WantsToChat { by: &'a Name, in_room: bool },
}

/// Why what a person typed was not done. Nothing has changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal<'a> {
    Name(NameFault),
    NameTaken(&'a Name),
    NameLooksTaken(&'a Name),
    NoNameInTime { seconds: u64 },
    NotAChoice,
    RequestIsOver,
    NobodyCalledThat,
    Yourself,
    Unavailable { whom: &'a Name, status: Status<'a> },
    TakesNoRequests(&'a Name),
    AskedLately { whom: &'a Name, seconds: u64 },
    AnswerFirst(&'a Name),
    WaitingFor(&'a Name),
    NoSuchName,
    IgnoringTooMany,
    NotACommand,
    Room(RoomRefusal<'a>),
    TooLong,
    NotUtf8,
    Undelivered { lines: usize },
    Tls,
    Http,
    Stalled { seconds: u64 },
    Overrun,
    Removed { how: Removal, reason: &'a str },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Row<'a> {
    User {
        name: &'a Name,
        status: Status<'a>,
        is_reader: bool,
    },
    /// How many are not shown; beyond what is counted, `None`. The choice is the one that lists them.
    More {
        count: Option<usize>,
        choice: u8,
    },
    Room(RoomRow<'a>),
    Ignored(&'a str),
    Help(&'static str),
}

/// The choices, as `help` shows them.
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

/// What a chat offers, as `/help` shows it.
pub(super) const CHAT_HELP: [&str; 3] = [
    "whatever you type goes to your partner, and to nobody else",
    "quit or /quit: end the chat, back to the menu",
    "// at the start of a line: a text that begins with /",
];

impl Line<'_> {
    /// Appends the line, with its ending (1.1), to `out`.
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

impl fmt::Display for StopNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE_MS: u64 = 60_000;
        match (self.ms + MINUTE_MS / 2) / MINUTE_MS {
            _ if self.ms < MINUTE_MS => write!(f, "{} s", self.ms.div_ceil(1000)),
            1 => write!(f, "1 minute"),
            minutes => write!(f, "{minutes} minutes"),
        }
    }
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Removal::Kicked => write!(f, "An operator removed you"),
            Removal::Banned => write!(f, "An operator removed you and bans your address"),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for News<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            News::Welcome => write!(
                f,
                "Welcome to chinwag, a chat for two or many; once you have a name, help says more"
            ),
            News::Hello(name) => write!(f, "Hello, {name}"),
            News::UsersOnline(1) => write!(f, "1 user online"),
            News::UsersOnline(count) => write!(f, "{count} users online"),
            News::UsersMatching(Some(0), prefix) => {
                write!(f, "No user has a name that begins with {prefix}")
            }
            News::UsersMatching(Some(1), prefix) => {
                write!(f, "1 user whose name begins with {prefix}")
            }
            News::UsersMatching(Some(count), prefix) => {
                write!(f, "{count} users whose names begin with {prefix}")
            }
            News::UsersMatching(None, prefix) => {
                write!(f, "More than {LIST_COUNT_MAX} users whose names begin with {prefix}")
            }
            News::Asked(whom) => write!(f, "Asked {whom}, waiting for an answer; cancel withdraws"),
            News::Accepted(whom) => write!(f, "{whom} accepted"),
            News::Declined(whom) => write!(f, "{whom} declined"),
            News::YouDeclined(by) => write!(f, "You declined {by}"),
            News::YouWithdrew(whom) => write!(f, "You withdrew your request to {whom}"),
            News::Withdrew(by) => write!(f, "{by} withdrew the request"),
            News::YourRequestLapsed(whom) => {
                write!(f, "{whom} did not answer; your request has lapsed")
            }
            News::RequestLapsed(by) => write!(f, "The request of {by} has lapsed"),
            News::NobodyAsked => write!(f, "Nobody was asked"),
            News::NowChatting(with) => write!(f, "You are now chatting with {with}; quit ends it"),
            News::YouLeft(with) => write!(f, "You left the chat with {with}"),
            News::Left(who) => write!(f, "{who} left the chat"),
            News::Gone { who, why: DisconnectReason::Exit } => write!(f, "{who} left"),
            News::Gone { who, why } => write!(f, "{who} left: {why}"),
            News::NotReading(who) => {
                write!(f, "{who} is not reading; what you send waits, and nothing is lost")
            }
            News::Room(news) => news.fmt(f),
            News::Busy => write!(f, "You are busy: nobody can ask you until you say free"),
            News::Free => write!(f, "You are free: others can ask you"),
            News::Ignoring(whom) => write!(f, "You ignore {whom} until you leave"),
            News::NotIgnoring(whom) => write!(f, "You do not ignore {whom}"),
            News::IgnoredCount(0) => write!(f, "You ignore nobody"),
            News::IgnoredCount(count) => write!(f, "You ignore {count}"),
            News::Help => write!(f, "What you can type here"),
            News::AreYouThere => write!(f, "chinwag is here"),
            News::Goodbye(Some(name)) => write!(f, "Goodbye, {name}"),
            News::Goodbye(None) => write!(f, "Goodbye"),
            News::Stopping => write!(f, "The server is stopping. Goodbye"),
            News::OperatorSays(text) => write!(f, "The operator says: {text}"),
            News::StopsIn(notice) => write!(f, "The server stops in {notice}"),
            News::StopCalledOff => write!(f, "The server does not stop after all"),
        }
    }
}

impl fmt::Display for Prompt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Prompt::Username => write!(f, "Username:"),
            Prompt::Menu => {
                write!(f, "1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms")
            }
            Prompt::Whom => write!(f, "Chat with whom?"),
            Prompt::WantsToChat { by, in_room: false } => {
                write!(f, "{by} wants to chat, yes or no")
            }
            Prompt::WantsToChat { by, in_room: true } => {
                write!(f, "{by} wants to chat, /yes or /no")
            }
        }
    }
}

impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Available => write!(f, "available"),
            Status::Busy => write!(f, "busy"),
            Status::Asking(whom) => write!(f, "asking {whom}"),
            Status::AskedBy(by) => write!(f, "asked by {by}"),
            Status::ChattingWith(with) => write!(f, "chatting with {with}"),
            Status::InRoom { room, busy: false } => write!(f, "in {room}"),
            Status::InRoom { room, busy: true } => write!(f, "in {room}, busy"),
        }
    }
}

/// As it is told to those who are left, and logged.
impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DisconnectReason::Exit => "exit",
            DisconnectReason::HungUp => "the connection ended",
            DisconnectReason::Lost => "the connection failed",
            DisconnectReason::Nameless => "no username came in time",
            DisconnectReason::SpokeTls => "spoke TLS",
            DisconnectReason::SpokeHttp => "spoke HTTP",
            DisconnectReason::Stalled => "stopped reading",
            DisconnectReason::Overrun => "left too much unread",
            DisconnectReason::Stopping => "the server stops",
            DisconnectReason::Removed => "removed by an operator",
            DisconnectReason::Banned => "banned by an operator",
        })
    }
}

impl NameFault {
    /// What is wrong with a name, which is a `what`.
    fn word(self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        match self {
            NameFault::BadStart => write!(f, "A {what} begins with a letter or a digit"),
            NameFault::TooLong => {
                write!(
                    f,
                    "A {what} has at most {NAME_COLUMNS_MAX} columns and {NAME_BYTES_MAX} bytes"
                )
            }
            NameFault::BadCharacter => {
                write!(f, "A {what} has letters, digits and _ - . in it, nothing else")
            }
            NameFault::MixedScripts => {
                write!(f, "A {what} keeps to one script, and this one mixes letters of two")
            }
        }
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Name(fault) => {
                fault.word(f, "username")?;
                write!(f, "; choose another")
            }
            Refusal::NameTaken(name) => write!(f, "{name} is taken; choose another"),
            Refusal::NameLooksTaken(name) => {
                write!(f, "{name} looks like a name that is taken; choose another")
            }
            Refusal::NoNameInTime { seconds } => {
                write!(f, "No username came within {seconds} s. Goodbye")
            }
            Refusal::NotAChoice => write!(f, "That is not a choice here; it went to nobody"),
            Refusal::RequestIsOver => write!(f, "That request is over; nothing was done"),
            Refusal::NobodyCalledThat => write!(f, "Nobody of that name is here; nobody was asked"),
            Refusal::Yourself => write!(f, "You cannot chat with yourself; nobody was asked"),
            Refusal::Unavailable { whom, status } => {
                write!(f, "{whom} is not available, {status}; nobody was asked")
            }
            Refusal::TakesNoRequests(whom) => {
                write!(f, "{whom} takes no requests at the moment; nobody was asked")
            }
            Refusal::AskedLately { whom, seconds } => {
                write!(f, "You asked {whom} just now; ask again in {seconds} s")
            }
            Refusal::AnswerFirst(by) => {
                write!(f, "{by} wants to chat: yes or no first; nothing else was done")
            }
            Refusal::WaitingFor(whom) => {
                write!(f, "You are waiting for {whom}; cancel withdraws, nothing else was done")
            }
            Refusal::NoSuchName => write!(f, "That is not a username; nothing was changed"),
            Refusal::IgnoringTooMany => {
                write!(f, "You ignore {IGNORED_MAX} already; unignore one first")
            }
            Refusal::NotACommand => {
                write!(f, "No such command, and it was not sent; // begins a text with /")
            }
            Refusal::Room(refusal) => refusal.fmt(f),
            Refusal::TooLong => {
                write!(f, "That line has more than {LINE_BYTES_MAX} bytes; it went to nobody")
            }
            Refusal::NotUtf8 => write!(f, "That line is not UTF-8; it went to nobody"),
            Refusal::Undelivered { lines: 1 } => {
                write!(f, "1 line you had typed before that was not delivered")
            }
            Refusal::Undelivered { lines } => {
                write!(f, "{lines} lines you had typed before that were not delivered")
            }
            Refusal::Tls => write!(f, "This port speaks plain text, not TLS. Goodbye"),
            Refusal::Http => write!(f, "This port is a chat, not a web server. Goodbye"),
            Refusal::Stalled { seconds } => {
                write!(f, "You have read nothing for {seconds} s. Goodbye")
            }
            Refusal::Overrun => write!(f, "Too much waits that you have not read. Goodbye"),
            Refusal::Removed { how, reason: "" } => write!(f, "{how}. Goodbye"),
            Refusal::Removed { how, reason } => write!(f, "{how}: {reason}. Goodbye"),
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
