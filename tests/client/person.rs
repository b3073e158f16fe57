//! A person at a terminal: runs the client under a pty and reads its screen with a terminal
//! emulator.
//!
//! Methods that wait fail the test at the timeout.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::tcgetattr;

use crate::picture::{picture, size};
use crate::server::{CHINWAG, Server, TIMEOUT};

/// Whether a row of the screen contains `part`.
pub(crate) fn has(part: &str) -> impl Fn(&[String]) -> bool {
    move |screen| screen.iter().any(|row| row.contains(part))
}

/// A terminal and the program that runs in the terminal.
pub(crate) struct Person {
    pty: Pty,
    process: Child,
    terminal: vt100::Parser,
    /// Everything the program has written.
    pub(crate) written: Vec<u8>,
    /// The termios settings of the terminal before the program ran.
    settings: String,
}

impl Person {
    /// Runs the client, without colours, in a terminal of this size.
    pub(crate) fn connect(server: &Server, rows: u16, columns: u16, args: &[&str]) -> Person {
        let server = server.address.to_string();
        let args = [&["connect", &server, "--color", "never"], args].concat();
        Person::run(CHINWAG, &args, rows, columns)
    }

    /// Runs a program in a terminal of this size.
    pub(crate) fn run(program: &str, args: &[&str], rows: u16, columns: u16) -> Person {
        Person::run_with(program, args, rows, columns, &[])
    }

    /// The same, with more environment variables.
    pub(crate) fn run_with(
        program: &str,
        args: &[&str],
        rows: u16,
        columns: u16,
        variables: &[(&str, &str)],
    ) -> Person {
        let (pty, pts) = open().expect("a pty");
        pty.resize(Size::new(rows, columns)).expect("a pty has a size");
        let settings = settings(&pty);
        let process = Command::new(program)
            .args(args)
            .env("TERM", "xterm")
            .env("PS1", "$ ")
            .env("TZ", "UTC")
            .env("CHINWAG_TIMESTAMPS", "off")
            .envs(variables.iter().copied())
            .spawn(pts)
            .expect("the program starts");
        let terminal = vt100::Parser::new(size(rows), size(columns), 1000);
        Person { pty, process, terminal, written: Vec::new(), settings }
    }

    /// Sends the bytes of these keys to the program.
    pub(crate) fn press(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).expect("the pty accepts bytes");
    }

    /// Changes the size of the terminal. The program gets SIGWINCH.
    pub(crate) fn resize(&mut self, rows: u16, columns: u16) {
        self.terminal.screen_mut().set_size(size(rows), size(columns));
        self.pty.resize(Size::new(rows, columns)).expect("a pty has a size");
    }

    /// The process ID of the program.
    #[allow(dead_code, reason = "the tests of the demonstration alone need it")]
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("the program runs");
    }

    /// The rows of the screen, without the empty rows at the bottom.
    pub(crate) fn screen(&self) -> Vec<String> {
        let mut rows = picture(self.terminal.screen());
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        rows
    }

    /// Waits until the last rows of the screen are these.
    pub(crate) fn sees(&mut self, rows: &[&str]) {
        self.waits_until(&format!("{rows:#?}"), |screen| {
            let matches = |(row, wanted): (&String, &&str)| row == wanted;
            screen.len() >= rows.len()
                && screen[screen.len() - rows.len()..].iter().zip(rows).all(matches)
        });
    }

    /// Waits until a row begins with `start`.
    pub(crate) fn sees_row(&mut self, start: &str) {
        self.waits_until(start, |screen| screen.iter().any(|row| row.starts_with(start)));
    }

    /// Waits until the screen satisfies `is_there`. A failure is reported as `wanted`.
    pub(crate) fn waits_until(&mut self, wanted: &str, is_there: impl Fn(&[String]) -> bool) {
        let deadline = now() + TIMEOUT;
        while !is_there(&self.screen()) {
            let screen = self.screen();
            assert!(
                self.reads_until(deadline),
                "not seen: {wanted}\non the screen: {screen:#?}\nwritten: {}",
                self.written.escape_ascii()
            );
        }
    }

    /// How many lines that begin with `start` the program has written.
    pub(crate) fn written_lines(&self, start: &str) -> usize {
        let written = String::from_utf8_lossy(&self.written);
        // The prompt before a line is erased first.
        let lines = written.split("\r\n").map(|line| line.rsplit("\x1b[K").next());
        lines.filter(|line| line.is_some_and(|line| line.starts_with(start))).count()
    }

    /// Waits until the program exits. Returns its exit status.
    pub(crate) fn exits(&mut self) -> ExitStatus {
        let deadline = now() + TIMEOUT;
        while self.reads_until(deadline) {}
        self.process.wait().expect("the child can be waited for")
    }

    /// Closes the terminal, as a user closes the window of a terminal emulator.
    pub(crate) fn closes_the_terminal(&mut self) {
        self.pty = open().expect("a pty").0;
    }

    /// Waits until the program exits although nobody reads its terminal.
    pub(crate) fn exits_unread(&mut self) -> ExitStatus {
        let deadline = now() + TIMEOUT;
        loop {
            if let Some(status) = self.process.try_wait().expect("the child can be waited for") {
                return status;
            }
            assert!(now() < deadline, "the program does not exit");
            std::thread::yield_now();
        }
    }

    /// Whether the terminal has the settings from before the program ran, bracketed paste and focus
    /// reports included.
    pub(crate) fn has_restored_the_terminal(&self) -> bool {
        settings(&self.pty) == self.settings
            && !self.terminal.screen().bracketed_paste()
            && !self.reports_focus()
    }

    /// Whether the program has asked for focus reports. The emulator does not keep this mode.
    pub(crate) fn reports_focus(&self) -> bool {
        let written = String::from_utf8_lossy(&self.written);
        written.rfind("\x1b[?1004h") > written.rfind("\x1b[?1004l")
    }

    /// Whether the program writes nothing for `time`.
    #[cfg(target_os = "linux")]
    pub(crate) fn sees_nothing_for(&mut self, time: Duration) -> bool {
        !self.is_readable(time)
    }

    /// The line of /proc/PID/status that counts how often the program has blocked, see proc(5).
    #[cfg(target_os = "linux")]
    pub(crate) fn wake_ups(&self) -> String {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).expect("the program runs");
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
        line.expect("Linux counts them").to_owned()
    }

    /// Reads what the program writes next. Returns `false` if the program has exited, or at the
    /// deadline.
    fn reads_until(&mut self, deadline: Instant) -> bool {
        let mut buffer = [0; 4096];
        if !self.is_readable(deadline.saturating_duration_since(now())) {
            return false;
        }
        // When the program has exited, reading the pty fails with EIO.
        let count = self.pty.read(&mut buffer).unwrap_or(0);
        self.terminal.process(&buffer[..count]);
        self.written.extend_from_slice(&buffer[..count]);
        count > 0
    }

    fn is_readable(&self, time: Duration) -> bool {
        let time = Timespec::try_from(time).expect("the time fits into a timespec");
        let mut ready = [PollFd::from_borrowed_fd(self.pty.as_fd(), PollFlags::IN)];
        poll(&mut ready, Some(&time)).expect("a pty can be polled") > 0
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // The program may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn settings(pty: &Pty) -> String {
    format!("{:?}", tcgetattr(pty).expect("a pty is a terminal"))
}

#[expect(clippy::disallowed_methods, reason = "a test that waits for a program needs a deadline")]
fn now() -> Instant {
    Instant::now()
}
