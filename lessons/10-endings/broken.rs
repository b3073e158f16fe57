//! Lesson 10, broken: four endings, and each one goes wrong.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

const LISTENER: Token = Token(usize::MAX);

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let address = format!("127.0.0.1:{port}").parse().map_err(io::Error::other)?;
    let mut listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(64);
    let mut clients = Clients::default();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        for event in &events {
            if event.token() == LISTENER {
                clients.accept(&listener, poll.registry())?;
            } else {
                clients.handle(event.token().0, event.is_read_closed())?;
            }
        }
    }
}

struct Client {
    stream: TcpStream,
    line: Vec<u8>,
}

/// The clients, by number. A new client takes the lowest number that is free.
#[derive(Default)]
struct Clients {
    by_number: Vec<Option<Client>>,
}

impl Clients {
    fn accept(&mut self, listener: &TcpListener, registry: &Registry) -> io::Result<()> {
        loop {
            // Bug 1: if the process has no descriptor left, accept fails, and the server ends.
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let free = self.by_number.iter().position(Option::is_none);
            let number = free.unwrap_or(self.by_number.len());
            registry.register(&mut stream, Token(number), Interest::READABLE)?;
            writeln!(stream, "you are {number}")?;
            if number == self.by_number.len() {
                self.by_number.push(None);
            }
            self.by_number[number] = Some(Client { stream, line: Vec::new() });
        }
    }

    /// Reads one client, and answers each line. `kick N` ends the connection of N.
    fn handle(&mut self, number: usize, has_ended: bool) -> io::Result<()> {
        let mut buffer = [0; 1024];
        loop {
            let Some(Some(client)) = self.by_number.get_mut(number) else { return Ok(()) };
            match client.stream.read(&mut buffer) {
                Ok(0) => {
                    // Bug 2: a last line without an ending is lost, though the client can still read.
                    self.by_number[number] = None;
                }
                Ok(count) => {
                    client.line.extend_from_slice(&buffer[..count]);
                    self.handle_lines(number)?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if has_ended {
                        self.by_number[number] = None;
                    }
                    return Ok(());
                }
                // Bug 3: a reset of one client ends the server for all.
                Err(error) => return Err(error),
            }
        }
    }

    fn handle_lines(&mut self, number: usize) -> io::Result<()> {
        while let Some(Some(client)) = self.by_number.get_mut(number) {
            let Some(end) = client.line.iter().position(|&byte| byte == b'\n') else { break };
            let line = client.line.drain(..=end).collect::<Vec<_>>();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            writeln!(client.stream, "you said: {line}")?;
            let kicked = line.strip_prefix("kick ").and_then(|text| text.parse::<usize>().ok());
            if let Some(slot) = kicked.and_then(|kicked| self.by_number.get_mut(kicked)) {
                // Bug 4: the number is free at once. A client that comes in this very turn gets it,
                // and with it an old event of the client that was kicked.
                *slot = None;
            }
        }
        Ok(())
    }
}
