//! One turn of the server's loop: read the readable connections, fire the timers, run the actions.

use chinwag::core::SessionId;
use chinwag::core::chat::Event;
use chinwag::core::exchange::Action;
use chinwag::core::limits::READ_BYTES_PER_TURN;

use super::pending::partial_refusal_after;
use super::{World, id};
use crate::sabotage::Fault;
use crate::socket::ClientHalf;
use crate::traffic::SessionKey;

/// A loop that still finds work after so many turns without new input is spinning.
const TURNS_MAX: usize = 10_000;

impl World {
    /// Turns the loop until no work is left at this moment.
    pub(super) fn turn(&mut self) {
        for _ in 0..TURNS_MAX {
            for who in std::mem::take(&mut self.readable) {
                self.read(who);
            }
            self.fire_timers();
            if std::mem::take(&mut self.will_be_killed) {
                return self.kill_and_restart();
            }
            self.run_actions();
            let has_answered = self.store_acts();
            if self.readable.is_empty() && !has_answered {
                return;
            }
        }
        panic!("the loop spins: {:?} are always readable", self.readable);
    }

    pub(super) fn fire_timers(&mut self) {
        if self.sabotage.is_in_effect(Fault::TimersStopped) {
            return;
        }
        self.model.fire_timers();
        self.exchange.handle_timeout(self.time());
        self.check_output();
    }

    /// Marks a connection as readable, as the kernel would: once per edge.
    pub(super) fn queue_for_reading(&mut self, who: SessionKey) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if !socket.is_queued {
            socket.is_queued = true;
            self.readable.push(who);
        }
    }

    fn read(&mut self, who: SessionKey) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        socket.is_queued = false;
        if socket.has_failed || !socket.is_readable() {
            return;
        }
        if !self.exchange.wants_input(id(who)) {
            self.stats.held += 1;
            if socket.arrived == 0 || !self.sabotage.is_in_effect(Fault::BackpressureIgnored) {
                return;
            }
        }
        if socket.arrived > 0 {
            let max = match self.random.chance(self.plan.packet_cuts) {
                true => self.random.between(1, 100),
                false => READ_BYTES_PER_TURN,
            };
            self.deliver_bytes(who, max);
        } else {
            self.deliver_end_of_input(who);
        }
        self.requeue_if_readable(who);
    }

    fn deliver_bytes(&mut self, who: SessionKey, max: usize) {
        let time = self.time();
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        let bytes = socket.read(max);
        if self.is_traced {
            eprintln!("{:>8} {who:>3} > {:?}", self.now, String::from_utf8_lossy(&bytes));
        }
        while let Some(received) = socket.next_received() {
            if self.is_traced {
                eprintln!("{:>8} {who:>3} > {received:?}", self.now);
            }
            self.model.receive(who, received);
        }
        self.exchange.handle_received(time, id(who), &bytes);
        self.check_output();
    }

    fn deliver_end_of_input(&mut self, who: SessionKey) {
        let time = self.time();
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if self.is_traced {
            eprintln!("{:>8} {who:>3} > end of input", self.now);
        }
        self.model.receive(who, socket.read_end());
        self.exchange.handle_end_of_input(time, id(who));
        self.check_output();
    }

    fn requeue_if_readable(&mut self, who: SessionKey) {
        let Some(socket) = self.sockets.get(&who) else { return };
        if socket.is_readable() && !socket.has_failed && self.exchange.wants_input(id(who)) {
            self.queue_for_reading(who);
        }
    }

    /// The connection fails: no more bytes move in either direction.
    /// Lets input go on that the exchange has held, unless the sabotage forgets it.
    pub(super) fn resume_input(&mut self, session: SessionId) {
        let time = self.time();
        let is_answering = self.exchange.pending(session).behind_answer.is_some();
        let is_stopped = is_answering && self.sabotage.is_in_effect(Fault::AnswerStopped);
        if !is_stopped && !self.sabotage.is_in_effect(Fault::NeverResumed) {
            self.exchange.resume(time, session);
            self.requeue_if_readable(session.key());
        }
    }

    /// Reads the sockets of users whose partner has ended the chat until they are empty (4.1.5). What
    /// they hold was meant for the partner.
    pub(super) fn drain_sockets(&mut self) {
        let time = self.time();
        while let Some(session) = self.exchange.poll_drain() {
            let who = session.key();
            let is_forgotten = self.sabotage.is_in_effect(Fault::KernelNotDrained);
            if let Some(socket) = self.sockets.get_mut(&who)
                && !socket.has_failed
                && !is_forgotten
            {
                let bytes = socket.read(usize::MAX);
                while let Some(received) = socket.next_received() {
                    self.model.receive(who, received);
                }
                self.exchange.handle_stale_input(time, session, &bytes);
            }
            self.exchange.finish_drain(time, session);
        }
    }

    pub(super) fn fail_connection(&mut self, who: SessionKey) {
        let time = self.time();
        let Some(socket) = self.sockets.get_mut(&who).filter(|socket| !socket.has_failed) else {
            return;
        };
        if self.is_traced {
            eprintln!("{:>8} {who:>3} > the connection fails", self.now);
        }
        socket.has_failed = true;
        self.stats.failures += 1;
        if self.model.is_open(who) {
            self.model.disconnect(who);
        }
        self.exchange.handle_failure(time, id(who));
        self.check_output();
    }

    /// Runs every action that the exchange requests.
    pub(super) fn run_actions(&mut self) {
        while let Some(action) = self.exchange.poll_action() {
            self.save_history();
            match action {
                Action::Write(session) if !self.sabotage.strikes(Fault::NeverWritten) => {
                    self.write(session.key());
                }
                Action::EndSending(session) => self.end_sending(session.key()),
                Action::Close(session) if !self.sabotage.strikes(Fault::NeverClosed) => {
                    self.close(session.key());
                }
                Action::Report(Event::Left { who, .. }) => {
                    let who = who.key();
                    assert!(
                        !self.model.is_open(who),
                        "the log says that {who} left, but the session is open"
                    );
                }
                Action::AskAccounts(request) => self.take_question(request),
                Action::TransportFailed(..) | Action::Open(..) => {
                    unreachable!("every connection is plain TCP")
                }
                Action::Write(_) | Action::Close(_) | Action::Report(_) => {}
            }
        }
        // At the end of a turn the exchange moves readers forward that are too far behind.
        self.check_output();
    }

    fn write(&mut self, who: SessionKey) {
        let time = self.time();
        while let Some(socket) = self.sockets.get_mut(&who).filter(|socket| !socket.has_failed) {
            let output = self.exchange.output(id(who));
            if output.is_empty() {
                return;
            }
            let count = socket.accepts(&mut self.random, output.len());
            if count == 0 {
                self.stats.full_sockets += 1;
                socket.was_full = true;
                self.model.note_blocked(who);
                return self.exchange.handle_blocked(time, id(who));
            }
            assert!(
                socket.unsent[..count] == output[..count],
                "{who} gets bytes that were not in the output"
            );
            socket.partial_refusal =
                partial_refusal_after(&socket.unsent, socket.partial_refusal, count);
            socket.unsent.drain(..count);
            socket.writable_bytes = socket.writable_bytes.saturating_sub(count);
            if let Some(by) = &mut socket.close_by {
                *by = self.now + self.plan.limits.closing_ms;
            }
            self.model.require_all_saved();
            let left = socket.unsent.len();
            self.model.record_sent(who, left);
            self.exchange.handle_sent(time, id(who), count);
            let pending = self.exchange.pending(id(who));
            if pending.own.is_empty() && pending.behind_answer.is_none_or(<[u8]>::is_empty) {
                self.model.all_taken(who);
            }
            self.check_output();
            self.save_history();
        }
    }

    fn end_sending(&mut self, who: SessionKey) {
        assert!(!self.model.is_open(who), "the server closes the open session of {who}");
        assert!(self.exchange.output(id(who)).is_empty(), "the last lines for {who} are lost");
        let until = self.now + self.plan.limits.closing_ms;
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        assert!(!socket.server_half_ended, "the server ends the connection of {who} twice");
        socket.server_half_ended = true;
        socket.close_by = Some(until);
    }

    fn close(&mut self, who: SessionKey) {
        let socket = self.sockets.remove(&who).expect("the exchange closes a connection only once");
        let is_done = socket.client_half == ClientHalf::EndRead && socket.unsent.is_empty();
        let is_overdue = socket.close_by.is_some_and(|by| by <= self.now);
        assert!(
            is_done || is_overdue || socket.has_failed,
            "the connection of {who} is closed too early"
        );
        self.exchange.forget(id(who));
        self.model.forget(who);
        self.free_keys.push(who);
    }
}
