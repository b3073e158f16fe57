//! One socket of the pool, with the bytes that wait for the kernel.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use crate::core::limits::PEER_KERNEL_BYTES;
use crate::peers::peer::{Acts, Close, End};

pub(super) struct Connection {
    stream: TcpStream,
    pub(super) is_connected: bool,
    is_readable: bool,
    is_writable: bool,
    /// Whether the peer wants to read.
    reads: bool,
    out: Vec<u8>,
    /// Bytes of `out` that the kernel has taken.
    taken: usize,
    close: Option<Close>,
}

/// What a read brought.
pub(super) enum Read {
    Nothing,
    Bytes(usize),
    Ended(End),
}

impl Connection {
    /// Begins to connect.
    pub(super) fn open(server: SocketAddr, to: &Registry, token: Token) -> io::Result<Connection> {
        let mut stream = TcpStream::connect(server)?;
        to.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Connection {
            stream,
            is_connected: false,
            is_readable: false,
            is_writable: false,
            reads: true,
            out: Vec::new(),
            taken: 0,
            close: None,
        })
    }

    pub(super) fn mark(&mut self, event: &Event) {
        self.is_readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.is_writable |= event.is_writable() || event.is_write_closed() || event.is_error();
        // The server has ended its half. Its last words tell why.
        self.reads |= event.is_read_closed() || event.is_error();
    }

    /// `None` while the kernel still connects.
    pub(super) fn finish_connecting(&mut self) -> Option<io::Result<()>> {
        if let Ok(Some(error)) | Err(error) = self.stream.take_error() {
            return Some(Err(error));
        }
        match self.stream.peer_addr() {
            Ok(_) => {
                self.is_connected = true;
                Some(self.set_options())
            }
            Err(error) if error.kind() == ErrorKind::NotConnected => None,
            Err(error) => Some(Err(error)),
        }
    }

    fn set_options(&self) -> io::Result<()> {
        // The kernel would hold megabytes for a peer whose bytes are not read, and the attack would
        // measure that.
        SockRef::from(&self.stream).set_send_buffer_size(PEER_KERNEL_BYTES)?;
        self.stream.set_nodelay(true)
    }

    /// Takes over what the peer wants.
    pub(super) fn take<N>(&mut self, acts: &mut Acts<N>) {
        if self.close.is_none() {
            self.out.append(&mut acts.send);
            self.close = acts.close;
        }
        self.reads = acts.reads.unwrap_or(self.reads);
    }

    /// Whether a read or a write may get somewhere.
    pub(super) fn is_ready(&self) -> bool {
        let has_output = self.taken < self.out.len() || self.close.is_some();
        self.is_connected && (self.is_readable && self.reads || self.is_writable && has_output)
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Read {
        // A peer that closes hears nothing any more.
        let is_closing = matches!(self.close, Some(Close::Whole | Close::Reset));
        if !self.is_readable || !self.reads || is_closing {
            return Read::Nothing;
        }
        match self.stream.read(buffer) {
            Ok(0) => Read::Ended(End::Closed),
            Ok(count) => Read::Bytes(count),
            Err(error) if error.kind() == ErrorKind::Interrupted => Read::Nothing,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.is_readable = false;
                Read::Nothing
            }
            Err(_) => Read::Ended(End::Reset),
        }
    }

    /// Writes once. Returns how many bytes the kernel took, and whether nothing waits any more.
    pub(super) fn write(&mut self) -> io::Result<(usize, bool)> {
        let mut count = 0;
        if self.is_writable && self.taken < self.out.len() {
            match self.stream.write(&self.out[self.taken..]) {
                Ok(taken) => count = taken,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_writable = false,
                Err(error) => return Err(error),
            }
        }
        self.taken += count;
        let is_done = self.taken == self.out.len();
        if is_done {
            self.out.clear();
            self.taken = 0;
            if self.close == Some(Close::Half) {
                self.close = None;
                self.stream.shutdown(Shutdown::Write)?;
            }
        }
        Ok((count, is_done))
    }

    /// Whether the peer wants to close, and may. The caller drops the connection.
    pub(super) fn should_close(&self) -> bool {
        // A reset waits for nothing.
        let is_over =
            self.close.is_some() && self.out.is_empty() || self.close == Some(Close::Reset);
        if self.close == Some(Close::Reset) {
            // Without it the close would end the connection in order.
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
        is_over
    }

    /// The server takes nothing any more. What it said before can still be read.
    pub(super) fn give_up_writing(&mut self) {
        self.out.clear();
        (self.taken, self.is_writable) = (0, false);
        (self.is_readable, self.reads) = (true, true);
    }
}
