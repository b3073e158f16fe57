//! What keeps requests from being a nuisance (part 4): do-not-disturb, ignoring, cooling down,
//! slowing down. Most users never need any of it and own none of it.

use compact_str::CompactString;

use crate::limits::{
    ASK_INTERVAL_MS, ASKS_IN_A_ROW_MAX, COOLING_MAX, IGNORED_MAX, ROOM_LINES_IN_A_ROW_MAX,
};
use crate::time::Time;

/// One user's manners, and their protection from others'. Names in it are folded.
#[derive(Debug, Default)]
pub(super) struct Manners {
    /// Whether they take requests at all (4.5).
    pub(super) busy: bool,
    /// Whether they do not read who joins and leaves a room (6.11).
    pub(super) quiet: bool,
    /// Whose requests they do not take (4.6), sorted.
    ignored: Vec<CompactString>,
    /// Whom they may not ask again before when (4.3), the latest last.
    cooling: Vec<(CompactString, Time)>,
    /// Before when they do not enter a room: their partner has just ended a chat (6.1).
    pub(super) parted_until: Option<Time>,
    /// Of asking (4.4).
    asks: Allowance,
    /// Of saying something in a room (6.10).
    lines: Allowance,
}

/// What may be done so often in a row, and then once every interval.
///
/// This is the generic cell rate algorithm (ITU-T I.371): one moment in place of a bucket.
#[derive(Debug)]
struct Allowance {
    /// When all that was done so far would be over, done once every interval.
    paid_at: Time,
}

impl Default for Allowance {
    fn default() -> Self {
        Allowance { paid_at: Time::START }
    }
}

impl Allowance {
    /// Counts one more at `now`; `Some` says when the allowance will be made up, if it is overdrawn.
    fn spend(&mut self, now: Time, interval_ms: u64, in_a_row: u32) -> Option<Time> {
        self.paid_at = self.paid_at.max(now).after_ms(interval_ms);
        let ahead = self.paid_at.ms_since(now);
        let allowance = u64::from(in_a_row) * interval_ms;
        (ahead > allowance).then(|| now.after_ms(ahead - allowance))
    }
}

impl Manners {
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
    pub(super) fn cooling_seconds(&self, now: Time, name: &str) -> Option<u64> {
        let (_, until) = self.cooling.iter().rev().find(|(cooling, _)| cooling == name)?;
        Some(until.ms_since(now).div_ceil(1000)).filter(|&seconds| seconds > 0)
    }

    /// Lets `name` not be asked again before `until`. What has passed, and the oldest of too many,
    /// is forgotten.
    pub(super) fn cool(&mut self, now: Time, name: CompactString, until: Time) {
        self.cooling.retain(|(cooling, until)| *until > now && *cooling != name);
        if self.cooling.len() == COOLING_MAX {
            self.cooling.remove(0);
        }
        self.cooling.push((name, until));
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
        let (mut manners, now) = (Manners::default(), Time::START.after_ms(77_777));
        for _ in 0..ASKS_IN_A_ROW_MAX {
            assert_eq!(manners.count_ask(now), None);
        }
        let next = now.after_ms(ASK_INTERVAL_MS);
        assert_eq!(manners.count_ask(now), Some(next));
        assert_eq!(manners.count_ask(next), Some(next.after_ms(ASK_INTERVAL_MS)));
        assert_eq!(manners.count_ask(next.after_ms(60_000)), None, "patience is rewarded");
    }

    #[test]
    fn cooling_down_ends_by_itself_and_is_bounded() {
        let (mut manners, now) = (Manners::default(), Time::START);
        manners.cool(now, "anna".into(), now.after_ms(10_000));
        assert_eq!(manners.cooling_seconds(now.after_ms(1), "anna"), Some(10));
        assert_eq!(manners.cooling_seconds(now.after_ms(9_999), "anna"), Some(1));
        assert_eq!(manners.cooling_seconds(now.after_ms(10_000), "anna"), None);
        assert_eq!(manners.cooling_seconds(now, "bert"), None);
        for n in 0..10 * COOLING_MAX {
            manners.cool(now, CompactString::new(n.to_string()), now.after_ms(10));
        }
        assert_eq!(manners.cooling.len(), COOLING_MAX);
    }

    /// (5.9)
    #[test]
    fn only_so_many_can_be_ignored() {
        let mut manners = Manners::default();
        for n in 0..IGNORED_MAX {
            assert!(manners.ignore(CompactString::new(n.to_string())));
        }
        assert!(manners.ignore("0".into()), "whom one ignores already costs nothing");
        assert!(!manners.ignore("one more".into()));
        manners.unignore("0");
        assert!(
            manners.ignore("one more".into())
                && manners.ignores("one more")
                && !manners.ignores("0")
        );
    }
}
