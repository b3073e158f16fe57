//! What a crowd has measured: as a table for a person, as JSON for a program.

use serde_json::{Value, json};

use super::people::What;
use crate::peers::latencies::{Latencies, table_head};
use crate::peers::peer::{Micros, SECOND};
use crate::peers::tally::Tally;

/// The counts of a run.
#[derive(Debug, Default)]
pub struct Report {
    latencies: [Latencies; What::ALL.len()],
    /// People with a username now.
    pub online: usize,
    /// Refusals of the server that people meet: a user who is taken, a request that is over.
    pub refused: u64,
    /// What must not happen, and how often it did.
    pub problems: Tally,
}

impl Report {
    /// Counts a latency.
    pub fn took(&mut self, what: What, took: Micros) {
        self.latencies[what as usize].record(took);
    }

    /// Counts a problem.
    pub fn problem(&mut self, what: String) {
        self.problems.add(what, 1);
    }

    /// Whether the server has greeted anybody.
    #[must_use]
    pub fn has_greeted(&self) -> bool {
        self.latencies[What::Greeting as usize].count() > 0
    }

    /// The table. The number of rows changes only with the problems.
    #[must_use]
    pub fn table(&self, elapsed: Micros) -> String {
        let mut table = format!(
            "{:>6} s   {} online   {} refused   {} problems\n{}",
            elapsed / SECOND,
            self.online,
            self.refused,
            self.problems.total(),
            table_head("count")
        );
        for what in What::ALL {
            table += &self.latencies[what as usize].table_row(what.title());
        }
        table
    }

    /// The same as JSON. Times are in milliseconds.
    #[must_use]
    pub fn json(&self, seed: u64, elapsed: Micros, is_final: bool) -> Value {
        let row = |what: What| self.latencies[what as usize].json("count");
        let rows = What::ALL.map(|what| (what.title().replace(' ', "_"), row(what)));
        json!({
            "seed": seed, "seconds": elapsed as f64 / SECOND as f64, "final": is_final,
            "online": self.online, "refused": self.refused, "problems": self.problems.total(),
            "texts": self.problems.json(), "latencies": rows.into_iter().collect::<Value>(),
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
}
