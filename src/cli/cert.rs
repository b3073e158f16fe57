//! `chinwag cert`: makes a certificate that vouches for itself, and its key.
//!
//! `main` calls [`run`]. An existing file is never touched: a key that is lost cannot be had back.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::core::limits::TLS_PORT;
use crate::core::transport::tls::fingerprint;

/// The examples in the help text and the manual page.
pub const EXAMPLES: &str = "\
Examples:
  chinwag cert chat.example.org
  chinwag cert localhost 127.0.0.1 ::1 --tls-cert local.pem --tls-key local-key.pem";

/// The longest common name (RFC 5280, A.1). A longer name stands in the list of names only.
const COMMON_NAME_BYTES_MAX: usize = 64;

/// The flags of `cert`.
#[derive(Debug, Args)]
pub struct CertArgs {
    /// Names of the server: the host names and addresses with which clients connect
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    pub names: Vec<String>,

    /// File for the certificate; it must not exist yet
    #[arg(long, value_name = "FILE", env = "CHINWAG_TLS_CERT", default_value = "chinwag-cert.pem")]
    pub tls_cert: PathBuf,

    /// File for the private key, which only you will be able to read; it must not exist yet
    #[arg(long, value_name = "FILE", env = "CHINWAG_TLS_KEY", default_value = "chinwag-key.pem")]
    pub tls_key: PathBuf,

    /// Days for which the certificate is valid
    #[arg(long, value_name = "COUNT", default_value = "365", value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub days: u16,
}

/// Makes the two files, and prints the fingerprint by which clients know the certificate.
///
/// # Errors
/// A file exists already or cannot be written.
pub fn run(args: &CertArgs) -> io::Result<()> {
    let CertArgs { names, tls_cert, tls_key, days } = args;
    for path in [tls_cert, tls_key] {
        // The files are created only if they do not exist; this finds both faults before the first.
        if fs::symlink_metadata(path).is_ok() {
            return Err(fault(path, io::ErrorKind::AlreadyExists.into()));
        }
    }
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let params = params(names, today, *days).map_err(io::Error::other)?;
    let certificate = params.self_signed(&key).map_err(io::Error::other)?;
    create(tls_key, 0o600, &key.serialize_pem())?;
    create(tls_cert, 0o644, &certificate.pem()).inspect_err(|_| {
        // Without its certificate the key is of no use. It was made just now, by this program.
        drop(fs::remove_file(tls_key));
    })?;
    let (cert, key) = (tls_cert.display(), tls_key.display());
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "chinwag made {cert} and {key}, valid for {days} days, for {}",
        names.join(", ")
    )?;
    writeln!(out, "  SHA-256 fingerprint:  {}", fingerprint(certificate.der()))?;
    writeln!(out, "  serve with it:        chinwag serve --tls-cert {cert} --tls-key {key} \\")?;
    writeln!(out, "                          --listen tls://0.0.0.0:{TLS_PORT}")?;
    out.flush()
}

/// A certificate of a server, and of no authority: who trusts it trusts nothing else. It begins a day
/// ago, for clients whose clocks are slow.
fn params(names: &[String], today: Date, days: u16) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = names.iter().find(|name| name.len() <= COMMON_NAME_BYTES_MAX) {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let day = |days: i64| {
        let date = today.saturating_add(Span::new().days(days));
        rcgen::date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8)
    };
    params.not_before = day(-1);
    params.not_after = day(days.into());
    Ok(params)
}

fn create(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).map_err(|e| fault(path, e))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| {
        drop(fs::remove_file(path));
        fault(path, e)
    })
}

fn fault(path: &Path, e: io::Error) -> io::Error {
    let path = path.display();
    let text = match e.kind() {
        io::ErrorKind::AlreadyExists => format!("{path} exists already; nothing was done"),
        _ => format!("cannot write {path}: {e}; nothing was done"),
    };
    io::Error::new(e.kind(), text)
}

/// A name that can stand in a certificate (RFC 5280, 4.2.1.6).
fn name(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let labels = text.strip_prefix("*.").unwrap_or(text);
    let is_host = text.len() <= 253 && labels.split('.').all(is_label);
    match is_host || text.parse::<IpAddr>().is_ok() {
        true => Ok(text.to_owned()),
        false => {
            Err("a name is a host name, such as chat.example.org, or an IP address".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hosts_and_addresses() {
        for good in ["localhost", "chat.example.org", "*.example.org", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "a b", "http://x", "chat.example.org:7879", "büro", ".", "a..b", "*", "x*"]
        {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert!(name(&"a".repeat(64)).is_err() && name(&"a.".repeat(200)).is_err());
    }
}
