//! `paste`: members of a room who paste thousands of lines.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, MENU, Moves};

pub(super) const KIND: Kind = Kind {
    name: "paste",
    does: "Members of one room paste 2,000 lines each, in one go.",
    look_for: "The pasters' input is held because of the pace of the room. The room moves on at a pace \
               that people can read, and no line is lost.",
    protects: &[
        ("6.2.3", "a member who says a lot is delayed, not refused: 10 lines, then 5 per second"),
        ("7.24", "the pace of a member; held input waits in the kernel, not in the server"),
        ("6.2.2", "a member who reads slowly delays nobody"),
    ],
    connections: 10,
    seconds: 10,
    prefix: "paste",
    logs_in: true,
    moves,
};

const LINE: &str = "a line of a long text that somebody pasted into the wrong window\n";
const LINES: usize = 2_000;

fn moves(_n: usize, cast: &Cast) -> Box<dyn Moves> {
    Box::new(Paster { room: cast.stem(), has_entered: false })
}

struct Paster {
    room: String,
    has_entered: bool,
}

impl Moves for Paster {
    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        if line.starts_with(MENU) && !self.has_entered {
            self.has_entered = true;
            hand.say(&format!("4 {}", self.room));
        } else if line.starts_with("* You are now in") {
            hand.send(LINE.repeat(LINES).as_bytes());
        } else if line.strip_prefix(hand.name).is_some_and(|rest| rest.starts_with(": ")) {
            hand.count("lines said in the room");
        }
    }
}
