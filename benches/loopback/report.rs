//! What the scenarios give, as a table in Markdown.

use std::fmt::Write;

use super::contender::Contender;
use super::shared::Summary;

/// What the values of a row are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Lines delivered in a second of the server's CPU time; shown as a share of the relay's.
    LinesPerSecond,
    /// Users come and gone in a second of the server's CPU time; shown likewise.
    VisitsPerSecond,
    /// One cost over another.
    TimesDearer,
    /// The server's own memory.
    BytesPerUser,
    /// The server's CPU time.
    MicrosPerLogIn,
    /// The server's CPU time.
    MillisPerTenSeconds,
}

impl Measure {
    /// Whether a value says something only beside the relay's.
    fn is_relative(self) -> bool {
        matches!(self, Self::LinesPerSecond | Self::VisitsPerSecond)
    }
}

/// What chinwag is to reach.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// One server in one row.
pub(super) struct Cell {
    pub(super) contender: Contender,
    /// A value for each round, or why there are none.
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
    /// What a server's rounds come to: shares of the relay's same rounds, or the values themselves.
    pub(super) fn summary(&self, contender: Contender) -> Option<Summary> {
        let values = self.values(contender)?;
        if !self.measure.is_relative() {
            return Summary::of(values.iter().copied());
        }
        let yardstick = self.values(Contender::Relay)?;
        Summary::of(values.iter().zip(yardstick).map(|(value, measure)| value / measure))
    }

    /// Whether the row is about messages, which the chart shows.
    pub(super) fn is_about_lines(&self) -> bool {
        self.measure == Measure::LinesPerSecond
    }

    fn cell(&self, contender: Contender) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.contender == contender)
    }

    fn values(&self, contender: Contender) -> Option<&[f64]> {
        self.cell(contender)?.rounds.as_deref().ok()
    }

    /// A cell's text: the median, and the spread where rounds differ.
    fn shown(&self, contender: Contender) -> String {
        match self.cell(contender).map(|cell| &cell.rounds) {
            None => return "–".to_owned(),
            Some(Err(reason)) => return reason.clone(),
            Some(Ok(_)) => {}
        }
        if contender == Contender::Relay && self.measure.is_relative() {
            let median = Summary::of(self.values(contender).into_iter().flatten().copied());
            return median
                .map_or("–".to_owned(), |rate| format!("1.00 ({})", rounded(rate.median)));
        }
        let Some(Summary { least, median, most }) = self.summary(contender) else {
            return if self.measure.is_relative() { "no relay" } else { "–" }.to_owned();
        };
        let show = |value: f64| match self.measure {
            Measure::LinesPerSecond | Measure::VisitsPerSecond | Measure::TimesDearer => {
                format!("{value:.2}")
            }
            Measure::BytesPerUser => format!("{value:.0} B"),
            Measure::MicrosPerLogIn => format!("{value:.1} µs"),
            Measure::MillisPerTenSeconds => format!("{value:.2} ms"),
        };
        if show(least) == show(most) {
            return show(median);
        }
        format!("{} ({} … {})", show(median), show(least), show(most))
    }

    /// The goal, and whether chinwag's median meets it.
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
        self.summary(Contender::Chinwag).map(|summary| summary.median)
    }
}

/// The table: medians of interleaved rounds, with the least and the most.
pub(super) fn table(rows: &[Row]) -> String {
    let mut table = String::from("| | relay | chinwag | goal |");
    let others = [Contender::Redis, Contender::Inspircd, Contender::Ngircd];
    for other in others {
        let _ = write!(table, " {} |", other.name());
    }
    table.push_str("\n| --- | --- | --- | --- | --- | --- | --- |\n");
    for row in rows {
        let (relay, chinwag) = (row.shown(Contender::Relay), row.shown(Contender::Chinwag));
        let _ = write!(table, "| {} | {relay} | **{chinwag}** | {} |", row.name, row.goal_shown());
        for other in others {
            let _ = write!(table, " {} |", row.shown(other));
        }
        table.push('\n');
    }
    table
}

/// 293320 as `293k/s`, 4018695 as `4.0M/s`.
fn rounded(rate: f64) -> String {
    if rate >= 1e6 { format!("{:.1}M/s", rate / 1e6) } else { format!("{:.0}k/s", rate / 1e3) }
}
