//! Which room is removed when there are too many (7.42, 7.57): the empty room that is worth least.
//!
//! The order in which rooms became empty must not decide. Whoever enters ten thousand rooms, says a
//! word in each and leaves would push out the histories of all others.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Room, RoomId, RoomUnavailable, RoomWish, Rooms};
use crate::core::Origin;
use crate::core::chat::history::UnixSeconds;
use crate::core::limits::{SITE_SHARE, SPEAKERS_COUNTED_MAX};

/// The hashes of the names that spoke in a room, as many as count.
#[derive(Debug, Default)]
pub(super) struct Speakers(Vec<u32>);

impl Speakers {
    /// Counts the speaker of `line`, which is `NAME: text`.
    pub(super) fn add(&mut self, line: &str) {
        if self.0.len() < SPEAKERS_COUNTED_MAX {
            let mut hasher = DefaultHasher::new();
            line.split(':').next().hash(&mut hasher);
            let hash = hasher.finish() as u32;
            if !self.0.contains(&hash) {
                self.0.push(hash);
            }
        }
    }
}

impl Room {
    /// Orders rooms by what would be lost with them: lines times speakers, less for each hour since
    /// the last line. Of two that are equal, the one with the older last line is worth less.
    fn worth(&self, now: UnixSeconds) -> (u64, UnixSeconds) {
        let said_at = self.history.last(1).next().map_or(0, |(said_at, _)| said_at);
        let hours = now.saturating_sub(said_at) / 3_600;
        let points = 1_000 * self.history.len() as u64 * self.speakers.0.len() as u64;
        (points / (1 + hours), said_at)
    }
}

impl Rooms {
    /// Makes place for one more room, for all users and for the user's address.
    pub(super) fn make_place(&mut self, wish: &RoomWish<'_>) -> Result<(), RoomUnavailable> {
        let of_address = |founder: Origin| founder == wish.founder;
        let site = wish.founder.site();
        let of_site = |founder: Origin| founder.site() == site;
        let (one, four) = (wish.per_address_max, wish.per_address_max * SITE_SHARE as usize);
        let mut removed = None;
        if wish.founder != Origin::NONE && self.founded(of_address) >= one {
            removed = Some(self.worth_least(wish.now, of_address));
        } else if site.is_some() && self.founded(of_site) >= four {
            removed = Some(self.worth_least(wish.now, of_site));
        } else if self.rooms.len() >= wish.rooms_max {
            let id = self.worth_least(wish.now, |_| true).ok_or(RoomUnavailable::TooMany)?;
            removed = Some(Some(id));
        }
        match removed {
            Some(Some(id)) => self.remove(id),
            Some(None) => return Err(RoomUnavailable::TooManyFromAddress),
            None => {}
        }
        Ok(())
    }

    /// How many rooms such a founder has. Visits every room, but only when one is created.
    fn founded(&self, by: impl Fn(Origin) -> bool) -> usize {
        self.rooms.iter().filter(|(_, room)| by(room.founder)).count()
    }

    /// The empty room of such a founder that is worth least. The name decides between equals, so that
    /// a run can be repeated.
    fn worth_least(&self, now: UnixSeconds, by: impl Fn(Origin) -> bool) -> Option<RoomId> {
        let empty = self.rooms.iter().filter(|(_, room)| room.is_empty() && by(room.founder));
        let least = empty.min_by_key(|(_, room)| (room.worth(now), room.name.folded()));
        least.map(|(key, _)| RoomId::from_key(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::SessionId;
    use crate::core::chat::name::Name;
    use crate::core::time::Time;

    /// Enters a room, says a line and leaves.
    fn visit(
        rooms: &mut Rooms,
        founder: Origin,
        room: &str,
        line: &str,
    ) -> Result<(), RoomUnavailable> {
        let (name, until) = (&Name::parse(room).unwrap(), Time::START.after_ms(1_000));
        let wish = RoomWish { name, until, founder, now: 100, rooms_max: 100, per_address_max: 64 };
        let id = rooms.find_or_add(wish)?;
        rooms.enter(id, "x".into(), SessionId::from_key(0));
        rooms.room_mut(id).add_line(100, line);
        rooms.leave(id, "x", until);
        Ok(())
    }

    /// (7.57)
    #[test]
    fn lines_speakers_and_age_make_the_worth_of_a_room() {
        let worth = |lines: &[&str], now| {
            let mut rooms = Rooms::default();
            for line in lines {
                visit(&mut rooms, Origin::NONE, "tea", line).unwrap();
            }
            rooms.rooms.iter().next().unwrap().1.worth(now)
        };
        let of_two = worth(&["anna: a", "bert: b"], 100);
        assert_eq!(of_two, (4_000, 100));
        assert!(of_two > worth(&["anna: a", "anna: b", "anna: c"], 100));
        assert_eq!(worth(&["anna: a", "bert: b"], 100 + 3_600), (2_000, 100));
    }

    /// (7.42, 7.56)
    #[test]
    fn an_honest_history_outlives_ten_thousand_visitors() {
        let mut rooms = Rooms::default();
        for line in ["anna: hello", "bert: hello anna"] {
            visit(&mut rooms, Origin::v4([192, 0, 2, 1]), "tea", line).unwrap();
        }
        for n in 0..10_306_u32 {
            let founder = Origin::v4([10, 0, 0, (n % 8) as u8]);
            visit(&mut rooms, founder, &format!("x{n}"), &format!("x{n}: x")).unwrap();
        }
        let tea = rooms.names.get(&Name::parse("tea").unwrap()).unwrap();
        assert_eq!(rooms.room(tea).history.len(), 2);
        assert_eq!(rooms.rooms.len(), 100);
        rooms.check();
    }

    /// (7.56)
    #[test]
    fn one_address_has_a_share_of_the_rooms() {
        let mut rooms = Rooms::default();
        let founder = Origin::v4([192, 0, 2, 1]);
        for n in 0..1_000 {
            visit(&mut rooms, founder, &format!("x{n}"), "x: x").unwrap();
        }
        assert_eq!(rooms.rooms.len(), 64, "its own rooms make place");
        rooms.check();
    }
}
