//! `reset-storm`: connections that are cut, at every moment of a session.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, MENU, Moves, USERNAME};
use crate::peers::peer::{Close, MILLISECOND};

pub(super) const KIND: Kind = Kind {
    name: "reset-storm",
    does: "Connections are cut with a reset: at once, after the greeting, in the middle of a name, at \
           the menu. Then they come back.",
    look_for: "Accepted and closed connections in every turn. The number of users returns to what it \
               was, because no name stays behind.",
    protects: &[
        ("4.10.1", "a reset ends one session, at once, and its username is free in the same turn"),
        ("7.34", "a turn accepts at most 64 connections, so users are served between two storms"),
    ],
    connections: 100,
    seconds: 10,
    prefix: "reset",
    logs_in: false,
    moves,
};

fn moves(n: usize, _cast: &Cast) -> Box<dyn Moves> {
    Box::new(Resetter { moment: n % 4 })
}

struct Resetter {
    /// When the next reset comes: 0 at once … 3 at the menu.
    moment: usize,
}

impl Moves for Resetter {
    fn connected(&mut self, hand: &mut Hand<'_>) {
        if self.moment == 0 {
            hand.close(Close::Reset);
        }
    }

    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        match self.moment {
            1 if line.starts_with(USERNAME) => hand.close(Close::Reset),
            2 if line.starts_with(USERNAME) => {
                hand.send(&hand.name.as_bytes()[..3]);
                hand.close(Close::Reset);
            }
            3 if line.starts_with(USERNAME) => hand.say(hand.name),
            3 if line.starts_with(MENU) => hand.close(Close::Reset),
            _ => {}
        }
    }

    fn ended(&mut self, _is_welcomed: bool, hand: &mut Hand<'_>) {
        self.moment = (self.moment + 1) % 4;
        hand.connect_in(50 * MILLISECOND);
    }
}
