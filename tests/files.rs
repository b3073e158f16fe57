//! The files of the real program: bans and room history on a disk that is full, in a folder that
//! vanishes, with planted links, and against a user who fills the history.
#![cfg(unix)]

mod common;

use std::fs::{self, Permissions};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};

use common::console::{Console, TempFolder, private_folder};
use common::server::run;
use common::{Person, Server, report};
use rustix::process::Signal;

/// Enters a room in which nobody is.
#[track_caller]
fn enters(person: &mut Person, room: &str) {
    person.says(&format!("4 {room}"));
    person.reads(&format!("* You are now in {room}"));
}

/// A user in a room of their own.
#[track_caller]
fn in_room(server: &Server, name: &str, room: &str) -> Person {
    let mut person = Person::joins(server, name);
    enters(&mut person, room);
    person
}

#[track_caller]
fn says(person: &mut Person, name: &str, text: &str) {
    person.says(text);
    person.reads_exactly(&format!("{name}: {text}"));
}

/// The lines of a room, as a user reads who enters.
#[track_caller]
fn history(server: &Server, room: &str) -> Vec<String> {
    let mut reader = in_room(server, "reader", room);
    reader.says("/say the end");
    let rows = reader.reads_until("reader: the end");
    reader.says("quit");
    reader.reads_until(common::MENU);
    reader.exits();
    let said = rows.iter().filter_map(|row| row.split_once("Z ")).map(|(_, said)| said.to_owned());
    said.collect()
}

/// (6.3.4, 7.6)
#[test]
fn one_user_who_fills_the_history_does_not_push_other_rooms_off_the_disk() {
    const ROOMS: usize = 50;
    // More than three times what a file takes before it is written anew.
    const LINES: usize = 52_000;
    let folder = TempFolder::new();
    let flags = ["--state", &folder.argument("state"), "--room-pace", "1000000"];
    let mut server = Server::starts_with(&flags);
    let people = (0..ROOMS).map(|n| {
        let mut person = in_room(&server, &format!("user{n}"), &format!("room{n}"));
        says(&mut person, &format!("user{n}"), "remember me");
        person
    });
    let mut people = people.collect::<Vec<_>>();
    let mut flood = TcpStream::connect(server.address()).expect("the server listens");
    flood.write_all(b"mallory\n4 flood\n").expect("a live socket");
    let line = format!("{}\n", "x".repeat(1_000));
    for _ in 0..LINES / 100 {
        flood.write_all(line.repeat(100).as_bytes()).expect("a live socket");
    }
    flood.write_all(b"/say the last\nquit\n").expect("a live socket");
    server.logs(&["mallory left flood"]);
    // A line that somebody has read is on the disk, and so is every line before it.
    says(&mut people[0], "user0", "now");
    let size = fs::metadata(folder.path("state/history/rooms.log")).expect("a file").len();
    server.signal(Signal::KILL);
    server.exits();
    drop((people, flood));
    report(&format!("{} MB said in one room: the file has {} MB", LINES / 1_000, size / 1_000_000));
    assert!(size < 20 << 20, "{size}");
    let server = Server::starts_with(&flags);
    for n in 0..ROOMS {
        let expected = format!("user{n}: remember me");
        assert!(history(&server, &format!("room{n}")).contains(&expected), "room{n}");
    }
    let flood = history(&server, "flood");
    assert_eq!(flood.last().map(String::as_str), Some("mallory: the last"));
}

/// (6.3.5, 7.63)
#[test]
fn a_history_folder_that_is_removed_is_logged_once_and_recreated() {
    let folder = TempFolder::new();
    let flags = ["--state", &folder.argument("state")];
    let mut server = Server::starts_with(&flags);
    let mut anna = in_room(&server, "anna", "tea");
    says(&mut anna, "anna", "before");
    fs::remove_dir_all(folder.path("state/history")).expect("the folder can be removed");
    says(&mut anna, "anna", "after");
    // Nobody says anything more, and the server notices all the same.
    server.logs(&["WARN", "rooms.log was removed"]);
    server.logs(&["history in", "kept again"]);
    says(&mut anna, "anna", "later");
    server.is_healthy();
    assert_eq!(server.log().matches("WARN").count(), 1, "{}", server.log());
    server.signal(Signal::KILL);
    server.exits();
    drop(anna);
    let said = history(&Server::starts_with(&flags), "tea");
    assert_eq!(said, ["anna: before", "anna: after", "anna: later"]);
}

/// (6.3.4, 7.63)
#[cfg(target_os = "linux")]
#[test]
fn after_a_full_disk_the_lines_that_are_missing_are_written_from_memory() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let folder = TempFolder::new();
    let flags = ["--state", &folder.argument("state")];
    // A write beyond the limit of `ulimit -f` fails, as on a full disk.
    let mut server = Server::starts_from_shell("ulimit -S -f 4", &flags);
    let mut anna = in_room(&server, "anna", "tea");
    let texts = (0..9).map(|n| format!("{n} {}", "x".repeat(900))).collect::<Vec<_>>();
    texts.iter().for_each(|text| says(&mut anna, "anna", text));
    server.logs(&["history in", "not kept from now on"]);
    let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw);
    let unlimited = Rlimit { current: None, maximum: None };
    prlimit(pid, Resource::Fsize, unlimited).expect("the limit can be raised");
    server.logs(&["history in", "kept again"]);
    server.signal(Signal::KILL);
    server.exits();
    drop(anna);
    let expected = texts.iter().map(|text| format!("anna: {text}")).collect::<Vec<_>>();
    assert_eq!(history(&Server::starts_with(&flags), "tea"), expected);
}

/// (8.2.5)
#[test]
fn a_planted_link_beside_the_file_of_bans_is_not_followed() {
    let folder = TempFolder::new();
    let state = private_folder(&folder, "state");
    fs::write(folder.path("precious"), "precious").expect("a file");
    symlink(folder.path("precious"), folder.path("state/bans.new")).expect("a link");
    let server = folder.server(&["--state", &state]);
    let mut operator = Console::opens(&folder.path("console"));
    operator.succeeds("ban 192.0.2.1", "* ");
    assert_eq!(fs::read_to_string(folder.path("precious")).expect("a file"), "precious");
    assert_eq!(
        fs::read_to_string(folder.path("state/bans")).expect("a file"),
        "192.0.2.1/32 never\n"
    );
    assert!(!folder.path("state/bans.new").exists());
    // Where nothing can be created, the operator reads so, and the old bans stay.
    fs::create_dir(folder.path("state/bans.new")).expect("a folder");
    let answer = operator.runs("ban 192.0.2.2");
    assert!(answer[0].starts_with("! "), "{answer:?}");
    server.logs(&["WARN", "cannot keep bans in"]);
    assert_eq!(
        fs::read_to_string(folder.path("state/bans")).expect("a file"),
        "192.0.2.1/32 never\n"
    );
}

/// (8.4.1)
#[test]
fn the_state_folder_is_private_and_one_server_uses_it() {
    let folder = TempFolder::new();
    let state = folder.argument("state");
    let refused = |words: &str| {
        let ran = run(&["serve", "--listen", "127.0.0.1:0", "--state", &state], &[]);
        assert_eq!((ran.status.code(), ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(words) && ran.stderr.contains(&state), "{}", ran.stderr);
    };
    let server = Server::starts_with(&["--state", &state]);
    let mode = |path: &str| fs::metadata(folder.path(path)).expect("a folder").permissions().mode();
    assert_eq!((mode("state") & 0o777, mode("state/history") & 0o777), (0o700, 0o700));
    refused("another server uses it");
    drop(server);
    fs::set_permissions(&state, Permissions::from_mode(0o755)).expect("our folder");
    refused("chmod 700");
    fs::set_permissions(&state, Permissions::from_mode(0o700)).expect("our folder");
    drop(Server::starts_with(&["--state", &state]));
}

/// (8.2.5)
#[test]
fn a_dangling_link_as_the_file_of_bans_is_one_error_at_the_start() {
    let folder = TempFolder::new();
    let state = private_folder(&folder, "state");
    symlink(folder.path("nothing"), folder.path("state/bans")).expect("a link");
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--state", &state], &[]);
    assert_eq!((ran.status.code(), ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("it is a link whose target cannot be used"), "{}", ran.stderr);
    assert!(fs::symlink_metadata(folder.path("state/bans")).expect("the link stays").is_symlink());
    assert!(!folder.path("nothing").exists());
}

/// (6.3.5)
#[test]
fn a_stored_line_from_the_future_is_shown_with_the_time_of_the_start() {
    let folder = TempFolder::new();
    let state = private_folder(&folder, "state");
    fs::create_dir(folder.path("state/history")).expect("a folder");
    // The year 2286.
    let record = "27 9999999999 tea anna: hello\n";
    let record = record.replacen("27", &(record.len() - 4).to_string(), 1);
    let file = folder.path("state/history/rooms.log");
    fs::write(&file, format!("chinwag rooms 1\n{record}")).expect("a file");
    let server = Server::starts_with(&["--state", &state]);
    assert_eq!(history(&server, "tea"), ["anna: hello"]);
    let kept = fs::read_to_string(&file).expect("a file");
    assert!(!kept.contains("9999999999") && kept.contains(" tea anna: hello\n"), "{kept}");
}
