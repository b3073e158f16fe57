//! `half-close`: clients that end their half at once, as `nc -N` does, and want their answers.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, Moves};
use crate::peers::peer::{Close, MILLISECOND};

pub(super) const KIND: Kind = Kind {
    name: "half-close",
    does: "Clients send a whole session in one packet, the last line without an ending, and end their \
           half at once. Then they come back.",
    look_for: "Connections that come and go within a turn or two. Each reads its input to the end \
               before it is closed.",
    protects: &[
        ("2.1.6", "everything sent before the end is answered, also a last line without an ending"),
        ("4.10.3", "the server waits until the kernel has taken all lines before it closes"),
    ],
    connections: 20,
    seconds: 10,
    prefix: "half",
    logs_in: false,
    moves,
};

const ANSWERS: usize = 2;

fn moves(_n: usize, _cast: &Cast) -> Box<dyn Moves> {
    Box::new(HalfCloser { answers: 0 })
}

struct HalfCloser {
    answers: usize,
}

impl Moves for HalfCloser {
    fn connected(&mut self, hand: &mut Hand<'_>) {
        self.answers = 0;
        let name = hand.name;
        hand.send(format!("{name}\n1\n1").as_bytes());
        hand.close(Close::Half);
    }

    fn hears(&mut self, line: &str, _hand: &mut Hand<'_>) {
        self.answers += usize::from(line.ends_with(" online"));
    }

    fn ended(&mut self, _is_welcomed: bool, hand: &mut Hand<'_>) {
        hand.count(match self.answers {
            ANSWERS => "sessions got all their answers",
            _ => "sessions lost an answer",
        });
        hand.connect_in(200 * MILLISECOND);
    }
}
