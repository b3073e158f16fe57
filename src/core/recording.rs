//! A recording: every input of the core with its time (8.2.16, 7.108), so that a chat can be replayed.
//!
//! The core is deterministic: the same calls lead to the same lines. [`Recorded`] is the exchange as
//! the shell sees it, and notes each call that changes it. A [`Recorder`] turns the calls into lines of
//! JSON, a [`Recording`] reads them, and a [`Player`] makes the same calls again. Passwords, keys,
//! random numbers and addresses are left out: `exchange/tap.rs`, `transport.rs` and `addresses.rs` say
//! what stands for them. Nothing here knows a file.

mod addresses;
mod call;
mod header;
mod player;
mod reading;
mod recorded;
mod recorder;
mod server_calls;
mod transport;

pub use call::{Call, StoredLine};
pub use player::{Difference, Player};
pub use reading::{Recording, RecordingError};
pub use recorded::Recorded;
pub use recorder::Recorder;

use serde_json::Value;

use crate::core::SessionId;
use transport::TransportEvent;

/// Lines that left for a client in a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The reader.
    pub to: SessionId,
    /// Application bytes.
    pub bytes: Vec<u8>,
}

/// One line of a recording, except the first. The first is an object: the version of the form, the
/// program, and its limits. Every other line is an array. A call begins with the milliseconds since the
/// last one, then its word: `[12,"received",3]`. What the framing took in it follows:
/// `["took",3,"hello\r\n"]`. Bytes that are left are counted, `["left",3,17]`; they are taken in a later
/// call, or never.
///
/// What users read is not recorded: it follows from the calls, and a checksum of what each socket took
/// shows whether a replay is the same. In one case it may not be: a stand-in has another length than its
/// password, so memory may be scarce (7.58) at another moment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// So many milliseconds after the last call, this one was made.
    Call(u64, Call),
    /// In the call before, the framing took these bytes of a connection.
    Took(SessionId, Vec<u8>),
    /// After the call before, so many bytes of a connection's last chunk are not taken.
    Left(SessionId, usize),
    /// In the call before, the transport of a connection did this.
    Transport(SessionId, TransportEvent),
    /// The recording ends here, and the server went on.
    End,
}

impl Entry {
    /// The line, without its ending.
    fn encode(&self) -> String {
        let values = match self {
            Entry::Call(after_ms, call) => {
                let mut values = vec![(*after_ms).into()];
                values.extend(call.to_json());
                values
            }
            Entry::Took(id, bytes) => match str::from_utf8(bytes) {
                Ok(text) => vec!["took".into(), id.key().into(), text.into()],
                Err(_) => vec!["took hex".into(), id.key().into(), hex(bytes).into()],
            },
            Entry::Left(id, count) => vec!["left".into(), id.key().into(), (*count).into()],
            Entry::Transport(id, event) => {
                let mut values = vec!["transport".into(), id.key().into()];
                values.extend(event.to_json());
                values
            }
            Entry::End => vec!["end".into()],
        };
        Value::Array(values).to_string()
    }

    /// The entry that [`Self::encode`] has written.
    fn parse(line: &[u8]) -> Option<Entry> {
        let values = match serde_json::from_slice(line).ok()? {
            Value::Array(values) => values,
            _ => return None,
        };
        let (first, rest) = values.split_first()?;
        if let Some(after_ms) = first.as_u64() {
            let (word, rest) = rest.split_first()?;
            return Some(Entry::Call(after_ms, Call::from_json(word.as_str()?, rest)?));
        }
        Some(match (first.as_str()?, rest) {
            ("took", [id, text]) => {
                Entry::Took(call::parse_key(id)?, text.as_str()?.as_bytes().to_vec())
            }
            ("took hex", [id, digits]) => {
                Entry::Took(call::parse_key(id)?, bytes_of_hex(digits.as_str()?)?)
            }
            ("left", [id, count]) => Entry::Left(call::parse_key(id)?, call::size(count)?),
            ("transport", [id, event @ ..]) => {
                Entry::Transport(call::parse_key(id)?, TransportEvent::from_json(event)?)
            }
            ("end", []) => Entry::End,
            _ => return None,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// A checksum of output, to compare a replay with its recording: FNV-1a of 32 bits.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, &byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_read_as_it_was_written() {
        let id = SessionId::from_key(3);
        for entry in [
            Entry::Call(12, Call::Received(id)),
            Entry::Took(id, b"hello\r\n\x1b".to_vec()),
            Entry::Took(id, vec![0xff, 0xf4, b'x']),
            Entry::Left(id, 17),
            Entry::End,
        ] {
            assert_eq!(Entry::parse(entry.encode().as_bytes()), Some(entry));
        }
        assert_eq!(Entry::Call(12, Call::Received(id)).encode(), r#"[12,"received",3]"#);
        for damaged in ["", "[]", "{}", "[12]", "[\"took\",3]", "[\"took hex\",3,\"f\"]", "[1.5]"] {
            let entry = Entry::parse(damaged.as_bytes());
            assert!(entry.is_none() || damaged.contains("hex"), "{damaged}: {entry:?}");
        }
    }

    /// The reference values of the algorithm's authors.
    #[test]
    fn the_checksum_is_fnv_1a() {
        assert_eq!(
            [b"".as_slice(), b"a", b"foobar"].map(checksum),
            [0x811c_9dc5, 0xe40c_292c, 0xbf9c_f968]
        );
    }
}
