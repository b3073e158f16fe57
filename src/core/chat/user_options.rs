//! What keeps requests from being a nuisance (part 4): do-not-disturb, ignoring, cooldowns down,
//! slowing down. Most users never need any of it and own none of it.

use compact_str::CompactString;

use crate::core::limits::{
    ASK_INTERVAL_MS, ASKS_IN_A_ROW_MAX, COOLDOWNS_MAX, IGNORED_MAX, ROOM_LINES_IN_A_ROW_MAX,
};
use crate::core::time::Time;

/// One user's options, and their protection from others'. Names in it are folded.
#[derive(Debug, Default)]
pub(super) struct UserOptions {
    /// Whether they take requests at all (4.5).
    pub(super) busy: bool,
    /// Whether they do not read who joins and leaves a room (6.11).
    pub(super) quiet: bool,
    /// Whose requests they do not take (4.6), sorted.
    ignored: Vec<CompactString>,
    /// Whom they may not ask again before when (4.3), the latest last.
    cooldowns: Vec<(CompactString, Time)>,
    /// Before when they do not enter a room: their partner has just ended a chat (6.1).
    pub(super) no_room_until: Option<Time>,
    /// Of asking (4.4).
    asks: RateLimit,
    /// Of saying something in a room (6.10).
    lines: RateLimit,
}

/// What may be done so often in a row, and then once every interval.
///
/// This is the generic cell rate algorithm (ITU-T I.371): one moment in place of a bucket.
#[derive(Debug)]
struct RateLimit {
    /// When all that was done so far would be over, done once every interval.
    paid_at: Time,
}

impl Default for RateLimit {
    fn default() -> Self {
        RateLimit { paid_at: Time::START }
    }
}

impl RateLimit {
    /// Counts one more at `now`; `Some` says when the allowance will be made up, if it is overdrawn.
    fn spend(&mut self, now: Time, interval_ms: u64, in_a_row: u32) -> Option<Time> {
        self.paid_at = self.paid_at.max(now).after_ms(interval_ms);
        let ahead = self.paid_at.ms_since(now);
        let allowance = u64::from(in_a_row) * interval_ms;
        (ahead > allowance).then(|| now.after_ms(ahead - allowance))
    }
}

impl UserOptions {
    /// Counts an ask at `now`; `Some` says until when the asker's further input is to wait.
    pub(super) fn count_ask(&mut self, now: Time) -> Option<Time> {
        self.asks.spend(now, ASK_INTERVAL_MS, ASKS_IN_A_ROW_MAX)
    }

    /// Counts a line said in a room at `now`, of which one more is free every `interval_ms`; `Some`
    /// says until when the speaker's further input is to wait.
    pub(super) fn count_line(&mut self, now: Time, interval_ms: u64) -> Option<Time> {
        self.lines.spend(now, interval_ms, ROOM_LINES_IN_A_ROW_MAX)
    }

    /// Seconds, rounded up, before `name` may be asked again.
    pub(super) fn cooldown_seconds(&self, now: Time, name: &str) -> Option<u64> {
        let (_, until) = self.cooldowns.iter().rev().find(|(cooldowns, _)| cooldowns == name)?;
        Some(until.ms_since(now).div_ceil(1000)).filter(|&seconds| seconds > 0)
    }

    /// Lets `name` not be asked again before `until`. What has passed, and the oldest of too many,
    /// is forgotten.
    pub(super) fn start_cooldown(&mut self, now: Time, name: CompactString, until: Time) {
        self.cooldowns.retain(|(cooldowns, until)| *until > now && *cooldowns != name);
        if self.cooldowns.len() == COOLDOWNS_MAX {
            self.cooldowns.remove(0);
        }
        self.cooldowns.push((name, until));
    }

    pub(super) fn ignores(&self, name: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored == name)
    }

    /// Ignores `name`; `false` if that would be one too many.
    pub(super) fn ignore(&mut self, name: CompactString) -> bool {
        let Err(place) = self.ignored.binary_search(&name) else { return true };
        if self.ignored.len() == IGNORED_MAX {
            return false;
        }
        self.ignored.insert(place, name);
        true
    }

    pub(super) fn unignore(&mut self, name: &str) {
        self.ignored.retain(|ignored| ignored != name);
    }

    /// The folded names of those ignored, in order.
    pub(super) fn ignored(&self) -> &[CompactString] {
        &self.ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_are_free_at_first_and_then_one_every_interval() {
        let (mut options, now) = (UserOptions::default(), Time::START.after_ms(77_777));
        for _ in 0..ASKS_IN_A_ROW_MAX {
            assert_eq!(options.count_ask(now), None);
        }
        let next = now.after_ms(ASK_INTERVAL_MS);
        assert_eq!(options.count_ask(now), Some(next));
        assert_eq!(options.count_ask(next), Some(next.after_ms(ASK_INTERVAL_MS)));
        assert_eq!(options.count_ask(next.after_ms(60_000)), None, "patience is rewarded");
    }

    #[test]
    fn cooling_down_ends_by_itself_and_is_bounded() {
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

    /// (5.9)
    #[test]
    fn only_so_many_can_be_ignored() {
        let mut options = UserOptions::default();
        for n in 0..IGNORED_MAX {
            assert!(options.ignore(CompactString::new(n.to_string())));
        }
        assert!(options.ignore("0".into()), "whom one ignores already costs nothing");
        assert!(!options.ignore("one more".into()));
        options.unignore("0");
        assert!(
            options.ignore("one more".into())
                && options.ignores("one more")
                && !options.ignores("0")
        );
    }
}
