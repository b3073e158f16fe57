//! No typed line is ever lost: every line is delivered, shown as pending, or offered again. The
//! client runs under a pty, and its server dies at every step.

use rustix::process::Signal;

use crate::person::Person;
use crate::rogue::{Death, Rogue, certificate};
use crate::server::{CHINWAG, Peer, Server};

const TYPED: [&str; 3] = ["one", "two", "three"];

fn anna(address: &str) -> Person {
    let ca = certificate("ca.pem");
    let mut args = vec!["connect", address, "--name", "anna", "--color", "never"];
    if address.starts_with("tls://") {
        args.extend(["--tls-ca", &ca]);
    }
    Person::run(CHINWAG, &args, 60, 70)
}

/// Servers with and without TLS, and how each dies.
fn deaths() -> impl Iterator<Item = (fn() -> Rogue, Death)> {
    let servers: [fn() -> Rogue; 2] = [Rogue::new, Rogue::with_tls];
    servers.into_iter().flat_map(|server| [(server, Death::Reset), (server, Death::Crash)])
}

/// Types the three lines.
fn types_all(anna: &mut Person) {
    anna.press(&TYPED.map(|line| format!("{line}\r")).concat());
}

/// Lets the client reconnect at once.
fn reconnects(anna: &mut Person) {
    anna.sees_row("-- Reconnecting; press any key to try now");
    anna.press("\x05");
}

/// Accepts the offer of `count` lines.
fn accepts(anna: &mut Person, count: usize) {
    let lines = if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    anna.waits_until("the offer", |screen| {
        screen
            .iter()
            .any(|row| row.starts_with(&format!("-- {lines} ")) && row.ends_with("offers them"))
    });
    anna.press("\x1b[A");
    anna.waits_until("the question", |screen| {
        screen.last().is_some_and(|row| row.starts_with(&format!("Send {lines} to ")))
    });
    anna.press("y");
}

/// (4.8.2, 6.1.4)
#[test]
fn in_a_room_every_line_is_said_exactly_once_wherever_the_server_dies() {
    for (server, death) in deaths() {
        // The server says some of the lines, and the client reads the echoes of some of these.
        for (said, echoed) in (0..=3).flat_map(|said| (0..=said).map(move |echoed| (said, echoed)))
        {
            let (server, typed) = (server(), TYPED.map(|line| format!("anna: {line}")));
            let mut anna = anna(&server.address());
            let mut first = server.accept();
            anna.sees_row("menu> |");
            anna.press("4 lobby\r");
            first.enter_lobby(&[]);
            anna.sees_row("#lobby> |");
            types_all(&mut anna);
            assert_eq!(first.read_lines(3), TYPED);
            for echo in &typed[..echoed] {
                first.say(&[echo]);
                anna.sees_row(echo);
            }
            first.die(death);
            reconnects(&mut anna);
            let mut second = server.accept();
            second.enter_lobby(&typed[..said]);
            anna.sees_row("-- You missed ");
            if said < 3 {
                accepts(&mut anna, 3 - said);
            }
            assert_eq!(second.read_lines(3 - said), TYPED[said..], "{death:?} {said} {echoed}");
            anna.press("last\r");
            assert_eq!(second.read(), "last", "no line comes twice");
            let screen = anna.screen();
            for line in &typed[..echoed] {
                let count = screen.iter().filter(|row| row.ends_with(line.as_str())).count();
                assert_eq!(count, 1, "{line} is shown twice: {screen:#?}");
            }
        }
    }
}

/// (4.7.2)
#[test]
fn in_a_chat_every_line_that_may_be_lost_is_offered_wherever_the_server_dies() {
    for (server, death) in deaths() {
        for delivered in 0..=3 {
            let server = server();
            let mut anna = anna(&server.address());
            let mut first = server.accept();
            first.say(&["* You are now chatting with ben; quit ends it"]);
            anna.sees_row("to ben> |");
            types_all(&mut anna);
            anna.sees_row("anna: three");
            let mut read = first.read_lines(3);
            read.truncate(delivered);
            first.die(death);
            anna.sees_row("-- May not have arrived: 3 lines");
            reconnects(&mut anna);
            let mut second = server.accept();
            second.say(&["* You are now chatting with ben; quit ends it"]);
            anna.sees_row("to ben> |");
            accepts(&mut anna, 3);
            read.extend(second.read_lines(3));
            for line in TYPED {
                assert!(read.iter().any(|read| read == line), "{death:?}: {line} is lost");
            }
        }
    }
}

/// (4.7.2)
#[test]
fn in_a_chat_lines_are_proven_by_later_lines_of_the_server() {
    for (server, death) in deaths() {
        lines_are_proven_by_later_lines(&server(), death);
    }
}

fn lines_are_proven_by_later_lines(server: &Rogue, death: Death) {
    let mut anna = anna(&server.address());
    let mut first = server.accept();
    first.say(&["* You are now chatting with ben; quit ends it"]);
    anna.sees_row("to ben> |");
    anna.press("one\r");
    assert_eq!(first.read(), "one");
    for answer in ["ben: hi", "ben: really?"] {
        first.say(&[answer]);
        anna.sees_row(answer);
    }
    anna.press("two\r");
    assert_eq!(first.read(), "two");
    first.die(death);
    anna.sees_row("-- May not have arrived: 1 line");
    anna.sees_row("   | two");
    reconnects(&mut anna);
    let mut second = server.accept();
    second.say(&["* You are now chatting with ben; quit ends it"]);
    anna.sees_row("to ben> |");
    accepts(&mut anna, 1);
    assert_eq!(second.read(), "two");
}

/// (2.1.6, 2.2.3)
#[test]
fn a_server_that_dies_while_the_client_leaves_is_an_error_that_shows_the_lines() {
    for (server, death) in deaths() {
        let server = server();
        let mut anna = anna(&server.address());
        let mut first = server.accept();
        first.say(&["* You are now chatting with ben; quit ends it"]);
        anna.sees_row("to ben> |");
        types_all(&mut anna);
        anna.sees_row("anna: three");
        anna.press("\x04");
        anna.sees_row("Leaving after 3 lines; Ctrl-C drops them> |");
        assert_eq!(first.read_lines(3), TYPED);
        first.die(death);
        assert_eq!(anna.exits().code(), Some(1));
        anna.sees_row("-- May not have arrived: 3 lines");
        anna.sees_row("   | three");
        assert!(anna.has_restored_the_terminal());
    }
}

/// A server with a quick room, anna in its lobby, and ben there.
fn anna_and_ben_in_the_lobby() -> (Server, Person, Peer) {
    let server = Server::start_with("127.0.0.1:0", &["--room-pace", "100"]);
    let mut ben = Peer::join(&server, "ben");
    ben.say("4");
    ben.read_until("* You are now in lobby");
    let mut anna = anna(&server.address.to_string());
    anna.sees_row("menu> |");
    anna.press("4\r");
    anna.sees_row("#lobby> |");
    (server, anna, ben)
}

fn pastes_60_lines(anna: &mut Person) {
    let lines: Vec<_> = (0..60).map(|number| number.to_string()).collect();
    anna.press(&format!("\x1b[200~{}\x1b[201~", lines.join("\r")));
    anna.sees_row("Send 60 lines to #lobby? y/n> |");
    anna.press("y");
}

/// (6.2.3, 2.1.6)
#[test]
fn all_lines_of_a_long_paste_are_said_before_the_client_leaves() {
    for signal in [None, Some(Signal::TERM)] {
        let (_server, mut anna, mut ben) = anna_and_ben_in_the_lobby();
        pastes_60_lines(&mut anna);
        ben.read_until("anna: 0");
        match signal {
            None => anna.press("\x04"),
            Some(signal) => anna.signal(signal),
        }
        for number in 1..60 {
            ben.read_until(&format!("anna: {number}"));
        }
        ben.read_until("* anna left");
        let code = signal.map_or(0, |signal| 128 + signal.as_raw());
        assert_eq!(anna.exits().code(), Some(code));
        assert!(!anna.screen().iter().any(|row| row.contains("ot sent")), "{:?}", anna.screen());
    }
}

/// (6.2.3, 2.1.6)
#[test]
fn all_lines_of_a_long_paste_are_said_although_the_terminal_is_closed() {
    let (_server, mut anna, mut ben) = anna_and_ben_in_the_lobby();
    pastes_60_lines(&mut anna);
    ben.read_until("anna: 0");
    anna.closes_the_terminal();
    ben.read_until("anna: 59");
    ben.read_until("* anna left");
    assert_eq!(anna.exits_unread().code(), Some(128 + Signal::HUP.as_raw()));
}

/// (6.2.3)
#[test]
fn a_killed_server_loses_no_line_of_a_paste_without_a_word() {
    let (server, mut anna, mut ben) = anna_and_ben_in_the_lobby();
    pastes_60_lines(&mut anna);
    ben.read_until("anna: 5");
    drop(server);
    anna.sees_row("-- Reconnecting; press any key to try now");
    let lines_after = |screen: &[String], title: &str| {
        let row = screen.iter().find_map(|row| row.strip_prefix(title));
        row.and_then(|row| row.split(' ').next()?.parse::<usize>().ok()).unwrap_or(0)
    };
    let screen = anna.screen();
    let uncertain = lines_after(&screen, "-- May not have arrived: ");
    let unsent = lines_after(&screen, "-- Not sent: ");
    assert!((1..=16).contains(&uncertain), "{screen:#?}");
    let said = anna.written_lines("anna: ");
    assert_eq!(said + uncertain + unsent, 60, "{screen:#?}");
}

/// (6.1.4, 6.3.1)
#[test]
fn after_a_restart_of_the_server_the_room_goes_on_where_it_was() {
    let temporary = std::env::temp_dir().join(format!("chinwag-missed-{}", std::process::id()));
    std::fs::create_dir_all(&temporary).expect("a folder can be made");
    let folder = temporary.join("state");
    let folder = folder.to_str().expect("a path in UTF-8").to_owned();
    let server = Server::start_with("127.0.0.1:0", &["--state", &folder]);
    let address = server.address.to_string();
    let enters = |server: &Server| {
        let mut ben = Peer::join(server, "ben");
        ben.say("4");
        ben.read_until("* You are now in lobby");
        ben
    };
    let mut ben = enters(&server);
    let mut anna = anna(&address);
    anna.sees_row("menu> |");
    anna.press("4\r");
    anna.sees_row("#lobby> |");
    ben.say("before");
    anna.sees_row("ben: before");
    drop(server);
    anna.sees_row("-- Reconnecting; press any key to try now");
    let server = Server::start_with(&address, &["--state", &folder]);
    let mut ben = enters(&server);
    ben.say("meanwhile");
    ben.read_until("ben: meanwhile");
    anna.press("\x05");
    anna.sees_row("-- You missed ");
    anna.waits_until("the missed line", |screen| {
        screen.iter().any(|row| row.ends_with(" ben: meanwhile"))
    });
    ben.say("after");
    anna.sees_row("ben: after");
    let before = anna.screen().iter().filter(|row| row.ends_with("ben: before")).count();
    assert_eq!(before, 1, "nothing is shown twice: {:#?}", anna.screen());
    std::fs::remove_dir_all(&temporary).expect("the history can be removed");
}

#[test]
fn control_c_and_sigterm_end_a_client_whose_terminal_takes_no_output() {
    for by_signal in [false, true] {
        let server = Rogue::new();
        let mut anna = anna(&server.address());
        let mut connection = server.accept();
        anna.sees_row("menu> |");
        connection.flood();
        let code = if by_signal {
            anna.signal(Signal::TERM);
            128 + Signal::TERM.as_raw()
        } else {
            anna.press("\x03\x03");
            0
        };
        assert_eq!(anna.exits_unread().code(), Some(code));
    }
}

#[test]
fn no_reconnect_shows_the_draft_that_it_gives_up() {
    let server = Rogue::new();
    let address = server.address();
    let args = ["connect", &address, "--name", "anna", "--color", "never", "--no-reconnect"];
    let mut anna = Person::run(CHINWAG, &args, 60, 70);
    let connection = server.accept();
    anna.sees_row("menu> |");
    anna.press("half a line");
    anna.sees_row("menu> half a line|");
    connection.die(Death::Crash);
    assert_eq!(anna.exits().code(), Some(1));
    anna.sees_row("-- Not sent, your unfinished line:");
    anna.sees_row("   | half a line");
}
