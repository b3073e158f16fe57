//! The answers that an operator reads, as text and as JSON (8.1.4, 8.1.5).
//!
//! This is the only place with the words of these answers. The server executes a command and passes
//! its result in; this module looks nothing up.

use std::fmt::{self, Write};

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::{Number, Value, json};

use super::account::{AccountRefusal, write_change};
use super::command::{CommandFault, HELP};
use super::framing::LineFault;
use super::watch::{WatchOutcome, WatchRefusal};
use crate::core::accounts::AccountChange;
use crate::core::limits::{ANSWER_ROWS_MAX, BANS_MAX, CONSOLES_MAX};

/// The format in which the operator wants an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFormat {
    /// Lines, each with its tag.
    Text,
    /// One line of JSON.
    Json,
}

/// The answer to one operator command.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The server executed the command.
    Done {
        /// The rows of the list, for a command that lists something.
        rows: Vec<Row>,
        /// What the server did.
        outcome: Outcome,
    },
    /// The server refused the command and changed nothing.
    Refused(CommandRefusal),
    /// The metrics in the text exposition format (8.3.1). The format is fixed by Prometheus, so the
    /// text has no tags.
    Metrics(String),
}

/// One row of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A user.
    User {
        /// The username.
        name: String,
        /// What other users see the user doing. The JSON field is `pursuit` (8.1.5).
        status: String,
        /// IP address and port of the connection.
        address: String,
        /// Seconds since the connection was accepted.
        seconds: u64,
        /// Lines that the user sent in the last 8 to 10 seconds.
        lines: u64,
        /// Bytes that the user sent in that time.
        bytes: u64,
        /// The share of one core, in percent, that the user's lines used in that time.
        cpu_percent: f64,
    },
    /// A room with members.
    Room {
        /// The name of the room.
        name: String,
        /// The number of members.
        users: usize,
    },
    /// A ban that has not expired.
    Ban {
        /// The banned addresses.
        network: IpNet,
        /// When the ban ends.
        expiry: Expiry,
        /// The operator's reason; may be empty.
        reason: String,
    },
    /// An account, by its name.
    Account(String),
    /// A metric.
    Metric {
        /// The name, without the prefix that Prometheus sees.
        name: String,
        /// The value, in the unit that the name states.
        value: Number,
    },
    /// A line of `help`.
    Help(&'static str),
}

/// When a ban ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The ban does not end.
    Never,
    /// The ban ends at this time, in seconds since 1970 (UTC). Calendar time, because a ban
    /// outlives the process.
    At(u64),
}

/// What the server did for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the name of each field states its meaning")]
pub enum Outcome {
    /// Listed the commands.
    Help,
    /// Listed users. `count` is the number of matching users, also of those without a row.
    Users { count: usize, connections: usize },
    /// Listed rooms. `count` is the number of matching rooms, also of those without a row.
    Rooms { count: usize },
    /// Listed the metrics.
    Stats,
    /// Sent an announcement to `count` sessions.
    SaidTo { count: usize },
    /// Ended the session of one user.
    Kicked { name: String },
    /// Made a ban, and ended `removed` sessions.
    Banned { network: IpNet, expiry: Expiry, removed: usize },
    /// Ended a ban.
    Unbanned { network: IpNet },
    /// Listed the bans.
    Bans { count: usize },
    /// Changed an account.
    Account(AccountChange),
    /// Listed the accounts.
    Accounts { count: usize },
    /// Loaded a certificate.
    Reloaded { last_day: String, fingerprint: String },
    /// Watched the loop, or held it.
    Watch(WatchOutcome),
    /// Started the shutdown.
    Stopping,
    /// Announced a shutdown in `ms` milliseconds.
    StopsIn { ms: u64 },
    /// Cancelled the announced shutdown.
    StopCancelled,
}

/// Why the server refused a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandRefusal {
    /// The bytes are not a valid line.
    Line(LineFault),
    /// The line is not a valid command.
    Command(CommandFault),
    /// [`CONSOLES_MAX`] consoles are open; the server closes this one (7.31).
    ConsolesFull,
    /// No user has the given name.
    NoSuchUser,
    /// `ban NAME` for a user on this machine. The server cannot know that the operator means to ban
    /// loopback, and with it the clients on this machine (8.2.3).
    Loopback {
        /// The username.
        name: String,
    },
    /// `unban` for a network that is not banned.
    NotBanned,
    /// The limit on bans is reached (7.33).
    TooManyBans,
    /// The server could not write the ban file. A ban that a restart would forget is not made
    /// (8.2.3).
    BansNotSaved {
        /// The error of the operating system.
        why: String,
    },
    /// Nothing was done to an account.
    Account(AccountRefusal),
    /// Nothing is watched or held.
    Watch(WatchRefusal),
    /// The server has no certificate.
    NothingToReload,
    /// The files with the certificate and the key cannot be used.
    NotReloaded {
        /// The file and what is wrong with it.
        why: String,
    },
    /// The shutdown has started already.
    Stopping,
    /// `stop off` without an announced shutdown.
    NoStopAnnounced,
    /// `json metrics`: the exposition format has no JSON form.
    NoJson,
}

impl AnswerFormat {
    /// Splits a console's line into the answer format and the command.
    #[must_use]
    pub fn of(line: &str) -> (AnswerFormat, &str) {
        // Not `split_word`: blanks at the end may belong to a password.
        match line.trim_start().strip_prefix("json") {
            Some(rest) if rest.is_empty() || rest.starts_with(' ') => {
                (AnswerFormat::Json, rest.trim_start())
            }
            _ => (AnswerFormat::Text, line),
        }
    }
}

impl Answer {
    /// The answer to a command that lists nothing.
    #[must_use]
    pub fn done(outcome: Outcome) -> Answer {
        Answer::Done { rows: Vec::new(), outcome }
    }

    /// The answer to `help`.
    #[must_use]
    pub fn help() -> Answer {
        Answer::Done { rows: HELP.into_iter().map(Row::Help).collect(), outcome: Outcome::Help }
    }

    /// Appends the answer, with its line endings, to `out`.
    pub fn encode(&self, format: AnswerFormat, out: &mut String) {
        let written = match (self, format) {
            (Answer::Metrics(text), AnswerFormat::Text) => write!(out, "{text}"),
            (Answer::Metrics(_), AnswerFormat::Json) => {
                return Answer::Refused(CommandRefusal::NoJson).encode(format, out);
            }
            (Answer::Done { rows, outcome }, AnswerFormat::Text) => rows
                .iter()
                .try_for_each(|row| writeln!(out, "- {row}"))
                .and_then(|()| writeln!(out, "* {outcome}")),
            (Answer::Refused(refusal), AnswerFormat::Text) => writeln!(out, "! {refusal}"),
            (Answer::Done { rows, outcome }, AnswerFormat::Json) => {
                let rows = rows.iter().map(Row::json).collect::<Vec<_>>();
                // Scripts match `said`, so the field keeps this name (8.1.5).
                writeln!(out, "{}", json!({"ok": true, "rows": rows, "said": outcome.to_string()}))
            }
            (Answer::Refused(refusal), AnswerFormat::Json) => {
                writeln!(out, "{}", json!({"ok": false, "error": refusal.to_string()}))
            }
        };
        written.expect("writing to a String does not fail");
    }
}

impl Row {
    /// The row as JSON. The field names are a part of the protocol (8.1.5), independent of the names
    /// in the code.
    fn json(&self) -> Value {
        match self {
            Row::User { name, status, address, seconds, lines, bytes, cpu_percent } => json!({
                "name": name, "pursuit": status, "address": address, "seconds": seconds,
                "lines": lines, "bytes": bytes, "cpu": (cpu_percent * 100.0).round() / 100.0,
            }),
            Row::Room { name, users } => json!({"name": name, "users": users}),
            Row::Ban { network, expiry, reason } => {
                let expires = match expiry {
                    Expiry::Never => Value::Null,
                    Expiry::At(unix_s) => json!(unix_s),
                };
                json!({"network": network.to_string(), "expires": expires, "reason": reason})
            }
            Row::Account(name) => json!({"name": name}),
            Row::Metric { name, value } => json!({"name": name, "value": value}),
            Row::Help(text) => json!(text),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Row::User { name, status, address, seconds, lines, bytes, cpu_percent } => {
                write!(f, "{name} {status}, from {address}, here {seconds} s")?;
                match bytes {
                    0 => Ok(()),
                    _ => write!(
                        f,
                        "; last 10 s: about {lines} lines, {bytes} bytes, {cpu_percent:.1} % CPU"
                    ),
                }
            }
            Row::Room { name, users: 1 } => write!(f, "{name} 1 user"),
            Row::Room { name, users } => write!(f, "{name} {users} users"),
            Row::Ban { network, expiry, reason } if reason.is_empty() => {
                write!(f, "{network} {expiry}")
            }
            Row::Ban { network, expiry, reason } => write!(f, "{network} {expiry}: {reason}"),
            Row::Account(name) => write!(f, "{name}"),
            Row::Metric { name, value } => write!(f, "{name} {value}"),
            Row::Help(text) => write!(f, "{text}"),
        }
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expiry::Never => write!(f, "for ever"),
            Expiry::At(unix_s) => {
                let seconds = i64::try_from(*unix_s).ok();
                match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
                    Some(timestamp) => write!(f, "until {timestamp}"),
                    // A ban file may hold a year that the calendar library does not support.
                    None => write!(f, "until second {unix_s}"),
                }
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Help => write!(f, "Operator commands"),
            Outcome::Users { count, connections } => {
                let connections = counted(*connections, "connection");
                write!(f, "{}, {connections}", counted(*count, "user"))?;
                write_rows_left_out(f, *count)
            }
            Outcome::Rooms { count } => {
                write!(f, "{}", counted(*count, "room"))?;
                write_rows_left_out(f, *count)
            }
            Outcome::Stats => write!(f, "Figures since the server started"),
            Outcome::SaidTo { count } => write!(f, "Said to {count}"),
            Outcome::Kicked { name } => write!(f, "Removed {name}"),
            Outcome::Banned { network, expiry, removed } => {
                write!(f, "Banned {network} {expiry}, and removed {removed}")
            }
            Outcome::Unbanned { network } => write!(f, "{network} is not banned any more"),
            Outcome::Bans { count } => write!(f, "{}", counted(*count, "ban")),
            Outcome::Account(change) => write_change(f, change),
            Outcome::Accounts { count } => {
                write!(f, "{}", counted(*count, "account"))?;
                write_rows_left_out(f, *count)
            }
            Outcome::Reloaded { last_day, fingerprint } => {
                write!(f, "New certificate, valid until {last_day}, SHA-256 {fingerprint}")
            }
            Outcome::Watch(outcome) => write!(f, "{outcome}"),
            Outcome::Stopping => write!(f, "Stopping now"),
            Outcome::StopsIn { ms } => {
                let minutes = *ms as f64 / 60_000.0;
                let unit = if *ms == 60_000 { "minute" } else { "minutes" };
                write!(f, "Stopping in {minutes} {unit}; stop off calls it off")
            }
            Outcome::StopCancelled => write!(f, "The server is no longer stopping"),
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Adds how many of `count` rows the answer leaves out, and how to see them (7.32).
fn write_rows_left_out(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    match count.checked_sub(ANSWER_ROWS_MAX) {
        None | Some(0) => Ok(()),
        Some(more) => write!(f, "; {more} more are not shown, and a PREFIX narrows the list"),
    }
}

impl fmt::Display for CommandRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandRefusal::Line(fault) => return write!(f, "{fault}"),
            CommandRefusal::Command(fault) => return write!(f, "{fault}"),
            CommandRefusal::Account(refusal) => return write!(f, "{refusal}"),
            CommandRefusal::ConsolesFull => write!(f, "{CONSOLES_MAX} consoles are open already"),
            CommandRefusal::NoSuchUser => write!(f, "Nobody of that name is here"),
            CommandRefusal::Loopback { name } => {
                write!(f, "{name} is on this machine, which is banned by its address alone")
            }
            CommandRefusal::NotBanned => write!(f, "That is not banned"),
            CommandRefusal::TooManyBans => write!(f, "There are {BANS_MAX} bans already"),
            CommandRefusal::BansNotSaved { why } => write!(f, "The bans cannot be kept: {why}"),
            CommandRefusal::Watch(refusal) => write!(f, "{refusal}"),
            CommandRefusal::NothingToReload => write!(f, "The server has no certificate"),
            CommandRefusal::NotReloaded { why } => {
                return write!(f, "{why}; the old certificate stays");
            }
            CommandRefusal::Stopping => write!(f, "The server is stopping already"),
            CommandRefusal::NoStopAnnounced => write!(f, "No stop was announced"),
            CommandRefusal::NoJson => {
                write!(f, "metrics has a form of its own, json stats says the same")
            }
        }?;
        write!(f, "; nothing was done")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(answer: &Answer, format: AnswerFormat) -> String {
        let mut out = String::new();
        answer.encode(format, &mut out);
        out
    }

    /// (8.1.4, 8.1.5)
    #[test]
    fn the_same_answer_reads_as_text_and_as_json() {
        let network = "192.0.2.0/24".parse().unwrap();
        let rows = vec![
            Row::Ban { network, expiry: Expiry::At(86_400), reason: "\"rude\" \\".to_owned() },
            Row::Ban { network, expiry: Expiry::Never, reason: String::new() },
        ];
        let answer = Answer::Done { rows, outcome: Outcome::Bans { count: 2 } };
        let text = "- 192.0.2.0/24 until 1970-01-02T00:00:00Z: \"rude\" \\\n\
                    - 192.0.2.0/24 for ever\n* 2 bans\n";
        assert_eq!(encoded(&answer, AnswerFormat::Text), text);
        let json = encoded(&answer, AnswerFormat::Json);
        assert_eq!(json.matches('\n').count(), 1);
        let read = serde_json::from_str::<Value>(&json).unwrap();
        assert_eq!(read["rows"][0]["reason"], "\"rude\" \\");
        assert_eq!(read["rows"][1]["expires"], Value::Null);
        assert_eq!((&read["ok"], &read["said"]), (&json!(true), &json!("2 bans")));
    }

    /// (8.1.4, 8.1.5)
    #[test]
    fn a_refusal_is_one_line_in_either_format() {
        let answer = Answer::Refused(CommandRefusal::Command(CommandFault::Unknown));
        assert_eq!(
            encoded(&answer, AnswerFormat::Text),
            "! Unknown command; help lists them; nothing was done\n"
        );
        let read = serde_json::from_str::<Value>(&encoded(&answer, AnswerFormat::Json)).unwrap();
        assert_eq!(read["ok"], json!(false));
        let metrics = Answer::Metrics("# EOF\n".to_owned());
        assert!(encoded(&metrics, AnswerFormat::Json).starts_with("{\"error\":"));
    }

    #[test]
    fn the_word_json_before_a_command_selects_json() {
        assert_eq!(AnswerFormat::of("json users an"), (AnswerFormat::Json, "users an"));
        assert_eq!(AnswerFormat::of("users json"), (AnswerFormat::Text, "users json"));
        assert_eq!(AnswerFormat::of("jsonusers"), (AnswerFormat::Text, "jsonusers"));
        // A script that asks for JSON must be able to read every answer.
        for line in ["json", " json "] {
            assert_eq!(AnswerFormat::of(line), (AnswerFormat::Json, ""), "{line:?}");
        }
    }
}
