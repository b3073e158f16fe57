//! Parses a line of a console into an operator command (8.1.4 to 8.2.6).
//!
//! A command is understood as a whole or refused as a whole. The parser knows neither users nor
//! bans, so it cannot tell whether the server can execute the command.

use core::net::IpAddr;
use std::fmt;

use ipnet::{IpNet, Ipv4Net};

use super::account::{ACCOUNT, AccountCommand, parse_account};
use super::watch::{TEACH, TeachCommand, WATCH, WatchCommand, parse_teach, parse_watch};
use crate::core::limits::{BAN_SECONDS_MAX, STOP_MINUTES_MAX};

/// A command that an operator gives. It borrows from the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorCommand<'a> {
    /// List the commands.
    Help,
    /// List the users whose names begin with a prefix.
    Users {
        /// The prefix; empty for all users.
        prefix: &'a str,
    },
    /// List the rooms whose names begin with a prefix.
    Rooms {
        /// The prefix; empty for all rooms.
        prefix: &'a str,
    },
    /// List the metrics.
    Stats,
    /// Print the metrics in the format of Prometheus.
    Metrics,
    /// Send an announcement to every session.
    Say {
        /// The announcement; never empty.
        text: &'a str,
    },
    /// End the session of a user.
    Kick {
        /// The username, as the operator typed it.
        name: &'a str,
        /// The reason; may be empty.
        reason: &'a str,
    },
    /// End the sessions from some addresses and reject new connections from there.
    Ban {
        /// The addresses.
        target: BanTarget<'a>,
        /// How long the ban lasts, in seconds; `None` means for ever.
        seconds: Option<u64>,
        /// The reason; may be empty.
        reason: &'a str,
    },
    /// End the ban of a network.
    Unban {
        /// The network. It must equal the banned network.
        network: IpNet,
    },
    /// Stream what the loop does.
    Watch(WatchCommand<'a>),
    /// Hold the loop, or let it go.
    Teach(TeachCommand),
    /// List the bans.
    Bans,
    /// Change or list accounts.
    Account(AccountCommand<'a>),
    /// Load the certificate again.
    Reload,
    /// Stop the server, announce a stop, or cancel an announced stop.
    Stop(StopCommand),
}

/// The addresses that a ban covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BanTarget<'a> {
    /// All addresses of a network; a single address is a network of one.
    Network(IpNet),
    /// The address of the user with this name.
    User(&'a str),
}

/// When the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopCommand {
    /// Now.
    Now,
    /// Later. The server announces the stop to all users.
    In {
        /// The time until the stop, in milliseconds.
        ms: u64,
    },
    /// The announced stop is cancelled.
    Cancel,
}

/// Why a line is not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandFault {
    /// The first word is not the name of a command.
    Unknown,
    /// An argument is missing, or there is one too many. Holds the usage of the command.
    Usage(&'static str),
    /// The duration of a ban is not in the allowed range.
    Duration,
    /// The time before a stop is not in the allowed range.
    Minutes,
    /// The text is neither an address nor a network.
    Network,
}

/// The commands, as `help` shows them.
pub(super) const HELP: [&str; 17] = [
    "users [PREFIX]: the users, and what each cost in the last 10 s; who cost most comes first",
    "rooms [PREFIX]: the rooms, and the number of users in each",
    "stats: the metrics; metrics: the same for Prometheus",
    SAY,
    KICK,
    BAN,
    "    TIME is 90s, 30m, 12h, 7d or never; a name means the address of that user",
    UNBAN,
    "bans: the bans, with end and reason",
    ACCOUNT,
    "reload: load the renewed certificate for new connections; nobody is disconnected",
    WATCH,
    TEACH,
    STOP,
    "json COMMAND: the answer to COMMAND in one line of JSON",
    "help: this list",
    "a command ends with its line; the server ignores a command that is cut short",
];
const SAY: &str = "say TEXT: send TEXT to everybody";
const KICK: &str = "kick NAME [REASON]: end that user's session";
const BAN: &str =
    "ban ADDRESS|NETWORK|NAME [TIME] [REASON]: end the sessions from there, reject new ones";
const UNBAN: &str = "unban ADDRESS|NETWORK: end the ban of exactly that address or network";
const STOP: &str = "stop [MINUTES|off]: stop now, announce a stop, or cancel the announced stop";

impl OperatorCommand<'_> {
    /// Parses a line without its ending.
    ///
    /// # Errors
    /// The first fault in the line.
    pub fn parse(line: &str) -> Result<OperatorCommand<'_>, CommandFault> {
        let (word, rest) = split_word(line);
        let without_arguments = |command, usage| match rest {
            "" => Ok(command),
            _ => Err(CommandFault::Usage(usage)),
        };
        match word {
            "help" | "?" => without_arguments(OperatorCommand::Help, "help"),
            "users" => Ok(OperatorCommand::Users { prefix: rest }),
            "rooms" => Ok(OperatorCommand::Rooms { prefix: rest }),
            "stats" => without_arguments(OperatorCommand::Stats, "stats"),
            "metrics" => without_arguments(OperatorCommand::Metrics, "metrics"),
            "say" if rest.is_empty() => Err(CommandFault::Usage(SAY)),
            "say" => Ok(OperatorCommand::Say { text: rest }),
            "kick" => parse_kick(rest),
            "ban" => parse_ban(rest),
            "unban" if rest.is_empty() => Err(CommandFault::Usage(UNBAN)),
            "unban" => {
                let network = parse_network(rest).ok_or(CommandFault::Network)?;
                Ok(OperatorCommand::Unban { network })
            }
            "bans" => without_arguments(OperatorCommand::Bans, "bans"),
            // The blanks of a password count, and `rest` has lost those at its end.
            "account" => {
                let command = parse_account(&line.trim_start()[word.len()..]);
                command.map(OperatorCommand::Account).ok_or(CommandFault::Usage(ACCOUNT))
            }
            "reload" => without_arguments(OperatorCommand::Reload, "reload"),
            "watch" => {
                parse_watch(rest).map(OperatorCommand::Watch).ok_or(CommandFault::Usage(WATCH))
            }
            "pause" | "step" | "slow" | "go" => {
                let command = parse_teach(word, rest).map(OperatorCommand::Teach);
                command.ok_or(CommandFault::Usage(TEACH))
            }
            "stop" => parse_stop(rest).map(OperatorCommand::Stop),
            _ => Err(CommandFault::Unknown),
        }
    }
}

fn parse_kick(rest: &str) -> Result<OperatorCommand<'_>, CommandFault> {
    match split_word(rest) {
        ("", _) => Err(CommandFault::Usage(KICK)),
        (name, reason) => Ok(OperatorCommand::Kick { name, reason }),
    }
}

/// Reads the target of a ban as an address if that is possible. No username can look like an
/// address: it has no colon, and it has a letter (3.2.1).
fn parse_ban(rest: &str) -> Result<OperatorCommand<'_>, CommandFault> {
    let (word, rest) = split_word(rest);
    let target = match parse_network(word) {
        Some(network) => BanTarget::Network(network),
        None if word.is_empty() => return Err(CommandFault::Usage(BAN)),
        // No username contains these characters, so the operator mistyped a network.
        None if word.contains(['/', ':']) => return Err(CommandFault::Network),
        None => BanTarget::User(word),
    };
    let (first, after) = split_word(rest);
    let (seconds, reason) = match parse_duration(first)? {
        Duration::None => (None, rest),
        Duration::Never => (None, after),
        Duration::Seconds(seconds) => (Some(seconds), after),
    };
    Ok(OperatorCommand::Ban { target, seconds, reason })
}

fn parse_stop(rest: &str) -> Result<StopCommand, CommandFault> {
    if rest.contains(' ') {
        return Err(CommandFault::Usage(STOP));
    }
    match rest {
        "" => Ok(StopCommand::Now),
        "off" => Ok(StopCommand::Cancel),
        minutes => match minutes.parse::<f64>() {
            Ok(minutes) if (0.0..=STOP_MINUTES_MAX as f64).contains(&minutes) => {
                // An announcement of no time would announce nothing.
                Ok(match (minutes * 60_000.0).round() as u64 {
                    0 => StopCommand::Now,
                    ms => StopCommand::In { ms },
                })
            }
            Ok(_) | Err(_) => Err(CommandFault::Minutes),
        },
    }
}

/// How a word after the target of a ban reads as a duration.
enum Duration {
    /// The word is not a duration.
    None,
    /// The ban does not end.
    Never,
    /// The ban ends after this many seconds.
    Seconds(u64),
}

/// Reads `word` as a duration. The duration is optional, so a word that does not look like one is
/// the first word of the reason, as in `ban anna 7 days of spam`.
fn parse_duration(word: &str) -> Result<Duration, CommandFault> {
    if word == "never" {
        return Ok(Duration::Never);
    }
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, unit) = word.split_at(digits);
    let unit_s = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Ok(Duration::None),
    };
    if digits.is_empty() {
        return Ok(Duration::None);
    }
    let seconds = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit_s));
    match seconds {
        Some(seconds @ 1..=BAN_SECONDS_MAX) => Ok(Duration::Seconds(seconds)),
        Some(_) | None => Err(CommandFault::Duration),
    }
}

/// Reads `text` as a network, without its host bits. An address is a network of one address.
///
/// An IPv4-mapped IPv6 network (RFC 4291, 2.5.5.2) becomes an IPv4 network. The server converts the
/// addresses of new connections in the same way, so that a ban cannot be evaded by the notation.
#[must_use]
pub fn parse_network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    let mapped = match network {
        IpNet::V6(v6) => v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    let network = mapped
        .and_then(|(address, prefix_len)| Ipv4Net::new(address, prefix_len).ok())
        .map_or(network, IpNet::V4);
    Some(network.trunc())
}

/// Splits `text` into its first word and the rest, both without surrounding blanks.
pub(super) fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

impl fmt::Display for CommandFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandFault::Unknown => write!(f, "Unknown command; help lists them"),
            CommandFault::Usage(usage) => write!(f, "The command is {usage}"),
            CommandFault::Duration => {
                let days = BAN_SECONDS_MAX / 86_400;
                write!(f, "A ban lasts from 1s to {days}d, or never ends")
            }
            CommandFault::Minutes => {
                write!(f, "A stop is announced at most {STOP_MINUTES_MAX} minutes before")
            }
            CommandFault::Network => {
                write!(f, "A network is an address such as 192.0.2.7, or 192.0.2.0/24")
            }
        }?;
        write!(f, "; nothing was done")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (8.2.3, 8.2.4, 8.2.5)
    #[test]
    fn a_ban_has_a_target_and_optionally_a_duration_and_a_reason() {
        let ban = |line| match OperatorCommand::parse(line) {
            Ok(OperatorCommand::Ban { target, seconds, reason }) => (target, seconds, reason),
            other => panic!("{line}: {other:?}"),
        };
        let network = |text| BanTarget::Network(parse_network(text).unwrap());
        assert_eq!(ban("ban anna"), (BanTarget::User("anna"), None, ""));
        assert_eq!(
            ban("ban  anna 30m  two words "),
            (BanTarget::User("anna"), Some(1800), "two words")
        );
        assert_eq!(ban("ban 192.0.2.7 7d"), (network("192.0.2.7/32"), Some(604_800), ""));
        assert_eq!(ban("ban 192.0.2.7/24 never x"), (network("192.0.2.0/24"), None, "x"));
        assert_eq!(ban("ban ::ffff:192.0.2.7 spam"), (network("192.0.2.7"), None, "spam"));
        assert_eq!(ban("ban 2001:db8::/32 12h"), (network("2001:db8::/32"), Some(43_200), ""));
        assert_eq!(ban("ban anna 7 days"), (BanTarget::User("anna"), None, "7 days"));
        for (line, fault) in [
            ("ban", CommandFault::Usage(BAN)),
            ("ban 192.0.2.0/33", CommandFault::Network),
            ("ban 2001:db8:::1", CommandFault::Network),
            ("ban anna 0s", CommandFault::Duration),
            ("ban anna 99999999999999999999d", CommandFault::Duration),
            ("ban anna 36500d", CommandFault::Duration),
            ("unban anna", CommandFault::Network),
            ("unban", CommandFault::Usage(UNBAN)),
        ] {
            assert_eq!(OperatorCommand::parse(line), Err(fault), "{line}");
        }
    }

    /// (8.1.4, 8.2.6, 8.2.7)
    #[test]
    fn a_command_is_understood_as_a_whole_or_refused() {
        assert_eq!(OperatorCommand::parse(" users "), Ok(OperatorCommand::Users { prefix: "" }));
        assert_eq!(OperatorCommand::parse("say  a  b"), Ok(OperatorCommand::Say { text: "a  b" }));
        assert_eq!(
            OperatorCommand::parse("kick anna"),
            Ok(OperatorCommand::Kick { name: "anna", reason: "" })
        );
        assert_eq!(OperatorCommand::parse("stop"), Ok(OperatorCommand::Stop(StopCommand::Now)));
        for line in ["stop 0", "stop 0.0", "stop 0.000001"] {
            assert_eq!(OperatorCommand::parse(line), Ok(OperatorCommand::Stop(StopCommand::Now)));
        }
        assert_eq!(
            OperatorCommand::parse("stop 5"),
            Ok(OperatorCommand::Stop(StopCommand::In { ms: 300_000 }))
        );
        assert_eq!(
            OperatorCommand::parse("stop 0.01"),
            Ok(OperatorCommand::Stop(StopCommand::In { ms: 600 }))
        );
        assert_eq!(
            OperatorCommand::parse("stop off"),
            Ok(OperatorCommand::Stop(StopCommand::Cancel))
        );
        for line in
            ["stop 1441", "stop -1", "stop soon", "stop NaN", "stop 1e300", "stop 9999999999"]
        {
            assert_eq!(OperatorCommand::parse(line), Err(CommandFault::Minutes), "{line}");
        }
        assert_eq!(OperatorCommand::parse("stop 5 minutes"), Err(CommandFault::Usage(STOP)));
        for line in ["", "  ", "Stop", "frob", "stop5", "useŕs"] {
            assert_eq!(OperatorCommand::parse(line), Err(CommandFault::Unknown), "{line}");
        }
        for line in ["kick", "say", "stats now", "bans x", "metrics x", "help x", "reload x"] {
            assert!(matches!(OperatorCommand::parse(line), Err(CommandFault::Usage(_))), "{line}");
        }
    }
}
