//! Operator commands and their answers; `protocol.md`, part 8.
//!
//! [`CommandReader`] splits a console's bytes into lines, [`OperatorCommand`] is a parsed line, and
//! [`Answer`] is the reply, as text or as JSON. The server calls all of them
//! (`src/server/operator_commands.rs`). Nothing here knows who opened the console or what a command
//! does: this module has no access to sockets or to the chat.

mod account;
mod answer;
mod command;
mod framing;
mod histogram;
mod metrics;
mod report;
mod watch;

pub use account::{AccountCommand, AccountRefusal};
pub use answer::{Answer, AnswerFormat, CommandRefusal, Expiry, Outcome, Row};
pub use command::{BanTarget, CommandFault, OperatorCommand, StopCommand, parse_network};
pub use framing::{CommandReader, HttpRequest, LineFault};
pub use histogram::{Histogram, HistogramSnapshot, Unit};
pub use metrics::{MetricFamily, MetricValue, exposition, rows};
pub use report::{
    Followed, Held, Step, TurnCounts, TurnRecord, WATCH_VERSION, WatchReport, WatchedConnection,
};
pub use watch::{TeachCommand, WatchCommand, WatchOutcome, WatchRefusal};
