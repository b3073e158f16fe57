//! `chinwag demo` as a person sees it: under a pty, with a terminal emulator that reads its screen. And
//! no process of it stays behind, however it ends.
#![cfg(target_os = "linux")]

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

use std::fs;
use std::time::Instant;

use common::console::TempFolder;
use person::{Person, has};
use rustix::process::{Pid, Signal, kill_process};
use server::{CHINWAG, TIMEOUT};

const UP: u16 = 32;
const WIDE: u16 = 100;

/// A person who has started the demonstration and sees people.
fn visitor(rows: u16, columns: u16) -> Person {
    let mut person = Person::run(CHINWAG, &["demo", "--people", "20"], rows, columns);
    person.sees_row(" number name");
    person.waits_until("the crowd", has("20 people"));
    person
}

/// The processes that this demonstration has started and that still run.
fn children_of(demo: u32) -> Vec<String> {
    let wanted = format!("CHINWAG_DEMO_PARENT={demo}");
    let runs = |folder: &fs::DirEntry| {
        let environment = fs::read(folder.path().join("environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let folders = fs::read_dir("/proc").expect("proc(5)").filter_map(Result::ok).filter(runs);
    let command = |folder: fs::DirEntry| {
        let line = fs::read(folder.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    };
    folders.map(command).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test that waits for processes needs a deadline")]
fn now() -> Instant {
    Instant::now()
}

/// Waits until nothing of the demonstration runs.
#[track_caller]
fn nothing_is_left(demo: u32) {
    let until = now() + TIMEOUT;
    loop {
        let left = children_of(demo);
        if left.is_empty() {
            return;
        }
        assert!(now() < until, "still running: {left:?}");
        std::thread::yield_now();
    }
}

#[test]
fn a_visitor_sees_the_loop_a_crowd_and_what_an_attack_does() {
    let mut visitor = visitor(UP, WIDE);
    let demo = visitor.pid();
    assert_eq!(children_of(demo).len(), 2, "a server and a crowd: {:?}", children_of(demo));
    visitor.waits_until("the keys", has("1 lazy-reader  2 slowloris  3 flood"));
    visitor.press("3");
    visitor.waits_until("the attack", has("attack   flood"));
    visitor.waits_until("its figures", has("50 connections"));
    visitor.waits_until("what to look for", has("The loop hardly waits"));
    visitor.waits_until("the clause", has("7.44"));
    assert_eq!(children_of(demo).len(), 3);
    // The same key ends it, and another starts another in its place.
    visitor.press("3");
    visitor.waits_until("the end", has("flood  was ended"));
    visitor.press("1");
    visitor.waits_until("the next", has("attack   lazy-reader"));
    visitor.press("6");
    visitor.waits_until("the one after", has("attack   reset-storm"));
    visitor.press(" ");
    visitor.waits_until("the loop is held", has("held before"));
    visitor.press(" ");
    visitor.waits_until("the loop runs", has("the loop  "));
    visitor.press("q");
    assert!(visitor.exits().success());
    assert!(visitor.has_restored_the_terminal());
    nothing_is_left(demo);
}

/// A small terminal shows the loop, the crowd, the attack and the keys.
#[test]
fn the_demo_works_at_80_by_24() {
    let mut visitor = visitor(24, 80);
    for part in ["the loop", "read ", "crowd", "3 flood", "9 telnet-flood", "p paste"] {
        visitor.waits_until(part, has(part));
    }
    visitor.press("9");
    visitor.waits_until("the attack", has("attack   telnet-flood"));
    visitor.press("\x03");
    assert!(visitor.exits().success());
    nothing_is_left(visitor.pid());
}

#[test]
fn no_process_stays_behind_however_the_demo_ends() {
    for signal in [Signal::TERM, Signal::HUP] {
        let mut visitor = visitor(UP, WIDE);
        let demo = visitor.pid();
        visitor.press("2");
        visitor.waits_until("the attack", has("200 connections"));
        assert_eq!(children_of(demo).len(), 3);
        visitor.signal(signal);
        visitor.exits();
        nothing_is_left(demo);
    }
}

/// The shell that started the demonstration lives on, so no closing terminal ends the children.
#[test]
fn no_process_and_no_file_stays_behind_when_the_demo_is_killed() {
    let folder = TempFolder::new();
    let script = "\"$0\" demo --people 20; read line";
    let temporary = folder.argument("");
    let temporary = [("TMPDIR", &*temporary)];
    let mut shell = Person::run_with("sh", &["-c", script, CHINWAG], UP, WIDE, &temporary);
    shell.waits_until("the crowd", has("20 people"));
    shell.press("2");
    shell.waits_until("the attack", has("200 connections"));
    let demo = child_of(shell.pid());
    assert_eq!(children_of(demo).len(), 3);
    let left = fs::read_dir(folder.path("")).expect("a folder").count();
    assert_eq!(left, 0, "there is nothing to remove when it ends");
    let pid = i32::try_from(demo).ok().and_then(Pid::from_raw).expect("a process ID");
    kill_process(pid, Signal::KILL).expect("the demonstration runs");
    nothing_is_left(demo);
}

/// The process that this process has started (proc(5): the fourth field is the parent).
fn child_of(parent: u32) -> u32 {
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    let names = fs::read_dir("/proc").expect("proc(5)").filter_map(Result::ok);
    let mut pids = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(is_child).expect("the shell has started the demonstration")
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let mut shell = Person::run("sh", &["-i"], UP, WIDE);
    shell.sees_row("$ |");
    shell.press(&format!("{CHINWAG} demo --people 20\r"));
    shell.waits_until("the crowd", has("20 people"));
    shell.press("3");
    shell.waits_until("its figures", has("50 connections"));
    shell.press("\x1a");
    shell.waits_until("the shell", |screen| screen.last().is_some_and(|row| row == "$ |"));
    assert!(shell.has_restored_the_terminal());
    shell.press("fg\r");
    // What the attack measured meanwhile would be the pause.
    shell.waits_until("the attack has ended", has("flood  was ended"));
    shell.press("6");
    shell.waits_until("the next attack", has("attack   reset-storm"));
    shell.press("q");
    shell.waits_until("the shell", |screen| screen.last().is_some_and(|row| row == "$ |"));
    assert!(shell.has_restored_the_terminal());
}

#[test]
fn a_demo_that_cannot_start_is_one_line_on_a_terminal_that_was_never_taken() {
    let nowhere = [("TMPDIR", "/nowhere")];
    let mut visitor = Person::run_with(CHINWAG, &["demo"], UP, WIDE, &nowhere);
    assert_eq!(visitor.exits().code(), Some(1));
    let written = String::from_utf8_lossy(&visitor.written);
    assert!(written.starts_with("chinwag: cannot make the folder /nowhere/"), "{written}");
    assert_eq!(written.trim_end().lines().count(), 1);
    assert!(!written.contains('\x1b'), "{written:?}");
}

#[test]
fn without_a_terminal_the_demo_is_one_line_and_exit_code_1() {
    let ran = std::process::Command::new(CHINWAG).arg("demo").output().expect("the program starts");
    assert_eq!(ran.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "chinwag: the demo needs a terminal\n");
}
