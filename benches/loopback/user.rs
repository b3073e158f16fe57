//! One user, as the load generator plays him: his socket, what he says next and what he must hear.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use memchr::{memchr, memmem};
use mio::net::TcpStream;
use socket2::{Domain, Socket, Type};

use super::dialect::{self, Dialect, SEQUENCE_DIGITS};

/// How long a server on loopback may take to answer a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A line whose sequence number rises by one each time it is used.
pub(super) struct Line {
    bytes: Vec<u8>,
    digits: Range<usize>,
}

impl Line {
    fn new((before, after): (String, String), text: &str) -> Self {
        let digits = before.len()..before.len() + SEQUENCE_DIGITS;
        Self { bytes: format!("{before}{text}{after}").into_bytes(), digits }
    }

    /// One that does not begin with 0.
    pub(super) fn numbered(wrapping: (String, String), text: &str, sequence: u64) -> Self {
        let mut line = Self::new(wrapping, text);
        let number = format!("{sequence:0SEQUENCE_DIGITS$}");
        line.bytes[line.digits.clone()].copy_from_slice(number.as_bytes());
        line
    }

    fn advance(&mut self) {
        for digit in self.bytes[self.digits.clone()].iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
    }
}

/// What is left to await of a phase.
enum Awaiting {
    /// Nothing: the other end may still.
    Nothing,
    /// A line with these words in it.
    Words(String),
}

/// A user and his socket.
pub(super) struct User {
    /// His socket, for the loop to register.
    pub(super) stream: TcpStream,
    dialect: Dialect,
    /// What was read and not yet understood; in a chat, at most the beginning of a line.
    inbox: Vec<u8>,
    awaiting: Awaiting,
    saying: Line,
    hearing: Line,
    /// Lines of the present volley that have come.
    heard: u32,
}

impl User {
    /// Connects one end of a pair.
    pub(super) fn connect(
        dialect: Dialect,
        server: SocketAddr,
        from: Ipv4Addr,
        (pair, end): (usize, usize),
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if from != Ipv4Addr::LOCALHOST {
            socket.bind(&SocketAddr::from((from, 0)).into())?;
        }
        socket.connect_timeout(&server.into(), CONNECT_PATIENCE)?;
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(socket.into()),
            dialect,
            inbox: Vec::new(),
            awaiting: Awaiting::Nothing,
            saying: Line::new(dialect.saying(pair, end), &dialect::text(pair, end)),
            hearing: Line::new(dialect.hearing(pair, end), &dialect::text(pair, 1 - end)),
            heard: 0,
        })
    }

    /// Begins his half of a phase.
    pub(super) fn begin(&mut self, send: &str, awaited: &str) -> io::Result<()> {
        self.awaiting = match awaited {
            "" => Awaiting::Nothing,
            words => Awaiting::Words(words.to_owned()),
        };
        if !send.is_empty() {
            write_whole(&mut self.stream, send.as_bytes())?;
        }
        Ok(())
    }

    /// Reads what has come, until he has what he awaits. Says whether the server has hung up.
    pub(super) fn read_phase(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let hung_up = loop {
            match read(&mut self.stream, buffer)? {
                None => break false,
                Some(0) => break true,
                Some(read) => self.inbox.extend_from_slice(&buffer[..read]),
            }
        };
        if let Awaiting::Words(words) = &self.awaiting
            && let Some(found) = memmem::find(&self.inbox, words.as_bytes())
            && let Some(end) = memchr(b'\n', &self.inbox[found + words.len()..])
        {
            self.inbox.drain(..=found + words.len() + end);
            self.awaiting = Awaiting::Nothing;
        }
        Ok(hung_up)
    }

    /// Whether he has read what this phase has for him.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.awaiting, Awaiting::Nothing)
    }

    /// What he awaits, or has read and cannot use: for a report of a stall.
    pub(super) fn plight(&self) -> String {
        let awaited = match &self.awaiting {
            Awaiting::Nothing => &String::from_utf8_lossy(&self.hearing.bytes),
            Awaiting::Words(words) => words.as_str(),
        };
        let inbox = String::from_utf8_lossy(&self.inbox);
        format!("waits for {awaited:?} and has {inbox:?}")
    }

    /// Ends his half of the connection, as somebody who leaves without a word.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)
    }

    /// From now on he says this line, instead of what he would have said.
    pub(super) fn is_to_say(&mut self, line: Line) {
        self.saying = line;
    }

    /// From now on he must hear this line.
    pub(super) fn is_to_hear(&mut self, line: &Line) {
        self.hearing.bytes.clone_from(&line.bytes);
        self.hearing.digits.clone_from(&line.digits);
    }

    /// Says `lines` lines in one write.
    pub(super) fn say(&mut self, lines: u32, scratch: &mut Vec<u8>) -> io::Result<()> {
        scratch.clear();
        for _ in 0..lines {
            scratch.extend_from_slice(&self.saying.bytes);
            self.saying.advance();
        }
        write_whole(&mut self.stream, scratch)
    }

    /// Reads once and checks every line. Returns how many have come, and whether they complete a
    /// volley of `volley` lines: then it is his turn to speak.
    pub(super) fn hear(&mut self, buffer: &mut [u8], volley: u32) -> io::Result<(u32, bool)> {
        let mut lines = 0;
        loop {
            let read = match read(&mut self.stream, buffer)? {
                None => break,
                Some(0) => return Err(io::Error::other("the server hung up")),
                Some(read) => read,
            };
            if self.inbox.is_empty() {
                let (used, heard) = self.check(&buffer[..read])?;
                self.inbox.extend_from_slice(&buffer[used..read]);
                lines += heard;
            } else {
                let mut inbox = std::mem::take(&mut self.inbox);
                inbox.extend_from_slice(&buffer[..read]);
                let (used, heard) = self.check(&inbox)?;
                inbox.drain(..used);
                self.inbox = inbox;
                lines += heard;
            }
            if read < buffer.len() {
                break;
            }
        }
        self.heard += lines;
        let complete = self.heard == volley;
        if self.heard >= volley {
            self.heard = 0;
        }
        Ok((lines, complete))
    }

    /// Holds whole lines against those that must come, in order. Returns the bytes they take and
    /// their number.
    fn check(&mut self, bytes: &[u8]) -> io::Result<(usize, u32)> {
        let (mut used, mut lines) = (0, 0);
        loop {
            let rest = &bytes[used..];
            let expected = &self.hearing.bytes;
            if rest.starts_with(expected) {
                used += expected.len();
                lines += 1;
                self.hearing.advance();
                continue;
            }
            let Some(end) = memchr(b'\n', rest).filter(|_| !expected.starts_with(rest)) else {
                return Ok((used, lines));
            };
            if !self.dialect.is_aside(&rest[..end]) {
                let (got, expected) =
                    (String::from_utf8_lossy(&rest[..end]), String::from_utf8_lossy(expected));
                return Err(io::Error::other(format!("{got:?} came in place of {expected:?}")));
            }
            used += end + 1;
        }
    }
}

fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    match stream.read(buffer) {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_whole(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    match stream.write(bytes)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(io::Error::other("a write fell short: the server reads too slowly")),
    }
}
