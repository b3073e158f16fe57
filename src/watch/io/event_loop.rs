//! The loop of the view: one poll over the console, the terminal and the signals.
//!
//! One turn: draw, wait, signals, keys, lines. A live view has no timer: the server says something at
//! least once a second. A recording plays by timeouts alone, so the loop reads no clock.

use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use rustix::stdio::stdin;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook_mio::v1_0::Signals;

use super::console::{Console, Heard};
use super::screen::Screen;
use crate::client::io::terminal::Terminal;
use crate::client::ui::keys::{Key, KeyReader};
use crate::core::limits::TERMINAL_READ_BYTES;
use crate::watch::view::{FIRST_COMMAND, Replay, View, Wish};

const TERMINAL: Token = Token(0);
const SIGNALS: Token = Token(1);
const CONSOLE: Token = Token(2);
const OUTPUT: Token = Token(3);

/// Reads of the console in one turn. A picture of what came is drawn in between.
const READS_PER_TURN: usize = 16;

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;

/// How the view ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// The user ended it.
    Wished,
    /// The terminal is gone.
    Hangup,
    /// This signal came.
    Signal(i32),
}

/// What is looked at.
pub(crate) enum Subject {
    /// A running server.
    Live(Live),
    /// A recording.
    Recorded(Replay),
}

/// A running server: its console, and the view of it.
pub(crate) struct Live {
    console: Console,
    /// The console may have more.
    has_more: bool,
    /// The console is at its end.
    is_over: bool,
    view: View,
    buffer: Vec<u8>,
}

/// The loop with what it moves bytes between.
pub(crate) struct EventLoop {
    poll: Poll,
    signals: Signals,
    terminal: Terminal,
    keys: KeyReader,
    subject: Subject,
    screen: Screen,
    ending: Option<Leaving>,
}

impl EventLoop {
    /// Creates the loop. Standard input must be `terminal`.
    ///
    /// # Errors
    /// The kernel refuses to watch the terminal, the console or the signals.
    pub(crate) fn new(terminal: Terminal, mut subject: Subject) -> io::Result<EventLoop> {
        let poll = Poll::new()?;
        let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGWINCH, SIGCONT])?;
        poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
        let (input, output) = (stdin().as_raw_fd(), terminal.output().as_raw_fd());
        poll.registry().register(&mut SourceFd(&input), TERMINAL, Interest::READABLE)?;
        // A terminal that was stopped takes output again. With edge-triggered polling this wakes the
        // loop at no other time.
        poll.registry().register(&mut SourceFd(&output), OUTPUT, Interest::WRITABLE)?;
        if let Subject::Live(live) = &mut subject {
            live.console.register(poll.registry(), CONSOLE)?;
            live.console.send(FIRST_COMMAND);
        }
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
            let timeout = self.subject.timeout();
            match self.poll.poll(&mut events, timeout) {
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
            match &mut self.subject {
                Subject::Live(live) => live.read(is_ready(CONSOLE)),
                // Nothing but the time has passed.
                Subject::Recorded(replay) if events.is_empty() && timeout.is_some() => {
                    replay.advance();
                }
                Subject::Recorded(_) => {}
            }
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
                // The shell may have changed the terminal's modes while the view was stopped.
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
            let Some(key) = self.keys.push(byte) else { continue };
            match self.subject.handle_key(&key) {
                Wish::Quit => self.ending = Some(Leaving::Wished),
                // The subject has sent it.
                Wish::Send(_) | Wish::Draw => {}
                Wish::Unused => self.handle_other_key(&key),
            }
        }
    }

    /// Standard input is a blocking descriptor, shared with the shell, so it is read once. Registering it
    /// again makes the kernel report bytes that are left (epoll(7)).
    fn watch_keys(&self) -> io::Result<()> {
        let input = stdin().as_raw_fd();
        self.poll.registry().reregister(&mut SourceFd(&input), TERMINAL, Interest::READABLE)
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

impl Subject {
    /// How long the loop may wait.
    fn timeout(&self) -> Option<Duration> {
        match self {
            Subject::Live(live) => live.has_more.then_some(Duration::ZERO),
            Subject::Recorded(replay) => replay.next_in_ms().map(Duration::from_millis),
        }
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer) {
        match self {
            Subject::Live(live) => live.view.draw(area, buffer),
            Subject::Recorded(replay) => replay.draw(area, buffer),
        }
    }

    fn handle_key(&mut self, key: &Key) -> Wish {
        match self {
            Subject::Live(live) => {
                let wish = live.view.handle_key(key);
                if let Wish::Send(line) = &wish {
                    live.console.send(line);
                }
                wish
            }
            Subject::Recorded(replay) => replay.handle_key(key),
        }
    }
}

impl Live {
    /// A server that has said nothing yet.
    pub(crate) fn new(console: Console, view: View) -> Live {
        Live { console, has_more: true, is_over: false, view, buffer: vec![0; READ_BYTES] }
    }

    fn read(&mut self, is_ready: bool) {
        self.console.flush();
        self.has_more |= is_ready && !self.is_over;
        for _ in 0..READS_PER_TURN {
            if !self.has_more {
                return;
            }
            match self.console.read(&mut self.buffer) {
                Heard::Bytes(count) => self.view.receive(&self.buffer[..count]),
                Heard::Nothing => self.has_more = false,
                Heard::End => {
                    (self.has_more, self.is_over) = (false, true);
                    self.view.set_ended("the server has closed the console");
                }
            }
        }
    }
}
