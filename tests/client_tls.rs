//! The client over TLS: whom it trusts, what it asks, and what it says when something is wrong. It
//! runs under a pty and in a pipe, against the real server and against servers that break off.

#[path = "client/person.rs"]
#[allow(dead_code, reason = "the tests of the client use the rest")]
mod person;
#[path = "client/picture.rs"]
mod picture;
#[path = "client/rogue.rs"]
#[allow(dead_code, reason = "the tests of the client use the rest")]
mod rogue;
#[path = "client/server.rs"]
#[allow(dead_code, reason = "the tests of the client use the rest")]
mod server;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use person::Person;
use rogue::{Death, Rogue, certificate};
use rustls::version::{TLS12, TLS13};
use server::{CHINWAG, Server};

/// A folder for one test, with the home of anna in it. Dropping the value removes it.
struct Home(PathBuf);

impl Home {
    fn new(test: &str) -> Home {
        let name = format!("chinwag-client-tls-{test}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        Home(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    fn known_hosts(&self) -> PathBuf {
        self.0.join(".config/chinwag/known_hosts")
    }

    fn writes_known_hosts(&self, text: &[u8]) {
        fs::create_dir_all(self.0.join(".config/chinwag")).expect("a folder can be made");
        fs::write(self.known_hosts(), text).expect("a file can be written");
    }

    /// Makes a certificate that vouches for itself, and returns its fingerprint.
    fn makes_certificate(&self, name: &str) -> String {
        let (cert, key) =
            (self.path(&format!("{name}.pem")), self.path(&format!("{name}-key.pem")));
        let args = ["cert", "localhost", "--tls-cert", &cert, "--tls-key", &key];
        let output = Command::new(CHINWAG).args(args).output().expect("the program runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let line = text.lines().find(|line| line.contains("fingerprint:")).expect("a fingerprint");
        line.split_ascii_whitespace().last().expect("a word").to_owned()
    }

    /// A server with this certificate.
    fn serves(&self, name: &str, address: &str) -> Server {
        let (cert, key) =
            (self.path(&format!("{name}.pem")), self.path(&format!("{name}-key.pem")));
        Server::start_with(address, &["--tls-cert", &cert, "--tls-key", &key])
    }

    /// Anna at her terminal.
    fn anna(&self, address: &str, args: &[&str], variables: &[(&str, &str)]) -> Person {
        let args = [&["connect", address, "--name", "anna", "--color", "never"], args].concat();
        let home = self.path("");
        let own = [("HOME", home.as_str()), ("XDG_CONFIG_HOME", ""), ("SSL_CERT_DIR", "/nowhere")];
        Person::run_with(CHINWAG, &args, 30, 130, &[&own[..], variables].concat())
    }

    /// The same in a pipe.
    fn pipes(&self, address: &str, args: &[&str], input: &str) -> Output {
        let mut client = Command::new(CHINWAG)
            .args(["connect", address])
            .args(args)
            .env("HOME", &self.0)
            .env("XDG_CONFIG_HOME", "")
            .env("SSL_CERT_DIR", "/nowhere")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client starts");
        // A client that has failed reads nothing. Its output tells.
        let _ = client.stdin.take().expect("piped").write_all(input.as_bytes());
        client.wait_with_output().expect("the client exits")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const LISTEN: &str = "tls://127.0.0.1:0";

fn tls(server: &Server) -> String {
    format!("tls://{}", server.address)
}

/// A server whose certificate `ca.pem` vouches for.
fn serves_chain(address: &str) -> Server {
    let (cert, key) = (certificate("chain.pem"), certificate("chain-key.pem"));
    Server::start_with(address, &["--tls-cert", &cert, "--tls-key", &key])
}

/// The one line of a client that failed.
fn failure(output: &Output) -> &str {
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b""[..]), "{output:?}");
    let text = str::from_utf8(&output.stderr).expect("UTF-8");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn an_unknown_certificate_is_confirmed_once_and_a_changed_one_is_refused() {
    let home = Home::new("tofu");
    let (old, new) = (home.makes_certificate("old"), home.makes_certificate("new"));
    let server = home.serves("old", LISTEN);
    let address = tls(&server);
    let mut anna = home.anna(&address, &[], &[]);
    anna.sees(&[
        &format!("-- Nobody vouches for the certificate of {address}. Its SHA-256 fingerprint:"),
        &format!("   | {old}"),
        "-- If the operator told you the same, nobody can read along",
        "Trust it? yes or no> |",
    ]);
    anna.press("y\r");
    anna.sees_row("-- Type yes or no");
    anna.press("Yes\r");
    anna.sees_row("-- Remembered in known_hosts");
    anna.sees_row("-- Private: TLS 1.3, verified by its fingerprint in known_hosts");
    anna.sees_row("menu> |");
    let mode = fs::metadata(home.known_hosts()).expect("it was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let known = fs::read_to_string(home.known_hosts()).expect("it was made");
    assert_eq!(known, format!("{} {old}\n", server.address));

    // The same client connects again without a question, and so does the next.
    let socket = format!("tls://{}", server.address);
    drop(server);
    anna.sees_row("-- Reconnecting; press any key to try now");
    let server = home.serves("old", &socket);
    anna.press("\x05");
    anna.sees_row("-- Connected again");
    anna.waits_until("the menu", |screen| {
        screen.last().is_some_and(|row| row.ends_with("menu> |"))
    });
    let told = anna.screen().iter().filter(|row| row.starts_with("-- Private")).count();
    assert_eq!(told, 1, "{:?}", anna.screen());
    anna.press("3\r");
    assert_eq!(anna.exits().code(), Some(0));
    let output = home.pipes(&address, &["--name", "anna"], "1\n3\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    drop(server);
    let _server = home.serves("new", &socket);
    let output = home.pipes(&address, &["--name", "anna"], "1\n3\n");
    let text = failure(&output);
    let place = format!("remove line 1 of {}", home.known_hosts().display());
    for part in [&*old, &*new, "has changed", &place] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let mut anna = home.anna(&address, &[], &[]);
    assert_eq!(anna.exits().code(), Some(1));
    assert!(anna.has_restored_the_terminal());
    fs::write(home.known_hosts(), "").expect("the line can be removed");
    let mut anna = home.anna(&address, &[], &[]);
    anna.sees_row("Trust it? yes or no> |");
}

#[test]
fn a_client_that_reconnects_asks_nothing_and_refuses_another_certificate() {
    let home = Home::new("reconnect");
    let new = home.makes_certificate("new");
    let server = serves_chain(LISTEN);
    let address = tls(&server);
    let ca = certificate("ca.pem");
    let mut anna = home.anna(&address, &[], &[("SSL_CERT_FILE", &ca)]);
    anna.sees_row("-- Private: TLS 1.3, verified by an authority that this system trusts");
    anna.sees_row("menu> |");
    drop(server);
    anna.sees_row("-- Reconnecting; press any key to try now");
    let _server = home.serves("new", &address);
    anna.press("\x05");
    anna.sees_row(&format!(
        "-- Still not connected: nobody vouches for its new certificate, SHA-256 {}",
        &new[..5]
    ));
    assert!(!home.known_hosts().exists());
}

#[test]
fn no_leaves_and_remembers_nothing() {
    let home = Home::new("no");
    home.makes_certificate("own");
    let server = home.serves("own", LISTEN);
    for keys in ["no\r", "\x03y", "\x04"] {
        let mut anna = home.anna(&tls(&server), &[], &[]);
        anna.sees_row("Trust it? yes or no> |");
        anna.press(keys);
        assert_eq!(anna.exits().code(), Some(i32::from(keys == "no\r")), "{keys:?}");
        assert!(anna.has_restored_the_terminal());
    }
    assert!(!home.known_hosts().exists());
}

#[test]
fn in_a_pipe_an_unknown_certificate_is_an_error_that_names_the_fingerprint() {
    let home = Home::new("pipe");
    let own = home.makes_certificate("own");
    let server = home.serves("own", LISTEN);
    let output = home.pipes(&tls(&server), &[], "anna\n1\n3\n");
    let text = failure(&output);
    for part in [&*own, "--tls-ca", "Connect once in a terminal"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // With `--only-name` the client asks in no terminal either, and the user gives no arguments.
    let output = home.pipes(&tls(&server), &["--only-name", "anna"], "");
    let text = failure(&output);
    assert!(text.contains(&own) && text.contains("Tell the operator"), "{text}");
    assert!(!text.contains("terminal") && !text.contains("--tls-ca"), "{text}");
    for cert in [home.path("own.pem"), certificate("p256.pem")] {
        let address = tls(&server).replace("127.0.0.1", "localhost");
        let output = home.pipes(&address, &["--tls-ca", &cert], "anna\n1\n3\n");
        let is_own = cert.ends_with("own.pem");
        assert_eq!(output.status.code(), Some(i32::from(!is_own)), "{output:?}");
    }
    // A certificate that signs itself as an authority, as `openssl req -x509` makes it.
    let (cert, key) = (certificate("p256.pem"), certificate("p256-key.pem"));
    let server = Server::start_with(LISTEN, &["--tls-cert", &cert, "--tls-key", &key]);
    let output = home.pipes(&tls(&server), &["--tls-ca", &cert], "anna\n1\n3\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!home.known_hosts().exists());
}

#[test]
fn an_authority_vouches_for_a_name_and_a_time() {
    let home = Home::new("authority");
    let ca = certificate("ca.pem");
    let server = serves_chain("tls://127.0.0.2:0");
    let output = home.pipes(&tls(&server), &["--tls-ca", &ca], "anna\n");
    assert!(failure(&output).contains("its certificate is for another name than 127.0.0.2:"));
    let expired = expired_chain(&home);
    let (cert, key) = (home.path("expired.pem"), home.path("expired-key.pem"));
    let server = Server::start_with(LISTEN, &["--tls-cert", &cert, "--tls-key", &key]);
    let output = home.pipes(&tls(&server), &["--tls-ca", &expired], "anna\n");
    assert!(failure(&output).contains("its certificate expired on 2020-01-02"), "{output:?}");
    let mut anna = home.anna(&tls(&server), &[], &[]);
    assert_eq!(anna.exits().code(), Some(1), "nobody is asked about it");
}

/// Makes an expired certificate, and returns the path of the authority that signed it.
fn expired_chain(home: &Home) -> String {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = params.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).expect("names");
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 1, 2));
    let pem = params.signed_by(&key, &issuer).expect("a certificate").pem();
    for (name, text) in [("ca", authority), ("expired", pem), ("expired-key", key.serialize_pem())]
    {
        fs::write(home.path(&format!("{name}.pem")), text).expect("a file can be written");
    }
    home.path("ca.pem")
}

/// (2.4.1, 2.7.4)
#[test]
fn the_wrong_kind_of_port_is_one_clear_line() {
    let home = Home::new("ports");
    let plain = Server::start();
    let output = home.pipes(&tls(&plain), &[], "anna\n");
    let text = failure(&output);
    assert!(text.contains("this port of the server does not speak TLS"), "{text}");
    let encrypted = serves_chain(LISTEN);
    let address = encrypted.address.to_string();
    for args in [&[][..], &["--name", "anna"]] {
        let output = home.pipes(&address, args, "anna\n");
        assert!(failure(&output).contains("This port speaks TLS"), "{output:?}");
    }
    let mut anna = home.anna(&address, &[], &[]);
    anna.sees_row("! This port speaks TLS");
    anna.sees_row("-- Connection lost: the server closed the connection");
}

/// (2.7.5)
#[test]
fn a_connection_that_is_cut_off_is_not_taken_for_one_that_ended() {
    let home = Home::new("cut");
    let ca = certificate("ca.pem");
    let cut_off = "-- Connection lost: it was cut off: the server did not end it";
    let closed = "-- Connection lost: the server closed the connection";
    for (version, name) in [(&TLS12, "1.2"), (&TLS13, "1.3")] {
        for (closes, lost) in [(false, cut_off), (true, closed)] {
            let server = Rogue::with_versions(&[version]);
            let mut anna = home.anna(&server.address(), &["--tls-ca", &ca], &[]);
            let mut connection = server.accept();
            anna.sees_row(&format!("-- Private: TLS {name}, verified by {ca}"));
            anna.sees_row("menu> |");
            if closes {
                connection.closes_tls();
            }
            connection.die(Death::Crash);
            anna.sees_row(lost);
        }
    }
    // The sign that all input was processed is not enough without the end.
    let server = Rogue::with_tls();
    let client = Command::new(CHINWAG)
        .args(["connect", &server.address(), "--name", "anna", "--tls-ca", &ca])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let mut connection = server.accept();
    connection.reads_end();
    connection.say(&["* chinwag is here"]);
    connection.die(Death::Crash);
    let output = client.wait_with_output().expect("the client exits");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("it was cut off"), "{output:?}");
}

#[test]
fn a_hostile_known_hosts_is_an_error_or_is_skipped() {
    let home = Home::new("hostile");
    let own = home.makes_certificate("own");
    let server = home.serves("own", LISTEN);
    let run = || home.pipes(&tls(&server), &["--name", "anna"], "3\n");
    let junk = [&b"\xff\xfe\0\x1b]0;x\x07 \n\n#"[..], &[b'A'; 10_000], b"\n"].concat();
    home.writes_known_hosts(&junk);
    assert!(failure(&run()).contains("nobody vouches"));
    home.writes_known_hosts(&[&junk[..], format!("{} {own}", server.address).as_bytes()].concat());
    assert_eq!(run().status.code(), Some(0));
    home.writes_known_hosts(&vec![b'\n'; 300 * 1024]);
    assert!(failure(&run()).contains("known_hosts: it has more than 262144 bytes"));
    fs::remove_file(home.known_hosts()).expect("it is there");
    fs::create_dir(home.known_hosts()).expect("a folder can be made");
    assert!(failure(&run()).contains("known_hosts: it is not a regular file"));
}

#[test]
fn a_confirmed_certificate_counts_even_if_it_cannot_be_remembered() {
    let home = Home::new("full");
    home.makes_certificate("own");
    let server = home.serves("own", LISTEN);
    home.writes_known_hosts(&vec![b'\n'; 256 * 1024]);
    let mut anna = home.anna(&tls(&server), &[], &[]);
    anna.sees_row("Trust it? yes or no> |");
    anna.press("yes\r");
    anna.sees_row("-- Trusted, but not remembered: cannot write ");
    anna.sees_row("menu> |");
    assert_eq!(fs::metadata(home.known_hosts()).expect("it is there").len(), 256 * 1024);
}

#[test]
fn a_password_of_a_file_goes_over_tls() {
    let home = Home::new("password");
    let ca = certificate("ca.pem");
    let (cert, key) = (certificate("chain.pem"), certificate("chain-key.pem"));
    let state = home.path("state");
    let flags =
        ["--tls-cert", &cert, "--tls-key", &key, "--state", &state, "--accounts", "optional"];
    let server = Server::start_with(LISTEN, &flags);
    let mut anna = home.anna(&tls(&server), &["--tls-ca", &ca], &[]);
    anna.sees_row("menu> |");
    anna.press("/register\r");
    for prompt in ["New password for anna> |", "The same password again> |"] {
        anna.sees_row(prompt);
        anna.press("correct horse\r");
    }
    anna.sees_row("* anna is registered");
    anna.press("3\r");
    assert_eq!(anna.exits().code(), Some(0));
    let file = home.path("password");
    fs::write(Path::new(&file), "correct horse\n").expect("a file can be written");
    let args = ["--tls-ca", &ca, "--name", "anna", "--password-file", &file];
    let output = home.pipes(&tls(&server), &args, "3\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
