//! Comforts of the terminal client under a pty: the log, notifications, local help, the keys of a
//! shell, a terminal whose size changes.

#[path = "client/person.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod person;
#[path = "client/picture.rs"]
mod picture;
#[path = "client/server.rs"]
mod server;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use person::Person;
use server::{Peer, Server};

/// A path in the folder for files of tests, at which nothing exists.
fn fresh_path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("comfort-{name}"));
    // A run before this one may have left it.
    let _ = std::fs::remove_file(&path);
    path
}

/// Anna in a chat with ben.
fn anna_and_ben(server: &Server, args: &[&str]) -> (Person, Peer) {
    let mut ben = Peer::join(server, "ben");
    let args = [&["--name", "anna"], args].concat();
    let mut anna = Person::connect(server, 12, 60, &args);
    anna.sees_row("menu> |");
    anna.press("2 ben\r");
    ben.read_until("? anna wants to chat");
    ben.say("yes");
    anna.sees_row("to ben> |");
    ben.read_until("* You are now chatting with anna");
    (anna, ben)
}

#[test]
fn the_log_gets_both_sides_of_a_chat_is_private_and_is_never_shortened() {
    let path = fresh_path("log");
    for round in 1..=2 {
        let server = Server::start();
        let (mut anna, mut ben) = anna_and_ben(&server, &["--log", path.to_str().expect("UTF-8")]);
        ben.say("hello");
        anna.sees_row("ben: hello");
        anna.press("hi ben\r");
        ben.read_until("anna: hi ben");
        anna.press("\x04");
        assert_eq!(anna.exits().code(), Some(0));
        let text = std::fs::read_to_string(&path).expect("a log");
        for said in ["ben: hello", "anna: hi ben"] {
            let lines = text.lines().filter(|line| {
                line.split_at_checked("2026-07-24 12:00:03 ".len()).is_some_and(|(_, l)| l == said)
            });
            assert_eq!(lines.count(), round, "{text}");
        }
        assert!(!text.contains("1 list users") && !text.contains('\x1b'), "{text}");
    }
    let mode = std::fs::metadata(&path).expect("a log").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_log_that_cannot_be_opened_is_one_error_before_the_terminal_changes() {
    let server = Server::start();
    let folder = env!("CARGO_TARGET_TMPDIR");
    let missing = format!("{folder}/no such folder/log");
    for (path, reason) in [(&*missing, "No such file"), (folder, "Is a directory")] {
        let mut anna = Person::connect(&server, 6, 160, &["--name", "anna", "--log", path]);
        assert_eq!(anna.exits().code(), Some(1));
        anna.sees_row(&format!("chinwag: cannot log to {path}: {reason}"));
        assert!(anna.has_restored_the_terminal());
    }
    let mut anna = Person::connect(&server, 6, 160, &["--log", "/dev/tty"]);
    assert_eq!(anna.exits().code(), Some(1));
    anna.sees_row("chinwag: cannot log to /dev/tty: it is not a regular file");
}

#[test]
fn a_log_that_can_grow_no_more_ends_and_the_chat_goes_on() {
    let server = Server::start();
    let mut ben = Peer::join(&server, "ben");
    let path = fresh_path("full");
    let (path, address) = (path.to_str().expect("UTF-8"), server.address.to_string());
    let limited = ["-c", "ulimit -f 1; exec \"$@\"", "sh", server::CHINWAG, "connect", &address];
    let args = [&limited[..], &["--color", "never", "--name", "anna", "--log", path]].concat();
    let mut anna = Person::run("sh", &args, 30, 60);
    anna.sees_row("menu> |");
    ben.say("2 anna");
    anna.sees_row("? ben wants to chat");
    anna.press("yes\r");
    anna.sees_row("to ben> |");
    for _ in 0..3 {
        ben.say(&"x".repeat(1000));
    }
    anna.sees_row("-- The log ends here: File too large");
    ben.say("still there?");
    anna.sees(&["ben: still there?", "to ben> |"]);
}

#[test]
fn in_a_pipe_a_log_is_refused() {
    let path = fresh_path("pipe");
    let client = std::process::Command::new(server::CHINWAG)
        .args(["connect", "127.0.0.1:1", "--log", path.to_str().expect("UTF-8")])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the client runs");
    assert_eq!(client.status.code(), Some(1));
    let error = String::from_utf8_lossy(&client.stderr).into_owned();
    assert_eq!(error, "chinwag: --log needs a terminal; in a pipe, redirect the output\n");
    assert!(!path.exists());
}
