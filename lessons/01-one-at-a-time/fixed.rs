//! Lesson 1, fixed: each client has a thread, so a silent client blocks only its own thread.
#![expect(clippy::disallowed_methods, reason = "the lesson is about threads")]

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        // The fix: the new thread waits for this client. This thread calls accept again at once.
        thread::spawn(move || {
            if let Err(error) = serve(&stream) {
                println!("a client failed: {error}");
            }
        });
    }
    Ok(())
}

/// Answers each line of one client until the client leaves.
fn serve(stream: &TcpStream) -> io::Result<()> {
    let mut out = stream;
    for line in BufReader::new(stream).lines() {
        writeln!(out, "you said: {}", line?)?;
    }
    Ok(())
}
