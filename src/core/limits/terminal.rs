//! Limits of the terminal client's comforts: editing, completion, notifications, resizes.

/// Changes of the input line that undo can take back; a new change replaces the oldest.
pub const UNDO_STEPS_MAX: usize = 100;

/// Bytes of the text that a search in the input history looks for.
pub const SEARCH_BYTES_MAX: usize = 128;

/// Candidates that Tab lists: all commands, but not all rooms of a large server.
pub const LISTED_CANDIDATES_MAX: usize = 30;

/// Milliseconds between two rings of the bell, and between two notifications.
pub const ALERT_MS: u64 = 1_000;

/// Milliseconds for which a key press counts as attention on a terminal without focus reports.
pub const ATTENTION_MS: u64 = 20_000;

/// Milliseconds between two letters of fast typing. A letter that follows another so soon is no
/// answer to a question about pasted lines.
pub const TYPING_MS: u64 = 400;

/// Milliseconds that the terminal's width must stay the same before the client draws a long row
/// again. While somebody drags an edge, tmux reports a new width every 250 ms.
pub const SETTLE_MS: u64 = 300;

/// Milliseconds of dragging after which the client draws all the same. It may leave remains.
pub const SETTLE_LONGEST_MS: u64 = 10_000;

/// Milliseconds that the terminal has to say where the cursor is. Over a slow link an answer takes
/// some tenths of a second.
pub const SETTLE_ANSWER_MS: u64 = 400;
