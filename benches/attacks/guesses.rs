//! Attackers that guess a password. Each guess comes over a new connection from another address of the
//! loopback network, because an address that was wrong must wait (7.87, 7.88).

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};
use std::os::fd::AsRawFd;

/// The account, and its password.
pub(super) const ACCOUNT: [&str; 2] = ["owner", "correct horse"];

/// Guesses for ever, on so many connections at a time.
pub(super) fn run(server: SocketAddr, clients: usize) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut addresses = addresses();
    let mut guessers = Vec::new();
    for n in 0..clients {
        guessers.push(guess(server, addresses.next(), n, &poll)?);
    }
    let mut events = Events::with_capacity(1024);
    let mut buffer = [0; 4096];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let n = event.token().0;
            let is_over = loop {
                match guessers[n].read(&mut buffer) {
                    Ok(count) if says_no(&buffer[..count]) => break true,
                    Ok(0) => break true,
                    Ok(_) => {}
                    Err(error) => break error.kind() != ErrorKind::WouldBlock,
                }
            };
            if is_over {
                guessers[n] = guess(server, addresses.next(), n, &poll)?;
            }
        }
    }
}

/// Whether this is the answer to the guess, and no warning before it.
fn says_no(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    ["Wrong", "Too many"].into_iter().any(|words| text.contains(words))
}

/// Addresses of the loopback network, but not 127.0.0.1, where the honest users are.
fn addresses() -> impl Iterator<Item = Ipv4Addr> {
    (0x7f01_0000..0x7fff_0000_u32).map(Ipv4Addr::from_bits).cycle()
}

fn guess(
    server: SocketAddr,
    from: Option<Ipv4Addr>,
    n: usize,
    poll: &Poll,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let from = from.ok_or_else(|| io::Error::other("no address"))?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&server.into())?;
    let mut stream = TcpStream::from(socket);
    stream.write_all(format!("{}\nwrong password\n", ACCOUNT[0]).as_bytes())?;
    stream.set_nonblocking(true)?;
    let fd = stream.as_raw_fd();
    poll.registry().register(&mut SourceFd(&fd), Token(n), Interest::READABLE)?;
    Ok(stream)
}
