//! `byte-at-a-time`: a whole session, each byte in a packet of its own.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, Moves};

pub(super) const KIND: Kind = Kind {
    name: "byte-at-a-time",
    does: "Users send each byte in a packet of its own, also the two bytes of one letter.",
    look_for: "Many events and reads, few lines. The answers are those of whole lines: no letter is \
               broken.",
    protects: &[
        ("2.1.5", "the way in which bytes are cut into packets never changes an answer"),
        ("7.44", "the reads of one turn are bounded, and light connections share them"),
    ],
    connections: 50,
    seconds: 10,
    prefix: "byte",
    logs_in: false,
    moves,
};

fn moves(n: usize, cast: &Cast) -> Box<dyn Moves> {
    let name = cast.name(n);
    let login = format!("{name}\n").into_bytes();
    // The second line is no choice; it holds a letter of two bytes.
    Box::new(Bytewise { bytes: login, at: 0, next: "1\nz\u{fc}g\n".into() })
}

struct Bytewise {
    bytes: Vec<u8>,
    at: usize,
    /// What follows again and again.
    next: Vec<u8>,
}

impl Moves for Bytewise {
    fn connected(&mut self, hand: &mut Hand<'_>) {
        self.sent(hand);
    }

    fn sent(&mut self, hand: &mut Hand<'_>) {
        if self.at == self.bytes.len() {
            self.bytes.clone_from(&self.next);
            self.at = 0;
        }
        hand.send(&self.bytes[self.at..=self.at]);
        self.at += 1;
    }

    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        if line.ends_with(" online") {
            hand.count("lists answered as for a whole line");
        }
    }
}
