//! The ring: the last turns in which something happened, and what each watcher has not seen of them.

use std::collections::VecDeque;

use crate::core::limits::WATCHED_TURNS_MAX;
use crate::core::operator::TurnRecord;

/// The last turns, at most [`WATCHED_TURNS_MAX`].
#[derive(Debug, Default)]
pub(super) struct Ring {
    turns: VecDeque<TurnRecord>,
    /// How many turns there were so far: the number of the next one.
    recorded: u64,
}

impl Ring {
    /// Adds a turn. The oldest makes room for it.
    pub(super) fn push(&mut self, turn: TurnRecord) {
        if self.turns.len() >= WATCHED_TURNS_MAX {
            self.turns.pop_front();
        }
        self.turns.push_back(turn);
        self.recorded += 1;
    }

    /// The number of the next turn.
    pub(super) fn next(&self) -> u64 {
        self.recorded
    }

    /// The turns from number `next` on, and how many of them are lost.
    pub(super) fn since(&self, next: u64) -> (u64, Vec<TurnRecord>) {
        let oldest = self.recorded - self.turns.len() as u64;
        let lost = oldest.saturating_sub(next);
        let old = usize::try_from((next + lost).saturating_sub(oldest)).unwrap_or(usize::MAX);
        (lost, self.turns.iter().skip(old).copied().collect())
    }

    /// Frees the memory, when nobody watches any more.
    pub(super) fn clear(&mut self) {
        self.turns = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (7.101)
    #[test]
    fn a_slow_watcher_misses_the_oldest_turns_and_learns_how_many() {
        let mut ring = Ring::default();
        let turn = |events| TurnRecord { events, ..TurnRecord::default() };
        let most = WATCHED_TURNS_MAX as u64;
        (0..most).for_each(|n| ring.push(turn(n)));
        assert_eq!(ring.since(0).0, 0);
        assert_eq!(ring.since(most - 1), (0, vec![turn(most - 1)]));
        assert_eq!(ring.since(most), (0, Vec::new()));
        (0..3).for_each(|n| ring.push(turn(most + n)));
        let (lost, turns) = ring.since(1);
        assert_eq!((lost, turns.len(), turns[0]), (2, WATCHED_TURNS_MAX, turn(3)));
        ring.clear();
        assert_eq!(ring.since(most), (3, Vec::new()), "after a time in which nobody watched");
        assert_eq!(ring.next(), most + 3);
    }
}
