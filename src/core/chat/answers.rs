//! Long answers: lists and history, whose rows are made as their reader takes them (7.36).
//!
//! A command says the heading and begins an [`Answer`], which remembers where it is. The exchange
//! asks [`Chat::continue_answer`] for the next rows whenever the reader has room for them. An answer
//! costs its reader a few words of memory, however long it is and however slowly it is read. A row
//! shows what is true when it is made; nothing here knows an outbox.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::Chat;
use super::name::fold_prefix;
use super::rooms::RoomId;
use super::roster::Roster;
use super::wording::{self, Line, RoomNews, RoomRow, Row};
use crate::core::SessionId;
use crate::core::limits::LIST_ROWS_MAX;

/// The answers that are not complete. Most users have none, so none costs a session anything.
#[derive(Debug, Default)]
pub(super) struct Answers {
    by_reader: BTreeMap<SessionId, Answer>,
    /// The rows that were made last. The string keeps its memory.
    rows: String,
}

/// The rows that one reader still has to get: a list, then history.
#[derive(Debug, Default)]
struct Answer {
    list: Option<List>,
    history: Option<PartOfHistory>,
}

/// What a list contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// Users (5.2.1).
    Users,
    /// The other members of the reader's room (4.8.10).
    Members(RoomId),
    /// Rooms with members (5.3.1).
    Rooms,
    /// The names that the reader ignores (5.6.1).
    Ignored,
}

/// The rest of a list. Its place is a name, because the list can change between two rows.
#[derive(Debug)]
struct List {
    listed: Listed,
    /// The names of its rows begin with this, folded.
    prefix: CompactString,
    /// The folded name of the last row; empty before the first.
    last: CompactString,
    rows_left: usize,
    /// The last row, if the list is cut: how many rows are missing, or `None` for many (5.2.2).
    more: Option<Option<usize>>,
}

/// The rest of an answer to `/history`. It ends with the line that was the last when it began: what is
/// said later, its reader reads as a member.
#[derive(Debug)]
struct PartOfHistory {
    room: RoomId,
    /// The number of lines that the heading promises, until the heading is made.
    heading: Option<usize>,
    /// The number of the next line, counted from the first line ever said in the room.
    next: u64,
    /// The number after the last line.
    end: u64,
}

/// Rows of an answer, made just now.
#[derive(Debug, Clone, Copy)]
pub struct AnswerPart<'a> {
    /// Whole lines: UTF-8, safe for a terminal, each ends in CR LF.
    pub rows: &'a [u8],
    /// How many lines these are.
    pub count: u64,
    /// No row is left.
    pub is_last: bool,
}

impl Chat {
    /// Makes the next rows of the answer to `id`, until they have `bytes` bytes or the answer is
    /// complete.
    pub fn continue_answer(&mut self, id: SessionId, bytes: usize) -> AnswerPart<'_> {
        let Answers { by_reader, rows } = &mut self.answers;
        rows.clear();
        let (mut count, mut is_last) = (0, true);
        if let Some(answer) = by_reader.get_mut(&id) {
            count = answer.make(&self.roster, id, bytes, rows);
            is_last = answer.is_complete();
        }
        if is_last {
            by_reader.remove(&id);
        }
        AnswerPart { rows: rows.as_bytes(), count, is_last }
    }

    /// Forgets what is left of the answer to a session that is over.
    pub(super) fn drop_answer(&mut self, id: SessionId) {
        self.answers.by_reader.remove(&id);
    }

    /// Begins the rows of a list of `count` names that begin with `prefix`; `None` means more than
    /// anybody counts. Without rows there is nothing to begin.
    pub(super) fn begin_list(
        &mut self,
        reader: SessionId,
        listed: Listed,
        prefix: &str,
        count: Option<usize>,
    ) {
        let more = count.is_none_or(|count| count > LIST_ROWS_MAX);
        let more = more.then(|| count.map(|count| count - LIST_ROWS_MAX));
        let rows_left = count.unwrap_or(usize::MAX).min(LIST_ROWS_MAX);
        let Some(prefix) = fold_prefix(prefix).filter(|_| rows_left > 0) else { return };
        let list = List { listed, prefix, last: CompactString::default(), rows_left, more };
        self.answer_to(reader).list = Some(list);
    }

    /// Begins the last `count` lines of the history of a room, and their heading (6.3.1).
    pub(super) fn begin_history(&mut self, reader: SessionId, room: RoomId, count: usize) {
        let history = &self.roster.rooms().room(room).history;
        let (count, end) = (count.min(history.len()), history.end());
        let next = end - count as u64;
        self.answer_to(reader).history =
            Some(PartOfHistory { room, heading: Some(count), next, end });
    }

    /// The answer to `reader`, which begins now if there is none.
    fn answer_to(&mut self, reader: SessionId) -> &mut Answer {
        self.answers.by_reader.entry(reader).or_insert_with(|| {
            self.outputs.begin_answer(reader);
            Answer::default()
        })
    }
}

impl Answers {
    pub(super) fn release_memory(&mut self) {
        self.rows.shrink_to_fit();
    }
}

impl Answer {
    /// Appends the next rows to `out`, until it has `bytes` bytes. Returns how many lines these are.
    fn make(&mut self, roster: &Roster, reader: SessionId, bytes: usize, out: &mut String) -> u64 {
        let mut count = 0;
        if let Some(list) = &mut self.list {
            count += list.make(roster, reader, bytes, out);
            self.list.take_if(|list| list.is_complete());
        }
        if let Some(history) = self.history.as_mut().filter(|_| self.list.is_none()) {
            count += history.make(roster, reader, bytes, out);
            self.history.take_if(|history| history.is_complete());
        }
        count
    }

    fn is_complete(&self) -> bool {
        self.list.is_none() && self.history.is_none()
    }
}

impl List {
    fn make(&mut self, roster: &Roster, reader: SessionId, bytes: usize, out: &mut String) -> u64 {
        let mut count = 0;
        while out.len() < bytes && !self.is_complete() {
            let is_made = if self.rows_left > 0 {
                let is_made = self.make_row(roster, reader, out);
                // Names can go while the list is read. It then ends early.
                self.rows_left = if is_made { self.rows_left - 1 } else { 0 };
                is_made
            } else {
                self.make_last_row(out);
                true
            };
            count += u64::from(is_made);
        }
        count
    }

    /// Appends the row of the next name; `false` if there is none.
    fn make_row(&mut self, roster: &Roster, reader: SessionId, out: &mut String) -> bool {
        let List { listed, prefix, last, .. } = self;
        let (place, row) = match *listed {
            Listed::Users => {
                let mut users = roster.users_after(prefix, last);
                let Some((place, id)) = users.next() else { return false };
                let (name, status) = (&roster.user(id).name, roster.status(id));
                (place, Row::User { name, status, is_reader: id == reader })
            }
            Listed::Members(room) => {
                let mut members = roster.rooms().room(room).members_after(prefix, last);
                let other = members.find(|&(_, id)| id != reader);
                let Some((place, id)) = other else { return false };
                (place, Row::Room(RoomRow::Member(&roster.user(id).name)))
            }
            Listed::Rooms => {
                let mut rooms = roster.rooms().open_after(prefix, last);
                let Some((place, room)) = rooms.next() else { return false };
                let (name, members) = (&room.name, room.member_count());
                (place, Row::Room(RoomRow::Room { name, members }))
            }
            Listed::Ignored => {
                let mut ignored = roster.options(reader).ignored().iter();
                let Some(name) = ignored.find(|name| *name > last) else { return false };
                (name, Row::Ignored(name))
            }
        };
        Line::Row(row).encode(out);
        *last = place.clone();
        true
    }

    fn make_last_row(&mut self, out: &mut String) {
        let Some(count) = self.more.take() else { return };
        let row = match self.listed {
            Listed::Users => Row::More { count, list: wording::List::Users },
            Listed::Rooms => Row::More { count, list: wording::List::Rooms },
            Listed::Members(_) => Row::Room(RoomRow::MoreMembers(count.unwrap_or_default())),
            Listed::Ignored => return,
        };
        Line::Row(row).encode(out);
    }

    fn is_complete(&self) -> bool {
        self.rows_left == 0 && self.more.is_none()
    }
}

impl PartOfHistory {
    fn make(&mut self, roster: &Roster, reader: SessionId, bytes: usize, out: &mut String) -> u64 {
        // A user who has left the room asks no more for its history.
        if roster.room_of(reader) != Some(self.room) {
            (self.heading, self.next) = (None, self.end);
            return 0;
        }
        let (history, mut count) = (&roster.rooms().room(self.room).history, 0);
        if let Some(lines) = self.heading.take() {
            Line::from(RoomNews::LastLines(lines)).encode(out);
            count += 1;
        }
        // The room goes on, and its history keeps a limited number of lines.
        let forgotten = history.begin().min(self.end).saturating_sub(self.next);
        if forgotten > 0 {
            Line::from(RoomNews::Missed(forgotten)).encode(out);
            (self.next, count) = (self.next + forgotten, count + 1);
        }
        let lines_left = (history.end() - self.next) as usize;
        for (said_at, line) in history.last(lines_left) {
            if out.len() >= bytes || self.next == self.end {
                break;
            }
            Line::from(RoomRow::History { said_at, line }).encode(out);
            (self.next, count) = (self.next + 1, count + 1);
        }
        count
    }

    fn is_complete(&self) -> bool {
        self.heading.is_none() && self.next == self.end
    }
}
