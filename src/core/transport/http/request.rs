//! One HTTP request: its head, parsed, and the questions that the server asks it.
//!
//! `httparse` splits the head into its parts. What they mean together is decided in `site.rs`.

use httparse::{Error, Header};

use super::authority::Authority;
use super::response::Status;
use crate::core::limits::HTTP_HEADERS_MAX;

/// Room for the header fields of a request.
pub(super) type HeaderRoom<'h> = [Header<'h>; HTTP_HEADERS_MAX];

/// A request whose head is complete and well-formed.
#[derive(Debug)]
pub(super) struct Request<'h> {
    pub(super) method: &'h str,
    /// The path, without a query.
    pub(super) path: &'h str,
    /// The host that the client believes to speak to.
    pub(super) host: Authority<'h>,
    pub(super) is_http_1_0: bool,
    pub(super) fields: Fields<'h>,
}

/// The header fields of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'h>(&'h [Header<'h>]);

impl<'h> Request<'h> {
    /// Parses a complete head.
    ///
    /// # Errors
    /// The status to answer with.
    pub(super) fn parse(
        head: &'h [u8],
        room: &'h mut HeaderRoom<'h>,
    ) -> Result<Request<'h>, Status> {
        let mut request = httparse::Request::new(room);
        let status = request.parse(head).map_err(|error| match error {
            Error::TooManyHeaders => Status::HeadTooLarge,
            _ => Status::BadRequest,
        })?;
        let (Some(method), Some(target), true) =
            (request.method, request.path, status.is_complete())
        else {
            return Err(Status::BadRequest);
        };
        let fields = Fields(request.headers);
        // Two different hosts in one request are an attack or a mistake (RFC 9112, 3.2).
        let host = fields.only("host")?.ok_or(Status::BadRequest)?;
        let (host, path) = split_target(target).unwrap_or((host, target));
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let host = Authority::parse(host).ok_or(Status::BadRequest)?;
        Ok(Request { method, path, host, is_http_1_0: request.version == Some(0), fields })
    }

    /// Whether `head`, which is not complete, can still become a request.
    pub(super) fn may_become_one(head: &[u8]) -> bool {
        let mut room = [httparse::EMPTY_HEADER; HTTP_HEADERS_MAX];
        httparse::Request::new(&mut room).parse(head).is_ok()
    }

    /// Whether a body follows the head. The server reads none.
    pub(super) fn has_body(&self) -> bool {
        self.fields.values("content-length").any(|value| value != b"0")
            || self.fields.values("transfer-encoding").next().is_some()
    }

    /// Whether the client wants the connection closed after the response.
    pub(super) fn wants_close(&self) -> bool {
        self.is_http_1_0 || self.fields.has_token("connection", "close")
    }
}

impl<'h> Fields<'h> {
    #[cfg(test)]
    pub(super) fn of(headers: &'h [Header<'h>]) -> Fields<'h> {
        Fields(headers)
    }

    /// The values of all fields of this name, in their order.
    pub(super) fn values(self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        let is_named = move |header: &&Header<'_>| header.name.eq_ignore_ascii_case(name);
        self.0.iter().filter(is_named).map(|header| header.value)
    }

    /// The value of a field that may stand only once; `None` if it is absent.
    ///
    /// # Errors
    /// It stands twice, or is not ASCII.
    pub(super) fn only(self, name: &str) -> Result<Option<&'h str>, Status> {
        let mut values = self.values(name);
        let value = values.next().map(ascii).transpose()?;
        if values.next().is_some() { Err(Status::BadRequest) } else { Ok(value) }
    }

    /// The elements of a list, which may be spread over several fields (RFC 9110, 5.6.1). An element
    /// that is not ASCII is `None`: it must not hide its neighbours.
    pub(super) fn elements(self, name: &str) -> impl Iterator<Item = Option<&'h str>> {
        let elements = self.values(name).flat_map(|list| list.split(|byte| *byte == b','));
        let elements = elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty());
        elements.map(|element| ascii(element).ok())
    }

    /// Whether a list has this element, in any case.
    pub(super) fn has_token(self, name: &str, token: &str) -> bool {
        self.elements(name).flatten().any(|element| element.eq_ignore_ascii_case(token))
    }
}

/// The host and the path of a target that is a whole address (RFC 9112, 3.2.2).
fn split_target(target: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    Some(rest.find('/').map_or((rest, "/"), |at| rest.split_at(at)))
}

fn ascii(value: &[u8]) -> Result<&str, Status> {
    str::from_utf8(value).ok().filter(|text| text.is_ascii()).ok_or(Status::BadRequest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Method, host and path of a request.
    fn parse(head: &str) -> Result<(String, String, String), Status> {
        let mut room = [httparse::EMPTY_HEADER; HTTP_HEADERS_MAX];
        let head = head.replace('\n', "\r\n");
        let request = Request::parse(head.as_bytes(), &mut room)?;
        Ok((request.method.into(), request.host.text.into(), request.path.into()))
    }

    #[test]
    fn a_request_names_a_host_and_a_path() {
        let parts = |method: &str, host: &str, path: &str| {
            Ok((method.to_owned(), host.to_owned(), path.to_owned()))
        };
        assert_eq!(parse("GET /a?b#c HTTP/1.1\nHost: h:1\n\n"), parts("GET", "h:1", "/a"));
        assert_eq!(parse("HEAD http://h/a HTTP/1.0\nHost: x\n\n"), parts("HEAD", "h", "/a"));
        assert_eq!(parse("GET http://h HTTP/1.1\nHost: x\n\n"), parts("GET", "h", "/"));
        assert_eq!(parse("OPTIONS * HTTP/1.1\nHost: h\n\n"), parts("OPTIONS", "h", "*"));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for head in [
            "GET / HTTP/1.1\n\n",
            "GET / HTTP/1.1\nHost: a\nHost: a\n\n",
            "GET / HTTP/1.1\nHost: a b\n\n",
            "GET / HTTP/1.1\nHost : a\n\n",
            "GET / HTTP/1.1\nHost: a\n folded\n\n",
            "GET / HTTP/2.0\nHost: a\n\n",
            "GET /  HTTP/1.1\nHost: a\n\n",
            "GET\n\n",
            "anna\n\n",
            "GET / HTTP/1.1\nHost: é\n\n",
        ] {
            assert_eq!(parse(head), Err(Status::BadRequest), "{head:?}");
        }
        let many = format!("GET / HTTP/1.1\nHost: a\n{}\n", "B: c\n".repeat(HTTP_HEADERS_MAX));
        assert_eq!(parse(&many), Err(Status::HeadTooLarge));
    }

    #[test]
    fn a_request_line_alone_shows_whether_a_request_can_follow() {
        assert!(Request::may_become_one(b"GET / HTTP/1.1\r\n"));
        for line in
            [&b"ANNA\r\n"[..], b"HELLO THERE\n", b"PRI * HTTP/2.0\r\n", b"A\xff / HTTP/1.1\n"]
        {
            assert!(!Request::may_become_one(line), "{line:?}");
        }
    }

    #[test]
    fn lists_may_be_spread_over_fields() {
        let headers = [
            Header { name: "Connection", value: b"keep-alive ,Upgrade" },
            Header { name: "CONNECTION", value: b",close" },
            Header { name: "Connection", value: b"\xff" },
        ];
        let fields = Fields(&headers);
        assert!(
            fields.has_token("connection", "upgrade") && fields.has_token("connection", "close")
        );
        assert_eq!(fields.elements("connection").count(), 4);
        assert_eq!(fields.only("connection"), Err(Status::BadRequest));
        assert_eq!(fields.only("host"), Ok(None));
    }
}
