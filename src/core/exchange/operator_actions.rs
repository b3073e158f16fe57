//! Operator actions on their way from the shell to the chat, and the traffic counters.
//!
//! `server/operator_commands.rs` calls these methods; each passes the action to the chat's method of
//! the same name and delivers the lines that follow. Nothing here knows a console.

use super::Exchange;
use crate::core::SessionId;
use crate::core::chat::Removal;
use crate::core::time::Time;

/// Counts since the start of the server. A counter is one addition next to memory that the same
/// operation touches anyway, so counting costs nothing that a benchmark can see.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TrafficCounts {
    /// Lines that clients sent.
    pub lines_in: u64,
    /// Lines that were put into outboxes and logs for clients, one per reader.
    pub lines_out: u64,
    /// Room lines that slow readers missed (6.2.2).
    pub lines_missed: u64,
    /// How often a rate limit held input (5.7.2, 6.2.3).
    pub inputs_slowed: u64,
    /// Deadlines that have fired.
    pub timeouts: u64,
}

impl Exchange {
    /// Sends an announcement to every session. Returns how many sessions there are.
    pub fn handle_announcement(&mut self, now: Time, text: &str) -> usize {
        let count = self.chat.handle_announcement(text);
        self.deliver(now);
        count
    }

    /// Ends a session on behalf of an operator; `false` if the session is over already.
    /// A connection without a session closes without a word.
    pub fn handle_removal(&mut self, now: Time, id: SessionId, how: Removal, reason: &str) -> bool {
        if !self.chat.has_session(id) {
            self.endpoints.hang_up(now, id);
            return false;
        }
        let was_here = self.chat.handle_removal(now, id, how, reason);
        self.deliver(now);
        was_here
    }

    /// Plans a stop in `ms` milliseconds and announces it. [`crate::core::chat::Event::StopIsDue`]
    /// reports that the time has come.
    pub fn handle_stop_in(&mut self, now: Time, ms: u64) {
        self.chat.handle_stop_in(now, ms);
        self.deliver(now);
    }

    /// Cancels a planned stop; `false` if none was planned.
    pub fn handle_stop_called_off(&mut self, now: Time) -> bool {
        let was_planned = self.chat.handle_stop_called_off();
        self.deliver(now);
        was_planned
    }

    /// The counters.
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

    /// Random operator actions between random user actions: the sessions stay consistent, and a stop
    /// that nobody cancels comes at the announced time.
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

    /// Performs all actions; returns whether a stop was due.
    fn take_actions(exchange: &mut Exchange, now: Time, here: &mut [bool; PEOPLE]) -> bool {
        let mut was_due = false;
        while let Some(action) = exchange.poll_action_at_once(now) {
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
                Action::Report(_)
                | Action::TransportFailed(..)
                | Action::Open(..)
                | Action::AskAccounts(_) => {}
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
