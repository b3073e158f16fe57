//! The client without a terminal: in a pipe, as scripts use it.

#[path = "client/server.rs"]
mod server;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

use server::{CHINWAG, Peer, Server};

/// Runs `chinwag connect` with this input until it exits.
fn connect(address: &str, args: &[&str], input: &str) -> Output {
    start(address, args, input).wait_with_output().expect("the client exits")
}

/// Starts `chinwag connect` with this input.
fn start(address: &str, args: &[&str], input: &str) -> Child {
    let mut client = Command::new(CHINWAG)
        .args(["connect", address])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let mut stdin = client.stdin.take().expect("stdin is piped");
    // A client that has failed already reads nothing, and the write fails. The test checks the
    // output.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    client
}

/// The lines that the client printed, without the greeting.
fn lines(output: &Output) -> Vec<&str> {
    let text = str::from_utf8(&output.stdout).expect("UTF-8");
    text.lines().filter(|line| !line.starts_with("* Welcome")).collect()
}

fn error(output: &Output) -> &str {
    str::from_utf8(&output.stderr).expect("UTF-8")
}

#[test]
fn answers_to_every_line_are_printed_without_prompts() {
    let server = Server::start();
    let output = connect(&server.address.to_string(), &[], "anna\n1\n3\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let expected =
        ["* Hello, anna", "* 1 user online", "- anna available (you)", "* Goodbye, anna"];
    assert_eq!(lines(&output), expected);
    assert_eq!(error(&output), "");

    let output = connect(&server.address.to_string(), &["--name", "anna"], "1");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(lines(&output), expected[..3], "a last line without an ending counts");
}

#[test]
fn standard_input_may_be_a_file_or_empty() {
    let server = Server::start();
    let run = |input: File| {
        let address = server.address.to_string();
        let args = ["connect", &address, "--name", "anna"];
        Command::new(CHINWAG).args(args).stdin(input).output().expect("the client exits")
    };
    let path = std::env::temp_dir().join(format!("chinwag-input-{}", std::process::id()));
    std::fs::write(&path, "1\n".repeat(2_000)).expect("a file can be written");
    let output = run(File::open(&path).expect("the file was written"));
    std::fs::remove_file(&path).expect("the file can be removed");
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    assert_eq!(lines(&output).len(), 1 + 2 * 2_000);

    let output = run(File::open("/dev/null").expect("/dev/null exists"));
    assert_eq!((output.status.code(), lines(&output)), (Some(0), vec!["* Hello, anna"]));
}

#[test]
fn requests_and_messages_are_printed_as_they_arrive() {
    let server = Server::start();
    let mut bot = Command::new(CHINWAG)
        .args(["connect", &server.address.to_string(), "--name", "bot"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let (mut typed, printed) =
        (bot.stdin.take().expect("piped"), bot.stdout.take().expect("piped"));
    let mut printed = BufReader::new(printed).lines().map(|line| line.expect("UTF-8"));
    assert!(printed.any(|line| line == "* Hello, bot"));
    let mut ben = Peer::join(&server, "ben");
    ben.say("2 bot");
    assert_eq!(printed.next().as_deref(), Some("? ben wants to chat. Accept? yes or no"));
    typed.write_all(b"yes\n").expect("the client reads");
    ben.read_until("* You are now chatting with bot");
    ben.say("ping \x1b[31m");
    assert!(printed.any(|line| line == "ben: ping "));
    typed.write_all("pong 日本\n".as_bytes()).expect("the client reads");
    typed.write_all(b"\xff\xf4\n").expect("the client reads");
    assert_eq!(ben.read_until("bot: "), "bot: pong 日本");
    assert!(printed.any(|line| line.starts_with("! That line is not UTF-8")));
    drop(typed);
    ben.read_until("* bot left");
    assert_eq!(bot.wait().expect("the client exits").code(), Some(0));
}

#[test]
fn a_connection_that_cannot_be_made_is_one_error_line_and_exit_code_1() {
    let address = Server::start().address.to_string();
    let output = connect(&address, &[], "anna\n");
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b""[..]));
    let reason = format!("chinwag: cannot connect to {address}: Connection refused\n");
    assert_eq!(error(&output), reason);

    let output = connect("chinwag.invalid", &[], "anna\n");
    assert_eq!(output.status.code(), Some(1));
    // Without a name server the lookup fails for another reason.
    let is_known_error = |start| error(&output).starts_with(start);
    assert!(
        is_known_error("chinwag: no host called chinwag.invalid\n")
            || is_known_error("chinwag: cannot find chinwag.invalid: ")
    );
    assert_eq!(error(&output).lines().count(), 1);
}

/// (4.2.3)
#[test]
fn when_the_username_is_taken_no_line_of_the_input_becomes_the_username() {
    let server = Server::start();
    let address = server.address.to_string();
    let mut anna = Peer::join(&server, "anna");
    for (args, input) in [(&["--name", "anna"][..], "ben\n1\n"), (&[], "anna\nben\n1\n")] {
        let output = connect(&address, args, input);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(lines(&output), [""; 0]);
        let reason = format!("chinwag: {address} says: anna is taken; choose another\n");
        assert_eq!(error(&output), reason);
    }
    anna.say("1");
    assert_eq!(anna.read_until("* 1 user"), "* 1 user online", "nobody called ben has come");
}

/// Runs the client against a peer that sends `greeting` and closes, and returns its error message
/// without the address.
fn refused(greeting: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let client = start(&address, &["--name", "anna"], "1\n");
    let (mut socket, _) = listener.accept().expect("the client connects");
    socket.write_all(greeting.as_bytes()).expect("the client reads");
    drop(socket);
    let output = client.wait_with_output().expect("the client exits");
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b""[..]));
    assert_eq!(error(&output).lines().count(), 1);
    error(&output).replace(&address, "ADDRESS")
}

/// (7.25, 8.2.3, 2.4.1)
#[test]
fn a_server_that_refuses_and_a_peer_that_is_no_server_are_one_error_line_and_exit_code_1() {
    let full = refused("! The server is full, try again later\r\n");
    assert_eq!(full, "chinwag: ADDRESS says: The server is full, try again later\n");
    let banned = refused("! Your address is banned\r\n");
    assert_eq!(banned, "chinwag: ADDRESS says: Your address is banned\n");
    let web = refused("HTTP/1.1 400 Bad Request\r\n\r\n<html><body>400</body></html>\r\n");
    assert_eq!(web, "chinwag: ADDRESS does not look like chinwag: it asks for no name\n");
}

/// (2.1.6, 2.2.3)
#[test]
fn a_server_that_dies_before_it_has_processed_the_input_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let client = start(&address, &["--name", "anna"], "1\n");
    let (mut socket, _) = listener.accept().expect("the client connects");
    socket.write_all(b"? Username:\r\n* Hello, anna\r\n").expect("the client reads");
    // Everything is read, so the kernel ends the connection with FIN, as after a crash.
    std::io::copy(&mut socket, &mut std::io::sink()).expect("the client ends its half");
    drop(socket);
    let output = client.wait_with_output().expect("the client exits");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn a_port_may_follow_the_host_as_in_nc() {
    let server = Server::start();
    let port = server.address.port().to_string();
    let output = connect("127.0.0.1", &[&port, "--name", "anna"], "3\n");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let output = connect("127.0.0.1:1", &["2"], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(error(&output), "chinwag: two ports were given: 1 and 2\n");
}

#[test]
fn a_connection_lost_in_the_middle_is_one_error_line_and_exit_code_1() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let mut client = Command::new(CHINWAG)
        .args(["connect", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let (mut socket, _) = listener.accept().expect("the client connects");
    socket.write_all(b"* Welcome\r\n* the last wor").expect("the client reads");
    drop(socket);
    let stdin = client.stdin.take();
    let output =
        client.wait_with_output().expect("the client exits although its stdin is still open");
    drop(stdin);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&output), ["* the last wor"]);
    assert_eq!(
        error(&output),
        "chinwag: the connection was lost: the server closed the connection\n"
    );
}

#[test]
fn wrong_arguments_are_one_error_line_and_exit_code_2() {
    for args in [["connect", "host:no-port"], ["connect", "--bell=loud"], ["connect", "--wrong"]] {
        let output = Command::new(CHINWAG).args(args).output().expect("the client exits");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(error(&output).lines().count(), 1, "{args:?}");
    }
}
