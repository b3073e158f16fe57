//! Lesson 1, broken: the server talks to one client at a time, and the next client waits.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        // The bug: `serve` returns when this client leaves. Until then nobody calls accept.
        if let Err(error) = serve(&stream?) {
            println!("a client failed: {error}");
        }
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
