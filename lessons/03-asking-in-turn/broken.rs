//! Lesson 3, broken: one thread asks every socket in turn, for ever. Nobody speaks, and a core burns.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);
    let mut clients: HashMap<usize, TcpStream> = HashMap::new();
    let mut next = 0;
    let mut turns = 0_u64;
    // The bug: if nobody has anything to say, this loop asks again, a million times a second.
    loop {
        turns += 1;
        if let Some(stream) = accept(&listener)? {
            clients.insert(next, stream);
            next += 1;
        }
        let ids = clients.keys().copied().collect::<Vec<_>>();
        for id in ids {
            let is_open = clients.get_mut(&id).is_some_and(|stream| answer(stream, turns));
            if !is_open {
                clients.remove(&id);
            }
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

/// Asks one socket for bytes, and answers them with the number of turns so far. Returns whether the
/// client is still there.
fn answer(stream: &mut TcpStream, turns: u64) -> bool {
    let mut buffer = [0; 1024];
    match stream.read(&mut buffer) {
        Ok(0) => false,
        Ok(_) => writeln!(stream, "{turns}").is_ok(),
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
