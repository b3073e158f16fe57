//! The client's side of HTTP and WebSocket, written from the RFCs and sharing no code with the server.
#![allow(dead_code, reason = "no test program uses all of it")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use crate::common::timeout;

/// The example of RFC 6455, 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const MASK: [u8; 4] = [0x5a, 0x01, 0xff, 0x80];

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// An HTTP response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A connection to the web server.
pub(crate) struct Browser {
    socket: TcpStream,
    address: SocketAddr,
    /// Bytes that were read and not used.
    unused: Vec<u8>,
}

/// A WebSocket connection.
pub(crate) struct WebUser {
    browser: Browser,
    /// Lines that were read and not looked at.
    lines: Vec<String>,
}

impl Response {
    /// The value of a header field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Browser {
    pub(crate) fn connects(address: SocketAddr) -> Browser {
        let socket = TcpStream::connect(address).expect("the server listens");
        socket.set_read_timeout(Some(timeout())).unwrap();
        Browser { socket, address, unused: Vec::new() }
    }

    pub(crate) fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).expect("the server reads");
    }

    /// Sends as much as the server takes; it may have closed already.
    pub(crate) fn tries_to_send(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes);
    }

    /// Asks with these header fields, each with its line ending, and reads the response.
    pub(crate) fn asks(&mut self, request: &str, fields: &str) -> Response {
        self.sends(format!("{request} HTTP/1.1\r\nHost: {}\r\n{fields}\r\n", self.address));
        self.reads_response(!request.starts_with("HEAD"))
    }

    pub(crate) fn reads_response(&mut self, has_body: bool) -> Response {
        let end = loop {
            if let Some(end) = self.unused.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.reads_more(), "the connection ended: {:?}", self.unused_text());
        };
        let head = self.takes(end);
        let mut response = Response {
            status: head["HTTP/1.1 ".len()..][..3].parse().expect("a status"),
            head,
            body: String::new(),
        };
        let body_bytes = response.field("Content-Length").map_or(0, |bytes| bytes.parse().unwrap());
        while has_body && self.unused.len() < body_bytes {
            assert!(self.reads_more(), "the body ended early");
        }
        response.body = if has_body { self.takes(body_bytes) } else { String::new() };
        response
    }

    fn takes(&mut self, count: usize) -> String {
        String::from_utf8(self.unused.drain(..count).collect()).expect("text")
    }

    fn unused_text(&self) -> String {
        String::from_utf8_lossy(&self.unused).into_owned()
    }

    /// Reads once; `false` at the end of the stream.
    fn reads_more(&mut self) -> bool {
        let mut bytes = [0; 4096];
        match self.socket.read(&mut bytes) {
            Ok(0) => false,
            Ok(count) => {
                self.unused.extend_from_slice(&bytes[..count]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing comes: {error}; so far {:?}", self.unused_text()),
        }
    }

    /// Reads until the server ends the connection. Returns everything.
    pub(crate) fn reads_to_the_end(&mut self) -> String {
        while self.reads_more() {}
        let count = self.unused.len();
        self.takes(count)
    }
}

/// The handshake of a page of this server.
pub(crate) fn handshake(host: SocketAddr, fields: &str) -> String {
    handshake_to(&host.to_string(), fields)
}

/// The handshake with the server that has this name.
pub(crate) fn handshake_to(host: &str, fields: &str) -> String {
    format!(
        "GET /chat HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{fields}\r\n"
    )
}

/// A frame of a client, final and masked.
pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("the tests send little");
    let mut bytes = vec![0x80 | opcode];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        _ => {
            bytes.push(0x80 | 126);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

impl WebUser {
    /// Opens the page's WebSocket connection, as the page does.
    pub(crate) fn connects(page: SocketAddr) -> WebUser {
        WebUser::connects_with(page, &format!("Origin: http://{page}\r\n"))
    }

    pub(crate) fn connects_with(page: SocketAddr, fields: &str) -> WebUser {
        let mut browser = Browser::connects(page);
        browser.sends(handshake(page, fields));
        WebUser::upgraded(browser)
    }

    /// Connects to the server of this name at the address of a proxy.
    pub(crate) fn connects_to_host(proxy: SocketAddr, host: &str, fields: &str) -> WebUser {
        let mut browser = Browser::connects(proxy);
        browser.sends(handshake_to(host, fields));
        WebUser::upgraded(browser)
    }

    /// Takes over a connection on which a handshake was sent.
    pub(crate) fn upgraded(mut browser: Browser) -> WebUser {
        let response = browser.reads_response(false);
        assert_eq!(response.status, 101, "{response:?}");
        assert_eq!(response.field("Sec-WebSocket-Accept"), Some(ACCEPT));
        WebUser { browser, lines: Vec::new() }
    }

    /// Connects and takes a username.
    pub(crate) fn joins(page: SocketAddr, name: &str) -> WebUser {
        let mut user = WebUser::connects(page);
        user.reads("? Username:");
        user.says(name);
        user.reads("? 1 list users");
        user
    }

    pub(crate) fn says(&mut self, line: &str) {
        self.sends(TEXT, line.as_bytes());
    }

    pub(crate) fn sends(&mut self, opcode: u8, payload: &[u8]) {
        self.browser.sends(frame(opcode, payload));
    }

    pub(crate) fn sends_bytes(&mut self, bytes: &[u8]) {
        self.browser.sends(bytes);
    }

    /// Reads lines up to one that begins with `start`, and returns it.
    #[track_caller]
    pub(crate) fn reads(&mut self, start: &str) -> String {
        loop {
            while !self.lines.is_empty() {
                let line = self.lines.remove(0);
                if line.starts_with(start) {
                    return line;
                }
            }
            let (opcode, payload) = self.reads_frame();
            assert_eq!(opcode, TEXT, "waits for {start:?}, gets {payload:?}");
        }
    }

    /// Reads frames up to one of another kind than text, and returns it.
    #[track_caller]
    pub(crate) fn reads_control(&mut self) -> (u8, Vec<u8>) {
        loop {
            let (opcode, payload) = self.reads_frame();
            if opcode != TEXT {
                return (opcode, payload);
            }
        }
    }

    /// Reads up to the close frame, answers it, and waits for the end of the connection. Returns the
    /// code.
    #[track_caller]
    pub(crate) fn reads_close(&mut self) -> u16 {
        let (opcode, payload) = self.reads_control();
        assert_eq!(opcode, CLOSE);
        self.browser.tries_to_send(&frame(CLOSE, &payload));
        let _ = self.browser.socket.shutdown(Shutdown::Write);
        assert_eq!(self.browser.reads_to_the_end(), "", "nothing follows a close frame");
        u16::from_be_bytes([payload[0], payload[1]])
    }

    /// Reads one frame, which must be whole and unmasked. Text must be whole lines.
    #[track_caller]
    pub(crate) fn reads_frame(&mut self) -> (u8, Vec<u8>) {
        let header = self.takes(2);
        let length = match header[1] {
            short @ 0..126 => usize::from(short),
            126 => usize::from(u16::from_be_bytes(self.takes(2).try_into().unwrap())),
            _ => panic!("masked, or longer than any line: {header:?}"),
        };
        let payload = self.takes(length);
        let opcode = header[0] & 0x0f;
        assert_eq!(header[0], 0x80 | opcode, "final, without reserved bits");
        if opcode == TEXT {
            let text = str::from_utf8(&payload).expect("each frame is UTF-8");
            assert!(text.ends_with("\r\n"), "whole lines: {text:?}");
            self.lines.extend(text.lines().map(str::to_owned));
        }
        (opcode, payload)
    }

    fn takes(&mut self, count: usize) -> Vec<u8> {
        while self.browser.unused.len() < count {
            assert!(self.browser.reads_more(), "the connection ended, after {:?}", self.lines);
        }
        self.browser.unused.drain(..count).collect()
    }
}
