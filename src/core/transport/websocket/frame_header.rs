//! The header of a WebSocket frame (RFC 6455, 5.2): reading a client's, writing the server's.
//!
//! [`HeaderReader`] collects a header that comes in pieces and refuses it as early as its bytes
//! allow. Order of frames and payloads are the business of [`super::WebSocket`].

use super::Fault;
use crate::core::limits::WEBSOCKET_MESSAGE_BYTES_MAX;

/// Bytes of the longest header that a client can send: 2, a length of 8, a mask of 4.
const HEADER_BYTES_MAX: usize = 14;

/// Payload bytes of the longest control frame (RFC 6455, 5.5).
pub(super) const CONTROL_BYTES_MAX: usize = 125;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    /// More of the message that has begun.
    Continuation,
    Text,
    Close,
    Ping,
    Pong,
}

/// A header that was read in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) opcode: Opcode,
    /// The last frame of its message.
    pub(super) is_final: bool,
    pub(super) payload_bytes: usize,
    pub(super) mask: [u8; 4],
}

/// The bytes of a header that has begun.
#[derive(Debug, Default)]
pub(super) struct HeaderReader {
    bytes: [u8; HEADER_BYTES_MAX],
    len: u8,
}

impl HeaderReader {
    /// Takes bytes from the front of `input`, until the header is complete.
    ///
    /// # Errors
    /// No client may send this header.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> Result<Option<FrameHeader>, Fault> {
        while let [byte, rest @ ..] = *input {
            self.bytes[usize::from(self.len)] = *byte;
            self.len += 1;
            *input = rest;
            match self.len {
                1 => drop(opcode(self.bytes[0])?),
                2 => check_second_byte(opcode(self.bytes[0])?, self.bytes[1])?,
                _ => {}
            }
            if self.len >= 2 && usize::from(self.len) == header_bytes(self.bytes[1]) {
                self.len = 0;
                return self.header().map(Some);
            }
        }
        Ok(None)
    }

    /// The header, once all its bytes are here.
    fn header(&self) -> Result<FrameHeader, Fault> {
        let [first, second, rest @ ..] = self.bytes;
        let (payload_bytes, at) = match second & !MASKED {
            126 => (u64::from(u16::from_be_bytes([rest[0], rest[1]])), 2),
            127 => {
                let [a, b, c, d, e, f, g, h, ..] = rest;
                (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 8)
            }
            short => (u64::from(short), 0),
        };
        let is_shortest = match at {
            0 => true,
            2 => payload_bytes > CONTROL_BYTES_MAX as u64,
            _ => payload_bytes > u16::MAX.into() && payload_bytes <= i64::MAX as u64,
        };
        if !is_shortest {
            return Err(Fault::Length);
        }
        let payload_bytes = usize::try_from(payload_bytes).map_err(|_| Fault::TooBig)?;
        if payload_bytes > WEBSOCKET_MESSAGE_BYTES_MAX {
            return Err(Fault::TooBig);
        }
        Ok(FrameHeader {
            opcode: opcode(first)?,
            is_final: first & FINAL != 0,
            payload_bytes,
            mask: [rest[at], rest[at + 1], rest[at + 2], rest[at + 3]],
        })
    }
}

/// Bytes of the header that begins with any byte and then `second`.
fn header_bytes(second: u8) -> usize {
    match second & !MASKED {
        126 => 8,
        127 => HEADER_BYTES_MAX,
        _ => 6,
    }
}

/// What the first byte says.
fn opcode(first: u8) -> Result<Opcode, Fault> {
    if first & RESERVED != 0 {
        return Err(Fault::Reserved);
    }
    let opcode = match first & OPCODE {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => return Err(Fault::Binary),
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => return Err(Fault::Reserved),
    };
    let is_whole = first & FINAL != 0;
    if opcode.is_control() && !is_whole { Err(Fault::Control) } else { Ok(opcode) }
}

/// Every frame of a client is masked (RFC 6455, 5.1), and a control frame is short (5.5).
fn check_second_byte(opcode: Opcode, second: u8) -> Result<(), Fault> {
    if second & MASKED == 0 {
        return Err(Fault::Unmasked);
    }
    let is_short = usize::from(second & !MASKED) <= CONTROL_BYTES_MAX;
    if opcode.is_control() && !is_short { Err(Fault::Control) } else { Ok(()) }
}

impl Opcode {
    pub(super) fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }

    fn bits(self) -> u8 {
        match self {
            Opcode::Continuation => 0,
            Opcode::Text => 1,
            Opcode::Close => 8,
            Opcode::Ping => 9,
            Opcode::Pong => 10,
        }
    }
}

/// The header of a whole, unmasked frame of the server, and how many of the bytes it has.
///
/// # Panics
/// If `payload_bytes` exceeds 65,535, which no frame of the server does.
pub(super) fn server_header(opcode: Opcode, payload_bytes: usize) -> ([u8; 4], usize) {
    let first = FINAL | opcode.bits();
    if payload_bytes <= CONTROL_BYTES_MAX {
        return ([first, payload_bytes as u8, 0, 0], 2);
    }
    let length = u16::try_from(payload_bytes).expect("the output limit is below 64 KiB");
    let [high, low] = length.to_be_bytes();
    ([first, 126, high, low], 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<FrameHeader>, Fault> {
        let whole = HeaderReader::default().read(&mut &*bytes);
        for cut in 0..bytes.len() {
            let mut reader = HeaderReader::default();
            let first = reader.read(&mut &bytes[..cut]);
            let read = match first {
                Ok(None) => reader.read(&mut &bytes[cut..]),
                early => early,
            };
            assert_eq!(read, whole, "{bytes:x?} cut at {cut}");
        }
        whole
    }

    #[test]
    fn each_form_of_the_length_is_read() {
        let length = |bytes: &[u8]| read(bytes).unwrap().unwrap().payload_bytes;
        assert_eq!(length(&[0x81, 0x80, 1, 2, 3, 4]), 0);
        assert_eq!(length(&[0x81, 0x80 | 125, 1, 2, 3, 4]), 125);
        assert_eq!(length(&[0x81, 0xfe, 0, 126, 1, 2, 3, 4]), 126);
        assert_eq!(length(&[0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4]), 65_535);
        assert_eq!(length(&[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4]), 65_536);
        let header = read(&[0x01, 0x85, 9, 8, 7, 6]).unwrap().unwrap();
        assert_eq!((header.opcode, header.is_final), (Opcode::Text, false));
        assert_eq!(header.mask, [9, 8, 7, 6]);
        assert_eq!(read(&[0x81, 0xfe, 0, 126, 1, 2]), Ok(None), "unfinished");
    }

    #[test]
    fn a_header_that_no_client_may_send_is_refused() {
        for (bytes, fault) in [
            (&[0x81, 0x05][..], Fault::Unmasked),
            (&[0xc1], Fault::Reserved),
            (&[0xa1], Fault::Reserved),
            (&[0x91], Fault::Reserved),
            (&[0x83], Fault::Reserved),
            (&[0x8b], Fault::Reserved),
            (&[0x82], Fault::Binary),
            (&[0x09], Fault::Control),
            (&[0x08], Fault::Control),
            (&[0x89, 0xfe], Fault::Control),
            (&[0x81, 0xfe, 0, 125, 0, 0, 0, 0], Fault::Length),
            (&[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], Fault::Length),
            (&[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Fault::Length),
            (&[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0], Fault::TooBig),
            (&[0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0, 1, 0, 1, 0, 0, 0, 0], Fault::TooBig),
        ] {
            assert_eq!(read(bytes), Err(fault), "{bytes:x?}");
        }
    }

    #[test]
    fn the_header_of_a_server_is_the_shortest() {
        let header = |payload| {
            let (bytes, len) = server_header(Opcode::Text, payload);
            bytes[..len].to_vec()
        };
        assert_eq!(header(0), [0x81, 0]);
        assert_eq!(header(125), [0x81, 125]);
        assert_eq!(header(126), [0x81, 126, 0, 126]);
        assert_eq!(header(8_000), [0x81, 126, 0x1f, 0x40]);
    }
}
