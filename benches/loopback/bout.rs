//! One server and the load that plays its users, from start to end.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::ChildStdout;
use std::time::Duration;

use super::contender::{Contender, Occasion};
use super::process::{Cores, Process, Usage, memory_of};

/// The hidden first argument by which this program, started once more, becomes the load.
pub(super) const LOAD: &str = "load";

/// What the load did, and what it cost the server.
#[derive(Clone, Copy)]
pub(super) struct Work {
    /// Lines delivered, or users logged in, or visitors who left.
    pub(super) count: f64,
    /// CPU time of the server.
    pub(super) cpu: Duration,
    /// How often the server slept.
    sleeps: f64,
    /// How long it all took.
    elapsed: Duration,
}

impl Work {
    /// How many the server does in a second of CPU time.
    pub(super) fn per_cpu_second(&self) -> f64 {
        self.count / self.cpu.as_secs_f64()
    }

    /// CPU time of each, in seconds.
    pub(super) fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() / self.count
    }

    /// How busy the server was: one that seldom sleeps finds many events a turn.
    pub(super) fn business(&self) -> String {
        let share = self.cpu.as_secs_f64() / self.elapsed.as_secs_f64();
        format!("busy {:.0} %, {:.0} a sleep", 100.0 * share, self.count / self.sleeps.max(1.0))
    }
}

/// A server with its users. The load, declared first, is dropped first.
pub(super) struct Bout {
    load: Process,
    answers: BufReader<ChildStdout>,
    server: Process,
}

impl Bout {
    /// Starts the server, and a load without users yet.
    pub(super) fn start(contender: Contender, cores: Cores) -> io::Result<Self> {
        Self::start_for(Occasion::Pairs, contender, cores)
    }

    fn start_for(occasion: Occasion, contender: Contender, cores: Cores) -> io::Result<Self> {
        let (server, address) = contender.start(cores.server, occasion)?;
        let arguments = [
            LOAD.to_owned(),
            format!("{:?}", contender.dialect()),
            address.to_string(),
            server.id().to_string(),
        ];
        let mut load = Process::start(cores.load, std::env::current_exe()?, &arguments)?;
        let answers = BufReader::new(load.0.stdout.take().expect("its output is piped"));
        Ok(Self { load, answers, server })
    }

    /// Starts both, logs in so many users and pairs them.
    pub(super) fn with_pairs(contender: Contender, cores: Cores, users: usize) -> io::Result<Self> {
        let mut bout = Self::start(contender, cores)?;
        bout.log_in(users)?;
        bout.ask("pair-up")?;
        Ok(bout)
    }

    /// Starts both, logs in so many users and brings them into one room, whose past is kept in
    /// `history`, if anywhere.
    pub(super) fn with_room(
        contender: Contender,
        cores: Cores,
        members: usize,
        history: Option<&Path>,
    ) -> io::Result<Self> {
        let mut bout = Self::start_for(Occasion::Room { history }, contender, cores)?;
        bout.log_in(members)?;
        bout.ask("join")?;
        Ok(bout)
    }

    /// Logs in so many users.
    pub(super) fn log_in(&mut self, users: usize) -> io::Result<Work> {
        self.ask(&format!("log-in {users}"))
    }

    /// Lets the first pairs talk, with `volley` lines in flight in each.
    pub(super) fn talk(
        &mut self,
        pairs: usize,
        volley: usize,
        length: Duration,
    ) -> io::Result<Work> {
        self.ask(&format!("talk {pairs} {volley} {}", length.as_millis()))
    }

    /// Lets the members of the room speak in turn, `volley` lines each.
    pub(super) fn speak(&mut self, volley: usize, length: Duration) -> io::Result<Work> {
        self.ask(&format!("speak {volley} {}", length.as_millis()))
    }

    /// Lets visitors come and go.
    pub(super) fn visit(&mut self, length: Duration) -> io::Result<Work> {
        self.ask(&format!("visit {}", length.as_millis()))
    }

    /// What the server has used so far.
    pub(super) fn usage(&self) -> io::Result<Usage> {
        Usage::of(self.server.id())
    }

    /// Bytes of the server's own memory.
    pub(super) fn memory(&self) -> io::Result<u64> {
        memory_of(self.server.id())
    }

    fn ask(&mut self, command: &str) -> io::Result<Work> {
        let input = self.load.0.stdin.as_mut().expect("its input is piped");
        writeln!(input, "{command}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let numbers: Option<Vec<u64>> = answer
            .strip_prefix("ok ")
            .and_then(|rest| rest.trim().split(' ').map(|word| word.parse().ok()).collect());
        let Some(&[count, cpu, sleeps, elapsed]) = numbers.as_deref() else {
            let reason = answer.trim().trim_start_matches("failed ");
            return Err(io::Error::other(if reason.is_empty() {
                "the load ended"
            } else {
                reason
            }));
        };
        Ok(Work {
            count: count as f64,
            cpu: Duration::from_nanos(cpu),
            sleeps: sleeps as f64,
            elapsed: Duration::from_nanos(elapsed),
        })
    }
}
