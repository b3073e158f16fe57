//! The bare relay over TLS: the least work that any server does between two TLS connections, with the
//! buffered interface of rustls as its examples use it. It is the baseline.
//!
//! It knows no lines and trusts its peers. Connections 2k and 2k+1 are a pair, in the order of arrival.
//! The first bytes of each are its login.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use slab::Slab;

/// The relay's reply to a login.
pub(super) const WELCOME: &str = "* welcome\n";

const LISTENER: Token = Token(usize::MAX);

struct End {
    stream: TcpStream,
    tls: ServerConnection,
    is_logged_in: bool,
}

/// Relays until the process is killed. The arguments name the certificate and the key.
pub(super) fn run(arguments: &[String]) -> io::Result<()> {
    let config = config(&arguments[0], &arguments[1]);
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("the address is valid"))?;
    socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("relay listens on {}", listener.local_addr()?);
    let mut events = Events::with_capacity(1024);
    let (mut ends, mut buffer) = (Slab::<End>::new(), vec![0; 64 * 1024]);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() != LISTENER {
                forward(&mut ends, event.token().0, &mut buffer);
                continue;
            }
            while let Ok((mut stream, _)) = listener.accept() {
                let entry = ends.vacant_entry();
                let both = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(entry.key()), both)?;
                let tls = ServerConnection::new(Arc::clone(&config)).expect("a configuration");
                entry.insert(End { stream, tls, is_logged_in: false });
            }
        }
    }
}

fn config(chain: &str, key: &str) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = CertificateDer::pem_file_iter(chain).expect("a file");
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth();
    let mut config = config.with_single_cert(chain, key).expect("a pair");
    config.send_tls13_tickets = 1;
    Arc::new(config)
}

/// Forwards what one end sent to the other end.
fn forward(ends: &mut Slab<End>, key: usize, buffer: &mut [u8]) {
    let Some(end) = ends.get_mut(key) else { return };
    let (mut count, mut is_over) = (0, false);
    while !is_over {
        match end.tls.read_tls(&mut end.stream) {
            Ok(1..) => is_over = end.tls.process_new_packets().is_err(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Ok(0) | Err(_) => is_over = true,
        }
        while let Ok(read @ 1..) = end.tls.reader().read(&mut buffer[count..]) {
            count += read;
        }
    }
    flush(end);
    let (to, bytes) = match end.is_logged_in {
        true => (key ^ 1, &buffer[..count]),
        false if count > 0 => (key, WELCOME.as_bytes()),
        false => (key, &[][..]),
    };
    end.is_logged_in |= count > 0;
    if let Some(other) = ends.get_mut(to).filter(|_| !bytes.is_empty()) {
        other.tls.writer().write_all(bytes).expect("the load is small");
        flush(other);
    }
    if is_over {
        ends.remove(key);
    }
}

fn flush(end: &mut End) {
    while end.tls.wants_write() && end.tls.write_tls(&mut end.stream).is_ok() {}
}
