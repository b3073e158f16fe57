//! The address of a client behind a proxy: `Forwarded` (RFC 7239) and `X-Forwarded-For`.
//!
//! A client can send these fields too, so only the part counts that proxies of the operator wrote:
//! the list is read from its end, and the first address that is no trusted proxy is the client's.

use core::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::request::Fields;
use super::response::Status;

/// The client's address, if the trusted proxies know it. Port 0 means that they do not tell the port.
///
/// # Errors
/// Both fields stand in the request and disagree. A proxy writes one of them and may pass on the other
/// as the client sent it; nobody can tell which is which.
pub(super) fn client(fields: Fields<'_>, trusted: &[IpNet]) -> Result<Option<SocketAddr>, Status> {
    let listed = fields.elements("x-forwarded-for").map(|hop| address(hop?)).collect::<Vec<_>>();
    let forwarded = fields.elements("forwarded").map(|hop| forwarded_for(hop?)).collect::<Vec<_>>();
    if listed.is_empty() || forwarded.is_empty() {
        return Ok(last_untrusted(&listed, trusted).or(last_untrusted(&forwarded, trusted)));
    }
    let (listed, forwarded) =
        (last_untrusted(&listed, trusted), last_untrusted(&forwarded, trusted));
    if listed.map(|client| client.ip()) != forwarded.map(|client| client.ip()) {
        return Err(Status::BadRequest);
    }
    Ok(listed)
}

/// Whether `address` is a trusted proxy's.
pub(super) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// Walks from the end of the list over trusted proxies. Behind an entry that is no address, such as
/// `unknown`, nothing can be trusted. If all are trusted, the first of them is the client.
fn last_untrusted(hops: &[Option<SocketAddr>], trusted: &[IpNet]) -> Option<SocketAddr> {
    let mut client = None;
    for hop in hops.iter().rev() {
        client = Some((*hop)?);
        if !client.is_some_and(|client| is_trusted(client.ip(), trusted)) {
            break;
        }
    }
    client
}

/// The parameter `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<SocketAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim())
}

/// An address with or without a port, in quotes or not. IPv6 may lack its brackets if no port follows.
fn address(text: &str) -> Option<SocketAddr> {
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let bare = bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0));
    let address = bare.or_else(|_| text.parse::<SocketAddr>()).ok()?;
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use httparse::Header;

    /// What the fields say, with 10.0.0.0/8 and ::1 as trusted proxies.
    fn client_of(headers: &[(&str, &str)]) -> Result<String, Status> {
        let headers = headers.iter().map(|(name, value)| Header { name, value: value.as_bytes() });
        let headers = headers.collect::<Vec<_>>();
        let trusted = ["10.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap());
        let client = client(Fields::of(&headers), &trusted)?;
        Ok(client.map_or_else(|| "none".to_owned(), |client| client.to_string()))
    }

    #[test]
    fn the_last_address_that_is_no_trusted_proxy_counts() {
        for (value, client) in [
            ("192.0.2.1", "192.0.2.1:0"),
            ("203.0.113.9, 192.0.2.1", "192.0.2.1:0"),
            ("203.0.113.9, 192.0.2.1, 10.1.1.1,10.2.2.2", "192.0.2.1:0"),
            ("10.1.1.1, 10.2.2.2", "10.1.1.1:0"),
            ("192.0.2.1:4711", "192.0.2.1:4711"),
            ("2001:db8::1", "[2001:db8::1]:0"),
            ("[2001:db8::1]", "[2001:db8::1]:0"),
            ("[2001:db8::1]:99", "[2001:db8::1]:99"),
            ("::ffff:192.0.2.1", "192.0.2.1:0"),
            ("é, 192.0.2.1", "192.0.2.1:0"),
            ("192.0.2.1, nonsense", "none"),
            ("192.0.2.1, nonsense, 10.1.1.1", "none"),
            ("", "none"),
        ] {
            let found = client_of(&[("X-Forwarded-For", value)]);
            assert_eq!(found, Ok(client.to_owned()), "{value}");
        }
        let two = [("X-Forwarded-For", "203.0.113.9"), ("x-forwarded-for", "192.0.2.1, 10.1.1.1")];
        assert_eq!(client_of(&two), Ok("192.0.2.1:0".to_owned()));
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (value, client) in [
            ("for=192.0.2.1;proto=https;by=10.0.0.1", "192.0.2.1:0"),
            ("for=203.0.113.9, proto=http;FOR=\"192.0.2.1:80\"", "192.0.2.1:80"),
            ("For=\"[2001:db8::1]:99\"", "[2001:db8::1]:99"),
            ("for=203.0.113.9, for=unknown", "none"),
            ("for=_hidden, for=10.1.1.1", "none"),
            ("proto=https", "none"),
            ("for=\"203.0.113.9, for=192.0.2.1", "192.0.2.1:0"),
        ] {
            assert_eq!(client_of(&[("Forwarded", value)]), Ok(client.to_owned()), "{value}");
        }
    }

    #[test]
    fn two_fields_that_disagree_are_refused() {
        let fields = |forwarded| [("Forwarded", forwarded), ("X-Forwarded-For", "192.0.2.1")];
        assert_eq!(client_of(&fields("for=192.0.2.1")), Ok("192.0.2.1:0".to_owned()));
        assert_eq!(client_of(&fields("for=203.0.113.9")), Err(Status::BadRequest));
        assert_eq!(client_of(&fields("for=unknown")), Err(Status::BadRequest));
        assert_eq!(client_of(&[]), Ok("none".to_owned()));
    }
}
