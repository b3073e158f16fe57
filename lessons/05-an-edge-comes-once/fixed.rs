//! Lesson 5, fixed: an edge comes once, so the loop reads until the kernel has no more.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(0);
/// Small, so that the failure shows with one long line.
const READ_BYTES: usize = 64;

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
    loop {
        match poll.poll(&mut events, None) {
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
                continue;
            }
            let Some(stream) = clients.get_mut(&event.token()) else { continue };
            if !echo(stream) {
                clients.remove(&event.token());
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

/// Sends back all that has come. Returns whether the client is still there.
fn echo(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; READ_BYTES];
    // The fix: read until WouldBlock. Only then will poll report this socket again.
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) if stream.write_all(&buffer[..count]).is_ok() => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Ok(_) | Err(_) => return false,
        }
    }
}
