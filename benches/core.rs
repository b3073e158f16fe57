//! The chat core alone: framing, chat and output buffers, bytes in and bytes out, no sockets.
//!
//! With 100, 10,000 and 1,000,000 users. First the same 50 pairs talk, spread over all who are
//! here: the cost must not grow with the others. Then everybody does, which at a million is mostly
//! a measure of the machine's memory. CPU time of the thread, medians of interleaved rounds.

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
    /// Nanoseconds per line, a value for each round; by [`MEASUREMENTS`].
    rounds: [Vec<f64>; MEASUREMENTS.len()],
}

/// What is measured of each room: its name, whether all pairs talk, and lines to a batch.
const MEASUREMENTS: [(&str, bool, usize); 4] = [
    ("50 pairs, 1 line a batch", false, 1),
    ("50 pairs, 16 lines a batch", false, 16),
    ("everybody, 1 line a batch", true, 1),
    ("everybody, 16 lines a batch", true, 16),
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
        for (index, &(_, everybody, lines)) in MEASUREMENTS.iter().enumerate() {
            for subject in &mut subjects {
                let pairs = if everybody { subject.users / 2 } else { PAIRS };
                let least = options.by_length(10_000, 200_000, 500_000);
                let nanoseconds = subject.nanoseconds_per_line(pairs, lines, least);
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
}

fn table(subjects: &[Subject]) -> String {
    let mut table = String::from("| nanoseconds a line |");
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
