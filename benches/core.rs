//! Measures the chat core alone: framing, chat and output buffers, without sockets.
//!
//! The benchmark runs with 100, 10,000 and 1,000,000 users. First the same 50 pairs talk, spread
//! over all users: their cost must not grow with the number of other users. Then all pairs talk,
//! which at a million users mostly measures the machine's memory. Last, a user connects and leaves,
//! again and again. The values are CPU time of this thread: medians of interleaved rounds.

#[path = "shared/room.rs"]
mod room;
#[path = "shared/mod.rs"]
mod shared;

use std::alloc::System;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

use rustix::time::{ClockId, clock_gettime};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::room::{LINE, Room};
use crate::shared::{Length, Options, Summary};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Pairs that talk, whatever the number of users.
const PAIRS: usize = 50;
/// Pairs whose lines arrive in one turn of the loop.
const PAIRS_PER_TURN: usize = 64;
/// The reader's copy of a line is longer: by the tag after the sender's name, at least, and by the
/// CR.
const LINE_BYTES_MIN: usize = LINE.len() + ": \r".len();

/// One number of users, and its results.
struct Subject {
    users: usize,
    room: Room,
    heap_bytes_per_user: f64,
    /// Nanoseconds: one value for each round, for each of [`MEASUREMENTS`].
    rounds: [Vec<f64>; MEASUREMENTS.len()],
}

/// One kind of measurement.
enum Measurement {
    /// The cost of a line. `everybody`: all pairs talk. `batch`: lines in one read.
    Line { everybody: bool, batch: usize },
    /// The cost of a user who connects, logs in and leaves.
    Visit,
}

const MEASUREMENTS: [(&str, Measurement); 5] = [
    ("a line, 50 pairs, 1 per batch", Measurement::Line { everybody: false, batch: 1 }),
    ("a line, 50 pairs, 16 per batch", Measurement::Line { everybody: false, batch: 16 }),
    ("a line, everybody, 1 per batch", Measurement::Line { everybody: true, batch: 1 }),
    ("a line, everybody, 16 per batch", Measurement::Line { everybody: true, batch: 16 }),
    ("a user who connects and leaves", Measurement::Visit),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("core: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let options = Options::from_arguments().map_err(io::Error::other)?;
    if !options.wants("core") {
        return Ok(());
    }
    let sizes: &[usize] =
        options.by_length(&[100, 1_000], &[100, 10_000, 1_000_000], &[100, 10_000, 1_000_000]);
    let mut subjects: Vec<Subject> = sizes.iter().map(|&users| Subject::new(users)).collect();
    for _ in 0..options.by_length(1, 5, 15) {
        for (index, (_, measurement)) in MEASUREMENTS.iter().enumerate() {
            let lines_min = options.by_length(10_000, 200_000, 500_000);
            for subject in &mut subjects {
                let nanoseconds = match *measurement {
                    Measurement::Line { everybody, batch } => {
                        let pairs = if everybody { subject.users / 2 } else { PAIRS };
                        subject.nanoseconds_per_line(pairs, batch, lines_min)
                    }
                    Measurement::Visit => subject.nanoseconds_per_visit(lines_min / 100),
                };
                subject.rounds[index].push(nanoseconds);
            }
        }
    }
    let table = table(&subjects);
    print!("\n{table}\n");
    if options.length != Length::Minimal {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("core.md"), table)?;
    }
    Ok(())
}

impl Subject {
    fn new(users: usize) -> Self {
        let before = heap_bytes();
        let room = Room::of_pairs(users);
        let heap_bytes_per_user = (heap_bytes() - before) as f64 / users as f64;
        Self { users, room, heap_bytes_per_user, rounds: Default::default() }
    }

    /// Each of `pairs` pairs, spread over all users, says `lines` lines in turn, until at least
    /// `lines_min` lines have been said.
    fn nanoseconds_per_line(&mut self, pairs: usize, lines: usize, lines_min: usize) -> f64 {
        let batch = LINE.repeat(lines);
        let stride = self.users / 2 / pairs;
        let speakers = (0..pairs).map(|pair| pair * stride * 2);
        let rounds = lines_min.div_ceil(pairs * lines);
        let (mut pairs_in_turn, mut written) = (0, 0);
        let before = cpu_time();
        for round in 0..rounds {
            for speaker in speakers.clone() {
                self.room.hear(speaker + round % 2, &batch);
                pairs_in_turn += 1;
                if pairs_in_turn == PAIRS_PER_TURN {
                    pairs_in_turn = 0;
                    written += self.room.act();
                }
            }
        }
        written += self.room.act();
        let spent = cpu_time() - before;
        let said = rounds * pairs * lines;
        assert!(written >= said * LINE_BYTES_MIN, "a line was not delivered");
        spent.as_nanos() as f64 / said as f64
    }

    /// One user after another connects, logs in and leaves, while all others stay.
    fn nanoseconds_per_visit(&mut self, visits: usize) -> f64 {
        let before = cpu_time();
        for visit in 0..visits {
            let visitor = self.users + visit % PAIRS_PER_TURN;
            self.room.arrive(visitor);
            self.room.leave(visitor);
        }
        (cpu_time() - before).as_nanos() as f64 / visits as f64
    }
}

fn table(subjects: &[Subject]) -> String {
    let mut table = String::from("| nanoseconds for |");
    for subject in subjects {
        let _ = write!(table, " {} users |", subject.users);
    }
    table.push_str(" most users over fewest |\n| --- |");
    table.push_str(&" --- |".repeat(subjects.len() + 1));
    for (index, (name, ..)) in MEASUREMENTS.iter().enumerate() {
        let _ = write!(table, "\n| {name} |");
        for subject in subjects {
            let Some(Summary { min, median, max }) =
                Summary::of(subject.rounds[index].iter().copied())
            else {
                continue;
            };
            let _ = write!(table, " {median:.0} ({min:.0} … {max:.0}) |");
        }
        let (Some(few), Some(many)) = (subjects.first(), subjects.last()) else { continue };
        let rounds = few.rounds[index].iter().zip(&many.rounds[index]);
        if let Some(ratio) = Summary::of(rounds.map(|(few, many)| many / few)) {
            let _ = write!(table, " {:.2} |", ratio.median);
        }
    }
    table.push_str("\n| heap bytes per user, in a chat |");
    for subject in subjects {
        let _ = write!(table, " {:.0} |", subject.heap_bytes_per_user);
    }
    table.push_str(" |\n");
    table
}

/// Bytes allocated and not freed.
fn heap_bytes() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// CPU time of this thread. Other load on the machine does not lengthen it.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
