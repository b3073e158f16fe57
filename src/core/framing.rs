//! Bytes to lines and lines to bytes, for one connection; `protocol.md` 1 and 2.1.
//!
//! [`LineReader`] takes the bytes of a connection as they were read and gives [`Frame`]s;
//! [`Outbox`] holds what waits to be written. Both live on [`Pool`]ed buffers, so that a
//! connection with nothing half-done owns none. The client reads the server through the same
//! reader. Nothing here knows of sockets, or of what a line means.

mod line_reader;
mod protocol_sniffer;
mod telnet;
pub mod text;

pub use line_reader::LineReader;

use crate::core::buffers::{Buffer, Pool};

/// What the next bytes of a connection turned out to be.
#[derive(Debug)]
pub enum Frame<'i> {
    /// A line that lies whole in the bytes that were read, and is plain ([`text::is_plain`]).
    Line(&'i [u8]),
    /// A line that had to be put together, in a buffer that holds just that ([`Frame::recycle`]).
    Assembled(Box<Buffer>),
    /// Something else for the conversation.
    Input(Input<'static>),
    /// A telnet option was offered or asked for; this refusal is to be sent back (1.7).
    Reply([u8; 3]),
}

impl Frame<'_> {
    /// The line that it is, if it is one: UTF-8, safe for any terminal (2.1), without its ending.
    #[must_use]
    #[inline]
    pub fn line(&self) -> Option<&[u8]> {
        match self {
            Frame::Line(line) => Some(line),
            Frame::Assembled(buffer) => Some(buffer.as_slice()),
            Frame::Input(_) | Frame::Reply(_) => None,
        }
    }

    /// The same as text; to be sure of that costs a look at each byte, which relaying does without.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        str::from_utf8(self.line()?).ok()
    }

    /// Gives the buffer it came in, if any, back to `pool`.
    #[inline]
    pub fn recycle(self, pool: &mut Pool) {
        if let Frame::Assembled(buffer) = self {
            pool.take_back(buffer);
        }
    }
}

/// What a person sent, as the conversation sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// A line, safe for any terminal (2.1), without its ending.
    Line(&'a str),
    /// A line over the limit, thrown away (1.3).
    TooLong,
    /// A line that was not UTF-8, thrown away (1.4).
    NotUtf8,
    /// "Are you there?" (1.8).
    AreYouThere,
    /// The connection begins with a TLS hello (1.10).
    TlsHello,
    /// The connection begins with an HTTP request (1.10).
    HttpRequest,
    /// The end of input, said in the stream: IAC EOF or control-D (1.8, 1.9).
    End,
}
