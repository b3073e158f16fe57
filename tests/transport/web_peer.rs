//! A client's side of WebSocket, with the real transport at the other end.

use std::rc::Rc;

use chinwag::core::time::Time;
use chinwag::core::transport::http::{Http, Site};

use super::layer::Layer;

/// What the client sends first.
const HANDSHAKE: &[u8] = b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const MASK: [u8; 4] = [0x11, 0x22, 0x33, 0xf4];
/// Payload bytes of a frame: small, so that most messages are fragmented.
const FRAGMENT_BYTES: usize = 50;

/// The server's side.
pub(crate) fn http(now: Time) -> Http {
    Http::new(now, Rc::new(Site::default()), [127, 0, 0, 1].into())
}

/// The client's side.
#[derive(Debug, Default)]
pub(crate) struct WebPeer {
    partial: Vec<u8>,
    has_asked: bool,
    /// Answers to pings.
    pongs: Vec<u8>,
    is_upgraded: bool,
    is_closed: bool,
}

fn push_frame(out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    out.extend([first, 0x80 | payload.len() as u8]);
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
}

impl Layer for WebPeer {
    fn answer(&mut self) -> Vec<u8> {
        let mut answer = std::mem::take(&mut self.pongs);
        if !std::mem::replace(&mut self.has_asked, true) {
            answer.extend(HANDSHAKE);
        }
        answer
    }

    /// The server reads what follows the request at once.
    fn is_ready(&self) -> bool {
        true
    }

    /// One message, in fragments.
    fn encode(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let count = bytes.chunks(FRAGMENT_BYTES).count();
        for (n, fragment) in bytes.chunks(FRAGMENT_BYTES).enumerate() {
            let opcode = if n == 0 { 1 } else { 0 };
            let last = if n + 1 == count { 0x80 } else { 0 };
            push_frame(&mut out, last | opcode, fragment);
        }
        out
    }

    fn close(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        push_frame(&mut out, 0x88, b"\x03\xe8");
        out
    }

    fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.partial.extend_from_slice(bytes);
        if !self.is_upgraded {
            let end = self.partial.windows(4).position(|bytes| bytes == b"\r\n\r\n");
            let Some(end) = end else { return Vec::new() };
            assert!(self.partial.starts_with(b"HTTP/1.1 101 "), "the handshake comes first");
            self.partial.drain(..end + 4);
            self.is_upgraded = true;
        }
        let mut data = Vec::new();
        loop {
            let (header, length) = match *self.partial.as_slice() {
                [_, short @ 0..126, ..] => (2, usize::from(short)),
                [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
                _ => return data,
            };
            if self.partial.len() < header + length {
                return data;
            }
            assert!(!self.is_closed, "nothing follows the close frame");
            let payload = &self.partial[header..header + length];
            match self.partial[0] {
                0x81 => {
                    assert!(payload.ends_with(b"\n"), "a message is whole lines");
                    data.extend_from_slice(payload);
                }
                0x88 => self.is_closed = true,
                0x89 => push_frame(&mut self.pongs, 0x8a, payload),
                other => panic!("no frame of a server begins with {other:x}"),
            }
            self.partial.drain(..header + length);
        }
    }

    fn is_closed(&self) -> bool {
        self.is_closed
    }
}
