//! Shows the report of a crowd: as a table, or as lines of JSON.

use std::io;

use super::CrowdArgs;
use super::report::Report;
use crate::peers::peer::Micros;
use crate::peers::screen::{self, print};

pub(super) struct Screen {
    seed: u64,
    as_json: bool,
    table: screen::Screen,
}

impl Screen {
    pub(super) fn new(args: &CrowdArgs, seed: u64) -> io::Result<Screen> {
        if !args.json {
            let CrowdArgs { people, server, seconds, .. } = args;
            let fast = if args.fast { " --fast" } else { "" };
            print(&format!(
                "{people} people at {server} for {seconds} s, from the seed {seed}\n\
                 the same people again: chinwag crowd {people} --seed {seed}{fast}\n"
            ))?;
        }
        Ok(Screen { seed, as_json: args.json, table: screen::Screen::new() })
    }

    /// Shows the report as it is now. In a file, a table every second would be one too many.
    pub(super) fn show(&mut self, report: &Report, elapsed: Micros) -> io::Result<()> {
        match self.as_json {
            true => print(&format!("{}\n", report.json(self.seed, elapsed, false))),
            false if self.table.is_terminal() => self.table.draw(&report.table(elapsed)),
            false => Ok(()),
        }
    }

    /// Shows the report of the whole run.
    pub(super) fn finish(&mut self, report: &Report, elapsed: Micros) -> io::Result<()> {
        if self.as_json {
            return print(&format!("{}\n", report.json(self.seed, elapsed, true)));
        }
        self.table.draw(&format!("{}{}", report.table(elapsed), report.problems.lines()))
    }
}
