//! The sockets of operators: a Unix listener and its connections, in the same loop and with tokens
//! of their own. What an order does is `operator.rs`'s; this knows readiness.
//!
//! An answer that is not taken is backpressure: until it has been, no further order is read (7.4).

use std::io::{self, Read, Write};

use log::{debug, info, warn};
use mio::event::Event;
use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use slab::Slab;

use super::connection::IoOutcome;
use super::socket_file::SocketFile;
use crate::core::limits::{CONSOLES_MAX, READ_BYTES_PER_TURN};
use crate::core::operator::{Answer, CommandReader, CommandRefusal, Fault, Form};

/// Consoles have the tokens from here on: connections count up from 0, and the listeners of users
/// down from the end.
pub(super) const FIRST_CONSOLE: usize = usize::MAX / 2;
const LISTENER: usize = FIRST_CONSOLE + CONSOLES_MAX;

/// The door for operators, and those who came in by it.
#[derive(Debug)]
pub(super) struct Consoles {
    listener: UnixListener,
    file: SocketFile,
    /// An edge said that somebody waits at the door.
    has_arrivals: bool,
    connections: Slab<ConsoleConnection>,
}

/// One console.
#[derive(Debug)]
pub(super) struct ConsoleConnection {
    stream: UnixStream,
    reader: CommandReader,
    /// What was read, and is no order yet.
    unread: Vec<u8>,
    output: Vec<u8>,
    /// There may be something to do: an edge said so, and no attempt has come to nothing since.
    is_ready: bool,
    /// Nothing has been read yet that ends in a line's ending.
    pub(super) is_new: bool,
    /// Once the output has been written it is closed.
    is_over: bool,
}

/// What comes of looking after a console.
#[derive(Debug)]
pub(super) enum ConsoleInput {
    /// A line, or what is wrong with it.
    Line(Result<String, Fault>),
    /// Nothing yet.
    Nothing,
    /// It is over: close it.
    End,
}

impl Consoles {
    /// The consoles of a listener that is to be registered.
    pub(super) fn new((listener, file): (UnixListener, SocketFile)) -> Consoles {
        Consoles { listener, file, has_arrivals: false, connections: Slab::new() }
    }

    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        registry.register(&mut self.listener, Token(LISTENER), Interest::READABLE)?;
        info!(target: "chinwag", "operators at {}", self.file.path().display());
        Ok(())
    }

    pub(super) fn count(&self) -> usize {
        self.connections.len()
    }

    /// Whether there is something to do without waiting for an event.
    pub(super) fn has_work(&self) -> bool {
        self.has_arrivals || self.connections.iter().any(|(_, connection)| connection.is_ready)
    }

    /// Remembers what the event of a token from [`FIRST_CONSOLE`] on says.
    pub(super) fn record_event(&mut self, event: &Event) {
        let Token(key) = event.token();
        if key == LISTENER {
            self.has_arrivals = true;
        } else if let Some(connection) = self.connections.get_mut(key - FIRST_CONSOLE) {
            connection.is_ready = true;
        }
    }

    /// Lets in whoever waits, as far as there is room (5.28).
    pub(super) fn accept(&mut self, registry: &Registry) {
        while self.has_arrivals {
            match self.listener.accept() {
                Ok((stream, _)) => self.admit(registry, stream),
                Err(e) => {
                    self.has_arrivals = e.kind() == io::ErrorKind::Interrupted;
                    if !matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
                        // Whoever waits is let in when the next one knocks.
                        warn!(target: "chinwag", "cannot accept an operator: {e}");
                    }
                }
            }
        }
    }

    fn admit(&mut self, registry: &Registry, mut stream: UnixStream) {
        if self.connections.len() >= CONSOLES_MAX {
            let mut line = String::new();
            Answer::CommandRefusal(CommandRefusal::Line(Fault::ConsolesFull))
                .encode(Form::Text, &mut line);
            // Best effort: a socket this new takes a line.
            return drop(stream.write(line.as_bytes()));
        }
        let entry = self.connections.vacant_entry();
        let token = Token(FIRST_CONSOLE + entry.key());
        let interest = Interest::READABLE | Interest::WRITABLE;
        match registry.register(&mut stream, token, interest) {
            Ok(()) => drop(entry.insert(ConsoleConnection::new(stream))),
            Err(e) => warn!(target: "chinwag", "an operator cannot be polled: {e}"),
        }
    }

    /// The consoles that something may be done for.
    pub(super) fn ready(&self) -> Vec<usize> {
        self.connections
            .iter()
            .filter(|(_, connection)| connection.is_ready)
            .map(|(key, _)| key)
            .collect()
    }

    pub(super) fn connection(&mut self, key: usize) -> &mut ConsoleConnection {
        &mut self.connections[key]
    }

    pub(super) fn close(&mut self, key: usize) {
        debug!(target: "chinwag", "operator: a console was closed");
        drop(self.connections.remove(key));
    }
}

impl ConsoleConnection {
    fn new(stream: UnixStream) -> ConsoleConnection {
        ConsoleConnection {
            stream,
            reader: CommandReader::default(),
            unread: Vec::new(),
            output: Vec::new(),
            is_ready: true,
            is_new: true,
            is_over: false,
        }
    }

    /// Writes what waits, and when nothing does, reads once for a line, so that whoever sends without
    /// end holds up nobody.
    pub(super) fn hear(&mut self, buffer: &mut [u8]) -> ConsoleInput {
        if let Some(heard) = self.write() {
            return heard;
        }
        if let Some(line) = self.next_line() {
            return ConsoleInput::Line(line);
        }
        let most = buffer.len().min(READ_BYTES_PER_TURN);
        match IoOutcome::of(|| self.stream.read(&mut buffer[..most])) {
            IoOutcome::Bytes(n) => {
                self.unread.extend_from_slice(&buffer[..n]);
                self.next_line().map_or(ConsoleInput::Nothing, ConsoleInput::Line)
            }
            IoOutcome::Nothing => {
                self.is_ready = false;
                ConsoleInput::Nothing
            }
            IoOutcome::End => self.end(),
            IoOutcome::Failed(_) => ConsoleInput::End,
        }
    }

    /// Answers, as far as the socket takes it; `Some` if the console is then to be closed.
    pub(super) fn answer(&mut self, text: &str) -> Option<ConsoleInput> {
        self.output.extend_from_slice(text.as_bytes());
        self.write()
    }

    /// The next answer is the last.
    pub(super) fn end_after_this(&mut self) {
        self.is_over = true;
    }

    fn next_line(&mut self) -> Option<Result<String, Fault>> {
        let mut rest = self.unread.as_slice();
        let line = self.reader.next(&mut rest);
        let used = self.unread.len() - rest.len();
        self.unread.drain(..used);
        line
    }

    fn end(&mut self) -> ConsoleInput {
        match self.reader.finish() {
            Some(fault) => {
                self.is_over = true;
                ConsoleInput::Line(Err(fault))
            }
            None => ConsoleInput::End,
        }
    }

    /// Writes what waits; `None` once nothing does and the console goes on.
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
        self.is_over.then_some(ConsoleInput::End)
    }
}
