//! `chinwag check`: grades a chat server in any language against `protocol.md`, from outside.
//!
//! `main` calls [`run`]. Each case starts the server anew on a free port, plays a short scene over
//! real connections, and stops it. This program waits by blocking reads with a timeout: it has no
//! users, so it needs no loop. It knows nothing of chinwag's own code.

mod chatting;
mod load;
mod person;
mod report;
mod server;
mod wire;

use std::process::ExitCode;

use clap::Args;

use person::Outcome;
use server::Server;

/// The examples in the help text and the manual page.
pub const EXAMPLES: &str = "\
Examples:
  chinwag check --cmd 'python3 my_server.py {port}'
  chinwag check --cmd './my_server {port}' --level 3          levels 1 to 3 only
  chinwag check --cmd './my_server {port}' --json             for an autograder

Levels: 1 greets, 2 names, 3 pairs, 4 cut bytes, 5 lazy reader, 6 half-close, 7 fair, 8 hostile.
Exit code: 0 all cases pass, 1 a case fails, 2 the server cannot be started.";

/// The names of the levels, from level 1.
const LEVELS: [&str; 8] =
    ["greets", "names", "pairs", "cut bytes", "lazy reader", "half-close", "fair", "hostile"];

/// The flags of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Command that starts the server, for a shell. {port} stands for the port on which it must
    /// listen, at 127.0.0.1
    #[arg(long, value_name = "COMMAND")]
    pub cmd: String,

    /// Check levels 1 to N
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub level: u8,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    /// Show what the server writes to standard error
    #[arg(long)]
    pub stderr: bool,
}

/// One scene, and the level it belongs to.
struct Case {
    level: u8,
    name: &'static str,
    play: fn(&Server) -> Outcome,
}

/// Runs the cases and prints the grades.
#[must_use]
pub fn run(args: &CheckArgs) -> ExitCode {
    if !args.cmd.contains("{port}") {
        eprintln!("chinwag: the command must contain {{port}}, for example './my_server {{port}}'");
        return ExitCode::from(2);
    }
    let cases = chatting::CASES.iter().chain(wire::CASES).chain(load::CASES);
    let mut cases = cases.filter(|case| case.level <= args.level).collect::<Vec<_>>();
    cases.sort_by_key(|case| case.level);
    let mut report = report::Report::new(args.json);
    for case in cases {
        let server = match Server::start(&args.cmd, args.stderr) {
            Ok(server) => server,
            Err(error) => {
                eprintln!("chinwag: the server did not start: {error}");
                return ExitCode::from(2);
            }
        };
        report.add(case, (case.play)(&server));
    }
    report.finish(&args.cmd)
}
