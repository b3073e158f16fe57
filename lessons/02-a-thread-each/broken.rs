//! Lesson 2, broken: a thread for each client, and a gap between the check of a name and its use.
#![expect(clippy::disallowed_methods, reason = "the lesson is about threads")]

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

type Names = Arc<Mutex<HashSet<String>>>;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("listening on {}", listener.local_addr()?);
    let names = Names::default();
    for stream in listener.incoming() {
        let (stream, names) = (stream?, Arc::clone(&names));
        // Each thread has a stack of 2 MiB of address space, for a client that says ten words.
        thread::spawn(move || serve(&stream, &names));
    }
    Ok(())
}

/// Gives the client a name, and answers its lines.
fn serve(stream: &TcpStream, names: &Names) -> io::Result<()> {
    let mut out = stream;
    let mut lines = BufReader::new(stream).lines();
    writeln!(out, "? Username:")?;
    while let Some(name) = lines.next().transpose()? {
        if names.lock().unwrap_or_else(PoisonError::into_inner).contains(&name) {
            writeln!(out, "! {name} is taken")?;
            continue;
        }
        // The bug: the lock is free again, and any other thread may run here. The question makes the
        // gap wide enough for a human. Without the question it is a microsecond wide.
        writeln!(out, "? {name} is free. Take it? yes or no")?;
        if lines.next().transpose()?.as_deref() != Some("yes") {
            continue;
        }
        names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        writeln!(out, "* Hello, {name}")?;
        for line in &mut lines {
            writeln!(out, "{name} said: {}", line?)?;
        }
        names.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
    }
    Ok(())
}
