//! What the simulated people do in a step, and what happens to their connections.

use chinwag::core::Origin;
use chinwag::core::chat::Removal;

use super::{World, id};
use crate::habits::Habits;
use crate::model::{Address, State};
use crate::sabotage::Fault;
use crate::socket::{ClientHalf, Reading, Socket};
use crate::traffic::{Received, SessionKey};
use crate::typing::{Typed, TypingStyle};

/// The address as the server's shell would pass it on.
fn origin(address: Address) -> Origin {
    match (address.is_v6(), address.0) {
        (false, number) => Origin::v4([192, 0, 2, number]),
        (true, number) => Origin::v6([0x20, 1, 0xd, 0xb8, 0, 7, 0, number, 1, 2, 3, 4, 5, 6, 7, 8]),
    }
}

impl World {
    pub(super) fn people_act(&mut self) {
        if self.sockets.len() < self.plan.people && self.random.chance(30) {
            self.connect_newcomer();
        }
        for _ in 0..self.random.between(1, 3) {
            let Some(who) = self.anybody() else { return };
            match self.model.state(who) {
                State::Ended => self.react_to_ended_session(who),
                _ => self.act_in_session(who),
            }
        }
        self.everybody_reads();
    }

    /// Runs one operator command (part 8).
    pub(super) fn operator_acts(&mut self) {
        let time = self.time();
        let whom = self.anybody().filter(|&who| self.model.is_open(who));
        match whom.filter(|_| self.random.chance(50)) {
            Some(who) => {
                self.model.operator_removes(who);
                let how = self.random.pick(&[Removal::Kicked, Removal::Banned]);
                self.exchange.handle_removal(time, id(who), how, "so \u{1b}[2Jthere");
            }
            None => {
                self.model.operator_announces();
                self.exchange.handle_announcement(time, "tea \u{202e}is ready");
            }
        }
        self.check_output();
    }

    fn anybody(&mut self) -> Option<SessionKey> {
        let everybody = self.sockets.keys().copied().collect::<Vec<_>>();
        (!everybody.is_empty()).then(|| self.random.pick(&everybody))
    }

    fn connect_newcomer(&mut self) {
        let who = self.free_keys.pop().unwrap_or(self.sockets.len());
        let mut socket = Socket::new(Habits::new(&mut self.random, &self.plan));
        if self.random.chance(self.plan.other_protocols) {
            socket.send(TypingStyle::other_protocol(&mut self.random));
        }
        self.sockets.insert(who, socket);
        self.stats.arrivals += 1;
        let addresses = self.plan.addresses;
        let number = (addresses > 0).then(|| self.random.below(addresses) as u8);
        let address = number.map(Address);
        self.model.connect(who, address);
        let is_forgotten = self.sabotage.is_in_effect(Fault::AddressForgotten);
        let origin = address.filter(|_| !is_forgotten).map_or(Origin::NONE, origin);
        self.exchange.handle_connect_from(self.time(), id(who), origin);
        self.check_output();
        self.run_actions();
    }

    /// Somebody whose session is open does something, or their connection suffers a fault.
    fn act_in_session(&mut self, who: SessionKey) {
        let (random, plan) = (&mut self.random, &self.plan);
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if random.chance(plan.connection_failures) {
            return self.fail_connection(who);
        }
        if random.chance(plan.stalls) {
            let slow = Reading::Slow(random.pick(&[1, 50, 2_000]));
            socket.reading = random.pick(&[Reading::Stalled, Reading::Stalled, slow]);
            socket.writable_bytes = random.pick(&[0, 10, 3_000]);
        } else if socket.reading != Reading::Eager && random.chance(3) {
            socket.reading = Reading::Eager;
        }
        if socket.client_half == ClientHalf::Open {
            if random.chance(plan.half_closes) && random.chance(30) {
                return self.half_close(who);
            }
            let is_flood = random.chance(plan.floods);
            let lines = if is_flood { 200 } else { random.between(1, socket.habits.paste) };
            // A kernel buffers a limited number of bytes. A client cannot send more while the
            // server does not read.
            if socket.in_flight() + socket.arrived < 64 * 1024 {
                for _ in 0..lines {
                    socket.send(socket.habits.next_input(random, &self.model, who));
                }
            }
        }
        self.deliver_in_flight(who);
        self.alter_state_if_sabotaged(who);
    }

    /// Delivers the bytes in flight to the server, or a part of them.
    fn deliver_in_flight(&mut self, who: SessionKey) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        let in_flight = socket.in_flight();
        let is_cut = in_flight > 1 && self.random.chance(self.plan.packet_cuts);
        socket.arrived += if is_cut { self.random.below(in_flight) } else { in_flight };
        self.queue_for_reading(who);
    }

    /// The `StateAltered` canary: makes a user quit the chat although the model never saw a `quit`.
    fn alter_state_if_sabotaged(&mut self, who: SessionKey) {
        let is_chatting = matches!(self.model.state(who), State::Chatting(_));
        let wants_input = is_chatting && self.exchange.wants_input(id(who));
        if wants_input && self.sabotage.strikes(Fault::StateAltered) {
            self.exchange.handle_received(self.time(), id(who), b"\nquit\n");
            self.check_output();
        }
    }

    pub(super) fn half_close(&mut self, who: SessionKey) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if self.random.chance(30) {
            let line = socket.habits.next_line(&mut self.random, &self.model, who);
            let typed = socket.habits.style.unterminated_line(&mut self.random, &line);
            // At the end of input, an empty line without an ending is no line.
            socket.send(if line.is_empty() { Typed::default() } else { typed });
        }
        socket.client_half = ClientHalf::Ended;
        socket.arrived += socket.in_flight();
        self.queue_for_reading(who);
    }

    /// Somebody whose session has ended closes their side, sooner or later, or never.
    fn react_to_ended_session(&mut self, who: SessionKey) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        match self.random.below(10) {
            0 => self.fail_connection(who),
            1 | 2 if socket.client_half == ClientHalf::Open => {
                socket.send(socket.habits.style.line(&mut self.random, "too late"));
                self.deliver_in_flight(who);
            }
            3..6 if socket.client_half == ClientHalf::Open => self.half_close(who),
            _ => {}
        }
    }

    fn everybody_reads(&mut self) {
        let mut writable = Vec::new();
        for (&who, socket) in &mut self.sockets {
            if socket.client_reads(&mut self.random) {
                writable.push(who);
            }
        }
        for who in writable {
            self.exchange.handle_writable(id(who));
        }
    }

    /// Everybody reads, and all bytes in flight arrive.
    pub(super) fn deliver_everything(&mut self) {
        for who in self.sockets.keys().copied().collect::<Vec<_>>() {
            self.sockets.get_mut(&who).into_iter().for_each(|socket| {
                socket.reading = Reading::Eager;
                socket.arrived += socket.in_flight();
            });
            self.queue_for_reading(who);
        }
        self.everybody_reads();
        self.turn();
        self.check();
    }

    /// Everybody sends a line whose reply the model knows.
    pub(super) fn everybody_gets_a_reply(&mut self) {
        for who in self.sockets.keys().copied().collect::<Vec<_>>() {
            self.send_line(who, "1");
        }
    }

    /// Everybody leaves, each in a random way.
    pub(super) fn everybody_leaves(&mut self) {
        if self.plan.stops_server {
            self.model.stop();
            self.exchange.handle_stop(self.time());
            self.check_output();
            self.turn();
        }
        for who in self.sockets.keys().copied().collect::<Vec<_>>() {
            match self.random.below(4) {
                0 => self.fail_connection(who),
                1 => self.half_close_if_open(who),
                _ => {
                    // Together these lines leave any state: a chat, a request, the prompt for a
                    // name.
                    for line in ["quit", "cancel", "n", "cancel", "exit"] {
                        self.send_line(who, line);
                    }
                    self.half_close_if_open(who);
                }
            }
            self.turn();
            self.check();
        }
    }

    fn half_close_if_open(&mut self, who: SessionKey) {
        let half = self.sockets.get(&who).map(|socket| socket.client_half);
        if half == Some(ClientHalf::Open) {
            self.half_close(who);
        }
    }

    fn send_line(&mut self, who: SessionKey, line: &str) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if socket.client_half != ClientHalf::Open {
            return;
        }
        let bytes = [line.as_bytes(), socket.habits.style.ending].concat();
        let parts = vec![(bytes, Some(Received::Line(line.into())))];
        socket.send(Typed { parts, ..Typed::default() });
        socket.arrived += socket.in_flight();
        self.queue_for_reading(who);
        self.turn();
    }
}
