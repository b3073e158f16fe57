//! A listening socket, and what can go wrong when it has somebody for us.

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

/// Reads of what a client sent that is turned away: more than one who waits for an answer sends.
const TURNED_AWAY_READS: usize = 4;

/// A new connection, and where it comes from.
pub(super) type Accepted = (TcpStream, SocketAddr);

/// A socket that listens.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    waiting: Waiting,
    accepted: u64,
}

/// Whether somebody waits to be accepted. An edge says so once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Nobody,
    Somebody,
    /// Somebody may, but the system could not give us the connection: not before then again.
    Starved(Time),
}

impl Listener {
    /// Listens on `address`; an IPv6 address takes IPv6 alone, so that both can be given.
    pub(super) fn bind(address: SocketAddr, limits: &Limits) -> io::Result<Listener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        set_options(SockRef::from(&socket), limits)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let socket = TcpListener::from_std(socket.into());
        let address = socket.local_addr()?;
        Ok(Listener { socket, address, waiting: Waiting::Nobody, accepted: 0 })
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn note_ready(&mut self) {
        self.waiting = Waiting::Somebody;
    }

    /// Whether accepting was left off with somebody still waiting.
    pub(super) fn has_more(&self) -> bool {
        self.waiting == Waiting::Somebody
    }

    /// When accepting is to be tried again without being told to.
    pub(super) fn retry_at(&self) -> Option<Time> {
        match self.waiting {
            Waiting::Starved(until) => Some(until),
            Waiting::Nobody | Waiting::Somebody => None,
        }
    }

    /// What was missing may be there now.
    pub(super) fn retry_now(&mut self) {
        if let Waiting::Starved(_) = self.waiting {
            self.waiting = Waiting::Somebody;
        }
    }

    pub(super) fn is_ready(&self, now: Time) -> bool {
        match self.waiting {
            Waiting::Nobody => false,
            Waiting::Somebody => true,
            Waiting::Starved(until) => until <= now,
        }
    }

    /// Those who connect from now on are asked a second later whether they are still there (5.20). Set
    /// on the listener, which they inherit it from, and not for each: that is spread enough.
    fn spread_keepalive(&mut self) {
        let later_s = (self.accepted / KEEPALIVE_ALIKE) % KEEPALIVE_SPREAD_S;
        let idle = Duration::from_secs(KEEPALIVE_IDLE_S + later_s);
        let keepalive = TcpKeepalive::new().with_time(idle);
        // Only a matter of manners towards the network: without it all are asked together.
        drop(SockRef::from(&self.socket).set_tcp_keepalive(&keepalive));
    }

    /// Accepts once. Whatever fails concerns one connection, or passes; the listener stays.
    pub(super) fn accept(&mut self, now: Time) -> Option<Accepted> {
        match self.socket.accept() {
            Ok((stream, peer)) => {
                self.waiting = Waiting::Somebody;
                self.accepted += 1;
                if self.accepted.is_multiple_of(KEEPALIVE_ALIKE) {
                    self.spread_keepalive();
                }
                inherit_options(&stream);
                Some((stream, SocketAddr::new(peer.ip().to_canonical(), peer.port())))
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                self.waiting = Waiting::Nobody;
                None
            }
            // The connection that waited is gone already (accept(2), "error handling").
            Err(e) if is_of_one_connection(&e) => None,
            // The system lacks descriptors, buffers or memory, or something worse.
            Err(e) => {
                warn!(target: "chinwag", "cannot accept on {}: {e}", self.address);
                self.waiting = Waiting::Starved(now.after_ms(ACCEPT_RETRY_MS));
                None
            }
        }
    }
}

/// Says why, as far as one attempt goes, and closes.
pub(super) fn reject(mut stream: TcpStream, rejection: Rejection) {
    let line = format!("! {rejection}; nothing was done\r\n");
    // Best effort: a socket this new takes a line, and one that does not is nobody's loss.
    drop(stream.write(line.as_bytes()));
    drop(stream.shutdown(Shutdown::Write));
    // What came already is read, since a socket closed with something unread resets the connection,
    // and the client might lose the line by it (RFC 9293, 3.10.4).
    let mut unread = [0; 4096];
    for _ in 0..TURNED_AWAY_READS {
        if !matches!(stream.read(&mut unread), Ok(1..)) {
            break;
        }
    }
}

/// Whether an accept failed for the sake of the connection that waited, and the next may succeed.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted)
}

/// What every connection needs (5.20, 5.21): buffers that do not hide a reader who is behind, small
/// writes go out at once, urgent data stays in its place in the stream (telnet's synch), a peer
/// that vanished is found out.
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
    // Linux counts a closed window too: the server's own patience with a reader must come first.
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

/// On Linux an accepted socket has the options of its listener (tcp(7)); elsewhere not all of them.
fn inherit_options(stream: &TcpStream) {
    #[cfg(not(target_os = "linux"))]
    drop(set_options(SockRef::from(stream), &Limits::default()));
    #[cfg(target_os = "linux")]
    let _ = stream;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (5.20, 5.21)
    #[cfg(target_os = "linux")]
    #[test]
    fn an_accepted_connection_has_the_options_of_its_listener() {
        let mut listener =
            Listener::bind("127.0.0.1:0".parse().unwrap(), &Limits::default()).unwrap();
        let _client = std::net::TcpStream::connect(listener.address()).unwrap();
        let (stream, _) = listener.accept(Time::START).expect("the connection is complete");
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.out_of_band_inline().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), KEEPALIVE_IDLE_S);
        listener.accepted = KEEPALIVE_ALIKE;
        listener.spread_keepalive();
        let _second = std::net::TcpStream::connect(listener.address()).unwrap();
        let (second, _) = listener.accept(Time::START).expect("the connection is complete");
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
            let v6 = Listener::bind("[::1]:0".parse().unwrap(), &Limits::default())?;
            let v4 = SocketAddr::new([127, 0, 0, 1].into(), v6.address().port());
            Listener::bind(v4, &Limits::default())
        };
        // Somebody else on this machine may have one of the ports by chance, but not each time.
        assert!((0..20).any(|_| both().is_ok()) || !has_ipv6());
    }

    fn has_ipv6() -> bool {
        Listener::bind("[::1]:0".parse().unwrap(), &Limits::default()).is_ok()
    }
}
