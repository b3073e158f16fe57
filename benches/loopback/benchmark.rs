//! The benchmark from start to end. Its modules:
//!
//! - [`relay`] is the baseline. [`server_kind`] starts the relay and the other servers.
//! - [`protocol`] knows what each server reads and writes. [`user`] is one checked connection.
//! - [`user_pool`] holds all users and the loop. [`step_runner`] logs users in and out.
//! - [`room_load`] talks in a room. [`load`] carries out the commands of the parent process.
//! - [`trial`] is one server with its load. [`process`] pins cores, reads `/proc` and cleans up.
//! - [`scenario`] says what to measure. [`report`] and [`chart`] write the results.

mod chart;
mod clock;
mod framing;
mod load;
mod process;
mod protocol;
mod relay;
mod report;
mod room_load;
mod scenario;
mod server_kind;
#[path = "../shared/mod.rs"]
mod shared;
mod step_runner;
mod trial;
mod user;
mod user_pool;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use self::process::Cores;
use self::scenario::Scenarios;
use self::shared::{Length, Options};

/// Runs the benchmark. Started again with a hidden argument, it becomes another process of it.
pub(super) fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some(process::LAUNCH_ARGUMENT) => Err(process::launch(&arguments[1..])),
        Some(server_kind::RELAY_ARGUMENT) => relay::run(&arguments[1..]),
        Some(trial::LOAD_ARGUMENT) => load::run(&arguments[1..]),
        _ => run_benchmark(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loopback: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_benchmark() -> io::Result<()> {
    let options = Options::from_arguments().map_err(io::Error::other)?;
    let cores = Cores::choose()?;
    let environment = process::environment(cores)?;
    println!("{environment}");
    let mut scenarios = Scenarios::new(&options, cores);
    let rows = scenarios.run();
    let table = format!("{}\n{environment}\n", report::table(&rows));
    print!("\n{table}");
    if options.length == Length::Minimal {
        println!("A minimal run: every line was checked, but the measurements mean nothing.");
    } else {
        // Next to the other build output, whatever the target directory is called.
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
    scenarios.check_failures()
}
