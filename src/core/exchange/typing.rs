//! What a client shows while its user types a password (3.4.4).
//!
//! The chat says when a password is awaited. A client that has spoken telnet is asked not to show what
//! is typed: `IAC WILL ECHO` (RFC 857) promises an echo, and the server sends none. Every other client
//! would show these bytes as letters, so its user is warned in words.

use super::endpoint::Typing;
use super::endpoints::Endpoints;
use crate::core::SessionId;
use crate::core::chat::typing_is_visible;
use crate::core::framing::{DO_NOT_ECHO_REFUSAL, ECHO_OFF, ECHO_ON};

impl Endpoints {
    /// A password is awaited from `id`, or none any more. The chat may say so more than once.
    pub(super) fn hide_typing(&mut self, id: SessionId, hide: bool) {
        let before = self[id].typing;
        let hides_passwords = self.hides_passwords(id);
        let speaks_telnet = self[id].reader.has_spoken_telnet() && !hides_passwords;
        let after = match (hide, before) {
            (false, _) => Typing::Shown,
            (true, Typing::Hidden) => Typing::Hidden,
            (true, _) if speaks_telnet => Typing::Hidden,
            (true, _) => Typing::Visible,
        };
        self[id].typing = after;
        match (before, after) {
            (Typing::Shown | Typing::Visible, Typing::Hidden) => self.say(id, [&ECHO_OFF]),
            (Typing::Hidden, Typing::Shown) => self.say(id, [&ECHO_ON]),
            (Typing::Shown, Typing::Visible) if !hides_passwords => {
                self.say(id, [typing_is_visible().as_bytes()]);
            }
            _ => {}
        }
    }

    /// Refuses a telnet option (2.2.2). `DO ECHO` while typing is hidden is the client's consent.
    pub(super) fn refuse_option(&mut self, id: SessionId, refusal: [u8; 3]) {
        if self[id].typing != Typing::Hidden || refusal != DO_NOT_ECHO_REFUSAL {
            self.say(id, [&refusal]);
        }
    }
}
