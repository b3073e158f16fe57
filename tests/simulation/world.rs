//! The world around one exchange: the people, their connections, the clock, and a stand-in for the
//! server's loop. The world keeps exactly the promises that the real loop makes to the exchange. A
//! weaker world would report false errors; a stronger world would hide real ones.

pub(crate) mod accounts;
mod checks;
mod event_loop;
pub(crate) mod following;
mod pending;
mod people;
mod recording;
mod restart;

use std::collections::BTreeMap;

use chinwag::core::SessionId;
use chinwag::core::recording::Recorded;
use chinwag::core::time::Time;

use crate::model::Model;
use crate::plan::Plan;
use crate::random::Random;
use crate::sabotage::{Fault, Sabotage};
use crate::socket::Socket;
use crate::store::Store;
use crate::traffic::{Observed, SessionKey};
use restart::Rewriting;

/// Steps between two runs of `Chat::check`.
const CHAT_CHECKED_EVERY: usize = 8;

pub(crate) struct World {
    random: Random,
    plan: Plan,
    exchange: Recorded,
    model: Model,
    sockets: BTreeMap<SessionKey, Socket>,
    /// Keys of closed connections. The last is reused first, as the server's slab does.
    free_keys: Vec<SessionKey>,
    /// Milliseconds since the start of the run.
    now: u64,
    /// When the server last started, in milliseconds since the start of the run.
    started_at: u64,
    /// The history store: everything that the server saved, over all its starts.
    history_file: Vec<u8>,
    /// The file that is written anew from memory, a few rooms at a time (6.3.4).
    rewriting: Option<Rewriting>,
    /// The store of accounts, which outlives the server.
    store: Store,
    is_store_dead: bool,
    /// The server will be killed in this turn.
    will_be_killed: bool,
    /// Sessions that the loop will read in its next turn.
    readable: Vec<SessionKey>,
    /// Steps so far.
    steps: usize,
    sabotage: Sabotage,
    is_traced: bool,
    is_recorded: bool,
    pub(crate) stats: Stats,
}

/// Totals of a run. A run in which nothing happens proves nothing.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Stats {
    pub(crate) arrivals: u64,
    pub(crate) chats: u64,
    pub(crate) messages: u64,
    /// How often the exchange held input back.
    pub(crate) held: u64,
    pub(crate) full_sockets: u64,
    pub(crate) failures: u64,
    pub(crate) buffered_bytes_max: usize,
    pub(crate) room_lines: u64,
    /// Lines that a `You missed` notice counted.
    pub(crate) missed: u64,
    pub(crate) restarts: u64,
    /// How often the history file was written anew.
    pub(crate) rewrites: u64,
    /// How often the world looked at output with an answer in progress.
    pub(crate) unfinished_answers: u64,
    /// Questions to the store of accounts.
    pub(crate) questions: u64,
    pub(crate) sign_ins: u64,
    pub(crate) take_overs: u64,
    pub(crate) registrations: u64,
    /// Messages about changes of the lists.
    pub(crate) told: u64,
    /// Calls that were recorded and made again.
    pub(crate) replayed: u64,
    /// Passwords that a recording has a stand-in for.
    pub(crate) stand_ins: u64,
    /// Replays that ended early, because memory was scarce at another moment.
    pub(crate) scarce_differences: u64,
}

pub(crate) fn id(who: SessionKey) -> SessionId {
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
        // A broken world needs no replay, and half of the seeds are enough of them.
        let is_recorded = sabotage.is_nothing() && seed.is_multiple_of(2);
        let mut exchange = recording::new_server(&plan.limits, is_recorded);
        exchange.start_recording();
        let mut world = World {
            exchange: Recorded::new(plan.limits.clone()),
            model: Model::new(plan.model_limits(), is_traced),
            random,
            plan,
            sockets: BTreeMap::new(),
            free_keys: Vec::new(),
            now: 0,
            started_at: 0,
            history_file: Vec::new(),
            rewriting: None,
            will_be_killed: false,
            readable: Vec::new(),
            steps: 0,
            sabotage,
            is_traced,
            is_recorded,
            stats: Stats::default(),
            store: Store::default(),
            is_store_dead: false,
        };
        world.make_first_accounts();
        world.load_accounts(&mut exchange);
        world.exchange = exchange;
        world
    }

    /// One step: people act, time passes, and the loop turns until no work is left.
    pub(crate) fn step(&mut self) {
        self.rewrite_history();
        self.people_act();
        if self.random.chance(self.plan.operator_actions) {
            self.operator_acts();
        }
        if self.random.chance(self.plan.account_changes) {
            self.operator_changes_account();
        }
        self.store_suffers();
        self.release_name_if_sabotaged();
        self.advance_time();
        self.will_be_killed = self.random.chance(self.plan.kills) && self.random.chance(50);
        self.turn();
        self.check();
        // `Chat::check` visits every username, which costs more than the rest of a step.
        if self.steps.is_multiple_of(CHAT_CHECKED_EVERY) {
            self.exchange.chat().check();
        }
        self.steps += 1;
    }

    fn time(&self) -> Time {
        Time::START.after_ms(self.now - self.started_at)
    }

    /// When the exchange wants the next call of `handle_timeout`, in milliseconds of the run.
    fn next_wakeup(&self) -> Option<u64> {
        self.exchange.poll_timeout().map(|at| self.started_at + at.ms_since(Time::START))
    }

    fn set_time(&mut self, now: u64) {
        self.now = now;
        self.model.set_time(now);
    }

    fn advance_time(&mut self) {
        let next = self.next_wakeup();
        let now = match next {
            Some(next) if self.random.chance(self.plan.time_jumps) => {
                next.max(self.now) + self.random.pick(&[0, 0, 0, 1, 2_000])
            }
            _ if self.random.chance(5) => self.now + self.random.below(3_000) as u64,
            _ => self.now + self.random.below(30) as u64,
        };
        // The loop wakes for the next deadline. One time in ten it wakes late, as on a busy
        // machine.
        let wakes = next.filter(|_| !self.random.chance(10)).unwrap_or(now).max(self.now);
        self.set_time(now.min(wakes));
    }

    /// Shows the model every line that the server produced since the last call.
    fn check_output(&mut self) {
        // Either can cause the other: resumed input may end a chat, and a drain lets input go on.
        self.drain_sockets();
        while let Some(session) = self.exchange.poll_resume() {
            // Input goes on a few replies at a time (7.34), and may depend on other sessions' input.
            self.observe(false);
            self.resume_input(session);
            self.drain_sockets();
        }
        self.observe(true);
    }

    /// Shows the model the new lines. `is_settled` says whether all input that may be processed has been.
    fn observe(&mut self, is_settled: bool) {
        let mut observed = Observed::default();
        for who in self.sockets.keys().copied().collect::<Vec<_>>() {
            let new_output = self.new_output_for(who);
            let socket = self.sockets.get_mut(&who).expect("the connection exists");
            let (mut typing, mut mirror) = (socket.typing, std::mem::take(&mut socket.mirror));
            let (sabotage, now) = (&mut self.sabotage, self.now);
            let mut hidden = 0;
            checks::for_each_line(&new_output, |line| {
                if self.is_traced {
                    eprintln!("{:>8} {who:>3} < {}", self.now, String::from_utf8_lossy(line));
                }
                match typing.follow(line) {
                    true if line[0] == 255 => hidden += line.len(),
                    true => hidden += line.len() + 2,
                    false if mirror.follow(line, now, sabotage) => hidden += line.len() + 2,
                    false => observed.add(who, line),
                }
            });
            self.sockets.get_mut(&who).into_iter().for_each(|socket| {
                (socket.typing, socket.mirror) = (typing, std::mem::take(&mut mirror));
            });
            self.record_waiting(who, &new_output, hidden, &mut observed);
        }
        let model = &self.model;
        let is_in_room = |who| model.state(who).room().is_some();
        self.sabotage.tamper(&mut observed, self.sockets.keys(), is_in_room);
        if observed.is_empty() && self.model.is_idle() {
            return;
        }
        observed.check_lines();
        self.model.explain_all(observed, is_settled);
        for who in self.model.take_discarded() {
            let Some(socket) = self.sockets.get_mut(&who) else { continue };
            let is_drained = socket.arrived == 0 || socket.has_failed;
            assert!(is_drained, "what {who} sent before the end of a chat is in the kernel still");
            socket.discard_partial_line();
        }
        self.start_closing_deadlines();
    }

    /// Starts the closing deadline of every session that has ended (7.18, 7.39).
    fn start_closing_deadlines(&mut self) {
        let until = self.now + self.plan.limits.closing_ms;
        for (&who, socket) in &mut self.sockets {
            if socket.close_by.is_none() && !self.model.is_open(who) {
                socket.close_by = Some(until);
            }
        }
    }

    /// Stops the faults. Every session is served, leaves, and must leave nothing behind.
    pub(crate) fn wind_down(&mut self) {
        self.plan.stop_faults();
        self.deliver_everything();
        for _ in 0..20_000 {
            if self.sockets.keys().all(|&who| self.model.held_count(who) == 0) {
                break;
            }
            self.jump_to_next_deadline();
        }
        let held = self.sockets.keys().find(|&&who| self.model.held_count(who) > 0);
        assert!(held.is_none(), "{held:?} is never served, although the faults have stopped");
        self.check_mirrors();
        self.everybody_gets_a_reply();
        self.everybody_leaves();
        for _ in 0..20_000 {
            if self.exchange.poll_timeout().is_none() && self.sockets.is_empty() {
                break;
            }
            self.jump_to_next_deadline();
        }
        self.check_empty();
        self.check_recording();
        self.stats.chats = self.model.chats;
        self.stats.messages = self.model.messages;
        self.stats.room_lines = self.model.room_lines;
        self.stats.sign_ins = self.model.sign_ins;
        self.stats.take_overs = self.model.take_overs;
        self.stats.registrations = self.model.registrations;
    }

    fn jump_to_next_deadline(&mut self) {
        let timers_stopped = self.sabotage.is_in_effect(Fault::TimersStopped);
        let next = self.next_wakeup().filter(|_| !timers_stopped);
        self.set_time(next.unwrap_or(self.now + 1_000).max(self.now));
        self.turn();
        self.check();
    }
}

impl Stats {
    pub(crate) fn add(&mut self, other: Stats) {
        self.arrivals += other.arrivals;
        self.chats += other.chats;
        self.messages += other.messages;
        self.held += other.held;
        self.full_sockets += other.full_sockets;
        self.failures += other.failures;
        self.buffered_bytes_max = self.buffered_bytes_max.max(other.buffered_bytes_max);
        self.room_lines += other.room_lines;
        self.missed += other.missed;
        self.restarts += other.restarts;
        self.rewrites += other.rewrites;
        self.unfinished_answers += other.unfinished_answers;
        self.questions += other.questions;
        self.sign_ins += other.sign_ins;
        self.take_overs += other.take_overs;
        self.registrations += other.registrations;
        self.told += other.told;
        self.replayed += other.replayed;
        self.stand_ins += other.stand_ins;
        self.scarce_differences += other.scarce_differences;
    }
}
