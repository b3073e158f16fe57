//! All simulated users, and the mio loop that serves them. [`super::step_runner`],
//! [`super::room_load`] and [`super::load`] use it; it knows nothing of steps, rooms or commands.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::clock::now;
use super::protocol::Protocol;
use super::user::User;

/// A server that delivers no line for so long has stalled.
pub(super) const STALL: Duration = Duration::from_secs(5);
/// The most events that one turn takes from the kernel.
pub(super) const EVENTS_MAX: usize = 1024;

const READ_BYTES_MAX: usize = 64 * 1024;

/// The users and their loop.
pub(super) struct UserPool {
    pub(super) protocol: Protocol,
    /// The address of the server.
    pub(super) server: SocketAddr,
    pub(super) poll: Poll,
    /// End `i` of pair `p` is user 2p + i, and has that token. `None`: the user has left.
    pub(super) users: Vec<Option<User>>,
    /// The read buffer of all users.
    pub(super) buffer: Box<[u8]>,
    /// Where a batch of lines is built before the write.
    scratch: Vec<u8>,
}

impl UserPool {
    /// Without users.
    pub(super) fn new(protocol: Protocol, server: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            protocol,
            server,
            poll: Poll::new()?,
            users: Vec::new(),
            buffer: vec![0; READ_BYTES_MAX].into_boxed_slice(),
            scratch: Vec::new(),
        })
    }

    /// Receives until no line is in flight. Returns how many lines arrived. Whenever a user has
    /// received a whole batch, calls `answer`, which returns how many lines it sent.
    pub(super) fn receive_all(
        &mut self,
        mut in_flight: u64,
        batch: u32,
        answer: &mut dyn FnMut(&mut Self, usize, Instant) -> io::Result<u64>,
    ) -> io::Result<u64> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        let (mut delivered, mut received_at) = (0, now());
        while in_flight > 0 {
            wait(&mut self.poll, &mut events)?;
            let time = now();
            for event in events.iter().filter(|event| event.is_readable()) {
                let user = event.token().0;
                let (lines, is_complete) = self.receive(user, batch)?;
                let sent = if is_complete { answer(self, user, time)? } else { 0 };
                delivered += lines;
                in_flight = in_flight + sent - lines;
                received_at = if lines > 0 { time } else { received_at };
            }
            if time - received_at > STALL {
                return Err(self.stalled(0..self.users.len()));
            }
        }
        Ok(delivered)
    }

    /// A user sends `lines` lines. Returns how many were sent: 0 if the user has left.
    pub(super) fn send(&mut self, user: usize, lines: u32) -> io::Result<u64> {
        let Some(user) = &mut self.users[user] else { return Ok(0) };
        user.send(lines, &mut self.scratch)?;
        Ok(lines.into())
    }

    /// A user reads. Returns how many lines arrived, and whether they complete a batch.
    pub(super) fn receive(&mut self, user: usize, batch: u32) -> io::Result<(u64, bool)> {
        let Some(user) = &mut self.users[user] else { return Ok((0, false)) };
        let (lines, is_complete) = user.receive(&mut self.buffer, batch)?;
        Ok((lines.into(), is_complete))
    }

    /// The error for a stalled server. It names what the first unfinished user waits for.
    pub(super) fn stalled(&self, users: impl IntoIterator<Item = usize>) -> io::Error {
        let mut users = users.into_iter().filter_map(|user| self.users[user].as_ref());
        let waiting = users.find(|user| !user.is_done()).map(User::describe);
        io::Error::other(format!("stalled: {}", waiting.as_deref().unwrap_or("lines are missing")))
    }
}

/// Waits for events, for at most [`STALL`].
pub(super) fn wait(poll: &mut Poll, events: &mut Events) -> io::Result<()> {
    match poll.poll(events, Some(STALL)) {
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
        outcome => outcome,
    }
}
