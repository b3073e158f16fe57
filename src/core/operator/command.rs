//! A line to an order (7.4 to 7.9): what an operator may say, and what is wrong with the rest.
//!
//! An order is understood whole or refused whole; whether it can be obeyed is not known here.

use core::net::IpAddr;
use std::fmt;

use ipnet::{IpNet, Ipv4Net};

use crate::core::limits::{BAN_SECONDS_MAX, STOP_MINUTES_MAX};

/// Something that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorCommand<'a> {
    /// List the orders.
    Help,
    /// List the users whose names begin so.
    Users {
        /// How the names begin.
        prefix: &'a str,
    },
    /// List the rooms whose names begin so.
    Rooms {
        /// How the names begin.
        prefix: &'a str,
    },
    /// Say the metrics.
    Stats,
    /// Say them as Prometheus reads them.
    Metrics,
    /// Say something to everybody.
    Say {
        /// What.
        text: &'a str,
    },
    /// Remove a user.
    Kick {
        /// BanTarget.
        name: &'a str,
        /// Why; may be empty.
        reason: &'a str,
    },
    /// Let nobody in from there.
    Ban {
        /// From where.
        whom: BanTarget<'a>,
        /// For how long; for ever, if it is not said.
        seconds: Option<u64>,
        /// Why; may be empty.
        reason: &'a str,
    },
    /// Let those in from there again.
    Unban {
        /// From where.
        network: IpNet,
    },
    /// List the bans.
    Bans,
    /// Stop the server, or do not.
    Stop(StopCommand),
}

/// BanTarget a ban is to hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BanTarget<'a> {
    /// Everybody there.
    Network(IpNet),
    /// Where the user of that name comes from.
    User(&'a str),
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopCommand {
    /// Now.
    AtOnce,
    /// After so many milliseconds.
    In {
        /// How many.
        ms: u64,
    },
    /// Not, after all.
    Off,
}

/// Why a line is no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandFault {
    /// It begins with none of the words.
    Unknown,
    /// It lacks something, or has too much; this is how it would be right.
    Form(&'static str),
    /// That is no length of time for a ban.
    Duration,
    /// That is no length of time before a stop.
    Minutes,
    /// That is no address and no network.
    Network,
}

/// The orders, as `help` shows them.
pub(super) const HELP: [&str; 13] = [
    "users [PREFIX]: who is here, doing what, from where, since when",
    "rooms [PREFIX]: the rooms, and how many are in each",
    "stats: the metrics; metrics: the same for Prometheus",
    SAY,
    KICK,
    BAN,
    "    TIME is 90s, 30m, 12h, 7d or never; a name means the address of that user",
    UNBAN,
    "bans: who is banned, until when and why",
    STOP,
    "json ORDER: the answer to ORDER in one line of JSON",
    "help: this list",
    "an order ends with its line; what is cut short is not obeyed",
];
const SAY: &str = "say TEXT: everybody reads TEXT";
const KICK: &str = "kick NAME [REASON]: end that user's session";
const BAN: &str =
    "ban ADDRESS|NETWORK|NAME [TIME] [REASON]: end the sessions from there, let nobody in";
const UNBAN: &str = "unban ADDRESS|NETWORK: let them in again";
const STOP: &str = "stop [MINUTES|off]: stop now, or announce it and stop then, or do not";

impl OperatorCommand<'_> {
    /// The order that `line` is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<OperatorCommand<'_>, CommandFault> {
        let (word, rest) = split_word(line);
        let alone = |order, usage| match rest {
            "" => Ok(order),
            _ => Err(CommandFault::Form(usage)),
        };
        match word {
            "help" | "?" => alone(OperatorCommand::Help, "help"),
            "users" => Ok(OperatorCommand::Users { prefix: rest }),
            "rooms" => Ok(OperatorCommand::Rooms { prefix: rest }),
            "stats" => alone(OperatorCommand::Stats, "stats"),
            "metrics" => alone(OperatorCommand::Metrics, "metrics"),
            "say" if rest.is_empty() => Err(CommandFault::Form(SAY)),
            "say" => Ok(OperatorCommand::Say { text: rest }),
            "kick" => parse_kick(rest),
            "ban" => parse_ban(rest),
            "unban" if rest.is_empty() => Err(CommandFault::Form(UNBAN)),
            "unban" => {
                let network = parse_network(rest).ok_or(CommandFault::Network)?;
                Ok(OperatorCommand::Unban { network })
            }
            "bans" => alone(OperatorCommand::Bans, "bans"),
            "stop" => parse_stop(rest).map(OperatorCommand::Stop),
            _ => Err(CommandFault::Unknown),
        }
    }
}

fn parse_kick(rest: &str) -> Result<OperatorCommand<'_>, CommandFault> {
    match split_word(rest) {
        ("", _) => Err(CommandFault::Form(KICK)),
        (name, reason) => Ok(OperatorCommand::Kick { name, reason }),
    }
}

/// What can be read as an address is one, though a user may be called so: an operator who types an
/// address means it.
fn parse_ban(rest: &str) -> Result<OperatorCommand<'_>, CommandFault> {
    let (whom, rest) = split_word(rest);
    let whom = match parse_network(whom) {
        Some(network) => BanTarget::Network(network),
        None if whom.is_empty() => return Err(CommandFault::Form(BAN)),
        // No name has one of these in it, so it was meant to be a network.
        None if whom.contains(['/', ':']) => return Err(CommandFault::Network),
        None => BanTarget::User(whom),
    };
    let (first, after) = split_word(rest);
    let (seconds, reason) = match parse_duration(first)? {
        Duration::None => (None, rest),
        Duration::Never => (None, after),
        Duration::Seconds(seconds) => (Some(seconds), after),
    };
    Ok(OperatorCommand::Ban { whom, seconds, reason })
}

fn parse_stop(rest: &str) -> Result<StopCommand, CommandFault> {
    if rest.contains(' ') {
        return Err(CommandFault::Form(STOP));
    }
    match rest {
        "" => Ok(StopCommand::AtOnce),
        "off" => Ok(StopCommand::Off),
        minutes => match minutes.parse::<f64>() {
            Ok(minutes) if (0.0..=STOP_MINUTES_MAX as f64).contains(&minutes) => {
                Ok(StopCommand::In { ms: (minutes * 60_000.0).round() as u64 })
            }
            Ok(_) | Err(_) => Err(CommandFault::Minutes),
        },
    }
}

enum Duration {
    None,
    Never,
    Seconds(u64),
}

/// The length of time that `word` is. What is none, and does not look like one, is the first word
/// of a reason.
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

/// The network that `text` is, its host bits taken away; an address is a network of one. IPv4
/// written as IPv6 is IPv4, as it is when it arrives.
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

/// The first word and what follows it, without the blanks around.
fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(' ').map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

impl fmt::Display for CommandFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandFault::Unknown => write!(f, "That is no order, and help lists them"),
            CommandFault::Form(usage) => write!(f, "The order is {usage}"),
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

    /// (7.8)
    #[test]
    fn a_ban_is_of_a_network_or_a_user_for_a_time_and_a_reason() {
        let ban = |line| match OperatorCommand::parse(line) {
            Ok(OperatorCommand::Ban { whom, seconds, reason }) => (whom, seconds, reason),
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
            ("ban", CommandFault::Form(BAN)),
            ("ban 192.0.2.0/33", CommandFault::Network),
            ("ban 2001:db8:::1", CommandFault::Network),
            ("ban anna 0s", CommandFault::Duration),
            ("ban anna 99999999999999999999d", CommandFault::Duration),
            ("ban anna 36500d", CommandFault::Duration),
            ("unban anna", CommandFault::Network),
            ("unban", CommandFault::Form(UNBAN)),
        ] {
            assert_eq!(OperatorCommand::parse(line), Err(fault), "{line}");
        }
    }

    /// (7.4, 7.9)
    #[test]
    fn an_order_is_understood_whole_or_not_at_all() {
        assert_eq!(OperatorCommand::parse(" users "), Ok(OperatorCommand::Users { prefix: "" }));
        assert_eq!(OperatorCommand::parse("say  a  b"), Ok(OperatorCommand::Say { text: "a  b" }));
        assert_eq!(
            OperatorCommand::parse("kick anna"),
            Ok(OperatorCommand::Kick { name: "anna", reason: "" })
        );
        assert_eq!(OperatorCommand::parse("stop"), Ok(OperatorCommand::Stop(StopCommand::AtOnce)));
        assert_eq!(
            OperatorCommand::parse("stop 5"),
            Ok(OperatorCommand::Stop(StopCommand::In { ms: 300_000 }))
        );
        assert_eq!(
            OperatorCommand::parse("stop 0.01"),
            Ok(OperatorCommand::Stop(StopCommand::In { ms: 600 }))
        );
        assert_eq!(OperatorCommand::parse("stop off"), Ok(OperatorCommand::Stop(StopCommand::Off)));
        for line in
            ["stop 1441", "stop -1", "stop soon", "stop NaN", "stop 1e300", "stop 9999999999"]
        {
            assert_eq!(OperatorCommand::parse(line), Err(CommandFault::Minutes), "{line}");
        }
        assert_eq!(OperatorCommand::parse("stop 5 minutes"), Err(CommandFault::Form(STOP)));
        for line in ["", "  ", "Stop", "frob", "stop5", "useŕs"] {
            assert_eq!(OperatorCommand::parse(line), Err(CommandFault::Unknown), "{line}");
        }
        for line in ["kick", "say", "stats now", "bans x", "metrics x", "help x"] {
            assert!(matches!(OperatorCommand::parse(line), Err(CommandFault::Form(_))), "{line}");
        }
    }
}
