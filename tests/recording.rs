//! Recordings of the core (8.2.16), with the real program: what is in them, what is not, and that a
//! replay reads as the chat did.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output};

use common::console::{Console, TempFolder, private_folder};
use common::server::program;
use common::{Person, Server};
use rustix::process::Signal;

fn replay(file: &str) -> Output {
    Command::new(program()).args(["replay", file]).output().expect("the program runs")
}

/// The text of a replay that went well.
fn replayed(file: &str) -> String {
    let output = replay(file);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success() && output.stderr.is_empty(), "{text}");
    text
}

fn stop(server: &mut Server) {
    server.signal(Signal::TERM);
    assert!(server.exits().success());
}

/// (8.2.16)
#[test]
fn a_replay_reads_as_the_chat_did_and_holds_no_password() {
    let folder = TempFolder::new();
    let (file, state) = (folder.argument("recording"), private_folder(&folder, "state"));
    let mut server = folder.server(&["--record", &file, "--state", &state]);
    let mut anna = Person::connects(server.address());
    anna.reads("* Welcome");
    anna.reads_exactly("* This server records what is typed here, except passwords");
    anna.reads("? Username:");
    anna.takes_username("anna");
    for line in ["register", "correct horse", "correct horse"] {
        anna.says(line);
        anna.reads_until("? ");
    }
    let mut bert = Person::connects(server.address());
    bert.reads("* Welcome");
    bert.reads("* This server records");
    bert.reads("? Username:");
    bert.takes_username("bert");
    anna.chats_with(&mut bert);
    anna.says("the tea is ready");
    bert.reads_exactly("anna: the tea is ready");
    let mut operator = Console::opens(&folder.path("console"));
    operator.succeeds("say five minutes", "* Said to 2");
    bert.reads("* The operator says");
    bert.reset();
    anna.reads_until("? 1 list users");
    anna.exits();
    stop(&mut server);

    let metadata = fs::metadata(&file).expect("the file is there");
    assert_eq!(metadata.mode() & 0o777, 0o600, "only the operator reads what people say");
    let recorded = fs::read_to_string(&file).expect("UTF-8");
    assert!(!recorded.contains("horse") && recorded.contains("the tea is ready"));
    let text = replayed(&file);
    let mut rest = &*text;
    for part in [
        "#1 connects",
        "anna sends \"register\"",
        "the store answers: done",
        "anna < * anna is registered",
        "bert < ? anna wants to chat",
        "bert sends \"yes\"",
        "anna sends \"the tea is ready\"",
        "bert < anna: the tea is ready",
        "an operator announces: five minutes",
        "the connection of bert fails",
        "anna < * Goodbye, anna",
        "the server stops",
    ] {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("no {part:?} in {rest}"));
        rest = after;
    }
    assert!(!text.contains("horse") && !text.contains("! "), "nothing differs: {text}");
}

/// Three recordings of earlier servers, as bug reports are: a chat with a decline, a reset, an answer
/// that comes too late and lines that cross the end; accounts over TLS, and a browser; bursts of
/// commands, a room under its pace, and an operator who stops the server.
#[test]
fn recordings_of_earlier_servers_replay_to_the_same_lines() {
    for name in ["chat", "accounts", "burst"] {
        let file = format!("{}/tests/recordings/{name}", env!("CARGO_MANIFEST_DIR"));
        let expected = fs::read_to_string(format!("{file}.txt")).expect("the file is there");
        assert_eq!(replayed(&format!("{file}.jsonl")), expected, "{name}");
    }
}

/// (8.2.16)
#[test]
fn a_recording_replaces_no_file() {
    let folder = TempFolder::new();
    let file = folder.argument("recording");
    fs::write(&file, "of a server that died").expect("the folder takes it");
    let output = Server::command("127.0.0.1:0", &["--record", &file]).output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.ends_with("it exists, and a recording replaces no file\n"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(fs::read(&file).expect("it is there"), b"of a server that died");
}

/// (8.2.16)
#[test]
fn a_server_that_cannot_start_leaves_no_recording() {
    let folder = TempFolder::new();
    let (file, other) = (folder.argument("recording"), Server::starts());
    let mut command = Server::command(&other.address().to_string(), &["--record", &file]);
    assert_eq!(command.output().expect("it runs").status.code(), Some(1));
    assert!(!folder.path("recording").exists(), "the next start would be refused");
}

/// (7.108)
#[test]
fn a_full_recording_ends_and_the_chat_goes_on() {
    let folder = TempFolder::new();
    let file = folder.argument("recording");
    let mut server = folder.server(&["--record", &file, "--max-record", "4k"]);
    let mut anna = Person::connects(server.address());
    anna.reads("* Welcome");
    anna.reads("* This server records");
    anna.reads("? Username:");
    anna.takes_username("anna");
    for _ in 0..100 {
        anna.says("/help");
        anna.reads_until("? 1 list users");
    }
    server.logs(&["is full and ends here"]);
    anna.exits();
    stop(&mut server);
    assert!(fs::metadata(&file).expect("the file is there").len() <= 4_096);
    let text = replayed(&file);
    assert!(text.ends_with("! the recording ends before the server\n"), "{text}");
}

/// (8.2.16)
#[test]
fn a_file_that_is_no_recording_is_refused_in_one_line() {
    let folder = TempFolder::new();
    let (file, whole) = (folder.argument("recording"), "/tests/recordings/chat.jsonl");
    let whole = fs::read_to_string(format!("{}{whole}", env!("CARGO_MANIFEST_DIR"))).expect("it");
    let (header, rest) = whole.split_once('\n').expect("two lines");
    let newer = whole.replace("\"recording\":1", "\"recording\":2");
    let damaged = format!("{header}\n[0,\"sing\",1]\n{rest}");
    for (content, why) in [
        (newer, "it has version 2, and this program reads 1"),
        (damaged, "line 2 is damaged"),
        ("hello\n".to_owned(), "there is no line of `ctl watch` in it"),
    ] {
        fs::write(&file, content).expect("the folder takes it");
        let output = replay(&file);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert_eq!(error, format!("chinwag: cannot replay {file}: {why}\n"));
    }
}
