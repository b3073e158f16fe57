//! A person at the other end of a connection: a plain socket, or a program that holds one.

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Child;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::SockRef;

use super::ears::{Ears, Framing, Heard, readable};
use super::{MENU, Server, USERNAME, now, patience};

/// One person. Made by [`Person::arrives`], [`Person::joins`] or, for nc and telnet, [`Person::through`].
pub(crate) struct Person {
    ears: Ears,
    mouth: Option<Box<dyn Write + Send>>,
    socket: Option<TcpStream>,
    program: Option<Child>,
}

impl Person {
    /// Connects and hears nothing yet.
    #[track_caller]
    pub(crate) fn dials(address: SocketAddr) -> Person {
        let socket = TcpStream::connect(address).expect("the server accepts");
        Person::on(socket)
    }

    /// A person on a socket that is connected already.
    pub(crate) fn on(socket: TcpStream) -> Person {
        socket.set_write_timeout(Some(patience())).expect("a timeout");
        socket.set_nodelay(true).expect("no delay");
        let name = socket.local_addr().expect("an address").port().to_string();
        let ears = socket.try_clone().expect("a second handle");
        let mouth = socket.try_clone().expect("a third handle");
        Person {
            ears: Ears::new(&name, Box::new(ears), Framing::Wire),
            mouth: Some(Box::new(mouth)),
            socket: Some(socket),
            program: None,
        }
    }

    /// A person who speaks through a program.
    pub(crate) fn through(program: Child, ears: Ears, mouth: Box<dyn Write + Send>) -> Person {
        Person { ears, mouth: Some(mouth), socket: None, program: Some(program) }
    }

    /// Connects and hears the greeting (3.1.1).
    #[track_caller]
    pub(crate) fn arrives(server: &Server) -> Person {
        let mut person = Person::dials(server.address());
        person.hears("* Welcome");
        person.hears_exactly(USERNAME);
        person
    }

    /// Connects and takes a name: stands at the menu.
    #[track_caller]
    pub(crate) fn joins(server: &Server, name: &str) -> Person {
        let mut person = Person::arrives(server);
        person.enters(name);
        person
    }

    /// Gives a name, and is given it.
    #[track_caller]
    pub(crate) fn enters(&mut self, name: &str) {
        self.says(name);
        self.ears.rename(name);
        self.hears_exactly(&format!("* Hello, {name}"));
        self.hears_exactly(MENU);
    }

    /// Asks `other`, who accepts; both then chat. Both stand at the menu before.
    #[track_caller]
    pub(crate) fn chats_with(&mut self, other: &mut Person) {
        let (mine, others) = (self.name().to_owned(), other.name().to_owned());
        self.asks(other);
        other.says("yes");
        self.hears(&format!("* {others} accepted"));
        self.hears(&format!("* You are now chatting with {others}"));
        other.hears(&format!("* You are now chatting with {mine}"));
    }

    /// Asks `other`; both have heard so.
    #[track_caller]
    pub(crate) fn asks(&mut self, other: &mut Person) {
        self.says(&format!("2 {}", other.name()));
        self.hears(&format!("* Asked {}", other.name()));
        other.hears(&format!("? {} wants to chat", self.name()));
    }

    pub(crate) fn name(&self) -> &str {
        self.ears.name()
    }

    /// Types a line and presses enter.
    #[track_caller]
    pub(crate) fn says(&mut self, line: &str) {
        self.ears.expect_echo(line);
        self.sends(format!("{line}\n").as_bytes());
    }

    /// Sends bytes as they are, in one write.
    #[track_caller]
    pub(crate) fn sends(&mut self, bytes: &[u8]) {
        self.ears.note(">", &bytes[..bytes.len().min(200)].escape_ascii().to_string());
        let mouth = self.mouth.as_mut().expect("has not half-closed");
        if let Err(error) = mouth.write_all(bytes).and_then(|()| mouth.flush()) {
            self.ears.fail(&format!("could not send: {error}"));
        }
    }

    /// Sends bytes to a server that may have closed by now.
    pub(crate) fn sends_or_fails(&mut self, bytes: &[u8]) -> bool {
        let mouth = self.mouth.as_mut().expect("has not half-closed");
        mouth.write_all(bytes).is_ok()
    }

    /// Sends as much as the network takes at once, which may be nothing. Returns how much.
    pub(crate) fn pushes(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while sent < bytes.len() {
            match rustix::net::send(self.socket(), &bytes[sent..], SendFlags::DONTWAIT) {
                Ok(count) => sent += count,
                Err(Errno::AGAIN) => break,
                Err(error) => self.ears.fail(&format!("could not send: {error}")),
            }
        }
        sent
    }

    /// Takes up to `most` bytes that have arrived, raw, without waiting. Nothing may be half heard before.
    pub(crate) fn takes(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = self.ears.take_raw();
        let mut chunk = vec![0; 64 * 1024];
        while bytes.len() < most {
            let room = chunk.len().min(most - bytes.len());
            match rustix::net::recv(self.socket(), &mut chunk[..room], RecvFlags::DONTWAIT) {
                Ok((_, 0)) | Err(Errno::AGAIN) => break,
                Ok((_, count)) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) => self.ears.fail(&format!("could not read: {error}")),
            }
        }
        bytes
    }

    /// Waits until something has arrived.
    pub(crate) fn waits_for_bytes(&self) -> bool {
        readable(self.socket(), now() + patience())
    }

    /// The very next thing heard is a line that begins so. Returns the line.
    #[track_caller]
    pub(crate) fn hears(&mut self, start: &str) -> String {
        match self.ears.next(start) {
            Heard::Line(line) if line.starts_with(start) => line,
            other => self.ears.fail(&format!("expected {start:?}, heard {other:?}")),
        }
    }

    /// The very next thing heard is a line that has this in it, for what a terminal puts before it.
    #[track_caller]
    pub(crate) fn hears_containing(&mut self, part: &str) {
        match self.ears.next(part) {
            Heard::Line(line) if line.contains(part) => {}
            other => self.ears.fail(&format!("expected {part:?} in a line, heard {other:?}")),
        }
    }

    /// The very next thing heard is this line, no more and no less.
    #[track_caller]
    pub(crate) fn hears_exactly(&mut self, line: &str) {
        match self.ears.next(line) {
            Heard::Line(heard) if heard == line => {}
            other => self.ears.fail(&format!("expected exactly {line:?}, heard {other:?}")),
        }
    }

    /// The next things heard are the rows of a list (3.4), at least one; returns them.
    #[track_caller]
    pub(crate) fn hears_rows(&mut self) -> Vec<String> {
        let mut rows = vec![self.hears("- ")];
        loop {
            match self.ears.next("a row, or what follows the rows") {
                Heard::Line(line) if line.starts_with("- ") => rows.push(line),
                other => {
                    self.ears.unhear(other);
                    return rows;
                }
            }
        }
    }

    /// The next things heard are the rows of help (4.1), which may have a line above.
    #[track_caller]
    pub(crate) fn hears_help(&mut self) {
        match self.ears.next("help") {
            Heard::Line(line) if line.starts_with("* ") => {}
            other => self.ears.unhear(other),
        }
        self.hears_rows();
    }

    /// The next things heard are lines that begin so, in this order, with nothing between.
    #[track_caller]
    pub(crate) fn hears_all(&mut self, starts: &[&str]) {
        for start in starts {
            self.hears(start);
        }
    }

    /// Hears lines until one begins so. Returns all of them, that one last.
    #[track_caller]
    pub(crate) fn hears_at_last(&mut self, start: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.ears.next(start) {
                Heard::Line(line) => {
                    lines.push(line);
                    if lines.last().is_some_and(|line| line.starts_with(start)) {
                        return lines;
                    }
                }
                Heard::Telnet(..) => {}
                other => self.ears.fail(&format!("expected {start:?} some time, heard {other:?}")),
            }
        }
    }

    /// The very next thing heard is a telnet answer.
    #[track_caller]
    pub(crate) fn hears_telnet(&mut self, verb: u8, option: u8) {
        match self.ears.next("a telnet answer") {
            Heard::Telnet(v, o) if (v, o) == (verb, option) => {}
            other => self.ears.fail(&format!("expected IAC {verb} {option}, heard {other:?}")),
        }
    }

    /// The very next thing heard is a line; returns it.
    #[track_caller]
    pub(crate) fn hears_a_line(&mut self) -> String {
        match self.ears.next("a line") {
            Heard::Line(line) => line,
            other => self.ears.fail(&format!("expected a line, heard {other:?}")),
        }
    }

    /// The server ends its half, in order and without a failure (3.9.2).
    #[track_caller]
    pub(crate) fn hears_the_end(&mut self) {
        match self.ears.next("the end") {
            Heard::End => {}
            other => self.ears.fail(&format!("expected the end, heard {other:?}")),
        }
    }

    /// The connection is over, by an end or a failure; lines before it are skipped and returned.
    #[track_caller]
    pub(crate) fn hears_it_is_over(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.ears.next("the end or a failure") {
                Heard::Line(line) => lines.push(line),
                Heard::Telnet(..) => {}
                Heard::End | Heard::Failure(_) => return lines,
            }
        }
    }

    /// Nothing at all is heard for so long: for what can only be shown by waiting.
    #[track_caller]
    pub(crate) fn hears_nothing_for(&mut self, time: Duration) {
        if let Some(heard) = self.ears.next_within(time) {
            self.ears.fail(&format!("expected silence, heard {heard:?}"));
        }
    }

    /// Shows that nothing waits to be heard, by something only a fresh answer can be: `IAC AYT` (1.8).
    #[track_caller]
    pub(crate) fn has_heard_it_all(&mut self) {
        self.sends(&[0xff, 0xf6]);
        self.hears("* ");
    }

    /// Says `3` at the menu and is let go.
    #[track_caller]
    pub(crate) fn exits(&mut self) {
        self.says("3");
        self.hears("* Goodbye");
    }

    /// Leaves a chat and then the server.
    #[track_caller]
    pub(crate) fn exits_from_chat(&mut self) {
        self.says("quit");
        self.hears_all(&["* You left", MENU]);
        self.exits();
    }

    /// Leaves a room and exits.
    #[track_caller]
    pub(crate) fn exits_from_room(&mut self) {
        self.says("/quit");
        self.hears_at_last(MENU);
        self.exits();
    }

    /// Ends one half: says no more, still hears (`nc -N`).
    #[track_caller]
    pub(crate) fn half_close(&mut self) {
        self.ears.note(">", "(half-close)");
        self.mouth = None;
        if let Some(socket) = &self.socket {
            socket.shutdown(Shutdown::Write).expect("a live socket");
        }
    }

    /// Closes as a program that ends does.
    pub(crate) fn hang_up(self) {}

    /// Closes with a reset (RST), as a crashed machine or an impatient router does.
    pub(crate) fn reset(self) {
        let socket = self.socket.as_ref().expect("a socket of its own");
        SockRef::from(socket).set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
    }

    /// The socket itself, for what only a socket can do.
    pub(crate) fn socket(&self) -> &TcpStream {
        self.socket.as_ref().expect("a socket of its own")
    }

    /// Waits for the program this person speaks through; it must have succeeded.
    #[track_caller]
    pub(crate) fn program_ends(mut self) {
        self.mouth = None;
        let mut program = self.program.take().expect("speaks through a program");
        let status = program.wait().expect("a child");
        assert!(status.success(), "{} ended with {status}", self.name());
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        if let Some(program) = &mut self.program {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}
