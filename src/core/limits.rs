//! Every bound there is, in one place: its unit, its default, its reason, and its clause in
//! `protocol.md` 5; those of the client, which are nobody else's business, have none.
//!
//! Constants are what nobody needs to turn; [`Limits`] is what a flag of `chinwag serve` turns. How
//! bounds must relate to each other is asserted at compile time below, so that an unlucky edit does
//! not build.

/// The port of a server and of a client that are not told another.
pub const PORT: u16 = 7878;

/// Bytes of a client's line without its ending (5.1). IRC has 512 and telnet clients send a screen
/// line at a time; a paragraph fits.
pub const LINE_BYTES_MAX: usize = 1024;

/// Bytes of one telnet subnegotiation (5.2), after which it is given up rather than swallowing what
/// somebody types for ever.
pub const SUBNEGOTIATION_BYTES_MAX: u16 = 1024;

/// Columns of a username (5.3): a list row and a prompt still fit on a narrow screen.
pub const NAME_COLUMNS_MAX: usize = 20;

/// Bytes of a username (5.3): 20 columns of three-byte letters, and a few marks.
pub const NAME_BYTES_MAX: usize = 64;

/// Marks in a row within a username (5.3), as UTS #39, 5.4 advises; more is not writing but
/// decoration that spills over other lines.
pub const NAME_MARKS_MAX: usize = 4;

/// Rows of one list (5.4): what a person reads, and what one reply may cost.
pub const LIST_ROWS_MAX: usize = 50;

/// How far the users that match a prefix are counted (5.4), so that no list costs more than this
/// however many are online.
pub const LIST_COUNT_MAX: usize = 1_000;

/// Asks in a row before a user is slowed (5.8). Nobody who waits for answers notices.
pub const ASKS_IN_A_ROW_MAX: u32 = 5;

/// Milliseconds after which one more ask is free (5.8).
pub const ASK_INTERVAL_MS: u64 = 2_000;

/// Names that one user waits to ask again (5.7); the oldest of more is forgotten. The slowing of
/// 5.8 keeps it from being reached at the default.
pub const COOLDOWNS_MAX: usize = 64;

/// Names that one user may ignore at a time (5.9).
pub const IGNORED_MAX: usize = 50;

/// The room that `4` and `join` enter when none is named (6.1).
pub const LOBBY: &str = "lobby";

/// Lines said in a room in a row before their speaker is slowed (5.24): a paste of ten is one breath.
pub const ROOM_LINES_IN_A_ROW_MAX: u32 = 10;

/// Milliseconds after the end of a chat by the other in which nobody enters a room (5.33): what is typed
/// meanwhile may have been meant for the partner. A round trip and a breath.
pub const ROOM_AFTER_CHAT_MS: u64 = 2_000;

/// Lines kept of what was said in a room (5.26).
pub const HISTORY_LINES_MAX: usize = 200;

/// Bytes of those lines (5.26): two hundred of what people say, a screen of what they paste. A
/// thousand rooms with a full past are 64 MiB at the most.
pub const HISTORY_BYTES_MAX: usize = 32 * 1024;

/// Lines of the past shown to whoever enters a room, and by `/history` (6.8).
pub const HISTORY_LINES_SHOWN: usize = 50;

/// Bytes of a file that keeps the past of rooms (5.27); there are two, and the older goes when the newer
/// is full. Both are read at the start, which takes a fraction of a second.
pub const HISTORY_FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes that may wait for one connection beyond the high-water mark (5.13), for what others cause
/// and cannot be slowed for: requests, ends, announcements. Reaching it takes thousands of them.
pub const OUTBOX_BYTES_OVER_HIGH_WATER: usize = 1024 * 1024;

/// Bytes that may wait for a user before their own input is held (5.11): whoever does not read the
/// answers to their own commands is not read either.
pub const REPLIES_BYTES_MAX: usize = 8 * 1024;

/// Bytes waiting for all connections together (5.12) beyond which the high-water mark of each is
/// [`REPLIES_BYTES_MAX`]: a crowd of readers that do not read shares this, and does not multiply it.
pub const OUTPUT_BYTES_BEFORE_PRESSURE: usize = 32 * 1024 * 1024;

/// Milliseconds without a byte taken before the partner is told (5.14): longer than a stutter,
/// shorter than impatience.
pub const STALL_NOTICE_MS: u64 = 2_000;

/// Connections taken from a listener in one turn (5.19), so that a rush of arrivals does not hold
/// up those who talk.
pub const ACCEPTS_PER_TURN: usize = 64;

/// Bytes read from one connection in one turn (5.19), and the size of the one read buffer: four
/// full lines, or what somebody types in an hour. More would let a few who send without end fill a
/// turn.
pub const READ_BYTES_PER_TURN: usize = 4 * 1024;

/// Connections that flood, or have something left to read from earlier turns, that are read in one
/// turn (5.19), after all others whose readiness is new. With 64 of them a line waits six times as
/// long while thousands flood (`tests/crowd.rs`), and the flood gains nothing but turns.
pub const RESUMED_READS_PER_TURN: usize = 4;

/// Bytes in one read that are a flood (5.19), until a read of the same connection brings fewer: not
/// what a person types, nor a program that waits for answers, but a paste, or an attack.
pub const FLOOD_BYTES: usize = READ_BYTES_PER_TURN / 2;

/// Readiness events taken from the kernel in one turn: the batch over which outputs are gathered
/// into one write each. What a turn of this size touches is still in the cache when it is written;
/// with 1,024 a thousand busy pairs cost a tenth more (`cargo bench --bench loopback -- --only
/// pairs`).
pub const EVENTS_PER_TURN: usize = 64;

/// Connections the kernel holds for us before we accept them; it cuts this to `net.core.somaxconn`.
pub const BACKLOG: i32 = 4096;

/// File descriptors kept for all that is not a client: the standard three, the poll, signals,
/// listeners, consoles, files. An operator must get in when the house is full.
pub const DESCRIPTORS_RESERVED: u64 = 32;

/// Milliseconds before an accept that failed for want of memory or descriptors elsewhere is tried
/// again.
pub const ACCEPT_RETRY_MS: u64 = 1_000;

/// Seconds of silence before the kernel asks whether a peer is still there (5.20).
pub const KEEPALIVE_IDLE_S: u64 = 60;

/// Seconds over which those questions are spread (5.20), a second later for each arrival in turn:
/// tens of thousands who fell silent together would all be asked at once, and the answers lost in
/// the rush.
pub const KEEPALIVE_SPREAD_S: u64 = 32;

/// Arrivals in a row that are asked together: a few, so that arriving costs no system calls for it.
pub const KEEPALIVE_ALIKE: u64 = 16;

/// Seconds between those questions (5.20).
pub const KEEPALIVE_INTERVAL_S: u64 = 15;

/// Unanswered questions after which the connection has failed (5.20).
pub const KEEPALIVE_COUNT: u32 = 4;

/// Milliseconds that a stopping server leaves its clients to end their half, once all it said has
/// been taken (3.9.3): enough for a program, and nobody at the server's keyboard waits for a
/// person.
pub const STOP_LINGER_MS: u64 = 500;

/// Bytes that the kernel may hold for a connection, each way (5.21; socket(7), `SO_SNDBUF`). Left
/// to itself it takes megabytes: that hides for minutes that somebody does not read (5.10), and a
/// crowd that does not read would take the memory of the whole machine's TCP. Enough for 640 KB/s
/// at 100 ms.
pub const SOCKET_BUFFER_BYTES: usize = 64 * 1024;

/// Milliseconds that sent bytes may stay unacknowledged (5.20, RFC 5482). Linux ends the questions
/// of keepalive by it too, so it is longer than all of them take.
pub const USER_TIMEOUT_MS: u64 = 180_000;

/// Bytes a buffer has when it is new: a few lines each way.
pub const BUFFER_BYTES: usize = 1024;

/// Bytes above which a buffer is freed rather than kept for the next one in need.
pub const BUFFER_BYTES_KEPT_MAX: usize = 16 * 1024;

/// Empty buffers kept for reuse: more than a turn of the loop fills, so that a busy server does not
/// allocate, and a quarter of a mebibyte when it is idle again.
pub const BUFFERS_KEPT_MAX: usize = 4 * EVENTS_PER_TURN;

/// Bytes of what one log line says, so that with its date it stays under the 256 bytes that a
/// terminal which is ready takes without waiting; a pipe takes more (pipe(7), `PIPE_BUF`).
pub const LOG_LINE_BYTES_MAX: usize = 190;

/// Consoles open at a time (5.28): a few operators and their scripts; what lies beyond is a leak of
/// descriptors, and users need those.
pub const CONSOLES_MAX: usize = 8;

/// Bytes of an order without its ending (5.29): a reason and an announcement are as long as what a
/// user may say.
pub const OPERATOR_COMMAND_BYTES_MAX: usize = LINE_BYTES_MAX;

/// Rows of one answer to an order (5.30). A list of everybody would be written in one turn of the
/// loop, and everybody would wait for it.
pub const ANSWER_ROWS_MAX: usize = 1_000;

/// Bans at a time (5.31): each arrival is held against all of them.
pub const BANS_MAX: usize = 1_000;

/// Seconds of a ban that ends (5.31): ten years, and no sum of moments overflows.
pub const BAN_SECONDS_MAX: u64 = 10 * 365 * 86_400;

/// Bytes of the file of bans that are read (5.31): as many lines as there can be bans, each as long
/// as an order, twice over.
pub const BANS_FILE_BYTES_MAX: u64 = 2 * (BANS_MAX * OPERATOR_COMMAND_BYTES_MAX) as u64;

/// Minutes before a stop that it can be announced (5.32): a day.
pub const STOP_MINUTES_MAX: u64 = 24 * 60;

/// Seconds before a stop at which it is announced again (5.32): time to finish, and a last warning.
pub const STOP_NOTICES_S: [u64; 4] = [10, 60, 300, 600];

/// Milliseconds that `chinwag ctl` waits for more of an answer: a loop that takes longer hangs.
pub const ANSWER_MS: u64 = 10_000;

// The client's own.

/// Lines kept; beyond, the oldest goes.
pub const INPUT_HISTORY_LINES_MAX: usize = 500;

/// Bytes read from the input at a time.
pub const PIPE_READ_BYTES: usize = 16 * 1024;

/// Names remembered; a room of a thousand still completes, a flood of names costs no memory.
pub const COMPLETED_NAMES_MAX: usize = 1_000;

/// Bytes kept of one paste; what is longer is cut, and said to be.
pub const PASTE_BYTES_MAX: usize = 64 * 1024;

/// Bytes of parameters after which a control sequence is given up; real ones have a dozen.
pub const SEQUENCE_BYTES_MAX: usize = 32;

/// Milliseconds that one address has to answer before the next is tried.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;

/// Bytes of the longest line that is read: a text and its sender's name, twice over.
pub const SERVER_LINE_BYTES_MAX: u16 = 2 * (LINE_BYTES_MAX + NAME_BYTES_MAX) as u16;

/// Lines shown of those that were pasted or not sent.
pub const QUOTED_LINES_MAX: usize = 10;

/// Bytes read from the terminal at a time.
pub const TERMINAL_READ_BYTES: usize = 4096;

/// Seconds before the first try to connect again; each wait after it is twice as long.
pub const RECONNECT_FIRST_S: u64 = 1;

/// Seconds of the longest wait between two tries to connect again.
pub const RECONNECT_LAST_S: u64 = 30;

/// Bytes of a full list.
const LIST_BYTES_MAX: usize = (LIST_ROWS_MAX + 3) * (2 * NAME_BYTES_MAX + 64);

/// The longest single reply of the server to one line of one user: who is in a room, and its past.
const REPLY_BYTES_MAX: usize = LIST_BYTES_MAX + HISTORY_BYTES_MAX + HISTORY_LINES_MAX * 32;

const _: () = assert!(
    REPLY_BYTES_MAX < OUTBOX_BYTES_OVER_HIGH_WATER,
    "our own reply must not trip the limit on output"
);
const _: () = assert!(LINE_BYTES_MAX <= READ_BYTES_PER_TURN, "a full line fits into one read");
const _: () = assert!(
    CONSOLES_MAX as u64 + 16 <= DESCRIPTORS_RESERVED,
    "consoles take no descriptors from users"
);
const _: () = assert!(
    1_000
        * (KEEPALIVE_IDLE_S
            + KEEPALIVE_SPREAD_S
            + KEEPALIVE_INTERVAL_S * (KEEPALIVE_COUNT as u64 + 1))
        <= USER_TIMEOUT_MS,
    "every question of keepalive is asked"
);
const _: () = assert!(HISTORY_LINES_SHOWN <= HISTORY_LINES_MAX, "what is shown is kept");
const _: () = assert!(LIST_ROWS_MAX <= LIST_COUNT_MAX, "what is shown is counted");
const _: () = assert!(BUFFER_BYTES <= BUFFER_BYTES_KEPT_MAX, "an unused buffer is worth keeping");

/// The bounds that a flag turns. [`Limits::default`] is what `protocol.md` 5 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Milliseconds within which a new connection gives a username (5.5).
    pub naming_ms: u64,
    /// Milliseconds after which an unanswered request lapses (5.6).
    pub ask_ms: u64,
    /// Milliseconds before the same user may be asked again by the same asker (5.7).
    pub ask_again_ms: u64,
    /// Bytes waiting for a connection above which neither it nor its partner is read (5.10).
    pub high_water_bytes: usize,
    /// Milliseconds without a byte taken after which a reader is parted (5.15).
    pub stall_ms: u64,
    /// Milliseconds that a connection has for its end (5.16).
    pub closing_ms: u64,
    /// Connections at a time (5.17).
    pub connections_max: usize,
    /// Connections at a time from one address other than loopback (5.18).
    pub per_address_max: usize,
    /// Rooms at a time, those that only have a past included (5.22); the lobby apart; at most 32,766.
    pub rooms_max: usize,
    /// Members of a room (5.23).
    pub members_max: usize,
    /// Milliseconds after which one more line in a room is free (5.24); 0 is no bound.
    pub room_line_ms: u64,
    /// Milliseconds that the past of an empty room is kept (5.25).
    pub room_history_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            naming_ms: 60_000,
            ask_ms: 60_000,
            ask_again_ms: 10_000,
            high_water_bytes: 64 * 1024,
            stall_ms: 30_000,
            closing_ms: 5_000,
            connections_max: usize::MAX,
            per_address_max: 1024,
            rooms_max: 1_000,
            members_max: 1_000,
            room_line_ms: 200,
            room_history_ms: 86_400_000,
        }
    }
}

impl Limits {
    /// Bytes at or below which a connection that was above [`Limits::high_water_bytes`] is read
    /// again (5.10).
    #[must_use]
    pub fn low_water_bytes(&self) -> usize {
        self.high_water_bytes / 4
    }

    /// Bytes waiting for one connection at which its session is over (5.13).
    #[must_use]
    pub fn outbox_bytes_max(&self) -> usize {
        self.high_water_bytes + OUTBOX_BYTES_OVER_HIGH_WATER
    }
}
