//! The options of one user (part 5, 4.8.9): do-not-disturb, ignore list, quiet, and the limits that
//! keep the user's requests and lines from bothering others.
//!
//! `roster` creates the options at the first change, since most users need none. Names in them are
//! case-folded. Nothing here knows who is online: a user can ignore a name that nobody has yet.

use std::num::NonZeroU32;

use compact_str::CompactString;
use slab::Slab;

use super::rate_limit::RateLimit;
use crate::core::Origin;
use crate::core::limits::{
    ASK_INTERVAL_MS, ASKS_IN_A_ROW_MAX, COOLDOWNS_MAX, IGNORED_MAX, ROOM_LINES_IN_A_ROW_MAX,
};
use crate::core::time::Time;

/// The options of all users who have changed one.
#[derive(Debug, Default)]
pub(super) struct OptionsTable(Slab<Box<UserOptions>>);

/// The place of a user's options in the table. With a pointer instead, an idle user would cost 4
/// bytes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OptionsKey(NonZeroU32);

impl OptionsTable {
    /// The options at `key`, or the defaults.
    pub(super) fn get(&self, key: Option<OptionsKey>) -> &UserOptions {
        static DEFAULTS: UserOptions = UserOptions::new();
        key.and_then(|key| self.0.get(key.place())).map_or(&DEFAULTS, |options| options)
    }

    /// The options at `key`. Creates an entry if `key` is `None`, and puts its place there.
    pub(super) fn get_mut(&mut self, key: &mut Option<OptionsKey>) -> &mut UserOptions {
        let key = key.get_or_insert_with(|| OptionsKey::of(self.0.insert(Box::default())));
        &mut self.0[key.place()]
    }

    /// Frees the options of a user who has left.
    pub(super) fn remove(&mut self, key: Option<OptionsKey>) {
        if let Some(key) = key {
            self.0.remove(key.place());
        }
    }

    pub(super) fn release_memory(&mut self) {
        self.0.shrink_to_fit();
    }

    /// How many users have options of their own.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl OptionsKey {
    fn of(place: usize) -> OptionsKey {
        let number = u32::try_from(place + 1).ok().and_then(NonZeroU32::new);
        OptionsKey(number.expect("there are fewer users than 2^32"))
    }

    fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// One user's options and limits. They last as long as the session.
#[derive(Debug)]
pub(super) struct UserOptions {
    /// Do-not-disturb: the user takes no requests (5.5.1).
    pub(super) busy: bool,
    /// The user hides joins and leavings in rooms (4.8.9).
    pub(super) quiet: bool,
    /// Names whose requests the user does not take (5.6.1), sorted.
    ignored: Vec<CompactString>,
    /// Addresses whose requests the user does not take (5.6.2), each with the name to take it back by.
    shut_out: Vec<(Origin, CompactString)>,
    /// Names that the user may not ask before the given time (5.7.1), oldest entry first.
    cooldowns: Vec<(CompactString, Time)>,
    /// No room may be entered until this time, because the partner has just ended a chat (6.1.1).
    pub(super) no_room_until: Option<Time>,
    /// Limits requests (5.7.2).
    requests: RateLimit,
    /// Limits lines said in rooms (6.2.3).
    room_lines: RateLimit,
}

impl Default for UserOptions {
    fn default() -> Self {
        UserOptions::new()
    }
}

impl UserOptions {
    const fn new() -> UserOptions {
        UserOptions {
            busy: false,
            quiet: false,
            ignored: Vec::new(),
            shut_out: Vec::new(),
            cooldowns: Vec::new(),
            no_room_until: None,
            requests: RateLimit::new(),
            room_lines: RateLimit::new(),
        }
    }

    /// Whether the user may not enter a room yet (7.20): the partner has just ended a chat, and the
    /// user's next lines may have been typed for that partner.
    pub(super) fn must_wait_for_room(&self, now: Time) -> bool {
        self.no_room_until.is_some_and(|until| now < until)
    }

    /// Counts a request at `now`. Returns until when the user's further input must wait, if the
    /// allowance is exceeded.
    pub(super) fn charge_request(&mut self, now: Time) -> Option<Time> {
        self.requests.charge(now, ASK_INTERVAL_MS, ASKS_IN_A_ROW_MAX)
    }

    /// Counts a line said in a room at `now`; one more line is free every `interval_ms`. Returns
    /// until when the user's further input must wait, if the allowance is exceeded.
    pub(super) fn charge_room_line(&mut self, now: Time, interval_ms: u64) -> Option<Time> {
        self.room_lines.charge(now, interval_ms, ROOM_LINES_IN_A_ROW_MAX)
    }

    /// Seconds, rounded up, until the user may ask `name` again; `None` if the user may now.
    /// Rounding down would invite a request that is refused again.
    pub(super) fn cooldown_seconds(&self, now: Time, name: &str) -> Option<u64> {
        let (_, until) = self.cooldowns.iter().rev().find(|(cooling, _)| cooling == name)?;
        Some(until.ms_since(now).div_ceil(1000)).filter(|&seconds| seconds > 0)
    }

    /// Forbids requests to `name` before `until`. Drops expired cool-downs, and then the oldest one
    /// if the list is full: memory per user is limited, and no request depends on the list.
    pub(super) fn start_cooldown(&mut self, now: Time, name: CompactString, until: Time) {
        self.cooldowns.retain(|(cooling, until)| *until > now && *cooling != name);
        if self.cooldowns.len() == COOLDOWNS_MAX {
            self.cooldowns.remove(0);
        }
        self.cooldowns.push((name, until));
    }

    pub(super) fn ignores(&self, name: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored == name)
    }

    /// Adds `name` to the ignore list. `false` if the list is full. Adding a name twice succeeds.
    pub(super) fn ignore(&mut self, name: CompactString) -> bool {
        let Err(place) = self.ignored.binary_search(&name) else { return true };
        if self.ignored.len() == IGNORED_MAX {
            return false;
        }
        self.ignored.insert(place, name);
        true
    }

    /// Ignores `name` and everybody from `origin`. `false` if there is no place for one more.
    pub(super) fn shut_out(&mut self, origin: Origin, name: CompactString) -> bool {
        if self.shut_out.len() == IGNORED_MAX || !self.ignore(name.clone()) {
            return false;
        }
        if origin != Origin::NONE {
            self.shut_out.push((origin, name));
        }
        true
    }

    /// Whether requests from there are not taken.
    pub(super) fn shuts_out(&self, origin: Origin) -> bool {
        self.shut_out.iter().any(|(shut_out, _)| *shut_out == origin)
    }

    /// Takes a name off the ignore list, and with it the address that was shut out with it.
    pub(super) fn unignore(&mut self, name: &str) {
        self.ignored.retain(|ignored| ignored != name);
        self.shut_out.retain(|(_, shut_out)| shut_out != name);
    }

    /// The names on the ignore list, in order.
    pub(super) fn ignored(&self) -> &[CompactString] {
        &self.ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (7.23)
    #[test]
    fn requests_beyond_the_allowance_wait_for_the_interval() {
        let (mut options, now) = (UserOptions::default(), Time::START.after_ms(77_777));
        for _ in 0..ASKS_IN_A_ROW_MAX {
            assert_eq!(options.charge_request(now), None);
        }
        let next = now.after_ms(ASK_INTERVAL_MS);
        assert_eq!(options.charge_request(now), Some(next));
    }

    /// (5.7.1, 7.15)
    #[test]
    fn a_cooldown_expires_by_itself_and_their_number_is_limited() {
        let (mut options, now) = (UserOptions::default(), Time::START);
        options.start_cooldown(now, "anna".into(), now.after_ms(10_000));
        assert_eq!(options.cooldown_seconds(now.after_ms(1), "anna"), Some(10));
        assert_eq!(options.cooldown_seconds(now.after_ms(9_999), "anna"), Some(1));
        assert_eq!(options.cooldown_seconds(now.after_ms(10_000), "anna"), None);
        assert_eq!(options.cooldown_seconds(now, "bert"), None);
        for n in 0..10 * COOLDOWNS_MAX {
            options.start_cooldown(now, CompactString::new(n.to_string()), now.after_ms(10));
        }
        assert_eq!(options.cooldowns.len(), COOLDOWNS_MAX);
    }

    /// (7.29)
    #[test]
    fn the_length_of_the_ignore_list_is_limited() {
        let mut options = UserOptions::default();
        for n in 0..IGNORED_MAX {
            assert!(options.ignore(CompactString::new(n.to_string())));
        }
        assert!(options.ignore("0".into()), "a name already on the list takes no new entry");
        assert!(!options.ignore("one more".into()));
        options.unignore("0");
        assert!(
            options.ignore("one more".into())
                && options.ignores("one more")
                && !options.ignores("0")
        );
    }
}
