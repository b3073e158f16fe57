//! `flood`: users who send lines as fast as the server takes them, and read every answer.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, MENU, Moves};
use crate::core::limits::PEER_WRITE_BYTES;

pub(super) const KIND: Kind = Kind {
    name: "flood",
    does: "Users at the menu send short lines as fast as the server takes them, and read every answer.",
    look_for: "The loop hardly waits. Every turn holds input for the next one (h below the strip), and \
               everybody else is served first.",
    protects: &[
        ("7.44", "at most 4 heavy connections a turn, 4 KiB of each; light ones go first"),
        ("7.36", "who does not read the answers is not read either"),
    ],
    connections: 50,
    seconds: 10,
    prefix: "flood",
    logs_in: true,
    moves,
};

fn moves(_n: usize, _cast: &Cast) -> Box<dyn Moves> {
    Box::new(Flooder { has_begun: false })
}

struct Flooder {
    has_begun: bool,
}

impl Moves for Flooder {
    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        if !self.has_begun && line.starts_with(MENU) {
            self.has_begun = true;
            self.sent(hand);
        }
    }

    fn sent(&mut self, hand: &mut Hand<'_>) {
        if self.has_begun {
            hand.send(&b"x\n".repeat(PEER_WRITE_BYTES / 2));
        }
    }
}
