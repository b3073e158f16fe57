//! `long-line`: lines of a mebibyte.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, MENU, Moves};
use crate::core::limits::PEER_WRITE_BYTES;

pub(super) const KIND: Kind = Kind {
    name: "long-line",
    does: "Users send lines of 1 MiB, and wait for the answer to each.",
    look_for: "Bytes are read and no lines come of them. Memory stays where it is: beyond 1,024 bytes \
               the server keeps nothing of a line.",
    protects: &[
        (
            "2.1.3",
            "of a line that is too long nothing is kept; one line says so, and the session goes on",
        ),
        ("7.1", "a line has at most 1,024 bytes"),
    ],
    connections: 20,
    seconds: 10,
    prefix: "long",
    logs_in: true,
    moves,
};

const LINE_BYTES: usize = 1 << 20;

fn moves(_n: usize, _cast: &Cast) -> Box<dyn Moves> {
    Box::new(LongLine { left: 0 })
}

struct LongLine {
    /// Bytes of the line that are not sent yet.
    left: usize,
}

impl Moves for LongLine {
    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        if line.starts_with(MENU) && self.left == 0 {
            self.left = LINE_BYTES;
            self.sent(hand);
        }
    }

    fn sent(&mut self, hand: &mut Hand<'_>) {
        if self.left > 0 {
            let count = self.left.min(PEER_WRITE_BYTES);
            self.left -= count;
            let mut part = vec![b'x'; count];
            if self.left == 0 {
                part.push(b'\n');
            }
            hand.send(&part);
        }
    }
}
