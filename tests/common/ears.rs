//! Hearing: bytes from a socket, a pipe or a terminal become lines, waited for with a deadline.
//!
//! What comes from the server itself is held to clause 1.1 as it is read: every line ends with CR LF and is
//! UTF-8 without a control character. Telnet's three-byte answers are told apart from lines.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{now, patience};

/// How many lines of a conversation are shown when a test fails.
const TRANSCRIPT_LINES: usize = 80;

/// Something that can be read and waited for.
pub(crate) trait Source: Read + AsFd + Send {}
impl<T: Read + AsFd + Send> Source for T {}

/// Where the bytes come from, which decides how strictly a line is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The server's own bytes, unchanged: a socket, or the output of nc.
    Wire,
    /// What a terminal shows: the typed lines are echoed, and telnet has read the line endings.
    Terminal,
}

/// One thing heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A line, without its ending.
    Line(String),
    /// A telnet sequence: IAC, this verb, this option.
    Telnet(u8, u8),
    /// The other side has ended its half.
    End,
    /// The connection failed.
    Failure(ErrorKind),
}

/// One listener, with the memory of what was said and heard.
pub(crate) struct Ears {
    source: Box<dyn Source>,
    framing: Framing,
    raw: Vec<u8>,
    heard: VecDeque<Heard>,
    echoes: VecDeque<String>,
    transcript: VecDeque<String>,
    name: String,
}

/// Waits until `source` can be read, or the time is up.
pub(crate) fn readable(source: impl AsFd, until: Instant) -> bool {
    loop {
        let left = until.saturating_duration_since(now());
        let timeout = Timespec::try_from(left).expect("a short wait");
        let mut fds = [PollFd::new(&source, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("poll: {error}"),
        }
    }
}

impl Ears {
    pub(crate) fn new(name: &str, source: Box<dyn Source>, framing: Framing) -> Ears {
        Ears {
            source,
            framing,
            raw: Vec::new(),
            heard: VecDeque::new(),
            echoes: VecDeque::new(),
            transcript: VecDeque::new(),
            name: name.to_owned(),
        }
    }

    /// Writes a line of the transcript.
    pub(crate) fn note(&mut self, mark: &str, text: &str) {
        if self.transcript.len() == TRANSCRIPT_LINES {
            self.transcript.pop_front();
        }
        let text: String = text.chars().take(200).collect();
        self.transcript.push_back(format!("  {} {mark} {text}", self.name));
    }

    /// A terminal will echo this line; it is not something the server said.
    pub(crate) fn expect_echo(&mut self, line: &str) {
        if self.framing == Framing::Terminal {
            self.echoes.push_back(line.to_owned());
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    /// The next thing heard, at the latest when patience ends.
    #[track_caller]
    pub(crate) fn next(&mut self, expected: &str) -> Heard {
        match self.next_within(patience()) {
            Some(heard) => heard,
            None => self.fail(&format!("waited in vain for {expected}")),
        }
    }

    /// The next thing heard, or nothing when the time is up.
    pub(crate) fn next_within(&mut self, time: Duration) -> Option<Heard> {
        let until = now() + time;
        while self.heard.is_empty() {
            if !readable(self.source.as_fd(), until) {
                return None;
            }
            self.read();
        }
        let heard = self.heard.pop_front()?;
        self.note("<", &display(&heard));
        Some(heard)
    }

    /// Bytes that were read but are no line yet.
    pub(crate) fn take_raw(&mut self) -> Vec<u8> {
        assert!(self.heard.is_empty(), "{} has heard {:?} and not listened", self.name, self.heard);
        std::mem::take(&mut self.raw)
    }

    /// Puts back what was heard too early.
    pub(crate) fn unhear(&mut self, heard: Heard) {
        self.transcript.pop_back();
        self.heard.push_front(heard);
    }

    /// Fails the test, showing the conversation.
    #[track_caller]
    pub(crate) fn fail(&self, what: &str) -> ! {
        let said: Vec<&str> = self.transcript.iter().map(String::as_str).collect();
        let rest = String::from_utf8_lossy(&self.raw);
        panic!("{}: {what}\nThe conversation:\n{}\n  (then {rest:?})", self.name, said.join("\n"))
    }

    fn read(&mut self) {
        let mut chunk = [0; 16 * 1024];
        match self.source.read(&mut chunk) {
            Ok(0) => self.end(Heard::End),
            Ok(count) => {
                self.raw.extend_from_slice(&chunk[..count]);
                self.take_lines();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A terminal whose program has gone fails with EIO, which has no kind of its own.
            Err(_) if self.framing == Framing::Terminal => self.end(Heard::End),
            Err(error) => self.end(Heard::Failure(error.kind())),
        }
    }

    fn end(&mut self, how: Heard) {
        assert!(self.raw.is_empty(), "{} heard an unfinished line: {:?}", self.name, self.raw);
        self.heard.push_back(how);
    }

    fn take_lines(&mut self) {
        let mut start = 0;
        while start < self.raw.len() {
            let rest = &self.raw[start..];
            if self.framing == Framing::Wire && rest[0] == 0xff {
                if rest.len() < 3 {
                    break;
                }
                self.heard.push_back(Heard::Telnet(rest[1], rest[2]));
                start += 3;
                continue;
            }
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else { break };
            let line = rest[..end].to_vec();
            start += end + 1;
            self.take_line(&line);
        }
        self.raw.drain(..start);
    }

    fn take_line(&mut self, line: &[u8]) {
        if self.framing == Framing::Terminal {
            let line = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
            if self.echoes.front() == Some(&line) {
                self.echoes.pop_front();
                return;
            }
            return self.heard.push_back(Heard::Line(line));
        }
        let line = line.strip_suffix(b"\r").unwrap_or_else(|| {
            panic!("1.1: {} heard a line that ends without CR: {:?}", self.name, line)
        });
        let line = std::str::from_utf8(line)
            .unwrap_or_else(|_| panic!("1.1: {} heard a line not UTF-8: {line:?}", self.name));
        assert!(
            !line.chars().any(char::is_control),
            "2.1: {} heard a control character: {line:?}",
            self.name
        );
        self.heard.push_back(Heard::Line(line.to_owned()));
    }
}

fn display(heard: &Heard) -> String {
    match heard {
        Heard::Line(line) => line.clone(),
        Heard::Telnet(verb, option) => format!("(IAC {verb} {option})"),
        Heard::End => "(end)".to_owned(),
        Heard::Failure(kind) => format!("({kind})"),
    }
}
