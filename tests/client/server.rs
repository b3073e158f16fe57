//! The server under test, and peers that use a plain socket. Shared by the tests of the client.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a test waits for one event before it fails.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// The path of the program under test.
pub(crate) const CHINWAG: &str = env!("CARGO_BIN_EXE_chinwag");

/// A running server. Dropping the value kills the server.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) fn start() -> Server {
        Server::start_at("127.0.0.1:0")
    }

    /// Starts a server on `address`.
    pub(crate) fn start_at(address: &str) -> Server {
        Server::start_with(address, &[])
    }

    /// Starts a server on `address` with more arguments.
    pub(crate) fn start_with(address: &str, args: &[&str]) -> Server {
        let mut process = Command::new(CHINWAG)
            .args(["serve", "-qq", "--listen", address])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let out = process.stdout.as_mut().expect("stdout is piped");
        let mut banner = String::new();
        BufReader::new(out).read_line(&mut banner).expect("the server prints its address");
        let address = banner.trim().rsplit([' ', '/']).next().and_then(|word| word.parse().ok());
        Server { process, address: address.expect("the first line ends in an address") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A peer of the client's user, connected with a plain socket.
pub(crate) struct Peer {
    socket: BufReader<TcpStream>,
}

impl Peer {
    /// Connects and takes a username.
    pub(crate) fn join(server: &Server, name: &str) -> Peer {
        let socket = TcpStream::connect(server.address).expect("the server accepts");
        socket.set_read_timeout(Some(TIMEOUT)).expect("a deadline can be set");
        let mut peer = Peer { socket: BufReader::new(socket) };
        peer.say(name);
        peer.read_until("? 1 list users");
        peer
    }

    /// Sends a line.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.socket.get_mut(), "{line}").expect("the server reads");
    }

    /// Reads lines until a line begins with `start`. Returns that line.
    pub(crate) fn read_until(&mut self, start: &str) -> String {
        let mut skipped = Vec::new();
        loop {
            let mut line = String::new();
            match self.socket.read_line(&mut line) {
                Ok(count) if count > 0 => {}
                end => panic!("no line begins with {start:?}; read {skipped:#?}, then {end:?}"),
            }
            let line = line.trim_end().to_owned();
            if line.starts_with(start) {
                return line;
            }
            skipped.push(line);
        }
    }
}
