//! Lesson 4, broken: the loop sleeps in poll, but then asks every socket who it was.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(0);

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
    let mut reads = 0_u64;
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        while let Some(mut stream) = accept(&listener)? {
            poll.registry().register(&mut stream, Token(next), Interest::READABLE)?;
            clients.insert(Token(next), stream);
            next += 1;
        }
        // The bug: poll said which socket is ready, and nobody looked. A thousand idle clients cost
        // a thousand reads for each line of the one who speaks.
        clients.retain(|_, stream| answer(stream, &mut reads));
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

/// Reads all that has come, and answers with the number of reads so far. Returns whether the client
/// is still there.
fn answer(stream: &mut TcpStream, reads: &mut u64) -> bool {
    let mut buffer = [0; 1024];
    loop {
        *reads += 1;
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) if writeln!(stream, "{reads}").is_ok() => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Ok(_) | Err(_) => return false,
        }
    }
}
