//! The client without a terminal, for scripts and pipes.
//!
//! Standard input goes to the server; server lines go to standard output as plain text, without
//! prompts. At the end of the input the client sends FIN and prints every reply before it exits.
//! `client::run` calls [`run`]. This loop does not reconnect: a script must see a failure. `session`
//! tells whether the peer is a chinwag server that has accepted the username.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use rustix::stdio::{stdin, stdout};
use zeroize::Zeroizing;

use super::connection::{Connection, Outcome, Received};
use super::socket::describe;
use super::terminal::write_all;
use super::trust::unvouched;
use crate::client::options::{ConnectArgs, Server};
use crate::client::ui::state_machine::{cannot_connect, not_chinwag};
use crate::core::limits::{GREETING_MS, LINE_BYTES_MAX, PIPE_READ_BYTES};
use crate::core::time::Time;

/// The token of standard input.
const INPUT: Token = Token(0);
/// `client::run` creates the pipe's [`Connection`] with this token.
pub(in crate::client) const SOCKET: Token = Token(1);

/// The byte that begins a telnet command. As text it must be sent twice (2.2.1; RFC 854).
const IAC: u8 = 255;

mod session;

use session::{Session, end_of_first_line};

/// The loop's poll with both directions of the pipe.
struct Pipe {
    poll: Poll,
    server: Server,
    connection: Connection,
    input: InputState,
    /// Input behind the username, until the server has accepted the name: no line of input must
    /// become the username instead.
    held: Vec<u8>,
    /// The username is on its way to the server, or was accepted.
    is_name_sent: bool,
    password: Password,
    /// A person types the input. A person reads that a username is taken, and chooses another.
    is_interactive: bool,
    output: Output,
    /// When a chinwag server would have asked for a username; `None` before the connection is open.
    greeting_due: Option<Time>,
}

/// The password of the username, without a person who could type it.
enum Password {
    /// The first line of `--password-file`, until the server has asked for it.
    Given(Zeroizing<String>),
    /// None was given.
    Missing,
    /// None can be given: `--only-name` reads no file.
    Closed,
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
    session: Session,
}

/// Runs the pipe until the connection ends. `is_interactive` tells that standard input is a
/// terminal.
///
/// # Errors
/// If the connection fails or is lost before every reply has come, or if standard input or output
/// fails. The text is ready to print.
pub(in crate::client) fn run(
    args: &ConnectArgs,
    server: &Server,
    connection: Connection,
    is_interactive: bool,
) -> Result<(), String> {
    let started = clock();
    let cannot_wait = |error: io::Error| format!("cannot wait for input: {}", describe(&error));
    let mut pipe = Pipe::new(server.clone(), connection, is_interactive).map_err(cannot_wait)?;
    pipe.password = match &args.password_file {
        _ if args.keeps_name() => Password::Closed,
        Some(path) => Password::Given(read_password(path)?),
        None => Password::Missing,
    };
    if let Some(name) = args.name() {
        pipe.connection.push(format!("{name}\r\n").into_bytes());
        pipe.is_name_sent = true;
    }
    let mut outcome = pipe.connection.connect(pipe.poll.registry(), Time::START);
    let mut events = Events::with_capacity(4);
    let now = || {
        let elapsed = clock().duration_since(started).as_millis();
        Time::START.after_ms(u64::try_from(elapsed).unwrap_or(u64::MAX))
    };
    loop {
        match outcome {
            None => {}
            Some(Outcome::Connected(_)) => pipe.greeting_due = Some(now().after_ms(GREETING_MS)),
            // A terminal user may wait for a retry. A script gets the error now.
            Some(Outcome::Failed(reason)) => return Err(cannot_connect(server, &reason)),
            // Nobody is there to be asked, and the connection knows that.
            Some(Outcome::Untrusted { fingerprint }) => {
                return Err(cannot_connect(server, &unvouched(&fingerprint)));
            }
            Some(Outcome::Lost { reason, is_clean }) => return pipe.end(reason, is_clean),
        }
        pipe.wait(&mut events, now()).map_err(cannot_wait)?;
        pipe.read_input()?;
        let is_ready = events.iter().any(|event| event.token() == SOCKET);
        outcome = pipe.advance(is_ready, now())?;
        pipe.check(now())?;
        pipe.answer_password()?;
    }
}

impl Pipe {
    fn new(server: Server, connection: Connection, is_interactive: bool) -> io::Result<Pipe> {
        let poll = Poll::new()?;
        let input = match watch_input(poll.registry()) {
            Ok(()) => InputState::Waiting,
            // epoll_ctl(2) refuses regular files (`EPERM`), because a read of a file never waits.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => InputState::Ready,
            Err(error) => return Err(error),
        };
        let output = Output { out: Vec::new(), session: Session::new(is_interactive) };
        Ok(Pipe {
            poll,
            server,
            connection,
            input,
            held: Vec::new(),
            is_name_sent: false,
            password: Password::Missing,
            is_interactive,
            output,
            greeting_due: None,
        })
    }

    /// Waits for events. A file as input gives no events, so the poll must not sleep while the
    /// next part of a file can be sent.
    fn wait(&mut self, events: &mut Events, now: Time) -> io::Result<()> {
        let is_greeted = self.output.session.is_greeted;
        let greeting = self.greeting_due.filter(|_| !is_greeted).map(|due| due.ms_since(now));
        let timeout_ms = match self.may_read() {
            true => Some(0),
            false => self.connection.poll_timeout(now).into_iter().chain(greeting).min(),
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

    /// Whether the input can be read, and may be read. It stays unread without a connection, while
    /// the server has not answered the username, and until the last part has been sent. This is
    /// backpressure: a huge file needs no more memory than `PIPE_READ_BYTES`, and a slow server slows
    /// down the program that writes into the pipe.
    fn may_read(&self) -> bool {
        let waits_for_name =
            self.is_name_sent && !self.output.session.has_name && !self.is_interactive;
        self.greeting_due.is_some()
            && self.input == InputState::Ready
            && self.connection.is_drained()
            && !waits_for_name
    }

    /// Reads the input once, if it may be read.
    fn read_input(&mut self) -> Result<(), String> {
        if !self.may_read() {
            return Ok(());
        }
        if !self.held.is_empty() {
            let held = std::mem::take(&mut self.held);
            self.connection.push(escape_iac(held));
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
            self.output.session.is_finished = true;
            self.connection.finish();
            return Ok(());
        }
        bytes.truncate(count);
        if !self.is_name_sent
            && !self.is_interactive
            && let Some(end) = end_of_first_line(&bytes)
        {
            self.is_name_sent = true;
            self.held = bytes.split_off(end);
        }
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

    /// Fails if the peer is no chinwag server, or has refused the user.
    fn check(&self, now: Time) -> Result<(), String> {
        let session = &self.output.session;
        let is_late = !session.is_greeted && self.greeting_due.is_some_and(|due| due <= now);
        if session.is_foreign || is_late {
            return Err(not_chinwag(&self.server));
        }
        match &session.refusal {
            Some(text) => Err(self.says(text)),
            None => Ok(()),
        }
    }

    /// Sends the password of the file if the username needs one. It is tried once: the second try would
    /// be as wrong as the first.
    fn answer_password(&mut self) -> Result<(), String> {
        let session = &mut self.output.session;
        let is_asked = std::mem::take(&mut session.asks_password);
        if !is_asked || session.has_name || self.is_interactive {
            return Ok(());
        }
        let password = match std::mem::replace(&mut self.password, Password::Missing) {
            Password::Given(password) => password,
            Password::Missing => {
                let why = "the username has a password, which --password-file can give";
                return Err(why.to_owned());
            }
            Password::Closed => {
                let why = "the username has a password; in a terminal the client asks for it";
                return Err(why.to_owned());
            }
        };
        self.connection.push(escape_iac([password.as_bytes(), b"\r\n"].concat()));
        self.connection.flush();
        Ok(())
    }

    /// Decides between success and failure when the connection has ended. It is a success after
    /// goodbye. It is also a success if the server has given the sign that it processed all input,
    /// and closed with FIN (2.1.6).
    fn end(&self, reason: String, is_clean: bool) -> Result<(), String> {
        let session = &self.output.session;
        match &session.last_words {
            _ if session.saw_goodbye => Ok(()),
            Some(text) => Err(self.says(text)),
            None if is_clean && session.saw_sign => Ok(()),
            None => Err(format!("the connection was lost: {reason}")),
        }
    }

    fn says(&self, text: &str) -> String {
        format!("{} says: {text}", self.server)
    }
}

impl Output {
    /// Adds a line to the output, unless nobody needs it.
    fn print(&mut self, received: Received<'_>) {
        if let Received::Line(line) = received
            && self.session.is_wanted(line)
        {
            self.out.extend_from_slice(line.as_bytes());
            self.out.push(b'\n');
        }
    }

    /// Prints the lines of this turn. It waits while the reader of the pipe is slow, and the
    /// server meanwhile applies backpressure to this client.
    fn flush(&mut self) -> Result<(), String> {
        let printed = write_all(stdout(), &self.out);
        self.out.clear();
        printed.map_err(|error| format!("cannot print: {}", describe(&error)))
    }
}

/// Reads a password: the first line of the file.
fn read_password(path: &Path) -> Result<Zeroizing<String>, String> {
    let fault = |error: io::Error| format!("cannot read {}: {}", path.display(), describe(&error));
    let mut text = Zeroizing::new(String::with_capacity(LINE_BYTES_MAX));
    let file = File::open(path).map_err(fault)?;
    BufReader::new(file.take(LINE_BYTES_MAX as u64)).read_line(&mut text).map_err(fault)?;
    let len = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(len);
    Ok(text)
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
