//! What an operator reads: the only place with the words of answers in it, as text and as JSON
//! (7.4, 7.5).
//!
//! What came of an order is handed in; nothing here looks it up.

use std::fmt::{self, Write};

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::{Number, Value, json};

use super::command::{CommandFault, HELP};
use super::framing::Fault;
use crate::core::limits::{ANSWER_ROWS_MAX, BANS_MAX};

/// In which form an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Lines, each with its tag.
    Text,
    /// One line of JSON.
    Json,
}

/// All that is outcome to one order.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It was obeyed.
    Done {
        /// The list that was asked for.
        rows: Vec<Row>,
        /// What was done.
        outcome: Outcome,
    },
    /// Nothing was done.
    CommandRefusal(CommandRefusal),
    /// The text exposition format, which is a form of its own.
    Metrics(String),
}

/// One row of a list.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are what they are called")]
pub enum Row {
    User { name: String, status: String, address: String, seconds: u64 },
    Room { name: String, users: usize },
    Ban { network: IpNet, expiry: Expiry, reason: String },
    Figure { name: String, value: Number },
    Help(&'static str),
}

/// When a ban ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It does not.
    Never,
    /// At this many seconds after 1970 (UTC).
    At(u64),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what they are called")]
pub enum Outcome {
    Help,
    Users { count: usize, connections: usize },
    Rooms { count: usize },
    Stats,
    SaidTo { count: usize },
    Kicked { name: String },
    Banned { network: IpNet, expiry: Expiry, removed: usize },
    Unbanned { network: IpNet },
    Bans { count: usize },
    Stopping,
    StopsIn { ms: u64 },
    StopCalledOff,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what they are called")]
pub enum CommandRefusal {
    Line(Fault),
    OperatorCommand(CommandFault),
    NobodyCalledThat,
    Loopback { name: String },
    NotBanned,
    TooManyBans,
    NotKept { why: String },
    Stopping,
    NoStopPlanned,
    NoJson,
}

impl Form {
    /// The form that a line asks for, and the order in it.
    #[must_use]
    pub fn of(line: &str) -> (Form, &str) {
        match line.trim_start().strip_prefix("json ") {
            Some(order) => (Form::Json, order),
            None => (Form::Text, line),
        }
    }
}

impl Answer {
    /// That it was done, without a list.
    #[must_use]
    pub fn done(outcome: Outcome) -> Answer {
        Answer::Done { rows: Vec::new(), outcome }
    }

    /// What can be ordered.
    #[must_use]
    pub fn help() -> Answer {
        Answer::Done { rows: HELP.into_iter().map(Row::Help).collect(), outcome: Outcome::Help }
    }

    /// Appends the answer, with its line endings, to `out`.
    pub fn encode(&self, form: Form, out: &mut String) {
        let written = match (self, form) {
            (Answer::Metrics(text), Form::Text) => write!(out, "{text}"),
            (Answer::Metrics(_), Form::Json) => {
                return Answer::CommandRefusal(CommandRefusal::NoJson).encode(form, out);
            }
            (Answer::Done { rows, outcome }, Form::Text) => rows
                .iter()
                .try_for_each(|row| writeln!(out, "- {row}"))
                .and_then(|()| writeln!(out, "* {outcome}")),
            (Answer::CommandRefusal(why), Form::Text) => writeln!(out, "! {why}"),
            (Answer::Done { rows, outcome }, Form::Json) => {
                let rows = rows.iter().map(Row::json).collect::<Vec<_>>();
                writeln!(
                    out,
                    "{}",
                    json!({"ok": true, "rows": rows, "outcome": outcome.to_string()})
                )
            }
            (Answer::CommandRefusal(why), Form::Json) => {
                writeln!(out, "{}", json!({"ok": false, "error": why.to_string()}))
            }
        };
        written.expect("writing to memory does not fail");
    }
}

impl Row {
    fn json(&self) -> Value {
        match self {
            Row::User { name, status, address, seconds } => {
                json!({"name": name, "status": status, "address": address, "seconds": seconds})
            }
            Row::Room { name, users } => json!({"name": name, "users": users}),
            Row::Ban { network, expiry, reason } => {
                let expires = match expiry {
                    Expiry::Never => Value::Null,
                    Expiry::At(unix_s) => json!(unix_s),
                };
                json!({"network": network.to_string(), "expires": expires, "reason": reason})
            }
            Row::Figure { name, value } => json!({"name": name, "value": value}),
            Row::Help(text) => json!(text),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Row::User { name, status, address, seconds } => {
                write!(f, "{name} {status}, from {address}, here {seconds} s")
            }
            Row::Room { name, users: 1 } => write!(f, "{name} 1 user"),
            Row::Room { name, users } => write!(f, "{name} {users} users"),
            Row::Ban { network, expiry, reason } if reason.is_empty() => {
                write!(f, "{network} {expiry}")
            }
            Row::Ban { network, expiry, reason } => write!(f, "{network} {expiry}: {reason}"),
            Row::Figure { name, value } => write!(f, "{name} {value}"),
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
                    Some(moment) => write!(f, "until {moment}"),
                    None => write!(f, "until second {unix_s}"),
                }
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Help => write!(f, "What you can order"),
            Outcome::Users { count, connections } => {
                let connections = counted(*connections, "connection");
                write!(f, "{}, {connections}", counted(*count, "user"))?;
                narrowed(f, *count)
            }
            Outcome::Rooms { count } => {
                write!(f, "{}", counted(*count, "room"))?;
                narrowed(f, *count)
            }
            Outcome::Stats => write!(f, "Samples since the start"),
            Outcome::SaidTo { count } => write!(f, "Outcome to {count}"),
            Outcome::Kicked { name } => write!(f, "Removed {name}"),
            Outcome::Banned { network, expiry, removed } => {
                write!(f, "Banned {network} {expiry}, and removed {removed}")
            }
            Outcome::Unbanned { network } => write!(f, "{network} is not banned any more"),
            Outcome::Bans { count } => write!(f, "{}", counted(*count, "ban")),
            Outcome::Stopping => write!(f, "Stopping"),
            Outcome::StopsIn { ms } => {
                let minutes = *ms as f64 / 60_000.0;
                let unit = if *ms == 60_000 { "minute" } else { "minutes" };
                write!(f, "Stopping in {minutes} {unit}; stop off calls it off")
            }
            Outcome::StopCalledOff => write!(f, "Not stopping after all"),
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Says that not all are shown, if so.
fn narrowed(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    match count.checked_sub(ANSWER_ROWS_MAX) {
        None | Some(0) => Ok(()),
        Some(more) => write!(f, "; {more} more are not shown, and a PREFIX narrows the list"),
    }
}

impl fmt::Display for CommandRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandRefusal::Line(fault) => return write!(f, "{fault}"),
            CommandRefusal::OperatorCommand(fault) => return write!(f, "{fault}"),
            CommandRefusal::NobodyCalledThat => write!(f, "Nobody of that name is here"),
            CommandRefusal::Loopback { name } => {
                write!(f, "{name} is on this machine, which is banned by its address alone")
            }
            CommandRefusal::NotBanned => write!(f, "That is not banned"),
            CommandRefusal::TooManyBans => write!(f, "There are {BANS_MAX} bans already"),
            CommandRefusal::NotKept { why } => write!(f, "The bans cannot be kept: {why}"),
            CommandRefusal::Stopping => write!(f, "The server is stopping already"),
            CommandRefusal::NoStopPlanned => write!(f, "The server was not going to stop"),
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

    fn encoded(answer: &Answer, form: Form) -> String {
        let mut out = String::new();
        answer.encode(form, &mut out);
        out
    }

    /// (7.4, 7.5)
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
        assert_eq!(encoded(&answer, Form::Text), text);
        let json = encoded(&answer, Form::Json);
        assert_eq!(json.matches('\n').count(), 1);
        let read = serde_json::from_str::<Value>(&json).unwrap();
        assert_eq!(read["rows"][0]["reason"], "\"rude\" \\");
        assert_eq!(read["rows"][1]["expires"], Value::Null);
        assert_eq!((&read["ok"], &read["outcome"]), (&json!(true), &json!("2 bans")));
    }

    /// (7.4, 7.5)
    #[test]
    fn a_refusal_is_one_line_in_either_form() {
        let answer = Answer::CommandRefusal(CommandRefusal::OperatorCommand(CommandFault::Unknown));
        assert_eq!(
            encoded(&answer, Form::Text),
            "! That is no order, and help lists them; nothing was done\n"
        );
        let read = serde_json::from_str::<Value>(&encoded(&answer, Form::Json)).unwrap();
        assert_eq!(read["ok"], json!(false));
        let metrics = Answer::Metrics("# EOF\n".to_owned());
        assert!(encoded(&metrics, Form::Json).starts_with("{\"error\":"));
    }

    #[test]
    fn the_form_is_asked_for_by_a_word_before_the_order() {
        assert_eq!(Form::of("json users an"), (Form::Json, "users an"));
        assert_eq!(Form::of("users json"), (Form::Text, "users json"));
        assert_eq!(Form::of("jsonusers"), (Form::Text, "jsonusers"));
    }
}
