//! What the demonstration shows below the view, and what a key means. Pure: lines of the children and
//! keys go in.

use serde_json::Value;

use crate::attack::kinds::{self, Kind};
use crate::client::ui::keys::Key;

/// The keys of the attacks, in the order of the panel.
const KEYS: [(char, &str, u64); 11] = [
    ('1', "lazy-reader", 14),
    ('2', "slowloris", 12),
    ('3', "flood", 10),
    ('4', "byte-at-a-time", 10),
    ('5', "half-close", 10),
    ('6', "reset-storm", 10),
    ('7', "out-of-descriptors", 10),
    ('8', "long-line", 10),
    ('9', "telnet-flood", 10),
    ('0', "request-squatting", 30),
    ('p', "paste", 12),
];

/// What the loop must do after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Start this attack, for so many seconds.
    Attack(usize),
    /// End the attack that runs.
    EndAttack,
    /// The key is for the view.
    PassOn,
}

/// What is shown.
#[derive(Debug, Default)]
pub(super) struct Stage {
    /// Where the server listens.
    pub(super) address: String,
    /// The last report of the crowd.
    pub(super) crowd: Option<Value>,
    /// The attack that runs, as its place in the panel.
    pub(super) attack: Option<usize>,
    /// The attack that runs or ran last: it may end before its first report.
    last: Option<usize>,
    /// The last report of that attack.
    pub(super) report: Option<Value>,
}

impl Stage {
    pub(super) fn new(address: String) -> Stage {
        Stage { address, ..Stage::default() }
    }

    pub(super) fn handle_key(&mut self, key: &Key) -> Action {
        let Key::Char(pressed) = key else { return Action::PassOn };
        let Some(n) = KEYS.iter().position(|(key, _, _)| key == pressed) else {
            return Action::PassOn;
        };
        if self.attack == Some(n) {
            self.attack = None;
            return Action::EndAttack;
        }
        (self.attack, self.last, self.report) = (Some(n), Some(n), None);
        Action::Attack(n)
    }

    /// Takes a line that the crowd printed.
    pub(super) fn hear_crowd(&mut self, line: &str) {
        if let Ok(report) = serde_json::from_str(line) {
            self.crowd = Some(report);
        }
    }

    /// Takes a line that the attack printed.
    pub(super) fn hear_attack(&mut self, line: &str) {
        if let Ok(report) = serde_json::from_str(line) {
            self.report = Some(report);
        }
    }

    /// The process of the attack has ended.
    pub(super) fn attack_has_ended(&mut self) {
        self.attack = None;
    }

    /// The attack that runs or ran last.
    pub(super) fn kind(&self) -> Option<&'static Kind> {
        self.last.and_then(kind_of)
    }
}

/// The attack at this place of the panel.
pub(super) fn kind_of(n: usize) -> Option<&'static Kind> {
    KEYS.get(n).and_then(|(_, name, _)| kinds::find(name))
}

/// How long the attack at this place lasts here: long enough to see what protects.
pub(super) fn seconds_of(n: usize) -> u64 {
    KEYS.get(n).map_or(10, |(_, _, seconds)| *seconds)
}

/// The keys and what they start.
pub(super) fn keys() -> impl Iterator<Item = (char, &'static str)> {
    KEYS.iter().map(|(key, name, _)| (*key, *name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attack_has_a_key_and_every_key_an_attack() {
        assert_eq!(KEYS.len(), kinds::KINDS.len());
        for (n, (key, name)) in keys().enumerate() {
            let mut stage = Stage::default();
            assert_eq!(kind_of(n).map(|kind| kind.name), Some(name));
            assert_eq!(stage.handle_key(&Key::Char(key)), Action::Attack(n));
            assert_eq!(stage.kind().map(|kind| kind.name), Some(name));
            assert_eq!(stage.handle_key(&Key::Char(key)), Action::EndAttack, "again ends it");
            assert_eq!(stage.kind().map(|kind| kind.name), Some(name), "and it is not forgotten");
        }
    }

    #[test]
    fn other_keys_are_for_the_view() {
        let mut stage = Stage::default();
        for key in [Key::Char(' '), Key::Char('q'), Key::Char('s'), Key::Up, Key::Enter] {
            assert_eq!(stage.handle_key(&key), Action::PassOn);
        }
    }

    #[test]
    fn what_a_child_prints_may_be_anything() {
        let mut stage = Stage::default();
        for line in ["", "chinwag: no server", "[1, 2]", "{\"kind\": 7}", "{\"kind\": \"flood\"}"] {
            stage.hear_attack(line);
            stage.hear_crowd(line);
        }
        assert!(stage.kind().is_none(), "no key was pressed");
    }
}
