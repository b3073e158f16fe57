//! Lesson 3, half fixed: the loop rests after a turn in which nothing happened.
#![expect(clippy::disallowed_methods, reason = "the lesson is about waiting by time")]

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// How long the loop rests. Every answer may be late by this time.
const REST: Duration = Duration::from_millis(10);

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);
    let mut clients: HashMap<usize, TcpStream> = HashMap::new();
    let mut next = 0;
    let mut turns = 0_u64;
    loop {
        turns += 1;
        let mut is_idle = true;
        if let Some(stream) = accept(&listener)? {
            clients.insert(next, stream);
            next += 1;
            is_idle = false;
        }
        let ids = clients.keys().copied().collect::<Vec<_>>();
        for id in ids {
            let outcome = clients.get_mut(&id).map_or(Outcome::Gone, |s| answer(s, turns));
            is_idle &= outcome == Outcome::Quiet;
            if outcome == Outcome::Gone {
                clients.remove(&id);
            }
        }
        // The fix, as far as it goes: the core is free, but every answer may be late. And the loop
        // still asks everybody, a hundred times a second.
        if is_idle {
            thread::sleep(REST);
        }
    }
}

/// The next new client, or `None` if nobody is at the door.
fn accept(listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    match listener.accept() {
        Ok((stream, _)) => {
            stream.set_nonblocking(true)?;
            Ok(Some(stream))
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// What one socket had to say.
#[derive(PartialEq, Eq)]
enum Outcome {
    Quiet,
    Spoke,
    Gone,
}

/// Asks one socket for bytes, and answers them with the number of turns so far.
fn answer(stream: &mut TcpStream, turns: u64) -> Outcome {
    let mut buffer = [0; 1024];
    match stream.read(&mut buffer) {
        Ok(0) => Outcome::Gone,
        Ok(_) if writeln!(stream, "{turns}").is_ok() => Outcome::Spoke,
        Err(error) if error.kind() == ErrorKind::WouldBlock => Outcome::Quiet,
        Ok(_) | Err(_) => Outcome::Gone,
    }
}
