//! What is measured: each scenario starts the servers, leads them through interleaved rounds, and
//! gives rows of the table.

use std::io;
use std::time::Duration;

use super::bout::{Bout, Work};
use super::clock::pause;
use super::contender::Contender;
use super::process::{Cores, Folder, sockets_max};
use super::report::{Cell, Goal, Measure, Row};
use super::shared::{Length, Options};

/// Pairs that talk while everybody else is idle.
const PAIRS_IN_CROWD: usize = 10;
/// In a short run, servers that take long to log users in are asked for no more than this.
const SLOW_USERS_MAX: usize = 1_000;

/// One server's way through a scenario.
struct Entry<T, V> {
    contender: Contender,
    /// What takes part, or why it no longer does.
    subject: Result<T, String>,
    /// What each round of the present measurement gave.
    values: Vec<V>,
}

/// What one round of idling gives.
struct Idling {
    bytes_per_user: f64,
    micros_per_log_in: f64,
    millis_per_ten_seconds: f64,
}

/// All scenarios, for the servers that there are.
pub(super) struct Course<'a> {
    options: &'a Options,
    cores: Cores,
    contenders: Vec<Contender>,
    /// What went wrong with a server of ours.
    failures: Vec<String>,
}

impl<'a> Course<'a> {
    /// With every server that is installed and wanted; says which are not.
    pub(super) fn new(options: &'a Options, cores: Cores) -> Self {
        let wanted = Contender::ALL.into_iter().filter(|one| options.wants_server(one.name()));
        let (contenders, absent): (Vec<_>, Vec<_>) =
            wanted.partition(|contender| contender.program().is_some());
        for contender in absent {
            eprintln!("{}: skipped, not installed", contender.name());
        }
        Self { options, cores, contenders, failures: Vec::new() }
    }

    /// Runs the scenarios that are wanted.
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

    /// Everybody talks, with one line in flight and with sixteen.
    fn pairs(&mut self, users: usize) -> Vec<Row> {
        let entries = self.enter(users, |one, cores| Bout::with_pairs(one, cores, users));
        self.volleys(&format!("{users} users in pairs"), entries, |bout, volley, length| {
            bout.talk(users / 2, volley, length)
        })
    }

    /// One speaks at a time, and everybody hears it.
    fn rooms(&mut self, members: usize) -> Vec<Row> {
        let start = |one, cores| Bout::with_room(one, cores, members, None);
        let entries = self.enter(members, start);
        self.volleys(&format!("room of {members}"), entries, Bout::speak)
    }

    /// Lines delivered, with one in flight and with sixteen.
    fn volleys(
        &mut self,
        who: &str,
        mut entries: Vec<Entry<Bout, Work>>,
        talk: impl Fn(&mut Bout, usize, Duration) -> io::Result<Work>,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        for (volley, goal) in [(1, 0.95), (16, 0.90)] {
            let name = format!("{who}, {volley} in flight");
            let (count, length) = self.rounds_of_work();
            self.rounds(&name, count, &mut entries, |bout| talk(bout, volley, length));
            for (entry, work) in entries.iter().filter_map(|one| Some((one, one.values.last()?))) {
                eprintln!("  {}: {}", entry.contender.name(), work.business());
            }
            let (measure, goal) = (Measure::LinesPerSecond, Goal::AtLeast(goal));
            rows.push(row(name, measure, goal, &entries, Work::per_cpu_second));
        }
        rows
    }

    /// What it costs to keep the past of a room in files.
    fn history(&mut self, members: usize) -> Vec<Row> {
        let mut entries = self.enter_those(&[Contender::Chinwag], members, |one, cores| {
            let off = Bout::with_room(one, cores, members, None)?;
            let folder = Folder::new("history")?;
            let on = Bout::with_room(one, cores, members, Some(folder.path()))?;
            // In this order they are dropped: the folder when nobody writes to it any more.
            Ok((off, on, folder))
        });
        let mut rows = Vec::new();
        for volley in [1, 16] {
            let name = format!("history on over off, room of {members}, {volley} in flight");
            let (count, length) = self.rounds_of_work();
            self.rounds(&name, count, &mut entries, |(off, on, _)| {
                let off = off.speak(volley, length)?;
                let on = on.speak(volley, length)?;
                Ok(on.cost() / off.cost())
            });
            rows.push(row(name, Measure::TimesDearer, Goal::AtMost(1.10), &entries, |&it| it));
        }
        rows
    }

    /// What it costs a few pairs that many others are there.
    fn crowd(&mut self, few: usize, many: usize) -> Row {
        let name =
            format!("{PAIRS_IN_CROWD} active pairs, cost at {many} users over cost at {few}");
        let mut entries = self.enter(many, |one, cores| {
            Ok((Bout::with_pairs(one, cores, few)?, Bout::with_pairs(one, cores, many)?))
        });
        let (count, length) = self.rounds_of_work();
        self.rounds(&name, count, &mut entries, |(few, many)| {
            let few = few.talk(PAIRS_IN_CROWD, 1, length)?;
            let many = many.talk(PAIRS_IN_CROWD, 1, length)?;
            Ok(many.cost() / few.cost())
        });
        row(name, Measure::TimesDearer, Goal::AtMost(1.02), &entries, |&dearer| dearer)
    }

    /// What it costs to let users in, and to have them.
    fn idle(&mut self, users: usize) -> Vec<Row> {
        let cores = self.cores;
        let (count, length) = self.options.by_length((1, 100), (1, 2_000), (2, 10_000));
        let length = Duration::from_millis(length);
        let mut entries = self.enter(users, |contender, _| Ok(contender));
        self.rounds(&format!("{users} users idle"), count, &mut entries, |&mut contender| {
            let mut bout = Bout::start(contender, cores)?;
            let before = bout.memory()?;
            let work = bout.log_in(users)?;
            let (grown, usage) = (bout.memory()?.saturating_sub(before), bout.usage()?);
            pause(length);
            let idled = bout.usage()?.since(usage).cpu;
            Ok(Idling {
                bytes_per_user: grown as f64 / users as f64,
                micros_per_log_in: work.cpu.as_secs_f64() * 1e6 / users as f64,
                millis_per_ten_seconds: idled.as_secs_f64() * 1e4 / length.as_secs_f64(),
            })
        });
        let of = |what: &str| format!("{what}, {users} users");
        let (bytes, micros) = (Measure::BytesPerUser, Measure::MicrosPerLogIn);
        let millis = Measure::MillisPerTenSeconds;
        vec![
            row(of("memory for each idle"), bytes, Goal::AtMost(256.0), &entries, |one| {
                one.bytes_per_user
            }),
            row(of("connect and login"), micros, Goal::AtMost(15.0), &entries, |one| {
                one.micros_per_log_in
            }),
            row(of("idle for 10 s"), millis, Goal::AtMost(1.0), &entries, |one| {
                one.millis_per_ten_seconds
            }),
        ]
    }

    /// Users who come, log in, say one line and leave.
    fn visits(&mut self) -> Row {
        let name = "connect, login, one line, leave".to_owned();
        let mut entries = self.enter(0, Bout::start);
        let (count, length) = self.rounds_of_work();
        self.rounds(&name, count, &mut entries, |bout| bout.visit(length));
        let (measure, goal) = (Measure::VisitsPerSecond, Goal::AtLeast(0.55));
        row(name, measure, goal, &entries, Work::per_cpu_second)
    }

    /// Starts every server that takes part, those first that take minutes for it: thousands of users
    /// who have been silent for as long all have their keepalive in one moment, more than the
    /// kernel's queue for loopback holds, and their connections fail.
    fn enter<T, V>(
        &mut self,
        users: usize,
        start: impl Fn(Contender, Cores) -> io::Result<T>,
    ) -> Vec<Entry<T, V>> {
        self.enter_those(&Contender::ALL, users, start)
    }

    /// The same for some of them.
    fn enter_those<T, V>(
        &mut self,
        those: &[Contender],
        users: usize,
        start: impl Fn(Contender, Cores) -> io::Result<T>,
    ) -> Vec<Entry<T, V>> {
        let short = self.options.length == Length::Quick && users > SLOW_USERS_MAX;
        let mut entries = Vec::new();
        let contenders = self.contenders.clone().into_iter().rev();
        for contender in contenders.filter(|contender| those.contains(contender)) {
            let subject = if short && contender.is_slow_to_log_in() {
                Err("not in a quick run".to_owned())
            } else {
                start(contender, self.cores).map_err(|error| self.failed(contender, &error))
            };
            entries.push(Entry { contender, subject, values: Vec::new() });
        }
        entries.reverse();
        entries
    }

    /// Measures everybody in turn, and again, so that a disturbance falls on all of them.
    fn rounds<T, V>(
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
                let Ok(subject) = &mut entry.subject else { continue };
                match measure(subject) {
                    Ok(value) => entry.values.push(value),
                    Err(error) => entry.subject = Err(self.failed(entry.contender, &error)),
                }
            }
        }
    }

    /// Says why a server takes no further part, in full; returns the short form.
    fn failed(&mut self, contender: Contender, error: &io::Error) -> String {
        let reason = error.to_string();
        eprintln!("{}: {reason}", contender.name());
        if matches!(contender, Contender::Relay | Contender::Chinwag) {
            self.failures.push(format!("{}: {reason}", contender.name()));
        }
        reason.split(':').next().unwrap_or("failed").to_owned()
    }

    /// How many rounds, and how long each server works in one.
    fn rounds_of_work(&self) -> (usize, Duration) {
        let (count, length) = self.options.by_length((1, 20), (3, 150), (9, 400));
        (count, Duration::from_millis(length))
    }

    /// So many users, or fewer if this machine does not let a process have the sockets.
    fn users_within_limits(&self, users: usize) -> usize {
        let most = sockets_max() / 2 * 2;
        if users > most {
            eprintln!("{users} users: only {most}, as the limit on open files is lower");
        }
        users.min(most)
    }

    /// An error, if a server of ours lost, doubled, cut or mixed up a line, or would not run.
    pub(super) fn verdict(&self) -> io::Result<()> {
        match self.failures.first() {
            None => Ok(()),
            Some(first) => Err(io::Error::other(first.clone())),
        }
    }
}

/// A row of the table, from what the rounds gave.
fn row<T, V>(
    name: String,
    measure: Measure,
    goal: Goal,
    entries: &[Entry<T, V>],
    value_of: impl Fn(&V) -> f64,
) -> Row {
    let cells = entries.iter().map(|entry| Cell {
        contender: entry.contender,
        rounds: match &entry.subject {
            Ok(_) => Ok(entry.values.iter().map(&value_of).collect()),
            Err(reason) => Err(reason.clone()),
        },
    });
    Row { name, measure, goal, cells: cells.collect() }
}
