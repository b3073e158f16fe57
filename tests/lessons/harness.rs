//! Starts an example of the ladder, and talks to it.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::common;

/// How long nothing may come when a test says that a client hears nothing.
const A_MOMENT: Duration = Duration::from_millis(200);

/// A program of the ladder that runs.
pub(crate) struct Lesson {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Lesson {
    pub(crate) fn starts(name: &str) -> Lesson {
        Lesson::starts_with(name, &[])
    }

    pub(crate) fn starts_with(name: &str, arguments: &[&str]) -> Lesson {
        let mut command = Command::new(example(name));
        command.arg("0").args(arguments);
        Lesson::launches(command)
    }

    /// Starts it with room for so many descriptors.
    pub(crate) fn starts_with_descriptors(name: &str, count: u32) -> Lesson {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -n {count}; exec \"$0\" 0")).arg(example(name));
        Lesson::launches(command)
    }

    fn launches(mut command: Command) -> Lesson {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the example starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a first line");
        let address = line.trim().rsplit(' ').next().and_then(|text| text.parse().ok());
        Lesson { child, address: address.unwrap_or_else(|| panic!("it printed {line:?}")) }
    }

    pub(crate) fn joins(&self) -> Client {
        self.tries_to_join().expect("the lesson listens")
    }

    /// A client, unless the lesson has ended.
    pub(crate) fn tries_to_join(&self) -> Option<Client> {
        let stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(common::timeout())).expect("a timeout");
        stream.set_write_timeout(Some(common::timeout())).expect("a timeout");
        stream.set_nodelay(true).expect("a socket");
        Some(Client { stream: BufReader::new(stream), keeps: None, other: None })
    }

    /// A client for a test that needs no other: it keeps the lesson alive.
    pub(crate) fn joins_and_keeps(self) -> Client {
        let mut client = self.joins();
        client.keeps = Some(self);
        client
    }

    pub(crate) fn signals(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a live process");
    }

    /// Stops the process, and returns when it stands still.
    pub(crate) fn stops(&self) {
        self.signals(Signal::STOP);
        waitpid(Some(self.pid()), WaitOptions::UNTRACED).expect("a child");
    }

    pub(crate) fn exits(&mut self) -> ExitStatus {
        // The pipe ends with the process, so this wait cannot miss it.
        self.child.wait().expect("a child")
    }

    /// A number from the status of the process, see proc(5).
    #[cfg(target_os = "linux")]
    pub(crate) fn status(&self, key: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).expect("a live process");
        let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("a known key");
        line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Lesson {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of a built example. Cargo builds the examples for `cargo test`, but not for
/// `cargo test --test lessons`.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let path =
        test.ancestors().nth(2).expect("the folder of the profile").join("examples").join(name);
    assert!(path.exists(), "{} is not built: cargo build --examples", path.display());
    path
}

/// A connection to a lesson.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    keeps: Option<Lesson>,
    other: Option<Box<Client>>,
}

impl Client {
    /// A second handle of the same connection, if nothing was read yet.
    pub(crate) fn again(&self) -> Client {
        let stream = self.stream().try_clone().expect("a descriptor");
        Client { stream: BufReader::new(stream), keeps: None, other: None }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    pub(crate) fn sends(&mut self, text: &str) {
        self.stream().write_all(text.as_bytes()).expect("the lesson takes it");
    }

    /// Sends until nothing more is taken for a moment, or until `most`. Returns how much was taken.
    pub(crate) fn sends_until_it_must_wait(&self, most: usize) -> usize {
        self.stream().set_write_timeout(Some(A_MOMENT)).expect("a timeout");
        let mut sent = 0;
        while sent < most {
            match self.stream().write(&[b'x'; 65_536]) {
                Ok(count) => sent += count,
                Err(error) if is_timeout(error.kind()) => break,
                Err(error) => panic!("the talker failed: {error}"),
            }
        }
        sent
    }

    #[track_caller]
    pub(crate) fn reads(&mut self, expected: &str) {
        assert_eq!(self.line(), expected);
    }

    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        self.line_or_end().expect("a line, and not the end")
    }

    /// The next line, or `None` at the end of the connection, orderly or not.
    #[track_caller]
    pub(crate) fn line_or_end(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
            Err(error) => panic!("no line came, only {line:?}: {error}"),
        }
    }

    #[track_caller]
    pub(crate) fn number(&mut self) -> u64 {
        let line = self.line();
        line.parse().unwrap_or_else(|_| panic!("{line:?} is not a number"))
    }

    #[track_caller]
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("so many bytes");
        bytes
    }

    /// Everything up to the end of the connection.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("no end: {error}"),
            Ok(_) | Err(_) => bytes,
        }
    }

    /// Nothing comes for a moment.
    #[track_caller]
    pub(crate) fn is_silent(&mut self) {
        self.stream().set_read_timeout(Some(A_MOMENT)).expect("a timeout");
        match self.stream.fill_buf().map(<[u8]>::to_vec) {
            Err(error) if is_timeout(error.kind()) => {}
            came => panic!("it was not silent: {came:?}"),
        }
        self.stream().set_read_timeout(Some(common::timeout())).expect("a timeout");
    }

    pub(crate) fn ends_its_half(&mut self) {
        self.stream().shutdown(Shutdown::Write).expect("a connection");
    }

    /// Keeps another connection open for as long as this one.
    pub(crate) fn also_keeps(&mut self, other: Client) {
        self.other = Some(Box::new(other));
    }

    /// Ends the connection with a reset.
    pub(crate) fn resets(self) {
        let linger = socket2::SockRef::from(self.stream());
        linger.set_linger(Some(Duration::ZERO)).expect("a socket");
    }
}

fn is_timeout(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
