//! The connection to a server's console.

use std::io::{ErrorKind, Write};
use std::path::Path;

use mio::net::UnixStream;
use mio::{Events, Interest, Registry, Token};

use super::source::Source;

/// Bytes of commands that wait for the server. A person types less.
const UNSENT_BYTES_MAX: usize = 4096;

/// A console that is read and written without blocking.
#[derive(Debug)]
pub(super) struct Console {
    source: Source<UnixStream>,
    unsent: Vec<u8>,
}

impl Console {
    /// Connects to the socket at `path`. The events carry `token`.
    ///
    /// # Errors
    /// There is no server, with the reason.
    pub(super) fn connect(
        path: &Path,
        registry: &Registry,
        token: Token,
    ) -> Result<Console, String> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let source = UnixStream::connect(path)
            .and_then(|stream| Source::watch(registry, stream, token, interest))
            .map_err(|e| format!("no server at {}: {e}", path.display()))?;
        Ok(Console { source, unsent: Vec::new() })
    }

    /// Whether the next turn has work here without a new event.
    pub(super) fn has_more(&self) -> bool {
        self.source.has_more()
    }

    /// Writes what waits, and reads what has come. Returns whether the server has gone.
    pub(super) fn turn(&mut self, events: &Events, each: impl FnMut(&[u8])) -> bool {
        self.flush();
        self.source.read(events, each)
    }

    /// Sends a command. A server that reads nothing gets no more of them.
    pub(super) fn send(&mut self, line: &str) {
        if self.unsent.len() + line.len() <= UNSENT_BYTES_MAX {
            self.unsent.extend_from_slice(line.as_bytes());
        }
        self.flush();
    }

    /// If the server has gone, the next read says so.
    fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match self.source.stream().write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}
