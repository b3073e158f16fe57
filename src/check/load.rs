//! Levels 5 and 7: people who do not read, and people who send too much.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::Case;
use super::person::{Outcome, Person, pair};
use super::server::Server;

pub(super) const CASES: &[Case] = &[
    Case { level: 5, name: "a partner who does not read delays no third user", play: third_user },
    Case { level: 5, name: "a partner who does not read holds the talker", play: talker_is_held },
    Case { level: 7, name: "200 silent clients delay nobody", play: silent_crowd },
    Case { level: 7, name: "a flood delays nobody", play: flood },
];

/// One line of the talker, 1,000 bytes with its ending.
const LINE_BYTES: usize = 1_000;
/// More than the kernel holds on both connections, so the server must either stop reading or keep
/// the rest itself.
const LINES: usize = 48_000;
/// The talker counts as held if nothing is taken for this long.
const HELD: Duration = Duration::from_millis(700);

/// The talker sends numbered lines until nothing more is taken. Returns the bytes taken.
fn talks(talker: &Person) -> usize {
    let _ = talker.stream().set_write_timeout(Some(HELD));
    let mut taken = 0;
    for number in 0..LINES {
        let line = numbered(number);
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match talker.stream().write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(_) => return taken + line.len() - rest.len(),
            }
        }
        taken += line.len();
    }
    taken
}

fn numbered(number: usize) -> String {
    format!("{number:0>width$}\n", width = LINE_BYTES - 1)
}

fn third_user(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    let mut carl = Person::enters(server, "carl")?;
    pair(&mut anna, &mut ben)?;
    talks(&anna);
    carl.says("1");
    carl.reads_all("7.35", &["* …", "- anna…", "- ben…", "- carl…", "? …"])
}

fn talker_is_held(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    pair(&mut anna, &mut ben)?;
    let taken = talks(&anna);
    if taken == LINES * LINE_BYTES {
        let came = format!("all {taken} bytes were taken, though nobody reads them");
        return anna.fails("7.35", "the server stops reading the talker", came);
    }
    for number in 0..taken / LINE_BYTES {
        ben.reads("7.35", &format!("anna: {}", numbered(number).trim_end()))?;
    }
    Ok(())
}

fn silent_crowd(server: &Server) -> Outcome {
    let crowd = (0..200).map(|_| Person::arrives(server, "guest")).collect::<Vec<_>>();
    let mut anna = Person::enters(server, "anna")?;
    anna.says("1");
    anna.reads_all("7.44", &["* …", "- anna…", "? …"])?;
    crowd.into_iter().try_for_each(|guest| guest.map(drop))
}

/// One user sends lines without end, and reads the answers. Another must be answered meanwhile.
fn flood(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let flooder = Person::enters(server, "flooder")?;
    let is_over = AtomicBool::new(false);
    let lines = b"x\n".repeat(2_000);
    thread::scope(|scope| {
        scope.spawn(|| {
            let writes = || flooder.stream().write_all(&lines);
            repeat(&is_over, writes)
        });
        scope.spawn(|| {
            let mut answers = [0; 65_536];
            repeat(&is_over, || flooder.stream().read(&mut answers))
        });
        let outcome = (0..10).try_for_each(|_| {
            anna.says("1");
            anna.reads_all("7.44", &["* …", "- anna…", "- flooder…", "? …"])
        });
        is_over.store(true, Ordering::Relaxed);
        let _ = flooder.stream().shutdown(std::net::Shutdown::Both);
        outcome
    })
}

/// Repeats a blocking call until it fails or the scene is over.
fn repeat<T>(is_over: &AtomicBool, mut call: impl FnMut() -> io::Result<T>) {
    while call().is_ok() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
    }
}
