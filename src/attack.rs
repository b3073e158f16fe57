//! `chinwag attack`: brings one thing that goes wrong, and shows what protects the server.
//!
//! `main` calls [`run`]. The kinds in `kinds/` are pure; [`crate::peers::pool`] carries their
//! connections, and two honest people beside them. An attack goes to this machine only, is bounded, and
//! ends by itself.

mod attacker;
mod campaign;
pub mod kinds;
pub mod report;
mod witness;

use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::client::options::Server;
use crate::core::limits::{
    ATTACK_BYTES, ATTACK_BYTES_MAX, ATTACK_CONNECTIONS_MAX, ATTACK_SECONDS_MAX, PEER_PATIENCE_S,
};
use crate::peers::screen::print;
use crate::peers::target::{self, Refusal};
use campaign::Campaign;
use kinds::{KINDS, Kind};
use report::size;

/// The flags of `attack`.
#[derive(Debug, Args)]
pub struct AttackArgs {
    /// What to do
    #[arg(value_name = "KIND", value_parser = PossibleValuesParser::new(KINDS.map(|kind| kind.name)))]
    pub kind: String,

    /// The server, on this machine: attacks go nowhere else
    #[arg(value_name = "HOST[:PORT]", default_value = "127.0.0.1:7878")]
    pub server: Server,

    /// Connections at a time [default: by kind]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=ATTACK_CONNECTIONS_MAX as i64))]
    pub connections: Option<u32>,

    /// Seconds until it ends [default: by kind]
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=ATTACK_SECONDS_MAX))]
    pub seconds: Option<u64>,

    /// Bytes that it sends at most
    #[arg(long, value_name = "BYTES", default_value_t = ATTACK_BYTES,
          value_parser = clap::value_parser!(u64).range(1..=ATTACK_BYTES_MAX))]
    pub bytes: u64,

    /// Print one JSON object every second, and a last one
    #[arg(long)]
    pub json: bool,
}

/// What attackers and witnesses tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// A connection stands.
    Connected,
    /// The server has greeted.
    Welcomed,
    /// The server ended a connection that it had not greeted.
    Refused,
    /// A connection could not be made.
    NotConnected,
    /// The server ended a connection.
    Disconnected,
    /// The attacker ended its connection.
    Left,
    /// The server said this so often.
    Said(String, u64),
    /// Something that the kind counts.
    Counted(&'static str),
    /// Something that the kind found.
    Fact(String),
    /// A witness is in its chat.
    WitnessReady,
    /// A witness has said a line.
    WitnessSaid,
    /// A witness has read the line of the other.
    WitnessHeard,
    /// An honest person was not served.
    WitnessLost(String),
    /// The newcomer was served, and it took so long.
    Newcomer(u64),
}

/// The list of kinds, for the help text and the manual page.
#[must_use]
pub fn help() -> String {
    let mut text = "Kinds:\n".to_owned();
    for kind in KINDS {
        text += &paragraph(22, kind.name, kind.does);
    }
    text += "
Each attack says what it does, what to look for in chinwag watch, and which
clause of protocol.md protects. Two honest people chat meanwhile; the report
tells what they waited. Exit code: 0 the honest were served, 1 they were not,
2 wrong arguments.";
    text
}

/// Runs an attack and reports what happened to it.
#[must_use]
pub fn run(args: &AttackArgs) -> ExitCode {
    match try_run(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(refusal) => refusal.report(),
    }
}

/// Returns whether the honest people were served.
fn try_run(args: &AttackArgs) -> Result<bool, Refusal> {
    let server = target::resolve_loopback(&args.server)?;
    let kind =
        kinds::find(&args.kind).ok_or_else(|| Refusal::Usage("no such attack".to_owned()))?;
    // Before the preface: without a server there is nothing to look for.
    TcpStream::connect_timeout(&server, Duration::from_secs(PEER_PATIENCE_S))
        .map_err(|error| format!("no server at {server}: {error}"))?;
    let connections = args.connections.unwrap_or(kind.connections);
    let seconds = args.seconds.unwrap_or(kind.seconds);
    let failed = |error: std::io::Error| error.to_string();
    if !args.json {
        print(&preface(kind, connections, seconds, args.bytes)).map_err(failed)?;
    }
    let mut campaign = Campaign::new(kind, server, args.json).map_err(failed)?;
    Ok(campaign.run(connections as usize, seconds, args.bytes)?)
}

/// What the attack does, what to look for, what protects, and its bounds.
fn preface(kind: &Kind, connections: u32, seconds: u64, bytes: u64) -> String {
    let mut text = format!("attack {}\n", kind.name);
    text += &paragraph(12, "does", kind.does);
    text += &paragraph(12, "look for", kind.look_for);
    for (n, (clause, promise)) in kind.protects.iter().enumerate() {
        let title = if n == 0 { "protects" } else { "" };
        text += &paragraph(12, title, &format!("{clause:<7} {promise}"));
    }
    let bounds = format!("{connections} connections, {seconds} s, {}; ends by itself", size(bytes));
    text += &paragraph(12, "bounds", &bounds);
    text
}

/// A paragraph of at most 80 columns, with a title in its margin.
fn paragraph(margin: usize, title: &str, text: &str) -> String {
    let mut lines = vec![format!("{:<margin$}", format!("  {title}"))];
    for word in text.split_whitespace() {
        let is_full = |line: &String| line.chars().count() + 1 + word.chars().count() > 79;
        if lines.last().is_some_and(is_full) {
            lines.push(" ".repeat(margin));
        }
        if let Some(line) = lines.last_mut() {
            if line.chars().count() > margin {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_before_an_attack_fit_eighty_columns() {
        for kind in KINDS {
            let text = preface(kind, 10_000, 600, ATTACK_BYTES_MAX) + &help();
            let wide = text.lines().find(|line| line.chars().count() > 80);
            assert!(wide.is_none(), "{}: {wide:?}", kind.name);
        }
    }
}
