//! `chinwag demo`: a server, a crowd and the view in one terminal, and attacks at the press of a key.
//!
//! `main` calls [`run`]. Server, crowd and attacks are processes of this same program
//! ([`children`]); nothing is a thread. `stage` decides what a key means and what is shown, and is
//! pure.

pub mod children;
mod event_loop;
mod panel;
mod script;
mod stage;

use std::process::ExitCode;

use clap::Args;

use crate::core::limits::CROWD_PEOPLE_MAX;
use crate::watch;
use crate::watch::io::Leaving;
use children::Theatre;
use event_loop::EventLoop;
use script::Script;

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
    watch::exit_code(try_run(args))
}

fn try_run(args: &DemoArgs) -> Result<Leaving, String> {
    if !watch::can_draw() {
        return Err("the demo needs a terminal".to_owned());
    }
    // Everything that can fail comes before the terminal changes.
    let theatre = Theatre::open(args.people, args.seed)?;
    let terminal = watch::full_screen()?;
    let script = args.script.then(Script::default);
    let event_loop = EventLoop::new(terminal, theatre, watch::look(), script);
    event_loop.and_then(EventLoop::run).map_err(watch::terminal_failed)
}
