//! The way in by ssh: a real sshd with the configuration of `doc/ssh.md`, and people who use it, some
//! of them to get out of the client.
//!
//! sshd serves one connection at a time (`sshd -i`) on a loopback socket of the test, so no port is
//! fixed. If ssh or sshd is not installed, the tests report a skip. On CI a skip is a failure.
#![cfg(target_os = "linux")]

mod common;
#[allow(dead_code, reason = "the tests of the client use the rest")]
#[path = "client/person.rs"]
mod person;
#[path = "client/picture.rs"]
mod picture;
#[allow(dead_code, reason = "the tests of the client use the rest")]
#[path = "client/server.rs"]
mod server;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use common::console::TempFolder;
use common::skip;
use person::{Person, has};
use server::{CHINWAG, Peer, Server};

const SSHD: &str = "/usr/sbin/sshd";

/// A server, and sshd in front of it.
struct House {
    server: Server,
    folder: TempFolder,
    listener: TcpListener,
    /// The processes of sshd.
    doors: Vec<Child>,
}

/// The block of `doc/ssh.md` in this language, the first of them or a later one.
fn block(language: &str, n: usize) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/doc/ssh.md");
    let text = fs::read_to_string(path).expect("doc/ssh.md is there");
    let fence = format!("```{language}\n");
    let mut blocks = text.split(&fence).skip(1 + n);
    let block = blocks.next().and_then(|rest| rest.split("```").next());
    block.expect("doc/ssh.md has the block").to_owned()
}

fn output_of(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().expect("the program runs");
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

/// Whether a program is missing, which is reported.
fn is_missing() -> bool {
    let missing = [SSHD, "/usr/bin/ssh"].into_iter().find(|path| !PathBuf::from(path).exists());
    if let Some(path) = missing {
        skip(&format!("{path} is not installed"));
    }
    missing.is_some()
}

impl House {
    /// `recipe` is 0 for the key that fixes a username, 1 for guests.
    fn new(recipe: usize) -> House {
        let server = Server::start();
        let folder = TempFolder::new();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let house = House { server, folder, listener, doors: Vec::new() };
        for name in ["host", "key"] {
            let path = house.path(name);
            output_of("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path]);
        }
        // sshd separates its privileges in this folder if root starts it.
        if output_of("id", &["-u"]) == "0" {
            fs::create_dir_all("/run/sshd").expect("root can make folders");
        }
        house.writes_configuration(recipe);
        house
    }

    fn path(&self, name: &str) -> String {
        self.folder.argument(name)
    }

    /// Writes the configuration of the document, with the paths and the user of this test.
    fn writes_configuration(&self, recipe: usize) {
        let user = output_of("id", &["-un"]);
        let port = self.server.address.port().to_string();
        let here = |text: String| {
            text.replace("/etc/chinwag/authorized_keys", &self.path("keys"))
                .replace("/etc/chinwag/guests", &self.path("keys"))
                .replace("/usr/local/bin/chinwag", CHINWAG)
                .replace("7878", &port)
                .replace("User chat", &format!("User {user}"))
                .replace("User guest", &format!("User {user}"))
        };
        let rules = here(block("sshd_config", recipe));
        // What follows is no part of the document: where this sshd keeps its own files, and an operator
        // who lets through what the client reads.
        let own = format!(
            "HostKey {}\nPidFile none\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\n\
             AcceptEnv CHINWAG_* XDG_* SSL_*\n",
            self.path("host")
        );
        fs::write(self.path("config"), own + &rules).expect("a file can be written");
        output_of(SSHD, &["-t", "-f", &self.path("config")]);
        let public = fs::read_to_string(self.path("key.pub")).expect("a key was made");
        let keys = match recipe {
            0 => here(block("authorized_keys", 0))
                .replace("ssh-ed25519 AAAA... anna@laptop", &public),
            _ => public,
        };
        assert!(keys.contains("ssh-ed25519 AAAAC3"), "{keys}");
        fs::write(self.path("keys"), keys).expect("a file can be written");
        let mode = fs::Permissions::from_mode(0o644);
        fs::set_permissions(self.path("keys"), mode).expect("it is there");
    }

    /// The arguments of ssh for this house.
    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let port = self.listener.local_addr().expect("it is bound").port().to_string();
        let key = self.path("key");
        let options = ["-F", "none", "-p", &port, "-i", &key, "-o", "IdentitiesOnly=yes"];
        let quiet = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
        let all = [&options[..], &quiet, &["-o", "LogLevel=ERROR", "-e", "none"], more].concat();
        all.into_iter().map(str::to_owned).collect()
    }

    /// Lets the next connection in. The client connects already, or will within the deadline of ssh.
    fn opens(&mut self) {
        let (socket, _) = self.listener.accept().expect("ssh connects");
        let log = fs::File::create(self.path("log")).expect("a file can be made");
        let output = socket.try_clone().expect("a second descriptor");
        let door = Command::new(SSHD)
            .args(["-i", "-e", "-f", &self.path("config")])
            .stdin(Stdio::from(OwnedFd::from(socket)))
            .stdout(Stdio::from(OwnedFd::from(output)))
            .stderr(log)
            .spawn();
        self.doors.push(door.expect("sshd starts"));
    }

    /// A person at a terminal who comes by ssh.
    fn person(&mut self, more: &[&str], variables: &[(&str, &str)]) -> Person {
        let args = self.arguments(&[&["-tt", "localhost"], more].concat());
        let args = args.iter().map(String::as_str).collect::<Vec<_>>();
        let person = Person::run_with("ssh", &args, 24, 80, variables);
        self.opens();
        person
    }

    /// ssh without a terminal: what it printed, and its exit code.
    fn pipes(&mut self, more: &[&str], input: &str) -> (String, Option<i32>) {
        let mut ssh = Command::new("ssh")
            .args(self.arguments(more))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ssh starts");
        self.opens();
        let _ = ssh.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = ssh.wait_with_output().expect("ssh ends");
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&text).into_owned(), output.status.code())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        for door in &mut self.doors {
            let _ = door.kill();
            let _ = door.wait();
        }
        if std::thread::panicking() {
            eprintln!("sshd: {}", fs::read_to_string(self.path("log")).unwrap_or_default());
        }
    }
}

/// Waits until a row has this text. The times before it are those of the machine.
fn shows(person: &mut Person, text: &str) {
    person.waits_until(text, has(text));
}

#[test]
fn a_session_with_the_name_of_the_key() {
    if is_missing() {
        return;
    }
    let mut house = House::new(0);
    let mut ben = Peer::join(&house.server, "ben");
    let mut anna = house.person(&[], &[]);
    shows(&mut anna, "menu> |");
    anna.press("2 ben\r");
    ben.read_until("? anna wants to chat");
    ben.say("yes");
    shows(&mut anna, "to ben> |");
    anna.press("hello 日本\r");
    assert_eq!(ben.read_until("anna: "), "anna: hello 日本");
    ben.say("hi anna");
    shows(&mut anna, "ben: hi anna");
    anna.press("/quit\r");
    shows(&mut anna, "menu> |");
    anna.press("3\r");
    assert_eq!(anna.exits().code(), Some(0));

    let (text, code) = house.pipes(&["-T", "localhost"], "1\n3\n");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("* Hello, anna") && text.contains("* Goodbye, anna"), "{text}");
}

#[test]
fn no_key_press_leads_out_of_the_client_or_to_another_name() {
    if is_missing() {
        return;
    }
    let mut house = House::new(0);
    let mut ben = Peer::join(&house.server, "ben");
    let nowhere = house.path("nowhere");
    let variables = [
        ("CHINWAG_NAME", "mallory"),
        ("CHINWAG_SERVER", "192.0.2.1"),
        ("CHINWAG_PASSWORD_FILE", "/etc/shadow"),
        ("XDG_CONFIG_HOME", nowhere.as_str()),
    ];
    let send = ["-o", "SendEnv=CHINWAG_* XDG_*", "localhost", "/bin/sh", "-i"];
    let args = house.arguments(&[&["-tt"][..], &send].concat());
    let args = args.iter().map(String::as_str).collect::<Vec<_>>();
    // Typed before the server has asked for a name.
    let mut anna = Person::run_with("ssh", &args, 24, 80, &variables);
    anna.press("mallory\r");
    house.opens();
    shows(&mut anna, "Hello, anna");
    anna.press("\x05\x15\x1a");
    shows(&mut anna, "Ctrl-Z is off here");
    anna.press("\x1c\x1a!sh\r");
    shows(&mut anna, "Unknown choice");
    ben.say("1");
    ben.read_until("- anna available");
    assert!(!PathBuf::from(&nowhere).exists());
    drop(anna);

    // The name is taken: the client ends, and what was typed becomes no name.
    drop(house);
    let mut house = House::new(0);
    let mut other = Peer::join(&house.server, "anna");
    let mut anna = house.person(&[], &[]);
    anna.press("mallory\rmallory\r");
    shows(&mut anna, "chinwag: the server does not admit you as anna");
    assert_eq!(anna.exits().code(), Some(1));
    let (text, code) = house.pipes(&["-T", "localhost"], "mallory\n1\n");
    assert_eq!(code, Some(1), "{text}");
    other.say("1");
    other.read_until("* 1 user online");
}

#[test]
fn there_is_no_shell_no_file_transfer_and_no_forwarding() {
    if is_missing() {
        return;
    }
    for recipe in [0, 1] {
        let mut house = House::new(recipe);
        let name = if recipe == 0 { "" } else { "anna\n" };
        let proof = house.path("proof");
        let touch = format!("touch {proof}");
        for command in [touch.as_str(), "-s sftp", "sh -c $(id)"] {
            let words = command.split(' ').collect::<Vec<_>>();
            let args = match words[0] {
                "-s" => ["-T", "-s", "localhost", "sftp"].to_vec(),
                _ => [&["-T", "localhost"], &words[..]].concat(),
            };
            let (text, code) = house.pipes(&args, &format!("{name}3\n"));
            assert_eq!(code, Some(0), "{command}: {text}");
            assert!(text.contains("* Goodbye, anna") && !text.contains("uid="), "{text}");
        }
        assert!(!PathBuf::from(&proof).exists());
        // To another port of this machine, from here and from there.
        let target = house.server.address.to_string();
        let (text, _) = house.pipes(&["-T", "-W", &target, "localhost"], "");
        assert!(text.contains("stdio forwarding failed"), "{text}");
        let back = format!("0:{target}");
        let exit = ["-o", "ExitOnForwardFailure=yes", "-T", "-R", &back, "localhost"];
        let (text, code) = house.pipes(&exit, &format!("{name}3\n"));
        assert_eq!(code, Some(255), "{text}");
        assert!(text.contains("remote port forwarding failed"), "{text}");
    }
}
