//! A connected socket as plain bytes, with or without TLS. `connection` reads and writes it.
//!
//! A write counts as done when the kernel has taken the bytes, encrypted or not. Only then does the
//! connection forget a line, so the promise about lines is the same for both.

use std::io::{self, Read, Write};
use std::net::Shutdown;

use mio::net::TcpStream;

use super::tls::TlsStream;
use crate::client::ui::privacy::Privacy;

/// An open channel to the server.
#[derive(Debug)]
pub(super) enum Channel {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl Channel {
    pub(super) fn stream(&self) -> &TcpStream {
        match self {
            Channel::Plain(stream) => stream,
            Channel::Tls(tls) => tls.stream(),
        }
    }

    /// Reads bytes of the application. `Ok(0)` is the end that the server meant: FIN, and with TLS
    /// close_notify before it.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Channel::Plain(stream) => stream.read(buffer),
            Channel::Tls(tls) => tls.read(buffer),
        }
    }

    /// Writes bytes. After `WouldBlock`, the next call must be with the same bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Channel::Plain(stream) => stream.write(bytes),
            Channel::Tls(tls) => tls.write(bytes),
        }
    }

    /// Writes bytes that may get lost, while no other write is unfinished.
    pub(super) fn write_aside(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Channel::Plain(stream) => stream.write(bytes).map(|_| ()),
            Channel::Tls(tls) => tls.write_aside(bytes),
        }
    }

    /// Ends our half.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if let Channel::Tls(tls) = self {
            tls.end()?;
        }
        self.stream().shutdown(Shutdown::Write)
    }

    /// How many written bytes of the application have not arrived, if the server's kernel has not
    /// acknowledged `missing` bytes of the socket.
    pub(super) fn missing(&mut self, missing: usize) -> usize {
        match self {
            Channel::Plain(_) => missing,
            Channel::Tls(tls) => tls.missing(missing),
        }
    }

    /// Who can read along.
    pub(super) fn privacy(&self) -> Privacy {
        match self {
            Channel::Plain(stream) => {
                match stream.peer_addr().is_ok_and(|at| at.ip().is_loopback()) {
                    true => Privacy::Local,
                    false => Privacy::None,
                }
            }
            Channel::Tls(tls) => tls.privacy(),
        }
    }
}
