//! `request-squatting`: people who ask one user again and again, so that nobody else can.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, MENU, Moves};
use crate::peers::peer::{MILLISECOND, Micros, SECOND};

pub(super) const KIND: Kind = Kind {
    name: "request-squatting",
    does: "Many users ask the same user, hold the request for 5 s, withdraw it, and ask again, so that \
           nobody else can ask.",
    look_for: "The user is ASKED nearly all of the time at first, and half of the time after a minute. \
               The squatters' rows say that their requests are refused or held.",
    protects: &[
        ("5.7.1", "after a withdrawal the same asker cannot ask the same user for 10 s"),
        ("5.7.3", "all users of one address together can take half of a user's time"),
        ("5.7.2", "requests beyond 5 are held to one every 2 s"),
        ("5.6.2", "ignore, said by the user who is asked, shuts out the whole address"),
    ],
    connections: 10,
    seconds: 60,
    prefix: "squat",
    logs_in: true,
    moves,
};

/// How long a request is held.
const HELD: Micros = 5 * SECOND;

fn moves(n: usize, cast: &Cast) -> Box<dyn Moves> {
    match n {
        0 => Box::<Victim>::default(),
        _ => Box::new(Squatter { victim: cast.name(0), is_asking: false }),
    }
}

struct Squatter {
    victim: String,
    is_asking: bool,
}

impl Moves for Squatter {
    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        if line.starts_with(MENU) {
            self.is_asking = false;
            hand.wake_in(500 * MILLISECOND);
        } else if line.starts_with("* Asked ") {
            self.is_asking = true;
            hand.count("requests reached the user");
            hand.wake_in(HELD);
        }
    }

    fn due(&mut self, hand: &mut Hand<'_>) {
        match self.is_asking {
            true => hand.say("cancel"),
            false => hand.say(&format!("2 {}", self.victim)),
        }
    }
}

/// The user who is asked. It answers nobody, and looks at the time.
#[derive(Default)]
struct Victim {
    /// When it came to the menu first.
    since: Option<Micros>,
    asked_since: Option<Micros>,
    asked: Micros,
}

impl Victim {
    fn is_free(&mut self, now: Micros) {
        self.asked += self.asked_since.take().map_or(0, |since| now - since);
    }
}

impl Moves for Victim {
    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        if line.starts_with(MENU) {
            self.since.get_or_insert(hand.now);
            self.is_free(hand.now);
        } else if line.contains("wants to chat") {
            self.asked_since.get_or_insert(hand.now);
        }
    }

    fn stop(&mut self, hand: &mut Hand<'_>) {
        self.is_free(hand.now);
        if let Some(since) = self.since {
            let share = self.asked * 100 / (hand.now - since).max(1);
            hand.tell(format!("the user was being asked for {share} % of the time"));
        }
        hand.close(crate::peers::peer::Close::Whole);
    }
}
