//! Lesson 12: a complete small chinwag. The chat is a pure state machine, so a simulation can play
//! thousands of sessions in a second: `--simulate SEED` instead of a port.

mod simulation;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

/// The number of a session. Numbers are never used twice.
type Id = usize;

const LISTENER: Token = Token(0);
const MENU: &str = "? 1 list users, 2 request chat, 3 exit";
const LINE_BYTES_MAX: usize = 1024;
const READ_BYTES: usize = 4096;
/// Waiting output that holds input: rung 8.
const HIGH_WATER: usize = 64 * 1024;
/// Lines of one client in one turn: rung 9.
const LINES_PER_TURN: usize = 16;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next() {
        Some(flag) if flag == "--simulate" => {
            let seed = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
            simulation::run(seed).map_err(io::Error::other)
        }
        port => serve(&port.unwrap_or_else(|| "0".to_owned())),
    }
}

// The chat: no socket, no clock. In chinwag: src/core/chat.rs and src/core/chat/.

/// What a session does. In chinwag: src/core/chat/session.rs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Naming,
    Menu,
    Choosing,
    Asking(Id),
    Asked(Id),
    Chatting(Id),
}

struct Session {
    name: String,
    state: State,
}

/// What the chat wants done. In chinwag: src/core/chat/output.rs.
enum Output {
    Say(Id, String),
    End(Id),
}

#[derive(Default)]
struct Chat {
    sessions: BTreeMap<Id, Session>,
    outputs: Vec<Output>,
}

impl Chat {
    fn connect(&mut self, id: Id) {
        self.sessions.insert(id, Session { name: String::new(), state: State::Naming });
        self.say(id, "* Welcome to chinwag, a chat for two or many");
        self.say(id, "? Username:");
    }

    /// One line of a session. In chinwag: src/core/chat/dispatch.rs.
    fn line(&mut self, id: Id, line: &str) {
        let Some(session) = self.sessions.get(&id) else { return };
        let word = line.trim().to_lowercase();
        match (session.state, word.as_str()) {
            (State::Chatting(with), "quit") => {
                self.part(id, "* You left the chat with NAME", with, "* NAME left the chat");
            }
            (State::Chatting(with), _) => self.say(with, &format!("{}: {line}", session.name)),
            (State::Choosing, "" | "cancel") => {
                self.say(id, "* Nobody was asked");
                self.menu(id);
            }
            (State::Choosing, _) => self.ask(id, line.trim()),
            (State::Naming, "exit" | "quit") | (_, "3" | "exit") => {
                self.say(id, &format!("* Goodbye, {}", session.name));
                self.outputs.push(Output::End(id));
                self.disconnect(id);
            }
            (State::Naming, _) => self.take_name(id, line.trim()),
            (State::Asking(whom), "cancel" | "quit") => {
                self.part(id, "* You withdrew your request to NAME", whom, "* NAME withdrew");
            }
            (State::Asked(by), "yes" | "y") => self.pair(by, id),
            (State::Asked(by), "no" | "n") => {
                self.part(id, "* You declined NAME", by, "* NAME declined");
            }
            (_, "1" | "list") => self.list(id),
            (State::Asking(_), _) => {
                self.say(id, "! You are waiting for an answer; cancel withdraws")
            }
            (State::Asked(_), _) => self.say(id, "! Answer first: yes or no"),
            (State::Menu, "2" | "chat") => {
                self.set(id, State::Choosing);
                self.say(id, "? Chat with whom?");
            }
            (State::Menu, _) => match line.trim().split_once(' ') {
                Some(("2" | "chat", name)) => self.ask(id, name.trim()),
                _ => {
                    self.say(id, "! Unknown choice, and nobody saw it");
                    self.menu(id);
                }
            },
        }
    }

    /// A line that the framing refused: it changes no state.
    fn refuse(&mut self, id: Id, why: &str) {
        self.say(id, why);
        match self.sessions.get(&id).map(|session| session.state) {
            Some(State::Naming) => self.say(id, "? Username:"),
            Some(State::Menu) => self.say(id, MENU),
            Some(State::Choosing) => self.say(id, "? Chat with whom?"),
            Some(State::Asking(_) | State::Asked(_) | State::Chatting(_)) | None => {}
        }
    }

    /// The session is over, by choice or not.
    fn disconnect(&mut self, id: Id) {
        let Some(session) = self.sessions.remove(&id) else { return };
        match session.state {
            State::Asking(other) | State::Asked(other) | State::Chatting(other) => {
                self.say(other, &format!("* {} left", session.name));
                self.menu(other);
            }
            State::Naming | State::Menu | State::Choosing => {}
        }
    }

    /// In chinwag: src/core/chat/name.rs, with all of Unicode.
    fn take_name(&mut self, id: Id, name: &str) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let is_name = name.len() <= 20
            && name.chars().all(fits)
            && name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !is_name || self.find(name).is_some() {
            self.say(id, &format!("! {name} is taken or malformed; choose another"));
            self.say(id, "? Username:");
        } else if let Some(session) = self.sessions.get_mut(&id) {
            name.clone_into(&mut session.name);
            self.say(id, &format!("* Hello, {name}"));
            self.menu(id);
        }
    }

    /// In chinwag: src/core/chat/common_commands.rs.
    fn list(&mut self, id: Id) {
        let named = self.sessions.values().filter(|session| !session.name.is_empty());
        let mut users = named.collect::<Vec<_>>();
        users.sort_by_key(|session| session.name.to_lowercase());
        let (count, s) = (users.len(), if users.len() == 1 { "" } else { "s" });
        let mut lines = vec![format!("* {count} user{s} online")];
        for user in users.iter().take(50) {
            let status = match user.state {
                State::Naming | State::Menu | State::Choosing => "available".to_owned(),
                State::Asking(whom) => format!("asking {}", self.name(whom)),
                State::Asked(by) => format!("asked by {}", self.name(by)),
                State::Chatting(with) => format!("chatting with {}", self.name(with)),
            };
            let you = if user.name == self.name(id) { " (you)" } else { "" };
            lines.push(format!("- {} {status}{you}", user.name));
        }
        lines.iter().for_each(|line| self.say(id, line));
        if self.sessions.get(&id).is_some_and(|session| session.state == State::Menu) {
            self.menu(id);
        }
    }

    // What two sessions share is changed on both sides by one function. In chinwag:
    // src/core/chat/pairing.rs.

    fn ask(&mut self, id: Id, name: &str) {
        let state = |other: &Id| self.sessions[other].state;
        let other = self.find(name).filter(|other| *other != id);
        let other = other.filter(|other| matches!(state(other), State::Menu | State::Choosing));
        let Some(other) = other else {
            self.say(id, &format!("! {name} cannot be asked"));
            return self.menu(id);
        };
        self.set(id, State::Asking(other));
        self.set(other, State::Asked(id));
        let (asker, asked) = (self.name(id), self.name(other));
        self.say(id, &format!("* Asked {asked}, waiting for an answer; cancel withdraws"));
        self.say(other, &format!("? {asker} wants to chat. Accept? yes or no"));
    }

    fn pair(&mut self, asker: Id, asked: Id) {
        self.say(asker, &format!("* {} accepted", self.name(asked)));
        for (one, other) in [(asker, asked), (asked, asker)] {
            self.set(one, State::Chatting(other));
            self.say(
                one,
                &format!("* You are now chatting with {}; quit ends it", self.name(other)),
            );
        }
    }

    /// A request or a chat is over for both: each reads a line and the menu.
    fn part(&mut self, one: Id, line: &str, other: Id, others_line: &str) {
        let names = (self.name(one), self.name(other));
        self.say(one, &line.replace("NAME", &names.1));
        self.say(other, &others_line.replace("NAME", &names.0));
        self.menu(one);
        self.menu(other);
    }

    fn menu(&mut self, id: Id) {
        self.set(id, State::Menu);
        self.say(id, MENU);
    }

    fn set(&mut self, id: Id, state: State) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.state = state;
        }
    }

    fn say(&mut self, id: Id, line: &str) {
        self.outputs.push(Output::Say(id, line.to_owned()));
    }

    fn name(&self, id: Id) -> String {
        self.sessions.get(&id).map(|session| session.name.clone()).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Option<Id> {
        let same = |session: &Session| session.name.eq_ignore_ascii_case(name);
        self.sessions.iter().find(|(_, session)| same(session)).map(|(id, _)| *id)
    }

    fn other(&self, id: Id) -> Option<Id> {
        match self.sessions.get(&id)?.state {
            State::Asking(other) | State::Asked(other) | State::Chatting(other) => Some(other),
            State::Naming | State::Menu | State::Choosing => None,
        }
    }

    /// What always holds between sessions. In chinwag: src/core/chat/roster/check.rs.
    fn check(&self) -> Result<(), String> {
        for (id, session) in &self.sessions {
            let wanted = match session.state {
                State::Asking(other) => (other, State::Asked(*id)),
                State::Asked(other) => (other, State::Asking(*id)),
                State::Chatting(other) => (other, State::Chatting(*id)),
                State::Naming | State::Menu | State::Choosing => continue,
            };
            let found = self.sessions.get(&wanted.0).map(|other| other.state);
            if found != Some(wanted.1) {
                return Err(format!("{id} is {:?}, but {} is {found:?}", session.state, wanted.0));
            }
        }
        Ok(())
    }
}

// The loop and its sockets. In chinwag: src/server.rs and src/server/.

struct Client {
    stream: TcpStream,
    /// In chinwag: src/core/framing/line_reader.rs.
    lines: Lines,
    /// Whole lines that wait for their turn. In chinwag: src/core/exchange/held_input.rs.
    pending: VecDeque<Result<String, &'static str>>,
    /// In chinwag: src/core/buffers/outbox.rs.
    outbox: Vec<u8>,
    /// There may be more to read: rung 5.
    may_have_more: bool,
    has_ended: bool,
    is_closing: bool,
}

impl Client {
    /// Reads once. Returns false if the connection has failed.
    fn read(&mut self) -> bool {
        let mut buffer = [0; READ_BYTES];
        match self.stream.read(&mut buffer) {
            Ok(0) => {
                (self.has_ended, self.may_have_more) = (true, false);
                // The end of input also ends a line that has begun: rung 10.
                if !self.lines.line.is_empty() {
                    self.pending.push_back(self.lines.end());
                }
            }
            Ok(count) => self.lines.push(&buffer[..count], &mut self.pending, &mut self.outbox),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.may_have_more = false,
            Err(error) => return error.kind() == ErrorKind::Interrupted,
        }
        true
    }

    /// Writes what the kernel takes: rung 7. Returns false if the connection has failed.
    fn write(&mut self) -> bool {
        let mut written = 0;
        while written < self.outbox.len() {
            match self.stream.write(&self.outbox[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        self.outbox.drain(..written);
        true
    }
}

/// Cuts bytes into lines: rung 6. Telnet commands are taken out, and each option is refused.
#[derive(Default)]
struct Lines {
    line: Vec<u8>,
    is_too_long: bool,
    after_cr: bool,
    /// The last byte of a telnet command whose end is still to come, or 0.
    telnet: u8,
}

impl Lines {
    fn push(
        &mut self,
        bytes: &[u8],
        lines: &mut VecDeque<Result<String, &'static str>>,
        replies: &mut Vec<u8>,
    ) {
        for &byte in bytes {
            let after_cr = std::mem::take(&mut self.after_cr);
            match (self.telnet, byte) {
                (255, 251..=254) => self.telnet = byte,
                (1.., _) => {
                    // WILL is answered with DONT, DO with WONT. A refusal gets no answer (RFC 854).
                    let refusal = match std::mem::take(&mut self.telnet) {
                        251 => Some(254),
                        253 => Some(252),
                        _ => None,
                    };
                    replies.extend(refusal.into_iter().flat_map(|refusal| [255, refusal, byte]));
                }
                (_, 255) => self.telnet = byte,
                (_, b'\n' | 0) if after_cr => {}
                (_, b'\n' | b'\r') => {
                    self.after_cr = byte == b'\r';
                    lines.push_back(self.end());
                }
                _ if self.line.len() == LINE_BYTES_MAX => self.is_too_long = true,
                _ => self.line.push(byte),
            }
        }
    }

    fn end(&mut self) -> Result<String, &'static str> {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_too_long) {
            return Err("! The line is too long, and nobody saw it");
        }
        let line = String::from_utf8(line).map_err(|_| "! The line is not UTF-8, nobody saw it")?;
        Ok(safe(&line))
    }
}

/// Takes out control characters and escape sequences. In chinwag: src/core/framing/text.rs.
fn safe(line: &str) -> String {
    let mut characters = line.chars();
    let mut safe = String::new();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' && characters.as_str().starts_with('[') {
            characters.next();
            characters.find(|c| ('@'..='~').contains(c));
        } else if !c.is_control() {
            safe.push(c);
        }
    }
    safe
}

#[derive(Default)]
struct Server {
    clients: HashMap<Id, Client>,
    chat: Chat,
    next: Id,
}

fn serve(port: &str) -> io::Result<()> {
    let address = format!("127.0.0.1:{port}").parse().map_err(io::Error::other)?;
    let mut listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(256);
    let mut server = Server { next: 1, ..Server::default() };
    let mut is_busy = false;
    loop {
        match poll.poll(&mut events, is_busy.then_some(Duration::ZERO)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        // An error of accept, such as no descriptor left, waits for the next connection: rung 10.
        while let Ok((mut stream, _)) = listener.accept() {
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(server.next), both)?;
            let client = Client {
                stream,
                lines: Lines::default(),
                pending: VecDeque::new(),
                outbox: Vec::new(),
                may_have_more: true,
                has_ended: false,
                is_closing: false,
            };
            server.clients.insert(server.next, client);
            server.chat.connect(server.next);
            server.next += 1;
        }
        for event in &events {
            if let Some(client) = server.clients.get_mut(&event.token().0) {
                client.may_have_more |= event.is_readable();
            }
        }
        is_busy = server.turn();
    }
}

impl Server {
    /// Serves everybody a little. Returns whether another turn must follow at once.
    fn turn(&mut self) -> bool {
        self.deliver();
        let mut is_busy = false;
        for id in self.clients.keys().copied().collect::<Vec<_>>() {
            is_busy |= self.serve(id);
        }
        let mut gone = Vec::new();
        for (id, client) in &mut self.clients {
            let was_full = client.outbox.len() > HIGH_WATER;
            let has_failed = !client.write();
            if has_failed || (client.is_closing && client.outbox.is_empty()) {
                gone.push(*id);
            }
            // Somebody may have been held because of this client, and no event says that it is over.
            is_busy |= was_full && client.outbox.len() <= HIGH_WATER;
        }
        // Closed only here, when all events are handled: rung 10.
        for id in &gone {
            self.clients.remove(id);
            self.chat.disconnect(*id);
        }
        is_busy || !gone.is_empty()
    }

    fn serve(&mut self, id: Id) -> bool {
        for _ in 0..LINES_PER_TURN {
            let partner = self.chat.other(id).and_then(|other| self.clients.get(&other));
            let is_full = partner.is_some_and(|partner| partner.outbox.len() > HIGH_WATER);
            let Some(client) = self.clients.get_mut(&id) else { return false };
            // Backpressure: rung 8.
            if client.is_closing || is_full || client.outbox.len() > HIGH_WATER {
                return false;
            }
            if client.pending.is_empty() && client.may_have_more && !client.read() {
                client.is_closing = true;
                client.outbox.clear();
                return true;
            }
            match client.pending.pop_front() {
                Some(Ok(line)) => self.chat.line(id, &line),
                Some(Err(why)) => self.chat.refuse(id, why),
                None if client.has_ended => {
                    client.is_closing = true;
                    self.chat.disconnect(id);
                    self.deliver();
                    return true;
                }
                None if client.may_have_more => {}
                None => return false,
            }
            self.deliver();
        }
        true
    }

    /// Does what the chat wants done.
    fn deliver(&mut self) {
        for output in self.chat.outputs.drain(..) {
            let (Output::Say(id, _) | Output::End(id)) = &output;
            let Some(client) = self.clients.get_mut(id) else { continue };
            match output {
                Output::Say(_, line) => client.outbox.extend([&line, "\r\n"].concat().as_bytes()),
                Output::End(_) => client.is_closing = true,
            }
        }
    }
}
