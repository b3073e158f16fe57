//! The world around one exchange: people, their connections, the clock, and the loop that the server
//! would be. Everything the shell promises the exchange is promised here, and nothing more.

mod checks;
mod crowd;
mod pending;
mod restart;
mod shell;

use std::collections::BTreeMap;

use chinwag::core::SessionId;
use chinwag::core::exchange::Exchange;
use chinwag::core::time::Time;

use crate::model::Model;
use crate::plan::Plan;
use crate::random::Random;
use crate::sabotage::{Sabotage, Wrong};
use crate::socket::Socket;
use crate::spoken::{Observed, Who};

/// Steps from one look into the chat to the next.
const CHAT_CHECKED_EVERY: usize = 8;

pub(crate) struct World {
    random: Random,
    plan: Plan,
    exchange: Exchange,
    model: Model,
    sockets: BTreeMap<Who, Socket>,
    /// Keys that are free again; the last is used first, as a slab does.
    free: Vec<Who>,
    /// Milliseconds since the beginning.
    now: u64,
    /// When the server was last started.
    started_at: u64,
    /// What the server has written down, over all its starts.
    file: Vec<u8>,
    /// The server is to be killed in this turn.
    is_doomed: bool,
    /// Those whom the loop may read.
    readable: Vec<Who>,
    /// Steps so far.
    steps: usize,
    sabotage: Sabotage,
    is_traced: bool,
    pub(crate) figures: Figures,
}

/// What a run came to; a run in which nothing happens proves nothing.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) arrivals: u64,
    pub(crate) chats: u64,
    pub(crate) texts: u64,
    /// Input that was held back for a while.
    pub(crate) held: u64,
    pub(crate) full_sockets: u64,
    pub(crate) failures: u64,
    pub(crate) buffered_most: usize,
    pub(crate) room_lines: u64,
    /// Lines that somebody was told to have missed.
    pub(crate) missed: u64,
    pub(crate) restarts: u64,
}

pub(crate) fn id(who: Who) -> SessionId {
    SessionId::from_key(who)
}

impl World {
    pub(crate) fn new(seed: u64, sabotage: Sabotage) -> World {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        let is_traced = std::env::var_os("CHINWAG_TRACE").is_some();
        if is_traced {
            eprintln!("{plan:?}");
        }
        let mut exchange = Exchange::new(plan.limits.clone());
        exchange.start_recording();
        World {
            exchange,
            model: Model::new(plan.bounds(), is_traced),
            random,
            plan,
            sockets: BTreeMap::new(),
            free: Vec::new(),
            now: 0,
            started_at: 0,
            file: Vec::new(),
            is_doomed: false,
            readable: Vec::new(),
            steps: 0,
            sabotage,
            is_traced,
            figures: Figures::default(),
        }
    }

    /// One step: people do something, time passes, and the loop turns until nothing is left to do.
    pub(crate) fn step(&mut self) {
        self.people_do_something();
        if self.random.chance(self.plan.orders) {
            self.operator_does_something();
        }
        self.pass_some_time();
        self.is_doomed = self.random.chance(self.plan.kills) && self.random.chance(50);
        self.turn();
        self.check();
        // A walk over everybody's names, which costs more than the rest of a step.
        if self.steps.is_multiple_of(CHAT_CHECKED_EVERY) {
            self.exchange.chat().check();
        }
        self.steps += 1;
    }

    fn time(&self) -> Time {
        Time::START.after_ms(self.now - self.started_at)
    }

    /// When the server wants to be woken.
    fn wakes_at(&self) -> Option<u64> {
        self.exchange.poll_timeout().map(|at| self.started_at + at.ms_since(Time::START))
    }

    fn set_time(&mut self, now: u64) {
        self.now = now;
        self.model.set_time(now);
    }

    fn pass_some_time(&mut self) {
        let next = self.wakes_at();
        let now = match next {
            Some(next) if self.random.chance(self.plan.jumps) => {
                next.max(self.now) + self.random.pick(&[0, 0, 0, 1, 2_000])
            }
            _ if self.random.chance(5) => self.now + self.random.below(3_000) as u64,
            _ => self.now + self.random.below(30) as u64,
        };
        // The loop wakes for whatever is due, and is late now and then.
        let wakes = next.filter(|_| !self.random.chance(10)).unwrap_or(now).max(self.now);
        self.set_time(now.min(wakes));
    }

    /// Shows the model what the server said since it was last shown.
    fn settle(&mut self) {
        let mut observed = Observed::default();
        for who in self.sockets.keys().copied().collect::<Vec<_>>() {
            let news = self.news_for(who);
            self.note_waiting(who, &news, &mut observed);
            checks::for_each_line(&news, |line| {
                if self.is_traced {
                    eprintln!("{:>8} {who:>3} < {}", self.now, String::from_utf8_lossy(line));
                }
                observed.add(who, line);
            });
        }
        let model = &self.model;
        let is_in_room = |who| model.state(who).room().is_some();
        self.sabotage.tamper(&mut observed, self.sockets.keys(), is_in_room);
        if observed.is_empty() && self.model.is_idle() {
            return;
        }
        observed.check_lines();
        self.model.settle(observed);
        for who in self.model.take_given_up() {
            self.sockets.get_mut(&who).into_iter().for_each(Socket::lose_line_begun);
        }
        self.note_ends();
    }

    /// Starts the closing deadline of those whose session has ended (5.16).
    fn note_ends(&mut self) {
        let until = self.now + self.plan.limits.closing_ms;
        for (&who, socket) in &mut self.sockets {
            if socket.close_by.is_none() && !self.model.is_open(who) {
                socket.close_by = Some(until);
            }
        }
    }

    /// The faults stop: everybody is served, leaves, and leaves nothing behind.
    pub(crate) fn wind_down(&mut self) {
        self.plan.calm_down();
        self.calm_everybody();
        for _ in 0..2_000 {
            if self.sockets.keys().all(|&who| self.model.held(who) == 0) {
                break;
            }
            self.let_time_pass();
        }
        let held = self.sockets.keys().find(|&&who| self.model.held(who) > 0);
        assert!(held.is_none(), "{held:?} is never served, though nothing is wrong any more");
        self.everybody_is_answered();
        self.everybody_leaves();
        for _ in 0..20_000 {
            if self.exchange.poll_timeout().is_none() && self.sockets.is_empty() {
                break;
            }
            self.let_time_pass();
        }
        self.check_empty();
        self.figures.chats = self.model.chats;
        self.figures.texts = self.model.texts;
        self.figures.room_lines = self.model.room_lines;
    }

    fn let_time_pass(&mut self) {
        let is_forgotten = self.sabotage.lasts(Wrong::DeadlineForgotten);
        let next = self.wakes_at().filter(|_| !is_forgotten);
        self.set_time(next.unwrap_or(self.now + 1_000).max(self.now));
        self.turn();
        self.check();
    }
}

impl Figures {
    pub(crate) fn add(&mut self, other: Figures) {
        self.arrivals += other.arrivals;
        self.chats += other.chats;
        self.texts += other.texts;
        self.held += other.held;
        self.full_sockets += other.full_sockets;
        self.failures += other.failures;
        self.buffered_most = self.buffered_most.max(other.buffered_most);
        self.room_lines += other.room_lines;
        self.missed += other.missed;
        self.restarts += other.restarts;
    }
}
