//! What an operator does, on its way to the chat; and the counts of what goes through the exchange.
//!
//! Counting is an addition to a number that lies beside what is touched anyway. Nothing here knows
//! of consoles.

use super::Exchange;
use crate::core::SessionId;
use crate::core::chat::Removal;
use crate::core::time::Time;

/// What has gone through since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TrafficCounts {
    /// Lines that users sent.
    pub lines_in: u64,
    /// Lines that were put down for users.
    pub lines_out: u64,
    /// Lines of rooms that slow readers were moved past (6.9).
    pub lines_missed: u64,
    /// How often input that had been read was held back (5.10, 5.11).
    pub inputs_held: u64,
    /// How often the input of somebody who had spent their allowance was made to wait (4.4, 6.10).
    pub inputs_slowed: u64,
}

impl Exchange {
    /// Everybody reads what the operator says. Returns how many that is.
    pub fn handle_announcement(&mut self, now: Time, text: &str) -> usize {
        let count = self.chat.handle_announcement(text);
        self.deliver(now);
        count
    }

    /// An operator removes a session; `false` if it is over already.
    pub fn handle_removal(&mut self, now: Time, id: SessionId, how: Removal, reason: &str) -> bool {
        let was_here = self.chat.handle_removal(now, id, how, reason);
        self.deliver(now);
        self.resume_all(now);
        was_here
    }

    /// The server will stop in so many milliseconds; [`crate::core::chat::Event::StopIsDue`] says when.
    pub fn handle_stop_in(&mut self, now: Time, ms: u64) {
        self.chat.handle_stop_in(now, ms);
        self.deliver(now);
    }

    /// The server does not stop; `false` if it was not going to.
    pub fn handle_stop_called_off(&mut self, now: Time) -> bool {
        let was_planned = self.chat.handle_stop_called_off();
        self.deliver(now);
        was_planned
    }

    /// What has gone through since the start.
    #[must_use]
    pub fn traffic(&self) -> TrafficCounts {
        self.endpoints.traffic
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::chat::Event;
    use crate::core::exchange::Action;
    use crate::core::limits::Limits;

    const PEOPLE: usize = 12;

    /// Whatever operators do, in whatever order, no two sessions disagree, and a stop that is not
    /// called off comes when it was said to.
    #[test]
    fn operators_and_users_in_any_order_leave_everything_consistent() {
        for seed in 0..40 {
            let mut dice = seed * 2 + 1;
            let mut exchange = Exchange::new(Limits::default());
            let (mut now, mut here) = (Time::START, [false; PEOPLE]);
            for _ in 0..400 {
                now = now.after_ms(roll(&mut dice, 20_000));
                let was_planned = exchange.chat().stops_at().is_some_and(|at| at <= now);
                exchange.handle_timeout(now);
                let was_due = take_actions(&mut exchange, now, &mut here);
                assert_eq!(was_due, was_planned, "a stop comes when it was said to");
                assert!(!was_due || exchange.chat().user_count() == 0, "everybody is gone");
                let who = roll(&mut dice, PEOPLE as u64) as usize;
                play(&mut exchange, now, &mut dice, who, &mut here);
                exchange.chat().check();
                take_actions(&mut exchange, now, &mut here);
            }
        }
    }

    fn play(
        exchange: &mut Exchange,
        now: Time,
        dice: &mut u64,
        who: usize,
        here: &mut [bool; PEOPLE],
    ) {
        let id = SessionId::from_key(who);
        let other = roll(dice, PEOPLE as u64);
        match roll(dice, 12) {
            _ if !here[who] => {
                here[who] = true;
                exchange.handle_connect(now, id);
                exchange.handle_received(now, id, format!("u{who}\n").as_bytes());
            }
            0 => drop(exchange.handle_removal(now, id, Removal::Kicked, "why\u{1b}[2J")),
            1 => drop(exchange.handle_removal(now, id, Removal::Banned, "")),
            2 => drop(exchange.handle_announcement(now, &"x\u{e9}".repeat(other as usize * 100))),
            3 => exchange.handle_stop_in(now, 60_000 * (1 + other)),
            4 => drop(exchange.handle_stop_called_off(now)),
            _ if !exchange.wants_input(id) => {}
            5..=8 => exchange.handle_received(now, id, format!("2 u{other}\n").as_bytes()),
            9 | 10 => exchange.handle_received(now, id, b"yes\n"),
            _ => exchange.handle_received(now, id, b"quit\n"),
        }
    }

    /// Does what is to be done; whether a stop was due.
    fn take_actions(exchange: &mut Exchange, now: Time, here: &mut [bool; PEOPLE]) -> bool {
        let mut was_due = false;
        while let Some(action) = exchange.poll_action() {
            match action {
                Action::Write(id) => {
                    let output = exchange.output(id);
                    assert!(output.is_empty() || output.ends_with(b"\r\n"));
                    let count = output.len();
                    exchange.handle_sent(now, id, count);
                }
                Action::EndSending(id) => exchange.handle_end_of_input(now, id),
                Action::Close(id) => {
                    exchange.forget(id);
                    here[id.key()] = false;
                }
                Action::Report(Event::StopIsDue) => was_due = true,
                Action::Report(_) | Action::Resume(_) => {}
            }
        }
        was_due
    }

    fn roll(dice: &mut u64, sides: u64) -> u64 {
        *dice =
            dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*dice >> 33) % sides
    }
}
