//! Leads pairs of users through their steps: log in, meet, say a line, leave.
//!
//! Only a limited number of pairs is in progress at a time. The server then sees a stream of new
//! connections instead of all of them at once.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::time::Instant;

use mio::{Events, Interest, Token};

use super::clock::now;
use super::protocol::Step;
use super::user::User;
use super::user_pool::{EVENTS_MAX, STALL, UserPool, wait};

/// Visitor pairs from one address, before the next address is used. A closed connection keeps its
/// port for a minute (TIME_WAIT), and Linux has about 28,000 ephemeral ports per address.
const VISITORS_PER_ADDRESS: usize = 10_000;

/// The progress of one pair.
struct Progress {
    /// The steps that remain, the next one last.
    remaining: Vec<Step>,
    /// How many ends the server has closed.
    closed: usize,
}

/// Runs the steps of pairs.
pub(super) struct StepRunner<'a> {
    pool: &'a mut UserPool,
    steps: &'a dyn Fn(usize) -> Vec<Step>,
    /// Whether the users leave after their last step.
    are_visitors: bool,
    in_progress: HashMap<usize, Progress>,
    /// Users who have finished.
    finished: u64,
}

/// Leads all users in the pool through steps. Returns how many users finished.
pub(super) fn run_for_all(
    pool: &mut UserPool,
    steps: &dyn Fn(usize) -> Vec<Step>,
) -> io::Result<u64> {
    let mut pairs = 0..pool.users.len() / 2;
    StepRunner::new(pool, steps, false).run(&mut |_| pairs.next())
}

impl<'a> StepRunner<'a> {
    /// `steps` gives the steps of a pair.
    pub(super) fn new(
        pool: &'a mut UserPool,
        steps: &'a dyn Fn(usize) -> Vec<Step>,
        are_visitors: bool,
    ) -> Self {
        Self { pool, steps, are_visitors, in_progress: HashMap::new(), finished: 0 }
    }

    /// Runs the steps of all pairs that `next` returns. Returns how many users finished.
    pub(super) fn run(mut self, next: &mut dyn FnMut(Instant) -> Option<usize>) -> io::Result<u64> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        let pairs_max = self.pool.protocol.pairs_in_progress_max();
        let mut received_at = now();
        loop {
            while self.in_progress.len() < pairs_max
                && let Some(pair) = next(now())
            {
                self.start_pair(pair)?;
            }
            if self.in_progress.is_empty() {
                return Ok(self.finished);
            }
            wait(&mut self.pool.poll, &mut events)?;
            for event in events.iter().filter(|event| event.is_readable()) {
                received_at = now();
                self.read(event.token().0)?;
            }
            if now() - received_at > STALL {
                let pairs = self.in_progress.keys();
                return Err(self.pool.stalled(pairs.flat_map(|pair| [2 * pair, 2 * pair + 1])));
            }
        }
    }

    fn start_pair(&mut self, pair: usize) -> io::Result<()> {
        if self.pool.users.len() <= 2 * pair + 1 {
            self.pool.users.resize_with(2 * pair + 2, || None);
            let from = match self.are_visitors {
                true => Ipv4Addr::new(127, 0, 0, 2 + (pair / VISITORS_PER_ADDRESS) as u8),
                false => Ipv4Addr::LOCALHOST,
            };
            for end in [0, 1] {
                let UserPool { protocol, server, poll, users, .. } = &mut *self.pool;
                let mut user = User::connect(*protocol, *server, from, (pair, end))?;
                let (token, interest) = (Token(2 * pair + end), Interest::READABLE);
                poll.registry().register(&mut user.stream, token, interest)?;
                users[2 * pair + end] = Some(user);
            }
        }
        let mut remaining = (self.steps)(pair);
        remaining.reverse();
        self.in_progress.insert(pair, Progress { remaining, closed: 0 });
        self.begin_next_step(pair)
    }

    /// Begins the next step, once both ends have finished the last one.
    fn begin_next_step(&mut self, pair: usize) -> io::Result<()> {
        let Some(progress) = self.in_progress.get_mut(&pair) else { return Ok(()) };
        let [Some(one), Some(other)] = &mut self.pool.users[2 * pair..2 * pair + 2] else {
            return Ok(());
        };
        while one.is_done() && other.is_done() {
            let Some(step) = progress.remaining.pop() else {
                return self.finish_pair(pair);
            };
            one.begin_step(&step.sends[0], &step.awaits[0])?;
            other.begin_step(&step.sends[1], &step.awaits[1])?;
        }
        Ok(())
    }

    fn finish_pair(&mut self, pair: usize) -> io::Result<()> {
        if !self.are_visitors {
            self.finished += 2;
            self.in_progress.remove(&pair);
            return Ok(());
        }
        for user in self.pool.users[2 * pair..2 * pair + 2].iter_mut().flatten() {
            user.leave()?;
        }
        Ok(())
    }

    fn read(&mut self, user: usize) -> io::Result<()> {
        let pair = user / 2;
        let Some(progress) = self.in_progress.get_mut(&pair) else {
            // Members already in the room must read who joins, or the notices fill their sockets.
            return self.pool.receive(user, 0).map(drop);
        };
        let Some(reader) = &mut self.pool.users[user] else { return Ok(()) };
        let was_done = reader.is_done();
        let is_closed = reader.read_step(&mut self.pool.buffer)?;
        if is_closed {
            if !(self.are_visitors && progress.remaining.is_empty() && was_done) {
                let state = reader.describe();
                return Err(io::Error::other(format!(
                    "closed the connection of a user who {state}"
                )));
            }
            self.pool.users[user] = None;
            progress.closed += 1;
            if progress.closed == 2 {
                self.finished += 2;
                self.in_progress.remove(&pair);
            }
            return Ok(());
        }
        if was_done { Ok(()) } else { self.begin_next_step(pair) }
    }
}
