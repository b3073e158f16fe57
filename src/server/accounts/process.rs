//! The helper process as the server sees it: a child and a socket, which the loop never waits for.
//!
//! `accounts.rs` decides when to start it and what to ask. Only [`Process::first_names`] blocks: at
//! the start of the server, before there are users.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use zeroize::Zeroizing;

use crate::accounts::wire::{self, Reply};
use crate::core::accounts::AccountTask;
use crate::core::limits::{HELPER_ANSWER_MS, READ_BYTES_PER_TURN};
use crate::server::connection::IoOutcome;

/// A running helper. Dropping it ends the process.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    stream: UnixStream,
    /// Bytes of a reply that is not complete.
    unread: Vec<u8>,
    /// What the socket has not taken of the open question.
    unsent: Zeroizing<Vec<u8>>,
    sent: usize,
}

impl Process {
    /// Starts the helper. It says all names, then that it is ready.
    ///
    /// # Errors
    /// The system has no process or no socket for it.
    pub(super) fn start(folder: &Path) -> io::Result<Process> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let child = Command::new(this_program()?)
            .arg("account-helper")
            .arg(folder)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            // In a group of its own, the helper does not get the Ctrl-C of the server's terminal.
            .process_group(0)
            .spawn()?;
        let stream = UnixStream::from_std(ours);
        Ok(Process { child, stream, unread: Vec::new(), unsent: Zeroizing::default(), sent: 0 })
    }

    /// The process ID.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Waits until the helper has said all names.
    ///
    /// # Errors
    /// Why it cannot serve, for the operator.
    pub(super) fn first_names(&mut self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        let timeout = Duration::from_millis(HELPER_ANSWER_MS);
        loop {
            let mut ready =
                [rustix::event::PollFd::new(&self.stream, rustix::event::PollFlags::IN)];
            let limit = rustix::event::Timespec::try_from(timeout).map_err(io::Error::other)?;
            if rustix::io::retry_on_intr(|| rustix::event::poll(&mut ready, Some(&limit)))? == 0 {
                return Err(io::Error::other("the helper for accounts does not start in time"));
            }
            for reply in self.read()? {
                match reply {
                    Reply::Account(name) => names.push(name),
                    Reply::Ready => return Ok(names),
                    Reply::Fault(fault) => return Err(io::Error::other(fault)),
                    Reply::Answer(_) => return Err(not_sensible()),
                }
            }
        }
    }

    /// Reads what has come, until the socket is empty.
    ///
    /// # Errors
    /// The helper has ended, or says nothing sensible.
    pub(super) fn read(&mut self) -> io::Result<Vec<Reply>> {
        let mut replies = Vec::new();
        let mut buffer = [0; READ_BYTES_PER_TURN];
        loop {
            match IoOutcome::of(|| self.stream.read(&mut buffer)) {
                IoOutcome::Bytes(n) => {
                    self.unread.extend_from_slice(&buffer[..n]);
                    let mut rest = self.unread.as_slice();
                    while let Some(reply) =
                        wire::next_reply(&mut rest).map_err(|_| not_sensible())?
                    {
                        replies.push(reply);
                    }
                    let used = self.unread.len() - rest.len();
                    self.unread.drain(..used);
                }
                IoOutcome::Nothing => return Ok(replies),
                // Its last words come first; the next read finds the end again.
                IoOutcome::End if !replies.is_empty() => return Ok(replies),
                IoOutcome::End => return Err(io::Error::other("it has ended")),
                IoOutcome::Failed(e) => return Err(e),
            }
        }
    }

    /// Asks a question. The last one is answered.
    ///
    /// # Errors
    /// The helper has ended.
    pub(super) fn ask(&mut self, task: &AccountTask) -> io::Result<()> {
        (self.unsent, self.sent) = (wire::encode_task(task), 0);
        self.write()
    }

    /// Writes what the socket takes.
    ///
    /// # Errors
    /// The helper has ended.
    pub(super) fn write(&mut self) -> io::Result<()> {
        while self.sent < self.unsent.len() {
            match IoOutcome::of(|| self.stream.write(&self.unsent[self.sent..])) {
                IoOutcome::Bytes(n) => self.sent += n,
                IoOutcome::Nothing => return Ok(()),
                IoOutcome::End => return Err(io::ErrorKind::WriteZero.into()),
                IoOutcome::Failed(e) => return Err(e),
            }
        }
        // A question holds a password.
        self.unsent = Zeroizing::default();
        self.sent = 0;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it has confirmed is on the disk, and what it has not may be lost.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program of this process, even if another version has replaced its file (proc(5)).
fn this_program() -> io::Result<PathBuf> {
    let link = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && link.exists() { Ok(link) } else { std::env::current_exe() }
}

fn not_sensible() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it says nothing sensible")
}
