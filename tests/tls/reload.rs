//! The certificate over time: renewed while users are connected, about to expire, and made by
//! `chinwag cert`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;

use super::common::console::{Console, TempFolder};
use super::common::server::run;
use super::tools::{NCAT, OPENSSL};
use super::{MENU, Person, Server, USERNAME, certificate, everything_printed_by, start_failure};

/// A folder with a pair, and a server that uses it and has a console.
struct Renewable {
    folder: TempFolder,
    server: Server,
}

impl Renewable {
    /// Starts with one of the pairs in `tests/certificates`.
    fn starts_with(pair: &str) -> Renewable {
        let folder = TempFolder::new();
        install(&folder, pair, pair);
        Renewable::starts_in(folder)
    }

    fn starts_in(folder: TempFolder) -> Renewable {
        let (cert, key) = (folder.argument("cert.pem"), folder.argument("key.pem"));
        let console = folder.argument("console");
        let server = Server::launches(Server::command(
            "tls://127.0.0.1:0",
            &["--tls-cert", &cert, "--tls-key", &key, "--console", &console],
        ));
        Renewable { folder, server }
    }

    fn console(&self) -> Console {
        Console::opens(&self.folder.path("console"))
    }

    /// The fingerprint that a new client sees, by openssl.
    fn fingerprint(&self) -> String {
        let address = self.server.address().to_string();
        let mut shell = Command::new("sh");
        let pipe = "openssl s_client -connect \"$0\" </dev/null 2>/dev/null | \
                    openssl x509 -noout -fingerprint -sha256";
        shell.args(["-c", pipe, &address]);
        let text = everything_printed_by(shell, "");
        text.trim().split_once('=').unwrap_or_else(|| panic!("no certificate: {text}")).1.to_owned()
    }
}

/// Copies a certificate and a key to where the server reads them.
fn install(folder: &TempFolder, chain: &str, key: &str) {
    fs::copy(certificate(&format!("{chain}.pem")), folder.path("cert.pem")).unwrap();
    fs::copy(certificate(&format!("{key}-key.pem")), folder.path("key.pem")).unwrap();
}

/// Makes a pair that is valid from and until so many days from now.
fn install_dated(folder: &TempFolder, from: i32, until: i32) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let day = |days: i32| {
        let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let date = now.saturating_add(jiff::Span::new().days(days));
        rcgen::date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8)
    };
    (params.not_before, params.not_after) = (day(from), day(until));
    fs::write(folder.path("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(folder.path("key.pem"), key.serialize_pem()).unwrap();
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(folder.path("key.pem"), mode).unwrap();
}

/// (2.7.6, 8.2.10)
#[test]
fn a_renewed_certificate_is_loaded_and_nobody_is_disconnected() {
    if NCAT.is_missing() || OPENSSL.is_missing() {
        return;
    }
    let mut scene = Renewable::starts_with("chain");
    let mut anna = NCAT.connects(scene.server.address());
    anna.reads_all(&["* Welcome", USERNAME]);
    anna.takes_username("anna");
    let mut fingerprints = vec![scene.fingerprint()];

    install(&scene.folder, "rsa", "rsa");
    scene.server.signal(Signal::HUP);
    scene.server.logs(&["SIGHUP: new certificate, valid until "]);
    fingerprints.push(scene.fingerprint());

    install(&scene.folder, "ed25519", "ed25519");
    let mut console = scene.console();
    let answer = console.runs("reload");
    assert!(answer[0].starts_with("* New certificate, valid until "), "{answer:?}");
    fingerprints.push(scene.fingerprint());
    assert!(answer[0].ends_with(&fingerprints[2]), "{answer:?}");
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 3, "{fingerprints:?}");

    anna.says("1");
    anna.reads_all(&["* 1 user online", "- anna available (you)", MENU]);
    scene.server.is_healthy();
}

/// (2.7.6)
#[test]
fn a_bad_pair_is_one_line_and_the_old_one_stays() {
    if OPENSSL.is_missing() {
        return;
    }
    let scene = Renewable::starts_with("p256");
    let old = scene.fingerprint();
    let mut console = scene.console();
    let refused = |console: &mut Console, why: &str| {
        let answer = console.runs("reload");
        assert_eq!(answer.len(), 1, "{answer:?}");
        assert!(answer[0].starts_with("! ") && answer[0].contains(why), "{answer:?}");
        assert!(answer[0].ends_with("the old certificate stays"), "{answer:?}");
        assert_eq!(scene.fingerprint(), old);
    };
    install(&scene.folder, "rsa", "p256");
    refused(&mut console, "has another key than");
    install_dated(&scene.folder, -10, -1);
    refused(&mut console, "has a certificate that has expired");
    install_dated(&scene.folder, 2, 10);
    refused(&mut console, "has a certificate for the future");
    fs::remove_file(scene.folder.path("key.pem")).unwrap();
    refused(&mut console, "key.pem: No such file");
    // A pipe without a writer: opening it would stop the server.
    fs::remove_file(scene.folder.path("cert.pem")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, scene.folder.path("cert.pem"), 0o600.into()).unwrap();
    refused(&mut console, "is not a file");
    scene.server.signal(Signal::HUP);
    scene.server.logs(&["WARN", "SIGHUP: ", "is not a file; the old certificate stays"]);
    assert_eq!(scene.fingerprint(), old);
}

/// (8.2.10)
#[test]
fn without_a_certificate_there_is_nothing_to_reload() {
    let folder = TempFolder::new();
    let _server = folder.server(&[]);
    let answer = Console::opens(&folder.path("console")).runs("reload");
    assert_eq!(answer, ["! The server has no certificate; nothing was done"]);
}

/// (7.84, 8.3.1, 2.7.2)
#[test]
fn the_log_warns_of_the_end_and_the_metrics_count_down_to_it() {
    for (days, warning) in [(20, None), (10, Some("expires in 9 days")), (-1, Some("has expired"))]
    {
        let folder = TempFolder::new();
        install_dated(&folder, -30, days);
        let mut scene = Renewable::starts_in(folder);
        let metrics = scene.console().runs("stats");
        let seconds = metrics.iter().find_map(|row| row.strip_prefix("- certificate_seconds "));
        let seconds = seconds.expect("the metric").parse::<i64>().unwrap();
        let expected = i64::from(days) * 86_400;
        assert!((expected - 86_400..=expected.max(0)).contains(&seconds), "{days}: {seconds}");
        match warning {
            Some(text) => drop(scene.server.logs(&["WARN", text])),
            None => assert!(!scene.server.log().contains("WARN"), "{}", scene.server.log()),
        }
        scene.server.is_healthy();
    }
}

#[test]
fn a_key_that_everybody_can_read_is_a_warning_and_never_stands_in_the_log() {
    let folder = TempFolder::new();
    install(&folder, "p256", "p256");
    let mode = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.path("key.pem"), mode).unwrap();
    let key = fs::read_to_string(folder.path("key.pem")).unwrap();
    let scene = Renewable::starts_in(folder);
    scene.server.logs(&["WARN", "every user of this machine can read", "key.pem"]);
    let secret = key.lines().nth(1).unwrap();
    assert!(!scene.server.log().contains(secret));
}

/// A folder, and the two files that `chinwag cert` makes in it.
fn cert(folder: &TempFolder, arguments: &[&str]) -> super::common::server::Run {
    let (cert, key) = (folder.argument("cert.pem"), folder.argument("key.pem"));
    run(&[&["cert"], arguments, &["--tls-cert", &cert, "--tls-key", &key]].concat(), &[])
}

#[test]
fn cert_makes_a_pair_that_the_server_takes_and_a_client_can_verify() {
    if OPENSSL.is_missing() {
        return;
    }
    let folder = TempFolder::new();
    let run = cert(&folder, &["localhost", "127.0.0.1"]);
    assert!(run.status.success() && run.stderr.is_empty(), "{}", run.stderr);
    let mode = |name: &str| fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("key.pem"), mode("cert.pem") & 0o600), (0o600, 0o600));
    let scene = Renewable::starts_in(folder);
    assert!(run.stdout.contains(&scene.fingerprint()), "{}", run.stdout);
    let ca = scene.folder.argument("cert.pem");
    let flags = ["-CAfile", &ca, "-verify_return_error", "-verify_hostname", "localhost"];
    let report = super::tools::s_client(scene.server.address(), &flags);
    assert!(report.contains("Verification: OK"), "{report}");
    let log = scene.server.log();
    assert!(!log.contains("WARN"), "{log}");
}

#[test]
fn cert_overwrites_nothing() {
    for (existing, other) in [("key.pem", "cert.pem"), ("cert.pem", "key.pem")] {
        let folder = TempFolder::new();
        fs::write(folder.path(existing), "precious").unwrap();
        let run = cert(&folder, &["localhost"]);
        assert_eq!((run.status.code(), run.stdout.as_str()), (Some(1), ""));
        let expected = format!("{existing} exists already; nothing was done\n");
        assert!(run.stderr.ends_with(&expected), "{}", run.stderr);
        assert_eq!(fs::read_to_string(folder.path(existing)).unwrap(), "precious");
        assert!(!folder.path(other).exists(), "half a pair is no use");
    }
    let folder = TempFolder::new();
    std::os::unix::fs::symlink("/nowhere", folder.path("key.pem")).unwrap();
    assert_eq!(cert(&folder, &["localhost"]).status.code(), Some(1), "a dangling link is a file");
    let run = cert(&folder, &["no name"]);
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
}

#[test]
fn a_folder_that_cannot_be_written_is_one_line() {
    let run = run(&["cert", "localhost", "--tls-key", "/nowhere/key.pem"], &[]);
    assert_eq!(run.status.code(), Some(1));
    assert!(run.stderr.contains("cannot write /nowhere/key.pem"), "{}", run.stderr);
    assert!(!PathBuf::from("chinwag-cert.pem").exists());
    let file = certificate("p256.pem");
    let line =
        start_failure(&["--listen", "tls://127.0.0.1:0", "--tls-cert", &file, "--tls-key", "/"]);
    assert!(line.contains("/ is not a file"), "{line}");
}

/// (2.7.6, 4.10.4)
#[test]
fn sighup_ignored_at_the_start_reloads_too() {
    let folder = TempFolder::new();
    install(&folder, "p256", "p256");
    let (cert, key) = (folder.argument("cert.pem"), folder.argument("key.pem"));
    let flags = ["--tls-cert", &cert, "--tls-key", &key];
    let server = Server::starts_from_shell("trap '' HUP", &flags);
    let mut anna = Person::joins(&server, "anna");
    server.signal(Signal::HUP);
    server.logs(&["SIGHUP: new certificate"]);
    anna.has_read_everything();
}
