//! The arithmetic of the WebSocket handshake (RFC 6455, 4.2.2).

use base64ct::{Base64, Encoding};
use sha1::{Digest, Sha1};

/// What every server appends to the client's key (RFC 6455, 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer to the client's key; `None` if the key is not 16 bytes in base64. It proves that the
/// server meant to speak WebSocket.
#[must_use]
pub fn accept_key(key: &str) -> Option<String> {
    let mut nonce = [0; 16];
    if Base64::decode(key, &mut nonce).ok()?.len() != nonce.len() {
        return None;
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut text = [0; 28];
    Base64::encode(&digest, &mut text).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let accepted = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accepted.as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        for wrong in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZQ==",
            "!!!!",
            "é",
            "dGhlIHNhbXBsZSBub25jZSBpcyBsb25n",
        ] {
            assert_eq!(accept_key(wrong), None, "{wrong:?}");
        }
    }
}
