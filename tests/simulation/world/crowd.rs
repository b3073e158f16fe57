//! What people do, and what is done to them, in a step.

use chinwag::core::chat::Removal;

use super::{World, id};
use crate::model::State;
use crate::people::Habits;
use crate::sabotage::Wrong;
use crate::socket::{ClientHalf, Reading, Socket};
use crate::spoken::{Heard, Who};
use crate::typing::{Hand, Typed};

impl World {
    pub(super) fn people_do_something(&mut self) {
        if self.sockets.len() < self.plan.people && self.random.chance(30) {
            self.arrive();
        }
        for _ in 0..self.random.between(1, 3) {
            let Some(who) = self.anybody() else { return };
            match self.model.state(who) {
                State::Over => self.see_it_end(who),
                _ => self.carry_on(who),
            }
        }
        self.everybody_reads();
    }

    /// What an operator orders (part 7).
    pub(super) fn operator_does_something(&mut self) {
        let time = self.time();
        let whom = self.anybody().filter(|&who| self.model.is_open(who));
        match whom.filter(|_| self.random.chance(50)) {
            Some(who) => {
                self.model.order_removal(who);
                let how = self.random.pick(&[Removal::Kicked, Removal::Banned]);
                self.exchange.handle_removal(time, id(who), how, "so \u{1b}[2Jthere");
            }
            None => {
                self.model.order_announcement();
                self.exchange.handle_announcement(time, "tea \u{202e}is ready");
            }
        }
        self.settle();
    }

    fn anybody(&mut self) -> Option<Who> {
        let everybody = self.sockets.keys().copied().collect::<Vec<_>>();
        (!everybody.is_empty()).then(|| self.random.pick(&everybody))
    }

    fn arrive(&mut self) {
        let who = self.free.pop().unwrap_or(self.sockets.len());
        let mut socket = Socket::new(Habits::new(&mut self.random, self.plan.sociable));
        if self.random.chance(self.plan.foreigners) {
            socket.send(Hand::foreign(&mut self.random));
        }
        self.sockets.insert(who, socket);
        self.figures.arrivals += 1;
        self.model.arrive(who);
        self.exchange.handle_connect(self.time(), id(who));
        self.settle();
        self.act();
    }

    /// Somebody whose session goes on does something, or something is done to them.
    fn carry_on(&mut self, who: Who) {
        let (random, plan) = (&mut self.random, &self.plan);
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if random.chance(plan.resets) {
            return self.fail(who);
        }
        if random.chance(plan.stalls) {
            let slow = Reading::Slow(random.pick(&[1, 50, 2_000]));
            socket.reading = random.pick(&[Reading::Stalled, Reading::Stalled, slow]);
            socket.room = random.pick(&[0, 10, 3_000]);
        } else if socket.reading != Reading::Eager && random.chance(3) {
            socket.reading = Reading::Eager;
        }
        if socket.client_half == ClientHalf::Open {
            if random.chance(plan.half_closes) && random.chance(30) {
                return self.half_close(who);
            }
            let is_flood = random.chance(plan.floods);
            let lines = if is_flood { 200 } else { random.between(1, socket.habits.paste) };
            // Nobody types ahead for ever: a socket that is not read takes no more.
            if socket.under_way() + socket.arrived < 64 * 1024 {
                for _ in 0..lines {
                    socket.send(socket.habits.types(random, &self.model, who));
                }
            }
        }
        self.arrive_in_part(who);
        self.alter_state(who);
    }

    /// What was typed comes out at the other end, maybe not all of it yet.
    fn arrive_in_part(&mut self, who: Who) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        let under_way = socket.under_way();
        let is_cut = under_way > 1 && self.random.chance(self.plan.cuts);
        socket.arrived += if is_cut { self.random.below(under_way) } else { under_way };
        self.note_readable(who);
    }

    /// The canary that is a state nobody asked for.
    fn alter_state(&mut self, who: Who) {
        let is_chatting = matches!(self.model.state(who), State::Chatting(_));
        let wants_input = is_chatting && self.exchange.wants_input(id(who));
        if wants_input && self.sabotage.strikes(Wrong::StateAltered) {
            self.exchange.handle_received(self.time(), id(who), b"\nquit\n");
            self.settle();
        }
    }

    pub(super) fn half_close(&mut self, who: Who) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if self.random.chance(30) {
            let line = socket.habits.line(&mut self.random, &self.model, who);
            let typed = socket.habits.hand.half_line(&mut self.random, &line);
            // An empty line without an ending is nothing.
            socket.send(if line.is_empty() { Typed::default() } else { typed });
        }
        socket.client_half = ClientHalf::Ended;
        socket.arrived += socket.under_way();
        self.note_readable(who);
    }

    /// Somebody whose session is over notices, sooner or later, or never.
    fn see_it_end(&mut self, who: Who) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        match self.random.below(10) {
            0 => self.fail(who),
            1 | 2 if socket.client_half == ClientHalf::Open => {
                socket.send(socket.habits.hand.line(&mut self.random, "too late"));
                self.arrive_in_part(who);
            }
            3..6 if socket.client_half == ClientHalf::Open => self.half_close(who),
            _ => {}
        }
    }

    fn everybody_reads(&mut self) {
        let mut writable = Vec::new();
        for (&who, socket) in &mut self.sockets {
            if socket.person_reads(&mut self.random) {
                writable.push(who);
            }
        }
        for who in writable {
            self.exchange.handle_writable(id(who));
        }
    }

    /// Everybody reads, and all that was typed arrives.
    pub(super) fn calm_everybody(&mut self) {
        for who in self.sockets.keys().copied().collect::<Vec<_>>() {
            self.sockets.get_mut(&who).into_iter().for_each(|socket| {
                socket.reading = Reading::Eager;
                socket.arrived += socket.under_way();
            });
            self.note_readable(who);
        }
        self.everybody_reads();
        self.turn();
        self.check();
    }

    /// Everybody sends a line, to which the model knows the answer.
    pub(super) fn everybody_is_answered(&mut self) {
        for who in self.sockets.keys().copied().collect::<Vec<_>>() {
            self.say(who, "1");
        }
    }

    /// Everybody leaves, each in a way of their own.
    pub(super) fn everybody_leaves(&mut self) {
        if self.plan.stops {
            self.model.stop();
            self.exchange.handle_stop(self.time());
            self.settle();
            self.turn();
        }
        for who in self.sockets.keys().copied().collect::<Vec<_>>() {
            match self.random.below(4) {
                0 => self.fail(who),
                1 => self.half_close_if_open(who),
                _ => {
                    // Whatever the state, these lines leave it: it may be a chat, a name, a request.
                    for line in ["quit", "cancel", "n", "cancel", "exit"] {
                        self.say(who, line);
                    }
                    self.half_close_if_open(who);
                }
            }
            self.turn();
            self.check();
        }
    }

    fn half_close_if_open(&mut self, who: Who) {
        let half = self.sockets.get(&who).map(|socket| socket.client_half);
        if half == Some(ClientHalf::Open) {
            self.half_close(who);
        }
    }

    fn say(&mut self, who: Who, line: &str) {
        let Some(socket) = self.sockets.get_mut(&who) else { return };
        if socket.client_half != ClientHalf::Open {
            return;
        }
        let bytes = [line.as_bytes(), socket.habits.hand.ending].concat();
        let parts = vec![(bytes, Some(Heard::Line(line.into())))];
        socket.send(Typed { parts, ..Typed::default() });
        socket.arrived += socket.under_way();
        self.note_readable(who);
        self.turn();
    }
}
