//! The keys that `demo --script` presses, and when. Pure.

use crate::client::ui::keys::Key;
use crate::peers::peer::{MILLISECOND, Micros};

/// When which key is pressed, in milliseconds from the start.
const KEYS: [(u64, Key); 13] = [
    // Follow the session that costs most.
    (4_000, Key::Down),
    (4_300, Key::Enter),
    (7_000, Key::Char('1')),
    (17_000, Key::Char('3')),
    (25_000, Key::Char('6')),
    (32_000, Key::Char('6')),
    // Hold the loop, and let it go step by step.
    (34_000, Key::Char(' ')),
    (35_500, Key::Char('s')),
    (36_500, Key::Char('s')),
    (37_500, Key::Char('s')),
    (38_500, Key::Char('s')),
    (39_500, Key::Char(' ')),
    (42_000, Key::Char('q')),
];

/// The keys that have not been pressed.
#[derive(Debug, Default)]
pub(super) struct Script {
    pressed: usize,
}

impl Script {
    /// When the next key is pressed.
    pub(super) fn next_at(&self) -> Option<Micros> {
        KEYS.get(self.pressed).map(|(ms, _)| ms * MILLISECOND)
    }

    /// The key that is due.
    pub(super) fn press(&mut self, now: Micros) -> Option<Key> {
        let (_, key) = KEYS.get(self.pressed).filter(|(ms, _)| ms * MILLISECOND <= now)?;
        self.pressed += 1;
        Some(key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_presses_each_key_once_in_order_and_ends() {
        assert!(KEYS.is_sorted_by_key(|(ms, _)| *ms));
        let (mut script, mut keys) = (Script::default(), Vec::new());
        while let Some(at) = script.next_at() {
            assert_eq!(script.press(at - 1), None);
            keys.extend(script.press(at));
        }
        assert_eq!(keys.len(), KEYS.len());
        assert_eq!(keys.last(), Some(&Key::Char('q')));
    }
}
