//! Conversations that read like plays, run against the exchange with invented time: the files in
//! `tests/transcripts`, and every example session in `protocol.md`.
//!
//! Each play is performed as written, and what everyone reads must come out to the letter.
//! `CHINWAG_REWRITE=1 cargo test --test transcripts` rewrites the files; review the difference.
//! Every play is performed again through transports that re-encode all bytes, through WebSocket, and
//! through TLS with every byte in a packet of its own.
//!
//! ```text
//! == a title, with the clauses of protocol.md that the play shows
//! A connects            B is here (connects and takes the name B; these lines are not shown)
//! A> typed, with \x.. for a byte, and \ at the end for a line without its ending
//! A< read
//! A hangs up            A ends its half, as nc -N does (A is reset: the connection fails)
//! 60 s pass
//! the operator says TEXT
//! the operator removes A: REASON
//! the operator stops the server in 5 minutes
//! the server keeps accounts   (or: requires accounts; before anybody connects)
//! NAME is registered with PASSWORD
//! the store rests       it answers nothing until: the store answers (or: dies, is full)
//! the operator registers NAME, resets NAME with PASSWORD, removes the account NAME
//! the server stops
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "transport/encodings.rs"]
mod encodings;
#[path = "transport/layer.rs"]
mod layer;
#[path = "transport/scrambled.rs"]
mod scrambled;
#[path = "common/store.rs"]
mod store;
#[path = "transport/tls_peer.rs"]
mod tls_peer;
#[path = "transport/web_peer.rs"]
mod web_peer;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use chinwag::core::accounts::{AccountAnswer, AccountChange, AccountPolicy};
use chinwag::core::chat::{Event, Name, Removal};
use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::Limits;
use chinwag::core::time::Time;
use chinwag::core::{Origin, SessionId};
use encodings::{ClientSide, Encoding};
use store::Store;

/// These files differ for a browser: it cannot send raw bytes or lines without their ends, and the page
/// hides a password by itself.
const RAW: [&str; 3] = ["1-framing.txt", "12-accounts.txt", "13-hidden-typing.txt"];

#[test]
fn every_transcript_comes_out_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<PathBuf>>();
    files.sort();
    assert!(files.len() >= 8, "the plays are there");
    let differing = files.iter().filter(|file| !comes_out(file)).collect::<Vec<_>>();
    assert!(differing.is_empty(), "these came out differently: {differing:?}");
}

fn comes_out(file: &Path) -> bool {
    let written = fs::read_to_string(file).unwrap();
    let performed = perform(&written, Encoding::Plain);
    if env::var_os("CHINWAG_REWRITE").is_some() {
        fs::write(file, &performed).unwrap();
    }
    is_same(&written, &performed, &file.display().to_string())
}

/// (1.1, 1.2, 1.3)
#[test]
fn every_example_session_of_the_protocol_comes_out_as_it_is_written() {
    let protocol = include_str!("../protocol.md");
    let sessions = protocol.split("```session\n").skip(1);
    let sessions = sessions.map(|rest| rest.split("```").next().unwrap()).collect::<Vec<_>>();
    assert!(sessions.len() >= 10, "the sessions were found");
    for (n, session) in sessions.iter().enumerate() {
        let name = format!("session {} of protocol.md", n + 1);
        assert!(
            is_same(session, &perform(session, Encoding::Plain), &name),
            "{name} came out differently"
        );
    }
}

/// How a connection ends differs, because a transport has a close of its own before the FIN. The order
/// of two users' lines may differ too; the order of the lines of each user may not.
#[test]
fn every_transcript_reads_the_same_through_a_transport_that_encodes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let written = fs::read_to_string(&file).unwrap();
        let is_raw = RAW.iter().any(|raw| file.ends_with(raw));
        for encoding in Encoding::ENCODED.iter().filter(|encoding| !is_raw || !encoding.is_web()) {
            let performed = by_reader(&perform(&written, *encoding));
            let name = format!("{}, {encoding:?}", file.display());
            assert!(is_same(&by_reader(&written), &performed, &name), "{name}");
        }
    }
}

/// A play without the ends of connections, and with the lines that follow one action in the order of
/// their readers.
fn by_reader(play: &str) -> String {
    let mut lines = Vec::<Vec<&str>>::new();
    for line in play.lines().filter(|line| !line.contains("< | the ")) {
        let is_read = |line: &str| line.split(' ').next().is_some_and(|who| who.ends_with('<'));
        match lines.last_mut() {
            Some(read) if is_read(line) && is_read(read[0]) => read.push(line),
            _ => lines.push(vec![line]),
        }
    }
    let reader = |line: &&str| line.split(' ').next().unwrap_or_default().to_owned();
    lines.iter_mut().for_each(|read| read.sort_by_key(reader));
    lines.concat().iter().map(|line| format!("{line}\n")).collect()
}

fn perform(written: &str, encoding: Encoding) -> String {
    let stage = Stage { encoding, ..Stage::default() };
    written.split_inclusive('\n').fold(stage, Stage::follow).book
}

fn is_same(written: &str, performed: &str, name: &str) -> bool {
    for (n, (expected, came)) in written.lines().zip(performed.lines()).enumerate() {
        if expected != came {
            eprintln!("{name}:{}:\n  written   {expected}\n  performed {came}", n + 1);
            return false;
        }
    }
    written.lines().count() == performed.lines().count()
}

/// A play as it is performed.
struct Stage {
    exchange: Exchange,
    now: Time,
    people: BTreeMap<String, SessionId>,
    arrivals: usize,
    /// What has been done and read so far.
    book: String,
    /// What is read now belongs to a beginning that nobody need read.
    curtain: bool,
    /// How the connections are encoded.
    encoding: Encoding,
    /// The clients' side of it.
    sides: BTreeMap<SessionId, ClientSide>,
    store: Store,
    /// The store answers nothing.
    rests: bool,
}

impl Default for Stage {
    fn default() -> Self {
        Stage {
            exchange: Exchange::new(Limits::default()),
            now: Time::START,
            people: BTreeMap::new(),
            arrivals: 0,
            book: String::new(),
            curtain: false,
            encoding: Encoding::Plain,
            sides: BTreeMap::new(),
            store: Store::default(),
            rests: false,
        }
    }
}

impl Stage {
    /// Takes in the next line of the script: acts on it, or leaves it out if it is what was read.
    fn follow(mut self, line: &str) -> Stage {
        let line = line.trim_end_matches('\n');
        let head = line.split_once(' ').map_or(line, |(head, _)| head);
        if head.ends_with('<') || head == "|" {
            return self;
        }
        self.book.push_str(line);
        self.book.push('\n');
        if line.starts_with("==") {
            let Stage { book, encoding, .. } = self;
            return Stage { book, encoding, ..Stage::default() };
        }
        if !line.is_empty() && !line.starts_with('#') {
            self.act(line);
            self.exchange.chat().check();
        }
        self
    }

    fn act(&mut self, line: &str) {
        if let Some((who, typed)) =
            line.split_once("> ").or(line.strip_suffix('>').map(|who| (who, "")))
        {
            self.types(who, typed);
        } else if let Some(who) = line.strip_suffix(" connects") {
            self.connects(who);
        } else if let Some(who) = line.strip_suffix(" is here") {
            self.curtain = true;
            self.connects(who);
            self.types(who, who);
            self.curtain = false;
        } else if let Some(who) = line.strip_suffix(" hangs up") {
            self.hangs_up(self.people[who]);
        } else if let Some(who) = line.strip_suffix(" is reset") {
            self.exchange.handle_failure(self.now, self.people[who]);
        } else if let Some(seconds) = line.strip_suffix(" s pass") {
            self.now = self.now.after_ms(seconds.parse::<u64>().expect("whole seconds") * 1000);
            self.exchange.handle_timeout(self.now);
        } else if let Some(text) = line.strip_prefix("the operator says ") {
            self.exchange.handle_announcement(self.now, &String::from_utf8_lossy(&unescaped(text)));
        } else if self.acts_on_accounts(line) {
        } else if let Some(rest) = line.strip_prefix("the operator removes ") {
            self.removes(rest, Removal::Kicked);
        } else if let Some(rest) = line.strip_prefix("the operator bans ") {
            self.removes(rest, Removal::Banned);
        } else if let Some(rest) = line.strip_prefix("the operator stops the server in ") {
            let minutes = rest.split(' ').next().map(str::parse::<u64>);
            let minutes = minutes.expect("a number").expect("whole minutes");
            self.exchange.handle_stop_in(self.now, minutes * 60_000);
        } else if line == "the operator calls the stop off" {
            self.exchange.handle_stop_called_off(self.now);
        } else if line == "the server stops" {
            self.exchange.handle_stop(self.now);
        } else {
            panic!("no stage direction: {line}");
        }
        self.watch();
    }

    /// Follows a stage direction about accounts; `false` if it is none.
    fn acts_on_accounts(&mut self, line: &str) -> bool {
        let name = |text: &str| Name::parse(text).expect("a name");
        if let Some(how) =
            line.strip_prefix("the server ").and_then(|rest| rest.strip_suffix(" accounts"))
        {
            let accounts = match how {
                "keeps" => AccountPolicy::Optional,
                "requires" => AccountPolicy::Required,
                how => panic!("the server does not {how} accounts"),
            };
            let limits = Limits { accounts, allow_plain_passwords: true, ..Limits::default() };
            self.exchange = Exchange::new(limits);
            self.exchange.start_accounts();
        } else if let Some((who, password)) = line.split_once(" is registered with ") {
            self.store.set(&name(who), password);
            assert!(self.exchange.load_account(name(who)));
        } else if let Some(rest) = line.strip_prefix("the operator registers ") {
            let (who, password) = rest.split_once(" with ").expect("a password");
            self.store.set(&name(who), password);
            self.exchange.handle_account_change(self.now, AccountChange::Added(name(who)));
        } else if let Some(rest) = line.strip_prefix("the operator resets ") {
            let (who, password) = rest.split_once(" with ").expect("a password");
            self.store.set(&name(who), password);
            self.exchange.handle_account_change(self.now, AccountChange::Reset(name(who)));
        } else if let Some(who) = line.strip_prefix("the operator removes the account ") {
            self.store.remove(&name(who));
            self.exchange.handle_account_change(self.now, AccountChange::Removed(name(who)));
        } else {
            match line {
                "the store rests" => self.rests = true,
                "the store answers" => self.rests = false,
                "the store dies" => self.store_fails(AccountAnswer::Down),
                "the store is full" => self.store_fails(AccountAnswer::Full),
                _ => return false,
            }
        }
        true
    }

    fn store_fails(&mut self, answer: AccountAnswer) {
        while !self.store.waiting().is_empty() {
            let (number, answer) = self.store.fail(0, answer, false);
            self.exchange.handle_account_answer(self.now, number, answer);
        }
    }

    fn removes(&mut self, rest: &str, how: Removal) {
        let (who, reason) = rest.split_once(": ").unwrap_or((rest, ""));
        self.exchange.handle_removal(self.now, self.people[who], how, reason);
    }

    fn connects(&mut self, who: &str) {
        let id = SessionId::from_key(self.arrivals);
        self.arrivals += 1;
        self.people.insert(who.to_owned(), id);
        match self.encoding.transport(self.now) {
            None => self.exchange.handle_connect(self.now, id),
            Some(transport) => self.exchange.handle_connect_through(self.now, id, transport),
        }
        let mut side = ClientSide::new(self.encoding);
        let hello = side.answer();
        self.sides.insert(id, side);
        self.sends(id, &hello);
        self.watch();
    }

    fn types(&mut self, who: &str, typed: &str) {
        let bytes = match typed.strip_suffix('\\') {
            Some(cut) => unescaped(cut),
            None => [&unescaped(typed)[..], b"\n"].concat(),
        };
        let id = self.people[who];
        assert!(self.exchange.wants_input(id), "{who} is not being read");
        let bytes = self.side(id).encode(&bytes);
        self.sends(id, &bytes);
        self.watch();
    }

    fn side(&mut self, id: SessionId) -> &mut ClientSide {
        self.sides.get_mut(&id).expect("is connected")
    }

    /// Delivers bytes: those of TLS one at a time.
    fn sends(&mut self, id: SessionId, bytes: &[u8]) {
        let at_a_time = match self.encoding {
            Encoding::Tls(_) | Encoding::WebSocketInTls(_) => 1,
            _ => bytes.len().max(1),
        };
        for piece in bytes.chunks(at_a_time) {
            self.exchange.handle_received(self.now, id, piece);
        }
    }

    fn hangs_up(&mut self, id: SessionId) {
        if self.exchange.wants_input(id) {
            let close = self.side(id).close();
            self.sends(id, &close);
        }
        self.exchange.handle_end_of_input(self.now, id);
    }

    /// Writes down what everyone reads.
    fn watch(&mut self) {
        while let Some(action) = self.next_action() {
            match action {
                Action::Write(id) => self.reads(id),
                Action::EndSending(id) => self.note(id, "| the server ends the connection"),
                Action::Close(id) => {
                    self.note(id, "| the connection is closed");
                    self.exchange.forget(id);
                    self.people.retain(|_, other| *other != id);
                }
                Action::Report(Event::StopIsDue) => {
                    writeln!(self.book, "| the server stops").unwrap()
                }
                Action::Open(id, _) => self.exchange.begin_session(self.now, id, Origin::NONE),
                Action::Report(_) | Action::TransportFailed(..) => {}
                Action::AskAccounts(request) => self.store.ask(request),
            }
        }
    }

    /// The next action; the store answers when there is none.
    fn next_action(&mut self) -> Option<Action> {
        loop {
            let action = self.exchange.poll_action_at_once(self.now);
            if action.is_some() || self.rests || self.store.waiting().is_empty() {
                return action;
            }
            let (number, answer) = self.store.answer(0);
            self.exchange.handle_account_answer(self.now, number, answer);
        }
    }

    fn reads(&mut self, id: SessionId) {
        let mut output = Vec::new();
        while !self.exchange.output(id).is_empty() {
            let bytes = self.exchange.output(id).to_vec();
            output.extend(self.side(id).decode(&bytes));
            self.exchange.handle_sent(self.now, id, bytes.len());
            if self.exchange.wants_input(id) {
                let answer = self.side(id).answer();
                self.sends(id, &answer);
            }
        }
        for line in output.split_inclusive(|&b| b == b'\n') {
            // Telnet commands may stand before a line.
            let commands = line.chunks_exact(3).take_while(|bytes| bytes[0] == 255).count();
            let (commands, line) = line.split_at(3 * commands);
            if !commands.is_empty() {
                self.note(id, &bytes_of(commands));
            }
            if line.is_empty() {
                continue;
            }
            let line = match line.strip_suffix(b"\r\n") {
                Some(line) => String::from_utf8_lossy(line).into_owned(),
                None => bytes_of(line),
            };
            self.note(id, &line);
        }
    }

    fn note(&mut self, id: SessionId, line: &str) {
        let who = self.people.iter().find(|(_, other)| **other == id).map_or("?", |(name, _)| name);
        if !self.curtain {
            writeln!(self.book, "{who}< {line}").unwrap();
        }
    }
}

fn bytes_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("| bytes"), |text, b| format!("{text} {b}"))
}

/// `text` with `\xNN` as that byte and `\r` and `\n` as those; `{1024}x` is 1,024 times that.
fn unescaped(text: &str) -> Vec<u8> {
    if let Some((count, unit)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        return unescaped(unit).repeat(count.parse().expect("how many times"));
    }
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend(before.bytes());
        let (byte, used) = match after.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b'x', ..] => (u8::from_str_radix(&after[1..3], 16).expect("two digits"), 3),
            _ => panic!("no such escape: \\{after}"),
        };
        bytes.push(byte);
        rest = &after[used..];
    }
    bytes.extend(rest.bytes());
    bytes
}
