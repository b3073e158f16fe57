//! Part 6: rooms, who is in them, what is said there and what is kept of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::names::Name;
use super::{Model, State};
use crate::spoken::{Expect, Who};

/// A room, by a number that no other room ever has.
pub(crate) type RoomNo = usize;

/// Lines and bytes of a past (5.26), and how many of its lines are shown at once (6.8).
const PAST_LINES: usize = 200;
const PAST_BYTES: usize = 32 * 1024;
const PAST_SHOWN: usize = 50;

/// Rows of a list at most (5.4).
const ROWS_MAX: usize = 50;

#[derive(Debug, Clone)]
pub(crate) struct Room {
    name: Name,
    /// When each line was said, in seconds, and the line.
    past: VecDeque<(u64, Rc<str>)>,
    /// Until when it is kept, while nobody is in it.
    empty_until: Option<u64>,
}

/// All rooms, and what of them should be in the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rooms {
    rooms: BTreeMap<RoomNo, Room>,
    made: RoomNo,
    /// When, where and what was said, since the first start.
    file: Vec<(u64, String, Rc<str>)>,
    /// How many of those must have been written to the file, since somebody may have read them.
    safe: usize,
}

impl Rooms {
    fn named(&self, folded: &str) -> Option<RoomNo> {
        self.rooms.iter().find(|(_, room)| room.name.folded == folded).map(|(&no, _)| no)
    }

    /// The room of that name, made if that can be (6.1).
    fn find_or_make(&mut self, name: &Name, until: u64, rooms_max: usize) -> Option<RoomNo> {
        if let Some(no) = self.named(&name.folded) {
            return Some(no);
        }
        let is_like_lobby = name.look == "lobby" && name.folded != "lobby";
        if is_like_lobby || self.rooms.values().any(|room| room.name.look == name.look) {
            return None;
        }
        if self.rooms.len() >= rooms_max && name.folded != "lobby" {
            let empty = self.rooms.iter().filter_map(|(&no, room)| Some((room.empty_until?, no)));
            let (_, longest_empty) = empty.min()?;
            self.rooms.remove(&longest_empty);
        }
        self.made += 1;
        let name = if name.folded == "lobby" { Name::new("lobby")? } else { name.clone() };
        let room = Room { name, past: VecDeque::new(), empty_until: Some(until) };
        self.rooms.insert(self.made, room);
        Some(self.made)
    }

    fn keep(&mut self, no: RoomNo, said_at: u64, line: &Rc<str>) {
        let Some(room) = self.rooms.get_mut(&no) else { return };
        room.past.push_back((said_at, Rc::clone(line)));
        let bytes = |room: &Room| room.past.iter().map(|(_, line)| line.len()).sum::<usize>();
        while room.past.len() > PAST_LINES || bytes(room) > PAST_BYTES {
            room.past.pop_front();
        }
    }

    /// How much of the file there is, for an attempt that may be taken back.
    pub(super) fn file_len(&self) -> usize {
        self.file.len()
    }
}

impl Model {
    fn in_it(&self, no: RoomNo) -> Vec<Who> {
        let mut members = self
            .people()
            .filter(|(_, person)| person.state.room() == Some(no))
            .filter_map(|(who, person)| Some((person.name.as_ref()?.folded.clone(), who)))
            .collect::<Vec<_>>();
        members.sort();
        members.into_iter().map(|(_, who)| who).collect()
    }

    pub(super) fn room_name(&self, no: RoomNo) -> String {
        self.rooms.rooms[&no].name.spelling.clone()
    }

    /// Rooms whose names somebody may have heard.
    pub(crate) fn room_names(&self) -> Vec<String> {
        self.rooms.rooms.values().map(|room| room.name.spelling.clone()).collect()
    }

    /// A line for those who read joins and leavings.
    fn announce(&mut self, no: RoomNo, about: Who, words: &str) {
        for member in self.in_it(no) {
            if member != about && !self.people[&member].quiet {
                self.expected
                    .push((member, Expect::Shared(Box::new(Expect::Says('*', words.to_owned())))));
            }
        }
    }

    pub(super) fn join(&mut self, who: Who, name: &str) {
        let name = if name.is_empty() { "lobby" } else { name };
        let until = self.now + self.bounds.room_history_ms;
        let rooms_max = self.bounds.rooms_max;
        let is_parted = self.now < self.people[&who].no_room_until;
        let no = Name::new(name)
            .filter(|_| !is_parted)
            .and_then(|name| self.rooms_mut().find_or_make(&name, until, rooms_max));
        let no = no.filter(|&no| self.in_it(no).len() < self.bounds.members_max);
        let Some(no) = no else {
            self.refuse(who);
            return self.prompt(who);
        };
        let room = self.room_name(no);
        self.announce(no, who, &format!("{} joined {room}", self.name(who).spelling));
        self.person(who).state = State::InRoom(no);
        self.room_mut(no).empty_until = None;
        self.says(who, '*', format!("You are now in {room}"));
        self.others(who, no);
        self.past(who, no, PAST_SHOWN);
        self.spend_line(who);
    }

    fn others(&mut self, reader: Who, no: RoomNo) {
        let others = self.in_it(no).into_iter().filter(|&who| who != reader).collect::<Vec<_>>();
        for &who in others.iter().take(ROWS_MAX) {
            let row = format!("- {}", self.name(who).spelling);
            self.expected.push((reader, Expect::Exactly(row)));
        }
        if others.len() > ROWS_MAX {
            self.says(reader, '-', format!("{} more", others.len() - ROWS_MAX));
        }
    }

    /// The last lines said in a room, if there are any.
    fn past(&mut self, reader: Who, no: RoomNo, count: usize) {
        let past = &self.rooms.rooms[&no].past;
        let skipped = past.len().saturating_sub(count);
        let rows = past.iter().skip(skipped).map(|(at, line)| format!("- {} {line}", minute(*at)));
        let rows = rows.map(|row| (reader, Expect::Exactly(row))).collect::<Vec<_>>();
        if !rows.is_empty() {
            self.says(reader, '*', "said here".into());
        }
        self.expected.extend(rows);
    }

    /// What somebody in a room makes of a line (6.3 to 6.7).
    pub(super) fn in_room(&mut self, who: Who, no: RoomNo, line: &str) {
        let Some(command) = line.strip_prefix('/') else {
            let word = line.trim().to_lowercase();
            return match ["quit", "q", ".exit"].contains(&word.as_str()) {
                true => self.quit_room(who, no),
                false => self.say_in_room(who, no, line),
            };
        };
        let (word, text) = command.split_once(' ').unwrap_or((command, ""));
        let (word, rest) = (word.to_lowercase(), text.trim());
        match (word.as_str(), rest.is_empty()) {
            _ if command.starts_with('/') => self.say_in_room(who, no, command),
            ("say", _) if !text.is_empty() => self.say_in_room(who, no, text),
            ("me", false) => self.say_in_room(who, no, &format!("*{rest}*")),
            ("quit", true) => self.quit_room(who, no),
            ("who", true) => {
                self.says(who, '*', "You are here".into());
                self.others(who, no);
            }
            ("history", _) => self.history(who, no, rest),
            ("quiet" | "loud", true) => {
                self.person(who).quiet = word == "quiet";
                self.says(who, '*', "who joins and leaves".into());
            }
            ("help", true) => self.expected.push((who, Expect::Rows)),
            ("yes" | "y" | "no" | "n", true) => self.answer(who, no, word.starts_with('y')),
            ("chat", false) => self.chat_from_room(who, no, rest),
            ("list" | "rooms" | "ignore" | "unignore", _) | ("busy" | "free", true) => {
                self.choice(who, command);
            }
            _ => self.refuse(who),
        }
    }

    fn say_in_room(&mut self, who: Who, no: RoomNo, text: &str) {
        let line: Rc<str> = format!("{}: {text}", self.name(who).spelling).into();
        for member in self.in_it(no) {
            let said = Expect::Exactly(line.to_string());
            self.expected.push((member, Expect::Shared(Box::new(said))));
        }
        let (said_at, room) = (self.now / 1_000, self.room_name(no));
        let rooms = self.rooms_mut();
        rooms.keep(no, said_at, &line);
        rooms.file.push((said_at, room, line));
        self.room_lines += 1;
        self.spend_line(who);
    }

    fn spend_line(&mut self, who: Who) {
        let now = self.now;
        self.person(who).lines.spend(now);
    }

    fn quit_room(&mut self, who: Who, no: RoomNo) {
        self.walk_out(who, no);
        self.prompt(who);
    }

    /// Out of the room by choice; a request that is open is one at the menu then.
    fn walk_out(&mut self, who: Who, no: RoomNo) {
        self.leave_room(who, no);
        self.says(who, '*', format!("You left {}", self.room_name(no)));
        self.spend_line(who);
    }

    /// `who` is in the room no more, and the others read so.
    pub(super) fn leave_room(&mut self, who: Who, no: RoomNo) {
        let (room, name) = (self.room_name(no), self.name(who).spelling);
        self.announce(no, who, &format!("{name} left {room}"));
        let person = self.person(who);
        person.state = match person.state {
            State::AskedInRoom(by, _) => State::Asked(by),
            _ => State::Menu,
        };
        self.keep_if_empty(no);
    }

    /// A room that nobody is in any more is kept for the sake of what was said there (6.12).
    pub(super) fn keep_if_empty(&mut self, no: RoomNo) {
        if self.in_it(no).is_empty() {
            let is_silent = self.rooms.rooms[&no].past.is_empty();
            let kept_ms = if is_silent { 1 } else { self.bounds.room_history_ms };
            let until = self.now + kept_ms;
            self.room_mut(no).empty_until = Some(until);
        }
    }

    fn history(&mut self, who: Who, no: RoomNo, count: &str) {
        let count = if count.is_empty() { Ok(PAST_SHOWN) } else { count.parse() };
        match count {
            Ok(0) | Err(_) => self.refuse(who),
            Ok(_) if self.rooms.rooms[&no].past.is_empty() => {
                self.says(who, '*', "Nothing was said here".into());
            }
            Ok(count) => self.past(who, no, count),
        }
    }

    fn answer(&mut self, who: Who, no: RoomNo, accepts: bool) {
        match self.state(who) {
            State::AskedInRoom(by, _) if accepts => {
                self.walk_out(who, no);
                self.accept(by, who);
            }
            State::AskedInRoom(by, _) => self.decline(by, who),
            _ => self.refuse(who),
        }
    }

    fn chat_from_room(&mut self, who: Who, no: RoomNo, name: &str) {
        match self.state(who) {
            State::AskedInRoom(by, _) => {
                let is_asker = Name::new(name).is_some_and(|name| self.find(&name) == Some(by));
                if is_asker { self.answer(who, no, true) } else { self.refuse(who) }
            }
            _ if self.whom_to_ask(who, name).is_some() => {
                self.walk_out(who, no);
                self.ask_for(who, name);
            }
            _ => self.refuse(who),
        }
    }

    /// The rooms that have members (6.13).
    pub(super) fn list_rooms(&mut self, reader: Who, prefix: &str) {
        let open = self.rooms.rooms.iter().map(|(&no, room)| (&room.name, self.in_it(no).len()));
        let mut open = open
            .filter(|(name, members)| {
                *members > 0 && name.folded.starts_with(&prefix.to_lowercase())
            })
            .map(|(name, members)| (name.folded.clone(), name.spelling.clone(), members))
            .collect::<Vec<_>>();
        open.sort();
        let plural = |count| if count == 1 { "" } else { "s" };
        let count = open.len();
        let words = match (count, prefix) {
            (_, "") => format!("{count} room{}", plural(count)),
            (0, _) => prefix.into(),
            _ => format!("{count} room{} whose", plural(count)),
        };
        self.says(reader, '*', words);
        for (_, name, members) in open {
            let row = format!("- {name} {members} user{}", plural(members));
            self.expected.push((reader, Expect::Exactly(row)));
        }
        self.prompt(reader);
    }

    /// Empty rooms are kept for their time (6.12).
    pub(super) fn expire_rooms(&mut self) {
        let now = self.now;
        self.rooms.rooms.retain(|_, room| room.empty_until.is_none_or(|until| until > now));
    }

    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.rooms.rooms.values().filter_map(|room| room.empty_until).min()
    }

    /// Somebody may have read all that was said up to now.
    pub(crate) fn note_read(&mut self) {
        self.rooms.safe = self.rooms.file.len();
    }

    /// The server was killed, and begins anew with these lines in its file: when, where and what (6.14).
    /// In which order it got round to several rooms at once is its own business; within a room it is
    /// not, and what may have been read must be there.
    pub(crate) fn restart(&mut self, kept: Vec<(u64, String, Rc<str>)>) {
        let Rooms { file, safe, made, .. } = std::mem::take(&mut self.rooms);
        let of_room = |lines: &[(u64, String, Rc<str>)], room: &str| {
            let lines = lines.iter().filter(|(_, other, _)| other == room);
            lines.map(|(at, _, line)| (*at, Rc::clone(line))).collect::<Vec<_>>()
        };
        let rooms = file.iter().chain(&kept).map(|(_, room, _)| room.as_str());
        for room in rooms.collect::<BTreeSet<_>>() {
            let (said, kept) = (of_room(&file, room), of_room(&kept, room));
            let read = of_room(&file[..safe], room).len();
            assert!(
                kept.len() >= read,
                "{read} lines of {room} may have been read, and {} are kept",
                kept.len()
            );
            assert!(said.starts_with(&kept), "what is kept of {room} was not said there so");
        }
        (self.people, self.heard) = (BTreeMap::new(), BTreeMap::new());
        self.happenings.clear();
        let (past_ms, rooms_max) = (self.bounds.room_history_ms, self.bounds.rooms_max);
        let mut rooms = Rooms { made, ..Rooms::default() };
        for (said_at, room, line) in &kept {
            let age_ms = self.now - said_at * 1_000;
            let Some(name) = Name::new(room) else { continue };
            let until = self.now + past_ms.saturating_sub(age_ms);
            if let Some(no) = rooms.find_or_make(&name, until, rooms_max) {
                rooms.keep(no, *said_at, line);
                let kept_until = &mut rooms.rooms.get_mut(&no).expect("it was found").empty_until;
                *kept_until = (*kept_until).max(Some(until));
            }
        }
        rooms.safe = kept.len();
        rooms.file = kept;
        self.rooms = rooms;
        self.expire_rooms();
    }

    /// The rooms, to be changed: the attempt under way can be taken back.
    fn rooms_mut(&mut self) -> &mut Rooms {
        if self.undo_rooms.is_none() {
            let Rooms { rooms, made, safe, .. } = &self.rooms;
            let before = Rooms { rooms: rooms.clone(), made: *made, safe: *safe, file: Vec::new() };
            self.undo_rooms = Some((before, self.rooms.file_len()));
        }
        &mut self.rooms
    }

    fn room_mut(&mut self, no: RoomNo) -> &mut Room {
        self.rooms_mut().rooms.get_mut(&no).expect("a room that is there")
    }

    /// What an attempt did to the rooms is taken back.
    pub(super) fn take_back_rooms(&mut self) {
        if let Some((mut before, file_len)) = self.undo_rooms.take() {
            before.file = std::mem::take(&mut self.rooms.file);
            before.file.truncate(file_len);
            self.rooms = before;
        }
    }
}

/// The minute of a moment, in UTC (6.8).
fn minute(unix_seconds: u64) -> String {
    let (days, minutes) = (unix_seconds / 86_400, unix_seconds / 60 % 1_440);
    let (mut year, mut day) = (1970, days);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute) = (minutes / 60, minutes % 60);
    format!("{year:04}-{month:02}-{:02} {hour:02}:{minute:02}Z", day + 1)
}
