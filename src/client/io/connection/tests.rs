//! The connection, tested with real sockets on the loopback interface.

use std::net::TcpListener;
use std::time::Duration;

use mio::{Events, Poll};

use super::*;

fn connection(addresses: Vec<SocketAddr>) -> Connection {
    let server = Server { host: "127.0.0.1".to_owned(), port: 1, is_tls: false };
    let mut connection = Connection::new(&server, None, Token(0)).expect("no name to look up");
    connection.addresses = addresses;
    connection
}

/// Advances the connection until it reports an outcome.
fn outcome(connection: &mut Connection) -> Outcome {
    let mut poll = Poll::new().expect("a poll");
    let mut events = Events::with_capacity(4);
    let mut outcome = connection.connect(poll.registry(), Time::START);
    while outcome.is_none() {
        poll.poll(&mut events, Some(Duration::from_secs(20))).expect("an event");
        let is_ready = !events.is_empty();
        assert!(is_ready, "no outcome within 20 s: {connection:?}");
        outcome = connection.advance(poll.registry(), Time::START, is_ready, |_| {});
    }
    outcome.expect("the loop has ended")
}

/// A listener on a free port, and its address. Dropping the listener makes the address refuse.
fn address() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

#[test]
fn addresses_are_tried_in_order_until_one_accepts() {
    let (closed, dead) = address();
    drop(closed);
    let (_listener, live) = address();
    assert_eq!(
        outcome(&mut connection(vec![dead, dead, live])),
        Outcome::Connected(Privacy::Local)
    );
}

#[test]
fn a_failure_at_every_address_names_every_reason() {
    let (closed, dead) = address();
    drop(closed);
    let refused = "Connection refused";
    assert_eq!(outcome(&mut connection(vec![dead])), Outcome::Failed(refused.to_owned()));
    let both = format!("{dead}: {refused}; {dead}: {refused}");
    assert_eq!(outcome(&mut connection(vec![dead, dead])), Outcome::Failed(both));
}

#[test]
fn after_a_timeout_the_next_address_is_tried() {
    let (_listener, live) = address();
    // RFC 5737 reserves 192.0.2.0/24 for documentation, so no host answers there.
    let silent = "192.0.2.1:9".parse().expect("an address for documentation");
    let mut connection = connection(vec![silent, live]);
    let poll = Poll::new().expect("a poll");
    let registry = poll.registry();
    // A machine without a route to `silent` fails at once and is at the next address already.
    if connection.connect(registry, Time::START).is_none()
        && let State::Connecting { address_index: 0, .. } = connection.state
    {
        let late = Time::START.after_ms(connection.poll_timeout(Time::START).unwrap());
        assert_eq!(connection.advance(registry, late, false, |_| {}), None);
    }
    assert!(matches!(connection.state, State::Connecting { address_index: 1, .. }));
}

#[test]
fn unsent_bytes_are_returned_as_whole_lines() {
    let mut connection = connection(Vec::new());
    connection.push(b"one\r\n".to_vec());
    connection.push("日本\r\n".into());
    connection.written = 2;
    assert_eq!(connection.take_unsent(), ["one", "日本"]);
    assert!(connection.is_drained());
}
