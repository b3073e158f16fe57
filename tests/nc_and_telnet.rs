//! What anyone has installed: nc in its kinds through pipes, and telnet under a terminal of its own.
//!
//! Where a program is missing the test says so aloud; on CI that is a failure.
#![cfg(unix)]

mod common;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use common::ears::{Ears, Framing};
use common::{MENU, Person, Server, USERNAME, reference, skip};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A way to join that is a program: its name for the skip line, and its command line up to the address.
type Kind = (&'static str, &'static [&'static str]);

const NC: Kind = ("nc", &["nc"]);
const NC_CRLF: Kind = ("nc -C", &["nc", "-C"]);
const NCAT: Kind = ("ncat", &["ncat"]);
const BUSYBOX_NC: Kind = ("busybox nc", &["busybox", "nc"]);
const TELNET: Kind = ("telnet", &["telnet"]);
const BUSYBOX_TELNET: Kind = ("busybox telnet", &["busybox", "telnet"]);

/// The `nc` here is OpenBSD's, which has `-N`; others have other words for it.
fn nc_is_openbsds() -> bool {
    let help = Command::new("nc").arg("-h").output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stderr).contains("OpenBSD"))
}

fn is_installed((_, words): Kind) -> bool {
    let mut command = Command::new(words[0]);
    let applet = words.get(1).filter(|word| !word.starts_with('-'));
    let probe = if words[0] == "telnet" { "--version" } else { "--help" };
    let ran = command.args(applet).arg(probe).stdin(Stdio::null()).output();
    ran.is_ok_and(|ran| words[0] != "busybox" || ran.status.success())
}

/// A person who types into a program's standard input.
fn through_pipes((name, words): Kind, address: SocketAddr) -> Person {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args([address.ip().to_string(), address.port().to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("is installed");
    let stdout = child.stdout.take().expect("piped");
    let stdin = child.stdin.take().expect("piped");
    Person::through(child, Ears::new(name, Box::new(stdout), Framing::Wire), Box::new(stdin))
}

/// A person at a terminal, which echoes what is typed and turns Ctrl-C into a signal.
fn through_terminal((name, words): Kind, address: SocketAddr) -> Person {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&ours).expect("a terminal of our own");
    unlockpt(&ours).expect("a terminal of our own");
    let path = ptsname(&ours, Vec::new()).expect("a name");
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path.as_bytes())).to_owned();
    let theirs = OpenOptions::new().read(true).write(true).open(path).expect("the other side");
    // setsid -c makes the terminal the one that Ctrl-C belongs to.
    let mut command = Command::new("setsid");
    command.args(["-c", "-w"]).args(words);
    command.args([address.ip().to_string(), address.port().to_string()]);
    let end = || Stdio::from(theirs.try_clone().expect("a handle"));
    command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "dumb");
    let child = command.spawn().expect("is installed");
    let ours = File::from(ours);
    let ears = ours.try_clone().expect("a handle");
    Person::through(child, Ears::new(name, Box::new(ears), Framing::Terminal), Box::new(ours))
}

fn telnets(kind: Kind, server: &Server) -> Person {
    let mut person = through_terminal(kind, server.address());
    if kind == TELNET {
        person.hears("Trying ");
        person.hears("Connected to ");
        person.hears("Escape character is ");
    } else {
        person.hears("Connected to ");
    }
    person
}

/// Whether a test of this program can run; says so if not.
fn can_run(kind: Kind) -> bool {
    let installed = is_installed(kind);
    if !installed {
        skip(&format!("{} is not installed", kind.0));
    }
    installed
}

fn the_reference_session_through(kind: Kind) {
    if !can_run(kind) {
        return;
    }
    reference::plays(
        |server| through_pipes(kind, server.address()),
        |mut person| {
            person.half_close();
            person.hears_the_end();
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
fn the_reference_session_runs_through_nc_that_sends_cr_lf() {
    if !can_run(NC) {
        return;
    }
    if !nc_is_openbsds() {
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
    reference::plays(
        |server| telnets(TELNET, server),
        |mut person| {
            person.hears("Connection closed by foreign host");
            person.hears_the_end();
        },
    );
}

#[test]
fn ctrl_c_in_telnet_clears_the_line_and_telnet_goes_on_showing_what_comes() {
    if !can_run(TELNET) {
        return;
    }
    if Command::new("setsid").arg("--version").output().is_err() {
        return skip("setsid is not installed");
    }
    let server = Server::starts();
    let mut bert = Person::joins(&server, "bert");
    let mut anna = telnets(TELNET, &server);
    anna.hears_all(&["* Welcome", USERNAME]);
    anna.enters("anna");
    for _ in 0..3 {
        // telnet now throws away what it reads until its timing mark is refused; the answer to a line
        // typed after that shows that it was. The terminal shows ^C and the line as one.
        anna.sends(b"half a line\x03");
        anna.sends(b"1 anna\n");
        anna.hears_containing("^C1 anna");
        anna.hears_all(&["* 1 user", "- anna available (you)", MENU]);
        bert.asks(&mut anna);
        bert.says("cancel");
        bert.hears_all(&["* You withdrew", MENU]);
        anna.hears_all(&["* bert withdrew", MENU]);
        bert.exits();
        bert.hears_the_end();
        bert = Person::joins(&server, "bert");
    }
    // Umlauts, and a line corrected with backspace before it was sent.
    anna.chats_with(&mut bert);
    anna.sends("grx\x7füße\n".as_bytes());
    bert.hears_exactly("anna: grüße");
}

#[test]
fn a_script_through_nc_prints_every_answer_and_ends() {
    if !can_run(NC) {
        return;
    }
    if !nc_is_openbsds() {
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
    let output = child.wait_with_output().expect("nc ends");
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
fn a_script_without_an_exit_ends_as_well() {
    for (kind, flag) in [(NC, Some("-N")), (NCAT, None)] {
        if !can_run(kind) {
            continue;
        }
        if kind == NC && !nc_is_openbsds() {
            skip("this nc is not OpenBSD's and has no -N");
            continue;
        }
        let server = Server::starts();
        let mut command = Command::new(kind.1[0]);
        command.args(flag).args(["127.0.0.1", &server.address().port().to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("is installed");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(b"anna\n1").expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(text.contains("- anna available (you)\r\n? 1 list users"), "{}: {text}", kind.0);
    }
}

#[test]
fn busybox_telnet_joins_leaves_and_sends_each_key_as_it_is_typed() {
    if !can_run(BUSYBOX_TELNET) {
        return;
    }
    let server = Server::starts();
    let mut bert = Person::joins(&server, "bert");
    let mut anna = telnets(BUSYBOX_TELNET, &server);
    anna.hears_all(&["* Welcome", USERNAME]);
    anna.sends(b"a");
    anna.sends(b"nna\n");
    anna.hears_at_last(MENU);
    bert.says("1 anna");
    bert.hears_all(&["* 1 user", "- anna available", MENU]);
    anna.sends(b"3\n");
    anna.hears_at_last("* Goodbye");
}

/// (6.2, 6.3, 6.4)
#[test]
fn three_who_joined_with_nc_telnet_and_a_socket_hear_each_other_in_a_room() {
    if !(can_run(NC) && can_run(TELNET)) {
        return;
    }
    let server = Server::starts();
    let mut nc = through_pipes(NC, server.address());
    let mut telnet = telnets(TELNET, &server);
    for (person, name) in [(&mut nc, "Chris"), (&mut telnet, "Kholaif")] {
        person.hears_all(&["* Welcome", USERNAME]);
        person.enters(name);
    }
    let mut socket = Person::joins(&server, "Omar");
    for person in [&mut nc, &mut telnet, &mut socket] {
        person.says("4");
        person.hears_at_last("* You are now in lobby");
    }
    telnet.says("sup nerds");
    for person in [&mut nc, &mut telnet, &mut socket] {
        person.hears_at_last("Kholaif: sup nerds");
    }
    telnet.says(".exit");
    telnet.hears_at_last(MENU);
    for person in [&mut nc, &mut socket] {
        person.hears_exactly("* Kholaif left lobby");
    }
    nc.says("q");
    nc.hears_exactly("* You left lobby");
    socket.hears_exactly("* Chris left lobby");
}
