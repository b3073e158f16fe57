//! Records each server from its start to its end, and replays it: the same calls lead to the same lines.

use std::rc::Rc;

use chinwag::core::limits::Limits;
use chinwag::core::recording::{Difference, Player, Recorded, Recorder, Recording};

use super::World;

/// No run is so long.
const BYTES_MAX: u64 = 1 << 30;

/// A new server, which records if the run is worth the time.
pub(super) fn new_server(limits: &Limits, is_recorded: bool) -> Recorded {
    let mut exchange = Recorded::new(limits.clone());
    if is_recorded {
        exchange.start_recorder(Recorder::new(limits, BYTES_MAX), [9; 32]);
    }
    exchange
}

impl World {
    /// Replays what the server of this moment has recorded. The player compares all that left for users.
    pub(super) fn check_recording(&mut self) {
        if !self.is_recorded {
            return;
        }
        let bytes = self.exchange.take_recording();
        let stand_ins = bytes.windows(4).filter(|four| four.starts_with(b"\"***")).count();
        let recording = Recording::parse(&bytes).unwrap_or_else(|why| panic!("{why}"));
        let mut player = Player::new(Rc::new(recording));
        let mut outputs = Vec::new();
        while player.next_call().is_some() {
            outputs.clear();
            match player.step(&mut outputs) {
                Ok(()) => {}
                // A stand-in has another length than its password, and so memory is scarce at another
                // moment. Servers in which it is never scarce replay to their end.
                Err(Difference::OtherOutput(_) | Difference::Impossible(_))
                    if stand_ins > 0 && self.plan.limits.scarce_bytes < 100_000 =>
                {
                    self.stats.scarce_differences += 1;
                }
                Err(difference) => panic!("the replay differs: {difference}"),
            }
        }
        self.stats.replayed += player.made() as u64;
        self.stats.stand_ins += stand_ins as u64;
    }
}
