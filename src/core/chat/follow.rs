//! Followers of the lists (5.8): whom to tell of changes among users and rooms, and when.
//!
//! All followers see one [`Board`]. A round compares it with the roster, which makes one message for
//! all; then the followers are told, a few at a time. A login costs nothing but a mark, however many
//! follow. The exchange calls this, because only it knows who has read everything.

mod board;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use super::Chat;
use super::roster::Roster;
use super::session::Session;
use super::wording::{Line, ListNews};
use crate::core::SessionId;
use crate::core::limits::{
    FOLLOWERS_AT_A_TIME, FOLLOWERS_PACE_MS, LIST_CHANGES_DELAY_MS, LIST_CHANGES_INTERVAL_MS,
};
use crate::core::time::Time;
use board::Board;

/// The followers, and what they are told.
#[derive(Debug)]
pub(super) struct Follows {
    /// Each follower, and the number of the board that it knows.
    followers: BTreeMap<SessionId, u64>,
    board: Board,
    /// The number of the board: it grows with each board that differs from the one before.
    number: u64,
    /// For followers who know the board before this one.
    changes: Message,
    /// For followers who know an older one.
    again: Message,
    /// When the roster first differed from the board.
    changed_at: Option<Time>,
    /// The next round does not begin before.
    next_round: Time,
    /// While a round tells the followers in their order: the last who was told.
    told: Option<Bound<SessionId>>,
    /// Followers who had not read everything when they were to be told, and are told once they have.
    held: BTreeSet<SessionId>,
    /// Followers who were held and have read everything.
    late: VecDeque<SessionId>,
    /// The next followers are not told before.
    next_told: Time,
}

/// Whole lines for a follower.
#[derive(Debug, Default)]
struct Message {
    text: String,
    lines: u64,
}

/// A message of [`Chat::tell_follower`].
#[derive(Debug, Clone, Copy)]
pub struct ListMessage<'a> {
    /// Whole lines: UTF-8, safe for a terminal, each ends in CR LF.
    pub text: &'a [u8],
    /// How many lines these are.
    pub lines: u64,
}

impl Chat {
    /// Says all rows, and tells the session of changes from now on (5.8.1).
    pub(super) fn follow(&mut self, id: SessionId) {
        let follows = &mut self.follows;
        if follows.followers.is_empty() {
            follows.board = Board::of(&self.roster);
            follows.make_again();
        }
        follows.followers.insert(id, follows.number);
        self.outputs.say(id, &Line::from(ListNews::Following(follows.board.size())));
        follows.board.rows().for_each(|row| self.outputs.say_encoded(id, row));
    }

    /// Tells the session no more changes.
    pub(super) fn unfollow(&mut self, id: SessionId) {
        self.follows.remove(id);
        self.say(id, Line::from(ListNews::NotFollowing));
    }

    /// Notes when the lists have changed. The exchange calls it after each `handle_*` call.
    pub fn note_list_changes(&mut self, now: Time) {
        if self.roster.take_changed() && !self.follows.followers.is_empty() {
            self.follows.changed_at.get_or_insert(now);
        }
    }

    /// How many followers to look at now, with [`Chat::next_follower`] (7.131). Begins a round if one
    /// is due.
    pub fn begin_telling(&mut self, now: Time) -> usize {
        if self.follows.next_due().is_none_or(|due| now < due) {
            return 0;
        }
        if !self.follows.is_telling() {
            self.follows.begin_round(now, &self.roster);
        }
        self.follows.next_told = now.after_ms(FOLLOWERS_PACE_MS);
        FOLLOWERS_AT_A_TIME
    }

    /// The next follower to tell, with [`Chat::tell_follower`] or [`Chat::hold_follower`]. `None` if
    /// nobody is left for now.
    pub fn next_follower(&mut self) -> Option<SessionId> {
        let follows = &mut self.follows;
        if let Some(id) = follows.late.pop_front() {
            return Some(id);
        }
        let after = (follows.told?, Bound::Unbounded);
        let next = follows.followers.range(after).next().map(|(&id, _)| id);
        follows.told = next.map(Bound::Excluded);
        next
    }

    /// What this follower has not been told; `None` if it knows the board.
    pub fn tell_follower(&mut self, id: SessionId) -> Option<ListMessage<'_>> {
        let Follows { followers, number, changes, again, .. } = &mut self.follows;
        let known = followers.get_mut(&id)?;
        let message = match *number - std::mem::replace(known, *number) {
            0 => return None,
            1 => changes,
            _ => again,
        };
        Some(ListMessage { text: message.text.as_bytes(), lines: message.lines })
    }

    /// This follower has not read everything: nothing may be added (5.8.5).
    pub fn hold_follower(&mut self, id: SessionId) {
        if self.follows.followers.get(&id).is_some_and(|&known| known < self.follows.number) {
            self.follows.held.insert(id);
        }
    }

    /// Whether followers are held. A cheap question before [`Chat::release_follower`].
    #[must_use]
    pub fn has_held_followers(&self) -> bool {
        !self.follows.held.is_empty()
    }

    /// This session has read everything. If it was held, it is told soon.
    pub fn release_follower(&mut self, now: Time, id: SessionId) {
        let follows = &mut self.follows;
        if follows.held.remove(&id) {
            // Not at once: what has come meanwhile joins it.
            follows.next_told = match follows.is_telling() {
                true => follows.next_told,
                false => follows.next_told.max(now.after_ms(FOLLOWERS_PACE_MS)),
            };
            follows.late.push_back(id);
        }
    }

    /// Whether followers are still to be told something, now or once they have read.
    #[must_use]
    pub fn owes_followers(&self) -> bool {
        self.follows.next_due().is_some() || self.has_held_followers()
    }

    /// Checks that only users follow, and that each may still be told.
    pub(super) fn check_followers(&self) {
        let Follows { followers, held, late, number, .. } = &self.follows;
        for (&id, known) in followers {
            assert!(matches!(self.roster.session(id), Session::User(_)), "{id} follows");
            assert!(known <= number, "{id} knows a board that does not exist");
        }
        let waiting = held.iter().chain(late);
        assert!(waiting.clone().all(|id| followers.contains_key(id)), "only followers wait");
        assert!(late.iter().all(|id| !held.contains(id)), "nobody waits twice");
    }
}

impl Follows {
    pub(super) fn new() -> Follows {
        Follows {
            followers: BTreeMap::new(),
            board: Board::default(),
            number: 0,
            changes: Message::default(),
            again: Message::default(),
            changed_at: None,
            next_round: Time::START,
            told: None,
            held: BTreeSet::new(),
            late: VecDeque::new(),
            next_told: Time::START,
        }
    }

    /// Forgets a session.
    pub(super) fn remove(&mut self, id: SessionId) {
        if self.followers.remove(&id).is_some() {
            self.held.remove(&id);
            self.late.retain(|&late| late != id);
        }
        if self.followers.is_empty() {
            (self.told, self.changed_at) = (None, None);
        }
    }

    /// When the followers must be looked at. `None` if they know everything or are held.
    pub(super) fn next_due(&self) -> Option<Time> {
        match self.is_telling() {
            true => Some(self.next_told),
            false => self.next_round(),
        }
    }

    pub(super) fn release_memory(&mut self) {
        for message in [&mut self.changes, &mut self.again] {
            message.text.shrink_to_fit();
        }
        self.late.shrink_to_fit();
    }

    fn next_round(&self) -> Option<Time> {
        let changed_at = self.changed_at?;
        let soonest = changed_at.after_ms(LIST_CHANGES_DELAY_MS);
        Some(soonest.max(self.next_round).max(self.next_told))
    }

    fn is_telling(&self) -> bool {
        self.told.is_some() || !self.late.is_empty()
    }

    /// Makes the next board and the messages about it. If they all know it already, nobody is told.
    fn begin_round(&mut self, now: Time, roster: &Roster) {
        self.changed_at = None;
        self.next_round = now.after_ms(LIST_CHANGES_INTERVAL_MS);
        let board = Board::of(roster);
        // If nothing has changed, the last changes stay: a follower may be told them late.
        let mut text = String::new();
        let Some(rows) = board.changes_since(&self.board, &mut text) else { return };
        self.changes = Message { text, lines: 1 + rows as u64 };
        self.board = board;
        self.number += 1;
        self.make_again();
        self.told = Some(Bound::Unbounded);
    }

    fn make_again(&mut self) {
        let Message { text, lines } = &mut self.again;
        text.clear();
        let size = self.board.size();
        Line::from(ListNews::Again(size)).encode(text);
        self.board.rows().for_each(|row| text.push_str(row));
        *lines = 1 + size.rows as u64;
    }
}
