//! A chat without sockets: an exchange full of users, whose clients take all output at once.

use chinwag::core::SessionId;
use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::Limits;
use chinwag::core::time::Time;
use chinwag::core::transport::websocket::{SharedPool, WebSocket};

/// The line that the users say, with its ending.
pub(crate) const LINE: &[u8; 64] =
    b"The quick brown fox jumps over the lazy dog, and over it again.\n";

/// An exchange whose clients are always ready to take output.
pub(crate) struct Room {
    exchange: Exchange,
    now: Time,
    /// The buffers of WebSocket connections, if the users have such.
    web: Option<SharedPool>,
}

/// A text message with a mask of zeros, which leaves the bytes as they are.
pub(crate) fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("the lines are short");
    let header = match length {
        0..126 => vec![0x81, 0x80 | length as u8],
        _ => [&[0x81, 0x80 | 126][..], &length.to_be_bytes()].concat(),
    };
    [&header, &[0; 4][..], bytes].concat()
}

impl Room {
    /// Without users.
    pub(crate) fn empty() -> Self {
        Self { exchange: Exchange::new(Limits::default()), now: Time::START, web: None }
    }

    /// With `users` users in pairs: users 2k and 2k + 1 are in a chat.
    pub(crate) fn of_pairs(users: usize) -> Self {
        Self::empty().with_pairs(users)
    }

    /// The same over WebSocket.
    #[allow(dead_code, reason = "not every program that includes this file has such users")]
    pub(crate) fn of_web_pairs(users: usize) -> Self {
        Self { web: Some(SharedPool::default()), ..Self::empty() }.with_pairs(users)
    }

    fn with_pairs(mut self, users: usize) -> Self {
        (0..users).for_each(|user| self.arrive(user));
        (0..users / 2).for_each(|pair| self.pair_up(pair));
        self
    }

    /// With `users` users, all in one room of the chat. The room's rate limit is off.
    #[allow(dead_code, reason = "not every program that includes this file has rooms")]
    pub(crate) fn of_members(users: usize) -> Self {
        let limits = Limits { room_line_ms: 0, ..Limits::default() };
        let mut room = Self { exchange: Exchange::new(limits), ..Self::empty() };
        for user in 0..users {
            room.arrive(user);
            room.say(user, b"4\n");
        }
        room
    }

    /// A user connects and logs in.
    pub(crate) fn arrive(&mut self, user: usize) {
        let id = SessionId::from_key(user);
        match self.web.clone() {
            None => self.exchange.handle_connect(self.now, id),
            Some(pool) => {
                let socket = Box::new(WebSocket::new(self.now, pool, b"101"));
                self.exchange.handle_connect_through(self.now, id, socket);
            }
        }
        self.act();
        let read = self.say(user, format!("user{user}\n").as_bytes());
        assert!(read > 0, "user {user} got no reply to the login");
    }

    /// Brings a pair into a chat: the first user asks, the second accepts.
    pub(crate) fn pair_up(&mut self, pair: usize) {
        let (one, other) = (2 * pair, 2 * pair + 1);
        self.say(one, format!("2 user{other}\n").as_bytes());
        self.say(other, b"yes\n");
        let with = self.exchange.chat().partner(SessionId::from_key(one));
        assert_eq!(with, Some(SessionId::from_key(other)), "pair {pair} is not in a chat");
    }

    /// A user's client ends its half of the connection, and the exchange closes the connection.
    pub(crate) fn leave(&mut self, user: usize) {
        self.exchange.handle_end_of_input(self.now, SessionId::from_key(user));
        self.act();
    }

    /// Lines from a user's client arrive, and all output is written. Returns the bytes written.
    pub(crate) fn say(&mut self, user: usize, lines: &[u8]) -> usize {
        match self.web {
            None => self.hear(user, lines),
            Some(_) => self.hear(user, &framed(lines)),
        }
        self.act()
    }

    /// Bytes from a user's client arrive, as the socket delivers them.
    pub(crate) fn hear(&mut self, user: usize, bytes: &[u8]) {
        let id = SessionId::from_key(user);
        assert!(
            self.exchange.wants_input(id),
            "input is held, although every client takes its output"
        );
        self.exchange.handle_received(self.now, id, bytes);
    }

    /// Ends a turn: writes all output. Returns the bytes written.
    pub(crate) fn act(&mut self) -> usize {
        let mut written = 0;
        while let Some(action) = self.exchange.poll_action_at_once(self.now) {
            match action {
                Action::Write(id) => {
                    let count = self.exchange.output(id).len();
                    written += count;
                    self.exchange.handle_sent(self.now, id, count);
                }
                Action::Close(id) => self.exchange.forget(id),
                Action::EndSending(_)
                | Action::Report(_)
                | Action::TransportFailed(..)
                | Action::Open(..)
                | Action::AskAccounts(_) => {}
            }
        }
        written
    }
}
