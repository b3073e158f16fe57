//! Formats metrics in two ways: as the text that Prometheus reads (8.3.1), and as rows for a person
//! or a script (8.2.8).
//!
//! `src/server/metrics.rs` collects the values. This module does not know what they count.

use std::fmt::Write;

use super::answer::Row;
use super::histogram::HistogramSnapshot;

/// All values under one metric name.
#[derive(Debug, Clone)]
pub struct MetricFamily {
    /// The name without the prefix `chinwag_` and without the suffix `_total` of a counter. Names
    /// are a promise to dashboards and alerts (8.3.1): do not change them.
    pub name: &'static str,
    /// One line that explains the metric.
    pub help: &'static str,
    /// The current value or values.
    pub value: MetricValue,
}

/// The value of a metric. The variants are the types of Prometheus.
#[derive(Debug, Clone)]
pub enum MetricValue {
    /// A number that rises and falls.
    Gauge(u64),
    /// A number that only rises, since the start of the server.
    Counter(u64),
    /// A counter for each value of a label.
    CounterBy {
        /// The name of the label.
        label: &'static str,
        /// The values of the label, each with its counter.
        counts: Vec<(&'static str, u64)>,
    },
    /// A distribution of amounts.
    Histogram(HistogramSnapshot),
}

/// Formats `families` in the text exposition format of Prometheus, version 0.0.4.
///
/// The last line is `# EOF`. Prometheus reads it as a comment; a script sees that the text is
/// complete.
#[must_use]
pub fn exposition(families: &[MetricFamily]) -> String {
    let mut text = String::new();
    for family in families {
        write_family(&mut text, family).expect("writing to a String does not fail");
    }
    text.push_str("# EOF\n");
    text
}

fn write_family(out: &mut String, family: &MetricFamily) -> std::fmt::Result {
    let (kind, suffix) = match family.value {
        MetricValue::Gauge(_) => ("gauge", ""),
        MetricValue::Counter(_) | MetricValue::CounterBy { .. } => ("counter", "_total"),
        MetricValue::Histogram(_) => ("histogram", ""),
    };
    let name = format!("chinwag_{}{suffix}", family.name);
    writeln!(out, "# HELP {name} {}", family.help)?;
    writeln!(out, "# TYPE {name} {kind}")?;
    match &family.value {
        MetricValue::Gauge(value) | MetricValue::Counter(value) => writeln!(out, "{name} {value}"),
        MetricValue::CounterBy { label, counts } => counts
            .iter()
            .try_for_each(|(kind, count)| writeln!(out, "{name}{{{label}=\"{kind}\"}} {count}")),
        MetricValue::Histogram(snapshot) => write_histogram(out, &name, snapshot),
    }
}

fn write_histogram(out: &mut String, name: &str, snapshot: &HistogramSnapshot) -> std::fmt::Result {
    let HistogramSnapshot { unit, buckets, count, sum } = snapshot;
    // Prometheus expects cumulative buckets, and a last bucket without a limit.
    for &(limit, cumulative) in buckets {
        writeln!(out, "{name}_bucket{{le=\"{}\"}} {cumulative}", unit.text(limit))?;
    }
    writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}")?;
    writeln!(out, "{name}_sum {}", unit.text(*sum))?;
    writeln!(out, "{name}_count {count}")
}

/// One row for each metric. A counter with a label has one row for each label value that is not
/// zero: most are zero, and a person reads the rows.
#[must_use]
pub fn rows(families: &[MetricFamily]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |name: String, value| rows.push(Row::Metric { name, value });
    for MetricFamily { name, value, .. } in families {
        match value {
            MetricValue::Gauge(value) | MetricValue::Counter(value) => {
                row((*name).to_owned(), (*value).into());
            }
            MetricValue::CounterBy { counts, .. } => {
                for (kind, count) in counts.iter().filter(|(_, count)| *count > 0) {
                    row(format!("{name}.{kind}"), (*count).into());
                }
            }
            MetricValue::Histogram(snapshot) => {
                let mean = snapshot.sum.checked_div(snapshot.count).unwrap_or_default();
                row(format!("{name}.mean"), snapshot.unit.value(mean));
                if let Some(limit) = snapshot.percentile_99() {
                    row(format!("{name}.p99"), snapshot.unit.value(limit));
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
            MetricFamily { name: "users", help: "Users now", value: MetricValue::Gauge(2) },
            MetricFamily {
                name: "departures",
                help: "Sessions over",
                value: MetricValue::CounterBy {
                    label: "reason",
                    counts: vec![("exit", 3), ("lost", 0)],
                },
            },
            MetricFamily {
                name: "turn_seconds",
                help: "Time awake",
                value: MetricValue::Histogram(turns.snapshot()),
            },
        ]
    }

    /// (8.3.1)
    #[test]
    fn the_exposition_has_the_format_that_prometheus_reads() {
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

    /// (8.2.8)
    #[test]
    fn rows_leave_out_labelled_counters_that_are_zero() {
        let rows = rows(&families()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(rows, ["users 2", "departures.exit 3", "turn_seconds.mean 3.666e-6"]);
    }
}
