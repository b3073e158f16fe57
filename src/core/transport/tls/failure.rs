//! Why a TLS connection failed, in words for the log.
//!
//! rustls tells much more than an operator can use, and parts of it come from the client. These texts
//! are fixed, so nothing that a client sends reaches the log.

use rustls::{AlertDescription, Error};

use crate::core::transport::TransportError;

pub(super) const NOT_TLS: TransportError = TransportError("the client does not speak TLS");
pub(super) const TOO_LATE: TransportError = TransportError("no TLS handshake in time");
pub(super) const TOO_LONG: TransportError = TransportError("a TLS message is too long");

/// The text for an error of rustls.
pub(super) fn describe(error: &Error) -> TransportError {
    TransportError(match error {
        Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::UnsupportedCertificate,
        ) => "the client does not trust the certificate",
        Error::AlertReceived(AlertDescription::UserCanceled) => "the client gave up",
        Error::AlertReceived(_) => "the client sent a TLS alert",
        Error::PeerIncompatible(_) => "the client has no TLS version or cipher in common with us",
        Error::NoApplicationProtocol => "the client wants a protocol that is not served here",
        Error::DecryptError => "a TLS record is damaged",
        Error::InvalidMessage(_) | Error::PeerSentOversizedRecord => "a TLS record is not valid",
        Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_) => "the client broke the rules of TLS",
        _ => "TLS failed",
    })
}
