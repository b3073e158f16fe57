//! System calls, counted by strace: a relayed batch is one read, one write and one wait; in a room it is a
//! write for each member, and one for the file that keeps it.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// So few that the trace fits into a pipe: nobody reads it while the server runs.
const BATCHES: usize = 50;
/// Nothing here takes a moment; a test that hangs must end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The server under strace; killed with this value.
struct Traced(Child);

impl Traced {
    /// Kills the server, and returns what it called.
    fn ends(&mut self) -> io::Result<String> {
        self.0.kill()?;
        let mut trace = String::new();
        let errors = self.0.stderr.as_mut().expect("standard error is piped");
        errors.read_to_string(&mut trace)?;
        Ok(trace)
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A user: what he sends, and the lines he is sent.
struct Client {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { lines: BufReader::new(stream.try_clone()?), stream })
    }

    fn send(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes())
    }

    /// Reads up to and including a line with these words.
    fn await_line(&mut self, words: &str) -> io::Result<()> {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.lines.read_line(&mut line)? > 0, "the server hung up before {words:?}");
        }
        Ok(())
    }
}

#[test]
fn a_relayed_batch_is_one_read_one_write_and_one_wait() -> io::Result<()> {
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
    let trace = server.ends()?;
    let counts = count(&trace);
    let of = |call| counts.get(call).copied().unwrap_or(0);
    // "begin" has been written before the count, "finish" is waited for within it.
    assert_eq!(of("recvfrom") + of("read"), BATCHES, "{counts:?}\n{trace}");
    assert_eq!(of("sendto") + of("write"), BATCHES, "{counts:?}\n{trace}");
    assert!(of("epoll_wait") <= BATCHES + 1, "{counts:?}\n{trace}");
    let all: usize = counts.values().sum();
    assert!(all <= 3 * BATCHES + 1, "nothing else is called: {counts:?}\n{trace}");
    Ok(())
}

/// (6.3, 6.14)
#[test]
fn a_batch_in_a_room_is_one_read_one_write_for_each_member_and_one_for_the_file() -> io::Result<()>
{
    const MEMBERS: usize = 5;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("system-calls");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder)?;
    let path = folder.to_str().expect("UTF-8");
    let flags = ["--room-pace", "1000000", "--history", path];
    let Some((mut server, address)) = start_traced(&flags)? else { return skipped() };
    let mut members = Vec::new();
    for name in 0..MEMBERS {
        let mut member = Client::connect(&address)?;
        member.send(&format!("m{name}\n4\n/quiet\n"))?;
        member.await_line("You do not read who")?;
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
    let trace = server.ends()?;
    fs::remove_dir_all(&folder)?;
    let counts = count(&trace);
    let of = |call| counts.get(call).copied().unwrap_or(0);
    // The writes to four sockets follow the record in which the count begins.
    assert_eq!(of("recvfrom"), BATCHES, "{counts:?}\n{trace}");
    assert_eq!(of("sendto"), (BATCHES + 1) * MEMBERS, "{counts:?}\n{trace}");
    assert_eq!(of("write"), BATCHES, "{counts:?}\n{trace}");
    assert!(of("epoll_wait") <= BATCHES + 1, "{counts:?}\n{trace}");
    Ok(())
}

/// History the test harness, which shows the output of failed tests only.
fn skipped() -> io::Result<()> {
    writeln!(io::stderr(), "system_calls: SKIPPED, strace is not installed or not let")
}

/// Starts the server; `None` if strace is absent, or not allowed to trace.
fn start_traced(flags: &[&str]) -> io::Result<Option<(Traced, String)>> {
    // With -D the server, not strace, is our child, and strace ends with it.
    let child = Command::new("strace")
        .args(["-D", env!("CARGO_BIN_EXE_chinwag"), "serve", "--listen", "127.0.0.1:0", "-q"])
        .args(flags)
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
        assert_eq!(line, "", "the server names its address");
        return Ok(None);
    };
    let address = address.split_whitespace().next().unwrap_or(address);
    Ok(Some((server, address.to_owned())))
}

fn chatting(address: &str) -> io::Result<(Client, Client)> {
    let (mut anna, mut bert) = (Client::connect(address)?, Client::connect(address)?);
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

fn say(from: &mut Client, to: &mut Client, batch: &str, last: &str) -> io::Result<()> {
    from.send(batch)?;
    to.await_line(last)
}

/// How often each system call stands between the writing of "begin" and the reading of "finish".
fn count(trace: &str) -> BTreeMap<&str, usize> {
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
