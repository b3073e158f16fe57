//! A listening socket: binding, accepting, and the socket options that connections inherit.
//!
//! `accept.rs` calls [`Listener::accept`]. Every failure concerns one connection or passes with time,
//! so the listener itself never fails after it was bound.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use log::warn;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::admission::Rejection;
use crate::core::limits::{
    ACCEPT_RETRY_MS, BACKLOG, KEEPALIVE_ALIKE, KEEPALIVE_COUNT, KEEPALIVE_IDLE_S,
    KEEPALIVE_INTERVAL_S, KEEPALIVE_SPREAD_S, Limits, SOCKET_BUFFER_BYTES, USER_TIMEOUT_MS,
};
use crate::core::time::Time;
use crate::core::transport::{Scheme, http, tls};

/// Reads from a rejected connection before it is closed: more than a client sends that waits for an
/// answer.
const TURNED_AWAY_READS: usize = 4;

/// An address to listen on, and how its connections are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress {
    /// The transport of every connection of this listener.
    pub scheme: Scheme,
    /// The socket address; port 0 lets the kernel choose.
    pub address: SocketAddr,
    /// Nobody asked for this address: if it cannot be bound, the server runs without it.
    pub is_optional: bool,
}

/// The address as `--listen` takes it; lines over TCP need no scheme.
impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Scheme::Tcp => self.address.fmt(f),
            scheme => write!(f, "{}://{}", scheme.name(), self.address),
        }
    }
}

/// A new connection.
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) scheme: Scheme,
}

/// A socket that listens.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    scheme: Scheme,
    waiting: Waiting,
    accepted: u64,
}

/// Whether a connection waits to be accepted. The poll reports it once, so the listener remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Nobody,
    Somebody,
    /// A connection may wait, but the system could not provide it. Try again at this time.
    Starved(Time),
}

impl Listener {
    /// Listens on an address. An IPv6 socket takes IPv6 only, so that the same port can be bound for
    /// both families.
    pub(super) fn bind(wanted: ListenAddress, limits: &Limits) -> io::Result<Listener> {
        let ListenAddress { scheme, address, .. } = wanted;
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Without this a restart fails while old connections are in TIME-WAIT (socket(7)).
        socket.set_reuse_address(true)?;
        set_options(SockRef::from(&socket), limits)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let socket = TcpListener::from_std(socket.into());
        let address = socket.local_addr()?;
        Ok(Listener { socket, address, scheme, waiting: Waiting::Nobody, accepted: 0 })
    }

    /// Registers the socket with the poll, for readability: a waiting connection makes it readable.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// The bound address.
    pub(super) fn address(&self) -> ListenAddress {
        let Listener { scheme, address, .. } = *self;
        ListenAddress { scheme, address, is_optional: false }
    }

    /// The poll reported a waiting connection.
    pub(super) fn note_ready(&mut self) {
        self.waiting = Waiting::Somebody;
    }

    /// Whether a connection may still wait although this turn accepts no more.
    pub(super) fn has_more(&self) -> bool {
        self.waiting == Waiting::Somebody
    }

    /// When to try again although the poll reports nothing.
    pub(super) fn retry_at(&self) -> Option<Time> {
        match self.waiting {
            Waiting::Starved(until) => Some(until),
            Waiting::Nobody | Waiting::Somebody => None,
        }
    }

    /// The missing resource may be available now.
    pub(super) fn retry_now(&mut self) {
        if let Waiting::Starved(_) = self.waiting {
            self.waiting = Waiting::Somebody;
        }
    }

    /// Whether an accept may succeed now.
    pub(super) fn is_ready(&self, now: Time) -> bool {
        match self.waiting {
            Waiting::Nobody => false,
            Waiting::Somebody => true,
            Waiting::Starved(until) => until <= now,
        }
    }

    /// Delays the keepalive of the next connections by one more second (7.19). Thousands of idle
    /// clients would otherwise be probed in the same instant. The option is set on the listener, from
    /// which connections inherit it, because a system call per connection would cost more.
    fn spread_keepalive(&mut self) {
        let later_s = (self.accepted / KEEPALIVE_ALIKE) % KEEPALIVE_SPREAD_S;
        let idle = Duration::from_secs(KEEPALIVE_IDLE_S + later_s);
        let keepalive = TcpKeepalive::new().with_time(idle);
        // A failure only means that probes are not spread.
        drop(SockRef::from(&self.socket).set_tcp_keepalive(&keepalive));
    }

    /// Accepts one connection. A failure concerns that connection or passes; the listener stays.
    pub(super) fn accept(&mut self, now: Time) -> Option<Accepted> {
        match self.socket.accept() {
            Ok((stream, peer)) => {
                self.waiting = Waiting::Somebody;
                self.accepted += 1;
                if self.accepted.is_multiple_of(KEEPALIVE_ALIKE) {
                    self.spread_keepalive();
                }
                inherit_options(&stream);
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                Some(Accepted { stream, peer, scheme: self.scheme })
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                self.waiting = Waiting::Nobody;
                None
            }
            // The waiting connection is gone already (accept(2), "Error handling").
            Err(e) if is_of_one_connection(&e) => None,
            // Descriptors, buffers or memory are missing, or worse. Retrying at once would spin.
            Err(e) => {
                warn!(target: "chinwag", "cannot accept on {}: {e}", self.address);
                self.waiting = Waiting::Starved(now.after_ms(ACCEPT_RETRY_MS));
                None
            }
        }
    }
}

/// Binds `addresses`, and registers them with the tokens from `first_token` downwards.
///
/// # Errors
/// An address that cannot be bound and is not optional, or that needs a certificate.
pub(super) fn bind_all(
    addresses: &[ListenAddress],
    has_certificate: bool,
    limits: &Limits,
    registry: &Registry,
    first_token: usize,
) -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for &address in addresses {
        if address.scheme.is_encrypted() && !has_certificate {
            let text = format!("{address} needs --tls-cert and --tls-key");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        match Listener::bind(address, limits) {
            Ok(mut listener) => {
                listener.register(registry, Token(first_token - listeners.len()))?;
                listeners.push(listener);
            }
            Err(e) if address.is_optional => {
                warn!(target: "chinwag", "no listener on {address}: {e}");
            }
            Err(e) => {
                return Err(io::Error::new(e.kind(), format!("cannot listen on {address}: {e}")));
            }
        }
    }
    Ok(listeners)
}

/// Where the first of `schemes` is that the server has, for clients at another port.
pub(super) fn place(listeners: &[Listener], schemes: [Scheme; 2]) -> Option<String> {
    let listener = |scheme| listeners.iter().find(|at| at.scheme == scheme);
    let Listener { scheme, address, .. } = schemes.into_iter().find_map(listener)?;
    Some(match address.ip().is_unspecified() {
        // Only the client knows by which name it reaches this machine.
        true => format!("port {} of this server", address.port()),
        false => format!("{}://{address}", scheme.name()),
    })
}

/// Writes the reason, in one attempt, and closes the connection.
pub(super) fn reject(mut stream: TcpStream, scheme: Scheme, rejection: Rejection) {
    let line = rejection.line();
    let bytes = match scheme {
        Scheme::Tcp => format!("{line}\r\n").into_bytes(),
        Scheme::Http => http::turned_away(&line),
        // A handshake would cost more than the client is worth now.
        Scheme::Tls | Scheme::Https => tls::turned_away().to_vec(),
    };
    // Best effort: the empty buffer of a new socket takes a line.
    drop(stream.write(&bytes));
    drop(stream.shutdown(Shutdown::Write));
    // Input that has arrived is read, because closing a socket with unread input sends a reset, and
    // the client might lose the line (RFC 9293, 3.10.4).
    let mut unread = [0; 4096];
    for _ in 0..TURNED_AWAY_READS {
        if !matches!(stream.read(&mut unread), Ok(1..)) {
            break;
        }
    }
}

/// Whether only the waiting connection failed, so that the next accept may succeed.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted)
}

/// Sets the options that every connection needs (7.19, 7.12): small kernel buffers, so that a slow
/// reader is noticed; no delay for small writes (TCP_NODELAY); urgent data in line, for telnet's
/// synch; keepalive, so that a dead peer is found.
fn set_options(socket: SockRef<'_>, limits: &Limits) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(KEEPALIVE_IDLE_S))
        .with_interval(Duration::from_secs(KEEPALIVE_INTERVAL_S))
        .with_retries(KEEPALIVE_COUNT);
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_out_of_band_inline(true)?;
    socket.set_tcp_keepalive(&keepalive)?;
    // On Linux a closed window counts too, so this must be longer than the server's own stall timeout.
    #[cfg(target_os = "linux")]
    {
        let patience =
            limits.stall_ms.saturating_mul(2).clamp(USER_TIMEOUT_MS, u64::from(u32::MAX / 2));
        socket.set_tcp_user_timeout(Some(Duration::from_millis(patience)))?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = limits;
    Ok(())
}

/// On Linux an accepted socket inherits the options of its listener (tcp(7)). Other systems drop some.
fn inherit_options(stream: &TcpStream) {
    #[cfg(not(target_os = "linux"))]
    drop(set_options(SockRef::from(stream), &Limits::default()));
    #[cfg(target_os = "linux")]
    let _ = stream;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(address: &str) -> ListenAddress {
        ListenAddress { scheme: Scheme::Tcp, address: address.parse().unwrap(), is_optional: false }
    }

    /// (7.19, 7.40, 7.12)
    #[cfg(target_os = "linux")]
    #[test]
    fn an_accepted_connection_has_the_options_of_its_listener() {
        let mut listener = Listener::bind(tcp("127.0.0.1:0"), &Limits::default()).unwrap();
        let _client = std::net::TcpStream::connect(listener.address).unwrap();
        let Accepted { stream, .. } =
            listener.accept(Time::START).expect("the connection is complete");
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.out_of_band_inline().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), KEEPALIVE_IDLE_S);
        listener.accepted = KEEPALIVE_ALIKE;
        listener.spread_keepalive();
        let _second = std::net::TcpStream::connect(listener.address).unwrap();
        let Accepted { stream: second, .. } =
            listener.accept(Time::START).expect("the connection is complete");
        let later = SockRef::from(&second).tcp_keepalive_time().unwrap().as_secs();
        assert_eq!(later, KEEPALIVE_IDLE_S + 1, "not all are asked at once");
        assert_eq!(socket.tcp_user_timeout().unwrap().unwrap().as_millis(), USER_TIMEOUT_MS.into());
        // Linux doubles what it is asked for, for its own bookkeeping (socket(7)).
        assert_eq!(socket.send_buffer_size().unwrap(), 2 * SOCKET_BUFFER_BYTES);
        assert_eq!(socket.recv_buffer_size().unwrap(), 2 * SOCKET_BUFFER_BYTES);
    }

    #[test]
    fn both_families_can_have_the_same_port() {
        let both = || {
            let v6 = Listener::bind(tcp("[::1]:0"), &Limits::default())?;
            let v4 = SocketAddr::new([127, 0, 0, 1].into(), v6.address.port());
            Listener::bind(tcp(&v4.to_string()), &Limits::default())
        };
        // Somebody else on this machine may have one of the ports by chance, but not each time.
        assert!((0..20).any(|_| both().is_ok()) || !has_ipv6());
    }

    fn has_ipv6() -> bool {
        Listener::bind(tcp("[::1]:0"), &Limits::default()).is_ok()
    }
}
