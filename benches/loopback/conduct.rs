//! The bench from start to end. The tour of its modules:
//!
//! - [`relay`] is the yardstick, [`contender`] starts it and the other servers;
//! - [`dialect`] knows what each is told and says, [`user`] is one socket that checks it, [`walk`]
//!   leads users in and out, [`load`] lets them talk, in a [`room`] one at a time;
//! - [`process`] pins, reads `/proc` and cleans up, [`bout`] is one server with its load;
//! - [`scenario`] says what is measured, in interleaved rounds; [`report`] and [`chart`] write it.

mod bout;
mod chart;
mod clock;
mod contender;
mod dialect;
mod load;
mod process;
mod relay;
mod report;
mod room;
mod scenario;
#[path = "../shared/mod.rs"]
mod shared;
mod user;
mod walk;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use self::process::Cores;
use self::scenario::Course;
use self::shared::{Length, Options};

/// Conducts; or is, started again with a hidden argument, one of the other processes.
pub(super) fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some(process::LAUNCH) => Err(process::launch(&arguments[1..])),
        Some(contender::RELAY) => relay::run(&arguments[1..]),
        Some(bout::LOAD) => load::run(&arguments[1..]),
        _ => conduct(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loopback: {error}");
            ExitCode::FAILURE
        }
    }
}

fn conduct() -> io::Result<()> {
    let options = Options::from_arguments().map_err(io::Error::other)?;
    let cores = Cores::choose()?;
    let circumstances = process::circumstances(cores)?;
    println!("{circumstances}");
    let mut course = Course::new(&options, cores);
    let rows = course.run();
    let table = format!("{}\n{circumstances}\n", report::table(&rows));
    print!("\n{table}");
    if options.length == Length::Minimal {
        println!("A minimal run: every line was checked, the figures mean nothing.");
    } else {
        // Beside the other things that building leaves, whatever the target directory is called.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("loopback.md"), &table)?;
        fs::write(folder.join("loopback.svg"), chart::draw(&rows))?;
    }
    if options.write {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(manifest.join("doc"))?;
        fs::write(manifest.join("doc/bench.svg"), chart::draw(&rows))?;
    }
    course.verdict()
}
