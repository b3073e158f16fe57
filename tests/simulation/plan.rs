//! What one seed makes of a run: how many people, what goes wrong, and which bounds hold.

use chinwag::core::limits::Limits;

use crate::model::Bounds;
use crate::random::Random;

/// The chances of a run, in percent of steps unless said otherwise.
#[derive(Debug)]
pub(crate) struct Plan {
    /// How many people there are when all have come.
    pub(crate) people: usize,
    pub(crate) limits: Limits,
    /// Somebody starts to read slowly or not at all.
    pub(crate) stalls: usize,
    /// Somebody's connection fails.
    pub(crate) resets: usize,
    /// Somebody ends their half.
    pub(crate) half_closes: usize,
    /// Time jumps to the next deadline, or over it.
    pub(crate) jumps: usize,
    /// Lines are cut into packets anywhere.
    pub(crate) cuts: usize,
    /// Newcomers that are browsers and the like, in percent of newcomers.
    pub(crate) foreigners: usize,
    /// Somebody types as much as goes in.
    pub(crate) floods: usize,
    /// The server is killed, and started again with what it had written down.
    pub(crate) kills: usize,
    /// An operator says something to everybody, or puts somebody out.
    pub(crate) orders: usize,
    /// People go to rooms, in percent of what they do at the menu.
    pub(crate) sociable: usize,
    /// The server is stopped at the end, before anybody leaves.
    pub(crate) stops: bool,
}

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Plan {
        let crowd = random.pick(&[2, 3, 5, 8, 12, 20, 70]);
        Plan {
            people: crowd,
            limits: limits(random),
            stalls: random.pick(&[0, 1, 5]),
            resets: random.pick(&[0, 0, 1, 3]),
            half_closes: random.pick(&[0, 0, 1, 3]),
            jumps: random.pick(&[0, 1, 5]),
            cuts: random.pick(&[0, 20, 80]),
            foreigners: random.pick(&[0, 5]),
            floods: random.pick(&[0, 0, 1, 5]),
            kills: random.pick(&[0, 0, 1]),
            orders: random.pick(&[0, 0, 2]),
            sociable: random.pick(&[0, 10, 80]),
            stops: random.chance(25),
        }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            naming_ms: self.limits.naming_ms,
            ask_ms: self.limits.ask_ms,
            ask_again_ms: self.limits.ask_again_ms,
            stall_ms: self.limits.stall_ms,
            high_water: self.limits.high_water_bytes,
            rooms_max: self.limits.rooms_max,
            members_max: self.limits.members_max,
            room_line_ms: self.limits.room_line_ms,
            room_history_ms: self.limits.room_history_ms,
        }
    }

    /// The faults stop.
    pub(crate) fn calm_down(&mut self) {
        (self.stalls, self.resets, self.half_closes) = (0, 0, 0);
        (self.jumps, self.cuts, self.floods, self.foreigners) = (0, 0, 0, 0);
        (self.kills, self.orders) = (0, 0);
    }
}

/// The defaults of part 5, or bounds so close that every run meets them.
fn limits(random: &mut Random) -> Limits {
    if random.chance(30) {
        return Limits::default();
    }
    Limits {
        naming_ms: random.pick(&[1_000, 60_000]),
        ask_ms: random.pick(&[500, 3_000, 60_000]),
        ask_again_ms: random.pick(&[1, 1_000, 10_000]),
        high_water_bytes: random.pick(&[1_024, 3_000, 20_000]),
        stall_ms: random.pick(&[1_000, 5_000, 30_000]),
        closing_ms: random.pick(&[10, 5_000]),
        // Which of two rooms left in the same moment goes first is nobody's promise: `chat/rooms.rs` tests
        // what is (5.22).
        rooms_max: random.pick(&[50, 1_000]),
        members_max: random.pick(&[1, 2, 1_000, 1_000]),
        room_line_ms: random.pick(&[0, 50, 200]),
        room_history_ms: random.pick(&[1_000, 60_000, 86_400_000]),
        ..Limits::default()
    }
}
