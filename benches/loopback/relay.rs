//! The bare relay: the least work that any server between two sockets must do. It is the baseline.
//!
//! It copies bytes and knows no lines: one shared read buffer, one read and one write per batch,
//! one edge-triggered registration per socket, and no allocation while relaying. It trusts its
//! peers, and fails when a write is incomplete, which the load never causes. Connections 2k and
//! 2k+1 are a pair, in the order of arrival. The first bytes of each are its login; all later bytes
//! go to the other end, or with [`FAN_OUT_ARGUMENT`] to every connection that has logged in, the
//! sender included.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

/// The relay's reply to a login.
pub(super) const WELCOME: &str = "* welcome\n";

/// The argument that makes the relay fan out, for the room scenarios.
pub(super) const FAN_OUT_ARGUMENT: &str = "fan-out";

const LISTENER: Token = Token(usize::MAX);
const READ_BYTES_MAX: usize = 64 * 1024;
const EVENTS_MAX: usize = 1024;

/// One end of a pair.
struct End {
    stream: TcpStream,
    logged_in: bool,
}

struct Relay {
    poll: Poll,
    listener: TcpListener,
    fans_out: bool,
    /// End `i` of pair `p` has the token 2p + i.
    pairs: Vec<[Option<End>; 2]>,
    /// Pairs whose ends have both left.
    free: Vec<usize>,
    /// The pair that waits for its second end.
    half_pair: Option<usize>,
    buffer: Box<[u8]>,
}

/// Relays until the process is killed.
pub(super) fn run(arguments: &[String]) -> io::Result<()> {
    let fans_out = arguments.iter().any(|argument| argument == FAN_OUT_ARGUMENT);
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("the address is valid"))?;
    // Accepted sockets inherit the option.
    socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("relay listens on {}", listener.local_addr()?);
    let buffer = vec![0; READ_BYTES_MAX].into_boxed_slice();
    let (pairs, free) = (Vec::new(), Vec::new());
    let mut relay = Relay { poll, listener, fans_out, pairs, free, half_pair: None, buffer };
    let mut events = Events::with_capacity(EVENTS_MAX);
    loop {
        match relay.poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        for event in &events {
            match event.token() {
                LISTENER => relay.accept()?,
                token if event.is_readable() => relay.forward(token.0, event.is_read_closed())?,
                _ => {}
            }
        }
    }
}

impl Relay {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let (pair, end) = match self.half_pair.take() {
                Some(pair) => (pair, 1),
                None => (self.free_pair(), 0),
            };
            if end == 0 {
                self.half_pair = Some(pair);
            }
            let both = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(2 * pair + end), both)?;
            self.pairs[pair][end] = Some(End { stream, logged_in: false });
        }
    }

    fn free_pair(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.pairs.push([None, None]);
            self.pairs.len() - 1
        })
    }

    /// Forwards what one end sent to the other end, or to everybody. A short read has emptied the
    /// socket, unless the peer has ended its half: then one more read must return the end.
    fn forward(&mut self, token: usize, peer_ended: bool) -> io::Result<()> {
        let (pair, end) = (token / 2, token % 2);
        loop {
            let [left, right] = &mut self.pairs[pair];
            let (from, to) = if end == 0 { (left, right) } else { (right, left) };
            let Some(End { stream, logged_in }) = from else { return Ok(()) };
            let read = match stream.read(&mut self.buffer) {
                Ok(0) => {
                    self.disconnect(pair, end);
                    return Ok(());
                }
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            if !*logged_in {
                *logged_in = true;
                write_whole(stream, WELCOME.as_bytes())?;
            } else if self.fans_out {
                self.fan_out(read)?;
            } else if let Some(End { stream, .. }) = to {
                write_whole(stream, &self.buffer[..read])?;
            }
            if read < self.buffer.len() && !peer_ended {
                return Ok(());
            }
        }
    }

    fn fan_out(&mut self, read: usize) -> io::Result<()> {
        for End { stream, logged_in } in self.pairs.iter_mut().flatten().flatten() {
            if *logged_in {
                write_whole(stream, &self.buffer[..read])?;
            }
        }
        Ok(())
    }

    fn disconnect(&mut self, pair: usize, end: usize) {
        self.pairs[pair][end] = None;
        if self.pairs[pair].iter().all(Option::is_none) && self.half_pair != Some(pair) {
            self.free.push(pair);
        }
    }
}

fn write_whole(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    match stream.write(bytes)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(io::Error::other("a write was incomplete: the load filled a socket's buffer")),
    }
}
