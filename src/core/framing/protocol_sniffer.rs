//! The first bytes of a connection, which tell a TLS client or a browser (1.10). What a browser can
//! be made to send to this port must not reach the menu.

use super::Input;

/// How the clients of other protocols begin: RFC 8446, 5.1; RFC 9110, 9; RFC 9113, 3.4.
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

/// Watches the first bytes until it is known whose they are.
#[derive(Debug)]
pub(super) struct ProtocolSniffer {
    /// The bytes that have passed.
    seen: u8,
    /// A bit for each of [`OPENINGS`] that they begin; none when the client is one of ours.
    candidates: u16,
}

impl Default for ProtocolSniffer {
    fn default() -> Self {
        ProtocolSniffer { seen: 0, candidates: (1 << OPENINGS.len()) - 1 }
    }
}

impl ProtocolSniffer {
    /// Whether it is not known yet who the client is.
    pub(super) fn is_watching(&self) -> bool {
        self.candidates != 0
    }

    /// Looks at bytes that come next, without taking them; says what they are once that is sure,
    /// and nothing ever after.
    pub(super) fn recognize(&mut self, bytes: &[u8]) -> Option<Input<'static>> {
        for &byte in bytes {
            if self.candidates == 0 {
                break;
            }
            let at = usize::from(self.seen);
            self.seen += 1;
            for (n, opening) in OPENINGS.iter().enumerate() {
                if opening.get(at) != Some(&byte) {
                    self.candidates &= !(1 << n);
                } else if self.candidates & (1 << n) != 0 && at + 1 == opening.len() {
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
                let mut watch = ProtocolSniffer::default();
                assert_eq!(watch.recognize(&opening[..cut]), None);
                assert!(watch.recognize(&opening[cut..]).is_some(), "{opening:?} cut at {cut}");
                assert_eq!(watch.recognize(b"GET "), None, "it is said once");
            }
        }
    }

    #[test]
    fn names_that_begin_like_a_method_pass() {
        for line in ["GET\n", "Post \n", "PUTIN\n", "\u{16}\n", "anna\n", "POSTER \n"] {
            let mut watch = ProtocolSniffer::default();
            assert_eq!(watch.recognize(line.as_bytes()), None, "{line:?}");
            assert_eq!(watch.recognize(b"GET / HTTP/1.1"), None, "only the first bytes count");
        }
    }
}
