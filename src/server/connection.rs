//! One socket. What is said over it is the exchange's business; this knows readiness.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr};

use mio::event::Event;
use mio::net::TcpStream;

use crate::core::limits::FLOOD_BYTES;
use crate::core::time::Time;

/// On Linux a read that came back short has drained the socket: what arrives later is a new edge
/// (epoll(7), question 9), and a FIN that was there already was told with the event. Elsewhere only
/// `WouldBlock` says so.
const SHORT_READ_DRAINS: bool = cfg!(target_os = "linux");

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    /// Counts connections since the start, for the log: unlike a key it is not used again, for
    /// four thousand million arrivals.
    pub(super) number: u32,
    pub(super) peer: Peer,
    /// Seconds from the server's start until it came: half the size of a moment, and there is one
    /// for everybody.
    came_s: u32,
    /// An edge said there is something to read, and no read has found the end of it yet.
    pub(super) has_more: bool,
    /// It stands on the loop's list of those to be read.
    pub(super) is_queued: bool,
    /// The last read brought more than people type: others are read first.
    pub(super) floods: bool,
    /// A short read does not mean that the socket is drained: the client has ended its half, which
    /// the next read finds out, or has sent urgent data (telnet's synch), at which reads stop
    /// short.
    must_drain: bool,
}

/// What a system call on the socket came to.
#[derive(Debug)]
pub(super) enum IoOutcome {
    /// So many bytes.
    Bytes(usize),
    /// Not ready.
    Nothing,
    /// The end of the stream.
    End,
    /// The connection has failed.
    Failed(io::Error),
}

/// An address and port in 18 bytes rather than 32, since there is one for everybody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    ip: Ipv6Addr,
    port: u16,
}

impl Peer {
    fn new(address: SocketAddr) -> Peer {
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
        SocketAddr::new(self.ip(), self.port).fmt(f)
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream, number: u32, peer: SocketAddr, now: Time) -> Connection {
        let came_s = now.ms_since(Time::START) / 1000;
        Connection {
            stream,
            number,
            peer: Peer::new(peer),
            came_s: u32::try_from(came_s).unwrap_or(u32::MAX),
            has_more: false,
            is_queued: false,
            floods: false,
            must_drain: !SHORT_READ_DRAINS,
        }
    }

    /// Remembers what a readiness event says; `true` if the connection is to be is_queued for reading.
    pub(super) fn record_event(&mut self, event: &Event) -> bool {
        self.must_drain |= event.is_read_closed() || event.is_priority();
        self.has_more |= event.is_readable() || event.is_read_closed() || event.is_error();
        let list = self.has_more && !self.is_queued;
        self.is_queued |= list;
        list
    }

    /// When it came, to the second.
    pub(super) fn came_at(&self) -> Time {
        Time::START.after_ms(u64::from(self.came_s) * 1000)
    }

    /// Reads once.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> IoOutcome {
        let progress = IoOutcome::of(|| self.stream.read(buffer));
        self.floods = matches!(progress, IoOutcome::Bytes(n) if n > FLOOD_BYTES);
        self.has_more = match progress {
            IoOutcome::Bytes(n) => n == buffer.len() || self.must_drain,
            IoOutcome::Nothing | IoOutcome::End | IoOutcome::Failed(_) => false,
        };
        progress
    }

    /// Writes once.
    pub(super) fn write(&mut self, bytes: &[u8]) -> IoOutcome {
        IoOutcome::of(|| self.stream.write(bytes))
    }

    /// Ends our half of the connection: a FIN goes out behind what was written.
    pub(super) fn end_sending(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

impl IoOutcome {
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
