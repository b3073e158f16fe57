//! What a crowd has measured: as a table for a person, as JSON for a program.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::people::What;
use crate::core::limits::REPORTED_TEXTS_MAX;
use crate::peers::latencies::{Latencies, shown};
use crate::peers::peer::{Micros, SECOND};

/// The counts of a run.
#[derive(Debug, Default)]
pub struct Report {
    latencies: [Latencies; What::ALL.len()],
    /// People with a username now.
    pub online: usize,
    /// Refusals of the server that people meet: a user who is taken, a request that is over.
    pub refused: u64,
    /// What must not happen, and how often it did.
    pub problems: BTreeMap<String, u64>,
}

impl Report {
    /// Counts a latency.
    pub fn took(&mut self, what: What, took: Micros) {
        self.latencies[what as usize].record(took);
    }

    /// Counts a problem.
    pub fn problem(&mut self, what: String) {
        let is_known = self.problems.contains_key(&what);
        let has_space = self.problems.len() < REPORTED_TEXTS_MAX;
        let text = if is_known || has_space { what } else { "and others".to_owned() };
        *self.problems.entry(text).or_default() += 1;
    }

    /// Whether the server has greeted anybody.
    #[must_use]
    pub fn has_greeted(&self) -> bool {
        self.latencies[What::Greeting as usize].count() > 0
    }

    /// How many problems there were.
    #[must_use]
    pub fn problem_count(&self) -> u64 {
        self.problems.values().sum()
    }

    /// The table. The number of rows changes only with the problems.
    #[must_use]
    pub fn table(&self, elapsed: Micros) -> String {
        let mut table = format!(
            "{:>6} s   {} online   {} refused   {} problems\n{:<12}{:>10}{:>12}{:>12}{:>12}\n",
            elapsed / SECOND,
            self.online,
            self.refused,
            self.problem_count(),
            "",
            "count",
            "p50",
            "p99",
            "longest"
        );
        for what in What::ALL {
            let found = &self.latencies[what as usize];
            let times = match found.count() {
                0 => ["-".to_owned(), "-".to_owned(), "-".to_owned()],
                _ => [found.percentile(50), found.percentile(99), found.longest()].map(shown),
            };
            let [p50, p99, longest] = times;
            let (title, count) = (what.title(), found.count());
            table += &format!("{title:<12}{count:>10}{p50:>12}{p99:>12}{longest:>12}\n");
        }
        table
    }

    /// The problems, one a line.
    #[must_use]
    pub fn problem_lines(&self) -> String {
        let lines = self.problems.iter().map(|(text, count)| format!("{count:>6} × {text}\n"));
        lines.collect()
    }

    /// The same as JSON. Times are in milliseconds.
    #[must_use]
    pub fn json(&self, seed: u64, elapsed: Micros, is_final: bool) -> Value {
        let ms = |took: Micros| took as f64 / 1e3;
        let rows = What::ALL.into_iter().map(|what| {
            let found = &self.latencies[what as usize];
            let row = json!({
                "count": found.count(), "p50_ms": ms(found.percentile(50)),
                "p99_ms": ms(found.percentile(99)), "longest_ms": ms(found.longest()),
            });
            (what.title().replace(' ', "_"), row)
        });
        json!({
            "seed": seed, "seconds": elapsed as f64 / SECOND as f64, "final": is_final,
            "online": self.online, "refused": self.refused, "problems": self.problem_count(),
            "texts": self.problems, "latencies": rows.collect::<serde_json::Map<_, _>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_well_in_eighty_columns() {
        let mut report = Report { online: 200, ..Report::default() };
        (1..=100).for_each(|n| report.took(What::Chat, n * 100));
        report.took(What::List, 2_500_000);
        let table = report.table(12 * SECOND);
        let wanted = "    12 s   200 online   0 refused   0 problems
                 count         p50         p99     longest
greeting             0           -           -           -
chat line          100     5.12 ms     9.98 ms       10 ms
room line            0           -           -           -
list                 1       2.5 s       2.5 s       2.5 s
";
        assert_eq!(table, wanted);
    }

    #[test]
    fn a_server_that_says_ever_new_things_fills_no_memory() {
        let mut report = Report::default();
        (0..1_000).for_each(|n| report.problem(format!("problem {n}")));
        assert_eq!(report.problems.len(), REPORTED_TEXTS_MAX + 1);
        assert_eq!(report.problem_count(), 1_000);
    }
}
