//! What an operator may order, and how it is answered; `protocol.md` 7.
//!
//! Bytes become lines in [`CommandReader`], a line becomes an [`OperatorCommand`], and what came of it an
//! [`Answer`], as text or as JSON. All of it is pure: who opened the console, and what an order
//! does, is the shell's (`src/server/operator.rs`); nothing here knows of sockets or the chat.

mod answer;
mod command;
mod framing;
mod histogram;
mod metrics;

pub use answer::{Answer, CommandRefusal, Expiry, Form, Outcome, Row};
pub use command::{BanTarget, CommandFault, OperatorCommand, StopCommand, parse_network};
pub use framing::{CommandReader, Fault, HttpRequest};
pub use histogram::{Histogram, Snapshot, Unit};
pub use metrics::{MetricFamily, Samples, exposition, rows};
