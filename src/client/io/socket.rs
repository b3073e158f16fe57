//! The TCP socket of the client: starts to connect, and sets the options. `connection` uses it.
//!
//! Nothing here knows lines or TLS.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};

#[cfg(any(target_os = "android", target_os = "linux"))]
use crate::core::limits::USER_TIMEOUT_MS;
use crate::core::limits::{KEEPALIVE_COUNT, KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S};

/// Starts a non-blocking connect and registers the socket. Interest in writing is needed, because
/// the kernel reports a finished connect as writable (connect(2), `EINPROGRESS`).
pub(super) fn start_connecting(
    registry: &Registry,
    token: Token,
    address: SocketAddr,
) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(stream)
}

/// Whether an attempt to connect has succeeded. An event is only a hint: the socket's error and
/// its peer address decide (the documentation of `mio::net::TcpStream::connect` says how).
pub(super) fn is_connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// Lets the kernel detect a dead server, which sends neither FIN nor RST. A timer in the client
/// would wake the process for that. Errors are ignored: the socket works without these options.
pub(super) fn keep_alive(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(KEEPALIVE_IDLE_S))
        .with_interval(Duration::from_secs(KEEPALIVE_INTERVAL_S))
        .with_retries(KEEPALIVE_COUNT);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "android", target_os = "linux"))]
    let _ = socket.set_tcp_user_timeout(Some(Duration::from_millis(USER_TIMEOUT_MS)));
    // Nagle's algorithm (RFC 896) would delay a short line until the last one is acknowledged.
    let _ = stream.set_nodelay(true);
}

/// The error message of a failed lookup. The resolver's own words for a wrong name say little.
pub(super) fn cannot_find(host: &str, reason: &str) -> String {
    // The texts of EAI_NONAME and EAI_NODATA, on Linux, on macOS and in musl (getaddrinfo(3)).
    let unknown = ["not known", "No address associated", "Name does not resolve"];
    match unknown.iter().any(|text| reason.contains(text)) {
        true => format!("no host called {host}"),
        false => format!("cannot find {host}: {reason}"),
    }
}

/// Describes an error in words, without its number: a user cannot use "(os error 111)".
pub(in crate::client) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((description, _)) => description.to_owned(),
        None => text,
    }
}
