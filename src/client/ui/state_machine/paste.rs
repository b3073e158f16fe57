//! What pasted lines do.

use super::input_kind::{as_text, is_quit};
use super::{Asking, Link, StateMachine, count};
use crate::client::ui::client_state::ClientState;
use crate::core::framing::text;
use crate::core::limits::LINE_BYTES_MAX;

impl StateMachine {
    pub(super) fn paste(&mut self, pasted: &str, cut: bool) {
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
            self.insert(line);
        } else if matches!(self.link, Link::Up { .. }) {
            self.offer_pasted(lines, cut);
        } else {
            self.notice("The pasted lines were not taken: you are not connected");
        }
    }

    fn offer_pasted(&mut self, lines: Vec<String>, cut: bool) {
        self.notice(&format!("Pasted {}:", count(lines.len(), "line")));
        self.quote(&lines);
        if cut {
            self.notice("The pasted text was longer; this is its beginning");
        }
        if self.ends_chat(&lines).is_some() {
            self.notice("A line of it is quit, which ends the chat");
        }
        self.asking = Some(Asking::Send { lines, pasted: true });
    }

    /// Sends pasted lines as text, but for one that ends the chat: what stands behind it was meant
    /// for the partner, and at the menu it would be choices.
    pub(super) fn send_pasted(&mut self, mut lines: Vec<String>) {
        let end = self.ends_chat(&lines);
        let behind = end.map_or_else(Vec::new, |end| lines.split_off(end + 1));
        for line in lines {
            self.say(&as_text(&self.state, line));
        }
        if !behind.is_empty() {
            self.keep_unsent(behind);
        }
    }

    /// Which of the lines ends a chat. In a room none leaves, because it is said there (4.8.3).
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
