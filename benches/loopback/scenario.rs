//! What to measure. Each scenario starts the servers, runs interleaved rounds, and returns rows of
//! the table.

use std::io;
use std::time::Duration;

use super::clock::pause;
use super::process::{Cores, Folder, sockets_max};
use super::report::{Cell, Goal, Measure, Row};
use super::server_kind::ServerKind;
use super::shared::{Length, Options};
use super::trial::{Trial, TrialResult};

/// Pairs that talk while all other users are idle.
const PAIRS_IN_CROWD: usize = 10;
/// In a quick run, servers with slow logins take no part in scenarios with more users than this.
const SLOW_USERS_MAX: usize = 1_000;

/// One server in a scenario.
struct Entry<T, V> {
    kind: ServerKind,
    /// What the rounds measure, or the reason why the server takes no further part.
    running: Result<T, String>,
    /// One value per round of the current measurement.
    values: Vec<V>,
}

/// The result of one round with idle users.
struct IdleCost {
    bytes_per_user: f64,
    micros_per_log_in: f64,
    millis_per_ten_seconds: f64,
}

/// All scenarios, for the available servers.
pub(super) struct Scenarios<'a> {
    options: &'a Options,
    cores: Cores,
    kinds: Vec<ServerKind>,
    /// Failures of the relay or chinwag.
    failures: Vec<String>,
}

impl<'a> Scenarios<'a> {
    /// Selects every server that is wanted and installed. Reports those that are not installed.
    pub(super) fn new(options: &'a Options, cores: Cores) -> Self {
        let wanted = ServerKind::ALL.into_iter().filter(|kind| match kind.needs_folder() {
            // Few want to know what these cost, and everybody would wait for them.
            true => options.names_server(kind.name()),
            false => options.wants_server(kind.name()),
        });
        let (kinds, missing): (Vec<_>, Vec<_>) = wanted.partition(|kind| kind.program().is_some());
        for kind in missing {
            eprintln!("{}: skipped, not installed", kind.name());
        }
        Self { options, cores, kinds, failures: Vec::new() }
    }

    /// Runs the selected scenarios.
    pub(super) fn run(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        for &users in self.options.by_length::<&[usize]>(
            &[20, 100],
            &[100, 1_000, 10_000, 19_000],
            &[100, 1_000, 10_000, 19_000],
        ) {
            if self.options.wants(&format!("pairs-{users}-")) {
                rows.extend(self.pairs(self.users_within_limits(users)));
            }
        }
        for members in self.options.by_length([10, 20], [100, 1_000], [100, 1_000]) {
            if self.options.wants(&format!("rooms-{members}-")) {
                rows.extend(self.rooms(self.users_within_limits(members)));
            }
        }
        if self.options.wants("history") {
            rows.extend(self.history(self.options.by_length(10, 100, 100)));
        }
        let many = self.users_within_limits(self.options.by_length(100, 10_000, 10_000));
        if self.options.wants("crowd") {
            rows.push(self.crowd(self.options.by_length(20, 100, 100), many));
        }
        if self.options.wants("idle") {
            rows.extend(self.idle(many));
        }
        if self.options.wants("visits") {
            rows.push(self.visits());
        }
        rows
    }

    /// All pairs talk, with 1 line in flight and with 16.
    fn pairs(&mut self, users: usize) -> Vec<Row> {
        let entries = self.start_all(users, |kind, cores| Trial::with_pairs(kind, cores, users));
        self.measure_lines(&format!("{users} users in pairs"), entries, |trial, batch, length| {
            trial.talk(users / 2, batch, length)
        })
    }

    /// One member speaks at a time, and all members read the lines.
    fn rooms(&mut self, members: usize) -> Vec<Row> {
        let start = |kind, cores| Trial::with_room(kind, cores, members, None);
        let entries = self.start_all(members, start);
        self.measure_lines(&format!("room of {members}"), entries, Trial::speak)
    }

    /// Measures lines delivered, with 1 line in flight and with 16.
    fn measure_lines(
        &mut self,
        who: &str,
        mut entries: Vec<Entry<Trial, TrialResult>>,
        talk: impl Fn(&mut Trial, usize, Duration) -> io::Result<TrialResult>,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        for (batch, goal) in [(1, 0.95), (16, 0.90)] {
            let name = format!("{who}, {batch} in flight");
            let (count, length) = self.round_count_and_length();
            self.run_rounds(&name, count, &mut entries, |trial| talk(trial, batch, length));
            for (entry, result) in
                entries.iter().filter_map(|entry| Some((entry, entry.values.last()?)))
            {
                eprintln!("  {}: {}", entry.kind.name(), result.utilization());
            }
            let (measure, goal) = (Measure::LinesPerSecond, Goal::AtLeast(goal));
            rows.push(row(name, measure, goal, &entries, TrialResult::per_cpu_second));
        }
        rows
    }

    /// What saving the history of a room costs.
    fn history(&mut self, members: usize) -> Vec<Row> {
        let mut entries = self.start_some(&[ServerKind::Chinwag], members, |kind, cores| {
            let off = Trial::with_room(kind, cores, members, None)?;
            let folder = Folder::new("history")?;
            let on = Trial::with_room(kind, cores, members, Some(folder.path()))?;
            // A tuple drops its fields in order: the folder goes last, when no server writes to it
            // any more.
            Ok((off, on, folder))
        });
        let mut rows = Vec::new();
        for batch in [1, 16] {
            let name =
                format!("cost with history over without, room of {members}, {batch} in flight");
            let (count, length) = self.round_count_and_length();
            self.run_rounds(&name, count, &mut entries, |(off, on, _)| {
                let off = off.speak(batch, length)?;
                let on = on.speak(batch, length)?;
                Ok(on.cost() / off.cost())
            });
            rows.push(row(name, Measure::CostRatio, Goal::AtMost(1.10), &entries, |&ratio| ratio));
        }
        rows
    }

    /// What many idle users cost a few active pairs.
    fn crowd(&mut self, few: usize, many: usize) -> Row {
        let name =
            format!("{PAIRS_IN_CROWD} active pairs, cost at {many} users over cost at {few}");
        let mut entries = self.start_all(many, |kind, cores| {
            Ok((Trial::with_pairs(kind, cores, few)?, Trial::with_pairs(kind, cores, many)?))
        });
        let (count, length) = self.round_count_and_length();
        self.run_rounds(&name, count, &mut entries, |(few, many)| {
            let few = few.talk(PAIRS_IN_CROWD, 1, length)?;
            let many = many.talk(PAIRS_IN_CROWD, 1, length)?;
            Ok(many.cost() / few.cost())
        });
        row(name, Measure::CostRatio, Goal::AtMost(1.02), &entries, |&ratio| ratio)
    }

    /// What it costs to log users in, and to keep them idle.
    fn idle(&mut self, users: usize) -> Vec<Row> {
        let cores = self.cores;
        let (count, length) = self.options.by_length((1, 100), (1, 2_000), (2, 10_000));
        let length = Duration::from_millis(length);
        let mut entries = self.start_all(users, |kind, _| Ok(kind));
        self.run_rounds(&format!("{users} users idle"), count, &mut entries, |&mut kind| {
            let mut trial = Trial::start(kind, cores)?;
            let before = trial.memory()?;
            let result = trial.log_in(users)?;
            let (grown, usage) = (trial.memory()?.saturating_sub(before), trial.usage()?);
            pause(length);
            let idle_cpu = trial.usage()?.since(usage).cpu;
            Ok(IdleCost {
                bytes_per_user: grown as f64 / users as f64,
                micros_per_log_in: result.cpu.as_secs_f64() * 1e6 / users as f64,
                millis_per_ten_seconds: idle_cpu.as_secs_f64() * 1e4 / length.as_secs_f64(),
            })
        });
        let named = |what: &str| format!("{what}, {users} users");
        let (bytes, micros) = (Measure::BytesPerUser, Measure::MicrosPerLogIn);
        let millis = Measure::MillisPerTenSeconds;
        vec![
            row(named("memory per idle user"), bytes, Goal::AtMost(256.0), &entries, |idle| {
                idle.bytes_per_user
            }),
            row(named("connect and login"), micros, Goal::AtMost(15.0), &entries, |idle| {
                idle.micros_per_log_in
            }),
            row(named("idle for 10 s"), millis, Goal::AtMost(1.0), &entries, |idle| {
                idle.millis_per_ten_seconds
            }),
        ]
    }

    /// Users who connect, log in, say one line and leave.
    fn visits(&mut self) -> Row {
        let name = "connect, login, one line, leave".to_owned();
        let mut entries = self.start_all(0, Trial::start);
        let (count, length) = self.round_count_and_length();
        self.run_rounds(&name, count, &mut entries, |trial| trial.visit(length));
        let (measure, goal) = (Measure::VisitsPerSecond, Goal::AtLeast(0.55));
        row(name, measure, goal, &entries, TrialResult::per_cpu_second)
    }

    /// Starts all servers, those with slow logins first. Thousands of users who have been silent
    /// for minutes send their TCP keepalives at the same moment. These are more than the kernel's
    /// loopback queue holds, and connections fail.
    fn start_all<T, V>(
        &mut self,
        users: usize,
        start: impl Fn(ServerKind, Cores) -> io::Result<T>,
    ) -> Vec<Entry<T, V>> {
        self.start_some(&ServerKind::ALL, users, start)
    }

    /// Starts some of the servers.
    fn start_some<T, V>(
        &mut self,
        selected: &[ServerKind],
        users: usize,
        start: impl Fn(ServerKind, Cores) -> io::Result<T>,
    ) -> Vec<Entry<T, V>> {
        let short = self.options.length == Length::Quick && users > SLOW_USERS_MAX;
        let mut entries = Vec::new();
        let kinds = self.kinds.clone().into_iter().rev();
        for kind in kinds.filter(|kind| selected.contains(kind)) {
            let running = if short && kind.is_slow_to_log_in() {
                Err("not in a quick run".to_owned())
            } else {
                start(kind, self.cores).map_err(|error| self.failed(kind, &error))
            };
            entries.push(Entry { kind, running, values: Vec::new() });
        }
        entries.reverse();
        entries
    }

    /// Measures all servers in turn, and repeats that: a disturbance then affects all of them.
    fn run_rounds<T, V>(
        &mut self,
        name: &str,
        count: usize,
        entries: &mut [Entry<T, V>],
        measure: impl Fn(&mut T) -> io::Result<V>,
    ) {
        eprintln!("{name} …");
        entries.iter_mut().for_each(|entry| entry.values.clear());
        for _ in 0..count {
            for entry in &mut *entries {
                let Ok(running) = &mut entry.running else { continue };
                match measure(running) {
                    Ok(value) => entry.values.push(value),
                    Err(error) => entry.running = Err(self.failed(entry.kind, &error)),
                }
            }
        }
    }

    /// Reports in full why a server takes no further part. Returns the short form for the table.
    fn failed(&mut self, kind: ServerKind, error: &io::Error) -> String {
        let reason = error.to_string();
        eprintln!("{}: {reason}", kind.name());
        let is_ours =
            |kind| !matches!(kind, ServerKind::Redis | ServerKind::Inspircd | ServerKind::Ngircd);
        if is_ours(kind) {
            self.failures.push(format!("{}: {reason}", kind.name()));
        }
        reason.split(':').next().unwrap_or("failed").to_owned()
    }

    /// How many rounds to run, and how long each server works in a round.
    fn round_count_and_length(&self) -> (usize, Duration) {
        let (count, length) = self.options.by_length((1, 20), (3, 150), (9, 400));
        (count, Duration::from_millis(length))
    }

    /// The number of users, reduced to the sockets that this machine grants a process.
    fn users_within_limits(&self, users: usize) -> usize {
        let max = sockets_max() / 2 * 2;
        if users > max {
            eprintln!("{users} users: reduced to {max} by the limit on open files");
        }
        users.min(max)
    }

    /// Returns an error if the relay or chinwag did not start, or lost, doubled, cut or reordered a
    /// line.
    pub(super) fn check_failures(&self) -> io::Result<()> {
        match self.failures.first() {
            None => Ok(()),
            Some(first) => Err(io::Error::other(first.clone())),
        }
    }
}

/// Builds a row of the table from the values of the rounds.
fn row<T, V>(
    name: String,
    measure: Measure,
    goal: Goal,
    entries: &[Entry<T, V>],
    value_of: impl Fn(&V) -> f64,
) -> Row {
    let cells = entries.iter().map(|entry| Cell {
        kind: entry.kind,
        rounds: match &entry.running {
            Ok(_) => Ok(entry.values.iter().map(&value_of).collect()),
            Err(reason) => Err(reason.clone()),
        },
    });
    Row { name, measure, goal, cells: cells.collect() }
}
