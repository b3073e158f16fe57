//! The server that a crowd or an attack connects to.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;

use crate::client::options::Server;

/// Why a run did not begin. The text is ready to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The arguments ask for what is never done.
    Usage(String),
    /// Something else is wrong.
    Failed(String),
}

impl From<String> for Refusal {
    fn from(why: String) -> Refusal {
        Refusal::Failed(why)
    }
}

impl Refusal {
    /// Prints the reason on standard error. Returns the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        let (why, code) = match self {
            Refusal::Usage(why) => (why, ExitCode::from(2)),
            Refusal::Failed(why) => (why, ExitCode::FAILURE),
        };
        eprintln!("chinwag: {}", why.replace(char::is_control, "?"));
        code
    }
}

/// Looks up the address of the server, and refuses any that is not loopback: a server elsewhere has users
/// and an operator who have asked for no `visitors`, such as "crowds". The word begins the refusal.
///
/// # Errors
/// The host has no address. Or the address is another machine's, or 0.0.0.0, which could be.
pub fn resolve(server: &Server, visitors: &str) -> Result<SocketAddr, Refusal> {
    let found = (server.host.as_str(), server.port).to_socket_addrs();
    let found = found.map_err(|error| format!("cannot look up {}: {error}", server.host))?;
    // A name such as localhost has addresses of both families, and servers listen on 127.0.0.1.
    let address = found.min_by_key(SocketAddr::is_ipv6);
    let address = address.ok_or_else(|| format!("{} has no address", server.host))?;
    match address.ip().to_canonical().is_loopback() {
        true => Ok(address),
        false => Err(Refusal::Usage(format!(
            "{visitors} go to this machine only (127.0.0.1 or [::1]); {} is elsewhere, and nothing \
             was sent",
            address.ip()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_goes_to_another_machine() {
        let resolve = |text: &str| resolve(&text.parse().unwrap(), "crowds");
        for here in ["127.0.0.1", "127.9.9.9:7000", "[::1]:7878", "[::ffff:127.0.0.1]:7878"] {
            assert!(resolve(here).is_ok(), "{here}");
        }
        for elsewhere in ["192.0.2.7", "0.0.0.0:7878", "[::]:1", "[::ffff:192.0.2.7]:1", "10.0.0.1"]
        {
            let refusal = resolve(elsewhere).unwrap_err();
            assert!(matches!(refusal, Refusal::Usage(_)), "{refusal:?}");
        }
    }
}
