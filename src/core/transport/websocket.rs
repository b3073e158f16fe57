//! WebSocket (RFC 6455) after its handshake: frames from the client become lines, lines become frames.
//!
//! `http.rs` creates a [`WebSocket`] when a client upgrades its connection. Text goes on to the chat
//! as it comes, whatever the frames are, so the server never holds a message. A message ends a line,
//! and each frame of the server holds whole lines. An idle connection owns no buffer.

mod closing;
mod frame_header;
mod handshake;
mod utf8;

use std::cell::RefCell;
use std::rc::Rc;

use memchr::memrchr;

use super::{Received, SessionEnd, Transport, TransportError};
use crate::core::buffers::{Buffer, Pool};
use crate::core::limits::{
    WEBSOCKET_MESSAGE_BYTES_MAX, WEBSOCKET_OUTPUT_BYTES_MAX, WEBSOCKET_PING_MS,
    WEBSOCKET_PINGS_UNANSWERED_MAX,
};
use crate::core::time::Time;
use closing::{CloseCode, Fault, code_of};
use frame_header::{FrameHeader, HeaderReader, Opcode, server_header};
pub use handshake::accept_key;
use utf8::Utf8Check;

/// The buffers that all connections of a server share.
pub type SharedPool = Rc<RefCell<Pool>>;

/// One WebSocket connection.
#[derive(Debug)]
pub struct WebSocket {
    pool: SharedPool,
    /// Frames that the socket has not taken; never an empty buffer.
    output: Option<Box<Buffer>>,
    header: HeaderReader,
    /// The frame whose payload is being read.
    frame: Option<FrameHeader>,
    /// The text message that has begun. Control frames may stand between its frames.
    message: Option<Message>,
    /// The payload of the control frame that is being read, or of the ping that waits for its pong.
    control: Option<Box<Buffer>>,
    /// A pong waits until there is room in the output.
    is_pong_due: bool,
    /// The code of the close frame that the server will send.
    close_code: CloseCode,
    /// A close frame is in the output, or was sent.
    is_close_sent: bool,
    /// The client sent a close frame: what follows it does not count.
    is_close_received: bool,
    /// The code to answer it with.
    close_answer: Option<u16>,
    /// When the client last sent anything.
    heard_at: Time,
    /// When to look whether the client was silent. It moves once per ping, not with every message:
    /// moving a deadline costs as much as relaying a line.
    check_at: Time,
    pings_unanswered: u8,
}

/// What must be known of a message before its last byte.
#[derive(Debug, Clone, Copy, Default)]
struct Message {
    bytes: usize,
    utf8: Utf8Check,
    /// The last two bytes, which tell whether the message ends with a line ending.
    tail: [u8; 2],
}

impl WebSocket {
    /// A connection whose handshake was completed at `now`. The frames follow `response`, the end of
    /// the handshake.
    #[must_use]
    pub fn new(now: Time, pool: SharedPool, response: &[u8]) -> WebSocket {
        let mut output = pool.borrow_mut().lend();
        output.push([response]);
        WebSocket {
            pool,
            output: Some(output),
            header: HeaderReader::default(),
            frame: None,
            message: None,
            control: None,
            is_pong_due: false,
            close_code: CloseCode::Normal,
            is_close_sent: false,
            is_close_received: false,
            close_answer: None,
            heard_at: now,
            check_at: now.after_ms(WEBSOCKET_PING_MS),
            pings_unanswered: 0,
        }
    }

    /// Reads frames until the bytes are used up or the client closes.
    fn read(&mut self, mut bytes: &[u8], input: &mut Vec<u8>) -> Result<Received, Fault> {
        while !bytes.is_empty() && !self.is_close_received {
            match self.frame {
                None => self.read_header(&mut bytes)?,
                Some(frame) => self.read_payload(frame, &mut bytes, input)?,
            }
            if let Some(frame) = self.frame
                && frame.payload_bytes == 0
            {
                self.frame = None;
                self.end_frame(frame, input)?;
                if self.is_close_received {
                    return Ok(Received::EndOfInput);
                }
            }
        }
        Ok(Received::Data)
    }

    /// Reads a header and checks that its frame may come now.
    fn read_header(&mut self, bytes: &mut &[u8]) -> Result<(), Fault> {
        let Some(frame) = self.header.read(bytes)? else { return Ok(()) };
        match (frame.opcode, &mut self.message) {
            (Opcode::Text, message @ None) => *message = Some(Message::default()),
            (Opcode::Continuation, Some(_)) => {}
            (Opcode::Text, Some(_)) | (Opcode::Continuation, None) => return Err(Fault::Order),
            // A new control frame replaces a ping that still waits for its pong (RFC 6455, 5.5.3).
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => self.drop_control(),
        }
        if let Some(message) = &self.message
            && !frame.opcode.is_control()
            && message.bytes + frame.payload_bytes > WEBSOCKET_MESSAGE_BYTES_MAX
        {
            return Err(Fault::TooBig);
        }
        self.frame = Some(frame);
        Ok(())
    }

    /// Unmasks the payload bytes that are here.
    fn read_payload(
        &mut self,
        mut frame: FrameHeader,
        bytes: &mut &[u8],
        input: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let (piece, rest) = bytes.split_at(bytes.len().min(frame.payload_bytes));
        *bytes = rest;
        frame.payload_bytes -= piece.len();
        let mask = frame.mask;
        frame.mask.rotate_left(piece.len() % 4);
        self.frame = Some(frame);
        if frame.opcode.is_control() {
            let mut payload = [0; frame_header::CONTROL_BYTES_MAX];
            let payload = &mut payload[..piece.len()];
            payload.copy_from_slice(piece);
            unmask(payload, mask);
            let pool = &self.pool;
            self.control.get_or_insert_with(|| pool.borrow_mut().lend()).push([payload]);
            return Ok(());
        }
        let before = input.len();
        input.extend_from_slice(piece);
        unmask(&mut input[before..], mask);
        let Some(message) = &mut self.message else { return Ok(()) };
        message.push(&input[before..]).map_err(|right| {
            // The wrong byte does not reach the chat; it could be a telnet command.
            input.truncate(before + right);
            Fault::NotUtf8
        })
    }

    /// Acts on a frame that was read in full.
    fn end_frame(&mut self, frame: FrameHeader, input: &mut Vec<u8>) -> Result<(), Fault> {
        match frame.opcode {
            Opcode::Text | Opcode::Continuation if !frame.is_final => Ok(()),
            Opcode::Text | Opcode::Continuation => {
                let message = self.message.take().unwrap_or_default();
                if !message.utf8.is_complete() {
                    return Err(Fault::NotUtf8);
                }
                if !message.ends_a_line() {
                    input.push(b'\n');
                }
                Ok(())
            }
            Opcode::Pong => {
                self.drop_control();
                Ok(())
            }
            Opcode::Ping => {
                self.is_pong_due = true;
                self.push_pong_if_due();
                Ok(())
            }
            Opcode::Close => {
                let payload = self.control.as_ref().map_or(&[][..], |payload| payload.as_slice());
                let code = code_of(payload)?;
                self.drop_control();
                self.is_close_received = true;
                // Answered by `close`, behind the answers to the lines before it: they may be held.
                self.close_answer = code;
                Ok(())
            }
        }
    }

    /// Answers a ping, as soon as there is room. A client that sends pings and reads nothing gets a
    /// pong for the latest only.
    fn push_pong_if_due(&mut self) {
        if !self.is_pong_due || self.is_close_sent || self.room() == 0 {
            return;
        }
        let control = self.control.take();
        let payload = control.as_ref().map_or(&[][..], |payload| payload.as_slice());
        self.push_frame(Opcode::Pong, payload);
        self.control = control;
        self.drop_control();
    }

    fn push_close(&mut self, code: Option<u16>) {
        if !std::mem::replace(&mut self.is_close_sent, true) {
            let code = code.map(u16::to_be_bytes);
            self.push_frame(Opcode::Close, code.as_ref().map_or(&[], |code| code));
        }
    }

    fn push_frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let (header, len) = server_header(opcode, payload.len());
        let pool = &self.pool;
        let output = self.output.get_or_insert_with(|| pool.borrow_mut().lend());
        output.push([&header[..len], payload]);
    }

    /// Forgets the payload of a control frame.
    fn drop_control(&mut self) {
        self.is_pong_due = false;
        if let Some(buffer) = self.control.take() {
            self.pool.borrow_mut().take_back(buffer);
        }
    }

    /// Bytes that the output may still take.
    fn room(&self) -> usize {
        WEBSOCKET_OUTPUT_BYTES_MAX.saturating_sub(self.output().len())
    }

    /// How many bytes of `data` the next frame takes: whole lines if there are any, never a part of a
    /// character.
    fn payload_bytes(&self, data: &[u8]) -> usize {
        let room = self.room().saturating_sub(4);
        if data.len() <= room && data.last() == Some(&b'\n') {
            return data.len();
        }
        let within = &data[..data.len().min(room)];
        match memrchr(b'\n', within) {
            Some(end) => end + 1,
            // The next line fits once the socket has taken what is here.
            None if self.output.is_some() => 0,
            None => whole_characters(within),
        }
    }
}

impl Message {
    /// Notes the next bytes. The error tells how many of them were right.
    fn push(&mut self, bytes: &[u8]) -> Result<(), usize> {
        self.bytes += bytes.len();
        match *bytes {
            [.., a, b] => self.tail = [a, b],
            [b] => self.tail = [self.tail[1], b],
            [] => {}
        }
        self.utf8.push(bytes)
    }

    /// Whether the last line of the message has its ending. A CR alone could still take an LF from the
    /// next message, so it counts as none.
    fn ends_a_line(&self) -> bool {
        matches!(self.tail, [_, b'\n'] | [b'\r', 0])
    }
}

impl Transport for WebSocket {
    fn receive(
        &mut self,
        now: Time,
        bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        self.heard_at = now;
        self.pings_unanswered = 0;
        self.read(bytes, input).map_err(|fault| {
            self.drop_control();
            self.push_close(Some(fault.code()));
            fault.error()
        })
    }

    fn send(&mut self, data: &[u8]) -> usize {
        let count = if self.is_close_sent { 0 } else { self.payload_bytes(data) };
        if count > 0 {
            self.push_frame(Opcode::Text, &data[..count]);
        }
        count
    }

    fn output(&self) -> &[u8] {
        self.output.as_ref().map_or(&[], |output| output.as_slice())
    }

    fn handle_sent(&mut self, count: usize) {
        let Some(output) = &mut self.output else { return };
        output.take(count);
        if output.is_empty()
            && let Some(buffer) = self.output.take()
        {
            self.pool.borrow_mut().take_back(buffer);
        }
        self.push_pong_if_due();
    }

    fn close(&mut self) {
        let ours = Some(self.close_code as u16);
        self.push_close(if self.is_close_received { self.close_answer } else { ours });
    }

    fn is_end_clean(&self) -> bool {
        self.is_close_received
    }

    fn deadline(&self) -> Option<Time> {
        (!self.is_close_sent).then_some(self.check_at)
    }

    /// Sends a ping if the client was silent, and gives it up if it was silent for too long.
    fn handle_timeout(&mut self, now: Time, is_read: bool) -> Result<Received, TransportError> {
        let ping_at = self.heard_at.after_ms(WEBSOCKET_PING_MS);
        if ping_at > now {
            self.check_at = ping_at;
            return Ok(Received::Data);
        }
        self.check_at = now.after_ms(WEBSOCKET_PING_MS);
        if !is_read {
            // Its pong may wait in the kernel.
            self.pings_unanswered = 0;
        }
        // A socket that takes nothing has a deadline of its own (7.17).
        if self.output.is_some() {
            return Ok(Received::Data);
        }
        if self.pings_unanswered == WEBSOCKET_PINGS_UNANSWERED_MAX {
            self.push_close(Some(Fault::Silent.code()));
            return Err(Fault::Silent.error());
        }
        self.pings_unanswered += 1;
        self.push_frame(Opcode::Ping, &[]);
        Ok(Received::Data)
    }

    fn handle_session_end(&mut self, why: SessionEnd) {
        self.close_code = match why {
            SessionEnd::Left => CloseCode::Normal,
            SessionEnd::ServerStops => CloseCode::GoingAway,
            SessionEnd::Removed => CloseCode::Policy,
        };
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.drop_control();
        if let Some(buffer) = self.output.take() {
            self.pool.borrow_mut().take_back(buffer);
        }
    }
}

/// Applies the mask of a frame, which is rotated so that its first byte belongs to the first of
/// `bytes`.
fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let mut fours = bytes.chunks_exact_mut(4);
    for four in &mut fours {
        for (byte, key) in four.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
    for (byte, key) in fours.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

/// The length of `text` without a character that is cut at its end.
fn whole_characters(text: &[u8]) -> usize {
    match str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => text.len(),
    }
}

#[cfg(test)]
mod tests;
