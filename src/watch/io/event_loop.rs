//! The loop of a full-screen program: one poll over the terminal, the signals, and the sources of what is
//! shown.
//!
//! `chinwag watch`, `replay` and `demo` run it, each with a [`Subject`]. One turn: draw, wait, signals,
//! keys, sources. The loop reads no clock: a subject that needs the time has a timeout.

use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::stdio::stdin;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook_mio::v1_0::Signals;

use super::screen::Screen;
use super::subject::Subject;
use crate::client::io::terminal::Terminal;
use crate::client::ui::keys::{Key, KeyReader};
use crate::core::limits::TERMINAL_READ_BYTES;
use crate::watch::view::Wish;

const TERMINAL: Token = Token(0);
const SIGNALS: Token = Token(1);
const OUTPUT: Token = Token(2);

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// The user ended it.
    Wished,
    /// The terminal is gone.
    Hangup,
    /// This signal came.
    Signal(i32),
}

/// The loop with what it moves bytes between.
pub(crate) struct EventLoop<S> {
    poll: Poll,
    signals: Signals,
    terminal: Terminal,
    keys: KeyReader,
    subject: S,
    screen: Screen,
    ending: Option<Leaving>,
}

impl<S: Subject> EventLoop<S> {
    /// Creates the loop. Standard input must be `terminal`, and `poll` must watch the sources of the
    /// subject.
    ///
    /// # Errors
    /// The kernel refuses to watch the terminal or the signals.
    pub(crate) fn new(poll: Poll, terminal: Terminal, subject: S) -> io::Result<EventLoop<S>> {
        let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGWINCH, SIGCONT])?;
        poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
        let (input, output) = (stdin().as_raw_fd(), terminal.output().as_raw_fd());
        poll.registry().register(&mut SourceFd(&input), TERMINAL, Interest::READABLE)?;
        // A terminal that was stopped takes output again. With edge-triggered polling this wakes the
        // loop at no other time.
        poll.registry().register(&mut SourceFd(&output), OUTPUT, Interest::WRITABLE)?;
        let screen = Screen::new(terminal.size());
        Ok(EventLoop {
            poll,
            signals,
            terminal,
            keys: KeyReader::default(),
            subject,
            screen,
            ending: None,
        })
    }

    /// Runs until the user or a signal ends it.
    ///
    /// # Errors
    /// The poll fails.
    pub(crate) fn run(mut self) -> io::Result<Leaving> {
        let mut events = Events::with_capacity(16);
        loop {
            if let Some(leaving) = self.ending {
                return Ok(leaving);
            }
            self.draw();
            match self.poll.poll(&mut events, self.subject.timeout()) {
                Err(e) if e.kind() == ErrorKind::Interrupted => events.clear(),
                result => result?,
            }
            let is_ready = |token| events.iter().any(|event| event.token() == token);
            if is_ready(SIGNALS) {
                self.handle_signals();
            }
            if is_ready(TERMINAL) {
                self.read_keys();
                self.watch_keys()?;
            }
            while let Some(key) = self.subject.next_key() {
                self.handle_key(&key);
            }
            self.subject.turn(&events);
        }
    }

    /// Draws, unless the terminal is stopped: it gets the latest picture when it goes on.
    fn draw(&mut self) {
        if self.terminal.is_stopped() && self.terminal.flush().is_err() {
            self.ending = Some(Leaving::Hangup);
        }
        if self.terminal.is_stopped() {
            return;
        }
        let out = self.screen.paint(|area, buffer| self.subject.draw(area, buffer));
        if self.terminal.write(&out).is_err() {
            self.ending = Some(Leaving::Hangup);
        }
    }

    fn handle_signals(&mut self) {
        for signal in self.signals.pending() {
            match signal {
                SIGWINCH => self.screen.forget(self.terminal.size()),
                // The shell may have changed the terminal's modes while the program was stopped.
                SIGCONT => match self.terminal.enter() {
                    Ok(()) => self.screen.forget(self.terminal.size()),
                    Err(_) => self.ending = Some(Leaving::Hangup),
                },
                signal => self.ending = Some(Leaving::Signal(signal)),
            }
        }
    }

    fn read_keys(&mut self) {
        let mut buffer = [0; TERMINAL_READ_BYTES];
        let count = match self.terminal.read(&mut buffer) {
            Ok(0) => return self.ending = Some(Leaving::Hangup),
            Ok(count) => count,
            Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return self.ending = Some(Leaving::Hangup),
        };
        for &byte in &buffer[..count] {
            if let Some(key) = self.keys.push(byte) {
                self.handle_key(&key);
            }
        }
    }

    /// Standard input is a blocking descriptor, shared with the shell, so it is read once. Registering it
    /// again makes the kernel report bytes that are left (epoll(7)).
    fn watch_keys(&self) -> io::Result<()> {
        let input = stdin().as_raw_fd();
        self.poll.registry().reregister(&mut SourceFd(&input), TERMINAL, Interest::READABLE)
    }

    fn handle_key(&mut self, key: &Key) {
        match self.subject.handle_key(key) {
            Wish::Quit => self.ending = Some(Leaving::Wished),
            // The subject has sent it.
            Wish::Send(_) | Wish::Draw => {}
            Wish::Unused => self.handle_other_key(key),
        }
    }

    fn handle_other_key(&mut self, key: &Key) {
        match key {
            Key::Control('l') => self.screen.forget(self.terminal.size()),
            Key::Control('z') => match self.terminal.suspend() {
                Ok(()) => self.screen.forget(self.terminal.size()),
                Err(_) => self.ending = Some(Leaving::Hangup),
            },
            _ => {}
        }
    }
}
