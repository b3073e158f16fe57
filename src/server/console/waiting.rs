//! Consoles without the loop: streams, which no command asks for line by line, and waiting for commands
//! while the loop is held (8.2.14).
//!
//! The wait is poll(2) on the consoles alone. It is level-triggered, so it takes no event of a user's
//! socket away from the loop's own poll.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{ConsoleInput, Consoles, Streamed};

/// Waits until a console has work or a signal comes, at most for `time`.
///
/// # Errors
/// The kernel refuses to wait.
pub(in crate::server) fn wait(consoles: Option<&mut Consoles>, time: Duration) -> io::Result<()> {
    let timeout = Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    };
    let Some(consoles) = consoles else {
        return poll(&mut [], Some(&timeout)).map(drop).or_else(ignore_signal);
    };
    let mut polled = vec![PollFd::new(&consoles.listener, PollFlags::IN)];
    let mut keys = Vec::new();
    for (key, connection) in &consoles.connections {
        let mut flags = PollFlags::IN;
        flags.set(PollFlags::OUT, !connection.output.is_empty());
        // A console that waits for an answer gives no command.
        if !connection.is_waiting {
            polled.push(PollFd::from_borrowed_fd(connection.stream.as_fd(), flags));
            keys.push(key);
        }
    }
    poll(&mut polled, Some(&timeout)).map(drop).or_else(ignore_signal)?;
    let is_ready = polled.iter().map(|fd| !fd.revents().is_empty()).collect::<Vec<_>>();
    drop(polled);
    consoles.has_pending |= is_ready[0];
    for (key, is_ready) in keys.into_iter().zip(&is_ready[1..]) {
        consoles.connections[key].is_ready |= is_ready;
    }
    Ok(())
}

/// A signal ends the wait, and the caller looks which one.
fn ignore_signal(error: rustix::io::Errno) -> io::Result<()> {
    if error == rustix::io::Errno::INTR { Ok(()) } else { Err(error.into()) }
}

impl Consoles {
    /// Whether that console would take a line of a stream now.
    pub(in crate::server) fn may_stream(&mut self, key: usize, number: u64) -> Streamed {
        match self.find(key, number) {
            None => Streamed::Gone,
            Some(connection) if connection.output.is_empty() => Streamed::Sent,
            Some(_) => Streamed::Busy,
        }
    }

    /// Sends a line of a stream.
    pub(in crate::server) fn stream(&mut self, key: usize, number: u64, line: &str) -> Streamed {
        let Some(connection) = self.find(key, number) else { return Streamed::Gone };
        connection.output.extend_from_slice(line.as_bytes());
        match connection.write() {
            Some(ConsoleInput::End) => {
                self.close(key);
                Streamed::Gone
            }
            _ => Streamed::Sent,
        }
    }
}
