//! Why a WebSocket connection ends, as the codes of RFC 6455, 7.4, in both directions.

use crate::core::transport::TransportError;

/// What a client did that the protocol forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A frame without a mask.
    Unmasked,
    /// A reserved bit or opcode, or a frame of an extension.
    Reserved,
    /// A control frame that is long or in parts.
    Control,
    /// A length that is not written in the shortest form.
    Length,
    /// A continuation of nothing, or a new message inside another.
    Order,
    /// A close frame whose code is one byte or no code.
    CloseCode,
    /// A binary message.
    Binary,
    /// Text that is not UTF-8.
    NotUtf8,
    /// A message above the limit.
    TooBig,
    /// No sign of life after pings.
    Silent,
}

/// Why the server closes without a fault of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseCode {
    /// The user left.
    Normal = 1000,
    /// The server stops.
    GoingAway = 1001,
    /// The server ended the session: an operator, a deadline or a limit.
    Policy = 1008,
}

impl Fault {
    /// The code of the close frame.
    pub(super) fn code(self) -> u16 {
        match self {
            Fault::Unmasked
            | Fault::Reserved
            | Fault::Control
            | Fault::Length
            | Fault::Order
            | Fault::CloseCode => 1002,
            Fault::Binary => 1003,
            Fault::NotUtf8 => 1007,
            Fault::Silent => 1008,
            Fault::TooBig => 1009,
        }
    }

    /// The text for the log.
    pub(super) fn error(self) -> TransportError {
        TransportError(match self {
            Fault::Unmasked => "a WebSocket frame without a mask",
            Fault::Reserved => "a WebSocket frame with a reserved bit or opcode",
            Fault::Control => "a WebSocket control frame that is long or in parts",
            Fault::Length => "a WebSocket frame whose length is not in the shortest form",
            Fault::Order => "a WebSocket frame out of order",
            Fault::CloseCode => "a WebSocket close frame with a wrong code",
            Fault::Binary => "a binary WebSocket message",
            Fault::NotUtf8 => "a WebSocket message that is not UTF-8",
            Fault::TooBig => "a WebSocket message that is too long",
            Fault::Silent => "no answer to WebSocket pings",
        })
    }
}

/// The code in the payload of a client's close frame; `None` if the frame has no payload.
///
/// # Errors
/// The code is one that nobody may send (RFC 6455, 7.4), or the reason is not UTF-8.
pub(super) fn code_of(payload: &[u8]) -> Result<Option<u16>, Fault> {
    let (code, reason) = match *payload {
        [] => return Ok(None),
        [high, low, ref reason @ ..] => (u16::from_be_bytes([high, low]), reason),
        [_] => return Err(Fault::CloseCode),
    };
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Fault::CloseCode);
    }
    str::from_utf8(reason).map_err(|_| Fault::NotUtf8)?;
    Ok(Some(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_may_carry_no_code_or_one_that_may_be_sent() {
        assert_eq!(code_of(b""), Ok(None));
        assert_eq!(code_of(b"\x03\xe8bye"), Ok(Some(1000)));
        assert_eq!(code_of(&3000u16.to_be_bytes()), Ok(Some(3000)));
        assert_eq!(code_of(b"\x03"), Err(Fault::CloseCode));
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535u16] {
            assert_eq!(code_of(&code.to_be_bytes()), Err(Fault::CloseCode), "{code}");
        }
        assert_eq!(code_of(b"\x03\xe8\xff"), Err(Fault::NotUtf8));
    }
}
