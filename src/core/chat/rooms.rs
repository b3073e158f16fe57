//! The tables of rooms (part 6): rooms by id and by name, the members of each, and its history.
//!
//! Only `roster` calls the functions that change a table, because a member's session must change at
//! the same time. Nothing here tells users anything.

mod worth;

use std::collections::BTreeMap;

use compact_str::CompactString;
use slab::Slab;

use super::history::{History, UnixSeconds};
use super::name::Name;
use super::name_index::{NameIndex, with_prefix, with_prefix_after};
use super::rate_limit::RateLimit;
use crate::core::limits::LOBBY;
use crate::core::time::{Deadlines, Time};
use crate::core::{Origin, SessionId};
use worth::Speakers;

/// Identifies a room until the room is removed. A later room may get the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoomId(u16);

/// A room with members, or an empty room that is kept for its history.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: Name,
    pub(super) history: History,
    occupancy: Occupancy,
    /// Where the user came from who created the room (7.56).
    founder: Origin,
    speakers: Speakers,
    /// What all members together have used of the room's allowance of lines (7.76).
    pub(super) lines: RateLimit,
}

/// The members of a room, or how long the room remains without any.
#[derive(Debug)]
enum Occupancy {
    /// At least one member. By folded name, the order of lists.
    Members(BTreeMap<CompactString, SessionId>),
    /// No members. The room is removed at `until`.
    Empty { until: Time },
}

/// All rooms, and every index over them.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: Slab<Room>,
    names: NameIndex<RoomId>,
    /// When each empty room is removed. A room with members has no deadline.
    deadlines: Deadlines<RoomId>,
}

/// Why a room cannot be found or created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomUnavailable {
    /// The name looks like the name of another room, or of the lobby (6.1.1).
    LooksTaken,
    /// The limit is reached and no room is empty (7.27).
    TooMany,
    /// The limit for the user's address is reached, and none of its rooms is empty (7.56).
    TooManyFromAddress,
}

/// A wish for a room that may have to be created.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomWish<'a> {
    pub(super) name: &'a Name,
    /// Until when the room is kept while nobody is in it.
    pub(super) until: Time,
    /// Where the user comes from.
    pub(super) founder: Origin,
    /// The wall-clock time, for the age of histories.
    pub(super) now: UnixSeconds,
    /// See [`crate::core::limits::Limits::rooms_max`].
    pub(super) rooms_max: usize,
    /// See [`crate::core::limits::Limits::rooms_per_address_max`].
    pub(super) per_address_max: usize,
}

impl RoomId {
    /// The id with this key.
    ///
    /// # Panics
    /// If `key` exceeds 65,535. The limit on rooms is 32,766: `BroadcastId` needs two numbers per
    /// room.
    pub(crate) fn from_key(key: usize) -> RoomId {
        RoomId(u16::try_from(key).expect("rooms are limited to 32,766"))
    }

    /// The key that the id was made from. Keys are small and dense: tables use them as an index.
    #[must_use]
    pub fn key(self) -> usize {
        self.0.into()
    }
}

impl Rooms {
    /// Finds the room with this name, in any case, or creates an empty room. At a limit, the empty
    /// room that is worth least makes place (7.27, 7.56).
    ///
    /// # Errors
    /// [`RoomUnavailable`], and nothing has changed.
    pub(super) fn find_or_add(&mut self, wish: RoomWish<'_>) -> Result<RoomId, RoomUnavailable> {
        let RoomWish { name, until, founder, .. } = wish;
        if let Some(id) = self.names.get(name) {
            return Ok(id);
        }
        // The lobby is removed when it is empty, as any room is. A look-alike that is created
        // meanwhile would keep the lobby from coming back, and is refused even then.
        let lobby = Name::parse(LOBBY).ok();
        let lobby = lobby.filter(|lobby| lobby.skeleton_hash() == name.skeleton_hash());
        let is_lobby = name.folded() == LOBBY;
        if self.names.has_look_alike(name) || (lobby.is_some() && !is_lobby) {
            return Err(RoomUnavailable::LooksTaken);
        }
        // The lobby does not count: every user can always enter it.
        if !is_lobby {
            self.make_place(&wish)?;
        }
        let (history, occupancy) = (History::default(), Occupancy::Empty { until });
        let founder = if is_lobby { Origin::NONE } else { founder };
        let name_as_shown = lobby.unwrap_or_else(|| name.clone());
        let (speakers, lines) = (Speakers::default(), RateLimit::new());
        let room = Room { name: name_as_shown, history, occupancy, founder, speakers, lines };
        let id = RoomId::from_key(self.rooms.insert(room));
        self.names.insert(name, id);
        self.deadlines.replace(id, None, Some(until));
        Ok(id)
    }

    /// Adds a member. `name` is the member's folded name.
    pub(super) fn enter(&mut self, id: RoomId, name: CompactString, member: SessionId) {
        let room = &mut self.rooms[id.key()];
        match &mut room.occupancy {
            Occupancy::Members(members) => drop(members.insert(name, member)),
            Occupancy::Empty { until } => {
                self.deadlines.replace(id, Some(*until), None);
                room.occupancy = Occupancy::Members(BTreeMap::from([(name, member)]));
            }
        }
    }

    /// Removes a member. If the room is empty now, it is kept until `until`.
    pub(super) fn leave(&mut self, id: RoomId, name: &str, until: Time) {
        let room = &mut self.rooms[id.key()];
        let Occupancy::Members(members) = &mut room.occupancy else { return };
        members.remove(name);
        if members.is_empty() {
            room.occupancy = Occupancy::Empty { until };
            self.deadlines.replace(id, None, Some(until));
        }
    }

    /// Keeps an empty room at least until `until`. Does nothing to a room with members.
    pub(super) fn keep_until(&mut self, id: RoomId, until: Time) {
        if let Occupancy::Empty { until: old } = &mut self.rooms[id.key()].occupancy
            && *old < until
        {
            self.deadlines.replace(id, Some(*old), Some(until));
            *old = until;
        }
    }

    /// Removes the empty rooms whose time is up at `now` (6.3.2).
    pub(super) fn expire(&mut self, now: Time) {
        while let Some(id) = self.deadlines.due(now) {
            self.remove(id);
        }
    }

    /// Removes an empty room and its history. A room with members is never removed: their sessions
    /// hold its id.
    fn remove(&mut self, id: RoomId) {
        let room = self.rooms.remove(id.key());
        let Occupancy::Empty { until } = room.occupancy else { panic!("{id:?} has members") };
        self.deadlines.replace(id, Some(until), None);
        self.names.remove(&room.name);
    }

    pub(super) fn room(&self, id: RoomId) -> &Room {
        &self.rooms[id.key()]
    }

    pub(super) fn room_mut(&mut self, id: RoomId) -> &mut Room {
        &mut self.rooms[id.key()]
    }

    /// The name of a room; `None` if the room has been removed.
    pub(super) fn name(&self, id: RoomId) -> Option<&Name> {
        self.rooms.get(id.key()).map(|room| &room.name)
    }

    /// The rooms with members whose names begin with `prefix`, in order of name. Empty rooms are
    /// left out: to users, a room without members does not exist (6.3.2).
    pub(super) fn open(&self, prefix: &str) -> impl Iterator<Item = &Room> {
        self.names.with_prefix(prefix).map(|id| self.room(id)).filter(|room| !room.is_empty())
    }

    /// As [`Self::open`], for a folded prefix: the rooms after the folded name `last`, each with its
    /// own folded name.
    pub(super) fn open_after(
        &self,
        prefix: &str,
        last: &str,
    ) -> impl Iterator<Item = (&CompactString, &Room)> {
        let rooms = self.names.with_prefix_after(prefix, last);
        rooms.map(|(name, id)| (name, self.room(id))).filter(|(_, room)| !room.is_empty())
    }

    /// All rooms after the folded name `last`, in order of folded name. Empty rooms are included.
    pub(super) fn after(&self, last: &str) -> impl Iterator<Item = &Room> {
        self.names.after(last).map(|id| self.room(id))
    }

    /// The number of rooms with members. O(1): each empty room has exactly one deadline.
    pub(super) fn open_count(&self) -> usize {
        self.rooms.len() - self.deadlines.len()
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.next()
    }

    /// Whether the user with this id and name is a member of the room.
    pub(super) fn has(&self, id: RoomId, name: &Name, member: SessionId) -> bool {
        match &self.room(id).occupancy {
            Occupancy::Members(members) => members.get(&name.folded()) == Some(&member),
            Occupancy::Empty { .. } => false,
        }
    }

    /// The number of members of all rooms together. Walks over every room: for checks only.
    pub(super) fn member_count(&self) -> usize {
        self.rooms.iter().map(|(_, room)| room.member_count()).sum()
    }

    /// Checks the invariants of these tables. The roster checks them against the sessions.
    ///
    /// # Panics
    /// If an invariant does not hold, which is a bug.
    pub(super) fn check(&self) {
        let mut empty = 0;
        for (key, room) in &self.rooms {
            let id = RoomId::from_key(key);
            assert_eq!(self.names.get(&room.name), Some(id), "the name finds the room");
            assert!(self.names.has_look_alike(&room.name), "the name's skeleton is indexed");
            match &room.occupancy {
                Occupancy::Members(members) => assert!(!members.is_empty(), "{key} has no members"),
                Occupancy::Empty { .. } => empty += 1,
            }
        }
        self.names.check();
        assert_eq!(self.names.len(), self.rooms.len(), "every indexed name has a room");
        assert_eq!(self.deadlines.len(), empty, "every empty room has a deadline");
    }
}

impl Room {
    /// Adds a line to the history.
    pub(super) fn add_line(&mut self, said_at: UnixSeconds, line: &str) {
        self.speakers.add(line);
        self.history.push(said_at, line);
    }

    fn is_empty(&self) -> bool {
        matches!(self.occupancy, Occupancy::Empty { .. })
    }

    pub(super) fn member_count(&self) -> usize {
        match &self.occupancy {
            Occupancy::Members(members) => members.len(),
            Occupancy::Empty { .. } => 0,
        }
    }

    /// The members whose names begin with `prefix` in any case, in order of name. An empty prefix
    /// gives all. Finding the first one takes O(log n).
    pub(super) fn members(&self, prefix: &str) -> impl Iterator<Item = SessionId> {
        self.member_names().into_iter().flat_map(move |members| with_prefix(members, prefix))
    }

    /// As [`Self::members`], for a folded prefix: the members after the folded name `last`, each with
    /// their own.
    pub(super) fn members_after(
        &self,
        prefix: &str,
        last: &str,
    ) -> impl Iterator<Item = (&CompactString, SessionId)> {
        let members = self.member_names().into_iter();
        members.flat_map(move |members| with_prefix_after(members, prefix, last))
    }

    fn member_names(&self) -> Option<&BTreeMap<CompactString, SessionId>> {
        match &self.occupancy {
            Occupancy::Members(members) => Some(members),
            Occupancy::Empty { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::Limits;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn wish(text: &str, until: Time) -> RoomWish<'static> {
        let name = Box::leak(Box::new(name(text)));
        let (rooms_max, per_address_max) = (2, 2);
        RoomWish { name, until, founder: Origin::NONE, now: 0, rooms_max, per_address_max }
    }

    fn later(ms: u64) -> Time {
        Time::START.after_ms(ms)
    }

    /// (7.27, 7.42)
    #[test]
    fn the_empty_room_worth_least_makes_place_and_a_room_with_members_never_does() {
        let mut rooms = Rooms::default();
        assert_eq!(rooms.find_or_add(wish("L0bby", later(9))), Err(RoomUnavailable::LooksTaken));
        let [a, b] = ["a", "b"].map(|text| rooms.find_or_add(wish(text, later(9))).unwrap());
        rooms.enter(a, "anna".into(), SessionId::from_key(0));
        rooms.enter(b, "bert".into(), SessionId::from_key(1));
        assert_eq!(rooms.find_or_add(wish("c", later(9))), Err(RoomUnavailable::TooMany));
        assert_eq!(rooms.find_or_add(wish("A", later(9))), Ok(a), "the room exists");
        let lobby = rooms.find_or_add(wish("LoBBy", later(1))).unwrap();
        assert_eq!(rooms.room(lobby).name.as_str(), LOBBY, "the lobby does not count");
        rooms.expire(later(1));
        rooms.room_mut(b).add_line(0, "bert: hello");
        rooms.leave(b, "bert", later(10));
        rooms.leave(a, "anna", later(20));
        rooms.check();
        let c = rooms.find_or_add(wish("c", later(30))).unwrap();
        assert!(rooms.names.get(&name("b")).is_some() && rooms.names.get(&name("a")).is_none());
        assert_eq!(rooms.room(c).member_count(), 0);
        rooms.check();
    }

    /// (6.3.2, 7.21)
    #[test]
    fn an_empty_room_is_kept_until_its_deadline_and_then_removed() {
        let mut rooms = Rooms::default();
        let until = later(Limits::default().room_history_ms);
        let id = rooms.find_or_add(wish("tea", later(1))).unwrap();
        rooms.enter(id, "anna".into(), SessionId::from_key(0));
        rooms.room_mut(id).add_line(0, "anna: hello");
        rooms.expire(until);
        assert_eq!(rooms.open_count(), 1, "a room with a member does not expire");
        rooms.leave(id, "anna", until);
        assert_eq!(rooms.open_count(), 0);
        assert_eq!(rooms.find_or_add(wish("TEA", until)), Ok(id));
        assert_eq!(rooms.room(id).history.newest(), "anna: hello");
        rooms.expire(later(Limits::default().room_history_ms - 1));
        assert!(rooms.name(id).is_some());
        rooms.expire(until);
        assert!(rooms.name(id).is_none() && rooms.next_deadline().is_none());
        rooms.check();
    }
}
