//! `slowloris`: connections that never finish their first line.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, Moves};
use crate::peers::peer::{MILLISECOND, SECOND};

pub(super) const KIND: Kind = Kind {
    name: "slowloris",
    does: "Many connections send one letter of a username every second, and never the end of the line.",
    look_for: "Many connections without a name, each with a deadline that runs, and hardly any work.",
    protects: &[
        ("4.2.4", "who has no username at the naming deadline is disconnected, whatever comes"),
        ("7.13", "the naming deadline is 60 s, and a letter does not extend it"),
    ],
    connections: 200,
    seconds: 65,
    prefix: "slow",
    logs_in: false,
    moves,
};

fn moves(n: usize, _cast: &Cast) -> Box<dyn Moves> {
    Box::new(Slow { first_in: (n as u64 % 100) * 10 * MILLISECOND })
}

struct Slow {
    /// Spreads the letters of all connections over the second.
    first_in: u64,
}

impl Moves for Slow {
    fn connected(&mut self, hand: &mut Hand<'_>) {
        hand.wake_in(self.first_in);
    }

    fn due(&mut self, hand: &mut Hand<'_>) {
        hand.send(b"a");
        hand.wake_in(SECOND);
    }
}
