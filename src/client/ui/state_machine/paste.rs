//! How the state machine handles pasted text.
//!
//! `key_handling` calls [`StateMachine::paste`] for a bracketed paste. One line goes into the
//! editor. Several lines need a confirmation, because a paste into the wrong window would be sent
//! at once.

use super::input_kind::{as_text, leaves, leaves_server};
use super::{Confirmation, Link, Source, StateMachine, count};
use crate::core::framing::text;
use crate::core::limits::LINE_BYTES_MAX;

impl StateMachine {
    /// Handles a paste. `cut` tells that the key reader dropped the end of a text that is too long.
    pub(super) fn paste(&mut self, pasted: &str, cut: bool) {
        let lines = lines_of(pasted);
        let is_up = matches!(self.link, Link::Up { .. });
        if let [line] = &lines[..] {
            let bytes = self.editor.text().len() + line.len();
            if bytes <= LINE_BYTES_MAX || !is_up || !self.state.reaches_others() {
                // The user can read a single line in the editor before Enter sends it.
                return self.insert(line);
            }
            let (before, after) = (self.editor.before(), self.editor.after());
            self.offer_parts(&format!("{before}{line}{after}"));
        } else if !is_up {
            // Nobody can tell in which state the next connection will be.
            self.notice("The pasted lines were not taken: you are not connected");
        } else if self.sending.has_room(pasted.len()) {
            self.offer_pasted(Self::split_long(lines), cut);
        } else {
            self.notice("The pasted lines were not taken: too many lines are waiting already");
        }
    }

    /// Handles a paste while the client asks whether to send `lines`. The pasted lines join them.
    pub(super) fn paste_more(&mut self, lines: &mut Vec<String>, pasted: &str, cut: bool) {
        let bytes = lines.iter().map(String::len).sum::<usize>() + pasted.len();
        if !self.sending.has_room(bytes) {
            return self.notice("The paste was not taken: too many lines are waiting already");
        }
        let more = Self::split_long(lines_of(pasted));
        self.show_pasted(&format!("Pasted {} more:", count(more.len(), "line")), &more, cut);
        lines.extend(more);
    }

    /// Shows the pasted lines and asks whether to send them.
    fn offer_pasted(&mut self, lines: Vec<String>, cut: bool) {
        self.show_pasted(&format!("Pasted {}:", count(lines.len(), "line")), &lines, cut);
        self.confirmation = Some(Confirmation::Send { lines, source: Source::Paste });
    }

    fn show_pasted(&mut self, heading: &str, lines: &[String], cut: bool) {
        self.notice(heading);
        self.quote(lines);
        if cut {
            self.notice("The pasted text was longer; this is its beginning");
        }
    }

    /// Sends pasted lines as text: none of them becomes a command.
    pub(super) fn send_pasted(&mut self, lines: Vec<String>) {
        for line in lines {
            self.send_line(&as_text(&self.state, line));
        }
    }

    /// Sends lines that were not sent before, up to a line that leaves. The user typed them, so a
    /// slash at the start is meant as a command.
    pub(super) fn send_again(&mut self, mut lines: Vec<String>) {
        let is_leaving =
            |line: &String| leaves(&self.state, line) || leaves_server(&self.state, line);
        let end = lines.iter().position(is_leaving);
        let rest = end.map_or_else(Vec::new, |end| lines.split_off(end + 1));
        for line in lines {
            self.send_line(&line);
        }
        let recipient = self.state.recipient();
        self.keep_unsent(rest, &recipient);
    }
}

/// The lines of a paste, without control characters. Terminals send CR for a line ending within a
/// paste, but some send LF or CRLF.
fn lines_of(pasted: &str) -> Vec<String> {
    let pasted = pasted.replace("\r\n", "\n").replace('\r', "\n");
    let lines = pasted.trim_end_matches('\n').split('\n');
    lines.map(|line| text::clean(line).into_owned()).collect()
}
