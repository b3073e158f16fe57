//! Framing: turns the bytes of one connection into lines; `protocol.md` 2 and 3.1.
//!
//! [`LineReader`] takes bytes as they were read and yields [`Frame`]s. The exchange calls it for
//! every client; the terminal client reads the server's lines with the same reader. A partial line
//! sits in a buffer from the [`Pool`], so an idle connection owns no buffer. Nothing here knows of
//! sockets, or of what a line means.

mod line_reader;
mod protocol_sniffer;
mod telnet;
pub mod text;

pub use line_reader::LineReader;
pub(crate) use telnet::CommandFilter;
pub use telnet::{DO_NOT_ECHO_REFUSAL, ECHO_OFF, ECHO_ON};

use crate::core::buffers::{Buffer, Pool};

/// One unit that the framing yields.
#[derive(Debug)]
pub enum Frame<'i> {
    /// A complete, plain line ([`text::is_plain`]), borrowed from the bytes that were read.
    ///
    /// Most lines take this path. It copies nothing.
    Line(&'i [u8]),
    /// A line put together from several reads, or changed by editing or cleaning. The buffer holds
    /// only this line; [`Frame::recycle`] returns the buffer to the pool.
    Assembled(Box<Buffer>),
    /// Something other than a line that the chat has to answer.
    Input(Input<'static>),
    /// The client offered or requested a telnet option. These bytes refuse the option (2.2.1).
    Reply([u8; 3]),
}

impl Frame<'_> {
    /// The line, if this frame is a line. It is valid UTF-8, safe for any terminal (3.1.1), and has
    /// no line ending.
    #[must_use]
    #[inline]
    pub fn line(&self) -> Option<&[u8]> {
        match self {
            Frame::Line(line) => Some(line),
            Frame::Assembled(buffer) => Some(buffer.as_slice()),
            Frame::Input(_) | Frame::Reply(_) => None,
        }
    }

    /// The line as text. The UTF-8 check reads every byte, so relaying uses [`Frame::line`].
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        str::from_utf8(self.line()?).ok()
    }

    /// Overwrites the text, if the frame owns it: it was a password. Who owns the bytes of a borrowed line
    /// overwrites them ([`crate::core::exchange::Exchange::is_secret`]).
    pub(crate) fn wipe(&mut self) {
        if let Frame::Assembled(buffer) = self {
            buffer.as_mut_slice().fill(0);
        }
    }

    /// Returns the frame's buffer, if the frame has one, to `pool`.
    #[inline]
    pub fn recycle(self, pool: &mut Pool) {
        if let Frame::Assembled(buffer) = self {
            pool.take_back(buffer);
        }
    }
}

/// What a client sent, as the chat sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// A line, safe for any terminal (3.1.1), without its ending.
    Line(&'a str),
    /// A line over the length limit; the reader dropped it (2.1.3).
    TooLong,
    /// A line that is not UTF-8; the reader dropped it (2.1.4).
    NotUtf8,
    /// Telnet's "Are you there?" (2.2.3).
    AreYouThere,
    /// The connection begins with a TLS hello (2.4.1).
    TlsHello,
    /// The connection begins with an HTTP request (2.4.1).
    HttpRequest,
    /// The client marked the end of its input inside the stream: IAC EOF or control-D (2.2.3, 2.3.1).
    End,
}
