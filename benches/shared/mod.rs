//! What both benches share: how they are asked to run, and what they make of many rounds.

use std::collections::HashSet;

/// How long a bench may take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Length {
    /// Every scenario for a moment, at small sizes: continuous integration's pass, which looks at
    /// correctness and not at time.
    Minimal,
    /// All benches within two minutes.
    Quick,
    /// The figures that the README shows.
    Full,
}

/// The arguments after `cargo bench --`.
pub(crate) struct Options {
    /// How long the bench may take.
    pub(crate) length: Length,
    /// Scenarios to run, by the beginning of their name; none means all.
    only: Vec<String>,
    /// Servers to run; none means all that are installed.
    with: HashSet<String>,
    /// Also write the chart into `doc/`, for the README.
    pub(crate) write: bool,
}

impl Options {
    /// Reads the process's arguments.
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
                // Cargo says this to every bench.
                "--bench" => {}
                other => return Err(format!("{other} is no option; see benches/README.md")),
            }
        }
        Ok(options)
    }

    /// Whether this scenario is to be run.
    pub(crate) fn wants(&self, scenario: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| scenario.starts_with(name.as_str()))
    }

    /// Whether this server is to be run.
    #[allow(dead_code, reason = "the core bench runs no servers")]
    pub(crate) fn wants_server(&self, name: &str) -> bool {
        self.with.is_empty() || self.with.contains(name)
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

/// What many rounds of one measurement came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    /// The smallest value of any round.
    pub(crate) least: f64,
    /// The middle one, which a single disturbed round does not move.
    pub(crate) median: f64,
    /// The greatest one.
    pub(crate) most: f64,
}

impl Summary {
    /// Of one value a round; none at all gives nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&least, &most) = (values.first()?, values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        Some(Self { least, median, most })
    }
}
