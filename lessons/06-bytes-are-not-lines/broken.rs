//! Lesson 6, broken: the server takes the bytes of one read for one line.

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
    let mut clients: HashMap<Token, Client> = HashMap::new();
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
                    clients.insert(Token(next), Client { stream, name: None });
                    next += 1;
                }
                continue;
            }
            let Some(client) = clients.get_mut(&event.token()) else { continue };
            if !client.read() {
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

/// A client. The first line is the name.
struct Client {
    stream: TcpStream,
    name: Option<String>,
}

impl Client {
    /// Reads and handles all that has come. Returns whether the client is still there.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => {
                    // The bug: TCP keeps the order of bytes, and nothing else. Two lines can come
                    // in one read, and one line in two.
                    let line = String::from_utf8_lossy(&buffer[..count]).trim_end().to_owned();
                    if self.handle(line).is_err() {
                        return false;
                    }
                }
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }

    /// Handles one line.
    fn handle(&mut self, line: String) -> io::Result<()> {
        match &self.name {
            Some(name) => writeln!(self.stream, "{name}: {line}"),
            None => {
                writeln!(self.stream, "* Hello, {line}")?;
                self.name = Some(line);
                Ok(())
            }
        }
    }
}
