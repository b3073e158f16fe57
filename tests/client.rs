//! The terminal client as a user sees it: it runs under a pty and talks to the real server, and a
//! terminal emulator reads its screen.

#[path = "client/delivery.rs"]
mod delivery;
#[path = "client/person.rs"]
#[allow(dead_code, reason = "other tests under a pty use the rest")]
mod person;
#[path = "client/picture.rs"]
mod picture;
#[path = "client/rogue.rs"]
#[allow(dead_code, reason = "the tests of TLS use the rest")]
mod rogue;
#[path = "client/server.rs"]
mod server;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use person::Person;
use rustix::process::Signal;
use server::{Peer, Server};
use socket2::SockRef;

/// Anna at the menu, in a terminal of this size.
fn anna(server: &Server, rows: u16, columns: u16) -> Person {
    let mut anna = Person::connect(server, rows, columns, &["--name", "anna"]);
    anna.sees_row("menu> |");
    anna
}

/// Anna in a chat with ben.
fn anna_and_ben(server: &Server, rows: u16, columns: u16) -> (Person, Peer) {
    let mut ben = Peer::join(server, "ben");
    let mut anna = anna(server, rows, columns);
    anna.press("2 ben\r");
    ben.read_until("? anna wants to chat");
    ben.say("yes");
    anna.sees_row("to ben> |");
    ben.read_until("* You are now chatting with anna");
    (anna, ben)
}

#[test]
fn a_request_that_arrives_while_a_line_with_wide_characters_is_typed_moves_no_character() {
    let server = Server::start();
    let mut ben = Peer::join(&server, "ben");
    let mut anna = anna(&server, 12, 60);
    anna.press("2 日本👩‍👩‍👧e\u{301}n\x1b[D\x1b[D");
    anna.waits_until("the line", |screen| screen.last().is_some_and(|row| row.contains("|e")));
    let before = anna.screen().pop().expect("the line");
    ben.say("2 anna");
    anna.sees_row("? ben wants to chat");
    anna.waits_until("the line", |screen| screen.last().is_some_and(|row| row.contains("|e")));
    let after = anna.screen().pop().expect("the line");
    assert_eq!(after, before.replace("menu> ", "ben?> "), "no character has moved");
    anna.press("語\x15\x0byes\r");
    ben.read_until("* You are now chatting with anna");
    anna.sees_row("to ben> |");
    anna.press("日本 👩‍👩‍👧x\x7f\x7f語\r");
    assert_eq!(
        ben.read_until("anna: "),
        "anna: 日本 語",
        "one backspace deletes the whole grapheme cluster"
    );
}

#[test]
fn after_a_resize_the_typed_line_is_drawn_again_unchanged() {
    let server = Server::start();
    let (mut anna, mut ben) = anna_and_ben(&server, 10, 60);
    anna.press("a line that will not fit into a narrow terminal");
    anna.sees(&["to ben> a line that will not fit into a narrow terminal|"]);
    anna.resize(10, 24);
    anna.sees_row("to ben> <");
    ben.say("hello");
    anna.sees_row("ben: hello");
    anna.resize(10, 60);
    anna.sees(&["to ben> a line that will not fit into a narrow terminal|"]);
    anna.press("\r");
    ben.read_until("anna: a line that will not fit into a narrow terminal");
}

#[test]
fn a_terminal_two_rows_high_is_enough() {
    let server = Server::start();
    let (mut anna, mut ben) = anna_and_ben(&server, 2, 40);
    anna.press("half a");
    anna.sees(&["to ben> half a|"]);
    ben.say("one");
    ben.say("two");
    anna.sees(&["ben: two", "to ben> half a|"]);
    anna.press(" line\r");
    ben.read_until("anna: half a line");
    anna.sees(&["anna: half a line", "to ben> |"]);
}

#[test]
fn several_pasted_lines_are_sent_only_after_a_question() {
    let server = Server::start();
    let (mut anna, mut ben) = anna_and_ben(&server, 16, 60);
    anna.press("\x1b[200~fn main() {\r    /* 日本 */\r}\r\x1b[201~");
    anna.sees(&[
        "-- Pasted 3 lines:",
        "   | fn main() {",
        "   |     /* 日本 */",
        "   | }",
        "Send 3 lines to ben? y/n> |",
    ]);
    ben.say("wait");
    anna.sees(&["ben: wait", "Send 3 lines to ben? y/n> |"]);
    anna.press("y");
    assert_eq!(ben.read_until("anna: "), "anna: fn main() {");
    assert_eq!(ben.read_until("anna: "), "anna:     /* 日本 */");
    assert_eq!(ben.read_until("anna: "), "anna: }");
    anna.press("\x1b[200~one\rtwo\x1b[201~n");
    anna.sees(&["-- Nothing was sent", "to ben> |"]);
}

#[test]
fn the_client_reconnects_to_a_restarted_server_with_its_username_and_draft() {
    let server = Server::start();
    let address = server.address.to_string();
    let (mut anna, _ben) = anna_and_ben(&server, 16, 60);
    anna.press("half a line");
    anna.sees(&["to ben> half a line|"]);
    drop(server);
    anna.sees_row("-- Connection lost: ");
    anna.sees_row("-- Reconnecting; press any key to try now");
    anna.waits_until("the draft", |screen| {
        screen.last().is_some_and(|row| row.ends_with("> half a line|"))
    });
    let server = Server::start_at(&address);
    anna.press("\x05");
    anna.sees_row("-- Connected again");
    anna.sees_row("* Hello, anna");
    anna.sees_row("  menu> half a line|");
    anna.press("\r");
    anna.sees(&[
        "-- This line was for ben; Enter again sends it to the menu",
        "  menu> half a line|",
    ]);
    anna.press("\x032 ben\r");
    anna.sees_row("! Nobody called ");
    drop(server);
}

#[test]
fn with_its_output_in_a_pipe_a_person_still_sees_the_prompts() {
    let server = Server::start();
    let command = format!("{} connect {} | cat", server::CHINWAG, server.address);
    let mut anna = Person::run("sh", &["-c", &command], 12, 60);
    anna.sees_row("? Username:");
    anna.press("anna\r");
    anna.sees_row("* Hello, anna");
    anna.sees_row("? 1 list users");
    anna.press("3\r");
    anna.sees_row("* Goodbye, anna");
    assert_eq!(anna.exits().code(), Some(0));
}

/// Plays a server: accepts the client and leads it into a chat with eve.
fn accept_and_start_a_chat(listener: &TcpListener) -> BufReader<TcpStream> {
    let (socket, _) = listener.accept().expect("the client connects");
    socket.set_read_timeout(Some(server::TIMEOUT)).expect("a deadline can be set");
    let mut socket = BufReader::new(socket);
    socket.get_mut().write_all(b"? Username:\r\n").expect("the client reads");
    let mut name = String::new();
    socket.read_line(&mut name).expect("the client gives its name");
    assert_eq!(name, "anna\r\n", "the client sends its name first");
    let words = "* Hello, anna\r\n? 1 list\r\n* You are now chatting with eve; quit ends it\r\n";
    socket.get_mut().write_all(words.as_bytes()).expect("the client reads");
    socket
}

#[test]
fn lines_that_a_lost_server_did_not_read_are_offered_and_are_not_sent_without_a_yes() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    // Small segments and a small buffer, so that the kernel's buffers are full soon.
    let settings = SockRef::from(&listener);
    settings.set_tcp_mss(536).expect("segments can be small");
    settings.set_recv_buffer_size(2048).expect("buffers can be small");
    let address = listener.local_addr().expect("it is bound").to_string();
    let args = ["connect", &address, "--name", "anna", "--color", "never"];
    let mut anna = Person::run(server::CHINWAG, &args, 12, 60);
    let first = accept_and_start_a_chat(&listener);
    settings.set_recv_buffer_size(1 << 20).expect("buffers can be large");
    anna.sees_row("to eve> |");
    // The server reads none of these lines, until only the client has room for more.
    for _ in 0..6 {
        let lines = format!("{}\r", "x".repeat(1000)).repeat(60);
        anna.press(&format!("\x1b[200~{lines}\x1b[201~"));
        anna.sees_row("Send 60 lines to eve? y/n> |");
        anna.press("y");
        anna.sees_row("to eve");
    }
    anna.press("the last line");
    anna.waits_until("the last line", |screen| {
        screen.last().is_some_and(|row| row.ends_with("> the last line|"))
    });
    anna.press("\r");
    let is_waiting = |screen: &[String]| {
        screen.last().is_some_and(|row| row.ends_with(" waiting, Ctrl-C drops them)> |"))
    };
    anna.waits_until("the lines that wait", is_waiting);
    drop(first);
    anna.sees_row("-- Reconnecting; press any key to try now");
    anna.sees_row("   | the last line");
    anna.press("\x05");
    let mut second = accept_and_start_a_chat(&listener);
    anna.sees(&["* You are now chatting with eve; quit ends it", "to eve> |"]);
    anna.press("first things first\r");
    let mut line = String::new();
    second.read_line(&mut line).expect("the client sends");
    assert_eq!(line, "first things first\r\n", "unsent lines wait until the user asks for them");
    anna.press("\x1b[A");
    anna.waits_until("the offer", |screen| {
        screen.last().is_some_and(|row| row.ends_with(" lines to eve? y/n> |"))
    });
    anna.press("y");
    anna.sees(&["anna: the last line", "to eve> |"]);
    while line != "the last line\r\n" {
        line.clear();
        assert_ne!(second.read_line(&mut line).expect("the client sends"), 0);
    }
}

/// (6.1.4, 4.8.2, 6.2.1, 4.8.6, 4.8.7, 4.8.8, 6.3.1)
#[test]
fn the_prompt_distinguishes_a_room_from_a_user_and_history_is_shown_in_local_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let args = ["connect", &address, "--name", "anna", "--color", "never"];
    let mut anna = Person::run(server::CHINWAG, &args, 12, 60);
    let mut server = accept_and_start_a_chat(&listener);
    send_lines(&mut server, &["* eve left the chat", "? 1 list"]);
    send_lines(&mut server, &["* You are now in eve; quit leaves it", "- ben"]);
    send_lines(&mut server, &["* The last line said here", "- 2026-01-02 03:04Z ben: hi"]);
    anna.sees(&["- 2026-01-02 03:04 ben: hi", "#eve> |"]);
    anna.press("hello\r");
    assert_eq!(read_line(&mut server), "hello\r\n");
    let asked = "? ben wants to chat, /yes or /no";
    send_lines(&mut server, &["ben: first", "anna: hello", asked]);
    anna.sees(&["ben: first", "anna: hello", asked, "#eve (ben asks: /yes /no)> |"]);
    anna.press("/yes\r");
    assert_eq!(read_line(&mut server), "/yes\r\n");
    send_lines(&mut server, &["* You left eve", "* You are now chatting with ben; quit ends it"]);
    anna.sees_row("to ben> |");
}

fn send_lines(server: &mut BufReader<TcpStream>, lines: &[&str]) {
    let lines = lines.join("\r\n") + "\r\n";
    server.get_mut().write_all(lines.as_bytes()).expect("the client reads");
}

fn read_line(server: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    server.read_line(&mut line).expect("the client sends");
    line
}

#[test]
fn ctrl_z_restores_the_terminal_and_fg_takes_it_again() {
    let server = Server::start();
    let mut shell = Person::run("sh", &["-i"], 20, 70);
    let is_canonical = |screen: &[String]| {
        screen.iter().any(|row| row.split_whitespace().any(|word| word == "icanon"))
    };
    shell.sees_row("$ |");
    shell.press(&format!("{} connect {} --name anna\r", server::CHINWAG, server.address));
    shell.sees_row("menu> |");
    shell.press("half a line");
    shell.sees_row("menu> half a line|");
    shell.press("\x1a");
    shell.waits_until("the shell", |screen| screen.last().is_some_and(|row| row == "$ |"));
    // A shell with line editing changes the terminal's settings, but restores them while a command
    // runs. stty therefore shows the settings that the client has left.
    shell.press("stty -a\r");
    shell.waits_until("a terminal in its usual mode", is_canonical);
    shell.press("printf '\\033[H\\033[2J'; fg\r");
    shell.waits_until("the line", |screen| {
        screen.last().is_some_and(|row| row == "menu> half a line|")
    });
    shell.press("!\x153\r");
    shell.waits_until("the shell", |screen| screen.last().is_some_and(|row| row == "$ |"));
    shell.press("stty -a\r");
    shell.waits_until("a terminal in its usual mode", is_canonical);
}

#[test]
fn without_a_shell_that_could_continue_it_the_client_ignores_ctrl_z() {
    let server = Server::start();
    let mut anna = anna(&server, 5, 60);
    anna.press("a\x1a");
    anna.press("b");
    anna.sees(&["menu> ab|"]);
}

#[test]
fn a_client_that_gets_sigstop_and_sigcont_draws_its_line_again() {
    let server = Server::start();
    let mut anna = anna(&server, 5, 60);
    anna.press("ab");
    anna.sees(&["menu> ab|"]);
    anna.signal(Signal::STOP);
    anna.signal(Signal::CONT);
    anna.press("c");
    anna.sees(&["menu> abc|"]);
    assert!(!anna.has_restored_the_terminal());
}

#[test]
fn every_way_to_exit_restores_the_terminal() {
    let server = Server::start();
    let keys = [("3\r", 0), ("exit\r", 0), ("\x04", 0), ("text\x03\x03y", 0)];
    for (keys, code) in keys {
        let mut anna = anna(&server, 6, 60);
        assert!(!anna.has_restored_the_terminal());
        anna.press(keys);
        assert_eq!(anna.exits().code(), Some(code), "{keys:?}");
        assert!(anna.has_restored_the_terminal(), "{keys:?}");
    }
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut anna = anna(&server, 6, 60);
        anna.press("half");
        anna.sees(&["menu> half|"]);
        anna.signal(signal);
        assert_eq!(anna.exits().code(), Some(128 + signal.as_raw()));
        assert!(anna.has_restored_the_terminal(), "{signal:?}");
        assert!(!anna.screen().iter().any(|row| row.starts_with("menu> half")));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_panic_restores_the_terminal_before_its_message_is_printed() {
    use chinwag::client::io::terminal::Terminal;
    use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
    use rustix::termios::tcgetattr;
    use std::os::fd::AsFd;

    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let pty = openpt(flags).expect("a pty");
    unlockpt(&pty).expect("a new pty can be unlocked");
    let tty = ioctl_tiocgptpeer(&pty, flags).expect("the other side of the pty");
    let settings = || format!("{:?}", tcgetattr(&tty).expect("a terminal"));
    let before = settings();
    // `terminal` outlives the panic, so its `drop` cannot be what restores the settings.
    let mut terminal = Terminal::borrow(tty.as_fd(), tty.as_fd()).expect("a terminal");
    terminal.restore_on_panic().expect("descriptors can be copied");
    assert_ne!(settings(), before);
    std::panic::catch_unwind(|| panic!("a bug")).expect_err("the closure panics");
    assert_eq!(settings(), before);
    terminal.enter().expect("the terminal is still open");
    assert_ne!(settings(), before);
    drop(terminal);
    assert_eq!(settings(), before);
}

#[test]
fn with_no_reconnect_a_lost_connection_ends_the_client() {
    let server = Server::start();
    let mut anna = Person::connect(&server, 8, 60, &["--name", "anna", "--no-reconnect"]);
    anna.sees_row("menu> |");
    drop(server);
    assert_eq!(anna.exits().code(), Some(1));
    assert!(anna.has_restored_the_terminal());
    anna.sees_row("chinwag: the connection was lost: ");
}

#[test]
fn without_a_server_the_client_prints_one_error_line_and_restores_the_terminal() {
    let address = Server::start().address.to_string();
    let mut anna = Person::run(server::CHINWAG, &["connect", &address], 5, 70);
    assert_eq!(anna.exits().code(), Some(1));
    assert!(anna.has_restored_the_terminal());
    anna.sees_row(&format!("chinwag: cannot connect to {address}: Connection refused"));
}

#[test]
fn control_sequences_from_a_malicious_server_do_not_reach_the_terminal() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let args = ["connect", &address, "--name", "anna", "--color", "never", "--bell", "all"];
    let mut anna = Person::run(server::CHINWAG, &args, 20, 60);
    let (mut server, _) = listener.accept().expect("the client connects");
    let lines = [
        "* \x1b]0;title\x07\x1b[2J\x1b[31mWelcome\u{9b}5mx",
        "? Username:",
        "* Hello, an\x1b[5mna\u{202e}",
        "? \x1b[Heve\x1b[8m wants to chat, yes or no",
        "eve: \x1bP+q\x1b\\ \x1b[6n\x07\u{2066}hi",
        "* You are now chatting with e\x1b[Hve\x07; quit ends it",
        "the end",
    ];
    server.write_all(lines.join("\r\n").as_bytes()).expect("the client reads");
    server
        .write_all(b"\xff\xfd\x01\xff\xfa\x18\x01\xff\xf0\r\n\xc3\x28\r\n")
        .expect("the client reads");
    anna.sees_row("to eve> |");
    anna.sees_row("-- A line of the server could not be read");
    anna.sees_row("the end");
    let written = String::from_utf8_lossy(&anna.written).into_owned();
    for hostile in
        ["\x1b]", "\x1b[31m", "\x1b[H", "\x1b[8m", "\x1bP", "\x1b[6n", "\u{9b}", "\u{202e}"]
    {
        assert!(!written.contains(hostile), "{hostile:?} in {}", anna.written.escape_ascii());
    }
    assert_eq!(
        written.matches('\x07').count(),
        1,
        "a request and a message in the same turn ring the bell once"
    );
}

/// Whether `row` is a time of day before `text`.
fn is_stamped(row: &str, text: &str) -> bool {
    row.split_once(&format!(" {text}"))
        .is_some_and(|(time, _)| time.len() == 5 && time.as_bytes()[2] == b':')
}

#[test]
fn a_request_rings_the_bell_and_lines_have_timestamps_by_default() {
    let server = Server::start();
    let mut ben = Peer::join(&server, "ben");
    let address = server.address.to_string();
    let client = ["-u", "CHINWAG_TIMESTAMPS", server::CHINWAG, "connect", &address];
    let args = [&client[..], &["--color", "never", "--name", "anna"]].concat();
    let mut anna = Person::run("env", &args, 10, 60);
    anna.sees_row("menu> |");
    ben.say("2 anna");
    anna.waits_until("a time", |screen| {
        screen.iter().any(|row| is_stamped(row, "? ben wants to chat"))
    });
    assert!(anna.written.contains(&b'\x07'));
    let mut eve = Person::connect(&server, 10, 60, &["--name", "eve", "--timestamps", "off"]);
    eve.sees_row("* Hello, eve");
}

#[test]
#[cfg(target_os = "linux")]
fn an_idle_client_does_not_wake_up() {
    let server = Server::start();
    let (mut anna, mut ben) = anna_and_ben(&server, 10, 60);
    ben.say("hi");
    anna.sees_row("ben: hi");
    // On a busy machine the client may still be handling the message, so one quiet second out of
    // ten suffices. A client that polls has no quiet second at all.
    let is_quiet = |anna: &mut Person| {
        let before = anna.wake_ups();
        anna.sees_nothing_for(std::time::Duration::from_secs(1)) && anna.wake_ups() == before
    };
    assert!((0..10).any(|_| is_quiet(&mut anna)), "the client wakes up: {}", anna.wake_ups());
}
