//! The server that a crowd or an attack connects to.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::client::options::Server;

/// Looks up the address of the server.
///
/// # Errors
/// The host has no address. The text is ready to print.
pub fn resolve(server: &Server) -> Result<SocketAddr, String> {
    let found = (server.host.as_str(), server.port).to_socket_addrs();
    let found = found.map_err(|error| format!("cannot look up {}: {error}", server.host))?;
    // A name such as localhost has addresses of both families, and servers listen on 127.0.0.1.
    let mut found = found.collect::<Vec<_>>();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.first().copied().ok_or_else(|| format!("{} has no address", server.host))
}

/// Looks up the address of the server, and refuses any that is not loopback.
///
/// # Errors
/// The address is another machine's, or 0.0.0.0, which could be. The text is ready to print.
pub fn resolve_loopback(server: &Server) -> Result<SocketAddr, String> {
    let address = resolve(server)?;
    match address.ip().to_canonical().is_loopback() {
        true => Ok(address),
        false => Err(format!(
            "attacks run against this machine only (127.0.0.1 or [::1]); {} is elsewhere, and \
             nothing was sent",
            address.ip()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_goes_to_this_machine_only() {
        let resolve = |text: &str| resolve_loopback(&text.parse().unwrap());
        for here in ["127.0.0.1", "127.9.9.9:7000", "[::1]:7878", "[::ffff:127.0.0.1]:7878"] {
            assert!(resolve(here).is_ok(), "{here}");
        }
        for elsewhere in ["192.0.2.7", "0.0.0.0:7878", "[::]:1", "[::ffff:192.0.2.7]:1", "10.0.0.1"]
        {
            let refusal = resolve(elsewhere).unwrap_err();
            assert!(refusal.starts_with("attacks run against this machine only"), "{refusal}");
        }
    }
}
