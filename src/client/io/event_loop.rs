//! The loop of the terminal client: one poll over the terminal, the socket and the signals.
//!
//! wait · signals · keys · lines · time · actions · draw. Everything that is decided is decided
//! by the [`StateMachine`]; the loop carries bytes. It waits without a timeout unless a connection is
//! being made or counted down to, so an idle client never wakes.

use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::stdio::stdin;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::flag;
use signal_hook_mio::v1_0::Signals;

use super::connection::{Connection, Outcome, Received, words};
use super::terminal::Terminal;
use crate::client::SIGNAL_EXIT_CODE;
use crate::client::ui::keys::KeyReader;
use crate::client::ui::state_machine::{Action, Leaving, StateMachine};
use crate::core::limits::TERMINAL_READ_BYTES;
use crate::core::time::Time;

const TERMINAL: Token = Token(0);
const SIGNALS: Token = Token(1);
/// The token that the loop's connection is to be made with.
pub(in crate::client) const SOCKET: Token = Token(2);

/// How the loop came to its end.
#[derive(Debug)]
pub(in crate::client) enum End {
    /// The person, the server or a failure ended it.
    Left(Leaving),
    /// A signal did.
    Signal(i32),
}

/// The loop and everything it moves bytes between.
pub(in crate::client) struct EventLoop {
    poll: Poll,
    signals: Signals,
    terminal: Terminal,
    keys: KeyReader,
    state_machine: StateMachine,
    connection: Connection,
    started: Instant,
    ending: Option<End>,
}

impl EventLoop {
    /// A loop over the standard input and output, which are `terminal`.
    pub(in crate::client) fn new(
        terminal: Terminal,
        state_machine: StateMachine,
        connection: Connection,
    ) -> io::Result<EventLoop> {
        let poll = Poll::new()?;
        end_at_second_signal()?;
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
            started: clock(),
            ending: None,
        })
    }

    /// Runs until the client is to end.
    pub(in crate::client) fn run(mut self) -> io::Result<End> {
        let mut events = Events::with_capacity(16);
        self.act(Time::START);
        while self.ending.is_none() {
            self.draw()?;
            self.wait(&mut events)?;
            let now = self.now();
            self.state_machine.set_clock(jiff::Zoned::now());
            let is_ready = |token| events.iter().any(|event| event.token() == token);
            if is_ready(SIGNALS) {
                self.handle_signals()?;
            }
            if is_ready(TERMINAL) {
                self.read_keys()?;
            }
            self.state_machine.handle_timeout(now);
            self.advance_connection(is_ready(SOCKET), now);
            self.act(now);
        }
        self.state_machine.handle_leaving(self.connection.take_unsent().len());
        let mut out = String::new();
        self.state_machine.draw_last(&mut out);
        // A terminal that is gone cannot show the end, and that is no second failure.
        let _ = self.terminal.write(&out);
        Ok(self.ending.unwrap_or(End::Left(Leaving::Wished)))
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let now = self.now();
        let timeouts = [self.state_machine.poll_timeout(now), self.connection.poll_timeout(now)];
        let timeout = timeouts.into_iter().flatten().min().map(Duration::from_millis);
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            result => result,
        }
    }

    fn handle_signals(&mut self) -> io::Result<()> {
        for signal in self.signals.pending() {
            match signal {
                SIGWINCH => self.state_machine.handle_resize(self.terminal.columns()),
                SIGCONT => {
                    self.terminal.enter()?;
                    self.state_machine.handle_return(self.terminal.columns());
                }
                signal => self.ending = Some(End::Signal(signal)),
            }
        }
        Ok(())
    }

    fn read_keys(&mut self) -> io::Result<()> {
        let mut buffer = [0; TERMINAL_READ_BYTES];
        let count = match self.terminal.read(&mut buffer) {
            Ok(0) => return self.lose_terminal("it was closed"),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return self.lose_terminal(&words(&error)),
        };
        for &byte in &buffer[..count] {
            if let Some(key) = self.keys.push(byte) {
                self.state_machine.handle_key(key);
            }
        }
        // The descriptor blocks, so it cannot be read until it has no more. Registering it anew
        // makes the kernel look again, and wake us if there is.
        let input = stdin().as_raw_fd();
        self.poll.registry().reregister(&mut SourceFd(&input), TERMINAL, Interest::READABLE)
    }

    fn lose_terminal(&mut self, reason: &str) -> io::Result<()> {
        let reason = format!("the terminal is gone: {reason}");
        self.ending = Some(End::Left(Leaving::Failed(reason)));
        Ok(())
    }

    fn advance_connection(&mut self, is_ready: bool, now: Time) {
        let state_machine = &mut self.state_machine;
        let hear = |heard: Received<'_>| match heard {
            Received::Line(line) => state_machine.handle_line(line),
            Received::Unreadable => state_machine.handle_unreadable(),
        };
        let outcome = self.connection.advance(self.poll.registry(), now, is_ready, hear);
        self.tell_outcome(outcome, now);
    }

    fn tell_outcome(&mut self, outcome: Option<Outcome>, now: Time) {
        match outcome {
            None => {}
            Some(Outcome::Connected) => self.state_machine.handle_connected(),
            Some(Outcome::Failed(reason)) => self.state_machine.handle_failure(&reason, now),
            Some(Outcome::Lost { reason, .. }) => {
                let unsent = self.connection.take_unsent();
                self.state_machine.handle_loss(&reason, unsent, now);
            }
        }
    }

    /// Does what the state_machine wants done, and sends what it wants sent.
    fn act(&mut self, now: Time) {
        while let Some(action) = self.state_machine.poll_action() {
            match action {
                Action::Send(line) => self.connection.push(format!("{line}\r\n").into_bytes()),
                Action::Connect => {
                    let outcome = self.connection.connect(self.poll.registry(), now);
                    self.tell_outcome(outcome, now);
                }
                Action::Suspend => self.suspend(),
                Action::Leave(leaving) => self.ending = Some(End::Left(leaving)),
            }
        }
        self.connection.flush();
    }

    fn suspend(&mut self) {
        let mut out = String::new();
        self.state_machine.draw_last(&mut out);
        let suspended = self.terminal.write(&out).and_then(|()| self.terminal.suspend());
        match suspended {
            Ok(()) => self.state_machine.handle_return(self.terminal.columns()),
            Err(error) => {
                let reason = format!("the terminal is gone: {}", words(&error));
                self.ending = Some(End::Left(Leaving::Failed(reason)));
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let mut out = String::new();
        self.state_machine.draw(self.now(), &mut out);
        if out.is_empty() { Ok(()) } else { self.terminal.write(&out) }
    }

    fn now(&self) -> Time {
        let elapsed = clock().duration_since(self.started);
        Time::START.after_ms(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A terminal that takes nothing blocks the loop in its write. Then the first signal to end cannot
/// be heeded, and the second ends the client where it stands.
fn end_at_second_signal() -> io::Result<()> {
    let is_second = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGHUP, SIGINT] {
        let code = i32::from(SIGNAL_EXIT_CODE) + signal;
        flag::register_conditional_shutdown(signal, code, Arc::clone(&is_second))?;
        flag::register(signal, Arc::clone(&is_second))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the loop is what reads the clock")]
fn clock() -> Instant {
    Instant::now()
}
