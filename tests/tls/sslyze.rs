//! sslyze looks at the running server as an attacker would, and compares it with Mozilla's
//! "intermediate" profile.
//!
//! `CHINWAG_TESTS_SSLYZE` names the program. `.ci/run` fetches it if PyPI answers; without it the test
//! is skipped.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::Server;
use super::common::console::TempFolder;
use super::common::skip_everywhere;

/// Makes an authority and a certificate for `localhost`, as certbot would get one.
fn makes_certificate(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, "chinwag tests for sslyze");
    let key = KeyPair::generate().unwrap();
    fs::write(folder.join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |days: i64| {
        let date = today.saturating_add(jiff::Span::new().days(days));
        date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8)
    };
    (params.not_before, params.not_after) = (day(-1), day(90));
    let key = KeyPair::generate().unwrap();
    fs::write(folder.join("cert.pem"), params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// (2.7.3)
#[test]
fn sslyze_finds_mozillas_intermediate_profile() {
    let Ok(sslyze) = std::env::var("CHINWAG_TESTS_SSLYZE") else {
        return skip_everywhere("CHINWAG_TESTS_SSLYZE names no program");
    };
    let folder = TempFolder::new();
    makes_certificate(&folder.path(""));
    let path = |name: &str| folder.argument(name);
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let flags = ["--listen", "https://127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key];
    let mut command = Server::command("tls://127.0.0.1:0", &flags);
    command.stderr(Stdio::piped());
    let mut server = Server::launches_with_stderr(command, 1);
    for address in [server.address(), server.page()] {
        let output = Command::new(&sslyze)
            .args(["--mozilla_config", "intermediate", "--certinfo_ca_file", &path("ca.pem")])
            .arg(format!("localhost:{}", address.port()))
            .output()
            .expect("sslyze runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("OK - Compliant."), "{text}");
    }
    server.is_healthy();
}
