//! The client without a terminal: what comes in is sent, what the server says goes out, as plain
//! text without its prompts, so that it can stand in a pipe.
//!
//! At the end of the input our half of the connection ends, and every answer is printed before
//! the client does.

use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use rustix::stdio::{stdin, stdout};

use super::connection::{Connection, Outcome, Received, describe};
use super::terminal::write_all;
use crate::client::options::ConnectArgs;
use crate::client::ui::server_line::{News, Question, ServerLine};
use crate::client::ui::state_machine::cannot_connect;
use crate::core::limits::PIPE_READ_BYTES;
use crate::core::time::Time;

const INPUT: Token = Token(0);
/// The token that the pipe's connection is to be made with.
pub(in crate::client) const SOCKET: Token = Token(1);

/// The byte that begins a telnet command, and is said as text by saying it twice (2.2.1).
const IAC: u8 = 255;

/// The pipe and what it holds together.
struct Route {
    poll: Poll,
    connection: Connection,
    input: InputState,
    output: Output,
}

/// What is known of the input.
#[derive(Debug, PartialEq, Eq)]
enum InputState {
    /// It tells when there is something to read.
    Waiting,
    /// Reading it will not block: it has told, or it is a file, which never tells.
    Ready,
    /// It has ended.
    Ended,
}

/// Where the server's lines go.
struct Output {
    /// What the server said in one advance, to be printed at its end.
    out: Vec<u8>,
    shows_prompts: bool,
    /// The server has said goodbye.
    is_over: bool,
}

/// Carries the standard input to the server and its answers to the standard output. Says why, if
/// the connection failed or was lost.
pub(in crate::client) fn run(
    args: &ConnectArgs,
    connection: Connection,
    shows_prompts: bool,
) -> Result<(), String> {
    let started = clock();
    let cannot_wait = |error: io::Error| format!("cannot wait for input: {}", describe(&error));
    let mut pipe = Route::new(connection, shows_prompts).map_err(cannot_wait)?;
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
            Some(Outcome::Failed(reason)) => return Err(cannot_connect(&args.server, &reason)),
            Some(Outcome::Lost { reason, is_clean }) => return pipe.end(reason, is_clean),
        }
        let elapsed = clock().duration_since(started).as_millis();
        let now = Time::START.after_ms(u64::try_from(elapsed).unwrap_or(u64::MAX));
        pipe.wait(&mut events, now, is_connected).map_err(cannot_wait)?;
        if is_connected {
            pipe.read_input()?;
        }
        let is_ready = events.iter().any(|event| event.token() == SOCKET);
        outcome = pipe.advance(is_ready, now)?;
    }
}

impl Route {
    fn new(connection: Connection, shows_prompts: bool) -> io::Result<Route> {
        let poll = Poll::new()?;
        let input = match watch_input(poll.registry()) {
            Ok(()) => InputState::Waiting,
            // epoll does not take files, since they are always ready.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => InputState::Ready,
            Err(error) => return Err(error),
        };
        let output = Output { out: Vec::new(), shows_prompts, is_over: false };
        Ok(Route { poll, connection, input, output })
    }

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

    /// Reads the input once, if the server has taken what was read before: so no file is too
    /// long, and a server that slows us slows what is before us in the pipe.
    fn read_input(&mut self) -> Result<(), String> {
        if self.input != InputState::Ready || !self.connection.is_drained() {
            return Ok(());
        }
        let mut bytes = vec![0; PIPE_READ_BYTES];
        let count = match rustix::io::read(stdin(), &mut bytes).map_err(io::Error::from) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.input = InputState::Waiting;
                return Ok(());
            }
            Err(error) => return Err(format!("cannot read the input: {}", describe(&error))),
        };
        if count == 0 {
            self.input = InputState::Ended;
            self.connection.finish();
            return Ok(());
        }
        bytes.truncate(count);
        self.connection.push(as_text(bytes));
        if watch_input_again(self.poll.registry()).is_ok() {
            self.input = InputState::Waiting;
        }
        Ok(())
    }

    fn advance(&mut self, is_ready: bool, now: Time) -> Result<Option<Outcome>, String> {
        self.connection.flush();
        let output = &mut self.output;
        let hear = |heard: Received<'_>| output.print(heard);
        let outcome = self.connection.advance(self.poll.registry(), now, is_ready, hear);
        self.connection.flush();
        self.output.flush()?;
        Ok(outcome)
    }

    /// Whether the connection ended as it should: after goodbye, or when there was nothing more
    /// to say and the server had answered it all.
    fn end(&self, reason: String, is_clean: bool) -> Result<(), String> {
        let all_said = self.input == InputState::Ended && self.connection.is_drained();
        if self.output.is_over || (all_said && is_clean) {
            Ok(())
        } else {
            Err(format!("the connection was lost: {reason}"))
        }
    }
}

impl Output {
    fn print(&mut self, heard: Received<'_>) {
        let Received::Line(line) = heard else { return };
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
            ServerLine::Information(text) => self.is_over |= News::read(text) == News::Goodbye,
            ServerLine::Error(_)
            | ServerLine::Row(_)
            | ServerLine::Message { .. }
            | ServerLine::Unknown(_) => {}
        }
        self.out.extend_from_slice(line.as_bytes());
        self.out.push(b'\n');
    }

    fn flush(&mut self) -> Result<(), String> {
        let printed = write_all(stdout(), &self.out);
        self.out.clear();
        printed.map_err(|error| format!("cannot print: {}", describe(&error)))
    }
}

fn watch_input(registry: &Registry) -> io::Result<()> {
    registry.register(&mut SourceFd(&stdin().as_raw_fd()), INPUT, Interest::READABLE)
}

/// Makes the kernel look again whether there is more to read; it fails for files.
fn watch_input_again(registry: &Registry) -> io::Result<()> {
    registry.reregister(&mut SourceFd(&stdin().as_raw_fd()), INPUT, Interest::READABLE)
}

/// The bytes, such that none of them is a telnet command.
fn as_text(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.contains(&IAC) {
        return bytes;
    }
    bytes.into_iter().flat_map(|byte| vec![byte; if byte == IAC { 2 } else { 1 }]).collect()
}

#[expect(clippy::disallowed_methods, reason = "the loop is what reads the clock")]
fn clock() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (6.1.4, 4.8.6, 4.8.7, 4.8.8, 6.3.1)
    #[test]
    fn of_a_room_everything_comes_through_as_it_was_said() {
        let mut output = Output { out: Vec::new(), shows_prompts: false, is_over: false };
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
        assert!(!output.is_over, "whoever is called Goodbye ends nothing");
    }
}
