//! The limits of TLS connections (7.78 to 7.84).

use super::{BUFFER_BYTES_KEPT_MAX, LINE_BYTES_MAX, NAME_BYTES_MAX};

/// Default port of lines over TLS.
pub const TLS_PORT: u16 = 7879;

/// Milliseconds for a TLS handshake (7.78). A client on a bad line needs four round trips; one that
/// sends a byte now and then must not hold a connection.
pub const TLS_HANDSHAKE_MS: u64 = 10_000;

/// Bytes of a record or of a message of the handshake that has come in part (7.79): the largest
/// record of TLS 1.2 (RFC 5246, 6.2.3). The first message of a browser has two kilobytes.
pub const TLS_PARTIAL_BYTES_MAX: usize = 5 + 16 * 1024 + 2_048;

/// Bytes of records that are ready for one client (7.80). The lines behind them wait in the outbox or
/// in the log of a room, where backpressure counts them.
pub const TLS_OUTPUT_BYTES_MAX: usize = 8 * 1024;

/// Bytes that a record adds to its lines, at most: header, explicit nonce and tag of TLS 1.2.
pub const TLS_RECORD_BYTES_ADDED: usize = 5 + 8 + 16;

/// TLS handshakes in one turn (7.82). A handshake with an RSA key of 2,048 bits takes about a
/// millisecond, in which nobody else is served. A turn costs so little beside it that more handshakes in
/// a turn would win nothing.
pub const TLS_HANDSHAKES_PER_TURN: usize = 1;

/// Tickets that a client gets, with which its next handshake costs less (7.83). A ticket is good for
/// one handshake, and a client that has lost its connection makes one.
pub const TLS_TICKETS: usize = 1;

/// Sessions that the server remembers for those tickets (7.83). Each takes half a kilobyte.
pub const TLS_SESSIONS_KEPT_MAX: usize = 256;

/// Seconds before the end of the certificate from which the log warns, once a day (7.84). Programs
/// that renew certificates do so thirty days before.
pub const CERTIFICATE_WARNING_S: u64 = 14 * 86_400;

/// Bytes of a file with certificates or with a key (7.84): a chain has a few thousand.
pub const CERTIFICATE_FILE_BYTES_MAX: u64 = 1024 * 1024;

const _: () = assert!(
    2 * (LINE_BYTES_MAX + NAME_BYTES_MAX) + TLS_RECORD_BYTES_ADDED < TLS_OUTPUT_BYTES_MAX,
    "a record must have room for the longest line"
);
const _: () = assert!(
    2 * TLS_OUTPUT_BYTES_MAX <= BUFFER_BYTES_KEPT_MAX,
    "the pool must keep the buffer of a busy connection"
);
