//! The chat core alone: framing, chat and output buffers, bytes in and bytes out, no sockets.
//!
//! With 100, 10,000 and 1,000,000 users. First the same 50 pairs talk, spread over all who are
//! here: the cost must not grow with the others. Then everybody does, which at a million is mostly
//! a measure of the machine's memory. At last a user comes and goes, again and again. CPU time of the thread, medians of interleaved rounds.

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

/// Pairs that talk in every size of room.
const PAIRS: usize = 50;
/// Pairs whose lines are read in one turn of the loop.
const PAIRS_PER_TURN: usize = 64;
/// The line as its reader gets it is longer by at least a name's tag and the other line ending.
const LINE_BYTES_MIN: usize = LINE.len() + ": \r".len();

/// A room, and how each of its measurements went.
struct Subject {
    users: usize,
    room: Room,
    heap_bytes_per_user: f64,
    /// Nanoseconds, a value for each round; by [`MEASUREMENTS`].
    rounds: [Vec<f64>; MEASUREMENTS.len()],
}

/// What is measured of each room.
enum Measurement {
    /// The cost of a line: whether all pairs talk, and lines to a batch.
    Line { everybody: bool, batch: usize },
    /// The cost of somebody who connects, logs in and leaves.
    Visit,
}

const MEASUREMENTS: [(&str, Measurement); 5] = [
    ("a line, 50 pairs, 1 a batch", Measurement::Line { everybody: false, batch: 1 }),
    ("a line, 50 pairs, 16 a batch", Measurement::Line { everybody: false, batch: 16 }),
    ("a line, everybody, 1 a batch", Measurement::Line { everybody: true, batch: 1 }),
    ("a line, everybody, 16 a batch", Measurement::Line { everybody: true, batch: 16 }),
    ("a user who comes and goes", Measurement::Visit),
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
            let least = options.by_length(10_000, 200_000, 500_000);
            for subject in &mut subjects {
                let nanoseconds = match *measurement {
                    Measurement::Line { everybody, batch } => {
                        let pairs = if everybody { subject.users / 2 } else { PAIRS };
                        subject.nanoseconds_per_line(pairs, batch, least)
                    }
                    Measurement::Visit => subject.nanoseconds_per_visit(least / 100),
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

    /// Each of so many pairs, which are spread over the room, says its lines in turn, until `least`
    /// lines have been said.
    fn nanoseconds_per_line(&mut self, pairs: usize, lines: usize, least: usize) -> f64 {
        let batch = LINE.repeat(lines);
        let stride = self.users / 2 / pairs;
        let everybody = (0..pairs).map(|pair| pair * stride * 2);
        let tours = least.div_ceil(pairs * lines);
        let (mut in_turn, mut written) = (0, 0);
        let before = cpu_time();
        for tour in 0..tours {
            for speaker in everybody.clone() {
                self.room.hear(speaker + tour % 2, &batch);
                in_turn += 1;
                if in_turn == PAIRS_PER_TURN {
                    in_turn = 0;
                    written += self.room.act();
                }
            }
        }
        written += self.room.act();
        let spent = cpu_time() - before;
        let said = tours * pairs * lines;
        assert!(written >= said * LINE_BYTES_MIN, "all lines are delivered");
        spent.as_nanos() as f64 / said as f64
    }

    /// Users come, log in and leave, one after the other, while all the others are here.
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
            let Some(Summary { least, median, most }) =
                Summary::of(subject.rounds[index].iter().copied())
            else {
                continue;
            };
            let _ = write!(table, " {median:.0} ({least:.0} … {most:.0}) |");
        }
        let (Some(few), Some(many)) = (subjects.first(), subjects.last()) else { continue };
        let rounds = few.rounds[index].iter().zip(&many.rounds[index]);
        if let Some(ratio) = Summary::of(rounds.map(|(few, many)| many / few)) {
            let _ = write!(table, " {:.2} |", ratio.median);
        }
    }
    table.push_str("\n| heap bytes a user, in a chat |");
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

/// CPU time of this thread: a busy machine does not lengthen it.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
