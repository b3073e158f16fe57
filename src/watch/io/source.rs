//! A source of bytes in the loop: the console, or the output of a child.

use std::io::{self, ErrorKind, Read};

use mio::{Events, Interest, Registry, Token};

/// Reads of one source in one turn. A picture of what came is drawn in between.
const READS_PER_TURN: usize = 16;

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;

/// A source that is read until it has no more, a bounded number of times a turn.
#[derive(Debug)]
pub(crate) struct Source<S> {
    stream: S,
    token: Token,
    /// A read may bring more.
    has_more: bool,
    /// The source is at its end.
    is_over: bool,
    buffer: Box<[u8]>,
}

impl<S: mio::event::Source + Read> Source<S> {
    /// Adds a source to the poll. Its events carry `token`.
    ///
    /// # Errors
    /// The kernel refuses to watch it.
    pub(crate) fn watch(
        registry: &Registry,
        mut stream: S,
        token: Token,
        interest: Interest,
    ) -> io::Result<Source<S>> {
        registry.register(&mut stream, token, interest)?;
        let buffer = vec![0; READ_BYTES].into_boxed_slice();
        Ok(Source { stream, token, has_more: true, is_over: false, buffer })
    }

    /// Whether the next turn has work here without a new event.
    pub(crate) fn has_more(&self) -> bool {
        self.has_more
    }

    pub(super) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Reads what has come. Returns whether the source has come to its end.
    pub(crate) fn read(&mut self, events: &Events, mut each: impl FnMut(&[u8])) -> bool {
        let is_ready = events.iter().any(|event| event.token() == self.token);
        self.has_more |= is_ready && !self.is_over;
        for _ in 0..READS_PER_TURN {
            if !self.has_more {
                return false;
            }
            match self.stream.read(&mut self.buffer) {
                Ok(count) if count > 0 => each(&self.buffer[..count]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.has_more = false,
                // A source that fails has no more to say.
                Ok(_) | Err(_) => {
                    (self.has_more, self.is_over) = (false, true);
                    return true;
                }
            }
        }
        false
    }
}
