//! The lines that each server reads and writes, as text. This module knows no sockets.
//!
//! Users come in pairs. A pair goes through [`Step`]s together: each end sends something and waits
//! for something, and the next step begins when both ends have read what they waited for. In a chat
//! or a room, a line is a text of [`TEXT_BYTES`] bytes between the prefix and the suffix that the
//! protocol demands.

use memchr::memmem;

use super::relay;

/// Bytes of a text. With its line ending, 64.
pub(super) const TEXT_BYTES: usize = 63;

/// Digits of the sequence number at the start of every text.
pub(super) const SEQUENCE_DIGITS: usize = 10;

/// The protocols of the servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Protocol {
    /// The bare relay: bytes in, bytes out. In a room, users send lines with chinwag's prefix and
    /// suffix, so that relay and chinwag write the same bytes.
    Relay,
    /// `protocol.md`.
    Chinwag,
    /// The same lines in WebSocket messages.
    Web,
    /// RESP 3. Each user subscribes to a channel of its own and publishes to the partner's channel.
    Redis,
    /// IRC: private messages from one nickname to another.
    Inspircd,
    /// IRC too. ngircd marks a user without an ident daemon with a tilde.
    Ngircd,
}

/// One step that both ends of a pair take together.
pub(super) struct Step {
    /// What each end sends. Empty: nothing.
    pub(super) sends: [String; 2],
    /// What each end must read within a line. Empty: nothing.
    pub(super) awaits: [String; 2],
}

/// The username of `end` 0 or 1 of a pair. All usernames have the same length, and therefore all
/// lines.
pub(super) fn name(pair: usize, end: usize) -> String {
    let letter = ['a', 'b'][end];
    format!("{letter}{pair:07}")
}

/// The text with sequence number 0. It differs for every user.
pub(super) fn text(pair: usize, end: usize) -> String {
    let zeros = "0".repeat(SEQUENCE_DIGITS);
    let mut text = format!("{zeros} of {} ", name(pair, end));
    while text.len() < TEXT_BYTES {
        text.push(char::from(b'a' + (text.len() % 26) as u8));
    }
    text
}

impl Protocol {
    /// The protocol with this name. The load generator gets the name as an argument.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Relay, Self::Chinwag, Self::Web, Self::Redis, Self::Inspircd, Self::Ngircd]
            .into_iter()
            .find(|protocol| format!("{protocol:?}") == name)
    }

    /// How many pairs may be in progress at a time. InspIRCd welcomes new users once per second:
    /// with fewer pairs, login would take longer. ngircd queues only ten connections: more pairs
    /// would lose a second each.
    pub(super) fn pairs_in_progress_max(self) -> usize {
        match self {
            Self::Relay | Self::Chinwag | Self::Web | Self::Redis => 32,
            Self::Inspircd => 1_000,
            Self::Ngircd => 4,
        }
    }

    /// The step that logs both ends in.
    pub(super) fn log_in(self, pair: usize) -> Step {
        let [one, other] = [0, 1].map(|end| self.login_of(&name(pair, end)));
        Step { sends: [one.0, other.0], awaits: [one.1, other.1] }
    }

    /// The line that logs a user in, and the words that confirm the login.
    fn login_of(self, name: &str) -> (String, String) {
        let line = format!("{name}\n");
        match self {
            Self::Relay => (line, relay::WELCOME.trim_end().to_owned()),
            Self::Chinwag | Self::Web => (line, "2 request chat".to_owned()),
            // With replies off, redis sends only published messages.
            Self::Redis => (
                format!("HELLO 3\r\nSUBSCRIBE {name}\r\nCLIENT REPLY OFF\r\n"),
                format!("{name}\r\n:1"),
            ),
            // Numeric 422 says that there is no message of the day, and ends the greeting.
            Self::Inspircd | Self::Ngircd => {
                (format!("NICK {name}\r\nUSER {name} 0 * :{name}\r\n"), format!(" 422 {name}"))
            }
        }
    }

    /// The steps that bring two logged-in users into a chat.
    pub(super) fn pair_up(self, pair: usize) -> Vec<Step> {
        match self {
            Self::Chinwag | Self::Web => vec![
                Step {
                    sends: [format!("2 {}\n", name(pair, 1)), String::new()],
                    awaits: ["Asked".to_owned(), "wants to chat".to_owned()],
                },
                Step {
                    sends: [String::new(), "yes\n".to_owned()],
                    awaits: ["You are now chatting".to_owned(), "You are now chatting".to_owned()],
                },
            ],
            Self::Relay | Self::Redis | Self::Inspircd | Self::Ngircd => Vec::new(),
        }
    }

    /// The steps that bring two logged-in users into the shared room.
    pub(super) fn join(self, pair: usize) -> Vec<Step> {
        let room = self.room();
        let join = |end| match self {
            Self::Relay => None,
            Self::Chinwag | Self::Web => {
                Some((format!("4 {room}\n"), format!("You are now in {room}")))
            }
            Self::Redis => Some((format!("SUBSCRIBE {room}\r\n"), format!("{room}\r\n:2"))),
            // Numeric 366 ends the list of members.
            Self::Inspircd | Self::Ngircd => {
                Some((format!("JOIN {room}\r\n"), format!(" 366 {} {room}", name(pair, end))))
            }
        };
        let both = join(0).zip(join(1));
        both.map(|(one, other)| Step { sends: [one.0, other.0], awaits: [one.1, other.1] })
            .into_iter()
            .collect()
    }

    fn room(self) -> &'static str {
        match self {
            Self::Relay | Self::Chinwag | Self::Web | Self::Redis => "bench",
            Self::Inspircd | Self::Ngircd => "#bench",
        }
    }

    /// Whether a member also reads its own lines in the room.
    pub(super) fn echoes(self) -> bool {
        match self {
            Self::Relay | Self::Chinwag | Self::Web | Self::Redis => true,
            Self::Inspircd | Self::Ngircd => false,
        }
    }

    /// All steps of a pair that logs in, says one line each and leaves.
    pub(super) fn visit(self, pair: usize) -> Vec<Step> {
        let mut steps = vec![self.log_in(pair)];
        steps.extend(self.pair_up(pair));
        steps.push(self.say_once(pair));
        steps
    }

    fn say_once(self, pair: usize) -> Step {
        let said = |end| {
            let (prefix, suffix) = self.outgoing_wrapping(pair, end);
            format!("{prefix}{}{suffix}", text(pair, end))
        };
        // The text alone is enough: no server repeats it, and no other user has the same.
        Step { sends: [said(0), said(1)], awaits: [text(pair, 1), text(pair, 0)] }
    }

    /// The prefix and suffix around a text that this end sends.
    pub(super) fn outgoing_wrapping(self, pair: usize, end: usize) -> (String, String) {
        self.wrapping_to(&name(pair, 1 - end))
    }

    /// The prefix and suffix around a text that a member sends to the room.
    pub(super) fn outgoing_wrapping_to_room(self, from: &str) -> (String, String) {
        match self {
            Self::Relay => (format!("{from}: "), "\r\n".to_owned()),
            Self::Chinwag | Self::Web | Self::Redis | Self::Inspircd | Self::Ngircd => {
                self.wrapping_to(self.room())
            }
        }
    }

    fn wrapping_to(self, to: &str) -> (String, String) {
        match self {
            Self::Relay | Self::Chinwag | Self::Web => (String::new(), "\n".to_owned()),
            Self::Redis => (
                format!("*3\r\n$7\r\nPUBLISH\r\n${}\r\n{to}\r\n${TEXT_BYTES}\r\n", to.len()),
                "\r\n".to_owned(),
            ),
            Self::Inspircd | Self::Ngircd => (format!("PRIVMSG {to} :"), "\r\n".to_owned()),
        }
    }

    /// The prefix and suffix around a text that this end receives.
    pub(super) fn incoming_wrapping(self, pair: usize, end: usize) -> (String, String) {
        self.incoming_wrapping_as(&name(pair, end), &name(pair, 1 - end))
    }

    /// The prefix and suffix around a text that members of the room receive.
    pub(super) fn incoming_wrapping_in_room(self, from: &str) -> (String, String) {
        match self {
            Self::Relay => self.outgoing_wrapping_to_room(from),
            Self::Chinwag | Self::Web | Self::Redis | Self::Inspircd | Self::Ngircd => {
                self.incoming_wrapping_as(self.room(), from)
            }
        }
    }

    /// The prefix and suffix that the server puts around a text to `to`, a user or the room.
    fn incoming_wrapping_as(self, to: &str, from: &str) -> (String, String) {
        let suffix = "\r\n".to_owned();
        match self {
            Self::Relay => (String::new(), "\n".to_owned()),
            Self::Chinwag | Self::Web => (format!("{from}: "), suffix),
            Self::Redis => (
                format!(">3\r\n$7\r\nmessage\r\n${}\r\n{to}\r\n${TEXT_BYTES}\r\n", to.len()),
                suffix,
            ),
            Self::Inspircd => (format!(":{from}!{from}@127.0.0.1 PRIVMSG {to} :"), suffix),
            Self::Ngircd => (format!(":{from}!~{from}@127.0.0.1 PRIVMSG {to} :"), suffix),
        }
    }

    /// Whether a line in a chat or room is a notice of the server. The check skips notices.
    pub(super) fn is_notice(self, line: &[u8]) -> bool {
        match self {
            Self::Relay | Self::Redis => false,
            // A member that missed lines fails the check: the benchmark compares complete delivery.
            Self::Chinwag | Self::Web => {
                (line.starts_with(b"* ") && !line.starts_with(b"* You missed"))
                    || line.starts_with(b"- ")
            }
            Self::Inspircd | Self::Ngircd => {
                line.starts_with(b"PING ")
                    || line.starts_with(b":irc.bench ")
                    || memmem::find(line, b" JOIN ").is_some()
            }
        }
    }
}
