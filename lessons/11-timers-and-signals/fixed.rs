//! Lesson 11, fixed: the nearest deadline is the timeout of poll, and signals come as events.
#![expect(clippy::disallowed_methods, reason = "the lesson is about the clock")]

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;

const LISTENER: Token = Token(0);
const SIGNALS: Token = Token(1);

/// A client and the time when its patience ends, unless it speaks.
type Clients = HashMap<Token, (TcpStream, Instant)>;

fn main() -> io::Result<()> {
    let patience = std::env::args().nth(2).and_then(|text| text.parse().ok());
    let patience = Duration::from_millis(patience.unwrap_or(5_000));
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let address = format!("127.0.0.1:{port}").parse().map_err(io::Error::other)?;
    let mut listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(64);
    // A handler may do almost nothing, because it runs between any two instructions. This one writes
    // a byte to a pipe, and poll reports the pipe like any other socket.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
    let mut clients = Clients::new();
    let mut next = 2;
    loop {
        // The fix: sleep no longer than until the nearest deadline; without clients, for ever.
        let nearest = clients.values().map(|(_, deadline)| *deadline).min();
        let timeout = nearest.map(|at| at.saturating_duration_since(Instant::now()));
        match poll.poll(&mut events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        let now = Instant::now();
        for event in &events {
            if event.token() == LISTENER {
                while let Some(mut stream) = accept(&listener)? {
                    poll.registry().register(&mut stream, Token(next), Interest::READABLE)?;
                    clients.insert(Token(next), (stream, now + patience));
                    next += 1;
                }
                continue;
            }
            if event.token() == SIGNALS && signals.pending().next().is_some() {
                for (stream, _) in clients.values_mut() {
                    let _ = writeln!(stream, "* The server is stopping");
                }
                return Ok(());
            }
            let Some((stream, deadline)) = clients.get_mut(&event.token()) else { continue };
            *deadline = now + patience;
            if !echo(stream) {
                clients.remove(&event.token());
            }
        }
        drop_silent(&mut clients, now);
    }
}

/// Says goodbye to the clients whose deadline has passed.
fn drop_silent(clients: &mut Clients, now: Instant) {
    clients.retain(|_, (stream, deadline)| {
        let is_late = *deadline <= now;
        if is_late {
            let _ = writeln!(stream, "! Too slow, goodbye");
        }
        !is_late
    });
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
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) if stream.write_all(&buffer[..count]).is_ok() => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
            Ok(_) => return false,
        }
    }
}
