//! The client's connection to the server: connects, reads lines, writes lines.
//!
//! The loop of the terminal client and the loop of the pipe each own one [`Connection`] and call
//! [`Connection::advance`] once per turn. This module knows nothing of chats, rooms or screens.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};

use mio::{Registry, Token};

use super::acknowledged::Acknowledged;
use super::attempt::{Attempt, Progress};
use super::channel::Channel;
use super::socket::{cannot_find, describe, start_connecting};
use super::trust::{Refusal, Trust};
use crate::client::options::Server;
use crate::client::ui::privacy::Privacy;
use crate::core::buffers::Pool;
use crate::core::framing::{Frame, LineReader};
use crate::core::limits::{
    CONNECT_TIMEOUT_MS, READ_BYTES_PER_TURN, SERVER_LINE_BYTES_MAX, SILENCE_MS,
};
use crate::core::time::Time;

/// The socket to the server and its buffers. One value serves every reconnect.
#[derive(Debug)]
pub(in crate::client) struct Connection {
    /// Every address of the server, in the order of the resolver (RFC 6724 sorts them).
    addresses: Vec<SocketAddr>,
    /// What the connection trusts; `None` without TLS.
    trust: Option<Trust>,
    token: Token,
    state: State,
    /// Turns bytes into lines. Each new connection starts with a fresh reader: half a line of the
    /// last connection must not run into the first line of the next.
    reader: LineReader,
    pool: Pool,
    read_buffer: Vec<u8>,
    /// Bytes to send, in order. It is kept while there is no connection, because the first line
    /// may be pushed before the connection is open.
    outgoing: VecDeque<Vec<u8>>,
    /// Bytes of the first element of `outgoing` that the kernel has already taken.
    written: usize,
    acknowledged: Acknowledged,
}

/// How far the end of our half is, once all lines are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finishing {
    /// It is not wanted yet, or done.
    No,
    /// The question comes next.
    Ask,
    /// The end itself comes next.
    End,
}

/// IAC AYT: asks a server whether it is there (2.2.3; RFC 854).
const ARE_YOU_THERE: &[u8] = &[255, 246];
/// IAC NOP: does nothing (RFC 854).
const NOTHING: &[u8] = &[255, 241];

/// The state of the socket.
#[derive(Debug)]
enum State {
    /// There is no socket.
    Closed,
    /// An attempt to connect is under way.
    Connecting {
        attempt: Attempt,
        /// Index of the tried address in `addresses`.
        address_index: usize,
        /// One text for each address that has failed before.
        failures: Vec<String>,
        /// When to give this address up and to try the next.
        deadline: Time,
    },
    /// The socket is connected.
    Open {
        channel: Channel,
        /// The last read did not reach `WouldBlock`. With edge-triggered polling no new event
        /// announces the bytes that are left (epoll(7)), so the next turn must read without one.
        still_readable: bool,
        /// What to do as soon as `outgoing` is empty.
        finishing: Finishing,
        /// When the silence of the server is too long; `None` once it has said something.
        silent_until: Option<Time>,
    },
}

/// A change of the connection that the loop must act on.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::client) enum Outcome {
    /// The connection is open.
    Connected(Privacy),
    /// Nobody vouches for the server's certificate. The user can confirm its fingerprint, see
    /// [`Connection::trust`], and connect again.
    Untrusted { fingerprint: String },
    /// No address accepted the connection. The text holds the reason of each address.
    Failed(String),
    /// An open connection has ended. `is_clean` is true if the server ended it: with FIN, and with
    /// TLS close_notify. It is false if the network failed. A pipe exits with an error only in the second case.
    Lost { reason: String, is_clean: bool },
}

/// One unit of the server's output.
#[derive(Debug, Clone, Copy)]
pub(in crate::client) enum Received<'a> {
    /// A line without control characters: it is safe to write to any terminal.
    Line(&'a str),
    /// Bytes that are not a valid line, for example a line over `SERVER_LINE_BYTES_MAX`.
    Unreadable,
}

impl Connection {
    /// Looks up the addresses of `server`, but does not connect yet.
    ///
    /// The lookup blocks (getaddrinfo(3) has no other mode). The client has nothing else to do at
    /// this point. Reconnects use the same addresses, so they never block.
    ///
    /// # Errors
    /// If the name cannot be resolved. The text is ready to print.
    pub(in crate::client) fn new(
        server: &Server,
        trust: Option<Trust>,
        token: Token,
    ) -> Result<Connection, String> {
        let lookup = (server.host.as_str(), server.port).to_socket_addrs();
        let addresses: Vec<_> =
            lookup.map_err(|error| cannot_find(&server.host, &describe(&error)))?.collect();
        Ok(Connection {
            addresses,
            trust,
            token,
            state: State::Closed,
            reader: LineReader::new(SERVER_LINE_BYTES_MAX),
            pool: Pool::default(),
            read_buffer: vec![0; READ_BYTES_PER_TURN],
            outgoing: VecDeque::new(),
            written: 0,
            acknowledged: Acknowledged::default(),
        })
    }

    /// Starts to connect to the first address. An outcome is returned only if every address fails
    /// at once; otherwise [`Connection::advance`] reports it later.
    pub(in crate::client) fn connect(&mut self, registry: &Registry, now: Time) -> Option<Outcome> {
        self.reader = LineReader::new(SERVER_LINE_BYTES_MAX);
        self.acknowledged.forget();
        self.connect_from(registry, now, 0, Vec::new())
    }

    /// Trusts the certificate with this fingerprint from now on.
    ///
    /// # Errors
    /// It cannot be remembered for the next time. The text is ready to print.
    pub(in crate::client) fn trust(&mut self, fingerprint: &str) -> Result<(), String> {
        self.trust.as_mut().map_or(Ok(()), |trust| trust.confirm(fingerprint))
    }

    /// Queues `bytes`. The next [`Connection::flush`] sends them.
    pub(in crate::client) fn push(&mut self, bytes: Vec<u8>) {
        self.outgoing.push_back(bytes);
    }

    /// Ends our half of the connection after the queued bytes are sent (2.1.6). The other half
    /// stays open: the server's replies still arrive.
    ///
    /// A question goes before the end. Its answer proves that the server has processed every line.
    /// Without the answer a FIN from the server could come from its crash.
    pub(in crate::client) fn finish(&mut self) {
        if let State::Open { finishing, .. } = &mut self.state {
            *finishing = Finishing::Ask;
        }
    }

    /// How many of the pushed bytes the server's kernel has not acknowledged. Where the kernel does
    /// not say, only the bytes count that it has not taken.
    pub(in crate::client) fn unacknowledged(&mut self) -> usize {
        let queued = self.outgoing.iter().map(Vec::len).sum::<usize>() - self.written;
        let State::Open { channel, .. } = &mut self.state else { return queued };
        let missing = self.acknowledged.bytes_missing(|| {
            let stream = channel.stream();
            Ok((stream.local_addr()?, stream.peer_addr()?))
        });
        queued + channel.missing(missing.unwrap_or(0))
    }

    /// Whether the kernel has taken every queued byte.
    pub(in crate::client) fn is_drained(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// Empties the queue and returns its lines without their endings. A partly sent line is
    /// returned whole: the user can decide about a line, but not about the rest of a line.
    pub(in crate::client) fn take_unsent(&mut self) -> Vec<String> {
        self.written = 0;
        let line = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
        self.outgoing.drain(..).map(line).collect()
    }

    /// Milliseconds until [`Connection::advance`] must be called even without an event. `None`
    /// means that only an event matters, and the loop may sleep for ever.
    pub(in crate::client) fn poll_timeout(&self, now: Time) -> Option<u64> {
        match &self.state {
            State::Closed => None,
            State::Connecting { deadline, .. } => Some(deadline.ms_since(now)),
            State::Open { still_readable: true, .. } => Some(0),
            State::Open { silent_until, .. } => silent_until.map(|until| until.ms_since(now)),
        }
    }

    /// Does what is possible without blocking: checks an attempt to connect, or reads once. The
    /// loop calls this once per turn; `is_ready` tells whether the poll reported the socket.
    /// Each line goes to `receive`, because a returned list would copy every line.
    pub(in crate::client) fn advance(
        &mut self,
        registry: &Registry,
        now: Time,
        is_ready: bool,
        receive: impl FnMut(Received<'_>),
    ) -> Option<Outcome> {
        match &mut self.state {
            State::Closed => None,
            State::Connecting { .. } => self.advance_connecting(registry, now, is_ready),
            State::Open { channel, still_readable, silent_until, .. } => {
                if silent_until.is_some_and(|until| until <= now) {
                    *silent_until = None;
                    // A client that says something needs no help. An error will show in the read.
                    if self.outgoing.is_empty() {
                        let _ = channel.write_aside(NOTHING);
                    }
                }
                let is_readable = is_ready || *still_readable;
                let outcome = if is_readable { self.read(receive) } else { None };
                if outcome.is_some() {
                    self.state = State::Closed;
                }
                outcome
            }
        }
    }

    /// Writes as many queued bytes as the socket takes.
    ///
    /// A write error is not reported here. The next read reports the same failure, but only after
    /// the server's last lines, and those often tell why the server closed.
    pub(in crate::client) fn flush(&mut self) {
        let State::Open { channel, finishing, .. } = &mut self.state else { return };
        while let Some(first) = self.outgoing.front() {
            match channel.write(&first[self.written..]) {
                Ok(count) if self.written + count < first.len() => self.written += count,
                Ok(_) => {
                    self.outgoing.pop_front();
                    self.written = 0;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
        let is_blocked = |error: &Error| error.kind() == ErrorKind::WouldBlock;
        if *finishing == Finishing::Ask {
            if channel.write(ARE_YOU_THERE).is_err_and(|error| is_blocked(&error)) {
                return;
            }
            // Not again if the end has to wait: nothing may follow it.
            *finishing = Finishing::End;
        }
        if *finishing == Finishing::End {
            if channel.end().is_err_and(|error| is_blocked(&error)) {
                return;
            }
            *finishing = Finishing::No;
        }
    }

    /// Starts an attempt at the first address from index `first` on that does not fail at once.
    fn connect_from(
        &mut self,
        registry: &Registry,
        now: Time,
        first: usize,
        mut failures: Vec<String>,
    ) -> Option<Outcome> {
        for address_index in first..self.addresses.len() {
            let address = self.addresses[address_index];
            match start_connecting(registry, self.token, address) {
                Ok(stream) => {
                    let deadline = now.after_ms(CONNECT_TIMEOUT_MS);
                    let attempt = Attempt::Tcp(stream);
                    self.state = State::Connecting { attempt, address_index, failures, deadline };
                    return None;
                }
                Err(error) => failures.push(self.failure(address_index, &describe(&error))),
            }
        }
        self.state = State::Closed;
        Some(Outcome::Failed(failures.join("; ")))
    }

    /// Describes why one address failed. With a single address the reason alone is enough.
    fn failure(&self, address_index: usize, reason: &str) -> String {
        match &self.addresses[..] {
            [_] => reason.to_owned(),
            addresses => format!("{}: {reason}", addresses[address_index]),
        }
    }

    /// Checks the attempt that is under way. On failure or timeout the next address is tried.
    fn advance_connecting(
        &mut self,
        registry: &Registry,
        now: Time,
        is_ready: bool,
    ) -> Option<Outcome> {
        let state = std::mem::replace(&mut self.state, State::Closed);
        let State::Connecting { attempt, address_index, mut failures, deadline } = state else {
            return None;
        };
        let failure = match attempt.advance(self.trust.as_ref(), is_ready) {
            Ok(Progress::Open(channel)) => return Some(self.open(channel, now)),
            Ok(Progress::Waits(attempt)) if now < deadline => {
                self.state = State::Connecting { attempt, address_index, failures, deadline };
                return None;
            }
            Ok(Progress::Waits(attempt)) => attempt.lateness().to_owned(),
            Err(Refusal::Unknown { fingerprint }) => {
                return Some(Outcome::Untrusted { fingerprint });
            }
            Err(Refusal::Failed(reason)) => reason,
        };
        failures.push(self.failure(address_index, &failure));
        self.connect_from(registry, now, address_index + 1, failures)
    }

    fn open(&mut self, channel: Channel, now: Time) -> Outcome {
        let privacy = channel.privacy();
        let silent_until = Some(now.after_ms(SILENCE_MS));
        // The first bytes may have come with the event that reported the connection.
        self.state =
            State::Open { channel, still_readable: true, finishing: Finishing::No, silent_until };
        Outcome::Connected(privacy)
    }

    /// Reads one buffer, at most `READ_BYTES_PER_TURN` bytes. A server that never stops sending
    /// thus cannot keep the loop from reading keys.
    fn read(&mut self, mut receive: impl FnMut(Received<'_>)) -> Option<Outcome> {
        let State::Open { channel, still_readable, silent_until, .. } = &mut self.state else {
            return None;
        };
        let ended = match channel.read(&mut self.read_buffer) {
            Ok(0) => ("the server closed the connection".to_owned(), true),
            Ok(count) => {
                *still_readable = true;
                *silent_until = None;
                let mut bytes = &self.read_buffer[..count];
                while let Some(frame) = self.reader.next(&mut self.pool, &mut bytes) {
                    forward_frame(frame, &mut self.pool, &mut receive);
                }
                return None;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                *still_readable = false;
                return None;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                *still_readable = true;
                return None;
            }
            Err(error) => (describe(&error), false),
        };
        // A last line without an ending still counts: it may tell why the server closes.
        if let Some(frame) = self.reader.finish(&mut self.pool) {
            forward_frame(frame, &mut self.pool, &mut receive);
        }
        let (reason, is_clean) = ended;
        Some(Outcome::Lost { reason, is_clean })
    }
}

/// Gives one frame to `receive` and returns its buffer to the pool.
fn forward_frame(frame: Frame<'_>, pool: &mut Pool, receive: &mut impl FnMut(Received<'_>)) {
    match &frame {
        Frame::Line(_) | Frame::Assembled(_) => {
            receive(frame.text().map_or(Received::Unreadable, Received::Line));
        }
        // A reply would refuse a telnet option (RFC 854). chinwag's server offers none.
        Frame::Reply(_) => {}
        Frame::Input(_) => receive(Received::Unreadable),
    }
    frame.recycle(pool);
}

#[cfg(test)]
mod tests;
