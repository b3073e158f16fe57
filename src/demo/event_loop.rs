//! The loop of the demonstration: one poll over the terminal, the signals, the console of the server, and
//! what the crowd and the attack print.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use mio::net::UnixStream;
use mio::unix::SourceFd;
use mio::unix::pipe::Receiver;
use mio::{Events, Interest, Poll, Token};
use ratatui_core::layout::Rect;
use rustix::stdio::stdin;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook_mio::v1_0::Signals;

use super::children::Theatre;
use super::panel;
use super::script::Script;
use super::stage::{Action, Stage, kind_of, seconds_of};
use crate::client::io::terminal::Terminal;
use crate::client::ui::keys::{Key, KeyReader};
use crate::core::limits::TERMINAL_READ_BYTES;
use crate::peers::lines::Lines;
use crate::watch::io::{Leaving, Screen};
use crate::watch::view::{FIRST_COMMAND, Look, View, Wish};

const TERMINAL: Token = Token(0);
const SIGNALS: Token = Token(1);
const CONSOLE: Token = Token(2);
const OUTPUT: Token = Token(3);
const CROWD: Token = Token(4);
const ATTACK: Token = Token(5);

/// Reads of one source in one turn. A picture of what came is drawn in between.
const READS_PER_TURN: usize = 16;

/// A source of bytes that is read until it has no more, a bounded number of times a turn.
struct Source<S> {
    stream: S,
    lines: Lines,
    has_more: bool,
}

impl<S: Read> Source<S> {
    fn new(stream: S) -> Source<S> {
        Source { stream, lines: Lines::default(), has_more: true }
    }

    /// Reads what has come. Returns whether the source is at its end.
    fn read(&mut self, buffer: &mut [u8], mut each: impl FnMut(&mut Lines, &[u8])) -> bool {
        for _ in 0..READS_PER_TURN {
            if !self.has_more {
                return false;
            }
            match self.stream.read(buffer) {
                Ok(0) => return true,
                Ok(count) => each(&mut self.lines, &buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.has_more = false,
                Err(_) => return true,
            }
        }
        false
    }
}

pub(super) struct EventLoop {
    poll: Poll,
    signals: Signals,
    terminal: Terminal,
    keys: KeyReader,
    screen: Screen,
    look: Look,
    view: View,
    stage: Stage,
    theatre: Theatre,
    console: Option<Source<UnixStream>>,
    /// Commands that the console has not taken.
    unsent: Vec<u8>,
    crowd: Option<Source<Receiver>>,
    attack: Option<Source<Receiver>>,
    script: Option<Script>,
    began: Instant,
    buffer: Vec<u8>,
    ending: Option<Leaving>,
}

impl EventLoop {
    pub(super) fn new(
        terminal: Terminal,
        mut theatre: Theatre,
        look: Look,
        script: Option<Script>,
    ) -> io::Result<EventLoop> {
        let poll = Poll::new()?;
        let registry = poll.registry();
        let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGWINCH, SIGCONT])?;
        registry.register(&mut signals, SIGNALS, Interest::READABLE)?;
        let (input, output) = (stdin().as_raw_fd(), terminal.output().as_raw_fd());
        registry.register(&mut SourceFd(&input), TERMINAL, Interest::READABLE)?;
        registry.register(&mut SourceFd(&output), OUTPUT, Interest::WRITABLE)?;
        let mut console = UnixStream::connect(theatre.console())?;
        registry.register(&mut console, CONSOLE, Interest::READABLE | Interest::WRITABLE)?;
        let mut crowd = theatre.crowd_lines.take();
        if let Some(crowd) = &mut crowd {
            registry.register(crowd, CROWD, Interest::READABLE)?;
        }
        Ok(EventLoop {
            signals,
            keys: KeyReader::default(),
            screen: Screen::new(terminal.size()),
            terminal,
            look,
            view: View::new(look),
            stage: Stage::new(theatre.address.clone()),
            theatre,
            console: Some(Source::new(console)),
            unsent: FIRST_COMMAND.as_bytes().to_vec(),
            crowd: crowd.map(Source::new),
            attack: None,
            script,
            began: clock(),
            buffer: vec![0; 16 * 1024],
            ending: None,
            poll,
        })
    }

    /// Runs until the user, the script or a signal ends it.
    pub(super) fn run(mut self) -> io::Result<Leaving> {
        let mut events = Events::with_capacity(16);
        loop {
            if let Some(ending) = self.ending {
                return Ok(ending);
            }
            self.draw();
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => events.clear(),
                result => result?,
            }
            for event in &events {
                match event.token() {
                    CONSOLE => mark(self.console.as_mut()),
                    CROWD => mark(self.crowd.as_mut()),
                    ATTACK => mark(self.attack.as_mut()),
                    _ => {}
                }
            }
            let is_ready = |token| events.iter().any(|event| event.token() == token);
            if is_ready(SIGNALS) {
                self.handle_signals();
            }
            if is_ready(TERMINAL) {
                self.read_keys();
                // Registering it again makes the kernel report bytes that are left (epoll(7)).
                let input = stdin().as_raw_fd();
                let registry = self.poll.registry();
                registry.reregister(&mut SourceFd(&input), TERMINAL, Interest::READABLE)?;
            }
            self.press_keys();
            self.read_children();
            self.read_console();
            self.send_commands();
        }
    }

    /// How long the poll may wait: not at all while a source has more, and not beyond the next key.
    fn timeout(&self) -> Option<Duration> {
        let has_more = self.console.as_ref().is_some_and(|source| source.has_more)
            || self.crowd.as_ref().is_some_and(|source| source.has_more)
            || self.attack.as_ref().is_some_and(|source| source.has_more);
        if has_more {
            return Some(Duration::ZERO);
        }
        let next = self.script.as_ref().and_then(Script::next_at)?;
        Some(Duration::from_micros(next).saturating_sub(self.began.elapsed()))
    }

    /// Draws, unless the terminal is stopped: it gets the latest picture when it goes on.
    fn draw(&mut self) {
        if self.terminal.is_stopped() && self.terminal.flush().is_err() {
            self.ending = Some(Leaving::Hangup);
        }
        if self.terminal.is_stopped() {
            return;
        }
        let (view, stage, look) = (&self.view, &self.stage, self.look);
        let out = self.screen.paint(|area, buffer| {
            let rows = panel::rows(area.height);
            let above = Rect { height: area.height - rows, ..area };
            view.draw(above, buffer);
            let below = Rect { y: area.y + above.height, height: rows, ..area };
            panel::draw(stage, look, below, buffer);
        });
        if self.terminal.write(&out).is_err() {
            self.ending = Some(Leaving::Hangup);
        }
    }

    fn handle_signals(&mut self) {
        for signal in self.signals.pending() {
            match signal {
                SIGWINCH => self.screen.forget(self.terminal.size()),
                // The shell may have changed the terminal's modes meanwhile.
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
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return self.ending = Some(Leaving::Hangup),
        };
        for &byte in &buffer[..count] {
            if let Some(key) = self.keys.push(byte) {
                self.handle_key(&key);
            }
        }
    }

    fn press_keys(&mut self) {
        let now = self.began.elapsed().as_micros() as u64;
        while let Some(key) = self.script.as_mut().and_then(|script| script.press(now)) {
            self.handle_key(&key);
        }
    }

    fn handle_key(&mut self, key: &Key) {
        match self.stage.handle_key(key) {
            Action::Attack(n) => self.start_attack(n),
            Action::EndAttack => self.end_attack(),
            Action::PassOn => match self.view.handle_key(key) {
                Wish::Quit => self.ending = Some(Leaving::Wished),
                Wish::Send(line) => self.unsent.extend_from_slice(line.as_bytes()),
                Wish::Draw => {}
                Wish::Unused if *key == Key::Control('l') => {
                    self.screen.forget(self.terminal.size());
                }
                Wish::Unused => {}
            },
        }
    }

    fn start_attack(&mut self, n: usize) {
        self.end_attack();
        let Some(kind) = kind_of(n) else { return };
        let Ok(mut lines) = self.theatre.attack(kind, seconds_of(n)) else {
            return self.stage.attack_has_ended();
        };
        if self.poll.registry().register(&mut lines, ATTACK, Interest::READABLE).is_ok() {
            self.attack = Some(Source::new(lines));
        }
    }

    fn end_attack(&mut self) {
        self.attack = None;
        self.theatre.end_attack();
    }

    fn read_children(&mut self) {
        let (stage, buffer) = (&mut self.stage, &mut self.buffer);
        if let Some(crowd) = &mut self.crowd
            && crowd.read(buffer, |lines, bytes| lines.push(bytes, |line| stage.hear_crowd(line)))
        {
            self.crowd = None;
        }
        if let Some(attack) = &mut self.attack
            && attack.read(buffer, |lines, bytes| lines.push(bytes, |line| stage.hear_attack(line)))
        {
            self.stage.attack_has_ended();
            self.end_attack();
        }
    }

    fn read_console(&mut self) {
        let (view, buffer) = (&mut self.view, &mut self.buffer);
        if let Some(console) = &mut self.console
            && console.read(buffer, |_, bytes| view.receive(bytes))
        {
            self.console = None;
            self.view.set_ended("the server has closed the console");
        }
    }

    fn send_commands(&mut self) {
        let Some(console) = &mut self.console else { return self.unsent.clear() };
        while !self.unsent.is_empty() {
            match console.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The poll says when the console takes more, or that it is gone.
                Err(_) => return,
            }
        }
    }
}

fn mark<S>(source: Option<&mut Source<S>>) {
    if let Some(source) = source {
        source.has_more = true;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the script needs the time, and the loop is its shell"
)]
fn clock() -> Instant {
    Instant::now()
}
