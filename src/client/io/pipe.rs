//! The client without a terminal, for scripts and pipes.
//!
//! Standard input goes to the server; server lines go to standard output as plain text, without
//! prompts. At the end of the input the client sends FIN and prints every reply before it exits.
//! `client::run` calls [`run`]. This loop does not reconnect: a script must see a failure.

use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use rustix::stdio::{stdin, stdout};

use super::connection::{Connection, Finish, Outcome, Received, describe};
use super::terminal::write_all;
use crate::client::options::ConnectArgs;
use crate::client::ui::server_line::{News, Question, ServerLine};
use crate::client::ui::state_machine::cannot_connect;
use crate::core::limits::PIPE_READ_BYTES;
use crate::core::time::Time;

/// The token of standard input.
const INPUT: Token = Token(0);
/// `client::run` creates the pipe's [`Connection`] with this token.
pub(in crate::client) const SOCKET: Token = Token(1);

/// The byte that begins a telnet command. As text it must be sent twice (2.2.1; RFC 854).
const IAC: u8 = 255;

/// The loop's poll with both directions of the pipe.
struct Pipe {
    poll: Poll,
    connection: Connection,
    input: InputState,
    output: Output,
}

/// Whether standard input can be read.
#[derive(Debug, PartialEq, Eq)]
enum InputState {
    /// An event will tell when there are bytes to read.
    Waiting,
    /// A read will not block: an event has come, or the input is a file and needs no event.
    Ready,
    /// The end of the input was read. Nothing more is sent.
    Ended,
}

/// Standard output, and what was learned from the lines that went there.
struct Output {
    /// The lines of one turn. They are collected to cost a single system call.
    out: Vec<u8>,
    /// False for scripts: a prompt between two replies would be noise.
    shows_prompts: bool,
    /// The server has said goodbye, so the end of the connection is no failure.
    saw_goodbye: bool,
}

/// Runs the pipe until the connection ends.
///
/// # Errors
/// If the connection fails or is lost before every reply has come, or if standard input or output
/// fails. The text is ready to print.
pub(in crate::client) fn run(
    args: &ConnectArgs,
    connection: Connection,
    shows_prompts: bool,
) -> Result<(), String> {
    let started = clock();
    let cannot_wait = |error: io::Error| format!("cannot wait for input: {}", describe(&error));
    let mut pipe = Pipe::new(connection, shows_prompts).map_err(cannot_wait)?;
    if let Some(name) = &args.name {
        pipe.connection.push(format!("{name}\r\n").into_bytes());
    }
    let mut outcome = pipe.connection.connect(pipe.poll.registry(), Time::START);
    let mut events = Events::with_capacity(4);
    let mut is_connected = false;
    loop {
        match outcome {
            None => {}
            Some(Outcome::Connected) => is_connected = true,
            // A terminal user may wait for a retry. A script gets the error now.
            Some(Outcome::Failed(reason)) => return Err(cannot_connect(&args.server, &reason)),
            Some(Outcome::Lost { reason, is_clean }) => return pipe.end(reason, is_clean),
        }
        let elapsed = clock().duration_since(started).as_millis();
        let now = Time::START.after_ms(u64::try_from(elapsed).unwrap_or(u64::MAX));
        pipe.wait(&mut events, now, is_connected).map_err(cannot_wait)?;
        // Without a connection the input stays unread: its writer must wait.
        if is_connected {
            pipe.read_input()?;
        }
        let is_ready = events.iter().any(|event| event.token() == SOCKET);
        outcome = pipe.advance(is_ready, now)?;
    }
}

impl Pipe {
    fn new(connection: Connection, shows_prompts: bool) -> io::Result<Pipe> {
        let poll = Poll::new()?;
        let input = match watch_input(poll.registry()) {
            Ok(()) => InputState::Waiting,
            // epoll_ctl(2) refuses regular files (`EPERM`), because a read of a file never waits.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => InputState::Ready,
            Err(error) => return Err(error),
        };
        let output = Output { out: Vec::new(), shows_prompts, saw_goodbye: false };
        Ok(Pipe { poll, connection, input, output })
    }

    /// Waits for events. A file as input gives no events, so the poll must not sleep while the
    /// next part of a file can be sent.
    fn wait(&mut self, events: &mut Events, now: Time, is_connected: bool) -> io::Result<()> {
        let has_input =
            is_connected && self.input == InputState::Ready && self.connection.is_drained();
        let timeout_ms = match has_input {
            true => Some(0),
            false => self.connection.poll_timeout(now),
        };
        match self.poll.poll(events, timeout_ms.map(Duration::from_millis)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
            result => result?,
        }
        if events.iter().any(|event| event.token() == INPUT) && self.input == InputState::Waiting {
            self.input = InputState::Ready;
        }
        Ok(())
    }

    /// Reads the input once, but only after the last part has been sent. This is backpressure: a
    /// huge file needs no more memory than `PIPE_READ_BYTES`, and a slow server slows down the
    /// program that writes into the pipe.
    fn read_input(&mut self) -> Result<(), String> {
        if self.input != InputState::Ready || !self.connection.is_drained() {
            return Ok(());
        }
        let mut bytes = vec![0; PIPE_READ_BYTES];
        let count = match rustix::io::read(stdin(), &mut bytes).map_err(io::Error::from) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            // Another program that shares the descriptor may have made it non-blocking.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.input = InputState::Waiting;
                return Ok(());
            }
            Err(error) => return Err(format!("cannot read the input: {}", describe(&error))),
        };
        if count == 0 {
            self.input = InputState::Ended;
            self.connection.finish(Finish::Silently);
            return Ok(());
        }
        bytes.truncate(count);
        self.connection.push(escape_iac(bytes));
        // The input may block, so a second read needs a new event. For a file this call fails, and
        // the input stays ready.
        if watch_input_again(self.poll.registry()).is_ok() {
            self.input = InputState::Waiting;
        }
        Ok(())
    }

    /// Writes, reads and prints. If the connection opens in this turn, the second flush sends the
    /// first lines; no later event would announce a socket that is already writable.
    fn advance(&mut self, is_ready: bool, now: Time) -> Result<Option<Outcome>, String> {
        self.connection.flush();
        let output = &mut self.output;
        let receive = |received: Received<'_>| output.print(received);
        let outcome = self.connection.advance(self.poll.registry(), now, is_ready, receive);
        self.connection.flush();
        self.output.flush()?;
        Ok(outcome)
    }

    /// Decides between success and failure when the connection has ended. It is a success after
    /// goodbye. It is also a success if all input was sent and the server closed with FIN, since
    /// the server replies to everything before it closes (2.1.6).
    fn end(&self, reason: String, is_clean: bool) -> Result<(), String> {
        let all_sent = self.input == InputState::Ended && self.connection.is_drained();
        if self.output.saw_goodbye || (all_sent && is_clean) {
            Ok(())
        } else {
            Err(format!("the connection was lost: {reason}"))
        }
    }
}

impl Output {
    /// Adds a line to the output, except a prompt that a script does not need. A request to chat
    /// also waits for an answer, but it is news, so it is always printed.
    fn print(&mut self, received: Received<'_>) {
        let Received::Line(line) = received else { return };
        match ServerLine::read(line) {
            ServerLine::Question(text) => match Question::read(text) {
                Question::Username | Question::Menu | Question::Whom if !self.shows_prompts => {
                    return;
                }
                Question::Username
                | Question::Menu
                | Question::Whom
                | Question::Request(_)
                | Question::Unknown => {}
            },
            ServerLine::Information(text) => self.saw_goodbye |= News::read(text) == News::Goodbye,
            ServerLine::Error(_)
            | ServerLine::Row(_)
            | ServerLine::Message { .. }
            | ServerLine::Unknown(_) => {}
        }
        self.out.extend_from_slice(line.as_bytes());
        self.out.push(b'\n');
    }

    /// Prints the lines of this turn. It waits while the reader of the pipe is slow, and the
    /// server meanwhile applies backpressure to this client.
    fn flush(&mut self) -> Result<(), String> {
        let printed = write_all(stdout(), &self.out);
        self.out.clear();
        printed.map_err(|error| format!("cannot print: {}", describe(&error)))
    }
}

/// Registers standard input with the poll. Fails with `PermissionDenied` for files.
fn watch_input(registry: &Registry) -> io::Result<()> {
    registry.register(&mut SourceFd(&stdin().as_raw_fd()), INPUT, Interest::READABLE)
}

/// Makes the kernel check again for input, and report what is left. Fails for files.
fn watch_input_again(registry: &Registry) -> io::Result<()> {
    registry.reregister(&mut SourceFd(&stdin().as_raw_fd()), INPUT, Interest::READABLE)
}

/// Doubles every IAC byte, so that the server takes none of them for a telnet command.
fn escape_iac(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.contains(&IAC) {
        return bytes;
    }
    bytes.into_iter().flat_map(|byte| vec![byte; if byte == IAC { 2 } else { 1 }]).collect()
}

#[expect(clippy::disallowed_methods, reason = "only the loops read the clock")]
fn clock() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (6.1.4, 4.8.6, 4.8.7, 4.8.8, 6.3.1)
    #[test]
    fn lines_of_a_room_are_printed_unchanged_and_prompts_are_not_printed() {
        let mut output = Output { out: Vec::new(), shows_prompts: false, saw_goodbye: false };
        let lines = [
            "* You are now in lobby; quit leaves it",
            "- 2026-11-24 14:03Z ben: hi",
            "* Goodbye joined lobby",
            "? ben wants to chat, /yes or /no",
            "anna: hello",
            "* You left lobby",
        ];
        for line in lines {
            output.print(Received::Line(line));
        }
        output.print(Received::Line("? 1 list users, 2 request chat, 3 exit, 4 join a room"));
        assert_eq!(String::from_utf8_lossy(&output.out), format!("{}\n", lines.join("\n")));
        assert!(!output.saw_goodbye, "a user named Goodbye must not end the session");
    }
}
