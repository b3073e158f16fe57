//! One `Exchange` with users who read everything at once, without sockets and with a clock of its own.

#![allow(dead_code, reason = "no test program uses the whole scene")]

use chinwag::core::SessionId;
use chinwag::core::exchange::Exchange;
use chinwag::core::limits::Limits;
use chinwag::core::time::Time;

/// An exchange whose users read everything at once.
pub(crate) struct Scene {
    exchange: Exchange,
    now: Time,
    /// The keys of the users are their places in this list.
    pub(crate) names: Vec<String>,
}

impl Scene {
    pub(crate) fn with(names: impl IntoIterator<Item = impl Into<String>>) -> Scene {
        Scene::of(Exchange::new(Limits::default()), names)
    }

    /// The server keeps accounts, and takes passwords everywhere. Nobody answers for its store.
    pub(crate) fn with_accounts(names: impl IntoIterator<Item = impl Into<String>>) -> Scene {
        let limits = Limits { allow_plain_passwords: true, ..Limits::default() };
        let mut exchange = Exchange::new(limits);
        exchange.start_accounts();
        Scene::of(exchange, names)
    }

    fn of(exchange: Exchange, names: impl IntoIterator<Item = impl Into<String>>) -> Scene {
        let mut scene = Scene { exchange, now: Time::START, names: Vec::new() };
        for name in names {
            let name = name.into();
            scene.connects(&name);
            scene.says(&name, &name);
            scene.reads(&name);
        }
        scene
    }

    /// `name` connects, and has no username yet.
    pub(crate) fn connects(&mut self, name: &str) {
        let id = SessionId::from_key(self.names.len());
        self.names.push(name.to_owned());
        self.exchange.handle_connect(self.now, id);
    }

    pub(crate) fn id(&self, name: &str) -> SessionId {
        SessionId::from_key(
            self.names.iter().position(|other| other == name).expect("a user of this scene"),
        )
    }

    /// `name` sends these lines in one packet.
    pub(crate) fn says(&mut self, name: &str, lines: &str) {
        let id = self.id(name);
        assert!(self.exchange.wants_input(id), "the input of {name} is held");
        self.exchange.handle_received(self.now, id, format!("{lines}\n").as_bytes());
        self.settle();
    }

    /// Everything that `name` has been told since the last call.
    pub(crate) fn reads(&mut self, name: &str) -> String {
        let (id, mut read) = (self.id(name), Vec::new());
        loop {
            self.settle();
            let output = self.exchange.output(id).to_vec();
            if output.is_empty() {
                return String::from_utf8(read).expect("2.1.1: UTF-8").replace('\r', "");
            }
            self.exchange.handle_sent(self.now, id, output.len());
            read.extend(output);
        }
    }

    pub(crate) fn seconds_pass(&mut self, seconds: u64) {
        self.now = self.now.after_ms(1_000 * seconds);
        self.exchange.handle_timeout(self.now);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        while self.exchange.poll_action_at_once(self.now).is_some() {}
    }
}
