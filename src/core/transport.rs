//! The seam between a socket and the exchange: one [`Transport`] per connection.
//!
//! A transport turns socket bytes into application bytes (the byte stream of `protocol.md` 2) and
//! back: TLS decrypts, WebSocket unframes. The exchange calls it; a transport never sees a socket,
//! the chat, or another connection. Plain TCP has no transport object: its bytes pass unchanged,
//! without a copy and without memory. A new transport is one file here and one variant of
//! [`Scheme`]. It holds for TLS, for WebSocket, and for WebSocket over TLS:
//!
//! 1. **Ownership of unsent socket bytes.** The transport owns every byte that it has encoded and
//!    the socket has not taken ([`Transport::output`]). That buffer is bounded: when it is full,
//!    [`Transport::send`] takes nothing, and the application bytes stay in the outbox or the
//!    broadcast log. Before a handshake is done, `send` takes nothing either.
//! 2. **Half a record.** [`Transport::receive`] takes all the bytes it is given. Half a TLS record
//!    or half a WebSocket header waits inside the transport. More socket bytes are needed to finish
//!    it, so half a record never makes `Exchange::wants_input` false. Only backpressure does:
//!    decoded bytes that the chat may not read yet wait in the exchange as held input.
//! 3. **Close by the peer.** `close_notify` or a Close frame is [`Received::EndOfInput`]: the exchange
//!    handles everything received before it, then ends the session. The end of the TCP stream
//!    without such a close is a truncation ([`Transport::is_end_clean`]), and the session counts as
//!    lost (RFC 8446, 6.1). The answers to what came before are still written.
//! 4. **Close by us.** The exchange tells the reason ([`Transport::handle_session_end`]), and calls
//!    [`Transport::close`] when the outbox is empty. The transport appends its closing bytes to its
//!    output; after they are written, the exchange sends the FIN.
//! 5. **Broadcast.** The broadcast log holds application bytes, once for all readers. `send` copies a
//!    stretch of the log into the transport's buffer, and the reader's cursor advances by what
//!    `send` took. Bytes that a transport took are never skipped, so no record is torn.
//! 6. **Backpressure** counts application bytes: the outbox and the unread part of the log. Encoded
//!    bytes are bounded per connection and count only in the total of buffered bytes.
//! 7. **Time.** A handshake deadline is the transport's own ([`Transport::deadline`]); after the
//!    session is over, the exchange's closing deadline replaces it. A transport
//!    that fails may leave an alert in its output; the exchange writes it before it closes.
//! 8. **Before the session.** While [`Transport::opening`] is [`Opening::Pending`], the connection has
//!    buffers and deadlines, and the chat does not know it. The transport decodes no application bytes
//!    yet, except behind the last byte of the handshake: they wait in the exchange. When the
//!    transport is ready, the shell is asked once to admit the client's address. Then the session
//!    begins, or one `!` line goes out and the transport is closed. A connection that never becomes
//!    ready was no session: at [`Received::EndOfInput`], at the FIN, at its deadline, or after an
//!    error, its output is written and it closes. An opening transport must have a deadline.
//!    A transport that only had to read a header becomes [`Transport::is_transparent`].

pub mod http;
mod proxy_protocol;
mod scheme;
mod stack;
pub mod tls;
pub mod websocket;

pub use proxy_protocol::ProxyProtocol;
pub use scheme::{Scheme, UnknownScheme};
pub use stack::Stack;

use core::net::SocketAddr;
use std::fmt::{self, Debug};

use crate::core::time::Time;

/// The state of one connection's transport. The head of this module is the contract.
pub trait Transport: Debug {
    /// Decodes `bytes` from the socket and appends application bytes to `input`.
    ///
    /// The transport may also add bytes to its output: handshake replies, pongs, acknowledgements.
    ///
    /// # Errors
    /// The peer broke the transport's protocol. Whatever was decoded before stays in `input`.
    fn receive(
        &mut self,
        now: Time,
        bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError>;

    /// Encodes application bytes into the output. Returns how many bytes of `data` it took: 0 while
    /// the handshake is unfinished, while the output buffer is full, and after [`Transport::close`].
    fn send(&mut self, data: &[u8]) -> usize;

    /// Encoded bytes that the socket has not taken yet, the oldest first.
    fn output(&self) -> &[u8];

    /// The socket took the first `count` bytes of [`Transport::output`].
    fn handle_sent(&mut self, count: usize);

    /// Appends the closing bytes to the output. The exchange may call this more than once.
    fn close(&mut self);

    /// Whether the peer closed the transport before it ended the TCP stream. `false` means that the
    /// stream was cut, by the network or by an attacker.
    fn is_end_clean(&self) -> bool;

    /// Whether a session may begin. The exchange asks after each call until the answer is
    /// [`Opening::Ready`], which stands. A transport that is ready from the start begins its session
    /// with the connection.
    fn opening(&self) -> Opening {
        Opening::Ready(None)
    }

    /// Whether a handshake is under way, whose next step can cost as much as a thousand lines. The shell
    /// then bounds how many such steps it takes in a turn.
    fn is_handshaking(&self) -> bool {
        false
    }

    /// Whether the transport is ready, has no output, and would from now on pass all bytes unchanged
    /// both ways. The exchange then drops it, and the connection is plain TCP.
    fn is_transparent(&self) -> bool {
        false
    }

    /// Whether nobody on the way can read the application bytes: the transport encrypts them.
    /// Passwords may pass then (3.4.5).
    fn is_private(&self) -> bool {
        false
    }

    /// Whether the program at the other end hides passwords by itself, as the page does, and reads no
    /// telnet (3.4.4).
    fn hides_passwords(&self) -> bool {
        false
    }

    /// When [`Transport::handle_timeout`] must be called, if ever.
    fn deadline(&self) -> Option<Time> {
        None
    }

    /// The deadline has come. [`Received::EndOfInput`] ends a connection that has no session: nobody
    /// did anything wrong. `is_read` tells whether the exchange reads this connection at the moment; a
    /// peer whose bytes wait in the kernel is not silent.
    ///
    /// # Errors
    /// The peer was too slow; the connection must end.
    fn handle_timeout(&mut self, _now: Time, _is_read: bool) -> Result<Received, TransportError> {
        Ok(Received::Data)
    }

    /// The session is over. [`Transport::close`] follows when the output is taken.
    fn handle_session_end(&mut self, _why: SessionEnd) {}
}

/// Why a session is over, for transports whose closing bytes tell the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// The client left.
    Left,
    /// The server stops.
    ServerStops,
    /// The server ended the session: an operator, a deadline or a limit.
    Removed,
}

/// Whether a session may begin on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Not yet, and perhaps never.
    Pending,
    /// Yes. The address is the client's, if the transport learned another than the socket's. Port 0
    /// means that the port is not known.
    Ready(Option<SocketAddr>),
}

/// What the peer's bytes meant for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The connection goes on.
    Data,
    /// The peer closed the transport: no application bytes follow.
    EndOfInput,
}

/// Why a transport gave up. The text is for the log, never for the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportError(pub &'static str);

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
