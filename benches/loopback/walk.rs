//! Leading pairs of users through their phases: log in, meet, say a line, leave.
//!
//! A bounded number of pairs is underway at a time, so that the server sees a stream of arrivals
//! and not one heap of them.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::time::Instant;

use mio::{Events, Interest, Token};

use super::clock::now;
use super::dialect::UserState;
use super::load::{EVENTS_MAX, Load, STALL, wait};
use super::user::User;

/// Visitors from one address, before the next takes its turn: ports stay bound for a minute.
const VISITORS_PER_ADDRESS: usize = 10_000;

/// Where a pair stands.
struct Standing {
    /// The phases ahead, the next one last.
    ahead: Vec<UserState>,
    /// How many of its ends the server has hung up on.
    hung_up: usize,
}

/// Some pairs' way through their phases.
pub(super) struct Walk<'a> {
    load: &'a mut Load,
    phases: &'a dyn Fn(usize) -> Vec<UserState>,
    /// Whether they leave at the end of it.
    visiting: bool,
    underway: HashMap<usize, Standing>,
    /// Users who have come to the end of it.
    arrived: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        load: &'a mut Load,
        phases: &'a dyn Fn(usize) -> Vec<UserState>,
        visiting: bool,
    ) -> Self {
        Self { load, phases, visiting, underway: HashMap::new(), arrived: 0 }
    }

    /// Walks with all the pairs that `next` gives; returns how many users have arrived.
    pub(super) fn run(mut self, next: &mut dyn FnMut(Instant) -> Option<usize>) -> io::Result<u64> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        let underway_max = self.load.dialect.pairs_underway_max();
        let mut heard_at = now();
        loop {
            while self.underway.len() < underway_max
                && let Some(pair) = next(now())
            {
                self.set_out(pair)?;
            }
            if self.underway.is_empty() {
                return Ok(self.arrived);
            }
            wait(&mut self.load.poll, &mut events)?;
            for event in events.iter().filter(|event| event.is_readable()) {
                heard_at = now();
                self.read(event.token().0)?;
            }
            if now() - heard_at > STALL {
                let pairs = self.underway.keys();
                return Err(self.load.stalled(pairs.flat_map(|pair| [2 * pair, 2 * pair + 1])));
            }
        }
    }

    fn set_out(&mut self, pair: usize) -> io::Result<()> {
        if self.load.users.len() <= 2 * pair + 1 {
            self.load.users.resize_with(2 * pair + 2, || None);
            let from = match self.visiting {
                true => Ipv4Addr::new(127, 0, 0, 2 + (pair / VISITORS_PER_ADDRESS) as u8),
                false => Ipv4Addr::LOCALHOST,
            };
            for end in [0, 1] {
                let Load { dialect, server, poll, users, .. } = &mut *self.load;
                let mut user = User::connect(*dialect, *server, from, (pair, end))?;
                let (token, interest) = (Token(2 * pair + end), Interest::READABLE);
                poll.registry().register(&mut user.stream, token, interest)?;
                users[2 * pair + end] = Some(user);
            }
        }
        let mut ahead = (self.phases)(pair);
        ahead.reverse();
        self.underway.insert(pair, Standing { ahead, hung_up: 0 });
        self.go_on(pair)
    }

    /// Begins the next phase once both are done with the last one.
    fn go_on(&mut self, pair: usize) -> io::Result<()> {
        let Some(standing) = self.underway.get_mut(&pair) else { return Ok(()) };
        let [Some(one), Some(other)] = &mut self.load.users[2 * pair..2 * pair + 2] else {
            return Ok(());
        };
        while one.is_done() && other.is_done() {
            let Some(phase) = standing.ahead.pop() else {
                return self.arrive(pair);
            };
            one.begin(&phase.sends[0], &phase.awaits[0])?;
            other.begin(&phase.sends[1], &phase.awaits[1])?;
        }
        Ok(())
    }

    fn arrive(&mut self, pair: usize) -> io::Result<()> {
        if !self.visiting {
            self.arrived += 2;
            self.underway.remove(&pair);
            return Ok(());
        }
        for user in self.load.users[2 * pair..2 * pair + 2].iter_mut().flatten() {
            user.leave()?;
        }
        Ok(())
    }

    fn read(&mut self, user: usize) -> io::Result<()> {
        let pair = user / 2;
        let Some(standing) = self.underway.get_mut(&pair) else {
            // Who is in the room already reads who joins, lest it heap up.
            return self.load.hear(user, 0).map(drop);
        };
        let Some(reader) = &mut self.load.users[user] else { return Ok(()) };
        let was_done = reader.is_done();
        let hung_up = reader.read_phase(&mut self.load.buffer)?;
        if hung_up {
            if !(self.visiting && standing.ahead.is_empty() && was_done) {
                return Err(io::Error::other(format!("hung up on a user who {}", reader.plight())));
            }
            self.load.users[user] = None;
            standing.hung_up += 1;
            if standing.hung_up == 2 {
                self.arrived += 2;
                self.underway.remove(&pair);
            }
            return Ok(());
        }
        if was_done { Ok(()) } else { self.go_on(pair) }
    }
}
