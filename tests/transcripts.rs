//! Conversations that read like plays, run against the exchange with invented time.
//!
//! Each file in `tests/transcripts` holds plays; each play is what people do and what everyone then
//! reads. A play is run by doing what it says and writing down what happens, which must come out the
//! same to the letter. `CHINWAG_REWRITE=1 cargo test --test transcripts` writes the files anew: the
//! difference is then for a person to judge.
//!
//! ```text
//! == a title, with the clauses of protocol.md that it shows
//! A connects            B is here (connects and takes the name B, which nobody need read again)
//! A> typed, with \x.. for a byte, and \ at the end for a line whose ending does not come
//! A< read
//! A hangs up            A ends its half, as nc -N does (the connection is reset)
//! 60 s pass
//! the operator says TEXT
//! the operator removes A: REASON
//! the operator stops the server in 5 minutes
//! the server stops
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use chinwag::core::SessionId;
use chinwag::core::chat::{Event, Removal};
use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::Limits;
use chinwag::core::time::Time;

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
    let played = written.split_inclusive('\n').fold(Stage::default(), Stage::follow).book;
    if env::var_os("CHINWAG_REWRITE").is_some() {
        fs::write(file, &played).unwrap();
    }
    for (n, (expected, came)) in written.lines().zip(played.lines()).enumerate() {
        if expected != came {
            eprintln!("{}:{}:\n  written {expected}\n  played  {came}", file.display(), n + 1);
            return false;
        }
    }
    written.lines().count() == played.lines().count()
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
            return Stage { book: self.book, ..Stage::default() };
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
            self.exchange.handle_end_of_input(self.now, self.people[who]);
        } else if let Some(who) = line.strip_suffix(" is reset") {
            self.exchange.handle_failure(self.now, self.people[who]);
        } else if let Some(seconds) = line.strip_suffix(" s pass") {
            self.now = self.now.after_ms(seconds.parse::<u64>().expect("whole seconds") * 1000);
            self.exchange.handle_timeout(self.now);
        } else if let Some(text) = line.strip_prefix("the operator says ") {
            self.exchange.handle_announcement(self.now, &String::from_utf8_lossy(&unescaped(text)));
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

    fn removes(&mut self, rest: &str, how: Removal) {
        let (who, reason) = rest.split_once(": ").unwrap_or((rest, ""));
        self.exchange.handle_removal(self.now, self.people[who], how, reason);
    }

    fn connects(&mut self, who: &str) {
        let id = SessionId::from_key(self.arrivals);
        self.arrivals += 1;
        self.people.insert(who.to_owned(), id);
        self.exchange.handle_connect(self.now, id);
        self.watch();
    }

    fn types(&mut self, who: &str, typed: &str) {
        let bytes = match typed.strip_suffix('\\') {
            Some(cut) => unescaped(cut),
            None => [&unescaped(typed)[..], b"\n"].concat(),
        };
        let id = self.people[who];
        assert!(self.exchange.wants_input(id), "{who} is not being read");
        self.exchange.handle_received(self.now, id, &bytes);
        self.watch();
    }

    /// Writes down what everyone reads.
    fn watch(&mut self) {
        while let Some(action) = self.exchange.poll_action() {
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
                Action::Resume(_) | Action::Report(_) => {}
            }
        }
    }

    fn reads(&mut self, id: SessionId) {
        let output = self.exchange.output(id).to_vec();
        self.exchange.handle_sent(self.now, id, output.len());
        for line in output.split_inclusive(|&b| b == b'\n') {
            let line = match line.strip_suffix(b"\r\n") {
                Some(line) => String::from_utf8_lossy(line).into_owned(),
                None => line.iter().fold(String::from("| bytes"), |text, b| format!("{text} {b}")),
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
