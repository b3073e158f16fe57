//! Whom a TLS connection trusts: the authorities of this system, or the file of `--tls-ca`, and the
//! certificates in `known_hosts`.
//!
//! `client::run` makes one [`Trust`], and `connection` keeps it for every reconnect. The state machine
//! asks the user; here only files are read and certificates judged.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, OtherError,
    RootCertStore, SignatureScheme,
};

use super::known_hosts_file::KnownHostsFile;
use super::regular_file::read_bounded;
use super::socket::describe;
use crate::client::known_hosts::{Known, look_up};
use crate::client::options::Server;
use crate::core::limits::CERTIFICATE_FILE_BYTES_MAX;
use crate::core::transport::tls::{Validity, fingerprint};

/// Why no TLS connection came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody vouches for the certificate, and the user may decide.
    Unknown { fingerprint: String },
    /// Something that the user cannot decide. The text is ready to print.
    Failed(String),
}

/// What the client trusts.
#[derive(Debug)]
pub(in crate::client) struct Trust {
    name: ServerName<'static>,
    verifier: Verifier,
}

#[derive(Debug, Clone)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None` if this system has none.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// The host and port, as `known_hosts` has it.
    server: String,
    personal: Personal,
    voucher: Arc<OnceLock<String>>,
}

/// What the user trusts besides, or instead of, the authorities of the system.
#[derive(Debug, Clone)]
enum Personal {
    /// The file of `--tls-ca`, and nothing else. The certificate of the server itself may be in it.
    File { path: String, certificates: Vec<CertificateDer<'static>> },
    /// Confirmed certificates, and where a further one can be confirmed.
    KnownHosts { file: KnownHostsFile, confirming: Confirming },
}

/// Where the user can confirm a certificate for which nobody vouches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::client) enum Confirming {
    /// Here: the client asks.
    Here,
    /// In a pipe nobody can answer. The client would ask in a terminal.
    InTerminal,
    /// Nowhere: somebody else has started the client (`--only-name`).
    Nowhere,
}

impl Trust {
    /// Reads what is trusted.
    ///
    /// # Errors
    /// A file cannot be read. The text is ready to print.
    pub(in crate::client) fn new(
        server: &Server,
        tls_ca: Option<&Path>,
        confirming: Confirming,
    ) -> Result<Trust, String> {
        let host = server.host.trim_end_matches('.').to_owned();
        let name = ServerName::try_from(host)
            .map_err(|_| format!("{} cannot be the name in a certificate", server.host))?;
        let mut roots = RootCertStore::empty();
        let personal = match tls_ca {
            Some(path) => {
                let certificates = read_certificates(path)?;
                roots.add_parsable_certificates(certificates.iter().cloned());
                Personal::File { path: path.display().to_string(), certificates }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                Personal::KnownHosts { file: KnownHostsFile::open()?, confirming }
            }
        };
        let provider = Arc::new(ring::default_provider());
        let authorities =
            WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
        let verifier = Verifier {
            provider,
            authorities: authorities.build().ok(),
            server: server.host_and_port(),
            personal,
            voucher: Arc::default(),
        };
        Ok(Trust { name, verifier })
    }

    /// A new session, and where to find who vouched for its certificate. Nothing is resumed: each
    /// session looks at the certificate anew.
    pub(super) fn begin(&self) -> Result<(ClientConnection, Arc<OnceLock<String>>), String> {
        let voucher = Arc::default();
        let verifier = Verifier { voucher: Arc::clone(&voucher), ..self.verifier.clone() };
        let failed = |error: Error| format!("TLS cannot start: {error}");
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&verifier.provider))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let session = ClientConnection::new(config.into(), self.name.clone()).map_err(failed)?;
        Ok((session, voucher))
    }

    /// Trusts a certificate from now on, because the user has confirmed its fingerprint.
    ///
    /// # Errors
    /// It cannot be remembered for the next time. The text is ready to print.
    pub(in crate::client) fn confirm(&mut self, fingerprint: &str) -> Result<(), String> {
        match &mut self.verifier.personal {
            Personal::KnownHosts { file, .. } => file.add(&self.verifier.server, fingerprint),
            Personal::File { .. } => Ok(()),
        }
    }
}

impl Verifier {
    /// Decides about a certificate for which no authority vouches, for the reason `error`. Returns
    /// who vouches instead.
    fn judge(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
        error: &CertificateError,
    ) -> Result<String, Refusal> {
        let fingerprint = fingerprint(certificate);
        let fault = Fault::of(error);
        match &self.personal {
            Personal::File { path, certificates } => match fault {
                Some(fault) => Err(self.failed(certificate, fault)),
                None if certificates.iter().any(|known| known == certificate) => {
                    match fault_of(certificate, name, now) {
                        Some(fault) => Err(self.failed(certificate, fault)),
                        None => Ok(path.clone()),
                    }
                }
                None => Err(Refusal::Failed(format!(
                    "{path} does not vouch for its certificate, SHA-256 {fingerprint}"
                ))),
            },
            Personal::KnownHosts { file, confirming } => {
                match (look_up(file.text(), &self.server, &fingerprint), fault) {
                    (Known::Yes, _) => Ok("its fingerprint in known_hosts".to_owned()),
                    // First of all: an expired certificate may be a false one, too.
                    (Known::Another { line, fingerprint: known }, _) => {
                        Err(Refusal::Failed(changed(&fingerprint, &known, line, file)))
                    }
                    (Known::No, Some(fault)) => Err(self.failed(certificate, fault)),
                    (Known::No, None) => Err(unknown(fingerprint, *confirming)),
                }
            }
        }
    }

    fn failed(&self, certificate: &CertificateDer<'_>, fault: Fault) -> Refusal {
        Refusal::Failed(match fault {
            Fault::Expired => {
                // Another certificate of the chain may be the one that has expired.
                let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
                let own = Validity::of(certificate).filter(|validity| validity.not_after < now);
                let day = own.map(|validity| validity.last_day());
                let day = day.map_or_else(String::new, |day| format!(" on {day}"));
                format!("its certificate expired{day}; the operator must renew it")
            }
            Fault::NotValidYet => {
                "its certificate is not valid yet, or the clock of this machine is slow".to_owned()
            }
            Fault::OtherName => {
                format!("its certificate is for another name than {}", self.server)
            }
            Fault::OtherPurpose => "its certificate is not one for servers".to_owned(),
            Fault::Damaged => "its certificate is not valid".to_owned(),
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = match &self.authorities {
            Some(authorities) => {
                authorities.verify_server_cert(certificate, intermediates, name, ocsp, now)
            }
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let voucher = match verified {
            Ok(_) => match &self.personal {
                Personal::File { path, .. } => path.clone(),
                Personal::KnownHosts { .. } => "an authority that this system trusts".to_owned(),
            },
            Err(Error::InvalidCertificate(error)) => {
                self.judge(certificate, name, now, &error).map_err(|refusal| {
                    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(
                        refusal,
                    ))))
                })?
            }
            Err(error) => return Err(error),
        };
        // A session verifies once.
        let _ = self.voucher.set(voucher);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What can be wrong with a certificate itself, whoever vouches for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Expired,
    NotValidYet,
    OtherName,
    OtherPurpose,
    Damaged,
}

impl Fault {
    /// `None` if the error is about who vouches for the certificate. webpki looks at the other matters
    /// before the issuers, except the name.
    fn of(error: &CertificateError) -> Option<Fault> {
        use CertificateError as E;
        match error {
            E::Expired | E::ExpiredContext { .. } => Some(Fault::Expired),
            E::NotValidYet | E::NotValidYetContext { .. } => Some(Fault::NotValidYet),
            E::NotValidForName | E::NotValidForNameContext { .. } => Some(Fault::OtherName),
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => Some(Fault::OtherPurpose),
            E::BadEncoding => Some(Fault::Damaged),
            _ => None,
        }
    }
}

/// Checks the dates and the names of a certificate that is trusted by itself.
fn fault_of(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Option<Fault> {
    let Some(validity) = Validity::of(certificate) else { return Some(Fault::Damaged) };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < validity.not_before {
        return Some(Fault::NotValidYet);
    }
    if now > validity.not_after {
        return Some(Fault::Expired);
    }
    let is_named = ParsedCertificate::try_from(certificate)
        .and_then(|certificate| verify_server_name(&certificate, name));
    is_named.is_err().then_some(Fault::OtherName)
}

fn changed(fingerprint: &str, known: &str, line: usize, file: &KnownHostsFile) -> String {
    format!(
        "its certificate has changed. SHA-256 now {fingerprint}, before {known}. Somebody may be \
         reading along. Ask the operator; if the new one is right, remove line {line} of {file}"
    )
}

fn unknown(fingerprint: String, confirming: Confirming) -> Refusal {
    let way = match confirming {
        Confirming::Here => return Refusal::Unknown { fingerprint },
        Confirming::InTerminal => {
            ". Connect once in a terminal to confirm it, or give its file with --tls-ca"
        }
        Confirming::Nowhere => ", and with --only-name nobody can confirm it. Tell the operator",
    };
    Refusal::Failed(format!("{}{way}", unvouched(&fingerprint)))
}

/// What is wrong with a certificate that only the user can judge.
pub(super) fn unvouched(fingerprint: &str) -> String {
    format!("nobody vouches for its certificate, SHA-256 {fingerprint}")
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    let pem = read_bounded(path, CERTIFICATE_FILE_BYTES_MAX)
        .map_err(|error| format!("cannot read {shown}: {}", describe(&error)))?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("{shown} has no certificate in PEM form")),
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::Failed(describe(&error))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unknown { fingerprint } => f.write_str(&unvouched(fingerprint)),
            Refusal::Failed(reason) => f.write_str(reason),
        }
    }
}

/// rustls carries a refusal from the verifier to us in its own error.
impl std::error::Error for Refusal {}
