//! Recognises a TLS or HTTP client by the first bytes that it sends (2.4.1).
//!
//! A web page can make a browser send a request to any port. The lines of such a request must not
//! reach the menu, where they would act as commands. [`super::LineReader`] asks the sniffer before
//! it reads a line.

use super::Input;

/// The first bytes of a TLS record (RFC 8446, 5.1), of an HTTP/1 request (RFC 9110, 9) and of
/// HTTP/2 (RFC 9113, 3.4). The entry at index 0 is TLS; all the others are HTTP.
const OPENINGS: [&[u8]; 11] = [
    b"\x16\x03",
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PRI ",
];

/// Compares the first bytes of a connection with [`OPENINGS`] until none or one of them matches.
#[derive(Debug)]
pub(super) struct ProtocolSniffer {
    /// How many bytes were compared. The longest opening has 8, so a byte is enough.
    seen: u8,
    /// Bit `n` is set while the bytes so far match the start of `OPENINGS[n]`. When no bit is left,
    /// the client speaks our protocol, and the sniffer costs one comparison per line.
    candidates: u16,
}

impl Default for ProtocolSniffer {
    fn default() -> Self {
        ProtocolSniffer { seen: 0, candidates: (1 << OPENINGS.len()) - 1 }
    }
}

impl ProtocolSniffer {
    /// Whether the first bytes may still turn out to be another protocol.
    pub(super) fn is_watching(&self) -> bool {
        self.candidates != 0
    }

    /// Compares the next bytes without consuming them.
    ///
    /// Returns the protocol once, as soon as an opening is complete; returns `None` from then on.
    /// The caller may pass the opening in any number of pieces.
    pub(super) fn recognize(&mut self, bytes: &[u8]) -> Option<Input<'static>> {
        for &byte in bytes {
            if self.candidates == 0 {
                break;
            }
            let position = usize::from(self.seen);
            self.seen += 1;
            for (n, opening) in OPENINGS.iter().enumerate() {
                if opening.get(position) != Some(&byte) {
                    self.candidates &= !(1 << n);
                } else if self.candidates & (1 << n) != 0 && position + 1 == opening.len() {
                    self.candidates = 0;
                    return Some(if n == 0 { Input::TlsHello } else { Input::HttpRequest });
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opening_is_recognized_however_it_is_cut() {
        for opening in OPENINGS {
            for cut in 0..opening.len() {
                let mut sniffer = ProtocolSniffer::default();
                assert_eq!(sniffer.recognize(&opening[..cut]), None);
                assert!(sniffer.recognize(&opening[cut..]).is_some(), "{opening:?} cut at {cut}");
                assert_eq!(sniffer.recognize(b"GET "), None, "the protocol is reported once");
            }
        }
    }

    #[test]
    fn lines_that_begin_like_an_http_method_pass() {
        for line in ["GET\n", "Post \n", "PUTIN\n", "\u{16}\n", "anna\n", "POSTER \n"] {
            let mut sniffer = ProtocolSniffer::default();
            assert_eq!(sniffer.recognize(line.as_bytes()), None, "{line:?}");
            assert_eq!(sniffer.recognize(b"GET / HTTP/1.1"), None, "only the first bytes count");
        }
    }
}
