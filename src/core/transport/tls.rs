//! TLS 1.2 and 1.3 (RFC 5246, RFC 8446), by rustls: the lines or the page, encrypted.
//!
//! A connection shakes hands until its deadline; then application bytes flow. `records.rs` drives
//! rustls, `certificate.rs` configures it. `server/tls.rs` reads the files and renews the certificate.

mod certificate;
mod failure;
mod records;
mod validity;

use core::fmt;
use std::rc::Rc;

use rustls::AlertDescription;

use super::{Opening, Received, Transport, TransportError};
use crate::core::limits::{
    TLS_HANDSHAKE_MS, TLS_OUTPUT_BYTES_MAX, TLS_PARTIAL_BYTES_MAX, TLS_RECORD_BYTES_ADDED,
};
use crate::core::time::Time;
pub use certificate::{Certificate, PairFault, fingerprint};
use failure::{NOT_TLS, TOO_LATE, TOO_LONG, describe};
use records::{Buffers, Records, fatal_alert};
pub use validity::Validity;

/// The first byte of a TLS connection: a record of the handshake (RFC 8446, 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// What a client reads that does not speak TLS, at an address for lines.
const PLAIN_LINE: &[u8] = b"! This port speaks TLS: connect with openssl s_client, ncat --ssl or \
    chinwag connect tls://HOST; nothing was done\r\n";
/// What it reads at an address for the page. Browsers show it.
const PLAIN_PAGE: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n\
    ! This port speaks TLS: the address of the page begins with https; nothing was done\r\n";

/// What all TLS connections of a server share: the certificate, and buffers.
#[derive(Debug)]
pub struct TlsServer {
    certificate: Certificate,
    buffers: Rc<Buffers>,
}

/// The application protocol inside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// The lines of `protocol.md`.
    Lines,
    /// HTTP and WebSocket.
    Page,
}

/// One TLS connection, as the server.
pub struct Tls {
    records: Records,
    inside: Inside,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has come yet.
    Silent { until: Time },
    /// The handshake has begun.
    Handshake { until: Time },
    /// Application bytes flow both ways.
    Open,
    /// We sent close_notify.
    Closed,
    /// The client broke the rules, or does not speak TLS. Nothing more is encrypted.
    Failed(TransportError),
}

impl TlsServer {
    /// A server with this certificate.
    #[must_use]
    pub fn new(certificate: Certificate) -> TlsServer {
        TlsServer { certificate, buffers: Rc::default() }
    }

    /// The certificate of new connections.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// From now on, new connections get this certificate. Others are not disturbed.
    pub fn renew(&mut self, certificate: Certificate) {
        self.certificate = certificate;
    }

    /// A connection that was accepted at `now`.
    #[must_use]
    pub fn accept(&self, now: Time, inside: Inside) -> Tls {
        Tls {
            records: Records::new(self.certificate.config(inside), Rc::clone(&self.buffers)),
            inside,
            stage: Stage::Silent { until: now.after_ms(TLS_HANDSHAKE_MS) },
        }
    }
}

impl Tls {
    /// Whether the first byte can belong to TLS. A client that speaks something else reads a line.
    fn check_first_byte(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        match (self.stage, bytes.first()) {
            (Stage::Silent { until }, Some(&HANDSHAKE_RECORD)) => {
                self.stage = Stage::Handshake { until };
                Ok(())
            }
            (Stage::Silent { .. }, Some(_)) => {
                self.refuse_plain_client(NOT_TLS);
                Err(NOT_TLS)
            }
            _ => Ok(()),
        }
    }

    /// Says in plain text that this is TLS.
    fn refuse_plain_client(&mut self, why: TransportError) {
        self.stage = Stage::Failed(why);
        self.records.push_output(match self.inside {
            Inside::Lines => PLAIN_LINE,
            Inside::Page => PLAIN_PAGE,
        });
    }
}

impl Transport for Tls {
    fn receive(
        &mut self,
        _now: Time,
        bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        if let Stage::Failed(error) = self.stage {
            return Err(error);
        }
        if self.records.is_close_received() {
            return Ok(Received::Data);
        }
        self.check_first_byte(bytes)?;
        let result = self.records.read(bytes, input).map_err(|error| describe(&error));
        let is_too_long = self.records.partial_bytes() > TLS_PARTIAL_BYTES_MAX;
        if let Err(error) = result.and(if is_too_long { Err(TOO_LONG) } else { Ok(()) }) {
            self.stage = Stage::Failed(error);
            return Err(error);
        }
        if let Stage::Handshake { .. } = self.stage
            && !self.records.is_handshaking()
        {
            self.stage = Stage::Open;
        }
        Ok(match self.records.is_close_received() {
            true => Received::EndOfInput,
            false => Received::Data,
        })
    }

    fn send(&mut self, data: &[u8]) -> usize {
        let room = TLS_OUTPUT_BYTES_MAX.saturating_sub(self.output().len());
        let count = data.len().min(room.saturating_sub(TLS_RECORD_BYTES_ADDED));
        // A short record would cost as much as a long one; there will be room for that soon.
        let is_cut_short = count < data.len() && !self.output().is_empty();
        if self.stage != Stage::Open || count == 0 || is_cut_short {
            return 0;
        }
        if self.records.push_data(&data[..count]) { count } else { 0 }
    }

    fn output(&self) -> &[u8] {
        self.records.output()
    }

    fn is_private(&self) -> bool {
        true
    }

    fn handle_sent(&mut self, count: usize) {
        self.records.take_output(count);
    }

    fn close(&mut self) {
        if self.stage == Stage::Open {
            self.records.push_close();
            self.stage = Stage::Closed;
        }
    }

    fn is_end_clean(&self) -> bool {
        self.records.is_close_received()
    }

    fn opening(&self) -> Opening {
        match self.stage {
            Stage::Silent { .. } | Stage::Handshake { .. } | Stage::Failed(_) => Opening::Pending,
            Stage::Open | Stage::Closed => Opening::Ready(None),
        }
    }

    fn is_handshaking(&self) -> bool {
        matches!(self.stage, Stage::Silent { .. } | Stage::Handshake { .. })
    }

    fn deadline(&self) -> Option<Time> {
        match self.stage {
            Stage::Silent { until } | Stage::Handshake { until } => Some(until),
            Stage::Open | Stage::Closed | Stage::Failed(_) => None,
        }
    }

    /// A client that said nothing may be one that waits for the greeting, so it reads a line.
    fn handle_timeout(&mut self, now: Time, _is_read: bool) -> Result<Received, TransportError> {
        match self.stage {
            Stage::Silent { until } if until <= now => self.refuse_plain_client(TOO_LATE),
            Stage::Handshake { until } if until <= now => self.stage = Stage::Failed(TOO_LATE),
            _ => return Ok(Received::Data),
        }
        Err(TOO_LATE)
    }
}

impl fmt::Debug for Tls {
    /// Without keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut form = f.debug_struct("Tls");
        form.field("stage", &self.stage).field("inside", &self.inside).finish_non_exhaustive()
    }
}

/// The alert for a client that is turned away before its handshake.
#[must_use]
pub fn turned_away() -> [u8; 7] {
    fatal_alert(AlertDescription::AccessDenied)
}
