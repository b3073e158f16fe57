//! The grades, as text for a person or as JSON for an autograder.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::person::{Failure, Outcome};
use super::{Case, LEVELS};

/// Collects the outcomes. As text, each is printed at once.
pub(super) struct Report {
    as_json: bool,
    cases: Vec<Value>,
    passed: [u32; LEVELS.len()],
    failed: [u32; LEVELS.len()],
}

impl Report {
    pub(super) fn new(as_json: bool) -> Report {
        Report { as_json, cases: Vec::new(), passed: [0; 8], failed: [0; 8] }
    }

    pub(super) fn add(&mut self, case: &Case, outcome: Outcome) {
        let level = usize::from(case.level) - 1;
        let counts = if outcome.is_ok() { &mut self.passed } else { &mut self.failed };
        counts[level] += 1;
        if !self.as_json {
            let grade = if outcome.is_ok() { "pass" } else { "FAIL" };
            println!("{grade}  {} {}: {}", case.level, LEVELS[level], case.name);
            if let Err(failure) = &outcome {
                print_failure(failure);
            }
        }
        let mut row = json!({
            "level": case.level, "level_name": LEVELS[level], "name": case.name,
            "passed": outcome.is_ok(),
        });
        if let Err(failure) = outcome {
            row["clause"] = failure.clause.into();
            row["expected"] = failure.expected.into();
            row["came"] = failure.came.into();
            row["scene"] = failure.scene.into();
        }
        self.cases.push(row);
    }

    /// Prints the summary. The exit code is 0 if every case passed.
    pub(super) fn finish(self, command: &str) -> ExitCode {
        let (passed, failed) = (self.passed.iter().sum::<u32>(), self.failed.iter().sum::<u32>());
        // The highest level up to which everything passed.
        let reached = self.failed.iter().zip(&self.passed).take_while(|(f, p)| **f == 0 && **p > 0);
        let reached = reached.count();
        if self.as_json {
            let report = json!({
                "command": command, "passed": passed, "failed": failed, "level": reached,
                "cases": self.cases,
            });
            println!("{report}");
        } else {
            println!("{passed} of {} cases pass; level {reached} is reached", passed + failed);
        }
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn print_failure(failure: &Failure) {
    for line in &failure.scene {
        println!("        {line}");
    }
    println!("      expected: {}   (protocol.md, {})", failure.expected, failure.clause);
    println!("      came:     {}", failure.came);
}
