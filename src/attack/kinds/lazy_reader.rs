//! `lazy-reader`: people whose partners stop reading.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, MENU, Moves};
use crate::core::limits::PEER_WRITE_BYTES;
use crate::peers::peer::{Close, MILLISECOND};

pub(super) const KIND: Kind = Kind {
    name: "lazy-reader",
    does: "Pairs chat. One of each pair stops reading, and the other talks without end.",
    look_for: "The output of the lazy one fills up to the high-water mark. Then the input of the talker \
               is held, and its row says why. Memory stays where it is.",
    protects: &[
        ("7.35", "above the high-water mark the server stops reading the talker; nothing is lost"),
        ("7.37", "the talker is told that the partner does not read"),
        ("7.38", "after 30 s without a byte taken, the session of the lazy one is over"),
    ],
    connections: 8,
    seconds: 33,
    prefix: "lazy",
    logs_in: true,
    moves,
};

fn moves(n: usize, cast: &Cast) -> Box<dyn Moves> {
    match n % 2 {
        0 => Box::new(Talker { partner: cast.name(n + 1), is_chatting: false, has_met: false }),
        _ => Box::new(Lazy),
    }
}

struct Talker {
    partner: String,
    is_chatting: bool,
    has_met: bool,
}

impl Talker {
    fn talks(&self, hand: &mut Hand<'_>) {
        if self.is_chatting {
            let line = format!("{}\n", "blah ".repeat(100));
            hand.send(line.repeat(PEER_WRITE_BYTES / line.len()).as_bytes());
        }
    }
}

impl Moves for Talker {
    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        if line.starts_with(MENU) {
            self.is_chatting = false;
            if !self.has_met {
                // The partner may not be here yet.
                hand.wake_in(300 * MILLISECOND);
            }
        } else if line.starts_with("* You are now chatting") {
            (self.is_chatting, self.has_met) = (true, true);
            self.talks(hand);
        }
    }

    fn sent(&mut self, hand: &mut Hand<'_>) {
        self.talks(hand);
    }

    fn due(&mut self, hand: &mut Hand<'_>) {
        hand.say(&format!("2 {}", self.partner));
    }
}

struct Lazy;

impl Moves for Lazy {
    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        if line.contains("wants to chat") {
            hand.say("yes");
        } else if line.starts_with("* You are now chatting") {
            hand.reads(false);
        }
    }

    /// Reads what came, for the server's last words.
    fn stop(&mut self, hand: &mut Hand<'_>) {
        hand.reads(true);
        hand.wake_in(300 * MILLISECOND);
    }

    fn due(&mut self, hand: &mut Hand<'_>) {
        hand.close(Close::Whole);
    }
}
