//! Lesson 7, fixed: what the kernel does not take waits in an outbox until the socket is writable.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(0);
static PAGE: [u8; 4_000_000] = [b'x'; 4_000_000];

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
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(next), both)?;
                    clients.insert(Token(next), Client::new(stream));
                    next += 1;
                }
                continue;
            }
            let Some(client) = clients.get_mut(&event.token()) else { continue };
            if !client.handle_ready() {
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

/// A client. Each byte that it sends asks for a page of 4 MB.
struct Client {
    stream: TcpStream,
    /// The fix: what the client has not been sent yet.
    outbox: Vec<u8>,
    /// The client has ended its half, and only waits for the rest.
    has_ended: bool,
}

impl Client {
    fn new(stream: TcpStream) -> Client {
        Client { stream, outbox: Vec::new(), has_ended: false }
    }

    /// Reads all that has come, and writes what the kernel takes. Returns whether the client is
    /// still needed: until it has left and the outbox is empty.
    fn handle_ready(&mut self) -> bool {
        let mut buffer = [0; 1024];
        while !self.has_ended {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.has_ended = true,
                Ok(count) => (0..count).for_each(|_| self.send_page()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        self.write().is_ok() && !(self.has_ended && self.outbox.is_empty())
    }

    fn send_page(&mut self) {
        self.outbox.extend_from_slice(&PAGE);
        self.outbox.extend_from_slice(b"END\n");
    }

    /// Writes until the outbox is empty or the kernel is full. When the kernel has room again, poll
    /// reports the socket as writable, and this function goes on where it stopped.
    fn write(&mut self) -> io::Result<()> {
        let mut written = 0;
        let outcome = loop {
            if written == self.outbox.len() {
                break Ok(());
            }
            match self.stream.write(&self.outbox[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.outbox.drain(..written);
        outcome
    }
}
