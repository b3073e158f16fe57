//! Lesson 9, fixed: each turn reads a little from each client that has something to say.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(0);
/// The bytes of one read.
const READ_BYTES: usize = 4096;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let address = format!("127.0.0.1:{port}").parse().map_err(io::Error::other)?;
    let mut listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(64);
    let mut clients: HashMap<Token, TcpStream> = HashMap::new();
    let mut next = 1;
    let mut handled = 0;
    // The fix: clients that may have more. An edge comes once, so the loop must remember them.
    let mut ready: VecDeque<Token> = VecDeque::new();
    loop {
        // While somebody is ready, only look for news. Otherwise sleep.
        let timeout = (!ready.is_empty()).then_some(Duration::ZERO);
        match poll.poll(&mut events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Some(mut stream) = accept(&listener)? {
                    poll.registry().register(&mut stream, Token(next), Interest::READABLE)?;
                    clients.insert(Token(next), stream);
                    next += 1;
                }
            } else if !ready.contains(&event.token()) {
                ready.push_back(event.token());
            }
        }
        // One read for each: nobody waits for longer than one read of everybody else.
        for _ in 0..ready.len() {
            let Some(token) = ready.pop_front() else { break };
            let Some(stream) = clients.get_mut(&token) else { continue };
            match read_once(stream, &mut handled) {
                Ok(0) => drop(clients.remove(&token)),
                Ok(_) => ready.push_back(token),
                // Empty: poll will report this client again.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => drop(clients.remove(&token)),
            }
        }
    }
}

/// The next new client, or `None` if nobody is at the door.
fn accept(listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    match listener.accept() {
        Ok((stream, _)) => Ok(Some(stream)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads once, and counts the bytes. A question mark is answered with the count so far.
fn read_once(stream: &mut TcpStream, handled: &mut usize) -> io::Result<usize> {
    let mut buffer = [0; READ_BYTES];
    let count = stream.read(&mut buffer)?;
    *handled += count;
    if buffer[..count].contains(&b'?') {
        writeln!(stream, "{handled}")?;
    }
    Ok(count)
}
