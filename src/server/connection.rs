//! One client socket and its readiness.
//!
//! The loop reads and writes through this module; mio reports readiness once per change (edge
//! triggered), so a connection remembers what it has not read yet. The bytes themselves belong to
//! the exchange.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr};

use mio::event::Event;
use mio::net::TcpStream;

use super::read_queue::Work;
use crate::core::time::Time;

/// Whether a short read means that the socket has no more bytes.
///
/// On Linux it does: bytes that arrive later cause a new edge (epoll(7), question 9), and a FIN
/// that has arrived is part of the event. This saves one system call per message. On other systems
/// only `WouldBlock` proves that the socket is empty.
const SHORT_READ_DRAINS: bool = cfg!(target_os = "linux");

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// The socket, in non-blocking mode.
    stream: TcpStream,
    /// The number of the connection in the log. A later connection may reuse the slab key but not
    /// the number, until 2^32 connections have come.
    pub(super) number: u32,
    /// The client's address: the socket's, or what the transport learned.
    pub(super) peer: Peer,
    /// Whether the connection counts for the limit of its address (7.26). One from a trusted proxy
    /// does so when its client's address is known.
    pub(super) is_counted: bool,
    /// Seconds from the server's start to the accept. A [`Time`] would be twice as large, and every
    /// connection pays for it.
    accepted_s: u32,
    /// An event reported bytes, and no read has emptied the socket since.
    pub(super) has_more: bool,
    /// The connection is in one of the loop's lists of connections to read.
    pub(super) is_queued: bool,
    /// The connection counts for the handshakes of its address (7.81).
    pub(super) is_handshaking: bool,
    /// The work that this connection has caused lately; it decides how soon the connection is read.
    pub(super) work: Work,
    /// A short read does not prove that the socket is empty. Either the client has ended its half,
    /// which only the next read reports; or it has sent urgent data (telnet's synch), and a read
    /// stops before such a byte (tcp(7)).
    must_drain: bool,
}

/// The result of one read or write on a socket.
#[derive(Debug)]
pub(super) enum IoOutcome {
    /// This many bytes were read or written.
    Bytes(usize),
    /// The socket is not ready; an event will say when it is.
    Nothing,
    /// The end of the stream: the peer has ended its half.
    End,
    /// The connection has failed.
    Failed(io::Error),
}

/// An IP address and a port in 18 bytes. A `SocketAddr` has 32, and every connection pays for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    /// An IPv4 address is stored in its IPv4-mapped form.
    ip: Ipv6Addr,
    port: u16,
}

impl Peer {
    pub(super) fn new(address: SocketAddr) -> Peer {
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        Peer { ip, port: address.port() }
    }

    pub(super) fn ip(&self) -> IpAddr {
        self.ip.to_canonical()
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proxy need not tell the port.
        match self.port {
            0 => self.ip().fmt(f),
            port => SocketAddr::new(self.ip(), port).fmt(f),
        }
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream, number: u32, peer: SocketAddr, now: Time) -> Connection {
        let accepted_s = now.ms_since(Time::START) / 1000;
        Connection {
            stream,
            number,
            peer: Peer::new(peer),
            is_counted: true,
            accepted_s: u32::try_from(accepted_s).unwrap_or(u32::MAX),
            // A script has sent its first lines by the time it is accepted: try at once.
            has_more: true,
            is_queued: false,
            is_handshaking: false,
            work: Work::default(),
            must_drain: !SHORT_READ_DRAINS,
        }
    }

    /// Records a readiness event. Returns `true` if the caller must add the connection to a list of
    /// connections to read; [`Connection::is_queued`] is then set.
    pub(super) fn record_event(&mut self, event: &Event) -> bool {
        self.must_drain |= event.is_read_closed() || event.is_priority();
        self.has_more |= event.is_readable() || event.is_read_closed() || event.is_error();
        let must_queue = self.has_more && !self.is_queued;
        self.is_queued |= must_queue;
        must_queue
    }

    /// When the connection was accepted, to the second.
    pub(super) fn accepted_at(&self) -> Time {
        Time::START.after_ms(u64::from(self.accepted_s) * 1000)
    }

    /// Reads once into `buffer`. One read per turn keeps the loop fair.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> IoOutcome {
        let outcome = IoOutcome::of(|| self.stream.read(buffer));
        self.has_more = match outcome {
            IoOutcome::Bytes(n) => n == buffer.len() || self.must_drain,
            IoOutcome::Nothing | IoOutcome::End | IoOutcome::Failed(_) => false,
        };
        outcome
    }

    /// Writes `bytes` once; the kernel may take only a part.
    pub(super) fn write(&mut self, bytes: &[u8]) -> IoOutcome {
        IoOutcome::of(|| self.stream.write(bytes))
    }

    /// Ends our half of the connection: the kernel sends a FIN after the written bytes.
    ///
    /// # Errors
    /// The connection has failed already.
    pub(super) fn end_sending(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

impl IoOutcome {
    /// Runs a read or write, and repeats the call if a signal interrupted it (signal(7), `EINTR`).
    pub(super) fn of(mut call: impl FnMut() -> io::Result<usize>) -> IoOutcome {
        loop {
            match call() {
                Ok(0) => return IoOutcome::End,
                Ok(n) => return IoOutcome::Bytes(n),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return IoOutcome::Nothing,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return IoOutcome::Failed(e),
            }
        }
    }
}
