//! A server of the test's own that follows the protocol until the test lets it die.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use socket2::SockRef;

use crate::server::TIMEOUT;

/// The menu, as far as the client needs it.
const MENU: &str = "? 1 list";

/// How a server dies, as the client sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Death {
    /// The kernel sends RST, as after a crash with unread input.
    Reset,
    /// The kernel sends FIN, as after a crash with all input read.
    Crash,
}

/// The listening half. It outlives the connections.
pub(crate) struct Rogue {
    listener: TcpListener,
}

/// One connection of the client, after it has taken its username.
pub(crate) struct Connection {
    socket: BufReader<TcpStream>,
}

impl Rogue {
    pub(crate) fn new() -> Rogue {
        Rogue { listener: TcpListener::bind("127.0.0.1:0").expect("a free port") }
    }

    pub(crate) fn address(&self) -> String {
        self.listener.local_addr().expect("it is bound").to_string()
    }

    /// Accepts the client and brings it to the menu.
    pub(crate) fn accept(&self) -> Connection {
        let (socket, _) = self.listener.accept().expect("the client connects");
        socket.set_read_timeout(Some(TIMEOUT)).expect("a deadline can be set");
        let mut connection = Connection { socket: BufReader::new(socket) };
        connection.say(&["? Username:"]);
        assert_eq!(connection.read(), "anna", "the client sends its name first");
        connection.say(&["* Hello, anna", MENU]);
        connection
    }
}

impl Connection {
    /// Sends lines in one packet.
    pub(crate) fn say(&mut self, lines: &[&str]) {
        let lines = lines.join("\r\n") + "\r\n";
        self.socket.get_mut().write_all(lines.as_bytes()).expect("the client reads");
    }

    /// Reads one line.
    pub(crate) fn read(&mut self) -> String {
        let mut line = String::new();
        self.socket.read_line(&mut line).expect("the client sends");
        line.trim_end().to_owned()
    }

    /// Reads `count` lines.
    pub(crate) fn read_lines(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.read()).collect()
    }

    /// Brings the client into the lobby, whose history has these lines.
    pub(crate) fn enter_lobby(&mut self, history: &[String]) {
        assert_eq!(self.read(), "4 lobby");
        self.say(&["* You are now in lobby; quit leaves it", "- ben"]);
        if !history.is_empty() {
            self.say(&[&format!("* The last {} lines said here", history.len())]);
        }
        for line in history {
            self.say(&[&format!("- 2026-01-02 03:04Z {line}")]);
        }
    }

    /// Sends until the client reads no more.
    pub(crate) fn flood(&mut self) {
        let socket = self.socket.get_mut();
        let patience = std::time::Duration::from_millis(500);
        socket.set_write_timeout(Some(patience)).expect("a deadline can be set");
        let lines = format!("* {}\r\n", "x".repeat(1_000)).repeat(64);
        while socket.write_all(lines.as_bytes()).is_ok() {}
    }

    /// Ends the connection. The caller has read every line, so none is still on its way.
    pub(crate) fn die(self, death: Death) {
        if let Death::Reset = death {
            let at_once = Some(std::time::Duration::ZERO);
            SockRef::from(self.socket.get_ref()).set_linger(at_once).expect("a socket lingers");
        }
    }
}
