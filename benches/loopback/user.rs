//! One simulated user: a connection, the lines that it sends, and the lines that it must receive.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use memchr::{memchr, memmem};
use mio::net::TcpStream;
use socket2::{Domain, Socket, Type};

use super::framing::{Framing, frame, shake_hands};
use super::protocol::{self, Protocol, SEQUENCE_DIGITS};

/// How long a connection over loopback may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A line whose sequence number grows by 1 with each use.
pub(super) struct Line {
    bytes: Vec<u8>,
    digits: Range<usize>,
}

impl Line {
    fn new((prefix, suffix): (String, String), text: &str) -> Self {
        let digits = prefix.len()..prefix.len() + SEQUENCE_DIGITS;
        Self { bytes: format!("{prefix}{text}{suffix}").into_bytes(), digits }
    }

    /// A line whose sequence number begins at `sequence`.
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

/// What the current step still waits for.
enum Awaiting {
    /// Nothing. The other end of the pair may still wait.
    Nothing,
    /// A line that contains these words.
    Words(String),
}

/// A user and its connection.
pub(super) struct User {
    /// The socket, which the loop registers.
    pub(super) stream: TcpStream,
    protocol: Protocol,
    /// The WebSocket frames around the lines, if there are any.
    framing: Option<Framing>,
    /// Bytes read and not yet processed. In a chat, at most the beginning of a line.
    unprocessed: Vec<u8>,
    awaiting: Awaiting,
    outgoing: Line,
    incoming: Line,
    /// Lines of the current batch that have arrived.
    received: u32,
}

impl User {
    /// Connects one end of a pair.
    pub(super) fn connect(
        protocol: Protocol,
        server: SocketAddr,
        from: Ipv4Addr,
        (pair, end): (usize, usize),
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if from != Ipv4Addr::LOCALHOST {
            socket.bind(&SocketAddr::from((from, 0)).into())?;
        }
        socket.connect_timeout(&server.into(), CONNECT_TIMEOUT)?;
        socket.set_tcp_nodelay(true)?;
        let (mut framing, mut unprocessed) = (None, Vec::new());
        if protocol == Protocol::Web {
            unprocessed = shake_hands(&socket, server)?;
            let payload = framing.insert(Framing::default()).unframe(&mut unprocessed);
            unprocessed.truncate(payload);
        }
        socket.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(socket.into()),
            protocol,
            framing,
            unprocessed,
            awaiting: Awaiting::Nothing,
            outgoing: Line::new(protocol.outgoing_wrapping(pair, end), &protocol::text(pair, end)),
            incoming: Line::new(
                protocol.incoming_wrapping(pair, end),
                &protocol::text(pair, 1 - end),
            ),
            received: 0,
        })
    }

    /// Begins this end's part of a step.
    pub(super) fn begin_step(&mut self, send: &str, awaited: &str) -> io::Result<()> {
        self.awaiting = match awaited {
            "" => Awaiting::Nothing,
            words => Awaiting::Words(words.to_owned()),
        };
        if !send.is_empty() {
            self.write(send.as_bytes())?;
        }
        Ok(())
    }

    /// Reads until the awaited words have arrived. Returns whether the server closed the
    /// connection.
    pub(super) fn read_step(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let is_closed = loop {
            match read(&mut self.stream, buffer)? {
                None => break false,
                Some(0) => break true,
                Some(read) => {
                    let read = self.unframe(&mut buffer[..read]);
                    self.unprocessed.extend_from_slice(&buffer[..read]);
                }
            }
        };
        if let Awaiting::Words(words) = &self.awaiting
            && let Some(found) = memmem::find(&self.unprocessed, words.as_bytes())
            && let Some(end) = memchr(b'\n', &self.unprocessed[found + words.len()..])
        {
            self.unprocessed.drain(..=found + words.len() + end);
            self.awaiting = Awaiting::Nothing;
        }
        Ok(is_closed)
    }

    /// Whether this end has read everything that the step requires.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.awaiting, Awaiting::Nothing)
    }

    /// What the user waits for and what it has read instead, for error messages.
    pub(super) fn describe(&self) -> String {
        let awaited = match &self.awaiting {
            Awaiting::Nothing => &String::from_utf8_lossy(&self.incoming.bytes),
            Awaiting::Words(words) => words.as_str(),
        };
        let unprocessed = String::from_utf8_lossy(&self.unprocessed);
        format!("waits for {awaited:?} and has {unprocessed:?}")
    }

    /// Ends this half of the connection, without a command to leave.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)
    }

    /// Sets the line that the user sends from now on.
    pub(super) fn set_outgoing(&mut self, line: Line) {
        self.outgoing = line;
    }

    /// Sets the line that the user must receive from now on.
    pub(super) fn set_incoming(&mut self, line: &Line) {
        self.incoming.bytes.clone_from(&line.bytes);
        self.incoming.digits.clone_from(&line.digits);
    }

    /// Sends `lines` lines in one write.
    pub(super) fn send(&mut self, lines: u32, scratch: &mut Vec<u8>) -> io::Result<()> {
        scratch.clear();
        for _ in 0..lines {
            scratch.extend_from_slice(&self.outgoing.bytes);
            self.outgoing.advance();
        }
        self.write(scratch)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.framing.is_none() {
            return write_whole(&mut self.stream, bytes);
        }
        let mut framed = Vec::with_capacity(bytes.len() + 8);
        frame(bytes, &mut framed);
        write_whole(&mut self.stream, &framed)
    }

    /// Moves the application bytes to the front. Returns how many there are.
    fn unframe(&mut self, bytes: &mut [u8]) -> usize {
        match &mut self.framing {
            Some(framing) => framing.unframe(bytes),
            None => bytes.len(),
        }
    }

    /// Reads everything available and checks every line. Returns how many lines have arrived, and
    /// whether they complete a batch of `batch` lines.
    pub(super) fn receive(&mut self, buffer: &mut [u8], batch: u32) -> io::Result<(u32, bool)> {
        let mut lines = 0;
        loop {
            let read = match read(&mut self.stream, buffer)? {
                None => break,
                Some(0) => return Err(io::Error::other("the server closed the connection")),
                Some(read) => read,
            };
            let is_full = read == buffer.len();
            let read = self.unframe(&mut buffer[..read]);
            if self.unprocessed.is_empty() {
                let (used, received) = self.check(&buffer[..read])?;
                self.unprocessed.extend_from_slice(&buffer[used..read]);
                lines += received;
            } else {
                let mut unprocessed = std::mem::take(&mut self.unprocessed);
                unprocessed.extend_from_slice(&buffer[..read]);
                let (used, received) = self.check(&unprocessed)?;
                unprocessed.drain(..used);
                self.unprocessed = unprocessed;
                lines += received;
            }
            if !is_full {
                break;
            }
        }
        self.received += lines;
        let complete = self.received == batch;
        if self.received >= batch {
            self.received = 0;
        }
        Ok((lines, complete))
    }

    /// Compares complete lines with the expected lines, in order. Returns how many bytes and lines
    /// matched.
    fn check(&mut self, bytes: &[u8]) -> io::Result<(usize, u32)> {
        let (mut used, mut lines) = (0, 0);
        loop {
            let rest = &bytes[used..];
            let expected = &self.incoming.bytes;
            if rest.starts_with(expected) {
                used += expected.len();
                lines += 1;
                self.incoming.advance();
                continue;
            }
            let Some(end) = memchr(b'\n', rest).filter(|_| !expected.starts_with(rest)) else {
                return Ok((used, lines));
            };
            if !self.protocol.is_notice(&rest[..end]) {
                let (got, expected) =
                    (String::from_utf8_lossy(&rest[..end]), String::from_utf8_lossy(expected));
                return Err(io::Error::other(format!("received {got:?} instead of {expected:?}")));
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
        _ => Err(io::Error::other("a write was incomplete: the server reads too slowly")),
    }
}
