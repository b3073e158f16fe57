//! Lengths of time and sizes as they stand on the command line.

use crate::core::limits::RECORDING_BYTES_MAX;

/// A length of time from the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milliseconds(pub u64);

/// Seconds, with a fraction if need be, between a millisecond and a day.
pub(super) fn seconds(text: &str) -> Result<Milliseconds, String> {
    let range = 0.001..=86_400.0;
    match text.parse::<f64>() {
        Ok(seconds) if range.contains(&seconds) => {
            Ok(Milliseconds((seconds * 1000.0).round() as u64))
        }
        _ => Err("from 0.001 to 86400 seconds".to_owned()),
    }
}

/// Seconds as above, or 0 for none. The deadlines do not take 0: without a deadline a client could
/// hold a connection for ever.
pub(super) fn seconds_or_none(text: &str) -> Result<Milliseconds, String> {
    match text.parse::<f64>() {
        Ok(0.0) => Ok(Milliseconds(0)),
        _ => seconds(text).map_err(|range| format!("{range}, or 0 for none")),
    }
}

/// Bytes, with k or m behind for KiB and MiB, between a line and a gibibyte.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let lower = text.to_ascii_lowercase();
    let (digits, unit) = match lower.as_bytes().last() {
        Some(b'k') => (&lower[..lower.len() - 1], 1024),
        Some(b'm') => (&lower[..lower.len() - 1], 1024 * 1024),
        _ => (&*lower, 1),
    };
    let bytes = digits.parse::<usize>().ok().and_then(|count| count.checked_mul(unit));
    let range = 1024..=1024 * 1024 * 1024;
    bytes.filter(|bytes| range.contains(bytes)).ok_or_else(|| "from 1k to 1024m".to_owned())
}

/// Bytes as above, as far as `replay` reads them.
pub(super) fn recorded_bytes(text: &str) -> Result<usize, String> {
    let is_readable = |bytes: &usize| *bytes as u64 <= RECORDING_BYTES_MAX;
    bytes(text).ok().filter(is_readable).ok_or_else(|| "from 1k to 256m".to_owned())
}
