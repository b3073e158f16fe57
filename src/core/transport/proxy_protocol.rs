//! The PROXY protocol, versions 1 and 2 (2.5): a header before all other bytes, in which a proxy
//! tells the address of its client. The specification is HAProxy's `proxy-protocol.txt`.
//!
//! A header is a prefix and no layer: behind it, [`ProxyProtocol`] hands everything to the transport
//! inside it. With none inside, it is transparent, and the exchange drops it. `server/accept.rs`
//! decides who must send a header.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Opening, Received, SessionEnd, Transport, TransportError};
use crate::core::limits::{PROXY_HEADER_BYTES_MAX, PROXY_HEADER_MS, PROXY_LINE_BYTES_MAX};
use crate::core::time::Time;

/// How a header of version 1 begins.
const LINE_START: &[u8] = b"PROXY ";
/// How a header of version 2 begins.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of version 2 before the addresses.
const FIXED_BYTES: usize = 16;

/// What a client reads that sends something else, if it speaks lines.
const NO_HEADER_LINE: &[u8] =
    b"! The server expects a PROXY header from this address; nothing was done\r\n";

const NO_HEADER: TransportError = TransportError("no PROXY header");
const NOT_VALID: TransportError = TransportError("the PROXY header is not valid");
const TOO_LONG: TransportError = TransportError("the PROXY header is too long");
const TOO_LATE: TransportError = TransportError("no PROXY header in time");

/// A connection that begins with a PROXY header.
#[derive(Debug)]
pub struct ProxyProtocol {
    /// The header as far as it has come, without what is skipped. At most [`PROXY_LINE_BYTES_MAX`].
    header: Vec<u8>,
    state: State,
    /// The `!` line for a client without a header.
    refusal: &'static [u8],
    /// The transport of the bytes behind the header; `None` is plain TCP.
    inner: Option<Box<dyn Transport>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The header must be complete at this time.
    Reading { until: Time },
    /// The address is known. The rest of the header is skipped, by the same time.
    Skipping { left: usize, client: Option<SocketAddr>, until: Time },
    /// The header is complete.
    Done { client: Option<SocketAddr> },
}

/// What the bytes of a header mean.
#[derive(Debug, PartialEq, Eq)]
enum Header {
    Incomplete,
    /// `client` is `None` if the header names no address that a client can have. `skip` bytes of the
    /// header follow.
    Complete {
        client: Option<SocketAddr>,
        skip: usize,
    },
}

impl ProxyProtocol {
    /// A connection that has just been accepted. The bytes behind the header are those of `inner`.
    #[must_use]
    pub fn new(now: Time, inner: Option<Box<dyn Transport>>) -> ProxyProtocol {
        let until = now.after_ms(PROXY_HEADER_MS);
        let state = State::Reading { until };
        ProxyProtocol { header: Vec::new(), state, refusal: b"", inner }
    }

    /// Takes the header from the front of `bytes`.
    fn take_header(&mut self, bytes: &mut &[u8]) -> Result<(), TransportError> {
        loop {
            match &mut self.state {
                State::Done { .. } => return Ok(()),
                State::Skipping { left: 0, client, .. } => {
                    self.state = State::Done { client: *client };
                    self.header = Vec::new();
                }
                State::Skipping { left, .. } => {
                    let skipped = bytes.len().min(*left);
                    if skipped == 0 {
                        return Ok(());
                    }
                    *left -= skipped;
                    *bytes = &bytes[skipped..];
                }
                State::Reading { until } => {
                    let until = *until;
                    let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
                    *bytes = rest;
                    self.header.push(byte);
                    if let Header::Complete { client, skip } = parse(&self.header)? {
                        self.state = State::Skipping { left: skip, client, until };
                    }
                }
            }
        }
    }

    fn until(&self) -> Option<Time> {
        match self.state {
            State::Reading { until } | State::Skipping { until, .. } => Some(until),
            State::Done { .. } => None,
        }
    }

    /// Gives up. A client of another transport could not read a line.
    fn refuse(&mut self, error: TransportError) -> TransportError {
        if self.inner.is_none() {
            self.refusal = NO_HEADER_LINE;
        }
        error
    }

    /// The transport inside, once it may have its bytes.
    fn inner(&mut self) -> Option<&mut dyn Transport> {
        match (&self.state, &mut self.inner) {
            (State::Done { .. }, Some(inner)) => Some(&mut **inner),
            _ => None,
        }
    }
}

impl Transport for ProxyProtocol {
    fn receive(
        &mut self,
        now: Time,
        mut bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        self.take_header(&mut bytes).map_err(|error| self.refuse(error))?;
        if let Some(inner) = self.inner() {
            return inner.receive(now, bytes, input);
        }
        input.extend_from_slice(bytes);
        Ok(Received::Data)
    }

    fn send(&mut self, data: &[u8]) -> usize {
        self.inner().map_or(0, |inner| inner.send(data))
    }

    fn output(&self) -> &[u8] {
        match &self.inner {
            Some(inner) => inner.output(),
            None => self.refusal,
        }
    }

    fn handle_sent(&mut self, count: usize) {
        match &mut self.inner {
            Some(inner) => inner.handle_sent(count),
            None => self.refusal = &self.refusal[count..],
        }
    }

    fn close(&mut self) {
        if let Some(inner) = self.inner() {
            inner.close();
        }
    }

    fn is_end_clean(&self) -> bool {
        self.inner.as_ref().is_none_or(|inner| inner.is_end_clean())
    }

    fn is_handshaking(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.is_handshaking())
    }

    fn opening(&self) -> Opening {
        let State::Done { client } = self.state else { return Opening::Pending };
        match self.inner.as_ref().map_or(Opening::Ready(None), |inner| inner.opening()) {
            Opening::Pending => Opening::Pending,
            // What the inner transport learned is nearer to the client.
            Opening::Ready(nearer) => Opening::Ready(nearer.or(client)),
        }
    }

    fn is_transparent(&self) -> bool {
        self.until().is_none() && self.inner.is_none()
    }

    fn deadline(&self) -> Option<Time> {
        self.until().or_else(|| self.inner.as_ref()?.deadline())
    }

    fn handle_timeout(&mut self, now: Time, is_read: bool) -> Result<Received, TransportError> {
        match (self.until(), self.inner()) {
            (Some(until), _) if until <= now => Err(self.refuse(TOO_LATE)),
            (None, Some(inner)) => inner.handle_timeout(now, is_read),
            _ => Ok(Received::Data),
        }
    }

    fn handle_session_end(&mut self, why: SessionEnd) {
        if let Some(inner) = self.inner() {
            inner.handle_session_end(why);
        }
    }
}

/// Parses the bytes so far. Called after each byte, so a wrong byte is noticed at once.
fn parse(header: &[u8]) -> Result<Header, TransportError> {
    let is_start_of = |start: &[u8]| {
        let seen = header.len().min(start.len());
        header[..seen] == start[..seen]
    };
    if is_start_of(LINE_START) {
        parse_line(header)
    } else if is_start_of(SIGNATURE) {
        parse_binary(header)
    } else {
        Err(NO_HEADER)
    }
}

/// Version 1: one line of text.
fn parse_line(header: &[u8]) -> Result<Header, TransportError> {
    let ends = match header {
        [.., before, last] => {
            // Only CR LF ends the line: a CR or LF alone stands for nothing.
            if (*before == b'\r') != (*last == b'\n') {
                return Err(NOT_VALID);
            }
            *last == b'\n'
        }
        _ => false,
    };
    if !ends {
        let is_full = header.len() >= PROXY_LINE_BYTES_MAX;
        return if is_full { Err(TOO_LONG) } else { Ok(Header::Incomplete) };
    }
    let fields = &header[LINE_START.len()..header.len() - 2];
    let client = match fields.strip_prefix(b"UNKNOWN") {
        // Whatever follows is to be ignored.
        Some([] | [b' ', ..]) => None,
        _ => usable(parse_fields(fields).ok_or(NOT_VALID)?),
    };
    Ok(Header::Complete { client, skip: 0 })
}

/// `FAMILY SOURCE DESTINATION PORT PORT`. The destination is this server, and only its form matters.
fn parse_fields(fields: &[u8]) -> Option<SocketAddr> {
    let fields = str::from_utf8(fields).ok()?.split(' ').take(6).collect::<Vec<_>>();
    let [family, source, destination, source_port, destination_port] = *fields.as_slice() else {
        return None;
    };
    let address = |text: &str| match family {
        "TCP4" => text.parse().ok().map(IpAddr::V4),
        "TCP6" => text.parse().ok().map(IpAddr::V6),
        _ => None,
    };
    address(destination).zip(port(destination_port))?;
    Some(SocketAddr::new(address(source)?, port(source_port)?))
}

/// A port in decimal digits, without leading zeros.
fn port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain && is_short)
}

/// Version 2: the signature, version and command, family and protocol, the length of what follows.
fn parse_binary(header: &[u8]) -> Result<Header, TransportError> {
    let Some((fixed, addresses)) = header.split_first_chunk::<FIXED_BYTES>() else {
        return Ok(Header::Incomplete);
    };
    let [.., command, family, high, low] = *fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if FIXED_BYTES + length > PROXY_HEADER_BYTES_MAX {
        return Err(TOO_LONG);
    }
    let block_bytes = match (command, family >> 4, family & 0xf) {
        // LOCAL: the proxy speaks for itself, as in a health check. The family means nothing.
        (0x20, _, _) => 0,
        // TCP over IPv4 and over IPv6: two addresses and two ports.
        (0x21, 1, 1) => 12,
        (0x21, 2, 1) => 36,
        // A Unix socket, UDP, or something that the proxy did not know.
        (0x21, 0..=3, 0..=2) => 0,
        _ => return Err(NOT_VALID),
    };
    if length < block_bytes {
        return Err(NOT_VALID);
    }
    let Some(block) = addresses.get(..block_bytes) else { return Ok(Header::Incomplete) };
    let client = match *block {
        [a, b, c, d, _, _, _, _, high, low, _, _] => {
            Some(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
        }
        [ref source @ .., high, low, _, _] => source.first_chunk::<16>().map(|source| {
            SocketAddr::new(Ipv6Addr::from(*source).into(), u16::from_be_bytes([high, low]))
        }),
        _ => None,
    };
    Ok(Header::Complete { client: client.and_then(usable), skip: length - block_bytes })
}

/// An address that a client can have. `0.0.0.0` and `::` mean that the proxy does not know it.
fn usable(client: SocketAddr) -> Option<SocketAddr> {
    let ip = client.ip().to_canonical();
    (!ip.is_unspecified()).then(|| SocketAddr::new(ip, client.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = b"anna\n";

    /// A header of version 2.
    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = (rest.len() as u16).to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest].concat()
    }

    fn v4_block(source: [u8; 4], port: u16) -> Vec<u8> {
        [&source[..], &[10, 0, 0, 1], &port.to_be_bytes(), &[0, 80]].concat()
    }

    fn v6_block(source: &str, port: u16) -> Vec<u8> {
        let source = source.parse::<Ipv6Addr>().unwrap().octets();
        [&source[..], &[0; 16], &port.to_be_bytes(), &[0, 80]].concat()
    }

    /// What a connection that sends `bytes` in pieces of `cut` has opened as, and its input.
    fn read(bytes: &[u8], cut: usize) -> Result<(Opening, Vec<u8>), TransportError> {
        let mut connection = ProxyProtocol::new(Time::START, None);
        let mut input = Vec::new();
        for piece in bytes.chunks(cut) {
            assert_eq!(connection.receive(Time::START, piece, &mut input)?, Received::Data);
            assert!(connection.header.len() <= PROXY_LINE_BYTES_MAX);
        }
        Ok((connection.opening(), input))
    }

    /// Every cut of `header` gives the same, and the bytes behind it are input.
    fn client_of(header: &[u8]) -> Result<Option<SocketAddr>, TransportError> {
        let bytes = [header, HELLO].concat();
        let whole = read(&bytes, bytes.len());
        for cut in 1..bytes.len() {
            assert_eq!(read(&bytes, cut), whole, "cut {cut} of {}", header.escape_ascii());
        }
        let (opening, input) = whole?;
        assert_eq!(input, HELLO, "{}", header.escape_ascii());
        let (before, _) = read(&header[..header.len() - 1], 1).unwrap();
        assert_eq!(before, Opening::Pending, "the header is read to its end");
        match opening {
            Opening::Ready(client) => Ok(client),
            Opening::Pending => panic!("{} is pending", header.escape_ascii()),
        }
    }

    fn names(header: &[u8], client: &str) {
        let found = client_of(header).unwrap().map(|client| client.to_string());
        assert_eq!(found.as_deref(), Some(client), "{}", header.escape_ascii());
    }

    /// (2.5.2)
    #[test]
    fn a_header_names_the_client_in_every_cut() {
        names(b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 7878\r\n", "192.0.2.1:56324");
        names(b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 0\r\n", "255.255.255.255:65535");
        names(b"PROXY TCP6 2001:db8::1 ::1 1 7878\r\n", "[2001:db8::1]:1");
        names(b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 7878\r\n", "192.0.2.1:1");
        names(&binary(0x21, 0x11, &v4_block([192, 0, 2, 1], 56324)), "192.0.2.1:56324");
        names(&binary(0x21, 0x21, &v6_block("2001:db8::1", 9)), "[2001:db8::1]:9");
        names(&binary(0x21, 0x21, &v6_block("::ffff:192.0.2.1", 9)), "192.0.2.1:9");
        let with_more = [v4_block([192, 0, 2, 1], 9), vec![0x04; 300]].concat();
        names(&binary(0x21, 0x11, &with_more), "192.0.2.1:9");
    }

    /// (2.5.2)
    #[test]
    fn a_header_without_a_client_is_valid_and_keeps_the_address_of_the_socket() {
        for header in [
            &b"PROXY UNKNOWN\r\n"[..],
            b"PROXY UNKNOWN ffff::1 what ever 1 \xff\r\n",
            b"PROXY TCP4 0.0.0.0 10.0.0.1 0 0\r\n",
            &binary(0x20, 0x00, b""),
            &binary(0x20, 0x11, &v4_block([192, 0, 2, 1], 9)),
            &binary(0x20, 0xff, b"what ever"),
            &binary(0x21, 0x00, b""),
            &binary(0x21, 0x00, b"what ever"),
            &binary(0x21, 0x12, &v4_block([192, 0, 2, 1], 9)),
            &binary(0x21, 0x31, &[b'/'; 216]),
            &binary(0x21, 0x21, &v6_block("::", 9)),
        ] {
            assert_eq!(client_of(header), Ok(None), "{}", header.escape_ascii());
        }
    }

    /// (2.5.4, 7.65)
    #[test]
    fn whatever_is_no_header_is_refused_at_the_first_byte_that_shows_it() {
        let refused = |bytes: &[u8], error, at: usize| {
            assert_eq!(client_of(bytes), Err(error), "{}", bytes.escape_ascii());
            assert!(
                read(&bytes[..at - 1], 1).is_ok(),
                "{} is refused before",
                bytes.escape_ascii()
            );
            assert!(read(&bytes[..at], 1).is_err(), "{} is refused later", bytes.escape_ascii());
        };
        refused(b"anna\n", NO_HEADER, 1);
        refused(b"PROXYTCP4", NO_HEADER, 6);
        refused(b"\r\n\r\nanna", NO_HEADER, 5);
        refused(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", NOT_VALID, 31);
        refused(b"PROXY TCP4 1.2.3.4\r1.2.3.4 1 2\r\n", NOT_VALID, 20);
        refused(&[b"PROXY UNKNOWN ", &[b'x'; 120][..]].concat(), TOO_LONG, PROXY_LINE_BYTES_MAX);
        refused(&binary(0x11, 0x11, &v4_block([1; 4], 1)), NOT_VALID, FIXED_BYTES);
        refused(&binary(0x22, 0x11, &v4_block([1; 4], 1)), NOT_VALID, FIXED_BYTES);
        refused(&binary(0x21, 0x41, &[0; 36]), NOT_VALID, FIXED_BYTES);
        refused(&binary(0x21, 0x13, &[0; 36]), NOT_VALID, FIXED_BYTES);
        refused(&binary(0x21, 0x11, &[0; 11]), NOT_VALID, FIXED_BYTES);
        refused(&binary(0x21, 0x21, &[0; 35]), NOT_VALID, FIXED_BYTES);
        let too_much = vec![0; PROXY_HEADER_BYTES_MAX - FIXED_BYTES + 1];
        assert_eq!(read(&binary(0x21, 0x11, &too_much), 9), Err(TOO_LONG));
        assert!(read(&binary(0x21, 0x11, &too_much[1..]), 9).is_ok());
    }

    /// (2.5.4)
    #[test]
    fn the_fields_of_a_line_have_one_form() {
        for fields in [
            "TCP4",
            "tcp4 192.0.2.1 10.0.0.1 1 2",
            "UDP4 192.0.2.1 10.0.0.1 1 2",
            "UNKNOWNS",
            "TCP4 192.0.2.1 10.0.0.1 1",
            "TCP4 192.0.2.1 10.0.0.1 1 2 3",
            "TCP4  192.0.2.1 10.0.0.1 1 2",
            "TCP4 192.0.2.01 10.0.0.1 1 2",
            "TCP4 192.0.2.256 10.0.0.1 1 2",
            "TCP4 192.0.2.1 10.0.0 1 2",
            "TCP4 2001:db8::1 10.0.0.1 1 2",
            "TCP6 192.0.2.1 ::1 1 2",
            "TCP6 fe80::1%eth0 ::1 1 2",
            "TCP4 192.0.2.1 10.0.0.1 65536 2",
            "TCP4 192.0.2.1 10.0.0.1 01 2",
            "TCP4 192.0.2.1 10.0.0.1 +1 2",
            "TCP4 192.0.2.1 10.0.0.1 1 -2",
            "TCP4 192.0.2.1 10.0.0.1 1 ",
        ] {
            let header = format!("PROXY {fields}\r\n");
            assert_eq!(client_of(header.as_bytes()), Err(NOT_VALID), "{fields}");
        }
    }

    /// (2.5.4, 7.65)
    #[test]
    fn a_header_that_does_not_come_in_time_is_refused_with_a_line() {
        let mut connection = ProxyProtocol::new(Time::START, None);
        let until = Time::START.after_ms(PROXY_HEADER_MS);
        assert_eq!(connection.deadline(), Some(until));
        connection.receive(Time::START, b"PROXY TCP4 ", &mut Vec::new()).unwrap();
        assert_eq!(connection.handle_timeout(Time::START, true), Ok(Received::Data), "not yet");
        assert_eq!(connection.handle_timeout(until, true), Err(TOO_LATE));
        assert_eq!(connection.output(), NO_HEADER_LINE);
        connection.handle_sent(NO_HEADER_LINE.len());
        assert!(connection.output().is_empty());
    }

    /// A transport that reads one byte, learns an address, and encodes by doubling.
    #[derive(Debug, Default)]
    struct Doubler {
        is_ready: bool,
        learns: Option<SocketAddr>,
        output: Vec<u8>,
    }

    impl Transport for Doubler {
        fn receive(
            &mut self,
            _now: Time,
            bytes: &[u8],
            input: &mut Vec<u8>,
        ) -> Result<Received, TransportError> {
            input.extend_from_slice(&bytes[usize::from(!self.is_ready).min(bytes.len())..]);
            self.is_ready |= !bytes.is_empty();
            Ok(Received::Data)
        }

        fn send(&mut self, data: &[u8]) -> usize {
            data.iter().for_each(|&byte| self.output.extend_from_slice(&[byte, byte]));
            data.len()
        }

        fn output(&self) -> &[u8] {
            &self.output
        }

        fn handle_sent(&mut self, count: usize) {
            self.output.drain(..count);
        }

        fn close(&mut self) {
            self.output.push(b'.');
        }

        fn is_end_clean(&self) -> bool {
            false
        }

        fn opening(&self) -> Opening {
            if self.is_ready { Opening::Ready(self.learns) } else { Opening::Pending }
        }
    }

    /// (2.5.1)
    #[test]
    fn the_bytes_behind_the_header_are_those_of_the_transport_inside() {
        let header = b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n";
        let address = |text: &str| Some(text.parse::<SocketAddr>().unwrap());
        for (learns, client) in
            [(None, address("192.0.2.1:1")), (address("[::2]:0"), address("[::2]:0"))]
        {
            let inside = Doubler { learns, ..Doubler::default() };
            let mut connection = ProxyProtocol::new(Time::START, Some(Box::new(inside)));
            let mut input = Vec::new();
            connection.close();
            assert_eq!(connection.send(b"early"), 0);
            connection.receive(Time::START, header, &mut input).unwrap();
            assert_eq!(connection.opening(), Opening::Pending, "the inner one is not ready");
            connection.receive(Time::START, b"?hi", &mut input).unwrap();
            assert_eq!((connection.opening(), &*input), (Opening::Ready(client), &b"hi"[..]));
            assert!(!connection.is_transparent() && !connection.is_end_clean());
            assert_eq!(connection.send(b"ab"), 2);
            connection.close();
            connection.handle_sent(1);
            assert_eq!(connection.output(), b"abb.");
        }
        let inside = Some(Box::new(Doubler::default()) as Box<dyn Transport>);
        let mut connection = ProxyProtocol::new(Time::START, inside);
        assert!(connection.receive(Time::START, b"anna", &mut Vec::new()).is_err());
        assert_eq!(connection.output(), b"", "its client could not read a line");
    }
}
