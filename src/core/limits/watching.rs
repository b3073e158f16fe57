//! The limits on watching a server, and on holding it still (7.100 to 7.106).

/// Milliseconds between two lines of the stream of `watch` while something happens (7.100): fast enough
/// for the eye.
pub const WATCH_INTERVAL_MS: u64 = 100;

/// Milliseconds between two lines of the stream while nothing happens (7.100).
pub const WATCH_IDLE_MS: u64 = 1_000;

/// Turns that the server remembers for watchers (7.101). A watcher that reads more slowly misses turns
/// and is told how many.
pub const WATCHED_TURNS_MAX: usize = 1_024;

/// Entries for turns in one line of the stream (7.102). Of more turns, several share an entry.
pub const WATCHED_TURNS_PER_LINE: usize = 50;

/// Turns whose time is taken for one line of the stream (7.107). A loop that turns faster is measured in
/// one turn of several: to measure all of 70,000 turns a second would cost 10 % of the throughput.
pub const WATCHED_TURNS_MEASURED: u64 = 200;

/// Connections in one line of the stream (7.103).
pub const WATCHED_CONNECTIONS_MAX: usize = 24;

/// Connections that are looked at in a millisecond, on average (7.104). Each line looks at all of them,
/// so a crowd gets new figures less often.
pub const WATCHED_CONNECTIONS_PER_MS: usize = 10;

/// Milliseconds that `slow` may stop the loop at each step (7.106).
pub const SLOW_MS_MAX: u64 = 10_000;

/// Bytes of a recording that `replay` reads: hours of a quiet server, an hour of a busy one.
pub const RECORDING_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Bytes of one line of the stream that the view takes. The server's own lines have less than half.
pub const WATCH_LINE_BYTES_MAX: usize = 64 * 1024;
