//! The connection to a server's console.

use std::io::{self, Read, Write};
use std::path::Path;

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

/// Bytes of commands that wait for the server. A person types less.
const UNSENT_BYTES_MAX: usize = 4096;

/// A console that is read and written without blocking.
#[derive(Debug)]
pub(crate) struct Console {
    stream: UnixStream,
    unsent: Vec<u8>,
}

/// What a read brought.
pub(crate) enum Heard {
    /// This many bytes.
    Bytes(usize),
    /// Nothing at present.
    Nothing,
    /// The server has gone.
    End,
}

impl Console {
    /// Connects to the socket at `path`.
    ///
    /// # Errors
    /// There is no server, with the reason.
    pub(crate) fn connect(path: &Path) -> Result<Console, String> {
        let stream = UnixStream::connect(path)
            .map_err(|e| format!("no server at {}: {e}", path.display()))?;
        Ok(Console { stream, unsent: Vec::new() })
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Reads once.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Heard {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Heard::End,
                Ok(count) => return Heard::Bytes(count),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Heard::Nothing,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Heard::End,
            }
        }
    }

    /// Sends a command. A server that reads nothing gets no more of them.
    pub(super) fn send(&mut self, line: &str) {
        if self.unsent.len() + line.len() <= UNSENT_BYTES_MAX {
            self.unsent.extend_from_slice(line.as_bytes());
        }
        self.flush();
    }

    /// Writes what waits. If the server has gone, the next read says so.
    pub(super) fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}
