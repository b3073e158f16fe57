//! The commands about watching (8.2.11) and about holding the loop still (8.2.14), and their answers.
//!
//! Nothing here knows the loop; the server executes the commands.

use std::fmt;

use crate::core::limits::SLOW_MS_MAX;

/// A command about watching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchCommand<'a> {
    /// Stream what the loop does; follow nobody.
    All,
    /// Stream, and follow the inputs of this user.
    User(&'a str),
    /// Stream, and follow the inputs of the connection with this number.
    Number(u32),
    /// End the stream.
    Off,
}

/// A command to a server with `--teach`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeachCommand {
    /// Hold the loop before its next step.
    Pause,
    /// Run one step, and hold the loop again.
    Step,
    /// Hold the loop for so many milliseconds before each step.
    Slow(u64),
    /// Let the loop run.
    Go,
}

/// What a command about watching did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchOutcome {
    /// The stream has begun, or follows somebody else.
    Watching {
        /// The name or the number of the followed session.
        follows: Option<String>,
    },
    /// The stream has ended.
    Ended,
    /// The loop is held.
    Held,
    /// This step runs, and the loop is held again.
    Stepped(&'static str),
    /// The loop is held for so many milliseconds before each step.
    Slowed(u64),
    /// The loop runs.
    Running,
}

/// Why a command about watching did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchRefusal {
    /// No connection has that number.
    NoSuchNumber,
    /// The console does not watch.
    NotWatching,
    /// The server was started without `--teach`.
    NotTeaching,
    /// `step` while the loop runs.
    NotHeld,
    /// The server is stopping.
    Stopping,
}

pub(super) const WATCH: &str =
    "watch [NAME|#NUMBER|off]: stream what the loop does, as JSON; follow one session's input";
pub(super) const TEACH: &str =
    "pause, step, slow TIME, go: hold the loop; TIME is 500ms or 2s; only with serve --teach";

/// Parses what follows the word `watch`.
pub(super) fn parse_watch(rest: &str) -> Option<WatchCommand<'_>> {
    match rest.trim() {
        "" => Some(WatchCommand::All),
        "off" => Some(WatchCommand::Off),
        two if two.contains(' ') => None,
        word => match word.strip_prefix('#') {
            Some(number) => number.parse().ok().map(WatchCommand::Number),
            None => Some(WatchCommand::User(word)),
        },
    }
}

/// Parses a command of a server with `--teach`. `None` if that is none.
pub(super) fn parse_teach(word: &str, rest: &str) -> Option<TeachCommand> {
    match (word, rest) {
        ("pause", "") => Some(TeachCommand::Pause),
        ("step", "") => Some(TeachCommand::Step),
        ("go", "") => Some(TeachCommand::Go),
        ("slow", time) => {
            let ms = match time.strip_suffix("ms") {
                Some(ms) => ms.parse::<u64>().ok(),
                None => time.strip_suffix('s')?.parse::<u64>().ok()?.checked_mul(1_000),
            };
            ms.filter(|ms| (1..=SLOW_MS_MAX).contains(ms)).map(TeachCommand::Slow)
        }
        _ => None,
    }
}

impl fmt::Display for WatchOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WatchOutcome::Watching { follows: None } => write!(f, "Watching; watch off ends it"),
            WatchOutcome::Watching { follows: Some(who) } => {
                write!(f, "Watching, and following {who}")
            }
            WatchOutcome::Ended => write!(f, "No longer watching"),
            WatchOutcome::Held => write!(f, "The loop is held; step runs one step, go lets it run"),
            WatchOutcome::Stepped(step) => write!(f, "The {step} step runs, then the loop is held"),
            WatchOutcome::Slowed(ms) => write!(f, "The loop waits {ms} ms before each step"),
            WatchOutcome::Running => write!(f, "The loop runs"),
        }
    }
}

impl fmt::Display for WatchRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WatchRefusal::NoSuchNumber => write!(f, "No connection has that number"),
            WatchRefusal::NotWatching => write!(f, "This console does not watch"),
            WatchRefusal::NotTeaching => write!(f, "The server was started without --teach"),
            WatchRefusal::NotHeld => write!(f, "The loop runs; pause holds it"),
            WatchRefusal::Stopping => write!(f, "The server is stopping"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (8.2.11, 8.2.14, 7.106)
    #[test]
    fn commands_about_watching_are_understood_as_a_whole_or_not_at_all() {
        assert_eq!(parse_watch(""), Some(WatchCommand::All));
        assert_eq!(parse_watch("off"), Some(WatchCommand::Off));
        assert_eq!(parse_watch("anna"), Some(WatchCommand::User("anna")));
        assert_eq!(parse_watch("#12"), Some(WatchCommand::Number(12)));
        for wrong in ["#", "#x", "#-1", "#4294967296", "anna bert", "off now"] {
            assert_eq!(parse_watch(wrong), None, "{wrong}");
        }
        assert_eq!(parse_teach("slow", "500ms"), Some(TeachCommand::Slow(500)));
        assert_eq!(parse_teach("slow", "2s"), Some(TeachCommand::Slow(2_000)));
        assert_eq!(parse_teach("slow", "10s"), Some(TeachCommand::Slow(SLOW_MS_MAX)));
        for wrong in ["", "0ms", "10001ms", "11s", "500", "s", "-1s", "18446744073709551615s"] {
            assert_eq!(parse_teach("slow", wrong), None, "{wrong}");
        }
        assert_eq!(parse_teach("step", "2"), None);
    }
}
