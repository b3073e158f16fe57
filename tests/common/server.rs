//! Runs the real program as a server on a free port, and collects its log.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use rustix::process::{Pid, Signal, kill_process};

use super::receiver::{Framing, Received, Receiver, readable};
use super::{now, timeout};

/// The path of the program under test: the build of this test run, or the program that
/// `CHINWAG_TESTS_PROGRAM` names, such as an optimized build.
pub(crate) fn program() -> String {
    let built = env!("CARGO_BIN_EXE_chinwag");
    std::env::var("CHINWAG_TESTS_PROGRAM").unwrap_or_else(|_| built.to_owned())
}

/// A running server. Dropping the value kills the server.
pub(crate) struct Server {
    child: Child,
    addresses: Vec<SocketAddr>,
    /// Lines that the server has printed on stdout.
    printed: Vec<String>,
    stdout: Option<Box<ChildStdout>>,
    log: Arc<Log>,
}

/// What the server has written to stderr. A thread collects it: a full pipe would block the server.
#[derive(Default)]
struct Log {
    /// The text so far, and whether the server has closed stderr.
    text: Mutex<(String, bool)>,
    /// Signalled whenever `text` changes.
    changed: Condvar,
}

impl Server {
    /// Starts a server without flags.
    #[track_caller]
    pub(crate) fn starts() -> Server {
        Server::starts_with(&[])
    }

    /// Starts a server with these flags, on 127.0.0.1 and a free port.
    #[track_caller]
    pub(crate) fn starts_with(flags: &[&str]) -> Server {
        Server::launches(Server::command("127.0.0.1:0", flags))
    }

    /// Starts a server from a shell that first runs the command `shell`, such as `ulimit -n 64` or
    /// `exec 2>&-`.
    ///
    /// If the command redirects stderr, `log` stays empty and `logs` fails.
    #[track_caller]
    pub(crate) fn starts_from_shell(shell: &str, flags: &[&str]) -> Server {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\""), &program()]);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(flags);
        Server::launches(command)
    }

    /// The command line of a server that is not started yet, for tests that redirect a descriptor.
    pub(crate) fn command(listen: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(["serve", "--listen", listen]).args(flags);
        command
    }

    /// Starts a server with one listener from `command`, and collects its log.
    #[track_caller]
    pub(crate) fn launches(mut command: Command) -> Server {
        command.stderr(Stdio::piped());
        Server::launches_with_stderr(command, 1)
    }

    /// Starts a server with `listeners` listeners from `command`, which decides where stderr goes.
    #[track_caller]
    pub(crate) fn launches_with_stderr(mut command: Command, listeners: usize) -> Server {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CHINWAG_") {
                let given = command.get_envs().any(|(key, value)| key == name && value.is_some());
                if !given {
                    command.env_remove(name);
                }
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let log = Arc::new(Log::default());
        if let Some(stderr) = child.stderr.take() {
            collect_log(stderr, log.clone());
        }
        let stdout = Box::new(child.stdout.take().expect("piped"));
        let mut server =
            Server { child, addresses: Vec::new(), printed: Vec::new(), stdout: Some(stdout), log };
        server.read_addresses(listeners);
        server
    }

    #[track_caller]
    fn read_addresses(&mut self, listeners: usize) {
        let until = now() + timeout();
        let mut text = Vec::new();
        while self.addresses.len() < listeners {
            let stdout = self.stdout.as_mut().expect("not stopped yet");
            assert!(readable(&**stdout, until), "no address on stdout; log:\n{}", self.log());
            let mut byte = [0];
            if stdout.read(&mut byte).expect("stdout") == 0 {
                let status = self.child.wait().expect("a child");
                panic!("the server did not start: {status}; its log: {:?}", self.log());
            }
            if byte[0] != b'\n' {
                text.push(byte[0]);
                continue;
            }
            let line = String::from_utf8(std::mem::take(&mut text)).expect("UTF-8 on stdout");
            if let Some((_, rest)) = line.split_once("listens on ") {
                let address = rest.split([' ', ',', ';']).next().unwrap_or(rest);
                let address = address.rsplit("://").next().unwrap_or(address);
                self.addresses.push(address.parse().expect("an address and a port"));
            }
            self.printed.push(line);
        }
    }

    /// The address of the first listener.
    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The address of the web page.
    #[track_caller]
    pub(crate) fn page(&self) -> SocketAddr {
        let page = self.printed.iter().find_map(|line| line.split_once("web page at "));
        let page = page.and_then(|(_, url)| url.split_once("://"));
        page.expect("the server has a page").1.parse().expect("an address and a port")
    }

    /// What the server has printed on stdout before it said where it listens.
    pub(crate) fn printed(&self) -> &[String] {
        &self.printed
    }

    /// The process ID.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that the server has written to stderr.
    pub(crate) fn log(&self) -> String {
        self.log.text.lock().expect("not poisoned").0.clone()
    }

    /// Waits until one line of the log contains all of `parts`. Returns that line.
    #[track_caller]
    pub(crate) fn logs(&self, parts: &[&str]) -> String {
        let until = now() + timeout();
        let mut text = self.log.text.lock().expect("not poisoned");
        loop {
            let wanted = |line: &&str| parts.iter().all(|part| line.contains(part));
            if let Some(line) = text.0.lines().find(wanted) {
                return line.to_owned();
            }
            let left = until.saturating_duration_since(now());
            if left.is_zero() || text.1 {
                let all = text.0.clone();
                drop(text);
                panic!("no log line has {parts:?} in\n{all}");
            }
            text = self.log.changed.wait_timeout(text, left).expect("not poisoned").0;
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("the server runs");
    }

    /// Waits until the program has exited. Returns its exit status.
    #[track_caller]
    pub(crate) fn exits(&mut self) -> ExitStatus {
        let stdout: ChildStdout = *self.stdout.take().expect("exits once");
        let mut receiver = Receiver::new("stdout", Box::new(stdout), Framing::Terminal);
        loop {
            match receiver.next("the end of the program") {
                Received::Line(line) => self.printed.push(line),
                _ => return self.child.wait().expect("a child"),
            }
        }
    }

    /// Asserts that the server still runs and that its log shows no panic.
    #[track_caller]
    pub(crate) fn is_healthy(&mut self) {
        let ended = self.child.try_wait().expect("a child");
        assert!(ended.is_none(), "the server has exited: {ended:?}\n{}", self.log());
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log.text.lock().map(|text| text.0.clone()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("The end of the server's log:");
            for line in &lines[lines.len().saturating_sub(40)..] {
                eprintln!("  {line}");
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the log must be read while the test does something else"
)]
fn collect_log(stderr: impl Read + Send + 'static, log: Arc<Log>) {
    std::thread::spawn(move || {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        while stderr.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            log.text.lock().expect("not poisoned").0.push_str(&String::from_utf8_lossy(&line));
            log.changed.notify_all();
            line.clear();
        }
        log.text.lock().expect("not poisoned").1 = true;
        log.changed.notify_all();
    });
}

/// The result of a program that has exited.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program until it exits. The only `CHINWAG_` variables set are `variables`.
#[track_caller]
pub(crate) fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CHINWAG_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null());
    let output = command.output().expect("the program starts");
    Run {
        status: output.status,
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
    }
}
