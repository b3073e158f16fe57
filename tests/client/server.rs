//! The real server, and people at it without a terminal.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The program under test.
pub(crate) const CHINWAG: &str = env!("CARGO_BIN_EXE_chinwag");

/// A running server, stopped when it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts one on a free port.
    pub(crate) fn start() -> Server {
        Server::start_at("127.0.0.1:0")
    }

    /// Starts one at `address`.
    pub(crate) fn start_at(address: &str) -> Server {
        let mut process = Command::new(CHINWAG)
            .args(["serve", "-qq", "--listen", address])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let out = process.stdout.as_mut().expect("it was piped");
        let mut banner = String::new();
        BufReader::new(out).read_line(&mut banner).expect("the server says where it listens");
        let address = banner.trim().rsplit(' ').next().and_then(|word| word.parse().ok());
        Server { process, address: address.expect("the banner ends in an address") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Somebody with a plain socket.
pub(crate) struct Caller {
    socket: BufReader<TcpStream>,
}

impl Caller {
    /// Connects, and takes a username.
    pub(crate) fn join(server: &Server, name: &str) -> Caller {
        let socket = TcpStream::connect(server.address).expect("the server accepts");
        socket.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
        let mut caller = Caller { socket: BufReader::new(socket) };
        caller.say(name);
        caller.hear("? 1 list users");
        caller
    }

    /// Sends a line.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.socket.get_mut(), "{line}").expect("the server reads");
    }

    /// Waits for a line that begins so, and gives it.
    pub(crate) fn hear(&mut self, start: &str) -> String {
        let mut heard = Vec::new();
        loop {
            let mut line = String::new();
            match self.socket.read_line(&mut line) {
                Ok(count) if count > 0 => {}
                end => panic!("no {start:?}, but {heard:#?}, then {end:?}"),
            }
            let line = line.trim_end().to_owned();
            if line.starts_with(start) {
                return line;
            }
            heard.push(line);
        }
    }
}
