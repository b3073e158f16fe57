//! One server and the load generator that plays its users, from start to end.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::ChildStdout;
use std::time::Duration;

use super::process::{Cores, Folder, Process, Usage, memory_of};
use super::server_kind::{ServerKind, Workload};

/// The hidden first argument that turns this program into the load generator.
pub(super) const LOAD_ARGUMENT: &str = "load";

/// What the load did, and what it cost the server.
#[derive(Clone, Copy)]
pub(super) struct TrialResult {
    /// Lines delivered, users logged in, or visitors who left.
    pub(super) count: f64,
    /// CPU time of the server.
    pub(super) cpu: Duration,
    /// How often the server slept.
    sleeps: f64,
    /// Elapsed time.
    elapsed: Duration,
}

impl TrialResult {
    /// The count per second of the server's CPU time.
    pub(super) fn per_cpu_second(&self) -> f64 {
        self.count / self.cpu.as_secs_f64()
    }

    /// CPU seconds per unit of the count.
    pub(super) fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() / self.count
    }

    /// How busy the server was. A server that seldom sleeps finds many events in each turn.
    pub(super) fn utilization(&self) -> String {
        let share = self.cpu.as_secs_f64() / self.elapsed.as_secs_f64();
        format!(
            "busy {:.0} %, {:.0} lines per sleep",
            100.0 * share,
            self.count / self.sleeps.max(1.0)
        )
    }
}

/// A server with its users. Rust drops fields in order of declaration: the load ends before the
/// server.
pub(super) struct Trial {
    load: Process,
    replies: BufReader<ChildStdout>,
    _watcher: Option<Process>,
    server: Process,
    _folder: Option<Folder>,
}

impl Trial {
    /// Starts the server, and a load generator without users.
    pub(super) fn start(kind: ServerKind, cores: Cores) -> io::Result<Self> {
        Self::start_for(Workload::Pairs, kind, cores)
    }

    fn start_for(workload: Workload, kind: ServerKind, cores: Cores) -> io::Result<Self> {
        let folder = kind.needs_folder().then(|| Folder::new(kind.name())).transpose()?;
        let path = folder.as_ref().map(Folder::path);
        let (server, address) = kind.start(cores.server, workload, path)?;
        let watcher = path.map(|path| kind.start_watcher(cores.load, path)).transpose()?.flatten();
        let arguments = [
            LOAD_ARGUMENT.to_owned(),
            format!("{:?}", kind.protocol()),
            address.to_string(),
            server.id().to_string(),
        ];
        let mut load = Process::start(cores.load, std::env::current_exe()?, &arguments)?;
        let replies = BufReader::new(load.0.stdout.take().expect("standard output is a pipe"));
        Ok(Self { load, replies, _watcher: watcher, server, _folder: folder })
    }

    /// Starts both, logs in `users` users and brings them into chats.
    pub(super) fn with_pairs(kind: ServerKind, cores: Cores, users: usize) -> io::Result<Self> {
        let mut trial = Self::start(kind, cores)?;
        trial.log_in(users)?;
        trial.send_command("pair-up")?;
        Ok(trial)
    }

    /// Starts both, logs in `members` users and brings them into one room. If `history` is set, the
    /// server saves the room's history there.
    pub(super) fn with_room(
        kind: ServerKind,
        cores: Cores,
        members: usize,
        history: Option<&Path>,
    ) -> io::Result<Self> {
        let mut trial = Self::start_for(Workload::Room { history }, kind, cores)?;
        trial.log_in(members)?;
        trial.send_command("join")?;
        Ok(trial)
    }

    /// Logs in `users` users.
    pub(super) fn log_in(&mut self, users: usize) -> io::Result<TrialResult> {
        self.send_command(&format!("log-in {users}"))
    }

    /// The first `pairs` pairs talk, with `batch` lines in flight in each.
    pub(super) fn talk(
        &mut self,
        pairs: usize,
        batch: usize,
        length: Duration,
    ) -> io::Result<TrialResult> {
        self.send_command(&format!("talk {pairs} {batch} {}", length.as_millis()))
    }

    /// The members of the room speak in turn, `batch` lines each.
    pub(super) fn speak(&mut self, batch: usize, length: Duration) -> io::Result<TrialResult> {
        self.send_command(&format!("speak {batch} {}", length.as_millis()))
    }

    /// Visitors connect and leave.
    pub(super) fn visit(&mut self, length: Duration) -> io::Result<TrialResult> {
        self.send_command(&format!("visit {}", length.as_millis()))
    }

    /// What the server has used so far.
    pub(super) fn usage(&self) -> io::Result<Usage> {
        Usage::of(self.server.id())
    }

    /// Memory of the server in bytes, without memory that belongs to files.
    pub(super) fn memory(&self) -> io::Result<u64> {
        memory_of(self.server.id())
    }

    fn send_command(&mut self, command: &str) -> io::Result<TrialResult> {
        let input = self.load.0.stdin.as_mut().expect("standard input is a pipe");
        writeln!(input, "{command}")?;
        let mut reply = String::new();
        self.replies.read_line(&mut reply)?;
        let numbers: Option<Vec<u64>> = reply
            .strip_prefix("ok ")
            .and_then(|rest| rest.trim().split(' ').map(|word| word.parse().ok()).collect());
        let Some(&[count, cpu, sleeps, elapsed]) = numbers.as_deref() else {
            let reason = reply.trim().trim_start_matches("failed ");
            return Err(io::Error::other(if reason.is_empty() {
                "the load generator ended"
            } else {
                reason
            }));
        };
        Ok(TrialResult {
            count: count as f64,
            cpu: Duration::from_nanos(cpu),
            sleeps: sleeps as f64,
            elapsed: Duration::from_nanos(elapsed),
        })
    }
}
