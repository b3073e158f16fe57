//! A person who uses the server: through a plain socket, or through a program such as nc or telnet.
//!
//! Methods that read fail the test if anything else comes, or nothing within the timeout.

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Child;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::SockRef;

use super::receiver::{Framing, Received, Receiver, readable};
use super::{MENU, Server, USERNAME, now, timeout};

/// A person and the person's connection. Made by [`Person::arrives`], [`Person::joins`] or, for nc
/// and telnet, [`Person::uses_program`].
pub(crate) struct Person {
    receiver: Receiver,
    /// `None` after a half-close.
    writer: Option<Box<dyn Write + Send>>,
    /// The socket, if the person uses no program.
    socket: Option<TcpStream>,
    program: Option<Child>,
}

impl Person {
    /// Connects and reads nothing yet.
    #[track_caller]
    pub(crate) fn connects(address: SocketAddr) -> Person {
        let socket = TcpStream::connect(address).expect("the server accepts");
        Person::on(socket)
    }

    /// A person who uses a socket that is already connected.
    pub(crate) fn on(socket: TcpStream) -> Person {
        socket.set_write_timeout(Some(timeout())).expect("a timeout");
        socket.set_nodelay(true).expect("no delay");
        let name = socket.local_addr().expect("an address").port().to_string();
        let reading_half = socket.try_clone().expect("a second handle");
        let writing_half = socket.try_clone().expect("a third handle");
        Person {
            receiver: Receiver::new(&name, Box::new(reading_half), Framing::Wire),
            writer: Some(Box::new(writing_half)),
            socket: Some(socket),
            program: None,
        }
    }

    /// A person who uses a program that is already running.
    pub(crate) fn uses_program(
        program: Child,
        receiver: Receiver,
        writer: Box<dyn Write + Send>,
    ) -> Person {
        Person { receiver, writer: Some(writer), socket: None, program: Some(program) }
    }

    /// Connects and reads the greeting (4.1.1).
    #[track_caller]
    pub(crate) fn arrives(server: &Server) -> Person {
        let mut person = Person::connects(server.address());
        person.reads("* Welcome");
        person.reads_exactly(USERNAME);
        person
    }

    /// Connects and takes a username. The person is then at the menu.
    #[track_caller]
    pub(crate) fn joins(server: &Server, name: &str) -> Person {
        let mut person = Person::arrives(server);
        person.takes_username(name);
        person
    }

    /// Takes a username that must be free.
    #[track_caller]
    pub(crate) fn takes_username(&mut self, name: &str) {
        self.says(name);
        self.receiver.rename(name);
        self.reads_exactly(&format!("* Hello, {name}"));
        self.reads_exactly(MENU);
    }

    /// Asks `other`, who accepts. Both must be at the menu; afterwards they chat with each other.
    #[track_caller]
    pub(crate) fn chats_with(&mut self, other: &mut Person) {
        let (mine, others) = (self.name().to_owned(), other.name().to_owned());
        self.asks(other);
        other.says("yes");
        self.reads(&format!("* {others} accepted"));
        self.reads(&format!("* You are now chatting with {others}"));
        other.reads(&format!("* You are now chatting with {mine}"));
    }

    /// Asks `other`. Both read that the request was made.
    #[track_caller]
    pub(crate) fn asks(&mut self, other: &mut Person) {
        self.says(&format!("2 {}", other.name()));
        self.reads(&format!("* Asked {}", other.name()));
        other.reads(&format!("? {} wants to chat", self.name()));
    }

    pub(crate) fn name(&self) -> &str {
        self.receiver.name()
    }

    /// Sends a line, as a person does who types a line and presses Enter.
    #[track_caller]
    pub(crate) fn says(&mut self, line: &str) {
        self.receiver.expect_echo(line);
        self.sends(format!("{line}\n").as_bytes());
    }

    /// Sends bytes unchanged, in one write.
    #[track_caller]
    pub(crate) fn sends(&mut self, bytes: &[u8]) {
        self.receiver.note(">", &bytes[..bytes.len().min(200)].escape_ascii().to_string());
        let writer = self.writer.as_mut().expect("has not half-closed");
        if let Err(error) = writer.write_all(bytes).and_then(|()| writer.flush()) {
            self.receiver.fail(&format!("could not send: {error}"));
        }
    }

    /// Sends bytes to a server that may have closed the connection. Returns whether the write
    /// succeeded.
    pub(crate) fn tries_to_send(&mut self, bytes: &[u8]) -> bool {
        let writer = self.writer.as_mut().expect("has not half-closed");
        writer.write_all(bytes).is_ok()
    }

    /// Sends as many bytes as the kernel takes without blocking, possibly none. Returns how many.
    pub(crate) fn sends_without_waiting(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while sent < bytes.len() {
            match rustix::net::send(self.socket(), &bytes[sent..], SendFlags::DONTWAIT) {
                Ok(count) => sent += count,
                Err(Errno::AGAIN) => break,
                Err(error) => self.receiver.fail(&format!("could not send: {error}")),
            }
        }
        sent
    }

    /// Reads up to `most` bytes that have arrived, without waiting, and does not split the bytes into
    /// lines. No complete line may be waiting in the receiver.
    pub(crate) fn reads_without_waiting(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = self.receiver.take_raw();
        let mut chunk = vec![0; 64 * 1024];
        while bytes.len() < most {
            let room = chunk.len().min(most - bytes.len());
            match rustix::net::recv(self.socket(), &mut chunk[..room], RecvFlags::DONTWAIT) {
                Ok((_, 0)) | Err(Errno::AGAIN) => break,
                Ok((_, count)) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) => self.receiver.fail(&format!("could not read: {error}")),
            }
        }
        bytes
    }

    /// Waits until the socket is readable. Returns `false` at the timeout.
    pub(crate) fn waits_for_bytes(&self) -> bool {
        readable(self.socket(), now() + timeout())
    }

    /// Reads the next line, which must begin with `start`. Returns the line.
    #[track_caller]
    pub(crate) fn reads(&mut self, start: &str) -> String {
        match self.receiver.next(start) {
            Received::Line(line) if line.starts_with(start) => line,
            other => self.receiver.fail(&format!("expected {start:?}, read {other:?}")),
        }
    }

    /// Reads the next line, which must contain `part`. For lines to which a terminal has added
    /// text.
    #[track_caller]
    pub(crate) fn reads_containing(&mut self, part: &str) {
        match self.receiver.next(part) {
            Received::Line(line) if line.contains(part) => {}
            other => self.receiver.fail(&format!("expected {part:?} in a line, read {other:?}")),
        }
    }

    /// Reads the next line, which must be exactly this.
    #[track_caller]
    pub(crate) fn reads_exactly(&mut self, line: &str) {
        match self.receiver.next(line) {
            Received::Line(read) if read == line => {}
            other => self.receiver.fail(&format!("expected exactly {line:?}, read {other:?}")),
        }
    }

    /// Reads the rows of a list (5.2), at least one. Returns the rows.
    #[track_caller]
    pub(crate) fn reads_rows(&mut self) -> Vec<String> {
        let mut rows = vec![self.reads("- ")];
        loop {
            match self.receiver.next("a row, or what follows the rows") {
                Received::Line(line) if line.starts_with("- ") => rows.push(line),
                other => {
                    self.receiver.put_back(other);
                    return rows;
                }
            }
        }
    }

    /// Reads the rows of help (5.4.1), which may have a `*` line above them.
    #[track_caller]
    pub(crate) fn reads_help(&mut self) {
        match self.receiver.next("help") {
            Received::Line(line) if line.starts_with("* ") => {}
            other => self.receiver.put_back(other),
        }
        self.reads_rows();
    }

    /// Reads one line for each of `starts`, in this order, with nothing between them.
    #[track_caller]
    pub(crate) fn reads_all(&mut self, starts: &[&str]) {
        for start in starts {
            self.reads(start);
        }
    }

    /// Reads lines until a line begins with `start`. Returns all of them, that line last.
    #[track_caller]
    pub(crate) fn reads_until(&mut self, start: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.receiver.next(start) {
                Received::Line(line) => {
                    lines.push(line);
                    if lines.last().is_some_and(|line| line.starts_with(start)) {
                        return lines;
                    }
                }
                Received::Telnet(..) => {}
                other => {
                    self.receiver.fail(&format!("expected {start:?} eventually, read {other:?}"))
                }
            }
        }
    }

    /// Reads the next unit, which must be this telnet reply.
    #[track_caller]
    pub(crate) fn reads_telnet_reply(&mut self, verb: u8, option: u8) {
        match self.receiver.next("a telnet reply") {
            Received::Telnet(v, o) if (v, o) == (verb, option) => {}
            other => self.receiver.fail(&format!("expected IAC {verb} {option}, read {other:?}")),
        }
    }

    /// Reads the next line. Returns the line.
    #[track_caller]
    pub(crate) fn reads_a_line(&mut self) -> String {
        self.receiver.reads_a_line()
    }

    /// Reads the end of the stream: the server has ended its half without a failure (4.10.3).
    #[track_caller]
    pub(crate) fn reads_end_of_stream(&mut self) {
        self.receiver.reads_end_of_stream();
    }

    /// Reads until the connection has ended, by an end of stream or by a failure. Returns the lines
    /// before the end.
    #[track_caller]
    pub(crate) fn reads_until_closed(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.receiver.next("the end or a failure") {
                Received::Line(line) => lines.push(line),
                Received::Telnet(..) => {}
                Received::End | Received::Failure(_) => return lines,
            }
        }
    }

    /// Asserts that nothing arrives for `time`. Only for tests that no event could end earlier.
    #[track_caller]
    pub(crate) fn reads_nothing_for(&mut self, time: Duration) {
        if let Some(received) = self.receiver.next_within(time) {
            self.receiver.fail(&format!("expected nothing, read {received:?}"));
        }
    }

    /// Asserts that the person has read everything that the server has sent: sends `IAC AYT` (2.2.3, 2.2.4),
    /// whose reply must be the next line.
    #[track_caller]
    pub(crate) fn has_read_everything(&mut self) {
        self.sends(&[0xff, 0xf6]);
        self.reads("* ");
    }

    /// Exits from the menu.
    #[track_caller]
    pub(crate) fn exits(&mut self) {
        self.says("3");
        self.reads("* Goodbye");
    }

    /// Leaves a chat, then exits.
    #[track_caller]
    pub(crate) fn exits_from_chat(&mut self) {
        self.says("quit");
        self.reads_all(&["* You left", MENU]);
        self.exits();
    }

    /// Leaves a room, then exits.
    #[track_caller]
    pub(crate) fn exits_from_room(&mut self) {
        self.says("/quit");
        self.reads_until(MENU);
        self.exits();
    }

    /// Ends the sending half and goes on reading, as `nc -N` does.
    #[track_caller]
    pub(crate) fn half_close(&mut self) {
        self.receiver.note(">", "(half-close)");
        self.writer = None;
        if let Some(socket) = &self.socket {
            socket.shutdown(Shutdown::Write).expect("a live socket");
        }
    }

    /// Closes the socket, as a program that exits does.
    pub(crate) fn hang_up(self) {}

    /// Closes the connection with a reset (RST), as a crashed machine does after its restart.
    pub(crate) fn reset(self) {
        let socket = self.socket.as_ref().expect("the person uses a plain socket");
        SockRef::from(socket).set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
    }

    /// The socket, for operations that this harness does not wrap.
    pub(crate) fn socket(&self) -> &TcpStream {
        self.socket.as_ref().expect("the person uses a plain socket")
    }

    /// Waits until the person's program exits. The program must exit with success.
    #[track_caller]
    pub(crate) fn program_ends(mut self) {
        self.writer = None;
        let mut program = self.program.take().expect("the person uses a program");
        let status = program.wait().expect("a child");
        assert!(status.success(), "{} exited with {status}", self.name());
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
