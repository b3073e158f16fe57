//! The limits on output that waits, and on the memory that it leaves behind (7.9 to 7.11, 7.58, 7.59).

use super::{BUFFER_BYTES, BUFFER_BYTES_KEPT_MAX, BUFFERS_KEPT_MAX, LINE_BYTES_MAX};

/// Bytes that may wait for one connection above the high-water mark (7.11). They are lines that
/// other users cause and that backpressure cannot slow: requests, ends of chats, announcements. It
/// takes thousands of them to reach the limit.
pub const OUTBOX_BYTES_OVER_HIGH_WATER: usize = 1024 * 1024;

/// Bytes that may wait for a user before the server holds the user's own input, and makes no more
/// rows of an answer (7.9). A client that does not read its replies must not cause more of them.
pub const REPLIES_BYTES_MAX: usize = 8 * 1024;

/// Bytes of an answer that the server makes at a time while memory is scarce (7.58). With one row
/// more they usually fit into a new buffer.
pub const SCARCE_ANSWER_BYTES: usize = BUFFER_BYTES / 2;

/// Bytes that the server reads from one connection in one turn while memory is scarce (7.58). What the
/// client has to wait with stays in the kernel.
pub const SCARCE_READ_BYTES: usize = 512;

/// Bytes that may wait in all outboxes together (7.10). Above the limit, the high-water mark of
/// each connection drops to [`REPLIES_BYTES_MAX`]: a crowd of stalled readers shares this memory
/// instead of multiplying it.
pub const OUTPUT_BYTES_BEFORE_PRESSURE: usize = 32 * 1024 * 1024;

/// Bytes that may wait in the broadcast logs of all rooms together (7.59). They have a limit of their
/// own, because a line of a room is stored once for all its readers: what other users do not read
/// elsewhere must not cost a member lines.
pub const ROOM_BYTES_BEFORE_PRESSURE: usize = 32 * 1024 * 1024;

/// Bytes that a connection is taken to need, apart from what waits for it. This decides only when memory
/// is returned.
pub const CONNECTION_BYTES: usize = 512;

/// Bytes that must have become free, and at least half of all, until the server returns memory.
pub const RELEASE_BYTES_MIN: usize = 2 * 1024 * 1024;

/// Milliseconds between two times at which the server returns memory. It takes a few milliseconds.
pub const RELEASE_INTERVAL_MS: u64 = 5_000;

/// Bytes of all idle buffers in the pool. One turn uses less; a burst must not keep more.
pub const POOL_BYTES_KEPT_MAX: usize = 512 * 1024;

const _: () = assert!(
    REPLIES_BYTES_MAX + LINE_BYTES_MAX < OUTBOX_BYTES_OVER_HIGH_WATER,
    "a part of an answer must not exceed the limit on output"
);
const _: () = assert!(
    BUFFER_BYTES * BUFFERS_KEPT_MAX <= POOL_BYTES_KEPT_MAX
        && BUFFER_BYTES_KEPT_MAX <= POOL_BYTES_KEPT_MAX,
    "the pool must keep small buffers for a whole turn"
);
