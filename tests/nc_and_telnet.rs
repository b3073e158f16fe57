//! Uses the server through common programs: several versions of nc through pipes, and telnet under
//! a pty.
//!
//! If a program is not installed, the test reports a skip. On CI a skip is a failure.
#![cfg(unix)]

mod common;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use common::receiver::{Framing, Receiver};
use common::{MENU, Person, Server, USERNAME, reference, skip};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A program that connects: its name for the report of a skip, and its command line before the
/// address.
type Program = (&'static str, &'static [&'static str]);

const NC: Program = ("nc", &["nc"]);
const NC_CRLF: Program = ("nc -C", &["nc", "-C"]);
const NCAT: Program = ("ncat", &["ncat"]);
const BUSYBOX_NC: Program = ("busybox nc", &["busybox", "nc"]);
const TELNET: Program = ("telnet", &["telnet"]);
const BUSYBOX_TELNET: Program = ("busybox telnet", &["busybox", "telnet"]);

/// Whether `nc` is the OpenBSD version, which has `-N` and `-C`. Other versions use other flags.
fn nc_is_from_openbsd() -> bool {
    let help = Command::new("nc").arg("-h").output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stderr).contains("OpenBSD"))
}

fn is_installed((_, words): Program) -> bool {
    let mut command = Command::new(words[0]);
    let applet = words.get(1).filter(|word| !word.starts_with('-'));
    let probe = if words[0] == "telnet" { "--version" } else { "--help" };
    let ran = command.args(applet).arg(probe).stdin(Stdio::null()).output();
    ran.is_ok_and(|ran| words[0] != "busybox" || ran.status.success())
}

/// A person who uses a program through pipes.
fn through_pipes((name, words): Program, address: SocketAddr) -> Person {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args([address.ip().to_string(), address.port().to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("is installed");
    let stdout = child.stdout.take().expect("piped");
    let stdin = child.stdin.take().expect("piped");
    Person::uses_program(
        child,
        Receiver::new(name, Box::new(stdout), Framing::Wire),
        Box::new(stdin),
    )
}

/// A person who uses a program at a terminal, which echoes the typed lines and turns Ctrl-C into a
/// signal.
fn through_terminal((name, words): Program, address: SocketAddr) -> Person {
    let pty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&pty).expect("a new pty");
    unlockpt(&pty).expect("a new pty");
    let path = ptsname(&pty, Vec::new()).expect("a name");
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path.as_bytes())).to_owned();
    let terminal = OpenOptions::new().read(true).write(true).open(path).expect("the other side");
    // setsid -c makes the terminal the controlling terminal, so that Ctrl-C sends SIGINT to telnet.
    let mut command = Command::new("setsid");
    command.args(["-c", "-w"]).args(words);
    command.args([address.ip().to_string(), address.port().to_string()]);
    let side = || Stdio::from(terminal.try_clone().expect("a handle"));
    command.stdin(side()).stdout(side()).stderr(side()).env("TERM", "dumb");
    let child = command.spawn().expect("is installed");
    let pty = File::from(pty);
    let output = pty.try_clone().expect("a handle");
    Person::uses_program(
        child,
        Receiver::new(name, Box::new(output), Framing::Terminal),
        Box::new(pty),
    )
}

fn through_telnet(program: Program, server: &Server) -> Person {
    let mut person = through_terminal(program, server.address());
    if program == TELNET {
        person.reads("Trying ");
        person.reads("Connected to ");
        person.reads("Escape character is ");
    } else {
        person.reads("Connected to ");
    }
    person
}

/// Whether a program is installed. Reports a skip if not.
fn can_run(program: Program) -> bool {
    let installed = is_installed(program);
    if !installed {
        skip(&format!("{} is not installed", program.0));
    }
    installed
}

fn the_reference_session_through(program: Program) {
    if !can_run(program) {
        return;
    }
    reference::runs(
        |server| through_pipes(program, server.address()),
        |mut person| {
            person.half_close();
            person.reads_end_of_stream();
        },
    );
}

#[test]
fn the_reference_session_runs_through_nc() {
    the_reference_session_through(NC);
}

#[test]
fn the_reference_session_runs_through_ncat() {
    the_reference_session_through(NCAT);
}

#[test]
fn the_reference_session_runs_through_busybox_nc() {
    the_reference_session_through(BUSYBOX_NC);
}

#[test]
fn the_reference_session_runs_through_nc_with_cr_lf_line_endings() {
    if !can_run(NC) {
        return;
    }
    if !nc_is_from_openbsd() {
        return skip("this nc is not OpenBSD's and has no -C");
    }
    the_reference_session_through(NC_CRLF);
}

#[test]
fn the_reference_session_runs_through_telnet_at_a_terminal() {
    if !can_run(TELNET) {
        return;
    }
    if Command::new("setsid").arg("--version").output().is_err() {
        return skip("setsid is not installed");
    }
    reference::runs(
        |server| through_telnet(TELNET, server),
        |mut person| {
            person.reads("Connection closed by foreign host");
            person.reads_end_of_stream();
        },
    );
}

#[test]
fn ctrl_c_in_telnet_clears_the_line_and_telnet_shows_later_output() {
    if !can_run(TELNET) {
        return;
    }
    if Command::new("setsid").arg("--version").output().is_err() {
        return skip("setsid is not installed");
    }
    let server = Server::starts();
    let mut bert = Person::joins(&server, "bert");
    let mut anna = through_telnet(TELNET, &server);
    anna.reads_all(&["* Welcome", USERNAME]);
    anna.takes_username("anna");
    for _ in 0..3 {
        // After Ctrl-C telnet discards all output until the server refuses telnet's timing mark.
        // The answer to the next line shows that the refusal came. The terminal shows ^C and that
        // line as one line.
        anna.sends(b"half a line\x03");
        anna.sends(b"1 anna\n");
        anna.reads_containing("^C1 anna");
        anna.reads_all(&["* 1 user", "- anna available (you)", MENU]);
        bert.asks(&mut anna);
        bert.says("cancel");
        bert.reads_all(&["* You withdrew", MENU]);
        anna.reads_all(&["* bert withdrew", MENU]);
        bert.exits();
        bert.reads_end_of_stream();
        bert = Person::joins(&server, "bert");
    }
    // A line with umlauts that was corrected with backspace before Enter.
    anna.chats_with(&mut bert);
    anna.sends("grx\x7füße\n".as_bytes());
    bert.reads_exactly("anna: grüße");
}

#[test]
fn nc_prints_every_answer_to_a_script_and_exits() {
    if !can_run(NC) {
        return;
    }
    if !nc_is_from_openbsd() {
        return skip("this nc is not OpenBSD's and has no -N");
    }
    let server = Server::starts();
    let mut nc = Command::new("nc");
    nc.args(["-N", "127.0.0.1", &server.address().port().to_string()]);
    nc.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = nc.spawn().expect("is installed");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"anna\n1\n3\n").expect("nc reads");
    drop(stdin);
    let output = child.wait_with_output().expect("nc exits");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 8, "{lines:#?}");
    assert!(lines[0].starts_with("* Welcome"), "{lines:#?}");
    assert_eq!(
        &lines[1..7],
        [USERNAME, "* Hello, anna", MENU, "* 1 user online", "- anna available (you)", MENU]
    );
    assert!(lines[7].starts_with("* Goodbye"), "{lines:#?}");
}

#[test]
fn a_script_without_an_exit_command_ends_too() {
    for (program, flag) in [(NC, Some("-N")), (NCAT, None)] {
        if !can_run(program) {
            continue;
        }
        if program == NC && !nc_is_from_openbsd() {
            skip("this nc is not OpenBSD's and has no -N");
            continue;
        }
        let server = Server::starts();
        let mut command = Command::new(program.1[0]);
        command.args(flag).args(["127.0.0.1", &server.address().port().to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("is installed");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(b"anna\n1").expect("the program reads");
        drop(stdin);
        let output = child.wait_with_output().expect("the program exits");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(text.contains("- anna available (you)\r\n? 1 list users"), "{}: {text}", program.0);
    }
}

#[test]
fn busybox_telnet_which_sends_each_key_at_once_can_join_and_exit() {
    if !can_run(BUSYBOX_TELNET) {
        return;
    }
    let server = Server::starts();
    let mut bert = Person::joins(&server, "bert");
    let mut anna = through_telnet(BUSYBOX_TELNET, &server);
    anna.reads_all(&["* Welcome", USERNAME]);
    anna.sends(b"a");
    anna.sends(b"nna\n");
    anna.reads_until(MENU);
    bert.says("1 anna");
    bert.reads_all(&["* 1 user", "- anna available", MENU]);
    anna.sends(b"3\n");
    anna.reads_until("* Goodbye");
}

/// (6.1.4, 4.8.2, 6.2.1, 4.8.3, 4.8.4)
#[test]
fn users_of_nc_telnet_and_a_plain_socket_read_each_other_in_a_room() {
    if !(can_run(NC) && can_run(TELNET)) {
        return;
    }
    let server = Server::starts();
    let mut nc = through_pipes(NC, server.address());
    let mut telnet = through_telnet(TELNET, &server);
    for (person, name) in [(&mut nc, "Chris"), (&mut telnet, "Kholaif")] {
        person.reads_all(&["* Welcome", USERNAME]);
        person.takes_username(name);
    }
    let mut socket = Person::joins(&server, "Omar");
    for person in [&mut nc, &mut telnet, &mut socket] {
        person.says("4");
        person.reads_until("* You are now in lobby");
    }
    telnet.says("sup nerds");
    for person in [&mut nc, &mut telnet, &mut socket] {
        person.reads_until("Kholaif: sup nerds");
    }
    telnet.says(".exit");
    telnet.reads_until(MENU);
    for person in [&mut nc, &mut socket] {
        person.reads_exactly("* Kholaif left lobby");
    }
    nc.says("q");
    nc.reads_exactly("* You left lobby");
    socket.reads_exactly("* Chris left lobby");
}
