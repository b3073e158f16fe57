//! Host names in HTTP: the `Host` of a request, the origin of a page, and which of them the server
//! answers to.
//!
//! A web page of somebody else can make a browser connect here, and can make its own name resolve to
//! this machine (DNS rebinding). Both show in these two fields, which no page can change.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// `HOST` or `HOST:PORT`, as in the field `Host` (RFC 9110, 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    /// The whole text. Every character is safe inside a header field.
    pub(super) text: &'a str,
    /// A name or an IPv4 address, or an IPv6 address in brackets.
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Splits the text; `None` if it is no authority.
    pub(super) fn parse(text: &'a str) -> Option<Authority<'a>> {
        let is_bracketed = text.starts_with('[');
        let host_end = match is_bracketed {
            true => text.find(']')? + 1,
            false => text.find(':').unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at(host_end);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let is_host = match is_bracketed {
            true => host[1..host.len() - 1].parse::<Ipv6Addr>().is_ok(),
            false => !host.is_empty() && host.chars().all(is_name),
        };
        let port = match rest.strip_prefix(':') {
            // An empty port is the default port (RFC 3986, 3.2.3).
            Some("") => None,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
            None if rest.is_empty() => None,
            None => return None,
        };
        is_host.then_some(Authority { text, host, port })
    }

    /// Whether the host is an address or a name of the loopback interface (RFC 6761, 6.3). Nobody can
    /// make such a host point elsewhere, so no foreign page has it.
    pub(super) fn is_beyond_rebinding(&self) -> bool {
        let last = self.host.rsplit('.').next().unwrap_or_default();
        self.is_ipv6()
            || self.host.parse::<Ipv4Addr>().is_ok()
            || last.eq_ignore_ascii_case("localhost")
    }

    pub(super) fn is_ipv6(&self) -> bool {
        self.host.starts_with('[')
    }
}

/// The origin of a page (RFC 6454): `https://chat.example.org`, with a port if it is not the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOrigin {
    is_https: bool,
    /// In small letters.
    host: String,
    port: u16,
}

/// A text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoOrigin;

impl PageOrigin {
    /// Whether this is an origin of the host that a request names.
    pub(super) fn is_of(&self, host: &Authority<'_>) -> bool {
        let port = host.port.unwrap_or(default_port(self.is_https));
        self.has_host(host) && self.port == port
    }

    /// Whether the host is the same, whatever the port.
    pub(super) fn has_host(&self, host: &Authority<'_>) -> bool {
        self.host.eq_ignore_ascii_case(host.host)
    }
}

impl FromStr for PageOrigin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<PageOrigin, NoOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(NoOrigin)?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err(NoOrigin);
        }
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let Authority { host, port, .. } = Authority::parse(authority).ok_or(NoOrigin)?;
        let port = port.unwrap_or(default_port(is_https));
        Ok(PageOrigin { is_https, host: host.to_ascii_lowercase(), port })
    }
}

impl fmt::Display for NoOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an origin is SCHEME://HOST[:PORT], such as https://chat.example.org")
    }
}

fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(&str, Option<u16>)> {
        Authority::parse(text).map(|authority| (authority.host, authority.port))
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        assert_eq!(parsed("chat.example.org"), Some(("chat.example.org", None)));
        assert_eq!(parsed("127.0.0.1:7880"), Some(("127.0.0.1", Some(7880))));
        assert_eq!(parsed("[::1]:7880"), Some(("[::1]", Some(7880))));
        assert_eq!(parsed("[2001:db8::1]"), Some(("[2001:db8::1]", None)));
        assert_eq!(parsed("a:"), Some(("a", None)));
        for wrong in [
            "", ":80", "a:b", "a:70000", "a:+1", "a b", "a;b", "a\"", "é", "[::1", "[::1]a", "[x]",
            "[]", "::1", "user@a", "a/b", "a'", "a:1:2",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn only_addresses_and_loopback_names_are_beyond_rebinding() {
        let is_beyond = |text| Authority::parse(text).unwrap().is_beyond_rebinding();
        for text in ["127.0.0.1:7880", "192.0.2.1", "[::1]:1", "localhost", "Chat.LocalHost:7880"] {
            assert!(is_beyond(text), "{text}");
        }
        for text in ["example.org", "127.0.0.1.example.org", "localhost.example.org", "1.2.3"] {
            assert!(!is_beyond(text), "{text}");
        }
    }

    #[test]
    fn an_origin_belongs_to_a_host_if_name_and_port_agree() {
        let is_of = |origin: &str, host: &str| {
            let host = Authority::parse(host).unwrap();
            origin.parse::<PageOrigin>().is_ok_and(|origin| origin.is_of(&host))
        };
        assert!(is_of("http://127.0.0.1:7880", "127.0.0.1:7880"));
        assert!(is_of("https://Chat.example.org", "chat.example.org"));
        assert!(is_of("https://chat.example.org:443", "chat.example.org:443"));
        assert!(is_of("http://[::1]:7880", "[::1]:7880"));
        for (origin, host) in [
            ("http://localhost:3000", "localhost:7880"),
            ("http://evil.example", "127.0.0.1:7880"),
            ("https://chat.example.org", "chat.example.org:7880"),
            ("null", "localhost"),
            ("file://", "localhost"),
            ("ftp://localhost:7880", "localhost:7880"),
            ("http://localhost:7880/x", "localhost:7880"),
            ("localhost:7880", "localhost:7880"),
        ] {
            assert!(!is_of(origin, host), "{origin} {host}");
        }
    }
}
