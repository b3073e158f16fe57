//! TLS over the client's socket, by rustls. `connection` shakes hands; `channel` reads and writes.
//!
//! The records that the kernel has not taken stay here, not in rustls. Only then is it known which
//! lines the kernel has taken, and which of them the server's kernel has acknowledged. `trust`
//! decides about the certificate.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, OnceLock};

use mio::net::TcpStream;
use rustls::{AlertDescription, CertificateError, ClientConnection, Error, ProtocolVersion};

use super::trust::{Refusal, Trust};
use crate::client::ui::privacy::Privacy;
use crate::core::limits::UNACKNOWLEDGED_WRITES_MAX;

/// A TLS connection over a connected socket.
pub(super) struct TlsStream {
    stream: TcpStream,
    session: ClientConnection,
    /// Who vouched for the certificate.
    voucher: Arc<OnceLock<String>>,
    /// Records, of which the kernel has taken the first `taken` bytes.
    output: Vec<u8>,
    taken: usize,
    /// Bytes of all records so far.
    produced: u64,
    /// The output holds the bytes of an unfinished [`TlsStream::write`].
    is_writing: bool,
    writes: Writes,
    /// Why nothing more can be read.
    failure: Option<String>,
}

/// The writes that are not acknowledged, oldest first: how many bytes of the application each has, and
/// where its last record ends among all records. The server can decrypt a record only as a whole.
#[derive(Default)]
struct Writes(VecDeque<(usize, u64)>);

impl Writes {
    fn push(&mut self, len: usize, end: u64) {
        self.0.push_back((len, end));
        if self.0.len() > UNACKNOWLEDGED_WRITES_MAX
            && let Some((first, _)) = self.0.pop_front()
            && let Some((second, _)) = self.0.front_mut()
        {
            *second += first;
        }
    }

    /// How many bytes of the application have not arrived, if the first `acknowledged` bytes of all
    /// records have.
    fn missing(&mut self, acknowledged: u64) -> usize {
        while self.0.front().is_some_and(|&(_, end)| end <= acknowledged) {
            self.0.pop_front();
        }
        self.0.iter().map(|&(len, _)| len).sum()
    }
}

impl TlsStream {
    /// Starts TLS on a connected socket.
    pub(super) fn new(stream: TcpStream, trust: &Trust) -> Result<TlsStream, String> {
        let (session, voucher) = trust.begin()?;
        Ok(TlsStream {
            stream,
            session,
            voucher,
            output: Vec::new(),
            taken: 0,
            produced: 0,
            is_writing: false,
            writes: Writes::default(),
            failure: None,
        })
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Goes on with the handshake. Returns whether it is complete.
    pub(super) fn shake_hands(&mut self) -> Result<bool, Refusal> {
        loop {
            match self.flush() {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error.into()),
                _ if !self.session.is_handshaking() => return Ok(true),
                _ => {}
            }
            match self.session.read_tls(&mut self.stream) {
                Ok(0) => return Err(Refusal::Failed(CLOSED_EARLY.to_owned())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if let Err(error) = self.session.process_new_packets() {
                // The server reads why, in an alert.
                let _ = self.flush();
                return Err(refusal(&error, self.session.protocol_version()));
            }
        }
    }

    /// Reads at most once from the socket. `Ok(0)` means that the server has sent close_notify.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(result) = self.read_decrypted(buffer) {
            return result;
        }
        if let Some(failure) = &self.failure {
            return Err(io::Error::new(ErrorKind::InvalidData, failure.clone()));
        }
        self.session.read_tls(&mut self.stream)?;
        if let Err(error) = self.session.process_new_packets() {
            // Lines before the wrong record still count.
            self.failure = Some(describe(&error));
        }
        // TLS has answers of its own. If the socket takes none now, the next write takes them along.
        let _ = self.flush();
        // Not `WouldBlock`: the socket may have more.
        self.read_decrypted(buffer).unwrap_or_else(|| Err(ErrorKind::Interrupted.into()))
    }

    /// Takes bytes that are decrypted; `None` if there are none.
    fn read_decrypted(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        match self.session.reader().read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Some(Err(io::Error::new(ErrorKind::UnexpectedEof, CUT_OFF)))
            }
            result => Some(result),
        }
    }

    /// Encrypts and writes `bytes`. After `WouldBlock`, the next call must be with the same bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_writing {
            self.flush()?;
            self.session.writer().write_all(bytes)?;
            self.is_writing = true;
        }
        self.flush()?;
        self.is_writing = false;
        self.writes.push(bytes.len(), self.produced);
        Ok(bytes.len())
    }

    /// Encrypts and writes bytes that no other write waits for. What the socket does not take now goes
    /// before the next write.
    pub(super) fn write_aside(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.is_writing {
            self.flush()?;
            self.session.writer().write_all(bytes)?;
        }
        self.flush()
    }

    /// Says that nothing more will come.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.session.send_close_notify();
        self.flush()
    }

    /// How many written bytes have not arrived, if `missing` bytes of records are not acknowledged.
    pub(super) fn missing(&mut self, missing: usize) -> usize {
        let untaken = self.output.len() - self.taken + missing;
        self.writes.missing(self.produced.saturating_sub(untaken as u64))
    }

    pub(super) fn privacy(&self) -> Privacy {
        let version = match self.session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            _ => "1.3",
        };
        let verified_by = self.voucher.get().cloned().unwrap_or_default();
        Privacy::Tls { version, verified_by }
    }

    /// Writes all records that there are.
    fn flush(&mut self) -> io::Result<()> {
        loop {
            while self.taken < self.output.len() {
                match self.stream.write(&self.output[self.taken..]) {
                    Ok(count) => self.taken += count,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            self.output.clear();
            self.taken = 0;
            if !self.session.wants_write() {
                return Ok(());
            }
            self.produced += self.session.write_tls(&mut self.output)? as u64;
        }
    }
}

impl Drop for TlsStream {
    /// A client that ends says so. It does not wait for a socket that takes nothing.
    fn drop(&mut self) {
        if !self.session.is_handshaking() && !self.is_writing {
            let _ = self.end();
        }
    }
}

impl fmt::Debug for TlsStream {
    /// Without keys and texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").field("stream", &self.stream).finish_non_exhaustive()
    }
}

const CLOSED_EARLY: &str = "the server closed the connection in the TLS handshake";
const CUT_OFF: &str = "it was cut off: the server did not end it";
const NOT_TLS: &str = "this port of the server does not speak TLS";

/// Why the handshake failed with this error.
fn refusal(error: &Error, version: Option<ProtocolVersion>) -> Refusal {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            let refusal = other.0.downcast_ref::<Refusal>().cloned();
            refusal.unwrap_or_else(|| Refusal::Failed(describe(error)))
        }
        // The first bytes of the server are no TLS record.
        Error::InvalidMessage(_) if version.is_none() => Refusal::Failed(NOT_TLS.to_owned()),
        error => Refusal::Failed(describe(error)),
    }
}

/// The text for an error of rustls. What the server wrote is not in it.
fn describe(error: &Error) -> String {
    match error {
        Error::AlertReceived(AlertDescription::AccessDenied) => {
            "the server is full, or does not admit this address".to_owned()
        }
        Error::AlertReceived(alert) => format!("the server sent the TLS alert {alert:?}"),
        Error::PeerIncompatible(_) => {
            "the server has no TLS version or cipher in common with this client".to_owned()
        }
        Error::DecryptError => "a TLS record was changed on the way".to_owned(),
        _ => "the server broke the rules of TLS".to_owned(),
    }
}

#[cfg(test)]
mod tests;
