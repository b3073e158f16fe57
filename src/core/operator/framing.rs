//! Splits the bytes of a console into lines (8.1.3), and answers HTTP requests (8.3.2).
//!
//! The server feeds one [`CommandReader`] per console. Unlike a user's connection, a console has no
//! telnet and no line editing. A line with a control character is refused, not cleaned: the server
//! must not guess which command the operator meant.

use std::fmt;

use memchr::memchr;

use crate::core::limits::OPERATOR_COMMAND_BYTES_MAX;

/// Splits the bytes of one console into lines. It keeps a partial line between reads.
#[derive(Debug, Default)]
pub struct CommandReader {
    /// The partial line; at most [`OPERATOR_COMMAND_BYTES_MAX`] bytes and a CR.
    partial: Vec<u8>,
    /// The partial line passed the limit, and its further bytes were dropped.
    is_too_long: bool,
}

/// Why the bytes of a console are not a valid line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFault {
    /// The line has more than [`OPERATOR_COMMAND_BYTES_MAX`] bytes.
    TooLong,
    /// The line is not UTF-8.
    NotUtf8,
    /// The line contains a control character.
    Control,
    /// The connection ended before the line ending.
    CutShort,
}

/// What an HTTP client on a console requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpRequest {
    /// `GET /metrics`.
    Metrics,
    /// Any other request; the answer is 404.
    Unknown,
}

impl CommandReader {
    /// Returns the next line of `input` or its fault, and shortens `input` by the bytes used.
    /// Returns `None` when `input` is used up and the line has not ended.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Result<String, LineFault>> {
        let end = memchr(b'\n', input);
        let (part, rest) = match end {
            Some(end) => (&input[..end], &input[end + 1..]),
            None => (*input, &input[input.len()..]),
        };
        *input = rest;
        // One byte above the limit, because it may be the CR of the line ending.
        let space = (OPERATOR_COMMAND_BYTES_MAX + 1).saturating_sub(self.partial.len());
        self.is_too_long |= part.len() > space;
        self.partial.extend_from_slice(&part[..part.len().min(space)]);
        end.map(|_| self.end_line())
    }

    /// Ends the input. A partial line is a fault, because half a command can be a different
    /// command: `stop 1` of `stop 10`.
    pub fn finish(&mut self) -> Option<LineFault> {
        let has_partial = !self.partial.is_empty() || self.is_too_long;
        *self = CommandReader::default();
        has_partial.then_some(LineFault::CutShort)
    }

    fn end_line(&mut self) -> Result<String, LineFault> {
        let CommandReader { partial: mut line, is_too_long } = std::mem::take(self);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if is_too_long || line.len() > OPERATOR_COMMAND_BYTES_MAX {
            return Err(LineFault::TooLong);
        }
        let line = String::from_utf8(line).map_err(|_| LineFault::NotUtf8)?;
        let line = line.replace('\t', " ");
        if line.contains(char::is_control) { Err(LineFault::Control) } else { Ok(line) }
    }
}

impl HttpRequest {
    /// Recognises the first line of a console as an HTTP/1 request line (RFC 9112, 3).
    #[must_use]
    pub fn of(line: &str) -> Option<HttpRequest> {
        let (request, version) = line.rsplit_once(' ')?;
        if !version.starts_with("HTTP/1.") {
            return None;
        }
        Some(match request {
            "GET /metrics" => HttpRequest::Metrics,
            _ => HttpRequest::Unknown,
        })
    }

    /// The complete HTTP response. The caller closes the connection after it.
    ///
    /// `metrics` is called only if the request needs the text.
    #[must_use]
    pub fn answer(self, metrics: impl FnOnce() -> String) -> String {
        let (status, body) = match self {
            HttpRequest::Metrics => ("200 OK", metrics()),
            HttpRequest::Unknown => ("404 Not Found", "There is GET /metrics alone\n".to_owned()),
        };
        format!(
            "HTTP/1.0 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineFault::TooLong => {
                write!(f, "A command has at most {OPERATOR_COMMAND_BYTES_MAX} bytes")
            }
            LineFault::NotUtf8 => write!(f, "That command is not UTF-8"),
            LineFault::Control => write!(f, "That command has a control character in it"),
            LineFault::CutShort => write!(f, "That command was cut short: it has no line ending"),
        }?;
        write!(f, "; nothing was done")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut CommandReader, mut bytes: &[u8]) -> Vec<Result<String, LineFault>> {
        let mut lines = Vec::new();
        while let Some(line) = reader.next(&mut bytes) {
            lines.push(line);
        }
        assert!(bytes.is_empty(), "the reader keeps a partial line");
        lines
    }

    /// (8.1.3)
    #[test]
    fn the_lines_do_not_depend_on_how_the_bytes_are_cut() {
        let bytes = "users\r\nsay h\u{e9}\t!\n\nkick a\0b\nban \u{9b}1\n\u{ff}\nx\rrest".as_bytes();
        let bytes = [&bytes[..10], b"\xff\n", &bytes[10..]].concat();
        let whole = read(&mut CommandReader::default(), &bytes);
        let mut reader = CommandReader::default();
        let cut = bytes.iter().flat_map(|&byte| read(&mut reader, &[byte])).collect::<Vec<_>>();
        assert_eq!(cut, whole);
        assert_eq!(reader.finish(), Some(LineFault::CutShort));
        assert_eq!(reader.finish(), None);
        assert_eq!(whole[0], Ok("users".to_owned()));
        assert_eq!(whole[1], Err(LineFault::NotUtf8));
        assert!(whole.contains(&Err(LineFault::Control)));
    }

    /// (8.1.3, 7.4)
    #[test]
    fn a_line_of_any_length_uses_no_more_memory_than_the_limit() {
        let fits = "x".repeat(OPERATOR_COMMAND_BYTES_MAX);
        for ending in ["\n", "\r\n"] {
            let mut reader = CommandReader::default();
            let lines = read(&mut reader, format!("{fits}{ending}{fits}y{ending}ok\n").as_bytes());
            assert_eq!(lines, [Ok(fits.clone()), Err(LineFault::TooLong), Ok("ok".to_owned())]);
        }
        let mut reader = CommandReader::default();
        for _ in 0..1_000 {
            assert!(read(&mut reader, &[b'x'; 4096]).is_empty());
        }
        assert!(
            reader.partial.capacity() <= 4 * OPERATOR_COMMAND_BYTES_MAX,
            "{}",
            reader.partial.capacity()
        );
        assert_eq!(read(&mut reader, b"\n"), [Err(LineFault::TooLong)]);
    }

    /// (8.3.2)
    #[test]
    fn an_http_request_is_told_apart_from_a_command() {
        assert_eq!(HttpRequest::of("GET /metrics HTTP/1.1"), Some(HttpRequest::Metrics));
        assert_eq!(HttpRequest::of("POST /metrics HTTP/1.0"), Some(HttpRequest::Unknown));
        assert_eq!(HttpRequest::of("metrics"), None);
        assert_eq!(HttpRequest::of("say I like HTTP/2"), None);
    }
}
