//! Shows the report of a crowd: in a terminal the table is drawn anew every second.

use std::io::{self, IsTerminal, Write};

use super::CrowdArgs;
use super::report::Report;
use crate::peers::peer::Micros;

pub(super) struct Screen {
    seed: u64,
    as_json: bool,
    is_terminal: bool,
    /// Rows of the table that stands on the screen.
    rows: usize,
}

impl Screen {
    pub(super) fn new(args: &CrowdArgs, seed: u64) -> io::Result<Screen> {
        let mut out = io::stdout();
        if !args.json {
            let CrowdArgs { people, server, seconds, .. } = args;
            let fast = if args.fast { " --fast" } else { "" };
            writeln!(out, "{people} people at {server} for {seconds} s, from the seed {seed}")?;
            writeln!(out, "the same people again: chinwag crowd {people} --seed {seed}{fast}")?;
        }
        let is_terminal = out.is_terminal();
        Ok(Screen { seed, as_json: args.json, is_terminal, rows: 0 })
    }

    /// Shows the report as it is now.
    pub(super) fn show(&mut self, report: &Report, elapsed: Micros) -> io::Result<()> {
        match (self.as_json, self.is_terminal) {
            (true, _) => print(&format!("{}\n", report.json(self.seed, elapsed, false))),
            (false, true) => self.draw(&report.table(elapsed)),
            (false, false) => Ok(()),
        }
    }

    /// Shows the report of the whole run.
    pub(super) fn finish(&mut self, report: &Report, elapsed: Micros) -> io::Result<()> {
        if self.as_json {
            return print(&format!("{}\n", report.json(self.seed, elapsed, true)));
        }
        self.draw(&report.table(elapsed))?;
        print(&report.problem_lines())
    }

    /// Draws the table in the place of the last one.
    fn draw(&mut self, table: &str) -> io::Result<()> {
        let up = match self.rows {
            rows if rows > 0 && self.is_terminal => format!("\x1b[{rows}A\x1b[J"),
            _ => String::new(),
        };
        self.rows = table.lines().count();
        print(&format!("{up}{table}"))
    }
}

/// A reader that has gone, such as `head`, ends the run.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}
