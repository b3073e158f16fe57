//! Lesson 10, fixed: four endings, each of them right.

use std::fs::File;
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
    let mut clients = Clients { by_number: Vec::new(), leaving: Vec::new(), spare: spare() };
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        for event in &events {
            if event.token() == LISTENER {
                clients.accept(&listener, poll.registry())?;
            } else {
                clients.handle(event.token().0, event.is_read_closed());
            }
        }
        // Fix 4: numbers become free between two batches. No old event can meet a new client.
        for number in std::mem::take(&mut clients.leaving) {
            clients.by_number[number] = None;
        }
    }
}

/// A descriptor in reserve, see `turn_away`.
fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

struct Client {
    stream: TcpStream,
    line: Vec<u8>,
    is_leaving: bool,
}

/// The clients, by number. A new client takes the lowest number that is free.
struct Clients {
    by_number: Vec<Option<Client>>,
    leaving: Vec<usize>,
    spare: Option<File>,
}

impl Clients {
    fn accept(&mut self, listener: &TcpListener, registry: &Registry) -> io::Result<()> {
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // The client has gone before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(_) if self.turn_away(listener) => continue,
                Err(_) => return Ok(()),
            };
            let free = self.by_number.iter().position(Option::is_none);
            let number = free.unwrap_or(self.by_number.len());
            registry.register(&mut stream, Token(number), Interest::READABLE)?;
            if number == self.by_number.len() {
                self.by_number.push(None);
            }
            let client = Client { stream, line: Vec::new(), is_leaving: false };
            self.by_number[number] = Some(client);
            self.say(number, &format!("you are {number}"));
        }
    }

    /// Fix 1: no descriptor is left. Gives up the spare one, takes the connection with it, and closes
    /// it. Otherwise the connection stays in the queue, and no new edge would ever come for it.
    fn turn_away(&mut self, listener: &TcpListener) -> bool {
        let had_spare = self.spare.take().is_some();
        let outcome = listener.accept();
        if let Ok((stream, _)) = &outcome {
            let _ = (&mut &*stream).write(b"! The server is full\n");
        }
        let was_accepted = outcome.is_ok();
        drop(outcome);
        self.spare = spare();
        had_spare && was_accepted
    }

    /// Reads one client, and answers each line. `kick N` ends the connection of N.
    fn handle(&mut self, number: usize, has_ended: bool) {
        let mut buffer = [0; 1024];
        loop {
            let Some(Some(client)) = self.by_number.get_mut(number) else { return };
            if client.is_leaving {
                return;
            }
            match client.stream.read(&mut buffer) {
                Ok(0) => {
                    // Fix 2: the client has ended its half only. Its last line gets an answer.
                    if !client.line.is_empty() {
                        client.line.push(b'\n');
                        self.handle_lines(number);
                    }
                    self.leave(number);
                }
                Ok(count) => {
                    client.line.extend_from_slice(&buffer[..count]);
                    self.handle_lines(number);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock && !has_ended => return,
                // Fix 3: a reset is the end of this client, and of no other.
                Err(_) => self.leave(number),
            }
        }
    }

    fn handle_lines(&mut self, number: usize) {
        while let Some(Some(client)) = self.by_number.get_mut(number) {
            let Some(end) = client.line.iter().position(|&byte| byte == b'\n') else { break };
            let line = client.line.drain(..=end).collect::<Vec<_>>();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.say(number, &format!("you said: {line}"));
            if let Some(Ok(kicked)) = line.strip_prefix("kick ").map(str::parse) {
                self.leave(kicked);
            }
        }
    }

    fn say(&mut self, number: usize, text: &str) {
        let Some(Some(client)) = self.by_number.get_mut(number) else { return };
        if writeln!(client.stream, "{text}").is_err() {
            self.leave(number);
        }
    }

    /// Marks a client. It is gone for everybody now, but its number is in use until `main` ends the turn.
    fn leave(&mut self, number: usize) {
        let Some(Some(client)) = self.by_number.get_mut(number) else { return };
        if !std::mem::replace(&mut client.is_leaving, true) {
            self.leaving.push(number);
        }
    }
}
