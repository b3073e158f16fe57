//! Shared by both benchmarks: command line options, and the summary of many rounds.

use std::collections::HashSet;

/// How long a benchmark may take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Length {
    /// Every scenario for a moment, at small sizes. Continuous integration runs this: it checks
    /// correctness, not time.
    Minimal,
    /// All benchmarks within two minutes.
    Quick,
    /// The measurements that the README shows.
    Full,
}

/// The arguments after `cargo bench --`.
pub(crate) struct Options {
    /// How long the benchmark may take.
    pub(crate) length: Length,
    /// Scenarios to run, by the beginning of their name. Empty means all.
    only: Vec<String>,
    /// Servers to run. Empty means all that are installed.
    with: HashSet<String>,
    /// Also write the chart into `doc/`, for the README.
    pub(crate) write: bool,
}

impl Options {
    /// Reads the arguments of this process. Returns an error for an unknown option.
    pub(crate) fn from_arguments() -> Result<Self, String> {
        let mut options =
            Self { length: Length::Full, only: Vec::new(), with: HashSet::new(), write: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--quick" => options.length = Length::Quick,
                "--minimal" => options.length = Length::Minimal,
                "--write" => options.write = true,
                "--only" => options.only.push(value()?),
                "--with" => options.with.extend(value()?.split(',').map(str::to_owned)),
                // Cargo passes this argument to every benchmark.
                "--bench" => {}
                other => return Err(format!("{other} is not an option; see benches/README.md")),
            }
        }
        Ok(options)
    }

    /// Whether the options select this scenario.
    pub(crate) fn wants(&self, scenario: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| scenario.starts_with(name.as_str()))
    }

    /// Whether the options select this server.
    #[allow(dead_code, reason = "the core benchmark runs no servers")]
    pub(crate) fn wants_server(&self, name: &str) -> bool {
        self.with.is_empty() || self.names_server(name)
    }

    /// Whether the command line names a server.
    pub(crate) fn names_server(&self, name: &str) -> bool {
        self.with.contains(name)
    }

    /// One of three values, by length.
    pub(crate) fn by_length<T>(&self, minimal: T, quick: T, full: T) -> T {
        match self.length {
            Length::Minimal => minimal,
            Length::Quick => quick,
            Length::Full => full,
        }
    }
}

/// Summary of one measurement over many rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    /// The smallest value.
    pub(crate) min: f64,
    /// The middle value. One disturbed round does not move it.
    pub(crate) median: f64,
    /// The greatest value.
    pub(crate) max: f64,
}

impl Summary {
    /// Summarizes one value per round. Returns `None` without values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        Some(Self { min, median, max })
    }
}
