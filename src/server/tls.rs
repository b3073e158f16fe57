//! The certificate: read at the start, read again on SIGHUP and `reload`, and watched until it ends.
//!
//! `core/transport/tls.rs` has the connections. A new pair is for new connections only, so nobody is
//! disconnected; a pair that cannot be used changes nothing (2.7.6).

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use log::{info, warn};

use super::Server;
use super::logging::OPERATOR;
use super::wall_clock::unix_seconds;
use crate::core::limits::{CERTIFICATE_FILE_BYTES_MAX, CERTIFICATE_WARNING_S};
use crate::core::operator::{CommandRefusal, Outcome};
use crate::core::time::Time;
use crate::core::transport::tls::{Certificate, TlsServer, Validity};

/// A warning is repeated after this time (7.84).
const DAY_S: u64 = 86_400;

/// The files that the operator names.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The chain of certificates, the server's first.
    pub certificate: PathBuf,
    /// The private key of the first.
    pub key: PathBuf,
}

/// What the server needs for TLS.
#[derive(Debug)]
pub struct ServerTls {
    files: TlsFiles,
    pub(super) server: TlsServer,
    /// When to look at the end of the certificate again.
    check_at: Time,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// The pair cannot be used. The message names the file and what is wrong with it.
    pub fn load(files: TlsFiles) -> io::Result<ServerTls> {
        let certificate = files.load()?;
        Ok(ServerTls { files, server: TlsServer::new(certificate), check_at: Time::START })
    }

    /// Seconds until the certificate ends; 0 if it has ended.
    pub(super) fn seconds_left(&self) -> u64 {
        let Validity { not_after, .. } = self.server.certificate().validity();
        u64::try_from(not_after).unwrap_or(0).saturating_sub(unix_seconds())
    }
}

impl TlsFiles {
    fn load(&self) -> io::Result<Certificate> {
        let TlsFiles { certificate, key } = self;
        let (chain_pem, key_pem) = (read(certificate)?, read(key)?);
        Certificate::from_pem(&chain_pem, &key_pem).map_err(|fault| {
            let path = if fault.is_of_key() { key } else { certificate };
            fault_of(path, &fault.to_string())
        })
    }

    /// Reads the files anew. A pair that nobody could use is not taken.
    fn load_again(&self) -> io::Result<Certificate> {
        let certificate = self.load()?;
        let now = i64::try_from(unix_seconds()).unwrap_or(i64::MAX);
        let Validity { not_before, not_after } = certificate.validity();
        let path = &self.certificate;
        match () {
            () if now > not_after => Err(fault_of(path, "has a certificate that has expired")),
            () if now < not_before => Err(fault_of(path, "has a certificate for the future")),
            () => Ok(certificate),
        }
    }
}

impl Server {
    /// Loads the certificate again, for new connections.
    ///
    /// # Errors
    /// There is no TLS, or the files cannot be used; then everything stays as it was.
    pub(super) fn reload(&mut self, who: &str) -> Result<Outcome, CommandRefusal> {
        let Some(tls) = &mut self.tls else { return Err(CommandRefusal::NothingToReload) };
        match tls.files.load_again() {
            Ok(certificate) => {
                let last_day = certificate.validity().last_day();
                let fingerprint = certificate.fingerprint().to_owned();
                info!(target: OPERATOR, "{who}: new certificate, valid until {last_day}, SHA-256 {fingerprint}");
                tls.server.renew(certificate);
                tls.check_at = self.now;
                Ok(Outcome::Reloaded { last_day, fingerprint })
            }
            Err(error) => {
                warn!(target: OPERATOR, "{who}: {error}; the old certificate stays");
                Err(CommandRefusal::NotReloaded { why: error.to_string() })
            }
        }
    }

    /// Warns before the certificate ends (7.84), once a day.
    pub(super) fn watch_certificate(&mut self) {
        let Some(tls) = &mut self.tls else { return };
        if tls.check_at > self.now {
            return;
        }
        let left_s = tls.seconds_left();
        let last_day = tls.server.certificate().validity().last_day();
        match left_s {
            0 => warn!(target: "chinwag", "the certificate has expired: clients refuse it"),
            1..=CERTIFICATE_WARNING_S => {
                warn!(target: "chinwag", "the certificate expires in {} days, on {last_day}", left_s / DAY_S);
            }
            _ => {}
        }
        // The wall clock may be set, so the first look is not put off to the first warning.
        let wait_s = match left_s.checked_sub(CERTIFICATE_WARNING_S) {
            None | Some(0) => DAY_S,
            Some(until_warning_s) => until_warning_s.min(DAY_S),
        };
        tls.check_at = self.now.after_ms(wait_s * 1000);
    }

    /// When to watch again.
    pub(super) fn certificate_deadline(&self) -> Option<Time> {
        self.tls.as_ref().map(|tls| tls.check_at)
    }

    /// Logs the certificate at the start.
    pub(super) fn announce_certificate(&self) {
        let Some(tls) = &self.tls else { return };
        let certificate = tls.server.certificate();
        let last_day = certificate.validity().last_day();
        info!(target: "chinwag", "certificate valid until {last_day}, SHA-256 {}", certificate.fingerprint());
        if !self.listeners.iter().any(|listener| listener.address().scheme.is_encrypted()) {
            warn!(target: "chinwag", "no address uses the certificate: --listen tls://ADDR or https://ADDR does");
        }
        if is_open_to_all(&tls.files.key) {
            warn!(target: "chinwag", "every user of this machine can read {}", tls.files.key.display());
        }
    }
}

/// Reads a file of a sane size.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    // Opening a pipe would wait for its writer, and the users with it.
    if !fs::metadata(path).map_err(named)?.is_file() {
        return Err(fault_of(path, "is not a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(named)?;
    file.take(CERTIFICATE_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(named)?;
    if bytes.len() as u64 > CERTIFICATE_FILE_BYTES_MAX {
        return Err(fault_of(path, "is too large for a certificate or a key"));
    }
    Ok(bytes)
}

fn fault_of(path: &Path, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} {what}", path.display()))
}

#[cfg(unix)]
fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_path: &Path) -> bool {
    false
}
