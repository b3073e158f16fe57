//! The real program, on a port the system chose, with its log in reach.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use rustix::process::{Pid, Signal, kill_process};

use super::ears::{Ears, Framing, Heard, readable};
use super::{now, patience};

/// The program under test: the one just built, or the one that `CHINWAG_TESTS_PROGRAM` names, such as an
/// optimized build.
pub(crate) fn program() -> String {
    let built = env!("CARGO_BIN_EXE_chinwag");
    std::env::var("CHINWAG_TESTS_PROGRAM").unwrap_or_else(|_| built.to_owned())
}

/// A running server. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    addresses: Vec<SocketAddr>,
    said: Vec<String>,
    stdout: Option<Box<ChildStdout>>,
    log: Arc<Log>,
}

/// What the server has written to stderr, gathered by a thread so that the pipe never fills.
#[derive(Default)]
struct Log {
    text: Mutex<(String, bool)>,
    grown: Condvar,
}

impl Server {
    /// A server with nothing set.
    #[track_caller]
    pub(crate) fn starts() -> Server {
        Server::starts_with(&[])
    }

    /// A server with flags, on 127.0.0.1 and a free port.
    #[track_caller]
    pub(crate) fn starts_with(flags: &[&str]) -> Server {
        Server::launches(Server::command("127.0.0.1:0", flags))
    }

    /// A server started by a shell that first does something, such as `ulimit -n 64` or `exec 2>&-`.
    ///
    /// With stderr out of reach of the harness, `logs` hears nothing.
    #[track_caller]
    pub(crate) fn starts_after(shell: &str, flags: &[&str]) -> Server {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\""), &program()]);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(flags);
        Server::launches(command)
    }

    /// The command line of a server, not yet run; for tests that redirect something.
    pub(crate) fn command(listen: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(["serve", "--listen", listen]).args(flags);
        command
    }

    /// Runs a command that becomes a server on one address, its log in reach.
    #[track_caller]
    pub(crate) fn launches(mut command: Command) -> Server {
        command.stderr(Stdio::piped());
        Server::launches_with_stderr(command, 1)
    }

    /// Runs a command that becomes a server on `listeners` addresses; stderr is as the command has it.
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
            gather(stderr, log.clone());
        }
        let stdout = Box::new(child.stdout.take().expect("piped"));
        let mut server =
            Server { child, addresses: Vec::new(), said: Vec::new(), stdout: Some(stdout), log };
        server.read_addresses(listeners);
        server
    }

    #[track_caller]
    fn read_addresses(&mut self, listeners: usize) {
        let until = now() + patience();
        let mut text = Vec::new();
        while self.addresses.len() < listeners {
            let stdout = self.stdout.as_mut().expect("not stopped yet");
            assert!(readable(&**stdout, until), "no address on stdout; log:\n{}", self.log());
            let mut byte = [0];
            if stdout.read(&mut byte).expect("stdout") == 0 {
                let status = self.child.wait().expect("a child");
                panic!("the server did not start: {status}; it said {:?}", self.log());
            }
            if byte[0] != b'\n' {
                text.push(byte[0]);
                continue;
            }
            let line = String::from_utf8(std::mem::take(&mut text)).expect("UTF-8 on stdout");
            if let Some((_, rest)) = line.split_once("listens on ") {
                let address = rest.split([' ', ',', ';']).next().unwrap_or(rest);
                self.addresses.push(address.parse().expect("an address and a port"));
            }
            self.said.push(line);
        }
    }

    /// Where the server listens; the first address if there are several.
    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything on stderr up to now.
    pub(crate) fn log(&self) -> String {
        self.log.text.lock().expect("not poisoned").0.clone()
    }

    /// Waits until the log holds a line with all of these in it; returns that line.
    #[track_caller]
    pub(crate) fn logs(&self, parts: &[&str]) -> String {
        let until = now() + patience();
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
            text = self.log.grown.wait_timeout(text, left).expect("not poisoned").0;
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("the server runs");
    }

    /// Waits until the program has ended.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let stdout: ChildStdout = *self.stdout.take().expect("ends once");
        let mut ears = Ears::new("stdout", Box::new(stdout), Framing::Terminal);
        loop {
            match ears.next("the end of the program") {
                Heard::Line(line) => self.said.push(line),
                _ => return self.child.wait().expect("a child"),
            }
        }
    }

    /// The server still runs, and never said a word of a bug.
    #[track_caller]
    pub(crate) fn is_well(&mut self) {
        let ended = self.child.try_wait().expect("a child");
        assert!(ended.is_none(), "the server ended: {ended:?}\n{}", self.log());
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
    reason = "the log must be read while the test does other things"
)]
fn gather(stderr: impl Read + Send + 'static, log: Arc<Log>) {
    std::thread::spawn(move || {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        while stderr.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            log.text.lock().expect("not poisoned").0.push_str(&String::from_utf8_lossy(&line));
            log.grown.notify_all();
            line.clear();
        }
        log.text.lock().expect("not poisoned").1 = true;
        log.grown.notify_all();
    });
}

/// What a program that ran to its end has left.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end, with no `CHINWAG_` variable set but those given.
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
