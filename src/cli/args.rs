//! The command line: the one definition that help, errors, completions and the manual come from.

use std::ffi::OsString;
use std::net::{Ipv4Addr, ToSocketAddrs};
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Parser, Subcommand};
use clap_complete::Shell;
use ipnet::IpNet;
use log::LevelFilter;

use crate::attack::{self, AttackArgs};
use crate::check::{self, CheckArgs};
use crate::cli::accounts::AccountsArg;
use crate::cli::cert::{self, CertArgs};
use crate::cli::ctl::{self, CtlArgs};
use crate::cli::teach::TeachArgs;
use crate::cli::tls::TlsArgs;
use crate::cli::units::{Milliseconds, bytes, recorded_bytes, seconds, seconds_or_none};
use crate::cli::web::{WebArgs, network};
use crate::client::options::ConnectArgs;
use crate::core::limits::{Limits, PORT, WEB_PORT};
use crate::core::transport::Scheme;
use crate::crowd::{self, CrowdArgs};
use crate::demo::{self, DemoArgs};
use crate::server::ListenAddress;
use crate::watch::{self, ReplayArgs, WatchArgs};

const USAGE: &str = "chinwag [COMMAND]\n       chinwag [OPTIONS OF SERVE]";

const EXAMPLES: &str = "\
Examples:
  chinwag                                      serve this machine: browsers on
                                               http://127.0.0.1:7880, nc and
                                               telnet on 127.0.0.1:7878
  chinwag serve --listen 0.0.0.0:7878 --listen '[::]:7878'
                                               serve everybody, by IPv4 and IPv6
  chinwag serve --listen http://0.0.0.0:7880   serve the browsers of your network
  chinwag connect                              join it, with a line editor
  nc 127.0.0.1 7878                            join it; telnet does as well
  printf 'anna\\n1\\n3\\n' | nc -N localhost 7878  a script that asks who is here";

/// A chat server on one thread, that anyone can join with nc or telnet
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES, override_usage = USAGE)]
pub struct Cli {
    /// What to do; flags alone are those of `serve`, which is also what happens without any
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line, in which `serve` need not be said.
    ///
    /// # Errors
    /// What clap finds wrong with it, or that help or the version is asked for.
    pub fn parse_from_args(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
        let mut args = args.into_iter().collect::<Vec<_>>();
        let is_flag = |arg: &OsString| arg.as_encoded_bytes().starts_with(b"-");
        let is_about_all = ["-h", "--help", "-V", "--version"];
        let serves = args
            .get(1)
            .is_none_or(|first| is_flag(first) && !is_about_all.iter().any(|known| first == known));
        if serves {
            args.insert(args.len().min(1), "serve".into());
        }
        Cli::try_parse_from(args)
    }
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a chat (the default)
    #[command(after_help = EXAMPLES)]
    Serve(Box<ServeArgs>),

    /// Join a chat from this terminal, or from a pipe
    Connect(ConnectArgs),

    /// Send an operator command to a running server
    #[command(after_help = ctl::EXAMPLES)]
    Ctl(CtlArgs),

    /// Watch the loop of a running server, full-screen
    #[command(after_help = watch::EXAMPLES)]
    Watch(WatchArgs),

    /// Walk a recording forwards and backwards; in a pipe, print it as text
    Replay(ReplayArgs),

    /// Make a certificate that vouches for itself, for addresses with tls:// and https://
    #[command(after_help = cert::EXAMPLES)]
    Cert(CertArgs),
    /// Grade a chat server in any language against protocol.md
    #[command(after_help = check::EXAMPLES)]
    Check(CheckArgs),

    /// Bring simulated people to a server, and measure what they wait for
    #[command(after_help = crowd::EXAMPLES)]
    Crowd(CrowdArgs),

    /// Attack a server on this machine, and show what protects it
    #[command(after_help = attack::help())]
    Attack(AttackArgs),

    /// Show a server, a crowd, attacks and the view in one terminal
    #[command(after_help = demo::EXAMPLES)]
    Demo(DemoArgs),

    /// Print shell completions for this program
    Completions {
        /// The shell
        shell: Shell,
    },

    /// Print the manual page, for man -l
    Man,

    /// The helper process of a server, which starts it
    #[command(hide = true)]
    AccountHelper {
        /// The folder of the accounts
        folder: PathBuf,
    },
}

/// The flags of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on, [SCHEME://]HOST:PORT. The scheme is tcp, for nc and telnet; http, for
    /// browsers; tls and https, for the same in private, with --tls-cert. Repeat the flag for several
    /// addresses. Port 0 takes a free port and prints it
    /// [default: 127.0.0.1:7878 and http://127.0.0.1:7880]
    #[arg(long, value_name = "ADDR", env = "CHINWAG_LISTEN", value_delimiter = ',', value_parser = addresses)]
    pub listen: Vec<Addresses>,

    /// Network of your proxies or tunnels, such as 10.0.0.0/8 or 127.0.0.1. Connections from there must
    /// begin with a PROXY header (version 1 or 2), which tells the address of the client. Repeat the
    /// flag for several networks
    #[arg(long, value_name = "NETWORK", env = "CHINWAG_PROXY_PROTOCOL", value_delimiter = ',', value_parser = network)]
    pub proxy_protocol: Vec<IpNet>,

    /// Folder for everything that must last: accounts, bans, and the history of rooms. Without it, all
    /// of that ends with the server
    #[arg(long, value_name = "DIR", env = "CHINWAG_STATE")]
    pub state: Option<PathBuf>,

    /// Who has an account: nobody, whoever registers a name, or everybody, by ctl account
    #[arg(
        long,
        value_enum,
        value_name = "WHO",
        env = "CHINWAG_ACCOUNTS",
        default_value = "optional"
    )]
    pub accounts: AccountsArg,

    /// Take passwords over connections that others may read
    #[arg(long, env = "CHINWAG_ALLOW_PLAIN_PASSWORDS", value_parser = FalseyValueParser::new())]
    pub allow_plain_passwords: bool,

    /// Log more; given twice, log everything
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,

    /// Log warnings only; given twice, log nothing
    #[arg(short, long, action = ArgAction::Count)]
    pub quiet: u8,

    /// Flags for operators
    #[command(flatten)]
    pub operators: OperatorArgs,

    /// Flags for the web page
    #[command(flatten)]
    pub web: WebArgs,

    /// Flags for TLS
    #[command(flatten)]
    pub tls: TlsArgs,

    /// Flags for teaching
    #[command(flatten)]
    pub teach: TeachArgs,

    /// Limits
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// The flags that are about operators.
#[derive(Debug, Args)]
#[command(next_help_heading = "Operators")]
pub struct OperatorArgs {
    /// Unix socket for operator commands (chinwag ctl, nc -U); only this user can open it
    #[arg(long, value_name = "PATH", env = "CHINWAG_CONSOLE")]
    pub console: Option<PathBuf>,
}

/// The flags that set a limit. `protocol.md` says what happens at each limit.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Seconds for a new connection to choose a username
    #[arg(long, value_name = "SECONDS", env = "CHINWAG_NAMING_TIMEOUT", default_value = "60", value_parser = seconds)]
    pub naming_timeout: Milliseconds,

    /// Seconds for an answer to a request to chat
    #[arg(long, value_name = "SECONDS", env = "CHINWAG_ASK_TIMEOUT", default_value = "60", value_parser = seconds)]
    pub ask_timeout: Milliseconds,

    /// Seconds before a user may ask the same user again; 0 means no wait
    #[arg(long, value_name = "SECONDS", env = "CHINWAG_ASK_AGAIN", default_value = "10", value_parser = seconds_or_none)]
    pub ask_again: Milliseconds,

    /// Seconds that a client may read nothing while output waits
    #[arg(long, value_name = "SECONDS", env = "CHINWAG_STALL_TIMEOUT", default_value = "30", value_parser = seconds)]
    pub stall_timeout: Milliseconds,

    /// Seconds for a connection to close
    #[arg(long, value_name = "SECONDS", env = "CHINWAG_CLOSING_TIMEOUT", default_value = "5", value_parser = seconds)]
    pub closing_timeout: Milliseconds,

    /// Bytes that may wait for a user before the partner's input is held (k for KiB, m for MiB)
    #[arg(long, value_name = "BYTES", env = "CHINWAG_HIGH_WATER", default_value = "64k", value_parser = bytes)]
    pub high_water: usize,

    /// Connections at a time [default: what the limit on file descriptors leaves]
    #[arg(long, value_name = "COUNT", env = "CHINWAG_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: Option<u32>,

    /// Connections at a time from one address other than loopback
    #[arg(long, value_name = "COUNT", env = "CHINWAG_MAX_PER_ADDRESS", default_value = "1024",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_per_address: u32,

    /// Connections at a time before their session begins, such as in a handshake
    #[arg(long, value_name = "COUNT", env = "CHINWAG_MAX_OPENING", default_value = "1000",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_opening: u32,

    /// TLS handshakes at a time from one address other than loopback
    #[arg(long, value_name = "COUNT", env = "CHINWAG_MAX_HANDSHAKES", default_value = "100",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub max_handshakes: u32,

    /// Requests, room lines and logins of one address, in allowances of one session; 0 means no limit
    #[arg(long, value_name = "COUNT", env = "CHINWAG_ADDRESS_SHARE", default_value = "64",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub address_share: u32,

    /// Rooms at a time
    #[arg(long, value_name = "COUNT", env = "CHINWAG_MAX_ROOMS", default_value = "1000", value_parser = clap::value_parser!(u16).range(1..=32_766))]
    pub max_rooms: u16,

    /// Rooms at a time that one address has created
    #[arg(long, value_name = "COUNT", env = "CHINWAG_MAX_ROOMS_PER_ADDRESS", default_value = "64",
          value_parser = clap::value_parser!(u16).range(1..=32_766))]
    pub max_rooms_per_address: u16,

    /// Members of a room
    #[arg(long, value_name = "COUNT", env = "CHINWAG_MAX_MEMBERS", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_members: u32,

    /// Lines per second that a member may send to a room, after the first 10; above 1000 means no limit
    #[arg(long, value_name = "COUNT", env = "CHINWAG_ROOM_PACE", default_value = "5", value_parser = clap::value_parser!(u32).range(1..))]
    pub room_pace: u32,

    /// Seconds to keep the history of an empty room; 0 keeps none
    #[arg(long, value_name = "SECONDS", env = "CHINWAG_ROOM_PAST", default_value = "86400", value_parser = seconds_or_none)]
    pub room_past: Milliseconds,

    /// Seconds that an operator may hold the loop with pause (--teach)
    #[arg(long, value_name = "SECONDS", env = "CHINWAG_MAX_PAUSE", default_value = "600", value_parser = seconds)]
    pub max_pause: Milliseconds,

    /// Bytes of a recording (--record), at most 256m
    #[arg(long, value_name = "BYTES", env = "CHINWAG_MAX_RECORD", default_value = "64m", value_parser = recorded_bytes)]
    pub max_record: usize,

    /// Log lines of one kind per second, such as "connected"; the others are counted. 0 means no limit
    #[arg(long, value_name = "COUNT", env = "CHINWAG_LOG_PACE", default_value = "100")]
    pub log_pace: u32,
}

/// The addresses that one `--listen` stands for: a host name can have several.
pub type Addresses = std::sync::Arc<[ListenAddress]>;

impl ServeArgs {
    /// The addresses to listen on, in the order given, or those that nobody need give.
    #[must_use]
    pub fn addresses(&self) -> Vec<ListenAddress> {
        if self.listen.is_empty() {
            let loopback = |scheme, port, is_optional| ListenAddress {
                scheme,
                address: (Ipv4Addr::LOCALHOST, port).into(),
                is_optional,
            };
            let web = loopback(Scheme::Http, WEB_PORT, true);
            return vec![loopback(Scheme::Tcp, PORT, false), web];
        }
        self.listen.iter().flat_map(|addresses| addresses.iter().copied()).collect()
    }

    /// The log level that `-v` and `-q` ask for.
    #[must_use]
    pub fn log_level(&self) -> LevelFilter {
        match (self.quiet, self.verbose) {
            (0, 0) => LevelFilter::Info,
            (0, 1) => LevelFilter::Debug,
            (0, _) => LevelFilter::Trace,
            (1, _) => LevelFilter::Warn,
            _ => LevelFilter::Off,
        }
    }

    /// The limits. `connections_possible` caps the number of connections.
    #[must_use]
    pub fn limits(&self, connections_possible: usize) -> Limits {
        let flags = &self.limits;
        let wanted = flags.max_connections.map_or(usize::MAX, |count| count as usize);
        Limits {
            naming_ms: flags.naming_timeout.0,
            ask_ms: flags.ask_timeout.0,
            ask_again_ms: flags.ask_again.0,
            high_water_bytes: flags.high_water,
            stall_ms: flags.stall_timeout.0,
            closing_ms: flags.closing_timeout.0,
            connections_max: wanted.min(connections_possible),
            per_address_max: flags.max_per_address as usize,
            opening_max: flags.max_opening as usize,
            handshakes_per_address_max: flags.max_handshakes as usize,
            rooms_max: flags.max_rooms.into(),
            rooms_per_address_max: flags.max_rooms_per_address.into(),
            members_max: flags.max_members as usize,
            room_line_ms: 1000 / u64::from(flags.room_pace),
            room_history_ms: flags.room_past.0,
            address_share: flags.address_share,
            accounts: self.accounts.into(),
            allow_plain_passwords: self.allow_plain_passwords,
            ..Limits::default()
        }
    }
}

fn addresses(text: &str) -> Result<Addresses, String> {
    let wanted = || "an address is HOST:PORT, such as 127.0.0.1:7878 or [::1]:7878".to_owned();
    let (scheme, address) = Scheme::split(text).map_err(|unknown| unknown.to_string())?;
    let found = address.to_socket_addrs().map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidInput => wanted(),
        _ => e.to_string(),
    })?;
    let found = found.map(|address| ListenAddress { scheme, address, is_optional: false });
    let found = found.collect::<Addresses>();
    if found.is_empty() { Err(wanted()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn serve(args: &[&str]) -> Result<ServeArgs, clap::Error> {
        let args = ["chinwag", "serve"].iter().chain(args);
        match Cli::try_parse_from(args)?.command {
            Command::Serve(serve) => Ok(*serve),
            _ => panic!("serve was said"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_flags_the_bounds_are_the_documented_ones() {
        let limits = serve(&[]).unwrap().limits(usize::MAX);
        assert_eq!(limits, Limits::default());
    }

    #[test]
    fn serve_need_not_be_said() {
        let read = |args: &[&str]| {
            let args = ["chinwag"].iter().chain(args).map(OsString::from);
            Cli::parse_from_args(args).map(|cli| cli.command)
        };
        assert!(matches!(read(&[]), Ok(Command::Serve(_))));
        assert!(matches!(read(&["-q", "--listen", "[::1]:0"]), Ok(Command::Serve(_))));
        assert!(matches!(read(&["connect"]), Ok(Command::Connect(_))));
        assert_eq!(read(&["--help"]).unwrap_err().kind(), clap::error::ErrorKind::DisplayHelp);
        assert!(read(&["--frob"]).unwrap_err().to_string().contains("--frob"));
    }

    #[test]
    fn networks_of_proxies_are_addresses_or_networks() {
        let args = serve(&["--proxy-protocol", "10.1.2.3/8,::1"]).unwrap();
        let networks = args.proxy_protocol.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(networks, ["10.0.0.0/8", "::1/128"]);
        for wrong in ["here", "10.0.0.0/33", ""] {
            let error = serve(&["--proxy-protocol", wrong]).unwrap_err().to_string();
            assert!(error.contains("a network is ADDRESS or ADDRESS/BITS"), "{error}");
        }
    }

    #[test]
    fn listen_can_be_repeated() {
        let args = serve(&["--listen", "127.0.0.1:0", "--listen", "[::1]:7"]).unwrap();
        assert_eq!(
            args.addresses().iter().map(|listen| listen.address.to_string()).collect::<Vec<_>>(),
            ["127.0.0.1:0", "[::1]:7"]
        );
    }

    #[test]
    fn hostile_numbers_are_refused() {
        for (flag, value) in [
            ("--ask-timeout", "NaN"),
            ("--ask-timeout", "-1"),
            ("--ask-timeout", "1e300"),
            ("--high-water", "99999999999999999999m"),
            ("--high-water", "m"),
            ("--high-water", "0"),
            ("--max-connections", "0"),
            ("--listen", "nonsense"),
            ("--listen", "127.0.0.1:70000"),
        ] {
            assert!(serve(&[flag, value]).is_err(), "{flag} {value}");
        }
        assert_eq!(serve(&["--high-water", "2M"]).unwrap().limits.high_water, 2 * 1024 * 1024);
        assert_eq!(serve(&["--ask-timeout", "0.5"]).unwrap().limits.ask_timeout, Milliseconds(500));
    }

    /// (7.15, 7.21)
    #[test]
    fn zero_means_none_where_none_makes_sense() {
        for flag in ["--ask-again", "--room-past"] {
            let limits = serve(&[flag, "0"]).unwrap().limits(usize::MAX);
            assert_eq!(limits.ask_again_ms.min(limits.room_history_ms), 0, "{flag}");
            let error = serve(&[flag, "90000"]).unwrap_err().to_string();
            assert!(error.contains("from 0.001 to 86400 seconds, or 0 for none"), "{error}");
        }
        for flag in ["--naming-timeout", "--ask-timeout", "--stall-timeout", "--closing-timeout"] {
            let error = serve(&[flag, "0"]).unwrap_err().to_string();
            assert!(error.contains("from 0.001 to 86400 seconds\n"), "{error}");
        }
    }
}
