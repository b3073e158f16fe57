//! The loop of the terminal client: one poll over the terminal, the socket and the signals.
//!
//! One turn: draw, wait, signals, keys, timers, server lines, actions. The loop moves bytes and
//! reads the clock; the [`StateMachine`] makes every decision. The wait has a timeout only while
//! something is awaited, such as a connection or an echo, so an idle client never wakes.

use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::stdio::stdin;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::flag;
use signal_hook_mio::v1_0::Signals;

use super::connection::{Connection, Outcome, Received};
use super::log_file::LogFile;
use super::socket::describe;
use super::terminal::Terminal;
use crate::client::SIGNAL_EXIT_CODE;
use crate::client::ui::keys::KeyReader;
use crate::client::ui::state_machine::{Action, Leaving, StateMachine};
use crate::core::limits::TERMINAL_READ_BYTES;
use crate::core::time::Time;

const TERMINAL: Token = Token(0);
const SIGNALS: Token = Token(1);
const OUTPUT: Token = Token(3);
/// `client::run` creates the loop's [`Connection`] with this token.
pub(in crate::client) const SOCKET: Token = Token(2);

/// The loop with the endpoints that it moves bytes between.
pub(in crate::client) struct EventLoop {
    poll: Poll,
    signals: Signals,
    terminal: Terminal,
    /// Keeps a partial escape sequence or character until the next read brings the rest.
    keys: KeyReader,
    state_machine: StateMachine,
    connection: Connection,
    /// The file of `--log`; `None` without the option, and after the file took no more.
    log: Option<LogFile>,
    /// `Time::START` for everything that this loop calls.
    started: Instant,
    /// An event of the socket that waits, because the terminal is stopped: lines that nobody can
    /// read stay with the server.
    is_socket_ready: bool,
    /// The server has said something in this turn.
    has_heard: bool,
    /// The poll reports when the stopped terminal takes output again. It does so only then: a
    /// terminal that runs would wake the loop after each line that it has shown.
    is_watching_output: bool,
    /// The terminal is gone. The last lines may still be on their way.
    is_terminal_gone: bool,
    /// A signal has come that the loop has not handled. See [`end_at_second_signal`].
    has_signal: Arc<AtomicBool>,
    /// Set when the loop must end. The turn still runs to its end.
    ending: Option<Leaving>,
}

impl EventLoop {
    /// Creates the loop. Standard input and output must be `terminal`.
    ///
    /// # Errors
    /// If the kernel refuses to watch the terminal or the signals.
    pub(in crate::client) fn new(
        terminal: Terminal,
        state_machine: StateMachine,
        connection: Connection,
    ) -> io::Result<EventLoop> {
        let poll = Poll::new()?;
        let has_signal = end_at_second_signal()?;
        let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGWINCH, SIGCONT])?;
        poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
        let input = stdin().as_raw_fd();
        poll.registry().register(&mut SourceFd(&input), TERMINAL, Interest::READABLE)?;
        Ok(EventLoop {
            poll,
            signals,
            terminal,
            keys: KeyReader::default(),
            state_machine,
            connection,
            log: None,
            started: clock(),
            is_socket_ready: false,
            has_heard: false,
            is_watching_output: false,
            is_terminal_gone: false,
            has_signal,
            ending: None,
        })
    }

    /// Appends the conversation to `file` from now on.
    pub(in crate::client) fn log_to(&mut self, file: LogFile) {
        self.log = Some(file);
        self.state_machine.start_log();
    }

    /// Runs the loop until the client ends.
    ///
    /// # Errors
    /// If the poll fails.
    pub(in crate::client) fn run(mut self) -> io::Result<Leaving> {
        let mut events = Events::with_capacity(16);
        // The state machine starts with a wish to connect. No event would trigger it.
        self.run_actions(Time::START);
        while self.ending.is_none() {
            self.write_log();
            self.draw();
            self.watch_output()?;
            self.wait(&mut events)?;
            let now = self.now();
            self.state_machine.set_now(now);
            self.state_machine.handle_timeout(now);
            self.state_machine.set_clock(jiff::Zoned::now());
            let is_ready = |token| events.iter().any(|event| event.token() == token);
            // A change of the window's size comes first: keys must be drawn at the new width.
            if is_ready(SIGNALS) {
                self.handle_signals();
            }
            if is_ready(TERMINAL) {
                self.read_keys()?;
            }
            self.is_socket_ready |= is_ready(SOCKET);
            if !self.terminal.is_stopped() {
                self.advance_connection(now);
            }
            self.run_actions(now);
        }
        // The user must learn which lines never left, and must find the cursor on a fresh line.
        self.state_machine.handle_leaving(self.connection.take_unsent().len());
        self.write_log();
        let mut out = String::new();
        self.state_machine.draw_last(&mut out);
        // If the terminal is gone, this write fails. The reason is already in `ending`.
        let _ = self.terminal.write_last(&out);
        Ok(self.ending.unwrap_or(Leaving::Wished))
    }

    /// Waits for events, at most until the next timer of the state machine or the connection.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let now = self.now();
        let connection = match self.terminal.is_stopped() {
            true => None,
            false => self.connection.poll_timeout(now),
        };
        let timeouts = [self.state_machine.poll_timeout(now), connection];
        let timeout = timeouts.into_iter().flatten().min().map(Duration::from_millis);
        match self.poll.poll(events, timeout) {
            // A signal may end epoll_wait(2) early. This is no failure: the turn has no events.
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            result => result,
        }
    }

    /// Acts on the signals since the last turn. A handler itself may hardly call anything
    /// (signal-safety(7)), so it only wakes the poll.
    fn handle_signals(&mut self) {
        for signal in self.signals.pending() {
            match signal {
                SIGWINCH => self.state_machine.handle_resize(self.terminal.columns()),
                // The shell may have changed the terminal's modes while the client was stopped.
                SIGCONT => match self.terminal.enter() {
                    Ok(()) => self.state_machine.handle_return(self.terminal.columns()),
                    // The kernel sends this signal behind SIGHUP, too.
                    Err(error) => self.handle_terminal_loss(&describe(&error)),
                },
                signal => self.state_machine.handle_signal(signal),
            }
        }
        // The loop runs, so a second signal can be handled like the first.
        self.has_signal.store(false, Ordering::SeqCst);
    }

    /// Reads once from the terminal and gives each key to the state machine.
    fn read_keys(&mut self) -> io::Result<()> {
        let mut buffer = [0; TERMINAL_READ_BYTES];
        let count = match self.terminal.read(&mut buffer) {
            Ok(0) => {
                self.handle_terminal_loss("it was closed");
                return Ok(());
            }
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => {
                self.handle_terminal_loss(&describe(&error));
                return Ok(());
            }
        };
        for &byte in &buffer[..count] {
            if let Some(key) = self.keys.push(byte) {
                self.state_machine.handle_key(key);
            }
        }
        // Standard input is a blocking descriptor: a second read could hang the loop. It is also
        // shared with the shell, so it must not be made non-blocking. Registering it again makes
        // the kernel check once more, and an event follows if bytes are left (epoll(7)).
        let input = stdin().as_raw_fd();
        self.poll.registry().reregister(&mut SourceFd(&input), TERMINAL, Interest::READABLE)
    }

    /// The client must end, but its last lines may still be on their way.
    fn handle_terminal_loss(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.is_terminal_gone, true) {
            self.state_machine.handle_terminal_loss(reason);
        }
    }

    fn advance_connection(&mut self, now: Time) {
        let is_ready = std::mem::take(&mut self.is_socket_ready);
        let state_machine = &mut self.state_machine;
        let has_heard = &mut self.has_heard;
        let receive = |received: Received<'_>| {
            *has_heard = true;
            match received {
                Received::Line(line) => state_machine.handle_line(line),
                Received::Unreadable => state_machine.handle_unreadable(),
            }
        };
        let outcome = self.connection.advance(self.poll.registry(), now, is_ready, receive);
        self.handle_outcome(outcome, now);
    }

    /// Reports a change of the connection to the state machine.
    fn handle_outcome(&mut self, outcome: Option<Outcome>, now: Time) {
        match outcome {
            None => {}
            Some(Outcome::Connected(privacy)) => {
                self.state_machine.handle_connected();
                self.state_machine.handle_privacy(privacy);
            }
            Some(Outcome::Untrusted { fingerprint }) => {
                self.state_machine.handle_untrusted(fingerprint, now);
            }
            // The state machine decides about a retry, since it owns the countdown in the prompt.
            Some(Outcome::Failed(reason)) => self.state_machine.handle_failure(&reason, now),
            // The server has closed its half behind ours. It answered everything before.
            Some(Outcome::Lost { is_clean: true, .. })
                if self.state_machine.is_finishing() && self.connection.is_drained() =>
            {
                self.state_machine.handle_end();
            }
            Some(Outcome::Lost { reason, .. }) => {
                // Unsent lines must leave the queue now. Otherwise the next connection would send
                // them at a prompt that they were not written for.
                let unsent = self.connection.take_unsent();
                self.state_machine.handle_loss(&reason, unsent, now);
            }
        }
    }

    /// Carries out the actions of the state machine, then writes what they queued.
    fn run_actions(&mut self, now: Time) {
        loop {
            self.run_queued_actions(now);
            self.connection.flush();
            // Lines that wait may go as soon as the kernel has taken those before.
            if !self.connection.is_drained() || !self.state_machine.handle_drained() {
                break;
            }
        }
        let has_heard = std::mem::take(&mut self.has_heard);
        if self.state_machine.wants_acknowledgement(has_heard) {
            let unacknowledged = self.connection.unacknowledged();
            self.state_machine.handle_acknowledgement(unacknowledged);
        }
    }

    fn run_queued_actions(&mut self, now: Time) {
        while let Some(action) = self.state_machine.poll_action() {
            match action {
                Action::Finish => self.connection.finish(),
                Action::Send(line) => self.connection.push(format!("{line}\r\n").into_bytes()),
                Action::Connect => {
                    let outcome = self.connection.connect(self.poll.registry(), now);
                    self.handle_outcome(outcome, now);
                }
                Action::Trust(fingerprint) => {
                    let remembered = self.connection.trust(&fingerprint);
                    self.state_machine.handle_trust(remembered);
                }
                Action::Suspend => self.suspend(),
                Action::Leave(leaving) => self.ending = Some(leaving),
            }
        }
    }

    /// Stops the process as the shell expects of Ctrl-Z. The prompt is erased first, because the
    /// shell prints its own prompt at the cursor.
    fn suspend(&mut self) {
        let mut out = String::new();
        self.state_machine.draw_last(&mut out);
        let suspended = self.terminal.write_last(&out).and_then(|()| self.terminal.suspend());
        match suspended {
            Ok(()) => self.state_machine.handle_return(self.terminal.columns()),
            Err(error) => self.handle_terminal_loss(&describe(&error)),
        }
    }

    /// Appends the lines of this turn to the log. The conversation goes on without a log.
    fn write_log(&mut self) {
        let text = self.state_machine.take_log();
        if let Some(log) = self.log.as_mut().filter(|_| !text.is_empty())
            && let Err(error) = log.append(&text)
        {
            self.log = None;
            self.state_machine.handle_log_failure(&describe(&error));
        }
    }

    /// Draws the changes in a single write, so the user never sees a half-drawn screen. A stopped
    /// terminal gets them later, all at once.
    fn draw(&mut self) {
        let is_stopped = self.terminal.is_stopped();
        let mut drawn = if is_stopped { self.terminal.flush() } else { Ok(()) };
        if !self.terminal.is_stopped() && !self.is_terminal_gone {
            // Most turns of a busy session change nothing on the screen: they cost no system call.
            let mut out = String::new();
            self.state_machine.draw(self.now(), &mut out);
            if !out.is_empty() {
                drawn = drawn.and(self.terminal.write(&out));
            }
        }
        if let Err(error) = drawn {
            self.handle_terminal_loss(&describe(&error));
        }
    }

    /// Makes the poll watch the output while the terminal is stopped.
    fn watch_output(&mut self) -> io::Result<()> {
        let is_stopped = self.terminal.is_stopped() && !self.is_terminal_gone;
        if is_stopped == self.is_watching_output {
            return Ok(());
        }
        self.is_watching_output = is_stopped;
        let output = self.terminal.output().as_raw_fd();
        let registry = self.poll.registry();
        match is_stopped {
            true => registry.register(&mut SourceFd(&output), OUTPUT, Interest::WRITABLE),
            false => registry.deregister(&mut SourceFd(&output)),
        }
    }

    /// Milliseconds since the start. The clock is monotonic: a change of the wall clock must not
    /// shorten or lengthen a timer.
    fn now(&self) -> Time {
        let elapsed = clock().duration_since(self.started);
        Time::START.after_ms(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Makes a second SIGTERM or SIGINT end the process at once if the loop has not handled the
/// first. The returned flag says that one has come; the loop clears it. A terminal that cannot be
/// opened for non-blocking output, and takes no output, blocks the loop in a write.
fn end_at_second_signal() -> io::Result<Arc<AtomicBool>> {
    let is_second = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        let code = i32::from(SIGNAL_EXIT_CODE) + signal;
        // Handlers run in this order. The first signal finds the flag unset, then sets it.
        flag::register_conditional_shutdown(signal, code, Arc::clone(&is_second))?;
        flag::register(signal, Arc::clone(&is_second))?;
    }
    Ok(is_second)
}

#[expect(clippy::disallowed_methods, reason = "only the loops read the clock")]
fn clock() -> Instant {
    Instant::now()
}
