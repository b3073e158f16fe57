//! Collects the head of an HTTP request, which may come in any pieces.
//!
//! A head ends at its first empty line. The reader looks at each byte once, so a client that sends
//! single bytes costs no more than any other.

use memchr::memchr;

use crate::core::buffers::{Buffer, Pool};
use crate::core::limits::HTTP_HEAD_BYTES_MAX;

/// The head that has begun.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    /// The bytes of the head; never an empty buffer.
    buffer: Option<Box<Buffer>>,
    /// The bytes of the last line without its LF. The line may be unfinished.
    line_bytes: usize,
    /// The request line is complete.
    has_request_line: bool,
}

/// What a read has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// More bytes are needed.
    Unfinished,
    /// The request line is complete, and the bytes behind it were not taken yet. Something that is no
    /// request is worth no wait.
    RequestLine,
    /// The head is complete.
    Complete,
    /// No request begins like this.
    NoRequest,
    /// The head exceeds its limit.
    TooLong,
}

impl HeadReader {
    /// Takes bytes from the front of `input`, up to the end of the head.
    pub(super) fn read(&mut self, pool: &mut Pool, input: &mut &[u8]) -> Progress {
        self.skip_empty_lines(input);
        while !input.is_empty() {
            // A method is made of capital letters (RFC 9110, 9.1).
            if self.buffer.is_none() && !input[0].is_ascii_uppercase() {
                return Progress::NoRequest;
            }
            let end = memchr(b'\n', input);
            let (piece, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
            *input = rest;
            let buffer = self.buffer.get_or_insert_with(|| pool.lend());
            if buffer.len() + piece.len() > HTTP_HEAD_BYTES_MAX {
                return Progress::TooLong;
            }
            buffer.push([piece]);
            self.line_bytes += piece.len();
            if end.is_some() {
                let is_empty = self.line_bytes == 1
                    || self.line_bytes == 2 && buffer.as_slice().ends_with(b"\r\n");
                self.line_bytes = 0;
                if is_empty {
                    return Progress::Complete;
                }
                if !std::mem::replace(&mut self.has_request_line, true) {
                    return Progress::RequestLine;
                }
            }
        }
        Progress::Unfinished
    }

    /// The bytes of the head so far.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&[], |buffer| buffer.as_slice())
    }

    /// Forgets the head; the next request may begin.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        if let Some(buffer) = self.buffer.take() {
            pool.take_back(buffer);
        }
        *self = HeadReader::default();
    }

    /// Empty lines before a request are ignored (RFC 9112, 2.2).
    fn skip_empty_lines(&self, input: &mut &[u8]) {
        while let [b'\r' | b'\n', rest @ ..] = *input
            && self.buffer.is_none()
        {
            *input = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The heads in `pieces`, and the bytes that the reader left behind the last of them.
    fn read(pieces: &[&[u8]]) -> (Vec<String>, Progress) {
        let (mut pool, mut reader) = (Pool::default(), HeadReader::default());
        let (mut heads, mut last) = (Vec::new(), Progress::Unfinished);
        for mut piece in pieces.iter().copied() {
            loop {
                last = reader.read(&mut pool, &mut piece);
                match last {
                    Progress::RequestLine => {}
                    Progress::Complete => {
                        heads.push(String::from_utf8_lossy(reader.bytes()).into_owned());
                        reader.clear(&mut pool);
                    }
                    Progress::Unfinished => break,
                    Progress::NoRequest | Progress::TooLong => return (heads, last),
                }
            }
        }
        (heads, last)
    }

    #[test]
    fn every_cut_gives_the_same_heads() {
        let bytes = b"\r\nGET / HTTP/1.1\r\nA: b\r\n\r\nGET /b HTTP/1.1\nC: d\n\nGET /c HTT";
        let whole = read(&[bytes]);
        assert_eq!(whole.0, ["GET / HTTP/1.1\r\nA: b\r\n\r\n", "GET /b HTTP/1.1\nC: d\n\n"]);
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(read(&pieces), whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn what_is_no_request_is_refused_at_its_first_byte() {
        for bytes in [&b"\x16\x03\x01"[..], b"anna\n", b"\xff", b" GET"] {
            assert_eq!(read(&[bytes]).1, Progress::NoRequest, "{bytes:?}");
        }
    }

    #[test]
    fn a_head_has_8_kib_however_it_comes() {
        let head = |bytes: usize| {
            let begin = "GET / HTTP/1.1\r\nA: ";
            format!("{begin}{}\r\n\r\n", "x".repeat(bytes - begin.len() - 4)).into_bytes()
        };
        let (longest, longer) = (head(HTTP_HEAD_BYTES_MAX), head(HTTP_HEAD_BYTES_MAX + 1));
        assert_eq!(read(&[&longest]).0.len(), 1);
        assert_eq!(read(&[&longer]).1, Progress::TooLong);
        assert_eq!(read(&longer.chunks(7).collect::<Vec<_>>()).1, Progress::TooLong);
    }
}
