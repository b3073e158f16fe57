//! The load generator: all users, in one process on one mio loop.
//!
//! It reads one command per line from standard input, executes the command, and replies with one
//! line: `ok` and numbers, or `failed` and the reason. Between commands it sleeps: the server idles.
//!
//! Each pair has a **batch** of lines in flight. One end sends all of them in one write. Once they
//! have arrived whole and in order, the other end replies with as many.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use mio::Events;

use super::clock::now;
use super::process::Usage;
use super::protocol::Protocol;
use super::room_load::RoomLoad;
use super::step_runner::{StepRunner, run_for_all};
use super::user_pool::UserPool;

/// How long the server gets to fall asleep before its CPU time is read: see [`Usage::of`].
const SETTLE: Duration = Duration::from_millis(3);

/// The result of one command.
struct Outcome {
    /// Lines delivered, users logged in, or visitors who left.
    count: u64,
    /// What the server used meanwhile.
    used: Usage,
    /// How long the command took.
    elapsed: Duration,
}

struct LoadGenerator {
    pool: UserPool,
    room: RoomLoad,
    /// The process ID of the server.
    server_process: u32,
}

/// Carries out commands until standard input ends.
pub(super) fn run(arguments: &[String]) -> io::Result<()> {
    let [protocol, server, server_process] = arguments else {
        return Err(io::Error::other("usage: load PROTOCOL ADDRESS PROCESS"));
    };
    let protocol =
        Protocol::from_name(protocol).ok_or_else(|| io::Error::other("unknown protocol"))?;
    let mut load = LoadGenerator {
        pool: UserPool::new(protocol, server.parse().map_err(io::Error::other)?)?,
        room: RoomLoad::default(),
        server_process: server_process.parse().map_err(io::Error::other)?,
    };
    for command in io::stdin().lock().lines() {
        let command = command?;
        let mut reply = io::stdout().lock();
        match load.execute(&command) {
            Ok(Outcome { count, used: Usage { cpu, sleeps }, elapsed }) => {
                let (cpu, elapsed) = (cpu.as_nanos(), elapsed.as_nanos());
                writeln!(reply, "ok {count} {cpu} {sleeps} {elapsed}")?;
            }
            Err(error) => writeln!(reply, "failed {error}")?,
        }
        reply.flush()?;
    }
    Ok(())
}

impl LoadGenerator {
    fn execute(&mut self, command: &str) -> io::Result<Outcome> {
        let unknown = || io::Error::other(format!("{command} is not a command"));
        let mut words = command.split(' ');
        let verb = words.next().ok_or_else(unknown)?;
        let mut number = || words.next().and_then(|word| word.parse().ok()).ok_or_else(unknown);
        let protocol = self.pool.protocol;
        let before = Usage::of(self.server_process)?;
        let start = now();
        let count = match verb {
            "log-in" => self.log_in(number()?)?,
            "pair-up" => run_for_all(&mut self.pool, &|pair| protocol.pair_up(pair))?,
            "join" => self.room.join(&mut self.pool)?,
            "talk" => {
                let (pairs, batch) = (number()?, number()?);
                self.talk(pairs, batch as u32, Duration::from_millis(number()? as u64))?
            }
            "speak" => {
                let batch = number()?;
                let length = Duration::from_millis(number()? as u64);
                self.room.speak_in_turn(&mut self.pool, batch as u32, length)?
            }
            "visit" => self.visit(Duration::from_millis(number()? as u64))?,
            _ => return Err(unknown()),
        };
        let elapsed = start.elapsed();
        let mut no_events = Events::with_capacity(1);
        self.pool.poll.poll(&mut no_events, Some(SETTLE))?;
        let used = Usage::of(self.server_process)?.since(before);
        Ok(Outcome { count, used, elapsed })
    }

    /// Connects `users` users and logs them in. Returns how many did.
    fn log_in(&mut self, users: usize) -> io::Result<u64> {
        let protocol = self.pool.protocol;
        let mut pairs = 0..users / 2;
        StepRunner::new(&mut self.pool, &|pair| vec![protocol.log_in(pair)], false)
            .run(&mut |_| pairs.next())
    }

    /// For `length`, pairs connect, log in, meet, say one line each, and leave. Returns how many
    /// users left.
    fn visit(&mut self, length: Duration) -> io::Result<u64> {
        let protocol = self.pool.protocol;
        let mut pairs = self.pool.users.len() / 2..;
        let end = now() + length;
        StepRunner::new(&mut self.pool, &|pair| protocol.visit(pair), true)
            .run(&mut |now| pairs.next().filter(|_| now < end))
    }

    /// For `length`, the first `pairs` pairs talk, with `batch` lines in flight in each. Then waits
    /// for the lines still in flight, and checks them too. Returns the lines delivered.
    fn talk(&mut self, pairs: usize, batch: u32, length: Duration) -> io::Result<u64> {
        let end = now() + length;
        for pair in 0..pairs {
            self.pool.send(2 * pair, batch)?;
        }
        let in_flight = pairs as u64 * u64::from(batch);
        self.pool.receive_all(in_flight, batch, &mut |pool, user, time| match time < end {
            true => pool.send(user, batch),
            false => Ok(0),
        })
    }
}
