//! Cuts the bytes of a server into lines.

use crate::core::framing::text;
use crate::core::limits::PEER_LINE_BYTES_MAX;

/// The beginning of a line whose end has not come.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Takes bytes, and calls `each` for every line that is complete, without its ending. Bytes that
    /// are not UTF-8 are replaced; of a line that is too long the end is lost.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(&str)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let line = if self.begun.is_empty() {
                &bytes[..end]
            } else {
                self.keep(&bytes[..end]);
                &self.begun
            };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            // A report may show it on a terminal.
            each(&text::clean(&String::from_utf8_lossy(line)));
            self.begun.clear();
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let space = PEER_LINE_BYTES_MAX.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(&bytes[..bytes.len().min(space)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let text = b"* Welcome\r\n? Username:\r\n\r\n- z\xc3\xbcg\nrest";
        for cut in 1..text.len() {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            text.chunks(cut).for_each(|part| lines.push(part, |line| found.push(line.to_owned())));
            assert_eq!(found, ["* Welcome", "? Username:", "", "- züg"]);
        }
    }

    #[test]
    fn what_a_server_says_cannot_move_the_cursor_of_whoever_reads_a_report() {
        let mut found = Vec::new();
        let hostile = b"! \x1b[2J\x1b]0;title\x07no\xc2\x9b1m\n";
        Lines::default().push(hostile, |line| found.push(line.to_owned()));
        assert!(found.iter().all(|line| !line.contains(char::is_control)), "{found:?}");
    }

    #[test]
    fn a_line_without_an_end_takes_bounded_memory() {
        let mut lines = Lines::default();
        (0..100).for_each(|_| lines.push(&[b'x'; 10_000], |_| panic!("no line has ended")));
        assert_eq!(lines.begun.len(), PEER_LINE_BYTES_MAX);
    }
}
