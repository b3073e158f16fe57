//! A certificate chain and its key: read from PEM, checked, and made into the configuration of rustls.
//!
//! `server/tls.rs` reads the files and words the faults with their names. The key stays inside rustls
//! and has no way out; nothing here prints it.

use core::fmt::{self, Write};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, ServerConfig};

use super::{Inside, Validity};
use crate::core::limits::{TLS_SESSIONS_KEPT_MAX, TLS_TICKETS};

/// A certificate that the server can use.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// For lines.
    lines: Arc<ServerConfig>,
    /// For the page: browsers agree on HTTP/1.1 in the handshake (RFC 7301).
    page: Arc<ServerConfig>,
    fingerprint: String,
    validity: Validity,
}

/// Why a certificate and a key cannot be used. [`fmt::Display`] gives a sentence without its subject;
/// [`PairFault::is_of_key`] tells which file it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairFault {
    /// No certificate in the first file.
    NoCertificate,
    /// The first file has a key instead.
    Swapped,
    /// The first file is no PEM, or a certificate in it is not valid.
    BadCertificate,
    /// No key in the second file.
    NoKey,
    /// The key has a password.
    EncryptedKey,
    /// The second file is no PEM.
    BadKey,
    /// A kind or a size of key that the server does not support.
    UnsupportedKey,
    /// The key is not the one of the first certificate.
    NotAPair,
}

impl Certificate {
    /// Reads a chain of certificates, the server's first, and its key.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Certificate, PairFault> {
        let chain = read_chain(chain)?;
        let key = read_key(key)?;
        let leaf = chain.first().ok_or(PairFault::NoCertificate)?;
        let fingerprint = fingerprint(leaf);
        let validity = Validity::of(leaf).ok_or(PairFault::BadCertificate)?;
        let provider = Arc::new(ring::default_provider());
        let pair = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => PairFault::NotAPair,
            Error::InvalidCertificate(_) => PairFault::BadCertificate,
            _ => PairFault::UnsupportedKey,
        })?;
        let lines = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| PairFault::UnsupportedKey)?
            .with_no_client_auth();
        let mut lines =
            lines.with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(pair)));
        lines.send_tls13_tickets = TLS_TICKETS;
        lines.session_storage = ServerSessionMemoryCache::new(TLS_SESSIONS_KEPT_MAX);
        lines.max_early_data_size = 0;
        let mut page = lines.clone();
        page.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A session of one may not go on in the other.
        page.session_storage = ServerSessionMemoryCache::new(TLS_SESSIONS_KEPT_MAX);
        Ok(Certificate { lines: lines.into(), page: page.into(), fingerprint, validity })
    }

    pub(super) fn config(&self, inside: Inside) -> Arc<ServerConfig> {
        Arc::clone(match inside {
            Inside::Lines => &self.lines,
            Inside::Page => &self.page,
        })
    }

    /// The SHA-256 fingerprint, as `openssl x509 -fingerprint -sha256` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// When the certificate is valid.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }
}

fn read_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PairFault> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|_| PairFault::BadCertificate)?;
    match chain.is_empty() {
        true if PrivateKeyDer::from_pem_slice(pem).is_ok() => Err(PairFault::Swapped),
        true => Err(PairFault::NoCertificate),
        false => Ok(chain),
    }
}

fn read_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, PairFault> {
    let has = |text: &[u8]| pem.windows(text.len()).any(|window| window == text);
    // Two forms (RFC 7468, 11; RFC 1421, 4.6.1.1).
    if has(b"ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(PairFault::EncryptedKey);
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => PairFault::NoKey,
        _ => PairFault::BadKey,
    })
}

/// The SHA-256 fingerprint of a certificate in DER: pairs of hexadecimal digits with colons.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    let digest = ::ring::digest::digest(&::ring::digest::SHA256, der);
    let mut text = String::new();
    for (n, byte) in digest.as_ref().iter().enumerate() {
        let colon = if n == 0 { "" } else { ":" };
        // A `String` takes everything.
        let _ = write!(text, "{colon}{byte:02X}");
    }
    text
}

impl PairFault {
    /// Whether the fault is in the file with the key.
    #[must_use]
    pub fn is_of_key(self) -> bool {
        match self {
            PairFault::NoCertificate | PairFault::Swapped | PairFault::BadCertificate => false,
            PairFault::NoKey
            | PairFault::EncryptedKey
            | PairFault::BadKey
            | PairFault::UnsupportedKey
            | PairFault::NotAPair => true,
        }
    }
}

impl fmt::Display for PairFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PairFault::NoCertificate => "has no certificate in PEM form",
            PairFault::Swapped => {
                "has a key and no certificate; are --tls-cert and --tls-key swapped?"
            }
            PairFault::BadCertificate => "has a certificate that is not valid",
            PairFault::NoKey => "has no private key in PEM form",
            PairFault::EncryptedKey => {
                "has a key with a password; the server needs it without, as openssl pkey writes it"
            }
            PairFault::BadKey => "is not valid PEM",
            PairFault::UnsupportedKey => {
                "has a key of another kind than RSA from 2048 bits, ECDSA P-256 or P-384, and Ed25519"
            }
            PairFault::NotAPair => {
                "has another key than the first certificate, which must be the server's own"
            }
        })
    }
}

#[cfg(test)]
mod tests;
