//! The consoles: a Unix listener and its connections, in the same loop as the users.
//!
//! This module knows readiness, lines and unsent answers. `operator_commands.rs` executes the
//! commands. An operator who does not read the answers causes backpressure: the server reads no
//! further command until the socket has taken the last answer (8.1.4).

use std::io::{self, Read, Write};

use log::{debug, info, warn};
use mio::event::Event;
use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use slab::Slab;

mod waiting;

pub(super) use waiting::wait;

use super::connection::IoOutcome;
use super::socket_file::SocketFile;
use crate::core::limits::{CONSOLES_MAX, READ_BYTES_PER_TURN};
use crate::core::operator::{Answer, AnswerFormat, CommandReader, CommandRefusal, LineFault};

/// The lowest poll token of a console. User connections count up from 0, user listeners count down
/// from `usize::MAX`; the middle is free.
pub(super) const FIRST_CONSOLE: usize = usize::MAX / 2;
/// The poll token of the listener, above the tokens of all consoles.
const LISTENER: usize = FIRST_CONSOLE + CONSOLES_MAX;

/// The listener for operators and the open consoles.
#[derive(Debug)]
pub(super) struct Consoles {
    listener: UnixListener,
    /// Removes the socket file when it is dropped.
    file: SocketFile,
    /// An event reported a connection to accept, and no accept has emptied the queue since.
    has_pending: bool,
    /// The open consoles; at most [`CONSOLES_MAX`].
    connections: Slab<ConsoleConnection>,
    /// Consoles opened so far.
    opened: u64,
}

/// One open console.
#[derive(Debug)]
pub(super) struct ConsoleConnection {
    /// Tells this console from a later one with the same key.
    pub(super) number: u64,
    stream: UnixStream,
    reader: CommandReader,
    /// Bytes that were read from the socket and not yet passed to `reader`. One read may bring
    /// several commands, and a turn serves one.
    unread: Vec<u8>,
    /// The part of the last answer that the socket has not taken.
    output: Vec<u8>,
    /// An event reported readiness, and no read or write has returned `WouldBlock` since.
    is_ready: bool,
    /// A command waits for its answer, and further ones wait for it.
    is_waiting: bool,
    /// No line has been read yet. Only the first line of a console may be an HTTP request (8.3.2).
    pub(super) is_first_line: bool,
    /// Close the console as soon as the socket has taken the output.
    is_closing: bool,
}

/// What became of a line of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Streamed {
    /// The console has taken it, or will.
    Sent,
    /// The console has not taken what came before.
    Busy,
    /// The console is closed.
    Gone,
}

/// What a console has for the server.
#[derive(Debug)]
pub(super) enum ConsoleInput {
    /// A line, or the fault of a line.
    Line(Result<String, LineFault>),
    /// Nothing at present.
    Nothing,
    /// The console is to be closed.
    End,
}

impl Consoles {
    /// Creates the consoles of a listener. The caller must call [`Consoles::register`].
    pub(super) fn new((listener, file): (UnixListener, SocketFile)) -> Consoles {
        Consoles { listener, file, has_pending: false, connections: Slab::new(), opened: 0 }
    }

    /// Adds the listener to the poll.
    ///
    /// # Errors
    /// The poll refuses the socket.
    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        registry.register(&mut self.listener, Token(LISTENER), Interest::READABLE)?;
        info!(target: "chinwag", "operator console at {}", self.file.path().display());
        Ok(())
    }

    /// The number of open consoles.
    pub(super) fn count(&self) -> usize {
        self.connections.len()
    }

    /// Whether the next turn has work here without a new event.
    pub(super) fn has_work(&self) -> bool {
        self.has_pending || self.connections.iter().any(|(_, connection)| connection.has_work())
    }

    /// Records a readiness event for a token at or above [`FIRST_CONSOLE`].
    pub(super) fn record_event(&mut self, event: &Event) {
        let Token(key) = event.token();
        if key == LISTENER {
            self.has_pending = true;
        } else if let Some(connection) = self.connections.get_mut(key - FIRST_CONSOLE) {
            connection.is_ready = true;
        }
    }

    /// Accepts all waiting operators, up to the limit on consoles (7.31).
    pub(super) fn accept(&mut self, registry: &Registry) {
        while self.has_pending {
            match self.listener.accept() {
                Ok((stream, _)) => self.admit(registry, stream),
                Err(e) => {
                    self.has_pending = e.kind() == io::ErrorKind::Interrupted;
                    if !matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
                        // No retry: the waiting operator is accepted with the next event.
                        warn!(target: "chinwag", "cannot accept an operator: {e}");
                    }
                }
            }
        }
    }

    /// Registers a new console, or tells the operator that there are too many and closes.
    fn admit(&mut self, registry: &Registry, mut stream: UnixStream) {
        if self.connections.len() >= CONSOLES_MAX {
            let mut line = String::new();
            Answer::Refused(CommandRefusal::ConsolesFull).encode(AnswerFormat::Text, &mut line);
            // One attempt is enough: the send buffer of a new socket is empty.
            return drop(stream.write(line.as_bytes()));
        }
        self.opened += 1;
        let entry = self.connections.vacant_entry();
        let token = Token(FIRST_CONSOLE + entry.key());
        let interest = Interest::READABLE | Interest::WRITABLE;
        match registry.register(&mut stream, token, interest) {
            Ok(()) => drop(entry.insert(ConsoleConnection::new(self.opened, stream))),
            Err(e) => warn!(target: "chinwag", "cannot poll an operator's console: {e}"),
        }
    }

    /// The keys of the consoles that may have input or take output. A copy, because serving a
    /// console needs all of the server.
    pub(super) fn ready(&self) -> Vec<usize> {
        self.connections
            .iter()
            .filter(|(_, connection)| connection.has_work())
            .map(|(key, _)| key)
            .collect()
    }

    /// The console that asked, if it is still open.
    pub(super) fn find(&mut self, key: usize, number: u64) -> Option<&mut ConsoleConnection> {
        self.connections.get_mut(key).filter(|connection| connection.number == number)
    }

    pub(super) fn connection(&mut self, key: usize) -> &mut ConsoleConnection {
        &mut self.connections[key]
    }

    /// Closes a console and frees its place.
    pub(super) fn close(&mut self, key: usize) {
        debug!(target: "chinwag", "operator: console closed");
        drop(self.connections.remove(key));
    }
}

impl ConsoleConnection {
    fn new(number: u64, stream: UnixStream) -> ConsoleConnection {
        ConsoleConnection {
            number,
            is_waiting: false,
            stream,
            reader: CommandReader::default(),
            unread: Vec::new(),
            output: Vec::new(),
            is_ready: true,
            is_first_line: true,
            is_closing: false,
        }
    }

    pub(super) fn has_work(&self) -> bool {
        self.is_ready && !self.is_waiting
    }

    /// Takes no further command until [`ConsoleConnection::answer`].
    pub(super) fn wait(&mut self) {
        self.is_waiting = true;
    }

    /// Writes the waiting output first. If none is left, returns the next line, after at most one
    /// read: a console that sends without end must not delay the users.
    pub(super) fn next_input(&mut self, buffer: &mut [u8]) -> ConsoleInput {
        if let Some(input) = self.write() {
            return input;
        }
        if let Some(line) = self.next_line() {
            return ConsoleInput::Line(line);
        }
        let len = buffer.len().min(READ_BYTES_PER_TURN);
        match IoOutcome::of(|| self.stream.read(&mut buffer[..len])) {
            IoOutcome::Bytes(n) => {
                self.unread.extend_from_slice(&buffer[..n]);
                self.next_line().map_or(ConsoleInput::Nothing, ConsoleInput::Line)
            }
            IoOutcome::Nothing => {
                self.is_ready = false;
                ConsoleInput::Nothing
            }
            IoOutcome::End => self.end_input(),
            IoOutcome::Failed(_) => ConsoleInput::End,
        }
    }

    /// Queues an answer and writes as much as the socket takes. Returns `None` if the socket took
    /// all of the answer and the console stays open.
    pub(super) fn answer(&mut self, text: &str) -> Option<ConsoleInput> {
        self.is_waiting = false;
        self.output.extend_from_slice(text.as_bytes());
        self.write()
    }

    /// Closes the console after its next answer.
    pub(super) fn close_after_answer(&mut self) {
        self.is_closing = true;
    }

    /// Takes the next complete line out of the bytes already read.
    fn next_line(&mut self) -> Option<Result<String, LineFault>> {
        let mut rest = self.unread.as_slice();
        let line = self.reader.next(&mut rest);
        let used = self.unread.len() - rest.len();
        self.unread.drain(..used);
        line
    }

    /// Handles the end of the operator's input. A partial line still gets an answer.
    fn end_input(&mut self) -> ConsoleInput {
        match self.reader.finish() {
            Some(fault) => {
                self.is_closing = true;
                ConsoleInput::Line(Err(fault))
            }
            None => ConsoleInput::End,
        }
    }

    /// Writes the waiting output. Returns `None` once no output waits and the console stays open.
    fn write(&mut self) -> Option<ConsoleInput> {
        while !self.output.is_empty() {
            match IoOutcome::of(|| self.stream.write(&self.output)) {
                IoOutcome::Bytes(n) => drop(self.output.drain(..n)),
                IoOutcome::Nothing => {
                    self.is_ready = false;
                    return Some(ConsoleInput::Nothing);
                }
                IoOutcome::End | IoOutcome::Failed(_) => return Some(ConsoleInput::End),
            }
        }
        self.is_closing.then_some(ConsoleInput::End)
    }
}
