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
use rustix::process::Signal;
use server::{Peer, Server};

/// A path in the folder for files of tests, at which nothing exists.
fn fresh_path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("comfort-{name}"));
    // A run before this one may have left it.
    let _ = std::fs::remove_file(&path);
    path
}

/// Whether the program at this terminal has written `text` so far.
fn has_written(person: &Person, text: &str) -> bool {
    String::from_utf8_lossy(&person.written).contains(text)
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

#[test]
fn a_message_alerts_only_while_the_terminal_has_no_focus() {
    let server = Server::start();
    let args = ["--bell", "chat", "--notify", "osc9,osc777,title"];
    let (mut anna, mut ben) = anna_and_ben(&server, &args);
    assert!(anna.reports_focus());
    assert!(!has_written(&anna, "\x07") && has_written(&anna, "\x1b]2;chinwag\x1b\\"));
    anna.press("\x1b[I");
    ben.say("seen");
    anna.sees_row("ben: seen");
    assert!(!has_written(&anna, "\x07") && !has_written(&anna, "\x1b]9"));
    anna.press("half\x1b[O a line");
    anna.sees(&["to ben> half a line|"]);
    ben.say("not seen");
    anna.sees_row("ben: not seen");
    anna.sees(&["to ben> half a line|"]);
    for alert in ["\x07", "\x1b]9;ben wrote to you\x1b\\", "\x1b]2;(1) chinwag\x1b\\"] {
        assert!(has_written(&anna, alert), "{}", anna.written.escape_ascii());
    }
    anna.press("\x1b[I\x15");
    anna.sees(&["to ben> |"]);
    let title = String::from_utf8_lossy(&anna.written).rfind("\x1b]2;chinwag\x1b\\");
    assert!(title > String::from_utf8_lossy(&anna.written).rfind("\x1b]2;(1) chinwag"));
}

#[test]
fn every_way_out_ends_the_focus_reports_and_restores_the_title() {
    let server = Server::start();
    let leave: [fn(&mut Person); 3] =
        [|anna| anna.press("\x04"), |anna| anna.press("3\r"), |anna| anna.signal(Signal::TERM)];
    for leave in leave {
        let args = ["--name", "anna", "--notify", "title"];
        let mut anna = Person::connect(&server, 6, 60, &args);
        anna.sees_row("menu> |");
        assert!(anna.reports_focus() && !has_written(&anna, "\x1b[23;2t"));
        leave(&mut anna);
        anna.exits();
        assert!(anna.has_restored_the_terminal() && has_written(&anna, "\x1b[23;2t"));
    }
    let mut quiet = Person::connect(&server, 6, 60, &["--name", "anna", "--bell", "request"]);
    quiet.sees_row("menu> |");
    assert!(!has_written(&quiet, "\x1b[?1004"), "nobody needs the reports");
}

#[test]
fn a_stopped_client_gives_the_title_and_the_focus_reports_back_until_it_continues() {
    let server = Server::start();
    let mut shell = Person::run("sh", &["-i"], 20, 70);
    shell.sees_row("$ |");
    let address = server.address;
    let command = format!("{} connect {address} --name anna --notify title\r", server::CHINWAG);
    shell.press(&command);
    shell.sees_row("menu> |");
    for stop in 1..=2 {
        assert!(shell.reports_focus());
        shell.press("\x1a");
        shell.waits_until("the shell", |screen| screen.last().is_some_and(|row| row == "$ |"));
        assert!(!shell.reports_focus());
        let written = String::from_utf8_lossy(&shell.written).into_owned();
        let count = |sequence| written.matches(sequence).count();
        assert_eq!((count("\x1b[22;2t"), count("\x1b[23;2t")), (stop, stop));
        shell.press("fg\r");
        shell.sees_row("menu> |");
    }
}
