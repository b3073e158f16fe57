//! Browsers at the port for lines (2.4.1).
//!
//! `handle_frame` in `exchange.rs` calls this when the first bytes of a connection are HTTP. A browser
//! shows an answer only if it begins as HTTP does, so the welcome must not be out yet.

use super::Exchange;
use super::endpoints::Endpoints;
use crate::core::SessionId;

/// What stands before the `!` line, which is the body. The end of the connection ends the body.
const HEAD: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Connection: close\r\n\r\n";

impl Exchange {
    /// Where the web page is, for browsers at the wrong port.
    pub fn set_page(&mut self, place: &str) {
        self.chat.set_page(place);
    }

    /// What everybody who connects reads below the welcome.
    pub fn add_notice(&mut self, text: &str) {
        self.chat.add_notice(text);
    }

    /// Where TLS is spoken, for TLS clients at the wrong port.
    pub fn set_tls(&mut self, place: &str) {
        self.chat.set_tls(place);
    }
}

impl Endpoints {
    /// Makes the lines that follow the answer to an HTTP request. If the socket has taken a part of the
    /// welcome, this does nothing: it is too late.
    pub(super) fn answer_as_http(&mut self, id: SessionId) {
        if self[id].has_written || self[id].is_encoded {
            return;
        }
        self.clear_outbox(id);
        self.say(id, [HEAD]);
    }
}
