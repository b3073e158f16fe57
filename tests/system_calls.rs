//! Counts system calls with strace. A batch of lines in a chat costs one read, one write and one
//! wait. In a room it costs one write for each member, and one for the file of the history store.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Few enough that the trace fits into a pipe (64 KiB): the test reads the trace only after the
/// end.
const BATCHES: usize = 40;
/// How long a test waits for one line before it fails.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The server under strace. Dropping the value kills the server.
struct Traced(Child);

impl Traced {
    /// Kills the server and returns the trace.
    fn stop(&mut self) -> io::Result<String> {
        self.0.kill()?;
        let mut trace = String::new();
        let errors = self.0.stderr.as_mut().expect("standard error is piped");
        errors.read_to_string(&mut trace)?;
        Ok(trace)
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // The server may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A user with a plain socket.
struct User {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl User {
    fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { lines: BufReader::new(stream.try_clone()?), stream })
    }

    fn send(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes())
    }

    /// Reads lines until a line contains `words`.
    fn await_line(&mut self, words: &str) -> io::Result<()> {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.lines.read_line(&mut line)? > 0, "the server closed before {words:?}");
        }
        Ok(())
    }
}

#[test]
fn a_batch_in_a_chat_costs_one_read_one_write_and_one_wait() -> io::Result<()> {
    let Some((mut server, address)) = start_traced(&[])? else { return skipped() };
    let (mut anna, mut bert) = chatting(&address)?;
    say(&mut anna, &mut bert, "begin\n", "begin")?;
    for batch in 0..BATCHES {
        let lines = if batch % 2 == 0 { 1 } else { 16 };
        let last = format!("last of {batch}");
        let batch = format!("{}{last}\n", "another line\n".repeat(lines - 1));
        say(&mut anna, &mut bert, &batch, &last)?;
    }
    say(&mut anna, &mut bert, "finish\n", "finish")?;
    let trace = server.stop()?;
    let counts = counts_between_markers(&trace);
    let calls_of = |call| counts.get(call).copied().unwrap_or(0);
    // The count begins after the write of "begin", and includes the wait for "finish".
    assert_eq!(calls_of("recvfrom") + calls_of("read"), BATCHES, "{counts:?}\n{trace}");
    assert_eq!(calls_of("sendto") + calls_of("write"), BATCHES, "{counts:?}\n{trace}");
    assert!(calls_of("epoll_wait") <= BATCHES + 1, "{counts:?}\n{trace}");
    let all: usize = counts.values().sum();
    assert!(all <= 3 * BATCHES + 1, "there are no other system calls: {counts:?}\n{trace}");
    Ok(())
}

/// (4.8.2, 6.2.1, 6.3.3)
#[test]
fn a_batch_in_a_room_costs_one_read_one_write_per_member_and_one_file_write() -> io::Result<()> {
    const MEMBERS: usize = 5;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("system-calls");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder)?;
    let state = folder.join("state");
    let path = state.to_str().expect("UTF-8");
    let flags = ["--room-pace", "1000000", "--state", path];
    let Some((mut server, address)) = start_traced(&flags)? else { return skipped() };
    let mut members = Vec::new();
    for name in 0..MEMBERS {
        let mut member = User::connect(&address)?;
        member.send(&format!("m{name}\n4\n/quiet\n"))?;
        member.await_line("Joins and leaves are hidden")?;
        members.push(member);
    }
    let mut say = |batch: &str, last: &str| {
        members[0].send(batch)?;
        members.iter_mut().try_for_each(|member| member.await_line(last))
    };
    say("begin\n", "begin")?;
    for batch in 0..BATCHES {
        let lines = if batch % 2 == 0 { 1 } else { 16 };
        let last = format!("last of {batch}");
        say(&format!("{}{last}\n", "another line\n".repeat(lines - 1)), &last)?;
    }
    say("finish\n", "finish")?;
    let trace = server.stop()?;
    fs::remove_dir_all(&folder)?;
    let counts = counts_between_markers(&trace);
    let calls_of = |call| counts.get(call).copied().unwrap_or(0);
    // The count begins with the file write of "begin", so the writes of "begin" to the members
    // belong to it.
    assert_eq!(calls_of("recvfrom"), BATCHES, "{counts:?}\n{trace}");
    assert_eq!(calls_of("sendto"), (BATCHES + 1) * MEMBERS, "{counts:?}\n{trace}");
    assert_eq!(calls_of("write"), BATCHES, "{counts:?}\n{trace}");
    assert!(calls_of("epoll_wait") <= BATCHES + 1, "{counts:?}\n{trace}");
    Ok(())
}

/// Writes directly to stderr: the test runner shows the output of failed tests only.
fn skipped() -> io::Result<()> {
    writeln!(io::stderr(), "system_calls: SKIPPED, strace is not installed or may not trace")
}

/// Starts the server. Returns `None` if strace is not installed or may not trace.
fn start_traced(flags: &[&str]) -> io::Result<Option<(Traced, String)>> {
    // With -D the server, not strace, is the child of this process, and strace exits with the
    // server.
    let child = Command::new("strace")
        .args(["-D", env!("CARGO_BIN_EXE_chinwag"), "serve", "--listen", "127.0.0.1:0", "-q"])
        .args(flags)
        // Cargo sets it, and the search through its folders would fill the pipe with the trace.
        .env_remove("LD_LIBRARY_PATH")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut server = match child {
        Ok(child) => Traced(child),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut line = String::new();
    let output = server.0.stdout.as_mut().expect("standard output is piped");
    BufReader::new(output).read_line(&mut line)?;
    let Some((_, address)) = line.trim_end().split_once("listens on ") else {
        assert_eq!(line, "", "the server prints its address first");
        return Ok(None);
    };
    let address = address.split_whitespace().next().unwrap_or(address);
    Ok(Some((server, address.to_owned())))
}

fn chatting(address: &str) -> io::Result<(User, User)> {
    let (mut anna, mut bert) = (User::connect(address)?, User::connect(address)?);
    anna.send("anna\n")?;
    bert.send("bert\n")?;
    anna.await_line("2 request chat")?;
    bert.await_line("2 request chat")?;
    anna.send("2 bert\n")?;
    bert.await_line("wants to chat")?;
    bert.send("yes\n")?;
    anna.await_line("You are now chatting with")?;
    bert.await_line("You are now chatting with")?;
    Ok((anna, bert))
}

fn say(from: &mut User, to: &mut User, batch: &str, last: &str) -> io::Result<()> {
    from.send(batch)?;
    to.await_line(last)
}

/// Counts the system calls between the write of "begin" and the read of "finish".
fn counts_between_markers(trace: &str) -> BTreeMap<&str, usize> {
    let mut lines = trace.lines();
    let is_begin = |line: &str| line.contains("begin") && line.starts_with(['s', 'w']);
    assert!(lines.any(is_begin), "the first line is in the trace:\n{trace}");
    let mut counts = BTreeMap::new();
    for line in lines.take_while(|line| !line.contains("finish")) {
        let call = line.split('(').next().unwrap_or(line);
        *counts.entry(call).or_insert(0) += 1;
    }
    counts
}
