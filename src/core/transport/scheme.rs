//! Schemes: the word before `://` in an address to listen on, and the transport it stands for.
//!
//! The command line parses schemes, the listener keeps one, and the server asks it for a transport
//! for each connection. This is the only list of transports.

use std::fmt;
use std::str::FromStr;

use core::net::IpAddr;
use std::rc::Rc;

use super::http::{Http, Site};
use super::tls::{Inside, TlsServer};
use super::{Stack, Transport};
use crate::core::time::Time;

/// How the connections of one listener are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// The lines of `protocol.md` straight over TCP. An address without a scheme means this.
    #[default]
    Tcp,
    /// The web page, and the lines over WebSocket.
    Http,
    /// The lines over TLS.
    Tls,
    /// The web page and WebSocket over TLS.
    Https,
}

/// A scheme that this server does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScheme(pub String);

impl Scheme {
    /// Every scheme, for error messages.
    pub const ALL: [Scheme; 4] = [Scheme::Tcp, Scheme::Http, Scheme::Tls, Scheme::Https];

    /// The word in an address.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Tcp => "tcp",
            Scheme::Http => "http",
            Scheme::Tls => "tls",
            Scheme::Https => "https",
        }
    }

    /// Whether browsers find the web page there.
    #[must_use]
    pub fn has_page(self) -> bool {
        matches!(self, Scheme::Http | Scheme::Https)
    }

    /// Whether connections need a certificate.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        matches!(self, Scheme::Tls | Scheme::Https)
    }

    /// The transport of a connection that `peer` opened at `now`; `None` if socket bytes are
    /// application bytes.
    ///
    /// # Panics
    /// If the scheme needs a certificate, and there is no `tls`.
    #[must_use]
    pub fn transport(
        self,
        now: Time,
        peer: IpAddr,
        site: &Rc<Site>,
        tls: Option<&TlsServer>,
    ) -> Option<Box<dyn Transport>> {
        let tls = |inside| {
            let tls = tls.expect("the server binds no such address without a certificate");
            tls.accept(now, inside)
        };
        let http = || Http::new(now, Rc::clone(site), peer);
        Some(match self {
            Scheme::Tcp => return None,
            Scheme::Http => Box::new(http()),
            Scheme::Tls => Box::new(tls(Inside::Lines)),
            Scheme::Https => Box::new(Stack::new(tls(Inside::Page), http())),
        })
    }

    /// Splits `[SCHEME://]ADDRESS`.
    ///
    /// # Errors
    /// The scheme is not one of [`Scheme::ALL`].
    pub fn split(text: &str) -> Result<(Scheme, &str), UnknownScheme> {
        match text.split_once("://") {
            Some((scheme, address)) => Ok((scheme.parse()?, address)),
            None => Ok((Scheme::default(), text)),
        }
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    /// Reads a scheme without regard to case (RFC 3986, 3.1).
    fn from_str(text: &str) -> Result<Scheme, UnknownScheme> {
        let is_named = |scheme: &Scheme| text.eq_ignore_ascii_case(scheme.name());
        Scheme::ALL.into_iter().find(is_named).ok_or_else(|| UnknownScheme(text.to_owned()))
    }
}

impl fmt::Display for UnknownScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Scheme::ALL.map(Scheme::name).join(", ");
        write!(f, "unknown scheme {}; this server knows: {known}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_scheme_is_tcp_and_an_unknown_scheme_is_an_error() {
        assert_eq!(Scheme::split("127.0.0.1:1"), Ok((Scheme::Tcp, "127.0.0.1:1")));
        assert_eq!(Scheme::split("http://127.0.0.1:80"), Ok((Scheme::Http, "127.0.0.1:80")));
        assert_eq!(Scheme::split("tls://h:1"), Ok((Scheme::Tls, "h:1")));
        assert_eq!(Scheme::split("Https://h:1"), Ok((Scheme::Https, "h:1")));
        assert_eq!(Scheme::split("TCP://[::1]:1"), Ok((Scheme::Tcp, "[::1]:1")));
        let error = Scheme::split("gopher://[::1]:70").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown scheme gopher; this server knows: tcp, http, tls, https"
        );
    }
}
