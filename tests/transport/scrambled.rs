//! A transport for tests: it shakes hands, splits bytes into small records, re-encodes each byte,
//! holds little output at a time, and closes with a record of its own.
//!
//! It makes the same demands on the exchange as TLS or WebSocket do, and no other.

use chinwag::core::time::Time;
use chinwag::core::transport::{Received, Transport, TransportError};

use super::layer::Layer;

/// What the client must send first.
pub(crate) const HELLO: &[u8] = b"HELLO?";
/// What the server answers.
const WELCOME: &[u8] = b"OK";
/// Payload bytes of a record. A record is a length byte and the payload; length 0 closes.
const RECORD_BYTES_MAX: usize = 7;
/// Output bytes above which the transport takes nothing.
const OUTPUT_BYTES_MAX: usize = 48;
/// Milliseconds for the handshake.
pub(crate) const HANDSHAKE_MS: u64 = 10_000;
/// Every payload byte is XORed with this.
const KEY: u8 = 0xa5;

/// The server's side.
#[derive(Debug)]
pub(crate) struct Scrambled {
    /// Bytes of the handshake or of a record that is not complete.
    partial: Vec<u8>,
    output: Vec<u8>,
    /// `Some` until the handshake is done.
    handshake_until: Option<Time>,
    peer_closed: bool,
    closed: bool,
}

impl Scrambled {
    pub(crate) fn new(now: Time) -> Scrambled {
        Scrambled {
            partial: Vec::new(),
            output: Vec::new(),
            handshake_until: Some(now.after_ms(HANDSHAKE_MS)),
            peer_closed: false,
            closed: false,
        }
    }

    fn shake_hands(&mut self) -> Result<(), TransportError> {
        let seen = self.partial.len().min(HELLO.len());
        if self.partial[..seen] != HELLO[..seen] {
            self.output.extend_from_slice(b"BAD");
            return Err(TransportError("that is no hello"));
        }
        if seen == HELLO.len() {
            self.partial.drain(..seen);
            self.handshake_until = None;
            self.output.extend_from_slice(WELCOME);
        }
        Ok(())
    }
}

impl Transport for Scrambled {
    fn receive(
        &mut self,
        _now: Time,
        bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        self.partial.extend_from_slice(bytes);
        if self.handshake_until.is_some() {
            self.shake_hands()?;
            if self.handshake_until.is_some() {
                return Ok(Received::Data);
            }
        }
        while let Some(record) = take_record(&mut self.partial)? {
            if record.is_empty() {
                self.peer_closed = true;
                return Ok(Received::EndOfInput);
            }
            input.extend_from_slice(&record);
        }
        Ok(Received::Data)
    }

    fn send(&mut self, data: &[u8]) -> usize {
        if self.handshake_until.is_some() || self.closed || self.output.len() > OUTPUT_BYTES_MAX {
            return 0;
        }
        let taken = data.len().min(RECORD_BYTES_MAX);
        push_record(&mut self.output, &data[..taken]);
        taken
    }

    fn output(&self) -> &[u8] {
        &self.output
    }

    fn handle_sent(&mut self, count: usize) {
        self.output.drain(..count);
    }

    fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) && self.handshake_until.is_none() {
            push_record(&mut self.output, b"");
        }
    }

    fn is_end_clean(&self) -> bool {
        self.peer_closed
    }

    fn deadline(&self) -> Option<Time> {
        self.handshake_until
    }

    fn handle_timeout(&mut self, now: Time, _is_read: bool) -> Result<Received, TransportError> {
        match self.handshake_until {
            Some(until) if until <= now => Err(TransportError("no hello in time")),
            _ => Ok(Received::Data),
        }
    }
}

/// The client's side.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    partial: Vec<u8>,
    has_said_hello: bool,
    is_greeted: bool,
    is_closed: bool,
}

impl Layer for Peer {
    fn answer(&mut self) -> Vec<u8> {
        let is_due = !std::mem::replace(&mut self.has_said_hello, true);
        if is_due { HELLO.to_vec() } else { Vec::new() }
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn encode(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        bytes.chunks(RECORD_BYTES_MAX).for_each(|chunk| push_record(&mut out, chunk));
        out
    }

    fn close(&mut self) -> Vec<u8> {
        vec![0]
    }

    fn is_closed(&self) -> bool {
        self.is_closed
    }

    fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.partial.extend_from_slice(bytes);
        if !self.is_greeted {
            if self.partial.len() < WELCOME.len() {
                return Vec::new();
            }
            assert!(self.partial.starts_with(WELCOME), "the handshake comes first");
            self.partial.drain(..WELCOME.len());
            self.is_greeted = true;
        }
        let mut data = Vec::new();
        while let Some(record) = take_record(&mut self.partial).expect("the server encodes rightly")
        {
            assert!(!self.is_closed, "nothing follows the closing record");
            self.is_closed = record.is_empty();
            data.extend(record);
        }
        data
    }
}

fn push_record(out: &mut Vec<u8>, payload: &[u8]) {
    out.push(payload.len() as u8);
    out.extend(payload.iter().map(|byte| byte ^ KEY));
}

fn take_record(partial: &mut Vec<u8>) -> Result<Option<Vec<u8>>, TransportError> {
    let Some(&len) = partial.first() else { return Ok(None) };
    let len = usize::from(len);
    if len > RECORD_BYTES_MAX {
        return Err(TransportError("a record is too long"));
    }
    if partial.len() <= len {
        return Ok(None);
    }
    let record = partial[1..=len].iter().map(|byte| byte ^ KEY).collect();
    partial.drain(..=len);
    Ok(Some(record))
}
