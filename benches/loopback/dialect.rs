//! What each server is told, and what it is expected to say: pure text, no sockets.
//!
//! Users come in pairs. A pair goes through [`UserState`]s in step: in each, both ends send something
//! and await something, and the next begins when both have read what they awaited. Once they are in
//! a chat, a line is a text of [`TEXT_BYTES`] in the wrapping that the server's protocol wants; in
//! a room too, and everybody hears it.

use memchr::memmem;

use super::relay;

/// Bytes of a text: with its line ending, 64.
pub(super) const TEXT_BYTES: usize = 63;

/// Digits of the sequence number with which every text begins.
pub(super) const SEQUENCE_DIGITS: usize = 10;

/// The protocols we speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    /// Our bare relay: bytes in, bytes out. What a room is to hear is sent to it in the wrapping
    /// that chinwag puts on it, so that both write the same.
    Relay,
    /// `protocol.md`.
    Chinwag,
    /// RESP 3: a channel for each user, who is told of his own and publishes to his partner's.
    Redis,
    /// IRC: private messages from one nickname to another.
    Inspircd,
    /// The same, but that ngircd marks a user whom no ident daemon vouches for with a tilde.
    Ngircd,
}

/// One step that both ends of a pair take together.
pub(super) struct UserState {
    /// What each end sends; nothing, if empty.
    pub(super) sends: [String; 2],
    /// What each end must read somewhere in a line; nothing, if empty.
    pub(super) awaits: [String; 2],
}

/// A user's name: `end` 0 or 1 of a pair. All names are equally long, so all lines are.
pub(super) fn name(pair: usize, end: usize) -> String {
    let letter = ['a', 'b'][end];
    format!("{letter}{pair:07}")
}

/// The text that opens with sequence number 0, distinct for every user.
pub(super) fn text(pair: usize, end: usize) -> String {
    let zeros = "0".repeat(SEQUENCE_DIGITS);
    let mut text = format!("{zeros} of {} ", name(pair, end));
    while text.len() < TEXT_BYTES {
        text.push(char::from(b'a' + (text.len() % 26) as u8));
    }
    text
}

impl Dialect {
    /// By the name that crosses the process boundary.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Relay, Self::Chinwag, Self::Redis, Self::Inspircd, Self::Ngircd]
            .into_iter()
            .find(|dialect| format!("{dialect:?}") == name)
    }

    /// How many pairs may be underway through their phases at a time. InspIRCd welcomes whom it has
    /// let in once a second, so fewer would make it wait; ngircd lets ten wait at its door, and more
    /// would lose a second each.
    pub(super) fn pairs_underway_max(self) -> usize {
        match self {
            Self::Relay | Self::Chinwag | Self::Redis => 32,
            Self::Inspircd => 1_000,
            Self::Ngircd => 4,
        }
    }

    /// The phase after which both are logged in.
    pub(super) fn log_in(self, pair: usize) -> UserState {
        let [one, other] = [0, 1].map(|end| self.log_in_as(&name(pair, end)));
        UserState { sends: [one.0, other.0], awaits: [one.1, other.1] }
    }

    /// What logs a user in, and what tells that he is.
    fn log_in_as(self, name: &str) -> (String, String) {
        let line = format!("{name}\n");
        match self {
            Self::Relay => (line, relay::WELCOME.trim_end().to_owned()),
            Self::Chinwag => (line, "2 request chat".to_owned()),
            // With replies off, redis sends nothing but what is published.
            Self::Redis => (
                format!("HELLO 3\r\nSUBSCRIBE {name}\r\nCLIENT REPLY OFF\r\n"),
                format!("{name}\r\n:1"),
            ),
            // 422 says that there is no message of the day, which ends the greeting.
            Self::Inspircd | Self::Ngircd => {
                (format!("NICK {name}\r\nUSER {name} 0 * :{name}\r\n"), format!(" 422 {name}"))
            }
        }
    }

    /// The phases that bring two who are logged in together.
    pub(super) fn pair_up(self, pair: usize) -> Vec<UserState> {
        match self {
            Self::Chinwag => vec![
                UserState {
                    sends: [format!("2 {}\n", name(pair, 1)), String::new()],
                    awaits: ["Asked".to_owned(), "wants to chat".to_owned()],
                },
                UserState {
                    sends: [String::new(), "yes\n".to_owned()],
                    awaits: ["You are now chatting".to_owned(), "You are now chatting".to_owned()],
                },
            ],
            Self::Relay | Self::Redis | Self::Inspircd | Self::Ngircd => Vec::new(),
        }
    }

    /// The phases that bring two who are logged in into the room where everybody is.
    pub(super) fn join(self, pair: usize) -> Vec<UserState> {
        let room = self.room();
        let join = |end| match self {
            Self::Relay => None,
            Self::Chinwag => Some((format!("4 {room}\n"), format!("You are now in {room}"))),
            Self::Redis => Some((format!("SUBSCRIBE {room}\r\n"), format!("{room}\r\n:2"))),
            // 366 ends the list of who is there already.
            Self::Inspircd | Self::Ngircd => {
                Some((format!("JOIN {room}\r\n"), format!(" 366 {} {room}", name(pair, end))))
            }
        };
        let both = join(0).zip(join(1));
        both.map(|(one, other)| UserState { sends: [one.0, other.0], awaits: [one.1, other.1] })
            .into_iter()
            .collect()
    }

    fn room(self) -> &'static str {
        match self {
            Self::Relay | Self::Chinwag | Self::Redis => "bench",
            Self::Inspircd | Self::Ngircd => "#bench",
        }
    }

    /// Whether a member hears in the room what he himself has said.
    pub(super) fn echoes(self) -> bool {
        match self {
            Self::Relay | Self::Chinwag | Self::Redis => true,
            Self::Inspircd | Self::Ngircd => false,
        }
    }

    /// Everything a pair does that comes for one line each, before it leaves.
    pub(super) fn visit(self, pair: usize) -> Vec<UserState> {
        let mut phases = vec![self.log_in(pair)];
        phases.extend(self.pair_up(pair));
        phases.push(self.say_once(pair));
        phases
    }

    fn say_once(self, pair: usize) -> UserState {
        let said = |end| {
            let (before, after) = self.saying(pair, end);
            format!("{before}{}{after}", text(pair, end))
        };
        // The text alone: it is distinct, and no line of these protocols repeats it.
        UserState { sends: [said(0), said(1)], awaits: [text(pair, 1), text(pair, 0)] }
    }

    /// What an end puts around a text it sends.
    pub(super) fn saying(self, pair: usize, end: usize) -> (String, String) {
        self.saying_to(&name(pair, 1 - end))
    }

    /// What a member puts around a text for the room.
    pub(super) fn saying_to_room(self, from: &str) -> (String, String) {
        match self {
            Self::Relay => (format!("{from}: "), "\r\n".to_owned()),
            Self::Chinwag | Self::Redis | Self::Inspircd | Self::Ngircd => {
                self.saying_to(self.room())
            }
        }
    }

    fn saying_to(self, to: &str) -> (String, String) {
        match self {
            Self::Relay | Self::Chinwag => (String::new(), "\n".to_owned()),
            Self::Redis => (
                format!("*3\r\n$7\r\nPUBLISH\r\n${}\r\n{to}\r\n${TEXT_BYTES}\r\n", to.len()),
                "\r\n".to_owned(),
            ),
            Self::Inspircd | Self::Ngircd => (format!("PRIVMSG {to} :"), "\r\n".to_owned()),
        }
    }

    /// What the server puts around a text that this end receives.
    pub(super) fn hearing(self, pair: usize, end: usize) -> (String, String) {
        self.hearing_as(&name(pair, end), &name(pair, 1 - end))
    }

    /// What the server puts around a text that the members of the room receive.
    pub(super) fn hearing_in_room(self, from: &str) -> (String, String) {
        match self {
            Self::Relay => self.saying_to_room(from),
            Self::Chinwag | Self::Redis | Self::Inspircd | Self::Ngircd => {
                self.hearing_as(self.room(), from)
            }
        }
    }

    /// What the server puts around a text sent to `to`, a user or the room.
    fn hearing_as(self, to: &str, from: &str) -> (String, String) {
        let after = "\r\n".to_owned();
        match self {
            Self::Relay => (String::new(), "\n".to_owned()),
            Self::Chinwag => (format!("{from}: "), after),
            Self::Redis => (
                format!(">3\r\n$7\r\nmessage\r\n${}\r\n{to}\r\n${TEXT_BYTES}\r\n", to.len()),
                after,
            ),
            Self::Inspircd => (format!(":{from}!{from}@127.0.0.1 PRIVMSG {to} :"), after),
            Self::Ngircd => (format!(":{from}!~{from}@127.0.0.1 PRIVMSG {to} :"), after),
        }
    }

    /// Whether a line in a chat or room is the server's and no message: it is then passed over.
    pub(super) fn is_aside(self, line: &[u8]) -> bool {
        match self {
            Self::Relay | Self::Redis => false,
            // Who is passed over has not heard everything, which is what counts.
            Self::Chinwag => {
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
