//! WebSocket frames around the lines of a user, as far as a benchmark needs them: the server sends
//! only text, and no frame has 64 KiB.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

/// A mask of zeros leaves the bytes as they are. The server unmasks them all the same.
const MASK: [u8; 4] = [0; 4];
/// The first byte of a whole text message.
const TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;

/// The position in the frames from the server.
#[derive(Default)]
pub(super) struct Framing {
    header: Vec<u8>,
    payload_left: usize,
}

/// Opens a WebSocket connection. The socket still blocks. Frames may follow the response; they are
/// returned.
pub(super) fn shake_hands(
    mut socket: impl Read + Write,
    server: SocketAddr,
) -> io::Result<Vec<u8>> {
    write!(
        socket,
        "GET /chat HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )?;
    let mut response = Vec::new();
    loop {
        let mut bytes = [0; 1024];
        let count = socket.read(&mut bytes)?;
        response.extend_from_slice(&bytes[..count]);
        if let Some(end) = response.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            return Ok(response.split_off(end + 4));
        }
        if count == 0 {
            return Err(io::Error::other("the server refused the handshake"));
        }
    }
}

/// Appends one text message with `payload` to `out`.
pub(super) fn frame(payload: &[u8], out: &mut Vec<u8>) {
    out.push(TEXT);
    match u8::try_from(payload.len()) {
        Ok(short @ 0..126) => out.push(MASKED | short),
        _ => {
            out.push(MASKED | 126);
            let length = u16::try_from(payload.len()).expect("a batch is small");
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend_from_slice(payload);
}

impl Framing {
    /// Moves the payload in `bytes` to their front. Returns how many bytes it has.
    pub(super) fn unframe(&mut self, bytes: &mut [u8]) -> usize {
        let (mut from, mut to) = (0, 0);
        while from < bytes.len() {
            if self.payload_left == 0 {
                self.header.push(bytes[from]);
                from += 1;
                self.payload_left = match *self.header.as_slice() {
                    [_, short] if short < 126 => short.into(),
                    [_, 126, high, low] => u16::from_be_bytes([high, low]).into(),
                    _ => continue,
                };
                self.header.clear();
                continue;
            }
            let count = self.payload_left.min(bytes.len() - from);
            bytes.copy_within(from..from + count, to);
            from += count;
            to += count;
            self.payload_left -= count;
        }
        to
    }
}
