//! A chat without sockets: an exchange full of users, whose clients take all output at once.

use chinwag::core::SessionId;
use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::Limits;
use chinwag::core::time::Time;

/// The line that the users say, with its ending.
pub(crate) const LINE: &[u8; 64] =
    b"The quick brown fox jumps over the lazy dog, and over it again.\n";

/// An exchange whose clients are always ready to take output.
pub(crate) struct Room {
    exchange: Exchange,
    now: Time,
}

impl Room {
    /// Without users.
    pub(crate) fn empty() -> Self {
        Self { exchange: Exchange::new(Limits::default()), now: Time::START }
    }

    /// With `users` users in pairs: users 2k and 2k + 1 are in a chat.
    pub(crate) fn of_pairs(users: usize) -> Self {
        let mut room = Self::empty();
        (0..users).for_each(|user| room.arrive(user));
        (0..users / 2).for_each(|pair| room.pair_up(pair));
        room
    }

    /// With `users` users, all in one room of the chat. The room's rate limit is off.
    #[allow(dead_code, reason = "not every program that includes this file has rooms")]
    pub(crate) fn of_members(users: usize) -> Self {
        let limits = Limits { room_line_ms: 0, ..Limits::default() };
        let mut room = Self { exchange: Exchange::new(limits), now: Time::START };
        for user in 0..users {
            room.arrive(user);
            room.say(user, b"4\n");
        }
        room
    }

    /// A user connects and logs in.
    pub(crate) fn arrive(&mut self, user: usize) {
        self.exchange.handle_connect(self.now, SessionId::from_key(user));
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

    /// Bytes from a user's client arrive, and all output is written. Returns the bytes written.
    pub(crate) fn say(&mut self, user: usize, bytes: &[u8]) -> usize {
        self.hear(user, bytes);
        self.act()
    }

    /// Bytes from a user's client arrive.
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
