//! The limits of the terminal client on lines that are on their way. `client` uses them; the other
//! limits of the client are in the parent module.

use super::{HISTORY_LINES_MAX, LINE_BYTES_MAX, PASTE_BYTES_MAX};

/// Messages that a room has not echoed at a time, and messages in the queue of the client's
/// connection: more than a room's allowance (7.24), so the client never delays the room. The user
/// can no longer drop these lines.
pub const UNECHOED_LINES_MAX: usize = 16;

/// Bytes of typed lines that wait in the client, and of lines that it offers again: sixteen of the
/// longest pastes.
pub const WAITING_BYTES_MAX: usize = 16 * PASTE_BYTES_MAX;

/// Bytes of sent lines that the client keeps until it knows that they have arrived.
pub const UNPROVEN_BYTES_MAX: usize = 1024 * 1024;

/// Milliseconds after which the client shows that a message has no echo yet. Most echoes come
/// sooner, and a prompt that changes for each message would flicker.
pub const ECHO_SHOWN_MS: u64 = 1_000;

/// Milliseconds in which a chinwag server asks for a username. The client then tells the user that
/// the peer is something else.
pub const GREETING_MS: u64 = 10_000;

/// Milliseconds that a client which a signal ends waits until its lines have arrived. Programs that
/// send SIGTERM often send SIGKILL ten seconds later.
pub const SIGNAL_LEAVE_MS: u64 = 5_000;

/// Milliseconds in which the history of a room follows the entering.
pub const HISTORY_WAIT_MS: u64 = 1_000;

/// Lines of a room that the client remembers to find out what it missed: as many as the longest
/// history (7.5).
pub const SEEN_LINES_MAX: usize = HISTORY_LINES_MAX;

/// Bytes of the line in the client's editor. The client splits a text that is longer than a line of
/// the protocol, and asks before it sends the parts.
pub const DRAFT_BYTES_MAX: usize = 16 * LINE_BYTES_MAX;

/// Bytes of `known_hosts`: a few thousand servers. A larger file is something else.
pub const KNOWN_HOSTS_BYTES_MAX: u64 = 256 * 1024;

/// Writes over TLS of which the client keeps apart how far they are acknowledged. The oldest two then
/// count as one.
pub const UNACKNOWLEDGED_WRITES_MAX: usize = 1024;

/// Milliseconds of silence of a new connection after which the client sends a telnet command that
/// does nothing. A port that speaks TLS, or something else, then tells so instead of waiting for the
/// client.
pub const SILENCE_MS: u64 = 500;
