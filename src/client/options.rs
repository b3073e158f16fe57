//! The options of `chinwag connect`: arguments and environment variables, parsed by clap.
//!
//! `cli::args` embeds [`ConnectArgs`] as a subcommand. The doc comments of the fields are the help
//! text, so they follow the style of `--help` and end without a full stop.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::ui::color::Palette;
use crate::core::limits::{PORT, TLS_PORT};
use crate::core::transport::Scheme;

/// Printed below the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  chinwag connect                           the server on this machine
  chinwag connect chat.example.org --name anna --notify osc9,title
  chinwag connect 192.0.2.7 7000            host and port, as in nc
  chinwag connect tls://chat.example.org    encrypted, from a verified server
  printf 'anna\\n1\\n3\\n' | chinwag connect  in a pipe: plain text of the server

  In a terminal the keys are those of a shell: arrows, Ctrl-A E U W K L Y R,
  Alt-B F D, arrow-up for earlier lines, Tab for names and commands. /keys lists
  them all. Ctrl-C clears the line; on an empty line it drops waiting lines, or
  asks whether to leave. Ctrl-D on an empty line leaves when your last lines
  have arrived. Ctrl-Z stops the client.
  In a room the prompt is #lobby, and in a chat it says to whom you write.";

/// Arguments of `chinwag connect`. An argument overrides its environment variable.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConnectArgs {
    /// The server: a name or address, and a port unless it is 7878; tls:// before it asks for an
    /// encrypted connection, and the port is 7879 then
    #[arg(value_name = "HOST[:PORT]", default_value = "127.0.0.1:7878", env = "CHINWAG_SERVER")]
    pub server: Server,

    /// The port, as in nc
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// The username to use
    #[arg(long, value_name = "NAME", env = "CHINWAG_NAME")]
    pub name: Option<String>,

    /// The only username to use. The user cannot choose another, stop the client with Ctrl-Z, or make
    /// it write a file: for a client that sshd starts. Overrides --name and --password-file
    #[arg(long, value_name = "NAME", conflicts_with = "log")]
    pub only_name: Option<String>,

    /// With tls://: file with the certificates, in PEM form, that alone are trusted, instead of the
    /// authorities of this system and of the certificates that you confirmed
    #[arg(long, value_name = "FILE", env = "CHINWAG_TLS_CA")]
    pub tls_ca: Option<PathBuf>,

    /// In a pipe: file whose first line is the password of the username
    #[arg(long, value_name = "FILE", env = "CHINWAG_PASSWORD_FILE")]
    pub password_file: Option<PathBuf>,

    /// When to ring the bell
    #[arg(long, value_name = "WHEN", default_value = "chat", env = "CHINWAG_BELL")]
    pub bell: Bell,

    /// How else to tell you while you look elsewhere; repeat it or use commas
    #[arg(long, value_name = "HOW", value_delimiter = ',', env = "CHINWAG_NOTIFY")]
    pub notify: Vec<Notify>,

    /// Whether to use colours; NO_COLOR is honoured
    #[arg(long, value_name = "WHEN", default_value = "auto", env = "CHINWAG_COLOR")]
    pub color: Color,

    /// Whether to show the local time before messages and news, and a line for each new day
    #[arg(long, value_name = "WHETHER", default_value = "on", env = "CHINWAG_TIMESTAMPS")]
    pub timestamps: Timestamps,

    /// Append the conversation to this file, as plain text with dates
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Wrap lines at words and indent the rows that follow, instead of leaving it to the terminal
    #[arg(long, env = "CHINWAG_WRAP", value_parser = FalseyValueParser::new())]
    pub wrap: bool,

    /// Exit when the connection is lost, instead of reconnecting
    #[arg(long, env = "CHINWAG_NO_RECONNECT", value_parser = FalseyValueParser::new())]
    pub no_reconnect: bool,
}

impl ConnectArgs {
    /// The username to use.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.only_name.as_deref().or(self.name.as_deref())
    }

    /// The user must keep the username.
    #[must_use]
    pub fn keeps_name(&self) -> bool {
        self.only_name.is_some()
    }

    /// The server, with the port from wherever it was given.
    ///
    /// # Errors
    /// If two different ports were given, or a certificate for a connection without TLS. The text is
    /// ready to print.
    pub fn server(&self) -> Result<Server, String> {
        let Server { port, is_tls, .. } = self.server;
        if self.tls_ca.is_some() && !is_tls {
            return Err(format!("--tls-ca needs a server such as tls://{}", self.server));
        }
        match self.port {
            Some(other) if port != default_port(is_tls) && port != other => {
                Err(format!("two ports were given: {port} and {other}"))
            }
            Some(other) => Ok(Server { port: other, ..self.server.clone() }),
            None => Ok(self.server.clone()),
        }
    }
}

/// When the client rings the terminal's bell. It rings at most once per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Bell {
    /// Never.
    Off,
    /// On a request to chat, and on a message in a room that names you.
    Request,
    /// The same, and on a message in a chat while you look elsewhere.
    Chat,
    /// The same, and on every message in a room while you look elsewhere.
    All,
}

/// How the client tells the user of a request or a message, besides the bell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Notify {
    /// A desktop notification, for iTerm2, kitty, WezTerm and Windows Terminal.
    Osc9,
    /// A desktop notification, for foot, Ghostty, urxvt and VTE.
    Osc777,
    /// A count in the window's title.
    Title,
}

/// Whether lines begin with the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Timestamps {
    /// The local time, and a line for each new day.
    #[value(aliases = ["1", "yes", "true"])]
    On,
    /// No times, except those of messages in a history.
    #[value(aliases = ["0", "no", "false"])]
    Off,
}

/// When the client uses colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// Unless NO_COLOR is set and not empty.
    Auto,
    /// Even if NO_COLOR is set.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Returns the palette. `no_color` tells whether `NO_COLOR` is set and not empty: the caller
    /// reads the environment, which keeps this function testable.
    #[must_use]
    pub fn palette(self, no_color: bool) -> Palette {
        Palette {
            colours: match self {
                Color::Auto => !no_color,
                Color::Always => true,
                Color::Never => false,
            },
        }
    }
}

/// The server's host and port. A host name may resolve to many addresses; the connection tries
/// them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// A TCP port, never 0.
    pub port: u16,
    /// The connection is encrypted.
    pub is_tls: bool,
}

impl Server {
    /// Host and port, as people write them: an IPv6 address gets brackets.
    #[must_use]
    pub fn host_and_port(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

fn default_port(is_tls: bool) -> u16 {
    if is_tls { TLS_PORT } else { PORT }
}

impl std::str::FromStr for Server {
    /// The reason, ready to print after clap's "invalid value".
    type Err = String;

    fn from_str(text: &str) -> Result<Server, String> {
        let (scheme, text) = Scheme::split(text).map_err(|unknown| unknown.to_string())?;
        if scheme.has_page() {
            return Err(format!("open {}://{text} in a browser", scheme.name()));
        }
        let is_tls = scheme.is_encrypted();
        let text = text.strip_suffix('/').unwrap_or(text);
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None => return Err(format!("{rest:?} behind the brackets is no port")),
            },
            // Two colons without brackets make an IPv6 address. A port needs brackets: the end of
            // `::1:99` could be either (RFC 3986, "IP-literal").
            None if text.matches(':').count() > 1 => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() {
            return Err("a host is missing".to_owned());
        }
        // Port 0 means "any free port" to bind(2) and nothing to connect(2).
        let port = match port {
            None => default_port(is_tls),
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|&port| port != 0)
                .ok_or_else(|| format!("{digits:?} is not a port"))?,
        };
        Ok(Server { host: host.to_owned(), port, is_tls })
    }
}

/// Writes the form that `FromStr` reads.
impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.is_tls { "tls://" } else { "" };
        write!(f, "{scheme}{}", self.host_and_port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_fit_80_columns() {
        assert!(EXAMPLES.lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn a_server_is_a_host_with_an_optional_port() {
        for (text, shown) in [
            ("localhost", "localhost:7878"),
            ("localhost:99", "localhost:99"),
            ("127.0.0.1:99", "127.0.0.1:99"),
            ("::1", "[::1]:7878"),
            ("[::1]", "[::1]:7878"),
            ("[::1]:99", "[::1]:99"),
            ("tcp://localhost", "localhost:7878"),
            ("tls://localhost", "tls://localhost:7879"),
            ("TLS://[::1]:99/", "tls://[::1]:99"),
        ] {
            assert_eq!(text.parse::<Server>().map(|server| server.to_string()), Ok(shown.into()));
        }
        for text in
            ["", ":99", "host:", "host:0", "host:x", "host:70000", "[::1]99x", "tls://", "x://h"]
        {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
        let page = "https://chat.example.org".parse::<Server>();
        assert_eq!(page, Err("open https://chat.example.org in a browser".to_owned()));
    }

    #[test]
    fn no_color_turns_colours_off_unless_the_user_demands_them() {
        assert!(Color::Auto.palette(false).colours);
        assert!(!Color::Auto.palette(true).colours);
        assert!(Color::Always.palette(true).colours);
        assert!(!Color::Never.palette(false).colours);
    }
}
