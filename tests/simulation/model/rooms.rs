//! Part 6: rooms, their members, what members say, and the history of rooms.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::addresses::{Address, Addresses, Kind, Scope};
use super::names::Name;
use super::rules::without_mark;
use super::{Model, State};
use crate::traffic::{Expected, SessionKey};

/// The number of a room. Numbers are never reused.
pub(crate) type RoomId = usize;

/// The limits of a room's history (7.5), and how many lines a new member reads (6.3.1).
const HISTORY_LINES_MAX: usize = 200;
const HISTORY_BYTES_MAX: usize = 32 * 1024;
const HISTORY_LINES_SHOWN: usize = 50;

/// The speakers of a room that count for its worth (7.57).
const SPEAKERS_MAX: usize = 8;

/// The most rows in a list (7.30).
const ROWS_MAX: usize = 50;

#[derive(Debug, Clone)]
pub(crate) struct Room {
    name: Name,
    /// The lines said, each with its time in Unix seconds.
    history: VecDeque<(u64, Rc<str>)>,
    /// When the room expires. `None` while it has members.
    expires_at: Option<u64>,
    /// Where the user came from who created the room (7.56).
    founder: Option<Address>,
    /// The first users who spoke, as many as count (7.57).
    speakers: BTreeSet<String>,
}

/// What decides whether a room may be created.
#[derive(Debug, Clone, Copy)]
struct Wish {
    until: u64,
    founder: Option<Address>,
    /// In seconds.
    now: u64,
    rooms_max: usize,
    per_address_max: usize,
}

/// All rooms, and everything ever said in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rooms {
    rooms: BTreeMap<RoomId, Room>,
    /// How many rooms were created: the number of the newest room.
    created: RoomId,
    /// Every line since the first start: Unix seconds, room and line.
    log: Vec<(u64, String, Rc<str>)>,
    /// How many lines of the log must be in the history store, because somebody may have read them.
    must_be_saved: usize,
    /// How many of a room's first lines may be missing in the history store, which was written anew
    /// from memory (6.3.4).
    forgotten: BTreeMap<String, usize>,
}

impl Rooms {
    fn named(&self, folded: &str) -> Option<RoomId> {
        self.rooms.iter().find(|(_, room)| room.name.folded == folded).map(|(&room_id, _)| room_id)
    }

    /// The room with that name, created if the limits allow (6.1.1, 6.1.2, 6.1.3).
    fn find_or_create(&mut self, name: &Name, wish: Wish) -> Option<RoomId> {
        if let Some(room_id) = self.named(&name.folded) {
            return Some(room_id);
        }
        let is_like_lobby = name.look == "lobby" && name.folded != "lobby";
        if is_like_lobby || self.rooms.values().any(|room| room.name.look == name.look) {
            return None;
        }
        if name.folded != "lobby" {
            self.make_place(wish)?;
        }
        self.created += 1;
        let is_lobby = name.folded == "lobby";
        let name = if is_lobby { Name::new("lobby")? } else { name.clone() };
        let (history, speakers) = (VecDeque::new(), BTreeSet::new());
        let founder = wish.founder.filter(|_| !is_lobby);
        let room = Room { name, history, expires_at: Some(wish.until), founder, speakers };
        self.rooms.insert(self.created, room);
        Some(self.created)
    }

    /// At a limit, the empty room that is worth least makes place (7.42, 7.56).
    fn make_place(&mut self, wish: Wish) -> Option<()> {
        let scopes = wish.founder.map(|founder| [(Scope::Address(founder), 1), (Scope::Site, 4)]);
        let is_v6 = wish.founder.is_some_and(Address::is_v6);
        let full = scopes.into_iter().flatten().find(|(scope, factor)| {
            let of_scope = self.rooms.values().filter(|room| scope.has(room.founder)).count();
            (*scope != Scope::Site || is_v6) && of_scope >= factor * wish.per_address_max
        });
        if full.is_none() && self.rooms.len() < wish.rooms_max {
            return Some(());
        }
        let counts = |room: &Room| full.is_none_or(|(scope, _)| scope.has(room.founder));
        let empty = self.rooms.iter().filter(|(_, room)| room.expires_at.is_some() && counts(room));
        let least = empty.min_by_key(|(_, room)| {
            let last = room.history.back().map_or(0, |(said_at, _)| *said_at);
            let points = 1_000 * room.history.len() as u64 * room.speakers.len() as u64;
            (points / (1 + (wish.now - last) / 3_600), last, room.name.folded.clone())
        });
        let room_id = *least?.0;
        self.rooms.remove(&room_id);
        Some(())
    }

    fn add_to_history(&mut self, room_id: RoomId, said_at: u64, line: &Rc<str>) {
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        room.history.push_back((said_at, Rc::clone(line)));
        if room.speakers.len() < SPEAKERS_MAX {
            room.speakers.extend(line.split(':').next().map(str::to_owned));
        }
        let bytes = |room: &Room| room.history.iter().map(|(_, line)| line.len()).sum::<usize>();
        while room.history.len() > HISTORY_LINES_MAX || bytes(room) > HISTORY_BYTES_MAX {
            room.history.pop_front();
        }
    }

    /// The length of the log, to which a roll-back truncates it.
    pub(super) fn log_len(&self) -> usize {
        self.log.len()
    }
}

impl Model {
    fn members_of(&self, room_id: RoomId) -> Vec<SessionKey> {
        let mut members = self
            .sessions()
            .filter(|(_, session)| session.state.room() == Some(room_id))
            .filter_map(|(who, session)| Some((session.name.as_ref()?.folded.clone(), who)))
            .collect::<Vec<_>>();
        members.sort();
        members.into_iter().map(|(_, who)| who).collect()
    }

    pub(super) fn room_name(&self, room_id: RoomId) -> String {
        self.rooms.rooms[&room_id].name.spelling.clone()
    }

    /// The names of all rooms.
    pub(crate) fn room_names(&self) -> Vec<String> {
        self.rooms.rooms.values().map(|room| room.name.spelling.clone()).collect()
    }

    /// Tells members who read joins and leaves that `about` joined or left.
    fn tell_members(&mut self, room_id: RoomId, about: SessionKey, words: &str) {
        for member in self.members_of(room_id) {
            if member != about && !self.sessions[&member].quiet {
                self.expected.push((
                    member,
                    Expected::RoomLine(Box::new(Expected::Containing('*', words.to_owned()))),
                ));
            }
        }
    }

    pub(super) fn join(&mut self, who: SessionKey, name: &str) {
        match self.room_to_enter(who, without_mark(name)) {
            Some(room_id) => self.enter(who, room_id),
            None => {
                self.refuse(who);
                self.prompt(who);
            }
        }
    }

    /// The room with that name, if `who` may enter it now.
    fn room_to_enter(&mut self, who: SessionKey, name: &str) -> Option<RoomId> {
        let name = if name.is_empty() { "lobby" } else { name };
        let founder = self.sessions[&who].address;
        let wish = self.room_wish(self.now + self.limits.room_history_ms, founder);
        let is_barred = self.now < self.sessions[&who].no_room_until;
        let room_id = Name::new(name)
            .filter(|_| !is_barred)
            .and_then(|name| self.rooms_mut().find_or_create(&name, wish));
        room_id.filter(|&room_id| self.members_of(room_id).len() < self.limits.members_max)
    }

    fn enter(&mut self, who: SessionKey, room_id: RoomId) {
        let room = self.room_name(room_id);
        self.tell_members(room_id, who, &format!("{} joined {room}", self.name(who).spelling));
        self.session_mut(who).state = State::InRoom(room_id);
        self.room_mut(room_id).expires_at = None;
        self.expect_line(who, '*', format!("You are now in {room}"));
        let others = self.others_in(room_id, who, "");
        self.list_others(who, &others);
        self.show_history(who, room_id, HISTORY_LINES_SHOWN);
        self.spend_line(who);
    }

    fn room_wish(&self, until: u64, founder: Option<Address>) -> Wish {
        let (rooms_max, per_address_max) =
            (self.limits.rooms_max, self.limits.rooms_per_address_max);
        Wish { until, founder, now: self.now / 1_000, rooms_max, per_address_max }
    }

    /// The members whose names begin with `prefix`, without the reader.
    fn others_in(&self, room_id: RoomId, reader: SessionKey, prefix: &str) -> Vec<SessionKey> {
        let prefix = prefix.to_lowercase();
        let matches = |who: &SessionKey| self.name(*who).folded.starts_with(&prefix);
        let members = self.members_of(room_id).into_iter().filter(|&who| who != reader);
        members.filter(matches).collect()
    }

    /// `/who` and `/who PREFIX` (4.8.10).
    fn list_members(&mut self, reader: SessionKey, room_id: RoomId, prefix: &str) {
        let others = self.others_in(room_id, reader, prefix);
        let heading = match (others.len(), prefix) {
            (_, "") => "You are here".to_owned(),
            (0, _) => format!("begins with {prefix}"),
            (1, _) => format!("1 other here whose name begins with {prefix}"),
            (count, _) => format!("{count} others here whose names begin with {prefix}"),
        };
        self.expect_line(reader, '*', heading);
        self.list_others(reader, &others);
    }

    fn list_others(&mut self, reader: SessionKey, others: &[SessionKey]) {
        for &who in others.iter().take(ROWS_MAX) {
            let row = format!("- {}", self.name(who).spelling);
            self.expected.push((reader, Expected::list_row(row)));
        }
        self.expect_more_rows(reader, others.len());
    }

    /// Shows the last `count` lines said in a room, if any.
    fn show_history(&mut self, reader: SessionKey, room_id: RoomId, count: usize) {
        let history = &self.rooms.rooms[&room_id].history;
        let skipped = history.len().saturating_sub(count);
        let rows =
            history.iter().skip(skipped).map(|(at, line)| format!("- {} {line}", minute(*at)));
        let rows = rows.map(Expected::Exactly).collect::<Vec<_>>();
        let heading = Expected::Containing('*', "said here".into());
        let heading = Some(heading).filter(|_| !rows.is_empty());
        let lines = heading.into_iter().chain(rows).map(Box::new).map(Expected::HistoryLine);
        self.expected.extend(lines.map(|line| (reader, line)));
    }

    /// A line from a member of a room (4.8.2 to 4.8.12, 6.2.1).
    pub(super) fn handle_in_room(&mut self, who: SessionKey, room_id: RoomId, line: &str) {
        let Some(command) = line.strip_prefix('/') else {
            return self.handle_text_in_room(who, room_id, line);
        };
        let (word, text) = command.split_once(' ').unwrap_or((command, ""));
        let (word, rest) = (word.to_lowercase(), text.trim());
        match (word.as_str(), rest.is_empty()) {
            _ if command.starts_with('/') => self.say_in_room(who, room_id, command),
            ("say", false) => self.say_in_room(who, room_id, text),
            ("me", false) => self.say_in_room(who, room_id, &format!("*{rest}*")),
            ("quit" | "q" | "leave" | "part", true) => self.quit_room(who, room_id),
            ("exit", true) => self.leave(who, Some(Expected::Containing('*', "Goodbye".into()))),
            ("who" | "names", _) => self.list_members(who, room_id, rest),
            ("history", _) => self.history_command(who, room_id, rest),
            ("yes" | "y" | "no" | "n", _) => {
                self.answer_request(who, room_id, word.starts_with('y'), rest)
            }
            ("chat", _) => self.ask_from_room(who, room_id, rest),
            ("join", _) => self.move_from_room(who, room_id, without_mark(rest)),
            ("ignore", _) if self.asker_named(who, rest).is_some() => {
                self.shut_out(who, self.asker_named(who, rest).unwrap_or(who));
            }
            ("list" | "rooms" | "ignore" | "unignore", _)
            | ("help" | "busy" | "free" | "quiet" | "loud" | "follow" | "unfollow", true) => {
                self.handle_menu_command(who, command);
            }
            _ => self.refuse(who),
        }
    }

    /// A line without a `/`: a few words leave, a few are held back, all else is said (4.8.11).
    fn handle_text_in_room(&mut self, who: SessionKey, room_id: RoomId, line: &str) {
        let is_asked = matches!(self.state(who), State::AskedInRoom(..));
        match line.trim().to_lowercase().as_str() {
            "quit" | "q" | ".exit" => self.quit_room(who, room_id),
            "exit" => self.expect_line(who, '!', "Not said".into()),
            "yes" | "y" | "no" | "n" if is_asked => self.expect_line(who, '!', "Not said".into()),
            _ => self.say_in_room(who, room_id, line),
        }
    }

    /// `/join` in a room (4.8.12).
    fn move_from_room(&mut self, who: SessionKey, room_id: RoomId, name: &str) {
        let here = self.room_name(room_id).to_lowercase();
        let is_here = name.to_lowercase() == here || name.is_empty() && here == "lobby";
        let is_asked = matches!(self.state(who), State::AskedInRoom(..));
        match (!is_here && !is_asked).then(|| self.room_to_enter(who, name)).flatten() {
            Some(to) => {
                self.exit_room(who, room_id);
                self.enter(who, to);
            }
            None => self.refuse(who),
        }
    }

    fn say_in_room(&mut self, who: SessionKey, room_id: RoomId, text: &str) {
        let line: Rc<str> = format!("{}: {text}", self.name(who).spelling).into();
        for member in self.members_of(room_id) {
            let said = Expected::Exactly(line.to_string());
            self.expected.push((member, Expected::RoomLine(Box::new(said))));
        }
        let (said_at, room) = (self.now / 1_000, self.room_name(room_id));
        let rooms = self.rooms_mut();
        rooms.add_to_history(room_id, said_at, &line);
        rooms.log.push((said_at, room, line));
        self.room_lines += 1;
        self.spend_line(who);
    }

    fn spend_line(&mut self, who: SessionKey) {
        let now = self.now;
        self.session_mut(who).room_line_limit.spend(now);
        self.charge_address(who, Kind::RoomLines);
    }

    fn quit_room(&mut self, who: SessionKey, room_id: RoomId) {
        self.exit_room(who, room_id);
        self.prompt(who);
    }

    /// Leaves the room by choice. An open request becomes a request at the menu.
    fn exit_room(&mut self, who: SessionKey, room_id: RoomId) {
        self.leave_room(who, room_id);
        self.expect_line(who, '*', format!("You left {}", self.room_name(room_id)));
        self.spend_line(who);
    }

    /// Removes `who` from the room and tells the other members.
    pub(super) fn leave_room(&mut self, who: SessionKey, room_id: RoomId) {
        let (room, name) = (self.room_name(room_id), self.name(who).spelling);
        self.tell_members(room_id, who, &format!("{name} left {room}"));
        let session = self.session_mut(who);
        session.state = match session.state {
            State::AskedInRoom(by, _) => State::Asked(by),
            _ => State::Menu,
        };
        self.start_expiry_if_empty(room_id);
    }

    /// An empty room is kept if it has a history (6.3.2).
    pub(super) fn start_expiry_if_empty(&mut self, room_id: RoomId) {
        if self.members_of(room_id).is_empty() {
            let is_silent = self.rooms.rooms[&room_id].history.is_empty();
            let kept_ms = if is_silent { 1 } else { self.limits.room_history_ms.max(1) };
            let until = self.now + kept_ms;
            self.room_mut(room_id).expires_at = Some(until);
        }
    }

    fn history_command(&mut self, who: SessionKey, room_id: RoomId, count: &str) {
        let count = if count.is_empty() { Ok(HISTORY_LINES_SHOWN) } else { count.parse() };
        match count {
            Ok(0) | Err(_) => self.refuse(who),
            Ok(_) if self.rooms.rooms[&room_id].history.is_empty() => {
                let heading = Expected::Containing('*', "Nothing has been said here".into());
                self.expected.push((who, Expected::HistoryLine(Box::new(heading))));
            }
            Ok(count) => self.show_history(who, room_id, count),
        }
    }

    fn answer_request(&mut self, who: SessionKey, room_id: RoomId, accepts: bool, name: &str) {
        match self.state(who) {
            State::AskedInRoom(by, _) => {
                if accepts && self.is_for(by, name) {
                    self.exit_room(who, room_id);
                }
                self.answer(by, who, accepts, name);
            }
            _ => self.refuse(who),
        }
    }

    fn ask_from_room(&mut self, who: SessionKey, room_id: RoomId, name: &str) {
        match self.state(who) {
            State::AskedInRoom(by, _) => {
                let is_asker = Name::new(name).is_some_and(|name| self.find(&name) == Some(by));
                match is_asker {
                    true => self.answer_request(who, room_id, true, name),
                    false => self.refuse(who),
                }
            }
            _ if !name.is_empty() && self.user_to_ask(who, name).is_some() => {
                self.exit_room(who, room_id);
                self.ask_for(who, name);
            }
            _ => self.refuse(who),
        }
    }

    /// Lists the rooms that have members (5.3.1).
    pub(super) fn list_rooms(&mut self, reader: SessionKey, prefix: &str) {
        let open = self
            .rooms
            .rooms
            .iter()
            .map(|(&room_id, room)| (&room.name, self.members_of(room_id).len()));
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
            (0, "") => "No rooms yet".into(),
            (_, "") => format!("{count} room{}", plural(count)),
            (0, _) => prefix.into(),
            _ => format!("{count} room{} whose", plural(count)),
        };
        self.expect_line(reader, '*', words);
        for (_, name, members) in open {
            let row = format!("- {name} {members} user{}", plural(members));
            self.expected.push((reader, Expected::list_row(row)));
        }
        self.prompt(reader);
    }

    /// The rooms with members, as followers of the lists read them (5.8.3), each behind its folded name.
    pub(super) fn room_rows(&self) -> Vec<(String, String)> {
        let rooms = self.rooms.rooms.iter();
        let open = rooms.map(|(&id, room)| (&room.name, self.members_of(id).len()));
        let plural = |count| if count == 1 { "" } else { "s" };
        open.filter(|(_, members)| *members > 0)
            .map(|(name, members)| {
                let row = format!("#{} {members} user{}", name.spelling, plural(members));
                (name.folded.clone(), row)
            })
            .collect()
    }

    /// Removes the empty rooms whose time is over (6.3.2).
    pub(super) fn expire_rooms(&mut self) {
        let now = self.now;
        self.rooms.rooms.retain(|_, room| room.expires_at.is_none_or(|until| until > now));
    }

    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.rooms.rooms.values().filter_map(|room| room.expires_at).min()
    }

    /// Somebody may have read everything said until now. All of it must therefore be saved.
    pub(crate) fn require_all_saved(&mut self) {
        self.rooms.must_be_saved = self.rooms.log.len();
    }

    /// The history store was written anew: lines that memory does not hold any more may be gone.
    pub(crate) fn history_rewritten(&mut self) {
        let Rooms { rooms, log, forgotten, .. } = &mut self.rooms;
        // After a restart, a room may have lines that were said under another spelling of its name. The
        // new file has them under the one that the room has now.
        for room in rooms.values() {
            let is_its =
                |name: &String| Name::new(name).is_some_and(|it| it.folded == room.name.folded);
            let lines = log.iter_mut().rev().filter(|(_, name, _)| is_its(name));
            for (_, name, _) in lines.take(room.history.len()) {
                name.clone_from(&room.name.spelling);
            }
        }
        forgotten.clear();
        for (_, room, _) in log.iter() {
            *forgotten.entry(room.clone()).or_default() += 1;
        }
        for room in rooms.values() {
            if let Some(count) = forgotten.get_mut(&room.name.spelling) {
                *count -= room.history.len();
            }
        }
    }

    /// The server was killed and starts again with the lines `kept`: Unix seconds, room and line
    /// (6.3.3). The order between rooms is not defined. Within a room the order must be the same,
    /// and every line that somebody may have read must be there.
    pub(crate) fn restart(&mut self, kept: Vec<(u64, String, Rc<str>)>) {
        let Rooms { log, must_be_saved, created, forgotten, .. } = std::mem::take(&mut self.rooms);
        let of_room = |lines: &[(u64, String, Rc<str>)], room: &str| {
            let lines = lines.iter().filter(|(_, other, _)| other == room);
            lines.map(|(at, _, line)| (*at, Rc::clone(line))).collect::<Vec<_>>()
        };
        let rooms = log.iter().chain(&kept).map(|(_, room, _)| room.as_str());
        for room in rooms.collect::<BTreeSet<_>>() {
            let (said, kept) = (of_room(&log, room), of_room(&kept, room));
            let read = of_room(&log[..must_be_saved], room).len();
            let may_start = 0..=forgotten.get(room).copied().unwrap_or(0);
            let starts = may_start.filter(|&start| said[start..].starts_with(&kept));
            let kept_until = starts.map(|start| start + kept.len()).max();
            let Some(kept_until) = kept_until else {
                panic!("the saved history of {room} does not match what was said")
            };
            assert!(
                kept_until >= read,
                "{read} lines of {room} may have been read, but only {kept_until} are kept"
            );
        }
        (self.sessions, self.received) = (BTreeMap::new(), BTreeMap::new());
        self.addresses = Addresses::default();
        self.events.clear();
        self.to_come.clear();
        let history_ms = self.limits.room_history_ms;
        let mut rooms = Rooms { created, ..Rooms::default() };
        for (said_at, room, line) in &kept {
            let age_ms = self.now - said_at * 1_000;
            let Some(name) = Name::new(room) else { continue };
            let until = self.now + history_ms.saturating_sub(age_ms);
            if let Some(room_id) = rooms.find_or_create(&name, self.room_wish(until, None)) {
                rooms.add_to_history(room_id, *said_at, line);
                let kept_until = &mut rooms
                    .rooms
                    .get_mut(&room_id)
                    .expect("the room was just found or created")
                    .expires_at;
                *kept_until = (*kept_until).max(Some(until));
            }
        }
        rooms.must_be_saved = kept.len();
        rooms.log = kept;
        self.rooms = rooms;
        self.expire_rooms();
    }

    /// The rooms, for a change that a roll-back can undo.
    fn rooms_mut(&mut self) -> &mut Rooms {
        if self.undo_rooms.is_none() {
            let Rooms { rooms, created, must_be_saved, .. } = &self.rooms;
            let before = Rooms {
                rooms: rooms.clone(),
                forgotten: BTreeMap::new(),
                created: *created,
                must_be_saved: *must_be_saved,
                log: Vec::new(),
            };
            self.undo_rooms = Some((before, self.rooms.log_len()));
        }
        &mut self.rooms
    }

    fn room_mut(&mut self, room_id: RoomId) -> &mut Room {
        self.rooms_mut().rooms.get_mut(&room_id).expect("the room exists")
    }

    /// Undoes the changes that the current attempt made to rooms.
    pub(super) fn roll_back_rooms(&mut self) {
        if let Some((mut before, log_len)) = self.undo_rooms.take() {
            before.log = std::mem::take(&mut self.rooms.log);
            before.log.truncate(log_len);
            before.forgotten = std::mem::take(&mut self.rooms.forgotten);
            self.rooms = before;
        }
    }
}

/// A time as `YYYY-MM-DD HH:MMZ`, in UTC (6.3.1).
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
