//! What the loop does in a turn: reads whom it may, says what time it is, does what it is told.

use chinwag::core::chat::Event;
use chinwag::core::exchange::Action;
use chinwag::core::limits::READ_BYTES_PER_TURN;

use super::pending::refusal_left;
use super::{World, id};
use crate::sabotage::Wrong;
use crate::socket::ClientHalf;
use crate::spoken::Who;

/// Turns after which a loop that still finds work, with nothing coming, is said to spin.
const TURNS_MAX: usize = 10_000;

impl World {
    /// Turns the loop until nothing is left to do at this moment.
    pub(super) fn turn(&mut self) {
        for _ in 0..TURNS_MAX {
            for who in std::mem::take(&mut self.readable) {
                self.read(who);
            }
            self.tell_time();
            if std::mem::take(&mut self.is_doomed) {
                return self.kill();
            }
            self.act();
            if self.readable.is_empty() {
                return;
            }
        }
        panic!("the loop spins: {:?} are readable for ever", self.readable);
    }

    pub(super) fn tell_time(&mut self) {
        if self.sabotage.lasts(Wrong::DeadlineForgotten) {
            return;
        }
        self.model.pass_time();
        self.exchange.handle_timeout(self.time());
        self.settle();
    }

    /// Something can be read on that connection, says the kernel, once.
    pub(super) fn note_readable(&mut self, who: Who) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if !socket.is_listed {
            socket.is_listed = true;
            self.readable.push(who);
        }
    }

    fn read(&mut self, who: Who) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        socket.is_listed = false;
        if socket.has_failed || !socket.is_readable() {
            return;
        }
        if !self.exchange.wants_input(id(who)) {
            self.figures.held += 1;
            if socket.arrived == 0 || !self.sabotage.lasts(Wrong::AlwaysRead) {
                return;
            }
        }
        if socket.arrived > 0 {
            let max = match self.random.chance(self.plan.cuts) {
                true => self.random.between(1, 100),
                false => READ_BYTES_PER_TURN,
            };
            self.hand_on(who, max);
        } else {
            self.hand_on_end(who);
        }
        self.queue_again(who);
    }

    fn hand_on(&mut self, who: Who, max: usize) {
        let time = self.time();
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        let bytes = socket.read(max);
        if self.is_traced {
            eprintln!("{:>8} {who:>3} > {:?}", self.now, String::from_utf8_lossy(&bytes));
        }
        while let Some(heard) = socket.next_heard() {
            if self.is_traced {
                eprintln!("{:>8} {who:>3} > {heard:?}", self.now);
            }
            self.model.hear(who, heard);
        }
        self.exchange.handle_received(time, id(who), &bytes);
        self.settle();
    }

    fn hand_on_end(&mut self, who: Who) {
        let time = self.time();
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if self.is_traced {
            eprintln!("{:>8} {who:>3} > the end", self.now);
        }
        self.model.hear(who, socket.read_end());
        self.exchange.handle_end_of_input(time, id(who));
        self.settle();
    }

    fn queue_again(&mut self, who: Who) {
        let Some(socket) = self.sockets.get(&who) else { return };
        if socket.is_readable() && !socket.has_failed && self.exchange.wants_input(id(who)) {
            self.note_readable(who);
        }
    }

    /// The connection has failed, and nothing more comes or goes.
    pub(super) fn fail(&mut self, who: Who) {
        let time = self.time();
        let Some(socket) = self.sockets.get_mut(&who).filter(|socket| !socket.has_failed) else {
            return;
        };
        if self.is_traced {
            eprintln!("{:>8} {who:>3} > the connection fails", self.now);
        }
        socket.has_failed = true;
        self.figures.failures += 1;
        if self.model.is_open(who) {
            self.model.fail(who);
        }
        self.exchange.handle_failure(time, id(who));
        self.settle();
    }

    /// Does what the exchange wants done.
    pub(super) fn act(&mut self) {
        while let Some(action) = self.exchange.poll_action() {
            self.write_down();
            match action {
                Action::Write(session) if !self.sabotage.strikes(Wrong::NeverWritten) => {
                    self.write(session.key());
                }
                Action::Resume(session) if !self.sabotage.lasts(Wrong::NeverResumed) => {
                    self.queue_again(session.key());
                }
                Action::EndSending(session) => self.end_sending(session.key()),
                Action::Close(session) if !self.sabotage.strikes(Wrong::NeverClosed) => {
                    self.close(session.key());
                }
                Action::Report(Event::Left { who, .. }) => {
                    let who = who.key();
                    assert!(!self.model.is_open(who), "{who} left, says the log, and did not");
                }
                Action::Write(_) | Action::Resume(_) | Action::Close(_) | Action::Report(_) => {}
            }
        }
        // At the end of a turn whoever is too far behind is moved on.
        self.settle();
    }

    fn write(&mut self, who: Who) {
        let time = self.time();
        while let Some(socket) = self.sockets.get_mut(&who).filter(|socket| !socket.has_failed) {
            let output = self.exchange.output(id(who));
            if output.is_empty() {
                return;
            }
            let count = socket.takes(&mut self.random, output.len());
            if count == 0 {
                self.figures.full_sockets += 1;
                socket.was_full = true;
                self.model.note_full(who);
                return self.exchange.handle_blocked(time, id(who));
            }
            assert!(socket.said[..count] == output[..count], "{who} gets what was not said");
            socket.cut_refusal = refusal_left(&socket.said, socket.cut_refusal, count);
            socket.said.drain(..count);
            socket.room = socket.room.saturating_sub(count);
            if let Some(by) = &mut socket.close_by {
                *by = self.now + self.plan.limits.closing_ms;
            }
            self.model.note_read();
            let left = socket.said.len();
            self.model.record_sent(who, left);
            self.exchange.handle_sent(time, id(who), count);
            self.settle();
            self.write_down();
        }
    }

    fn end_sending(&mut self, who: Who) {
        assert!(!self.model.is_open(who), "the server hangs up on {who}");
        assert!(self.exchange.output(id(who)).is_empty(), "{who} does not get the last words");
        let until = self.now + self.plan.limits.closing_ms;
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        assert!(!socket.server_half_ended, "the connection of {who} is ended twice");
        socket.server_half_ended = true;
        socket.close_by = Some(until);
    }

    fn close(&mut self, who: Who) {
        let socket = self.sockets.remove(&who).expect("a connection is closed once");
        let is_done = socket.client_half == ClientHalf::EndRead && socket.said.is_empty();
        let is_time = socket.close_by.is_some_and(|by| by <= self.now);
        assert!(is_done || is_time || socket.has_failed, "the connection of {who} is cut");
        self.exchange.forget(id(who));
        self.model.forget(who);
        self.free.push(who);
    }
}
