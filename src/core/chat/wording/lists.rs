//! The lines for followers of the lists (5.8), without their tags. Programs read them, and people can.

use std::fmt;

use super::{Line, News};
use crate::core::chat::name::Name;

/// Heads a message about the lists, or says that there will be none.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum ListNews {
    /// The answer to `follow`: all rows come.
    Following(ListSize),
    /// The rows that have changed come.
    Changed(ListSize),
    /// All rows come again: the reader has missed changes.
    Again(ListSize),
    /// The answer to `unfollow`.
    NotFollowing,
}

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) struct ListSize {
    /// All users.
    pub(in crate::core::chat) users: usize,
    /// All rooms with members.
    pub(in crate::core::chat) rooms: usize,
    /// The rows behind this head.
    pub(in crate::core::chat) rows: usize,
}

/// A row for followers. A user has the row of other lists.
#[derive(Debug, Clone, Copy)]
pub(in crate::core::chat) enum ListRow<'a> {
    /// A room and its number of members. The `#` tells rooms from users.
    Room { name: &'a Name, members: usize },
    /// This user is no longer among the rows.
    UserGone(&'a Name),
    /// This room is no longer among the rows.
    RoomGone(&'a Name),
}

impl From<ListNews> for Line<'_> {
    fn from(news: ListNews) -> Self {
        Line::News(News::Lists(news))
    }
}

impl fmt::Display for ListNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListNews::Following(size) => write!(f, "You follow the lists: {size}"),
            ListNews::Changed(size) => write!(f, "The lists changed: {size}"),
            ListNews::Again(size) => write!(f, "The lists again: {size}"),
            ListNews::NotFollowing => write!(f, "You no longer follow the lists"),
        }
    }
}

impl fmt::Display for ListSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count| if count == 1 { "" } else { "s" };
        let ListSize { users, rooms, rows } = *self;
        write!(f, "{users} user{}, {rooms} room{}", plural(users), plural(rooms))?;
        write!(f, ", {rows} row{}", plural(rows))
    }
}

impl fmt::Display for ListRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListRow::Room { name, members: 1 } => write!(f, "#{name} 1 user"),
            ListRow::Room { name, members } => write!(f, "#{name} {members} users"),
            ListRow::UserGone(name) => write!(f, "{name} gone"),
            ListRow::RoomGone(name) => write!(f, "#{name} gone"),
        }
    }
}
