//! Lesson 2, fixed: the check of a name and its use are one step under one lock.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Enough for the few calls below. The default stack is 2 MiB.
const STACK_BYTES: usize = 64 * 1024;

type Names = Arc<Mutex<HashSet<String>>>;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("listening on {}", listener.local_addr()?);
    let names = Names::default();
    for stream in listener.incoming() {
        let (stream, names) = (stream?, Arc::clone(&names));
        // A small stack helps with memory. If there is no thread to be had, this client must go, but
        // not the server.
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        if let Err(error) = thread.spawn(move || serve(&stream, &names)) {
            println!("no thread for a client: {error}");
        }
    }
    Ok(())
}

/// Gives the client a name, and answers its lines.
fn serve(stream: &TcpStream, names: &Names) -> io::Result<()> {
    let mut out = stream;
    let mut lines = BufReader::new(stream).lines();
    writeln!(out, "? Username:")?;
    while let Some(name) = lines.next().transpose()? {
        writeln!(out, "? Take {name}? yes or no")?;
        if lines.next().transpose()?.as_deref() != Some("yes") {
            continue;
        }
        // The fix: `insert` checks and takes in one step. No thread can come between.
        let Some(taken) = Taken::new(names, &name) else {
            writeln!(out, "! {name} is taken")?;
            continue;
        };
        writeln!(out, "* Hello, {name}")?;
        for line in &mut lines {
            writeln!(out, "{name} said: {}", line?)?;
        }
        drop(taken);
    }
    Ok(())
}

/// A name that is in use. It is free again when this value goes, also after an error.
struct Taken<'a> {
    names: &'a Names,
    name: &'a str,
}

impl<'a> Taken<'a> {
    fn new(names: &'a Names, name: &'a str) -> Option<Taken<'a>> {
        let mut locked = names.lock().unwrap_or_else(PoisonError::into_inner);
        // Not `then_some`: it would make a `Taken` in any case, and its `drop` would wait for this lock.
        locked.insert(name.to_owned()).then(|| Taken { names, name })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).remove(self.name);
    }
}
