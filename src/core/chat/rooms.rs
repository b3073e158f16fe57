//! The rooms: by id and by name, who is in each, and what was said there. The roster alone changes
//! who is in a room; here is nothing but the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use compact_str::CompactString;
use slab::Slab;

use super::history::History;
use super::name::{Name, fold};
use crate::core::SessionId;
use crate::core::limits::LOBBY;
use crate::core::time::{Deadlines, Time};

/// Identifies a room until it is forgotten; after that the number may serve another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoomId(u16);

/// A room, which has members, or had.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: Name,
    pub(super) history: History,
    occupancy: Occupancy,
}

/// Who is in a room.
#[derive(Debug)]
enum Occupancy {
    /// These, by folded name, which is also the order of lists.
    Members(BTreeMap<CompactString, SessionId>),
    /// Nobody: it is there for the sake of its history, and until then.
    Empty { until: Time },
}

/// All rooms, and every index over them.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: Slab<Room>,
    /// By folded name.
    by_name: BTreeMap<CompactString, RoomId>,
    /// What their names look like.
    looks: BTreeSet<u64>,
    /// When an empty room is forgotten.
    deadlines: Deadlines<RoomId>,
}

/// Why a room cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomUnavailable {
    LooksTaken,
    TooMany,
}

impl RoomId {
    pub(crate) fn from_key(key: usize) -> RoomId {
        RoomId(u16::try_from(key).expect("rooms are bounded by 32,766"))
    }

    /// The key it was made from: small and dense, because tables are indexed by it.
    #[must_use]
    pub fn key(self) -> usize {
        self.0.into()
    }
}

impl Rooms {
    /// The room of that name, which is made if need be: empty until `until`, with at most
    /// `rooms_max` in all. The one that has been empty longest makes room.
    pub(super) fn find_or_add(
        &mut self,
        name: &Name,
        until: Time,
        rooms_max: usize,
    ) -> Result<RoomId, RoomUnavailable> {
        let (folded, look) = (name.folded(), name.look());
        if let Some(&id) = self.by_name.get(&folded) {
            return Ok(id);
        }
        // The lobby is there for everybody, so nothing may stand in its place.
        let lobby = Name::parse(LOBBY).ok().filter(|lobby| lobby.look() == look);
        if self.looks.contains(&look) || (lobby.is_some() && folded != LOBBY) {
            return Err(RoomUnavailable::LooksTaken);
        }
        // The lobby has a place of its own.
        if self.rooms.len() >= rooms_max && folded != LOBBY {
            let longest_empty = self.deadlines.first().ok_or(RoomUnavailable::TooMany)?;
            self.forget(longest_empty);
        }
        let (history, occupancy) = (History::default(), Occupancy::Empty { until });
        let room = Room { name: lobby.unwrap_or_else(|| name.clone()), history, occupancy };
        let id = RoomId::from_key(self.rooms.insert(room));
        self.by_name.insert(folded, id);
        self.looks.insert(look);
        self.deadlines.replace(id, None, Some(until));
        Ok(id)
    }

    /// Adds a member.
    pub(super) fn enter(&mut self, id: RoomId, name: CompactString, who: SessionId) {
        let room = &mut self.rooms[id.key()];
        match &mut room.occupancy {
            Occupancy::Members(members) => drop(members.insert(name, who)),
            Occupancy::Empty { until } => {
                self.deadlines.replace(id, Some(*until), None);
                room.occupancy = Occupancy::Members(BTreeMap::from([(name, who)]));
            }
        }
    }

    /// Removes a member; a room without any is kept until `until`.
    pub(super) fn leave(&mut self, id: RoomId, name: &str, until: Time) {
        let room = &mut self.rooms[id.key()];
        let Occupancy::Members(members) = &mut room.occupancy else { return };
        members.remove(name);
        if members.is_empty() {
            room.occupancy = Occupancy::Empty { until };
            self.deadlines.replace(id, None, Some(until));
        }
    }

    /// Keeps a room, if it is empty, at least until then.
    pub(super) fn prolong(&mut self, id: RoomId, until: Time) {
        if let Occupancy::Empty { until: old } = &mut self.rooms[id.key()].occupancy
            && *old < until
        {
            self.deadlines.replace(id, Some(*old), Some(until));
            *old = until;
        }
    }

    /// Forgets the empty rooms whose time has come (6.12).
    pub(super) fn expire(&mut self, now: Time) {
        while let Some(id) = self.deadlines.due(now) {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: RoomId) {
        let room = self.rooms.remove(id.key());
        let Occupancy::Empty { until } = room.occupancy else { panic!("{id:?} has members") };
        self.deadlines.replace(id, Some(until), None);
        self.by_name.remove(&room.name.folded());
        self.looks.remove(&room.name.look());
    }

    pub(super) fn room(&self, id: RoomId) -> &Room {
        &self.rooms[id.key()]
    }

    pub(super) fn room_mut(&mut self, id: RoomId) -> &mut Room {
        &mut self.rooms[id.key()]
    }

    /// The name of a room that may have been forgotten.
    pub(super) fn name(&self, id: RoomId) -> Option<&Name> {
        self.rooms.get(id.key()).map(|room| &room.name)
    }

    /// The rooms that have members and whose names begin so, in order of name.
    pub(super) fn open(&self, prefix: &str) -> impl Iterator<Item = &Room> {
        let prefix = fold(prefix);
        let from = Bound::Included(prefix.as_str());
        self.by_name
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(move |(name, _)| name.starts_with(prefix.as_str()))
            .map(|(_, &id)| self.room(id))
            .filter(|room| room.member_count() > 0)
    }

    /// How many rooms have members.
    pub(super) fn open_count(&self) -> usize {
        self.rooms.len() - self.deadlines.len()
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.next()
    }

    /// Whether `who`, of that name, is in a room.
    pub(super) fn has(&self, id: RoomId, name: &Name, who: SessionId) -> bool {
        match &self.room(id).occupancy {
            Occupancy::Members(members) => members.get(&name.folded()) == Some(&who),
            Occupancy::Empty { .. } => false,
        }
    }

    /// How many are in rooms.
    pub(super) fn member_count(&self) -> usize {
        self.rooms.iter().map(|(_, room)| room.member_count()).sum()
    }

    /// States what always holds, but for what sessions know of it.
    ///
    /// # Panics
    /// If it does not hold, which is a bug.
    pub(super) fn check(&self) {
        let (mut empty, named) = (0, self.by_name.len());
        for (key, room) in &self.rooms {
            assert_eq!(self.by_name.get(&room.name.folded()), Some(&RoomId::from_key(key)));
            assert!(self.looks.contains(&room.name.look()), "look-alikes are known");
            match &room.occupancy {
                Occupancy::Members(members) => assert!(!members.is_empty(), "{key} has nobody"),
                Occupancy::Empty { .. } => empty += 1,
            }
        }
        assert_eq!((named, self.looks.len()), (self.rooms.len(), named), "a name each");
        assert_eq!(self.deadlines.len(), empty, "every empty room is forgotten some time");
    }
}

impl Room {
    pub(super) fn member_count(&self) -> usize {
        match &self.occupancy {
            Occupancy::Members(members) => members.len(),
            Occupancy::Empty { .. } => 0,
        }
    }

    /// Who is in it, in order of name.
    pub(super) fn members(&self) -> impl Iterator<Item = SessionId> {
        let members = match &self.occupancy {
            Occupancy::Members(members) => Some(members.values().copied()),
            Occupancy::Empty { .. } => None,
        };
        members.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::Limits;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn later(ms: u64) -> Time {
        Time::START.after_ms(ms)
    }

    /// (5.22)
    #[test]
    fn of_too_many_rooms_the_one_longest_empty_goes_and_none_with_a_member() {
        let mut rooms = Rooms::default();
        assert_eq!(
            rooms.find_or_add(&name("L0bby"), later(9), 2),
            Err(RoomUnavailable::LooksTaken)
        );
        let [a, b] = ["a", "b"].map(|text| rooms.find_or_add(&name(text), later(9), 2).unwrap());
        rooms.enter(a, "anna".into(), SessionId::from_key(0));
        rooms.enter(b, "bert".into(), SessionId::from_key(1));
        assert_eq!(rooms.find_or_add(&name("c"), later(9), 2), Err(RoomUnavailable::TooMany));
        assert_eq!(rooms.find_or_add(&name("A"), later(9), 2), Ok(a), "it is there already");
        let lobby = rooms.find_or_add(&name("LoBBy"), later(1), 2).unwrap();
        assert_eq!(rooms.room(lobby).name.as_str(), LOBBY, "it has a place of its own");
        rooms.expire(later(1));
        rooms.leave(b, "bert", later(20));
        rooms.leave(a, "anna", later(10));
        rooms.check();
        let c = rooms.find_or_add(&name("c"), later(30), 2).unwrap();
        assert!(rooms.by_name.contains_key("b") && !rooms.by_name.contains_key("a"));
        assert_eq!(rooms.room(c).member_count(), 0);
        rooms.check();
    }

    /// (6.12, 5.25)
    #[test]
    fn an_empty_room_is_kept_for_its_time_and_then_forgotten() {
        let mut rooms = Rooms::default();
        let until = later(Limits::default().room_history_ms);
        let id = rooms.find_or_add(&name("tea"), later(1), 2).unwrap();
        rooms.enter(id, "anna".into(), SessionId::from_key(0));
        rooms.room_mut(id).history.push(0, "anna: hello");
        rooms.expire(until);
        assert_eq!(rooms.open_count(), 1, "whoever is in it keeps it");
        rooms.leave(id, "anna", until);
        assert_eq!(rooms.open_count(), 0);
        assert_eq!(rooms.find_or_add(&name("TEA"), until, 2), Ok(id));
        assert_eq!(rooms.room(id).history.newest(), "anna: hello");
        rooms.expire(later(Limits::default().room_history_ms - 1));
        assert!(rooms.name(id).is_some());
        rooms.expire(until);
        assert!(rooms.name(id).is_none() && rooms.next_deadline().is_none());
        rooms.check();
    }
}
