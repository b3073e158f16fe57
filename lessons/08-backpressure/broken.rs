//! Lesson 8, broken: what a slow listener does not read piles up in the server.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(0);
/// The first client talks, the second listens. All others ask how much waited at most.
const TALKER: Token = Token(1);
const LISTENING: Token = Token(2);

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let address = format!("127.0.0.1:{port}").parse().map_err(io::Error::other)?;
    let mut listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(64);
    let mut relay = Relay::default();
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
                    relay.clients.insert(Token(next), stream);
                    next += 1;
                }
                continue;
            }
            match event.token() {
                TALKER => relay.read_talker()?,
                LISTENING => relay.write_listener()?,
                other => relay.tell(other)?,
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

/// What is said by one, and waits for the other. An error of a client ends this small program.
#[derive(Default)]
struct Relay {
    clients: HashMap<Token, TcpStream>,
    outbox: Vec<u8>,
    most: usize,
}

impl Relay {
    fn read_talker(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        // The bug: the talker is read whether or not the listener reads. The outbox grows until
        // the machine has no memory.
        loop {
            let Some(talker) = self.clients.get_mut(&TALKER) else { return Ok(()) };
            match talker.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.outbox.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            self.most = self.most.max(self.outbox.len());
            if self.outbox.len() < 2 * buffer.len() {
                self.write_listener()?;
            }
        }
    }

    fn write_listener(&mut self) -> io::Result<()> {
        let Some(listener) = self.clients.get_mut(&LISTENING) else { return Ok(()) };
        let mut written = 0;
        while written < self.outbox.len() {
            match listener.write(&self.outbox[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.outbox.drain(..written);
        Ok(())
    }

    /// Answers each read of another client with the most bytes that ever waited.
    fn tell(&mut self, asker: Token) -> io::Result<()> {
        let mut buffer = [0; 64];
        let Some(stream) = self.clients.get_mut(&asker) else { return Ok(()) };
        while let Ok(1..) = stream.read(&mut buffer) {
            writeln!(stream, "{}", self.most)?;
        }
        Ok(())
    }
}
