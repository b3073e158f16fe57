//! HTTP responses: the head that is written for each, and how much of it the socket has taken.
//!
//! `site.rs` decides which response a request gets. Every response carries the fields that keep the
//! page safe, so that none can be forgotten.

use core::fmt::Write;

use super::authority::Authority;
use super::documents::Document;

/// The status of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    SwitchingProtocols = 101,
    Ok = 200,
    NotModified = 304,
    BadRequest = 400,
    Forbidden = 403,
    NotFound = 404,
    MethodNotAllowed = 405,
    UpgradeRequired = 426,
    HeadTooLarge = 431,
    Unavailable = 503,
}

/// A response that the socket has not taken in full.
#[derive(Debug)]
pub(super) struct Response {
    head: Vec<u8>,
    /// The bytes of a document are in the program itself; no connection copies them.
    body: &'static [u8],
    /// Bytes that the socket has taken.
    sent: usize,
}

/// What all responses to one request have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'a> {
    /// The host that the page connects to; `None` if the request named none.
    pub(super) host: Option<Authority<'a>>,
    /// The request was HEAD: the response has no body.
    pub(super) is_head: bool,
    /// The connection closes after this response.
    pub(super) is_last: bool,
}

impl Status {
    fn reason(self) -> &'static str {
        match self {
            Status::SwitchingProtocols => "Switching Protocols",
            Status::Ok => "OK",
            Status::NotModified => "Not Modified",
            Status::BadRequest => "Bad Request",
            Status::Forbidden => "Forbidden",
            Status::NotFound => "Not Found",
            Status::MethodNotAllowed => "Method Not Allowed",
            Status::UpgradeRequired => "Upgrade Required",
            Status::HeadTooLarge => "Request Header Fields Too Large",
            Status::Unavailable => "Service Unavailable",
        }
    }
}

impl Response {
    /// The bytes that the socket should take next.
    pub(super) fn unsent(&self) -> &[u8] {
        match self.head.get(self.sent..) {
            Some(head) if !head.is_empty() => head,
            _ => &self.body[self.sent - self.head.len()..],
        }
    }

    /// The bytes of a response without a document.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.head
    }

    /// The socket took `count` of the unsent bytes. Returns whether it has taken all.
    pub(super) fn take(&mut self, count: usize) -> bool {
        self.sent += count.min(self.unsent().len());
        self.sent == self.head.len() + self.body.len()
    }
}

impl Envelope<'_> {
    /// A document.
    pub(super) fn document(self, document: &Document) -> Response {
        let mut head = self.head(Status::Ok);
        push(&mut head, "Content-Type", document.content_type);
        push(&mut head, "ETag", &document.etag);
        push(&mut head, "Cache-Control", "no-cache");
        let body = if self.is_head { &[] } else { document.bytes };
        finish(head, Some(document.bytes.len()), body)
    }

    /// The client has the document already.
    pub(super) fn not_modified(self, document: &Document) -> Response {
        let mut head = self.head(Status::NotModified);
        push(&mut head, "ETag", &document.etag);
        push(&mut head, "Cache-Control", "no-cache");
        finish(head, None, &[])
    }

    /// A refusal with one line that says what was wrong. `field` is a field that the status needs.
    pub(super) fn refusal(
        self,
        status: Status,
        text: &str,
        field: Option<(&str, &str)>,
    ) -> Response {
        let mut head = self.head(status);
        push(&mut head, "Content-Type", "text/plain; charset=utf-8");
        push(&mut head, "Cache-Control", "no-store");
        if let Some((name, value)) = field {
            push(&mut head, name, value);
        }
        let mut response = finish(head, Some(text.len() + 1), &[]);
        if !self.is_head {
            response.head.extend_from_slice(text.as_bytes());
            response.head.push(b'\n');
        }
        response
    }

    /// The status line, and the fields of every response.
    fn head(self, status: Status) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", status as u16, status.reason());
        if status == Status::UpgradeRequired {
            push(&mut head, "Connection", if self.is_last { "upgrade, close" } else { "upgrade" });
        } else if self.is_last {
            push(&mut head, "Connection", "close");
        }
        push(&mut head, "Content-Security-Policy", &self.content_security_policy());
        push(&mut head, "Cross-Origin-Resource-Policy", "same-origin");
        push(&mut head, "Referrer-Policy", "no-referrer");
        push(&mut head, "X-Content-Type-Options", "nosniff");
        head
    }

    /// Everything comes from this server, and nothing of it may stand in a page of somebody else. In
    /// older browsers 'self' does not include WebSocket, so the host is named too; the policy has no
    /// form for an IPv6 address (CSP 3, 2.3.1).
    fn content_security_policy(self) -> String {
        let mut connect = "'self'".to_owned();
        if let Some(host) = self.host.filter(|host| !host.is_ipv6()) {
            // A `String` takes everything.
            let _ = write!(connect, " ws://{0} wss://{0}", host.text);
        }
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src {connect}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    }
}

/// The response that makes the connection a WebSocket one (RFC 6455, 4.2.2).
pub(super) fn upgrade(accept_key: &str, protocol: Option<&str>) -> Vec<u8> {
    let status = Status::SwitchingProtocols;
    let mut head = format!("HTTP/1.1 {} {}\r\n", status as u16, status.reason());
    push(&mut head, "Upgrade", "websocket");
    push(&mut head, "Connection", "Upgrade");
    push(&mut head, "Sec-WebSocket-Accept", accept_key);
    if let Some(protocol) = protocol {
        push(&mut head, "Sec-WebSocket-Protocol", protocol);
    }
    head.push_str("\r\n");
    head.into_bytes()
}

fn push(head: &mut String, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        head.push_str(part);
    }
}

fn finish(mut head: String, content_bytes: Option<usize>, body: &'static [u8]) -> Response {
    if let Some(bytes) = content_bytes {
        push(&mut head, "Content-Length", &bytes.to_string());
    }
    head.push_str("\r\n");
    Response { head: head.into_bytes(), body, sent: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_by(response: &mut Response, at_a_time: usize) -> String {
        let mut bytes = Vec::new();
        loop {
            let unsent = response.unsent();
            let count = unsent.len().min(at_a_time);
            bytes.extend_from_slice(&unsent[..count]);
            if response.take(count) {
                return String::from_utf8(bytes).unwrap();
            }
        }
    }

    #[test]
    fn a_document_goes_out_in_any_pieces() {
        let document = Document {
            path: "/",
            content_type: "text/html; charset=utf-8",
            bytes: b"<p>hello",
            etag: "\"1\"".to_owned(),
        };
        let host = Authority::parse("localhost:7880");
        let envelope = Envelope { host, is_head: false, is_last: false };
        let whole = taken_by(&mut envelope.document(&document), usize::MAX);
        assert!(whole.starts_with("HTTP/1.1 200 OK\r\n"), "{whole}");
        assert!(whole.ends_with("\r\nContent-Length: 8\r\n\r\n<p>hello"), "{whole}");
        for field in [
            "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
             img-src 'self'; connect-src 'self' ws://localhost:7880 wss://localhost:7880; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer",
            "Cache-Control: no-cache",
            "ETag: \"1\"",
        ] {
            assert!(whole.contains(&format!("\r\n{field}\r\n")), "{field}: {whole}");
        }
        for at_a_time in [1, 7, 64] {
            assert_eq!(taken_by(&mut envelope.document(&document), at_a_time), whole);
        }
        let head = Envelope { is_head: true, ..envelope }.document(&document);
        assert_eq!(format!("{}<p>hello", taken_by(&mut { head }, 100)), whole);
    }

    #[test]
    fn a_refusal_says_what_was_wrong() {
        let envelope = Envelope { host: None, is_head: false, is_last: true };
        let allow = Some(("Allow", "GET, HEAD"));
        let mut response = envelope.refusal(Status::MethodNotAllowed, "Only reading", allow);
        let text = taken_by(&mut response, 100);
        assert!(text.starts_with("HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n"));
        assert!(text.contains("\r\nAllow: GET, HEAD\r\nContent-Length: 13\r\n\r\nOnly reading\n"));
        assert!(text.contains("connect-src 'self'; "));
    }
}
