//! How the state machine handles pasted text.
//!
//! `key_handling` calls [`StateMachine::paste`] for a bracketed paste. One line goes into the
//! editor. Several lines need a confirmation, because a paste into the wrong window would be sent
//! at once.

use super::input_kind::{as_text, is_quit};
use super::{Confirmation, Link, StateMachine, count};
use crate::client::ui::client_state::ClientState;
use crate::core::framing::text;
use crate::core::limits::LINE_BYTES_MAX;

impl StateMachine {
    /// Handles a paste. `cut` tells that the key reader dropped the end of a text that is too long.
    /// If one line is longer than the protocol allows, nothing is taken: part of a text can
    /// mislead.
    pub(super) fn paste(&mut self, pasted: &str, cut: bool) {
        // Terminals send CR for a line ending within a paste, but some send LF or CRLF.
        let pasted = pasted.replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<String> = pasted
            .trim_end_matches('\n')
            .split('\n')
            .map(|line| text::clean(line).into_owned())
            .collect();
        if let Some(at) = lines.iter().position(|line| line.len() > LINE_BYTES_MAX) {
            let number = at + 1;
            self.notice(&format!(
                "Line {number} of the pasted text is longer than {LINE_BYTES_MAX} bytes; \
                 none of it was taken"
            ));
        } else if let [line] = &lines[..] {
            // The user can read a single line in the editor before Enter sends it.
            self.insert(line);
        } else if matches!(self.link, Link::Up { .. }) {
            self.offer_pasted(lines, cut);
        } else {
            // Nobody can tell in which state the next connection will be.
            self.notice("The pasted lines were not taken: you are not connected");
        }
    }

    /// Shows the pasted lines and asks whether to send them.
    fn offer_pasted(&mut self, lines: Vec<String>, cut: bool) {
        self.notice(&format!("Pasted {}:", count(lines.len(), "line")));
        self.quote(&lines);
        if cut {
            self.notice("The pasted text was longer; this is its beginning");
        }
        if self.ends_chat(&lines).is_some() {
            self.notice("A line of it is quit, which ends the chat");
        }
        self.confirmation = Some(Confirmation::Send { lines, pasted: true });
    }

    /// Sends pasted lines as text, up to a line that ends the chat. The lines after that line are
    /// kept unsent: they were meant for the partner, and the menu would take them for choices.
    pub(super) fn send_pasted(&mut self, mut lines: Vec<String>) {
        let end = self.ends_chat(&lines);
        let rest = end.map_or_else(Vec::new, |end| lines.split_off(end + 1));
        // No server line is handled within this loop, so the state stays the same.
        for line in lines {
            self.send_line(&as_text(&self.state, line));
        }
        if !rest.is_empty() {
            self.keep_unsent(rest);
        }
    }

    /// The index of the first line that ends a chat. In a room no pasted line leaves, because
    /// `as_text` puts `/say` before such a line (4.8.4). In a chat there is no `/say`.
    fn ends_chat(&self, lines: &[String]) -> Option<usize> {
        match self.state {
            ClientState::Chatting { .. } => lines.iter().position(|line| is_quit(line)),
            ClientState::Nowhere
            | ClientState::Naming
            | ClientState::Menu
            | ClientState::Choosing
            | ClientState::Asking { .. }
            | ClientState::Asked { .. }
            | ClientState::Room { .. } => None,
        }
    }
}
