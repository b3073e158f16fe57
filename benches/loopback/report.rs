//! Writes the results of the scenarios as a Markdown table.

use std::fmt::Write;

use super::server_kind::ServerKind;
use super::shared::Summary;

/// The unit of the values in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Lines delivered per second of the server's CPU time. Shown as a share of the relay's value.
    LinesPerSecond,
    /// Users who connected and left, per second of the server's CPU time. Shown as a share, too.
    VisitsPerSecond,
    /// The ratio of two costs.
    CostRatio,
    /// Memory of the server for each user.
    BytesPerUser,
    /// CPU time of the server for each login.
    MicrosPerLogIn,
    /// CPU time of the server while all users are idle.
    MillisPerTenSeconds,
}

impl Measure {
    /// Whether a value means something only relative to the relay's value.
    fn is_relative(self) -> bool {
        matches!(self, Self::LinesPerSecond | Self::VisitsPerSecond)
    }
}

/// The value that chinwag should reach.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// One server in one row.
pub(super) struct Cell {
    pub(super) kind: ServerKind,
    /// One value per round, or the reason why there are none.
    pub(super) rounds: Result<Vec<f64>, String>,
}

/// One scenario.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) measure: Measure,
    pub(super) goal: Goal,
    pub(super) cells: Vec<Cell>,
}

impl Row {
    /// The summary of a server's rounds: of its shares of the relay's values, or of the values
    /// themselves.
    pub(super) fn summary(&self, kind: ServerKind) -> Option<Summary> {
        let values = self.values(kind)?;
        if !self.measure.is_relative() {
            return Summary::of(values.iter().copied());
        }
        let baseline = self.values(ServerKind::Relay)?;
        Summary::of(values.iter().zip(baseline).map(|(value, relay)| value / relay))
    }

    /// Whether the row measures messages. The chart shows only these rows.
    pub(super) fn is_about_lines(&self) -> bool {
        self.measure == Measure::LinesPerSecond
    }

    fn cell(&self, kind: ServerKind) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.kind == kind)
    }

    fn values(&self, kind: ServerKind) -> Option<&[f64]> {
        self.cell(kind)?.rounds.as_deref().ok()
    }

    /// The text of a cell: the median, and the range where rounds differ.
    fn shown(&self, kind: ServerKind) -> String {
        match self.cell(kind).map(|cell| &cell.rounds) {
            None => return "–".to_owned(),
            Some(Err(reason)) => return reason.clone(),
            Some(Ok(_)) => {}
        }
        if kind == ServerKind::Relay && self.measure.is_relative() {
            let median = Summary::of(self.values(kind).into_iter().flatten().copied());
            return median
                .map_or("–".to_owned(), |rate| format!("1.00 ({})", rounded(rate.median)));
        }
        let Some(Summary { min, median, max }) = self.summary(kind) else {
            return if self.measure.is_relative() { "no relay" } else { "–" }.to_owned();
        };
        let show = |value: f64| match self.measure {
            Measure::LinesPerSecond | Measure::VisitsPerSecond | Measure::CostRatio => {
                format!("{value:.2}")
            }
            Measure::BytesPerUser => format!("{value:.0} B"),
            Measure::MicrosPerLogIn => format!("{value:.1} µs"),
            Measure::MillisPerTenSeconds => format!("{value:.2} ms"),
        };
        if show(min) == show(max) {
            return show(median);
        }
        format!("{} ({} … {})", show(median), show(min), show(max))
    }

    /// The goal, and whether chinwag's median reaches it.
    fn goal_shown(&self) -> String {
        let (text, met) = match self.goal {
            Goal::AtLeast(goal) => (format!("≥ {goal}"), self.chinwag().map(|got| got >= goal)),
            Goal::AtMost(goal) => (format!("≤ {goal}"), self.chinwag().map(|got| got <= goal)),
        };
        match met {
            Some(true) => format!("{text}: met"),
            Some(false) => format!("{text}: **missed**"),
            None => text,
        }
    }

    fn chinwag(&self) -> Option<f64> {
        self.summary(ServerKind::Chinwag).map(|summary| summary.median)
    }
}

/// The table: medians of interleaved rounds, with the smallest and the greatest value.
pub(super) fn table(rows: &[Row]) -> String {
    let mut table = String::from("| | relay | chinwag | goal |");
    let others = [
        ServerKind::Web,
        ServerKind::Watched,
        ServerKind::Recorded,
        ServerKind::Other,
        ServerKind::Redis,
        ServerKind::Inspircd,
        ServerKind::Ngircd,
    ];
    for other in others {
        let _ = write!(table, " {} |", other.name());
    }
    table.push_str("\n| --- | --- | --- | --- |");
    table.push_str(&" --- |".repeat(others.len()));
    table.push('\n');
    for row in rows {
        let (relay, chinwag) = (row.shown(ServerKind::Relay), row.shown(ServerKind::Chinwag));
        let _ = write!(table, "| {} | {relay} | **{chinwag}** | {} |", row.name, row.goal_shown());
        for other in others {
            let _ = write!(table, " {} |", row.shown(other));
        }
        table.push('\n');
    }
    table
}

/// Formats 293320 as `293k/s` and 4018695 as `4.0M/s`.
fn rounded(rate: f64) -> String {
    if rate >= 1e6 { format!("{:.1}M/s", rate / 1e6) } else { format!("{:.0}k/s", rate / 1e3) }
}
