//! Turns the bytes of a socket, a pipe or a terminal into lines, and waits for lines with a
//! deadline.
//!
//! With `Framing::Wire` each line is checked against clause 2.1.1: it ends with CR LF and is UTF-8
//! without a control character. The three-byte telnet replies are returned apart from the lines.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{now, timeout};

/// How many of the last lines sent and received a failed test shows.
const TRANSCRIPT_LINES: usize = 80;

/// A descriptor that can be read and polled.
pub(crate) trait Readable: Read + AsFd + Send {}
impl<T: Read + AsFd + Send> Readable for T {}

/// Where the bytes come from. The origin decides how strictly lines are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The server's own bytes, unchanged: a socket, or the output of nc.
    Wire,
    /// The output of a terminal, which echoes the typed lines and changes the line endings.
    Terminal,
}

/// One unit that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A line, without its ending.
    Line(String),
    /// A telnet sequence: IAC, then this verb and this option.
    Telnet(u8, u8),
    /// The other side has ended its half of the connection (end of stream).
    End,
    /// The connection failed.
    Failure(ErrorKind),
}

/// Reads one source, and remembers the last lines that were sent and received.
pub(crate) struct Receiver {
    source: Box<dyn Readable>,
    framing: Framing,
    /// Bytes that are not a complete line yet.
    raw: Vec<u8>,
    /// Complete units that the test has not taken yet.
    received: VecDeque<Received>,
    /// Typed lines whose echo has not come yet.
    echoes: VecDeque<String>,
    /// The last lines sent and received, for the message of a failed test.
    transcript: VecDeque<String>,
    /// The name in the transcript: the username, once there is one.
    name: String,
}

/// Waits until `source` is readable. Returns `false` if `until` comes first.
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

impl Receiver {
    pub(crate) fn new(name: &str, source: Box<dyn Readable>, framing: Framing) -> Receiver {
        Receiver {
            source,
            framing,
            raw: Vec::new(),
            received: VecDeque::new(),
            echoes: VecDeque::new(),
            transcript: VecDeque::new(),
            name: name.to_owned(),
        }
    }

    /// Adds a line to the transcript.
    pub(crate) fn note(&mut self, mark: &str, text: &str) {
        if self.transcript.len() == TRANSCRIPT_LINES {
            self.transcript.pop_front();
        }
        let text: String = text.chars().take(200).collect();
        self.transcript.push_back(format!("  {} {mark} {text}", self.name));
    }

    /// Announces a typed line. A terminal echoes the line, and the echo is not output of the
    /// server.
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

    /// The next unit. Fails the test if nothing comes before the timeout.
    #[track_caller]
    pub(crate) fn next(&mut self, expected: &str) -> Received {
        match self.next_within(timeout()) {
            Some(received) => received,
            None => self.fail(&format!("nothing came before the timeout; expected {expected}")),
        }
    }

    /// The next unit, which must be a line.
    #[track_caller]
    pub(crate) fn reads_a_line(&mut self) -> String {
        match self.next("a line") {
            Received::Line(line) => line,
            other => self.fail(&format!("expected a line, read {other:?}")),
        }
    }

    /// The next unit, which must be the end of the stream.
    #[track_caller]
    pub(crate) fn reads_end_of_stream(&mut self) {
        match self.next("the end of the stream") {
            Received::End => {}
            other => self.fail(&format!("expected the end of the stream, read {other:?}")),
        }
    }

    /// The next unit, or `None` if nothing comes within `time`.
    pub(crate) fn next_within(&mut self, time: Duration) -> Option<Received> {
        let until = now() + time;
        while self.received.is_empty() {
            if !readable(self.source.as_fd(), until) {
                return None;
            }
            self.read();
        }
        let received = self.received.pop_front()?;
        self.note("<", &display(&received));
        Some(received)
    }

    /// Takes the bytes that are not a complete line yet. No complete line may be waiting.
    pub(crate) fn take_raw(&mut self) -> Vec<u8> {
        assert!(self.received.is_empty(), "{} has not taken {:?} yet", self.name, self.received);
        std::mem::take(&mut self.raw)
    }

    /// Puts a unit back in front of the queue: the caller has read one unit too many.
    pub(crate) fn put_back(&mut self, received: Received) {
        self.transcript.pop_back();
        self.received.push_front(received);
    }

    /// Fails the test, and shows the transcript.
    #[track_caller]
    pub(crate) fn fail(&self, what: &str) -> ! {
        let lines: Vec<&str> = self.transcript.iter().map(String::as_str).collect();
        let rest = String::from_utf8_lossy(&self.raw);
        panic!("{}: {what}\nThe transcript:\n{}\n  (then {rest:?})", self.name, lines.join("\n"))
    }

    fn read(&mut self) {
        let mut chunk = [0; 16 * 1024];
        match self.source.read(&mut chunk) {
            Ok(0) => self.end(Received::End),
            Ok(count) => {
                self.raw.extend_from_slice(&chunk[..count]);
                self.take_lines();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // When the program at a terminal has ended, read(2) fails with EIO, for which
            // `ErrorKind` has no stable variant.
            Err(_) if self.framing == Framing::Terminal => self.end(Received::End),
            Err(error) => self.end(Received::Failure(error.kind())),
        }
    }

    fn end(&mut self, how: Received) {
        assert!(self.raw.is_empty(), "{} received an unfinished line: {:?}", self.name, self.raw);
        self.received.push_back(how);
    }

    fn take_lines(&mut self) {
        let mut start = 0;
        while start < self.raw.len() {
            let rest = &self.raw[start..];
            if self.framing == Framing::Wire && rest[0] == 0xff {
                if rest.len() < 3 {
                    break;
                }
                self.received.push_back(Received::Telnet(rest[1], rest[2]));
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
            return self.received.push_back(Received::Line(line));
        }
        let line = line.strip_suffix(b"\r").unwrap_or_else(|| {
            panic!("2.1.1: {} received a line that ends without CR: {:?}", self.name, line)
        });
        let line = std::str::from_utf8(line).unwrap_or_else(|_| {
            panic!("2.1.1: {} received a line that is not UTF-8: {line:?}", self.name)
        });
        assert!(
            !line.chars().any(char::is_control),
            "3.1.1: {} received a control character: {line:?}",
            self.name
        );
        self.received.push_back(Received::Line(line.to_owned()));
    }
}

fn display(received: &Received) -> String {
    match received {
        Received::Line(line) => line.clone(),
        Received::Telnet(verb, option) => format!("(IAC {verb} {option})"),
        Received::End => "(end of stream)".to_owned(),
        Received::Failure(kind) => format!("({kind})"),
    }
}
