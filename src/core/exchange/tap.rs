//! The tap: what the framing takes from the bytes of each connection, for a recording.
//!
//! Bytes are noted when the framing takes them, and not when they arrive: only then is it known whether
//! a line is a password. A stand-in takes its place, which the chat treats alike. Without a recording
//! each frame costs one branch. `tapping.rs` calls this, and `core/recording.rs` takes what is noted.

use std::collections::BTreeMap;

use ring::hmac;

use crate::core::SessionId;
use crate::core::accounts::stand_in;
use crate::core::framing::{CommandFilter, Frame, Input};
use crate::core::limits::LINE_BYTES_MAX;

/// What control-D sends.
const END_OF_TRANSMISSION: u8 = 0x04;

/// IAC EOF (RFC 1184, 2.4).
const END: [u8; 2] = [255, 236];

/// No UTF-8 has this byte (RFC 3629, 3).
const NEVER_UTF8: u8 = 0xc0;

/// What was taken since the recording looked last.
#[derive(Debug)]
pub(super) struct Tap {
    /// Makes the stand-ins. Nobody else has it, and it ends with the process.
    key: hmac::Key,
    connections_so_far: u64,
    connections: BTreeMap<SessionId, Tapped>,
    taken: Vec<Taken>,
}

/// What was taken of one connection.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) id: SessionId,
    /// The bytes, or what stands for them.
    pub(crate) bytes: Vec<u8>,
    /// How many bytes there were.
    pub(crate) count: usize,
}

/// One connection.
#[derive(Debug)]
struct Tapped {
    number: u64,
    commands: CommandFilter,
}

impl Tap {
    pub(super) fn new(key: [u8; 32]) -> Tap {
        Tap {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            connections_so_far: 0,
            connections: BTreeMap::new(),
            taken: Vec::new(),
        }
    }

    /// Notes bytes that are no part of a password.
    pub(super) fn take(&mut self, id: SessionId, bytes: &[u8]) {
        // A command that began here may end behind the prompt for a password.
        self.commands(id, bytes);
        self.note(id, bytes, bytes.len());
    }

    /// Notes what stands for `bytes`, which are a part of a password: the telnet commands in them, and
    /// a stand-in for the `frame` that they complete.
    pub(super) fn take_secret(
        &mut self,
        id: SessionId,
        bytes: &[u8],
        frame: Option<&Frame<'_>>,
        is_command: impl Fn(&str) -> bool,
    ) {
        let mut instead = self.commands(id, bytes);
        let number = self.connections.get(&id).map_or(0, |tapped| tapped.number);
        let ending: &[u8] = match bytes.last() {
            // The last line of a client that has ended its half.
            None => b"",
            // An LF that follows belongs to this ending (2.1.2).
            Some(b'\r') => b"\r",
            Some(_) => b"\n",
        };
        match frame {
            Some(Frame::Line(_) | Frame::Assembled(_)) => {
                match frame.and_then(Frame::text) {
                    Some(text) if is_command(text) => instead.extend_from_slice(text.as_bytes()),
                    Some(text) => instead.extend(stand_in(&self.key, number, text).bytes()),
                    None => instead.push(NEVER_UTF8),
                }
                instead.extend_from_slice(ending);
            }
            Some(Frame::Input(Input::TooLong)) => {
                instead.extend([b'x'; LINE_BYTES_MAX + 1]);
                instead.extend_from_slice(ending);
            }
            Some(Frame::Input(Input::NotUtf8)) => {
                instead.push(NEVER_UTF8);
                instead.extend_from_slice(ending);
            }
            Some(Frame::Input(Input::End)) => match bytes.last() {
                Some(&END_OF_TRANSMISSION) => instead.push(END_OF_TRANSMISSION),
                _ => instead.extend(END),
            },
            // Their bytes are among the commands. The others come before any password.
            Some(Frame::Reply(_) | Frame::Input(_)) | None => {}
        }
        self.note(id, &instead, bytes.len());
    }

    /// A connection begins.
    pub(super) fn begin(&mut self, id: SessionId) {
        self.connections_so_far += 1;
        let number = self.connections_so_far;
        self.connections.insert(id, Tapped { number, commands: CommandFilter::default() });
    }

    /// A connection is gone.
    pub(super) fn forget(&mut self, id: SessionId) {
        self.connections.remove(&id);
    }

    /// What was taken since the last call, in order.
    pub(super) fn drain(&mut self) -> Vec<Taken> {
        std::mem::take(&mut self.taken)
    }

    fn commands(&mut self, id: SessionId, bytes: &[u8]) -> Vec<u8> {
        let mut found = Vec::new();
        if let Some(tapped) = self.connections.get_mut(&id) {
            tapped.commands.push(bytes, &mut found);
        }
        found
    }

    fn note(&mut self, id: SessionId, bytes: &[u8], count: usize) {
        match self.taken.last_mut() {
            Some(last) if last.id == id => {
                last.bytes.extend_from_slice(bytes);
                last.count += count;
            }
            _ => self.taken.push(Taken { id, bytes: bytes.to_vec(), count }),
        }
    }
}
