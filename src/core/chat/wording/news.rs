//! The `*` lines about users, requests, chats and the server. `rooms` has the lines about rooms.
//!
//! Where one event concerns two users, each of them has a variant: one line must make sense to its
//! reader without the other.

use std::fmt;

use super::accounts::AccountNews;
use super::lists::ListNews;
use super::rooms::RoomNews;
use crate::core::chat::event::{DisconnectReason, StopNotice};
use crate::core::chat::name::Name;
use crate::core::limits::LIST_COUNT_MAX;

/// Names the one command that helps in every state.
const WELCOME: &str = "Welcome to chinwag, a chat for two or many. /help says what you can type";

/// Something that happened. A name in a variant is the other user, unless stated.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum News<'a> {
    /// The first line of every connection (4.1.1).
    Welcome,
    /// What everybody should know of this server (8.2.14).
    Notice(&'a str),
    /// The user has this username now (4.2.2).
    Hello(&'a Name),
    /// Heads a complete list of users, with their number (5.2.1).
    UsersOnline(usize),
    /// Heads a list of the users whose names begin with a prefix. The number is `None` beyond
    /// `LIST_COUNT_MAX`, where the server stops counting (5.2.3).
    UsersMatching(Option<usize>, &'a str),
    /// To the asker: the request has reached this user (4.3.2).
    Asked(&'a Name),
    /// To the asker: this user said yes (4.6.2).
    Accepted(&'a Name),
    /// To the asker: this user said no (4.6.3).
    Declined(&'a Name),
    /// To the asked user, after their no (4.6.3).
    YouDeclined(&'a Name),
    /// To the asker, after `cancel` (4.5.2).
    YouWithdrew(&'a Name),
    /// To the asked user: the asker withdrew the request (4.5.2).
    Withdrew(&'a Name),
    /// To the asker: no answer came in time (4.5.3).
    YourRequestLapsed(&'a Name),
    /// To the asked user: the request of this user has lapsed (4.5.3).
    RequestLapsed(&'a Name),
    /// "Chat with whom?" got no name (4.4.2).
    NobodyAsked,
    /// To both users: the chat has begun (4.6.2).
    NowChatting(&'a Name),
    /// To the user who ended the chat (4.7.3).
    YouLeft(&'a Name),
    /// To the partner: this user ended the chat and is still online (4.7.3).
    Left(&'a Name),
    /// To a partner, asker or asked user: the other session has ended (4.9.2, 4.10.1).
    Gone { who: &'a Name, why: DisconnectReason },
    /// To the partner of a stalled client, once until it reads again (7.16).
    NotReading(&'a Name),
    /// News about the reader's account.
    Account(AccountNews<'a>),
    /// News about a room.
    Room(RoomNews<'a>),
    /// News for followers of the lists.
    Lists(ListNews),
    /// Do-not-disturb is on (5.5.1).
    Busy,
    /// Do-not-disturb is off (5.5.1).
    Free,
    /// This name is on the ignore list (5.6.1).
    Ignoring(&'a Name),
    /// This name is on the ignore list, and the address of its user is shut out (5.6.2).
    ShutOut(&'a Name),
    /// This name is not on the ignore list.
    NotIgnoring(&'a Name),
    /// Heads the ignore list, with its length.
    IgnoredCount(usize),
    /// Heads a help text (5.4.1).
    Help,
    /// The answer to telnet AYT (2.2.3).
    AreYouThere,
    /// The last line after `exit`, with the name of a session that has one (4.9.1).
    Goodbye(Option<&'a Name>),
    /// The last line when the server stops (4.10.4).
    Stopping,
    /// An announcement, cleaned and cut to length (8.2.1).
    OperatorSays(&'a str),
    /// A planned stop, and how long until then (8.2.6).
    StopsIn(StopNotice),
    /// The planned stop is called off (8.2.6).
    StopCalledOff,
}

impl fmt::Display for News<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            News::Welcome => f.write_str(WELCOME),
            News::Notice(text) => f.write_str(text),
            News::Hello(name) => write!(f, "Hello, {name}"),
            News::UsersOnline(1) => write!(f, "1 user online"),
            News::UsersOnline(count) => write!(f, "{count} users online"),
            News::UsersMatching(count, prefix) => write_matching(f, *count, prefix),
            News::Asked(whom) => write!(f, "Asked {whom}, waiting for an answer; cancel withdraws"),
            News::Accepted(whom) => write!(f, "{whom} accepted"),
            News::Declined(whom) => write!(f, "{whom} declined"),
            News::YouDeclined(by) => write!(f, "You declined {by}"),
            News::YouWithdrew(whom) => write!(f, "You withdrew your request to {whom}"),
            News::Withdrew(by) => write!(f, "{by} withdrew the request"),
            News::YourRequestLapsed(whom) => {
                write!(f, "{whom} did not answer in time; your request is over")
            }
            News::RequestLapsed(by) => write!(f, "The request of {by} is over: no answer in time"),
            News::NobodyAsked => write!(f, "Nobody was asked"),
            News::NowChatting(with) => write!(f, "You are now chatting with {with}; quit ends it"),
            News::YouLeft(with) => write!(f, "You left the chat with {with}"),
            News::Left(who) => write!(f, "{who} left the chat"),
            News::Gone { who, why: DisconnectReason::Exit } => write!(f, "{who} left"),
            News::Gone { who, why } => write!(f, "{who} left: {why}"),
            News::NotReading(who) => {
                write!(f, "{who} is not reading; what you send waits, and nothing is lost")
            }
            News::Account(news) => news.fmt(f),
            News::Room(news) => news.fmt(f),
            News::Lists(news) => news.fmt(f),
            News::Busy => write!(f, "You are busy: nobody can ask you until you type /free"),
            News::Free => write!(f, "You are free: others can ask you"),
            News::Ignoring(whom) => write!(f, "You ignore {whom} until you leave chinwag"),
            News::ShutOut(whom) => {
                write!(f, "You ignore {whom} and everybody from the same address until you leave")
            }
            News::NotIgnoring(whom) => write!(f, "You do not ignore {whom}"),
            News::IgnoredCount(0) => write!(f, "You ignore nobody"),
            News::IgnoredCount(1) => write!(f, "You ignore 1 name"),
            News::IgnoredCount(count) => write!(f, "You ignore {count} names"),
            News::Help => write!(f, "What you can type here"),
            News::AreYouThere => write!(f, "chinwag is here"),
            News::Goodbye(Some(name)) => write!(f, "Goodbye, {name}"),
            News::Goodbye(None) => write!(f, "Goodbye"),
            News::Stopping => write!(f, "The server is stopping. Goodbye"),
            News::OperatorSays(text) => write!(f, "The operator says: {text}"),
            News::StopsIn(notice) => write!(f, "The server stops in {notice}"),
            News::StopCalledOff => write!(f, "The server is no longer stopping"),
        }
    }
}

/// How many usernames begin with `prefix`; `None` is more than are counted.
fn write_matching(f: &mut fmt::Formatter<'_>, count: Option<usize>, prefix: &str) -> fmt::Result {
    match count {
        Some(0) => write!(f, "No username begins with {prefix}"),
        Some(1) => write!(f, "1 user whose name begins with {prefix}"),
        Some(count) => write!(f, "{count} users whose names begin with {prefix}"),
        None => write!(f, "More than {LIST_COUNT_MAX} users whose names begin with {prefix}"),
    }
}
