//! What a test does at the client's end of a transport.
#![allow(dead_code, reason = "no test program uses all of it")]

/// A client's side of one transport.
pub(crate) trait Layer {
    /// What to send unasked: parts of the handshake, and answers to pings.
    fn answer(&mut self) -> Vec<u8>;

    /// Whether transports inside this one may send.
    fn is_ready(&self) -> bool;

    /// What to send so that the server's exchange receives `bytes`.
    fn encode(&mut self, bytes: &[u8]) -> Vec<u8>;

    /// What to send to close the transport.
    fn close(&mut self) -> Vec<u8>;

    /// What the server's exchange has sent.
    fn decode(&mut self, bytes: &[u8]) -> Vec<u8>;

    /// The server has closed the transport.
    fn is_closed(&self) -> bool;
}
