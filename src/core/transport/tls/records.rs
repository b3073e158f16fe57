//! TLS records, by rustls: socket bytes become application bytes and back.
//!
//! This is the only file that drives a connection of rustls. It uses the unbuffered interface, which
//! takes bytes and gives bytes, so that the buffers are ours: an idle connection owns none. Nothing here
//! knows deadlines or what the bytes mean.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError,
    UnbufferedStatus, WriteTraffic,
};
use rustls::{AlertDescription, ServerConfig};

use crate::core::buffers::{Buffer, Pool};
use crate::core::limits::TLS_RECORD_BYTES_ADDED;

/// The type of a record that holds an alert.
const ALERT_RECORD: u8 = 21;

/// The records of one connection.
pub(super) struct Records {
    connection: UnbufferedServerConnection,
    buffers: Rc<Buffers>,
    /// Bytes of a record, or of a message of the handshake, that is not complete.
    partial: Option<Box<Buffer>>,
    /// Records that the socket has not taken; never an empty buffer.
    output: Option<Box<Buffer>>,
    /// The client sent close_notify.
    is_close_received: bool,
}

#[derive(Debug, Default)]
pub(super) struct Buffers {
    pool: RefCell<Pool>,
    /// Where records are decrypted and encrypted. Empty between calls; the memory stays.
    scratch: RefCell<Vec<u8>>,
}

/// Encrypts into free space at the end of the output.
type Writer<'w, 'c> = (&'w mut WriteTraffic<'c, ServerConnectionData>, &'w mut [u8]);
/// Bytes that were written.
type Encrypted = Result<usize, EncryptError>;

impl Records {
    /// The records of a new connection.
    ///
    /// # Panics
    /// If rustls does not take its own defaults.
    pub(super) fn new(config: Arc<ServerConfig>, buffers: Rc<Buffers>) -> Records {
        let connection = UnbufferedServerConnection::new(config);
        let connection = connection.expect("the sizes of fragments and tickets are the defaults");
        Records { connection, buffers, partial: None, output: None, is_close_received: false }
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    pub(super) fn is_close_received(&self) -> bool {
        self.is_close_received
    }

    pub(super) fn output(&self) -> &[u8] {
        self.output.as_ref().map_or(&[], |output| output.as_slice())
    }

    pub(super) fn take_output(&mut self, count: usize) {
        let Some(output) = &mut self.output else { return };
        output.take(count);
        if output.is_empty() {
            self.drop_output();
        }
    }

    /// Appends a record with `data`. Returns whether rustls did.
    pub(super) fn push_data(&mut self, data: &[u8]) -> bool {
        let room = data.len() + TLS_RECORD_BYTES_ADDED;
        self.encrypt(room, |(traffic, space)| traffic.encrypt(data, space))
    }

    /// Appends close_notify.
    pub(super) fn push_close(&mut self) {
        let room = 2 + TLS_RECORD_BYTES_ADDED;
        self.encrypt(room, |(traffic, space)| traffic.queue_close_notify(space));
    }

    /// Reads records. The bytes of one that is not complete stay in `partial`.
    pub(super) fn read(&mut self, bytes: &[u8], input: &mut Vec<u8>) -> Result<(), rustls::Error> {
        let result = match self.partial.take() {
            None => {
                let mut scratch = self.buffers.scratch.take();
                scratch.clear();
                scratch.extend_from_slice(bytes);
                let (used, result) = self.process(&mut scratch, input);
                let rest = &scratch[used..];
                if !rest.is_empty() && result.is_ok() {
                    let mut partial = self.buffers.pool.borrow_mut().lend();
                    partial.push([rest]);
                    self.partial = Some(partial);
                }
                self.buffers.scratch.replace(scratch);
                result
            }
            Some(mut partial) => {
                partial.push([bytes]);
                let (used, result) = self.process(partial.as_mut_slice(), input);
                partial.take(used);
                self.partial = Some(partial);
                if result.is_err() || self.partial_bytes() == 0 {
                    self.drop_partial();
                }
                result
            }
        };
        // The alert for the client. rustls does not look at bytes while it has something to encode.
        while result.is_err() && self.connection.wants_write() && self.encode_next() {}
        // rustls has none for some wrong bytes at the start.
        if result.is_err() && self.output.is_none() && self.connection.protocol_version().is_none()
        {
            self.push_output(&fatal_alert(AlertDescription::DecodeError));
        }
        result
    }

    /// Encodes one message of rustls' own, such as an alert. Returns whether there was one.
    fn encode_next(&mut self) -> bool {
        match self.connection.process_tls_records(&mut []).state {
            Ok(ConnectionState::EncodeTlsData(mut message)) => {
                push_encoded(&self.buffers.pool, &mut self.output, &mut message);
                true
            }
            _ => false,
        }
    }

    /// Lets rustls work until it needs more bytes. Returns how many of `incoming` it used up.
    fn process(
        &mut self,
        incoming: &mut [u8],
        input: &mut Vec<u8>,
    ) -> (usize, Result<(), rustls::Error>) {
        let mut used = 0;
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.connection.process_tls_records(&mut incoming[used..]);
            let is_blocked = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                discard += record.discard;
                                input.extend_from_slice(record.payload);
                            }
                            Err(error) => return (used + discard, Err(error)),
                        }
                    }
                    false
                }
                Ok(ConnectionState::EncodeTlsData(mut message)) => {
                    push_encoded(&self.buffers.pool, &mut self.output, &mut message);
                    false
                }
                Ok(ConnectionState::TransmitTlsData(transmitted)) => {
                    transmitted.done();
                    false
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.is_close_received = true;
                    false
                }
                // Nobody can send early data, because the configuration allows none.
                Ok(_) => true,
                Err(error) => return (used + discard, Err(error)),
            };
            used += discard;
            if is_blocked {
                return (used, Ok(()));
            }
        }
    }

    /// Lets `encrypt` append a record to the output. It tells how many bytes it needs if `room` are too
    /// few. Returns whether it did.
    fn encrypt(
        &mut self,
        room: usize,
        mut encrypt: impl FnMut(Writer<'_, '_>) -> Encrypted,
    ) -> bool {
        loop {
            let incoming = self.partial.as_mut().map_or(&mut [][..], |bytes| bytes.as_mut_slice());
            match self.connection.process_tls_records(incoming).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let append = |space: &mut [u8]| match encrypt((&mut traffic, space)) {
                        Err(EncryptError::InsufficientSize(need)) => Err(need),
                        // The keys are used up, after 2^24 records or more of TLS 1.2.
                        Err(EncryptError::EncryptExhausted) => Ok(0),
                        Ok(count) => Ok(count),
                    };
                    return append_output(&self.buffers.pool, &mut self.output, room, append) > 0;
                }
                Ok(ConnectionState::EncodeTlsData(mut message)) => {
                    push_encoded(&self.buffers.pool, &mut self.output, &mut message);
                }
                Ok(ConnectionState::TransmitTlsData(transmitted)) => transmitted.done(),
                Ok(ConnectionState::PeerClosed) => self.is_close_received = true,
                Ok(_) | Err(_) => return false,
            }
        }
    }

    /// Appends bytes that are not encrypted.
    pub(super) fn push_output(&mut self, bytes: &[u8]) {
        let output = self.output.get_or_insert_with(|| self.buffers.pool.borrow_mut().lend());
        output.push([bytes]);
    }

    pub(super) fn partial_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.len())
    }

    fn drop_partial(&mut self) {
        if let Some(buffer) = self.partial.take() {
            self.buffers.pool.borrow_mut().take_back(buffer);
        }
    }

    fn drop_output(&mut self) {
        if let Some(buffer) = self.output.take() {
            self.buffers.pool.borrow_mut().take_back(buffer);
        }
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.drop_partial();
        self.drop_output();
    }
}

/// A fatal alert that is not encrypted (RFC 8446, 6).
pub(super) fn fatal_alert(description: AlertDescription) -> [u8; 7] {
    [ALERT_RECORD, 3, 3, 0, 2, 2, u8::from(description)]
}

fn push_encoded(
    pool: &RefCell<Pool>,
    output: &mut Option<Box<Buffer>>,
    message: &mut EncodeTlsData<'_, ServerConnectionData>,
) {
    append_output(pool, output, TLS_RECORD_BYTES_ADDED, |space| match message.encode(space) {
        Err(EncodeError::InsufficientSize(need)) => Err(need),
        Err(EncodeError::AlreadyEncoded) => Ok(0),
        Ok(count) => Ok(count),
    });
}

/// Lets `write` fill free space at the end of the output. It returns how many bytes it wrote, or how
/// many it needs if there are too few.
fn append_output(
    pool: &RefCell<Pool>,
    output: &mut Option<Box<Buffer>>,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, InsufficientSizeError>,
) -> usize {
    let mut buffer = output.take().unwrap_or_else(|| pool.borrow_mut().lend());
    let before = buffer.len();
    let written = loop {
        match write(buffer.grow(room)) {
            Ok(count) => break count,
            Err(need) if need.required_size > room => room = need.required_size,
            Err(_) => break 0,
        }
        buffer.truncate(before);
    };
    buffer.truncate(before + written);
    match buffer.is_empty() {
        true => pool.borrow_mut().take_back(buffer),
        false => *output = Some(buffer),
    }
    written
}
