//! What `chinwag connect` can be told, on the command line or in the environment.

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::ui::color::Palette;
use crate::core::limits::PORT;

const EXAMPLES: &str = "\
Examples:
  chinwag connect                              the server on this machine
  chinwag connect chat.example.org --name anna --bell all
  printf 'anna\\n1\\n3\\n' | chinwag connect     in a pipe: what the server says, as plain text

  In a terminal the keys are those of a shell: arrows, Ctrl-A E U W K L Y, Alt-B F D,
  arrow-up for what was typed before, Tab for names and words. Ctrl-C clears the line, and on an
  empty line asks whether to leave; Ctrl-D on an empty line leaves; Ctrl-Z stops.
  In a room, which the prompt shows as #lobby, Tab behind a / shows the commands.";

/// Arguments of `chinwag connect`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConnectArgs {
    /// The server: a name or address, and a port unless it is 7878
    #[arg(value_name = "HOST[:PORT]", default_value = "127.0.0.1:7878", env = "CHINWAG_SERVER")]
    pub server: Server,

    /// The username to take
    #[arg(long, value_name = "NAME", env = "CHINWAG_NAME")]
    pub name: Option<String>,

    /// What rings the terminal's bell
    #[arg(long, value_name = "WHEN", default_value = "request", env = "CHINWAG_BELL")]
    pub bell: Bell,

    /// Whether to use colours; NO_COLOR is honoured
    #[arg(long, value_name = "WHEN", default_value = "auto", env = "CHINWAG_COLOR")]
    pub color: Color,

    /// Put the local time before what is said
    #[arg(long, env = "CHINWAG_TIMESTAMPS", value_parser = FalseyValueParser::new())]
    pub timestamps: bool,

    /// When the connection is lost, end instead of connecting again
    #[arg(long, env = "CHINWAG_NO_RECONNECT", value_parser = FalseyValueParser::new())]
    pub no_reconnect: bool,
}

/// What rings the bell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Bell {
    /// Nothing.
    Off,
    /// Somebody wants to chat, or says one's name in a room.
    Request,
    /// A request, and every message.
    All,
}

/// When there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// Unless NO_COLOR is set.
    Auto,
    /// Even so.
    Always,
    /// Not at all.
    Never,
}

impl Color {
    /// The palette, given whether `NO_COLOR` is set and not empty.
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

/// Where a server is: a host, which may be a name of many addresses, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// A TCP port.
    pub port: u16,
}

impl std::str::FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Server, String> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None => return Err(format!("{rest:?} behind the brackets is no port")),
            },
            // Two colons without brackets are an IPv6 address, which takes no port.
            None if text.matches(':').count() > 1 => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() {
            return Err("a host is missing".to_owned());
        }
        let port = match port {
            None => PORT,
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|&port| port != 0)
                .ok_or_else(|| format!("{digits:?} is not a port"))?,
        };
        Ok(Server { host: host.to_owned(), port })
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_written_in_many_ways() {
        for (text, shown) in [
            ("localhost", "localhost:7878"),
            ("localhost:99", "localhost:99"),
            ("127.0.0.1:99", "127.0.0.1:99"),
            ("::1", "[::1]:7878"),
            ("[::1]", "[::1]:7878"),
            ("[::1]:99", "[::1]:99"),
        ] {
            assert_eq!(text.parse::<Server>().map(|server| server.to_string()), Ok(shown.into()));
        }
        for text in ["", ":99", "host:", "host:0", "host:x", "host:70000", "[::1]99x"] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_color_is_honoured_unless_colours_are_asked_for() {
        assert!(Color::Auto.palette(false).colours);
        assert!(!Color::Auto.palette(true).colours);
        assert!(Color::Always.palette(true).colours);
        assert!(!Color::Never.palette(false).colours);
    }
}
