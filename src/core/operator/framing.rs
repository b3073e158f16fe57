//! Bytes of a console to orders, within the bound of a line (7.3), and the one request of HTTP that
//! is answered (7.12).
//!
//! A console is no terminal of a user: there is no telnet here and no editing, and a line that is
//! not clean is refused rather than mended, since what it would order is anybody's guess.

use std::fmt;

use memchr::memchr;

use crate::core::limits::{CONSOLES_MAX, OPERATOR_COMMAND_BYTES_MAX};

/// Reads orders out of the bytes of one console.
#[derive(Debug, Default)]
pub struct CommandReader {
    begun: Vec<u8>,
    is_too_long: bool,
}

/// Why a line of a console is no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It has more bytes than an order may have.
    TooLong,
    /// It is not UTF-8.
    NotUtf8,
    /// It holds a control character.
    Control,
    /// The connection ended before the line did.
    CutShort,
    /// There are consoles enough.
    ConsolesFull,
}

/// What a console that speaks HTTP asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpRequest {
    /// The metrics.
    Metrics,
    /// Something that there is not.
    Unknown,
}

impl CommandReader {
    /// The next line of `input`, which is shortened by what was used up; `None` when all of it has
    /// been, and more is needed.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Result<String, Fault>> {
        let end = memchr(b'\n', input);
        let (part, rest) = match end {
            Some(end) => (&input[..end], &input[end + 1..]),
            None => (*input, &input[input.len()..]),
        };
        *input = rest;
        // One byte more than an order may have, since that may be the CR of its ending.
        let room = (OPERATOR_COMMAND_BYTES_MAX + 1).saturating_sub(self.begun.len());
        self.is_too_long |= part.len() > room;
        self.begun.extend_from_slice(&part[..part.len().min(room)]);
        end.map(|_| self.end_line())
    }

    /// The end of the connection's bytes: what was begun is not obeyed, since half an order may be
    /// another one (`stop 1` of `stop 10`).
    pub fn finish(&mut self) -> Option<Fault> {
        let is_begun = !self.begun.is_empty() || self.is_too_long;
        *self = CommandReader::default();
        is_begun.then_some(Fault::CutShort)
    }

    fn end_line(&mut self) -> Result<String, Fault> {
        let CommandReader { begun: mut line, is_too_long } = std::mem::take(self);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if is_too_long || line.len() > OPERATOR_COMMAND_BYTES_MAX {
            return Err(Fault::TooLong);
        }
        let line = String::from_utf8(line).map_err(|_| Fault::NotUtf8)?;
        let line = line.replace('\t', " ");
        if line.contains(char::is_control) { Err(Fault::Control) } else { Ok(line) }
    }
}

impl HttpRequest {
    /// The request that a first line is, if it is one.
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

    /// The whole answer, after which the connection is closed.
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

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::TooLong => write!(f, "An order has at most {OPERATOR_COMMAND_BYTES_MAX} bytes"),
            Fault::NotUtf8 => write!(f, "That order is not UTF-8"),
            Fault::Control => write!(f, "That order has a control character in it"),
            Fault::CutShort => write!(f, "That order was cut short, it has no line ending"),
            Fault::ConsolesFull => write!(f, "{CONSOLES_MAX} consoles are open already"),
        }?;
        write!(f, "; nothing was done")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut CommandReader, mut bytes: &[u8]) -> Vec<Result<String, Fault>> {
        let mut lines = Vec::new();
        while let Some(line) = reader.next(&mut bytes) {
            lines.push(line);
        }
        assert!(bytes.is_empty(), "what makes no line is kept");
        lines
    }

    /// (7.3)
    #[test]
    fn how_the_bytes_are_cut_changes_nothing() {
        let bytes = "users\r\nsay h\u{e9}\t!\n\nkick a\0b\nban \u{9b}1\n\u{ff}\nx\rrest".as_bytes();
        let bytes = [&bytes[..10], b"\xff\n", &bytes[10..]].concat();
        let whole = read(&mut CommandReader::default(), &bytes);
        let mut reader = CommandReader::default();
        let cut = bytes.iter().flat_map(|&byte| read(&mut reader, &[byte])).collect::<Vec<_>>();
        assert_eq!(cut, whole);
        assert_eq!(reader.finish(), Some(Fault::CutShort));
        assert_eq!(reader.finish(), None);
        assert_eq!(whole[0], Ok("users".to_owned()));
        assert_eq!(whole[1], Err(Fault::NotUtf8));
        assert!(whole.contains(&Err(Fault::Control)));
    }

    /// (7.3, 5.29)
    #[test]
    fn a_line_of_any_length_costs_no_more_than_the_bound() {
        let fits = "x".repeat(OPERATOR_COMMAND_BYTES_MAX);
        for ending in ["\n", "\r\n"] {
            let mut reader = CommandReader::default();
            let lines = read(&mut reader, format!("{fits}{ending}{fits}y{ending}ok\n").as_bytes());
            assert_eq!(lines, [Ok(fits.clone()), Err(Fault::TooLong), Ok("ok".to_owned())]);
        }
        let mut reader = CommandReader::default();
        for _ in 0..1_000 {
            assert!(read(&mut reader, &[b'x'; 4096]).is_empty());
        }
        assert!(
            reader.begun.capacity() <= 4 * OPERATOR_COMMAND_BYTES_MAX,
            "{}",
            reader.begun.capacity()
        );
        assert_eq!(read(&mut reader, b"\n"), [Err(Fault::TooLong)]);
    }

    /// (7.12)
    #[test]
    fn a_request_of_http_is_told_from_an_order() {
        assert_eq!(HttpRequest::of("GET /metrics HTTP/1.1"), Some(HttpRequest::Metrics));
        assert_eq!(HttpRequest::of("POST /metrics HTTP/1.0"), Some(HttpRequest::Unknown));
        assert_eq!(HttpRequest::of("metrics"), None);
        assert_eq!(HttpRequest::of("say I like HTTP/2"), None);
    }
}
