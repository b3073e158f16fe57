//! The flags of `serve` that are about TLS.

use std::path::PathBuf;

use clap::Args;

use crate::server::TlsFiles;

/// The flags that are about TLS.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Certificate for tls:// and https:// addresses, in PEM form, with the certificates of its issuers
    /// behind it. SIGHUP and `chinwag ctl reload` load it again
    #[arg(long, value_name = "FILE", env = "CHINWAG_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the certificate, in PEM form: RSA, ECDSA P-256 or P-384, or Ed25519
    #[arg(long, value_name = "FILE", env = "CHINWAG_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

impl TlsArgs {
    /// The two files, if they are given.
    #[must_use]
    pub fn files(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.tls_cert.clone().zip(self.tls_key.clone())?;
        Some(TlsFiles { certificate, key })
    }
}
