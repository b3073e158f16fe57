//! The metrics of a server in the two forms they are wanted in: the text that Prometheus and its
//! like read (7.11), and rows for a person or a script (7.10).
//!
//! What they count is not known here; `src/server/stats.rs` fills them in.

use std::fmt::Write;

use super::answer::Row;
use super::histogram::Snapshot;

/// Samples of one name.
#[derive(Debug, Clone)]
pub struct MetricFamily {
    /// The name, without what all have before it and a counter has behind it.
    pub name: &'static str,
    /// What it is, in a line.
    pub help: &'static str,
    /// The metrics.
    pub metrics: Samples,
}

/// The metrics of one name.
#[derive(Debug, Clone)]
pub enum Samples {
    /// How many there are now.
    Gauge(u64),
    /// How many there have been.
    Counter(u64),
    /// How many there have been, of each kind.
    CounterBy {
        /// What tells the kinds apart.
        label: &'static str,
        /// The kinds, each with its count.
        counts: Vec<(&'static str, u64)>,
    },
    /// How often it was how much.
    Histogram(Snapshot),
}

/// The text exposition format, version 0.0.4; to the same readers the last line is a comment, and
/// it tells a script that nothing is missing.
#[must_use]
pub fn exposition(families: &[MetricFamily]) -> String {
    let mut text = String::new();
    for family in families {
        write_family(&mut text, family).expect("writing to memory does not fail");
    }
    text.push_str("# EOF\n");
    text
}

fn write_family(out: &mut String, family: &MetricFamily) -> std::fmt::Result {
    let (kind, suffix) = match family.metrics {
        Samples::Gauge(_) => ("gauge", ""),
        Samples::Counter(_) | Samples::CounterBy { .. } => ("counter", "_total"),
        Samples::Histogram(_) => ("histogram", ""),
    };
    let name = format!("chinwag_{}{suffix}", family.name);
    writeln!(out, "# HELP {name} {}", family.help)?;
    writeln!(out, "# TYPE {name} {kind}")?;
    match &family.metrics {
        Samples::Gauge(value) | Samples::Counter(value) => writeln!(out, "{name} {value}"),
        Samples::CounterBy { label, counts } => counts
            .iter()
            .try_for_each(|(kind, count)| writeln!(out, "{name}{{{label}=\"{kind}\"}} {count}")),
        Samples::Histogram(snapshot) => write_histogram(out, &name, snapshot),
    }
}

fn write_histogram(out: &mut String, name: &str, snapshot: &Snapshot) -> std::fmt::Result {
    let Snapshot { unit, buckets, count, sum } = snapshot;
    for &(most, below) in buckets {
        writeln!(out, "{name}_bucket{{le=\"{}\"}} {below}", unit.text(most))?;
    }
    writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}")?;
    writeln!(out, "{name}_sum {}", unit.text(*sum))?;
    writeln!(out, "{name}_count {count}")
}

/// A row for each figure; of kinds, those that there have been.
#[must_use]
pub fn rows(families: &[MetricFamily]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |name: String, value| rows.push(Row::Figure { name, value });
    for MetricFamily { name, metrics, .. } in families {
        match metrics {
            Samples::Gauge(value) | Samples::Counter(value) => {
                row((*name).to_owned(), (*value).into());
            }
            Samples::CounterBy { counts, .. } => {
                for (kind, count) in counts.iter().filter(|(_, count)| *count > 0) {
                    row(format!("{name}.{kind}"), (*count).into());
                }
            }
            Samples::Histogram(snapshot) => {
                let mean = snapshot.sum.checked_div(snapshot.count).unwrap_or_default();
                row(format!("{name}.mean"), snapshot.unit.value(mean));
                if let Some(most) = snapshot.most_of_99() {
                    row(format!("{name}.p99"), snapshot.unit.value(most));
                }
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::{Histogram, Unit};
    use super::*;

    fn families() -> Vec<MetricFamily> {
        let mut turns = Histogram::new(Unit::Nanoseconds, [1_000, 2_000]);
        [500, 1_500, 9_000].into_iter().for_each(|amount| turns.record(amount));
        vec![
            MetricFamily { name: "users", help: "Users now", metrics: Samples::Gauge(2) },
            MetricFamily {
                name: "departures",
                help: "Sessions over",
                metrics: Samples::CounterBy {
                    label: "reason",
                    counts: vec![("exit", 3), ("lost", 0)],
                },
            },
            MetricFamily {
                name: "turn_seconds",
                help: "Time awake",
                metrics: Samples::Histogram(turns.snapshot()),
            },
        ]
    }

    /// (7.11)
    #[test]
    fn the_exposition_is_what_an_agent_reads() {
        let expected = r#"# HELP chinwag_users Users now
# TYPE chinwag_users gauge
chinwag_users 2
# HELP chinwag_departures_total Sessions over
# TYPE chinwag_departures_total counter
chinwag_departures_total{reason="exit"} 3
chinwag_departures_total{reason="lost"} 0
# HELP chinwag_turn_seconds Time awake
# TYPE chinwag_turn_seconds histogram
chinwag_turn_seconds_bucket{le="0.000001"} 1
chinwag_turn_seconds_bucket{le="0.000002"} 2
chinwag_turn_seconds_bucket{le="+Inf"} 3
chinwag_turn_seconds_sum 0.000011
chinwag_turn_seconds_count 3
# EOF
"#;
        assert_eq!(exposition(&families()), expected);
    }

    /// (7.10)
    #[test]
    fn rows_leave_out_what_there_was_none_of() {
        let rows = rows(&families()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(rows, ["users 2", "departures.exit 3", "turn_seconds.mean 3.666e-6"]);
    }
}
