//! The socket to the server: made at whichever of its addresses answers first, read into lines,
//! written from lines. Both loops of the client, the terminal's and the pipe's, hold one.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};

use crate::client::options::Server;
use crate::core::buffers::Pool;
use crate::core::framing::{Frame, LineReader};
use crate::core::limits::{
    self, CONNECT_TIMEOUT_MS, KEEPALIVE_COUNT, KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S,
    READ_BYTES_PER_TURN, SERVER_LINE_BYTES_MAX,
};
use crate::core::time::Time;

/// The one way to the server.
#[derive(Debug)]
pub(in crate::client) struct Connection {
    addresses: Vec<SocketAddr>,
    token: Token,
    state: State,
    reader: LineReader,
    pool: Pool,
    read_buffer: Vec<u8>,
    /// What is to be sent, and how much of its first part has been.
    waiting: VecDeque<Vec<u8>>,
    written: usize,
}

/// The state of the socket.
#[derive(Debug)]
enum State {
    Closed,
    /// A try to connect. `number` tells which address it is for, `failures` what came of others.
    Connecting {
        stream: TcpStream,
        number: usize,
        failures: Vec<String>,
        until: Time,
    },
    Open {
        stream: TcpStream,
        /// There is more to read than one turn allows.
        still_readable: bool,
        /// Nothing will be sent after what waits.
        finishing: bool,
    },
}

/// What came of the connection.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::client) enum Outcome {
    /// It is there.
    Connected,
    /// It could not be made, at any address, for these reasons.
    Failed(String),
    /// It is gone. `in_order` says that the server ended it and the network did not fail.
    Lost { reason: String, in_order: bool },
}

/// Something of what the server says.
#[derive(Debug, Clone, Copy)]
pub(in crate::client) enum Received<'a> {
    /// A line, safe for any terminal.
    Line(&'a str),
    /// Bytes that made no line.
    Unreadable,
}

impl Connection {
    /// A connection to be made to `server`. Looks its name up, which takes as long as it takes:
    /// there is nothing else to do yet, and the addresses serve until the client ends.
    pub(in crate::client) fn new(server: &Server, token: Token) -> Result<Connection, String> {
        let found = (server.host.as_str(), server.port).to_socket_addrs();
        let addresses: Vec<_> = found
            .map_err(|error| format!("cannot find {}: {}", server.host, words(&error)))?
            .collect();
        Ok(Connection {
            addresses,
            token,
            state: State::Closed,
            reader: LineReader::new(SERVER_LINE_BYTES_MAX),
            pool: Pool::default(),
            read_buffer: vec![0; READ_BYTES_PER_TURN],
            waiting: VecDeque::new(),
            written: 0,
        })
    }

    /// Begins to connect, at the first address.
    pub(in crate::client) fn connect(&mut self, registry: &Registry, now: Time) -> Option<Outcome> {
        self.reader = LineReader::new(SERVER_LINE_BYTES_MAX);
        self.try_from(registry, now, 0, Vec::new())
    }

    /// Adds to what is to be sent.
    pub(in crate::client) fn push(&mut self, bytes: Vec<u8>) {
        self.waiting.push_back(bytes);
    }

    /// Ends our half of the connection when all that waits has been sent (2.1.6).
    pub(in crate::client) fn finish(&mut self) {
        if let State::Open { finishing, .. } = &mut self.state {
            *finishing = true;
        }
    }

    /// Whether everything has been sent.
    pub(in crate::client) fn is_drained(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes back what has not been sent, whole lines without their endings.
    pub(in crate::client) fn take_unsent(&mut self) -> Vec<String> {
        self.written = 0;
        let line = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
        self.waiting.drain(..).map(line).collect()
    }

    /// Milliseconds until [`Connection::advance`] has something to do without an event.
    pub(in crate::client) fn poll_timeout(&self, now: Time) -> Option<u64> {
        match &self.state {
            State::Closed => None,
            State::Connecting { until, .. } => Some(until.ms_since(now)),
            State::Open { still_readable, .. } => still_readable.then_some(0),
        }
    }

    /// Takes note that the socket is ready, and goes on with whatever can be gone on with: to be
    /// called once a turn. What the server says goes to `hear`.
    pub(in crate::client) fn advance(
        &mut self,
        registry: &Registry,
        now: Time,
        is_ready: bool,
        hear: impl FnMut(Received<'_>),
    ) -> Option<Outcome> {
        match &mut self.state {
            State::Closed => None,
            State::Connecting { .. } => self.advance_connecting(registry, now, is_ready),
            State::Open { still_readable, .. } => {
                let is_readable = is_ready || *still_readable;
                let outcome = if is_readable { self.read(hear) } else { None };
                if outcome.is_some() {
                    self.state = State::Closed;
                }
                outcome
            }
        }
    }

    /// Writes as much of what waits as the socket takes. A failure is not told here: the next
    /// read tells it, after the server's last words.
    pub(in crate::client) fn flush(&mut self) {
        let State::Open { stream, finishing, .. } = &mut self.state else { return };
        while let Some(first) = self.waiting.front() {
            match stream.write(&first[self.written..]) {
                Ok(count) if self.written + count < first.len() => self.written += count,
                Ok(_) => {
                    self.waiting.pop_front();
                    self.written = 0;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
        if *finishing {
            let _ = stream.shutdown(Shutdown::Write);
            *finishing = false;
        }
    }

    fn try_from(
        &mut self,
        registry: &Registry,
        now: Time,
        first: usize,
        mut failures: Vec<String>,
    ) -> Option<Outcome> {
        for number in first..self.addresses.len() {
            let address = self.addresses[number];
            match begin(registry, self.token, address) {
                Ok(stream) => {
                    let until = now.after_ms(CONNECT_TIMEOUT_MS);
                    self.state = State::Connecting { stream, number, failures, until };
                    return None;
                }
                Err(error) => failures.push(self.failure(number, &words(&error))),
            }
        }
        self.state = State::Closed;
        Some(Outcome::Failed(failures.join("; ")))
    }

    /// What came of one address; which one needs no saying if there is but one.
    fn failure(&self, number: usize, reason: &str) -> String {
        match &self.addresses[..] {
            [_] => reason.to_owned(),
            addresses => format!("{}: {reason}", addresses[number]),
        }
    }

    fn advance_connecting(
        &mut self,
        registry: &Registry,
        now: Time,
        is_ready: bool,
    ) -> Option<Outcome> {
        let State::Connecting { stream, until, .. } = &self.state else { return None };
        let result = if is_ready { connected(stream) } else { Ok(false) };
        let is_late = *until <= now;
        let failure = match result {
            Ok(false) if !is_late => return None,
            Ok(false) => "no answer".to_owned(),
            Ok(true) => String::new(),
            Err(error) => words(&error),
        };
        let State::Connecting { stream, number, mut failures, .. } =
            std::mem::replace(&mut self.state, State::Closed)
        else {
            return None;
        };
        if failure.is_empty() {
            keep_alive(&stream);
            self.state = State::Open { stream, still_readable: true, finishing: false };
            return Some(Outcome::Connected);
        }
        failures.push(self.failure(number, &failure));
        drop(stream);
        self.try_from(registry, now, number + 1, failures)
    }

    /// Reads one buffer, which is all there is unless it is full.
    fn read(&mut self, mut hear: impl FnMut(Received<'_>)) -> Option<Outcome> {
        let State::Open { stream, still_readable, .. } = &mut self.state else { return None };
        let ended = match stream.read(&mut self.read_buffer) {
            Ok(0) => ("the server closed the connection".to_owned(), true),
            Ok(count) => {
                *still_readable = true;
                let mut bytes = &self.read_buffer[..count];
                while let Some(frame) = self.reader.next(&mut self.pool, &mut bytes) {
                    hear_frame(frame, &mut self.pool, &mut hear);
                }
                return None;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                *still_readable = false;
                return None;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return None,
            Err(error) => (words(&error), false),
        };
        if let Some(frame) = self.reader.finish(&mut self.pool) {
            hear_frame(frame, &mut self.pool, &mut hear);
        }
        let (reason, in_order) = ended;
        Some(Outcome::Lost { reason, in_order })
    }
}

fn hear_frame(frame: Frame<'_>, pool: &mut Pool, hear: &mut impl FnMut(Received<'_>)) {
    match &frame {
        Frame::Line(_) | Frame::Assembled(_) => {
            hear(frame.text().map_or(Received::Unreadable, Received::Line));
        }
        // Our server negotiates nothing, so there is nobody to refuse to.
        Frame::Reply(_) => {}
        Frame::Input(_) => hear(Received::Unreadable),
    }
    frame.recycle(pool);
}

fn begin(registry: &Registry, token: Token, address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(stream)
}

/// Whether a connection that was begun is there; readiness alone does not say.
fn connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// Lets the kernel notice a server that has vanished, so that the client need not wake to ask.
/// A socket that cannot do that still works, so a failure changes nothing.
fn keep_alive(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(KEEPALIVE_IDLE_S))
        .with_interval(Duration::from_secs(KEEPALIVE_INTERVAL_S))
        .with_retries(KEEPALIVE_COUNT);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "android", target_os = "linux"))]
    let _ = socket.set_tcp_user_timeout(Some(Duration::from_millis(limits::USER_TIMEOUT_MS)));
    let _ = stream.set_nodelay(true);
}

/// An error as a person would say it, without its number.
pub(in crate::client) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
