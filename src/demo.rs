//! `chinwag demo`: a server, a crowd and the view in one terminal, and attacks at the press of a key.
//!
//! `main` calls [`run`]. Server, crowd and attacks are processes of this same program
//! ([`children`]); nothing is a thread. `stage` decides what a key means and what is shown, and is
//! pure. `performance` joins them for the loop of [`watch::io`].

pub mod children;
mod panel;
mod performance;
mod script;
mod stage;

use std::process::ExitCode;

use clap::Args;
use mio::Registry;

use crate::core::limits::CROWD_PEOPLE_MAX;
use crate::watch;
use performance::Performance;

/// The examples in the help text and the manual page.
pub const EXAMPLES: &str = "\
Keys:
  1 to 9, 0, p   start an attack, or end it; the panel says what to look for
  space          hold the loop; s lets it do one step; space lets it go on
  - and +        slower and faster
  up, down       choose a connection; Enter follows its next message
  q              quit

The server listens on a free port of this machine, which the panel shows: join
it with nc. Nothing of it stays behind.";

/// The flags of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// How many simulated people there are
    #[arg(long, value_name = "N", default_value_t = 200,
          value_parser = clap::value_parser!(u32).range(1..=CROWD_PEOPLE_MAX as i64))]
    pub people: u32,

    /// The seed that the people come from
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub seed: u64,

    /// Press the keys of a fixed script, and end after it, as for the animation in the README
    #[arg(long)]
    pub script: bool,
}

/// Runs the demonstration until the user or the script ends it.
#[must_use]
pub fn run(args: &DemoArgs) -> ExitCode {
    let open = |registry: &Registry| Performance::open(args, registry);
    watch::exit_code(watch::show("the demo needs a terminal", open))
}
