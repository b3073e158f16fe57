//! `chinwag watch` as a person sees it: it runs under a pty against the real server, and a terminal
//! emulator reads its screen.
#![cfg(unix)]

mod common;
#[allow(dead_code, reason = "the tests of the client use the rest of the harness")]
#[path = "client/person.rs"]
mod person;
#[allow(dead_code, reason = "the tests of the client use the rest of the harness")]
#[path = "client/picture.rs"]
mod picture;
#[allow(dead_code, reason = "the tests of the client use the rest of the harness")]
#[path = "client/server.rs"]
mod server;

use std::process::{Command, Stdio};

use common::console::TempFolder;
use person::{Person, has};
use rustix::process::Signal;
use server::{CHINWAG, Peer, Server};

/// A server with a console, in a folder.
struct Stage {
    server: Server,
    folder: TempFolder,
}

impl Stage {
    fn new(flags: &[&str]) -> Stage {
        let folder = TempFolder::new();
        let console = folder.argument("console");
        let flags = [&["--console", &console], flags].concat();
        Stage { server: Server::start_with("127.0.0.1:0", &flags), folder }
    }

    /// A person who watches in a terminal of 80 by 24.
    fn watcher(&self) -> Person {
        let console = self.folder.argument("console");
        let mut person = Person::run(CHINWAG, &["watch", "--console", &console], 24, 80);
        person.sees_row(" number name");
        person
    }
}

/// The terminal is as it was: its modes, its screen, its cursor.
#[track_caller]
fn is_restored(person: &Person) {
    assert!(person.has_restored_the_terminal(), "the modes are restored");
    let written = String::from_utf8_lossy(&person.written);
    for (on, off) in [("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?25l", "\x1b[?25h")] {
        assert!(written.rfind(on).is_some(), "{on:?} was written");
        assert!(written.rfind(off) > written.rfind(on), "{on:?} is undone");
    }
}

#[test]
fn the_view_shows_the_loop_and_follows_a_message() {
    let stage = Stage::new(&[]);
    let (mut anna, mut ben) = (Peer::join(&stage.server, "anna"), Peer::join(&stage.server, "ben"));
    let mut watcher = stage.watcher();
    watcher.waits_until("both", |screen| has("2 connections")(screen) && has(" ben ")(screen));
    anna.say("2 ben");
    ben.read_until("? anna wants");
    ben.say("yes");
    watcher.waits_until("the chat", has("with ben"));
    watcher.press("\x1b[B\r");
    watcher.waits_until("somebody is followed", has("the last input of"));
    // Who costs most comes first, and that may be either.
    let other = match has("the last input of anna")(&watcher.screen()) {
        true => {
            anna.say("hello, ben");
            "ben"
        }
        false => {
            ben.say("hello, anna");
            "anna"
        }
    };
    for part in ["Exchange::handle_received", "Route::message", &format!("18 bytes, {other}")] {
        watcher.waits_until(part, has(part));
    }
    watcher.resize(40, 120);
    watcher.waits_until("the keys at the bottom", |screen| {
        screen.len() == 40 && screen[39].contains("q quit")
    });
    assert!(!has("hello")(&watcher.screen()), "nothing that is said is shown");
    watcher.press("q");
    assert!(watcher.exits().success());
    is_restored(&watcher);
}

#[test]
fn the_view_holds_the_loop_and_lets_it_go() {
    let stage = Stage::new(&["--teach"]);
    let mut watcher = stage.watcher();
    watcher.press(" ");
    watcher.waits_until("the loop is held", has("held before timers"));
    watcher.press("ss");
    watcher.waits_until("two steps later", has("held before wait"));
    watcher.press(" ");
    watcher.waits_until("the loop runs", has("the loop  "));
    Peer::join(&stage.server, "anna");
    watcher.press("-");
    watcher.waits_until("the loop is slow", has("10 ms before each step"));
    watcher.press("\x03");
    assert!(watcher.exits().success());
    is_restored(&watcher);
}

#[test]
fn the_terminal_is_restored_on_every_way_out() {
    let stage = Stage::new(&[]);
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let mut watcher = stage.watcher();
        watcher.signal(signal);
        assert_eq!(watcher.exits().code(), Some(code));
        is_restored(&watcher);
    }
    let mut watcher = stage.watcher();
    watcher.closes_the_terminal();
    watcher.exits_unread();
    let mut watcher = stage.watcher();
    drop(stage);
    watcher.waits_until("the end of the server", has("the server has closed the console"));
    watcher.press("q");
    assert!(watcher.exits().success());
    is_restored(&watcher);
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let stage = Stage::new(&[]);
    let mut shell = Person::run("sh", &["-i"], 24, 80);
    shell.sees_row("$ |");
    shell.press(&format!("{CHINWAG} watch --console {}\r", stage.folder.argument("console")));
    shell.sees_row(" number name");
    shell.press("\x1a");
    shell.waits_until("the shell", |screen| screen.last().is_some_and(|row| row == "$ |"));
    is_restored(&shell);
    shell.press("fg\r");
    shell.sees_row(" number name");
    shell.press("q");
    shell.waits_until("the shell", |screen| screen.last().is_some_and(|row| row == "$ |"));
    is_restored(&shell);
}

#[test]
fn a_recording_is_walked_forwards_and_backwards() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/watch/held.jsonl");
    let mut person = Person::run(CHINWAG, &["replay", file], 24, 80);
    person.waits_until("the first line", has("line 1"));
    person.press("\x1b[C\x1b[C");
    person.waits_until("two lines on", has("line 3"));
    person.press("\x1b[D");
    person.waits_until("one line back", has("line 2"));
    person.press(" ");
    person.waits_until("the end", has("line 6"));
    person.waits_until("what was there", has("held before read"));
    person.press("q");
    assert!(person.exits().success());
    is_restored(&person);
    let mut person = Person::run(CHINWAG, &["replay", "Cargo.toml"], 24, 80);
    assert_eq!(person.exits().code(), Some(1));
    let written = String::from_utf8_lossy(&person.written).into_owned();
    assert_eq!(
        written.trim_end(),
        "chinwag: cannot replay Cargo.toml: there is no line of `ctl watch` in it"
    );
}

#[test]
fn what_cannot_be_watched_is_one_line() {
    let mut watcher = Person::run(CHINWAG, &["watch", "--console", "/nowhere/console"], 24, 80);
    assert_eq!(watcher.exits().code(), Some(1));
    let written = String::from_utf8_lossy(&watcher.written).into_owned();
    assert!(written.starts_with("chinwag: no server at /nowhere/console: "), "{written}");
    assert_eq!(written.trim_end().lines().count(), 1);
    let output = Command::new(CHINWAG)
        .args(["watch", "--console", "/nowhere/console"])
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(error, "chinwag: this needs a terminal; ctl watch prints lines of JSON\n");
}
