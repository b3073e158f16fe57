//! What followers of the lists know (5.8). The model does not see these lines: when they come is the
//! server's choice. In the end all that they say must be true.

use std::collections::{BTreeMap, BTreeSet};

use super::World;
use crate::model::State;
use crate::sabotage::{Fault, Sabotage};

const FOLLOWS: &str = "* You follow the lists: ";
const CHANGED: &str = "* The lists changed: ";
const AGAIN: &str = "* The lists again: ";
const ENDS: &str = "* You no longer follow";

/// Two messages about changes begin so far apart, in milliseconds (7.130).
const INTERVAL_MS: u64 = 1_000;

/// The lists as one client knows them.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    is_following: bool,
    /// The rows, by the name or marked room that they begin with.
    rows: BTreeMap<String, String>,
    /// The numbers of users and rooms.
    counts: (usize, usize),
    /// How many rows of the message are still to come.
    rows_left: usize,
    /// The message never comes: see [`Fault::ListChangeLost`].
    is_lost: bool,
    /// When the last two messages came that nobody had asked for.
    told_at: [Option<u64>; 2],
    /// How many of them came.
    told: u64,
}

impl Mirror {
    /// Follows a line that the server sent. Returns whether it is hidden from the model.
    pub(super) fn follow(&mut self, line: &[u8], now: u64, sabotage: &mut Sabotage) -> bool {
        let line = String::from_utf8_lossy(line);
        if self.rows_left > 0 {
            self.rows_left -= 1;
            let row =
                line.strip_prefix("- ").unwrap_or_else(|| panic!("{line:?} is no row (5.8.2)"));
            if !std::mem::take(&mut self.is_lost) {
                self.take_row(row);
            }
            return true;
        }
        let heads = [FOLLOWS, CHANGED, AGAIN];
        let head = heads.into_iter().find_map(|head| Some((head, line.strip_prefix(head)?)));
        let Some((head, counts)) = head else {
            self.is_following &= !line.starts_with(ENDS);
            return false;
        };
        if head != CHANGED {
            self.rows.clear();
        }
        self.take_counts(counts);
        if head == FOLLOWS {
            self.is_following = true;
            return false;
        }
        assert!(self.is_following, "{line:?} comes to somebody who does not follow");
        self.check_pace(now);
        self.is_lost = self.rows_left > 0 && sabotage.strikes(Fault::ListChangeLost);
        true
    }

    fn take_counts(&mut self, counts: &str) {
        let numbers = counts.split(", ").map(|part| part.split(' ').next().map(str::parse));
        let numbers = numbers.map(|number| number.and_then(Result::ok).expect("a number"));
        let [users, rooms, rows] = numbers.collect::<Vec<usize>>()[..] else {
            panic!("{counts:?} are not three counts (5.8.2)")
        };
        (self.counts, self.rows_left) = ((users, rooms), rows);
    }

    fn take_row(&mut self, row: &str) {
        let (name, rest) = row.split_once(' ').expect("a row has a name and a state (5.8.3)");
        match rest {
            "gone" => assert!(self.rows.remove(name).is_some(), "{name} was not there"),
            _ => {
                let old = self.rows.insert(name.into(), row.into());
                assert_ne!(old.as_deref(), Some(row), "a row that has not changed (5.8.2)");
            }
        }
    }

    /// A follower who was held is told between two others. The next message can therefore come sooner,
    /// but not the one behind it.
    fn check_pace(&mut self, now: u64) {
        let [before, last] = self.told_at;
        let too_soon = before.is_some_and(|before| now < before + INTERVAL_MS);
        assert!(!too_soon, "three messages about changes at {before:?}, {last:?} and {now}");
        self.told_at = [last, Some(now)];
        self.told += 1;
    }
}

impl World {
    /// Lets the server tell its followers everything, and checks that it is true.
    pub(super) fn check_mirrors(&mut self) {
        for _ in 0..20_000 {
            if !self.exchange.chat().owes_followers() {
                break;
            }
            self.jump_to_next_deadline();
        }
        assert!(!self.exchange.chat().owes_followers(), "followers are never told");
        let (rows, counts) = self.model.lists();
        let sessions = self.model.sessions().filter(|(_, session)| session.state != State::Ended);
        for (who, session) in sessions {
            let Mirror { is_following, rows: known, counts: known_counts, told, .. } =
                &self.sockets[&who].mirror;
            assert_eq!(*is_following, session.follows, "{who} follows, or does not");
            if *is_following {
                let known = known.values().cloned().collect::<BTreeSet<_>>();
                assert_eq!(known, rows, "{who} follows other lists");
                assert_eq!(*known_counts, counts, "{who} follows other lists");
            }
            self.stats.told += told;
        }
    }
}
