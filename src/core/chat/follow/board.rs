//! The lists as their followers know them: the first rows of each, and how many there are (5.8.3).
//!
//! Nothing here knows a follower or a time.

use std::cmp::Ordering;

use compact_str::CompactString;

use crate::core::chat::name::Name;
use crate::core::chat::roster::Roster;
use crate::core::chat::wording::{Line, ListNews, ListRow, ListSize, Row};
use crate::core::limits::LIST_ROWS_MAX;

/// The first users and the first rooms, in order of name.
#[derive(Debug, Default)]
pub(super) struct Board {
    users: Vec<BoardRow>,
    rooms: Vec<BoardRow>,
    /// All users, and all rooms with members.
    user_count: usize,
    room_count: usize,
}

#[derive(Debug)]
struct BoardRow {
    /// The folded name: the order of rows.
    place: CompactString,
    name: Name,
    /// The line, tag and line ending included.
    line: String,
}

impl Board {
    /// The lists as they are now.
    pub(super) fn of(roster: &Roster) -> Board {
        let users = roster.users_after("", "").take(LIST_ROWS_MAX).map(|(place, id)| {
            let (name, status) = (&roster.user(id).name, roster.status(id));
            BoardRow::new(place, name, Row::User { name, status, is_reader: false })
        });
        let rooms = roster.rooms().open_after("", "").take(LIST_ROWS_MAX).map(|(place, room)| {
            let (name, members) = (&room.name, room.member_count());
            BoardRow::new(place, name, Row::List(ListRow::Room { name, members }))
        });
        Board {
            users: users.collect(),
            rooms: rooms.collect(),
            user_count: roster.user_count(),
            room_count: roster.rooms().open_count(),
        }
    }

    /// The counts, and the number of rows.
    pub(super) fn size(&self) -> ListSize {
        let rows = self.users.len() + self.rooms.len();
        ListSize { users: self.user_count, rooms: self.room_count, rows }
    }

    /// All rows, encoded.
    pub(super) fn rows(&self) -> impl Iterator<Item = &str> {
        self.users.iter().chain(&self.rooms).map(|row| row.line.as_str())
    }

    /// Writes the message about what has changed since `before`: a head, and a row for each change.
    /// Returns the number of rows, or `None` if nothing has changed.
    pub(super) fn changes_since(&self, before: &Board, out: &mut String) -> Option<usize> {
        let mut text = String::new();
        let users = changes(&before.users, &self.users, false, &mut text);
        let rooms = changes(&before.rooms, &self.rooms, true, &mut text);
        let is_same_size =
            (before.user_count, before.room_count) == (self.user_count, self.room_count);
        if users + rooms == 0 && is_same_size {
            return None;
        }
        let size = ListSize { rows: users + rooms, ..self.size() };
        Line::from(ListNews::Changed(size)).encode(out);
        out.push_str(&text);
        Some(users + rooms)
    }
}

/// Writes the rows that are new, different or gone. Returns how many these are.
fn changes(before: &[BoardRow], now: &[BoardRow], are_rooms: bool, out: &mut String) -> usize {
    let (mut before, mut now) = (before.iter().peekable(), now.iter().peekable());
    let mut count = 0;
    loop {
        let order = match (before.peek(), now.peek()) {
            (None, None) => return count,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(now)) => before.place.cmp(&now.place),
        };
        let old = before.next_if(|_| order != Ordering::Greater);
        let new = now.next_if(|_| order != Ordering::Less);
        if old.map(|row| &row.line) == new.map(|row| &row.line) {
            continue;
        }
        // Clients know a row by its name as it is spelled.
        if let Some(BoardRow { name, .. }) = old
            && new.is_none_or(|new| new.name != *name)
        {
            let gone = if are_rooms { ListRow::RoomGone(name) } else { ListRow::UserGone(name) };
            Line::Row(Row::List(gone)).encode(out);
            count += 1;
        }
        if let Some(new) = new {
            out.push_str(&new.line);
            count += 1;
        }
    }
}

impl BoardRow {
    fn new(place: &CompactString, name: &Name, row: Row<'_>) -> BoardRow {
        let mut line = String::new();
        Line::Row(row).encode(&mut line);
        BoardRow { place: place.clone(), name: name.clone(), line }
    }
}
