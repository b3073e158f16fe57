//! The load generator: all the users, in one process on one mio loop.
//!
//! It reads one command a line from its standard input, carries it out, and answers with one line:
//! `ok` and figures, or `failed` and why. Between commands it sleeps, so the server idles.
//!
//! A pair has a **volley** of lines in flight: one end says all of them in one write, and once they
//! have come whole and in order, the other end answers with as many.

use std::io::{self, BufRead, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::clock::now;
use super::dialect::{Dialect, UserState};
use super::process::Usage;
use super::room::Room;
use super::user::User;
use super::walk::Walk;

/// Without a byte for so long, the server has stalled.
pub(super) const STALL: Duration = Duration::from_secs(5);
/// Events a turn takes from the kernel.
pub(super) const EVENTS_MAX: usize = 1024;

/// How long the server is given to fall asleep before its CPU time is read.
const SETTLE: Duration = Duration::from_millis(3);
const READ_BYTES_MAX: usize = 64 * 1024;

/// What one command came to.
struct Outcome {
    /// Lines delivered, or users logged in, or visitors who left.
    count: u64,
    /// What the server used meanwhile.
    used: Usage,
    /// How long it took.
    elapsed: Duration,
}

/// The users and the loop they live on.
pub(super) struct Load {
    pub(super) dialect: Dialect,
    pub(super) server: SocketAddr,
    server_process: u32,
    pub(super) poll: Poll,
    /// End `i` of pair `p` is user 2p + i, and has that token. Who has left is `None`.
    pub(super) users: Vec<Option<User>>,
    pub(super) room: Room,
    /// Where everybody reads into.
    pub(super) buffer: Box<[u8]>,
    /// Where a volley is put together.
    scratch: Vec<u8>,
}

/// Serves commands until standard input ends.
pub(super) fn run(arguments: &[String]) -> io::Result<()> {
    let [dialect, server, server_process] = arguments else {
        return Err(io::Error::other("a dialect, an address and a process are needed"));
    };
    let mut load = Load {
        dialect: Dialect::named(dialect).ok_or_else(|| io::Error::other("no such dialect"))?,
        server: server.parse().map_err(io::Error::other)?,
        server_process: server_process.parse().map_err(io::Error::other)?,
        poll: Poll::new()?,
        users: Vec::new(),
        room: Room::default(),
        buffer: vec![0; READ_BYTES_MAX].into_boxed_slice(),
        scratch: Vec::new(),
    };
    for command in io::stdin().lock().lines() {
        let command = command?;
        let mut answer = io::stdout().lock();
        match load.execute(&command) {
            Ok(Outcome { count, used: Usage { cpu, sleeps }, elapsed }) => {
                let (cpu, elapsed) = (cpu.as_nanos(), elapsed.as_nanos());
                writeln!(answer, "ok {count} {cpu} {sleeps} {elapsed}")?;
            }
            Err(error) => writeln!(answer, "failed {error}")?,
        }
        answer.flush()?;
    }
    Ok(())
}

impl Load {
    fn execute(&mut self, command: &str) -> io::Result<Outcome> {
        let unknown = || io::Error::other(format!("{command} is no command"));
        let mut words = command.split(' ');
        let verb = words.next().ok_or_else(unknown)?;
        let mut number = || words.next().and_then(|word| word.parse().ok()).ok_or_else(unknown);
        let dialect = self.dialect;
        let before = Usage::of(self.server_process)?;
        let start = now();
        let count = match verb {
            "log-in" => self.log_in(number()?)?,
            "pair-up" => self.walk_all(&|pair| dialect.pair_up(pair))?,
            "join" => self.join()?,
            "talk" => {
                let (pairs, volley) = (number()?, number()?);
                self.talk(pairs, volley as u32, Duration::from_millis(number()? as u64))?
            }
            "speak" => {
                let volley = number()?;
                self.speak_in_turn(volley as u32, Duration::from_millis(number()? as u64))?
            }
            "visit" => self.visit(Duration::from_millis(number()? as u64))?,
            _ => return Err(unknown()),
        };
        let elapsed = start.elapsed();
        let mut no_events = Events::with_capacity(1);
        self.poll.poll(&mut no_events, Some(SETTLE))?;
        let used = Usage::of(self.server_process)?.since(before);
        Ok(Outcome { count, used, elapsed })
    }

    /// Connects so many users, and logs them in.
    fn log_in(&mut self, users: usize) -> io::Result<u64> {
        let dialect = self.dialect;
        let mut pairs = 0..users / 2;
        Walk::new(self, &|pair| vec![dialect.log_in(pair)], false).run(&mut |_| pairs.next())
    }

    /// Leads all who are logged in through phases.
    pub(super) fn walk_all(&mut self, phases: &dyn Fn(usize) -> Vec<UserState>) -> io::Result<u64> {
        let mut pairs = 0..self.users.len() / 2;
        Walk::new(self, phases, false).run(&mut |_| pairs.next())
    }

    /// For so long, pairs come, log in, meet, say one line each, and leave.
    fn visit(&mut self, length: Duration) -> io::Result<u64> {
        let dialect = self.dialect;
        let mut pairs = self.users.len() / 2..;
        let end = now() + length;
        Walk::new(self, &|pair| dialect.visit(pair), true)
            .run(&mut |now| pairs.next().filter(|_| now < end))
    }

    /// For so long, the first `pairs` pairs talk, with `volley` lines in flight in each; then what
    /// is in flight is waited for, so that not a line remains unchecked.
    fn talk(&mut self, pairs: usize, volley: u32, length: Duration) -> io::Result<u64> {
        let end = now() + length;
        for pair in 0..pairs {
            self.say(2 * pair, volley)?;
        }
        let in_flight = pairs as u64 * u64::from(volley);
        self.hear_out(in_flight, volley, &mut |load, user, time| match time < end {
            true => load.say(user, volley),
            false => Ok(0),
        })
    }

    /// Lets everybody hear until nothing is in flight; returns the lines heard. Who has heard a
    /// whole volley may `answer`, which returns the lines said.
    pub(super) fn hear_out(
        &mut self,
        mut in_flight: u64,
        volley: u32,
        answer: &mut dyn FnMut(&mut Self, usize, Instant) -> io::Result<u64>,
    ) -> io::Result<u64> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        let (mut delivered, mut heard_at) = (0, now());
        while in_flight > 0 {
            wait(&mut self.poll, &mut events)?;
            let time = now();
            for event in events.iter().filter(|event| event.is_readable()) {
                let user = event.token().0;
                let (lines, complete) = self.hear(user, volley)?;
                let said = if complete { answer(self, user, time)? } else { 0 };
                delivered += lines;
                in_flight = in_flight + said - lines;
                heard_at = if lines > 0 { time } else { heard_at };
            }
            if time - heard_at > STALL {
                return Err(self.stalled(0..self.users.len()));
            }
        }
        Ok(delivered)
    }

    /// Lets a user say so many lines; returns their number.
    pub(super) fn say(&mut self, user: usize, lines: u32) -> io::Result<u64> {
        let Some(user) = &mut self.users[user] else { return Ok(0) };
        user.say(lines, &mut self.scratch)?;
        Ok(lines.into())
    }

    /// Lets a user hear; returns how many lines, and whether they complete a volley.
    pub(super) fn hear(&mut self, user: usize, volley: u32) -> io::Result<(u64, bool)> {
        let Some(user) = &mut self.users[user] else { return Ok((0, false)) };
        let (lines, complete) = user.hear(&mut self.buffer, volley)?;
        Ok((lines.into(), complete))
    }

    /// The error that names what somebody waits for in vain.
    pub(super) fn stalled(&self, users: impl IntoIterator<Item = usize>) -> io::Error {
        let mut users = users.into_iter().filter_map(|user| self.users[user].as_ref());
        let plight = users.find(|user| !user.is_done()).map(User::plight);
        io::Error::other(format!("stalled: {}", plight.as_deref().unwrap_or("lines are missing")))
    }
}

/// Waits for events, but not for ever.
pub(super) fn wait(poll: &mut Poll, events: &mut Events) -> io::Result<()> {
    match poll.poll(events, Some(STALL)) {
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
        outcome => outcome,
    }
}
