//! Every limit of the program in one place: its unit, its default, its reason, and its clause in
//! `protocol.md`, part 7. The client's own limits have no clause, because no other program sees them.
//!
//! A limit that no operator needs to change is a constant. [`Limits`] holds the limits that a flag
//! of `chinwag serve` changes. The compiler checks the relations between limits at the end of the
//! constants: a change that breaks one of them does not build.

mod configured;

pub use configured::Limits;

mod accounts;
mod address;
mod helper;
mod lists;
mod output;
mod tls;
mod web;

pub use accounts::*;
pub use address::*;
pub use helper::*;
pub use lists::*;
pub use tls::*;
pub use web::*;

mod client;

pub use client::*;
mod peers;
mod terminal;
mod watching;

pub use output::*;
pub use peers::*;
pub use terminal::*;
pub use watching::*;

/// Default port of the server and of the client.
pub const PORT: u16 = 7878;

/// Bytes of a client's line without its ending (7.1). IRC allows 512, and a telnet client sends a
/// terminal line at a time; 1024 bytes hold a paragraph.
pub const LINE_BYTES_MAX: usize = 1024;

/// Bytes of one telnet subnegotiation (7.2). Above the limit the reader stops waiting for its end,
/// which would otherwise hide everything that the user types.
pub const SUBNEGOTIATION_BYTES_MAX: u16 = 1024;

/// Columns of a username (7.3): a list row and a prompt still fit on a narrow screen.
pub const NAME_COLUMNS_MAX: usize = 20;

/// Bytes of a username (7.3): 20 columns of three-byte letters, and a few marks.
pub const NAME_BYTES_MAX: usize = 64;

/// Bytes of a username as the user typed it, before normalization (7.3). NFC shortens no letter of a
/// name to less than a third. A longer text is no name, and the server does not normalize it: that
/// would cost up to 0.2 µs per byte.
pub const NAME_TYPED_BYTES_MAX: usize = 3 * NAME_BYTES_MAX;

/// Columns of a username without case, by which the server finds names. A letter becomes two at
/// most: `ß` becomes `ss`.
pub const NAME_FOLDED_COLUMNS_MAX: usize = 2 * NAME_COLUMNS_MAX;

/// Combining marks in a row inside a username (7.3), as UTS #39, 5.4 advises. A longer stack of
/// marks is no writing system's and covers the lines above and below.
pub const NAME_MARKS_MAX: usize = 4;

/// Combining marks on one character of a text (7.45). Writing systems use up to five; hundreds cover
/// the lines above and below.
pub const TEXT_MARKS_MAX: usize = 8;

/// Tags in one emoji flag (7.45): the code of a region has at most seven letters and digits (UTS #51,
/// ED-14a). More tags would be a text that nobody sees.
pub const FLAG_TAGS_MAX: usize = 7;

/// Rows of one list (7.30): as many as a person reads. The limit also caps the cost of one reply.
pub const LIST_ROWS_MAX: usize = 50;

/// Users that the server counts for a prefix (7.30). A list costs no more than this, even with a
/// hundred thousand users online.
pub const LIST_COUNT_MAX: usize = 1_000;

/// Requests in a row before the rate limit slows a user (7.23). A user who waits for each answer
/// does not reach it.
pub const ASKS_IN_A_ROW_MAX: u32 = 5;

/// Milliseconds until the rate limit allows one more request (7.23).
pub const ASK_INTERVAL_MS: u64 = 2_000;

/// Cool-downs that the server remembers for one user (7.15); a new one replaces the oldest. At the
/// default settings the rate limit of 7.23 keeps a user from reaching this limit.
pub const COOLDOWNS_MAX: usize = 64;

/// Names on one user's ignore list (7.29).
pub const IGNORED_MAX: usize = 50;

/// The room that `4` and `join` enter when the user names no room (6.1.1).
pub const LOBBY: &str = "lobby";

/// Lines that a user may say in a room in a row before the rate limit slows the user (7.24): a
/// paste of ten lines passes at once.
pub const ROOM_LINES_IN_A_ROW_MAX: u32 = 10;

/// How many members may read a line of their room in the time in which one member's allowance grows by
/// a line (7.76). Each costs a write: 20,000 writes per second keep a slow core about half busy.
pub const ROOM_DELIVERIES_PER_INTERVAL: u64 = 4_000;

/// Milliseconds that a member waits at most because a room's allowance is used up (7.77). A few
/// members could otherwise run up a debt for which all others wait.
pub const ROOM_DEBT_MS_MAX: u64 = 5_000;

/// Milliseconds after a partner ended the chat in which the user cannot enter a room (7.20). A line
/// typed in this time may be meant for the partner, and a room would read it. The time covers a
/// network round trip and a moment to notice.
pub const ROOM_AFTER_CHAT_MS: u64 = 2_000;

/// Lines of a room that the server keeps as history (7.5).
pub const HISTORY_LINES_MAX: usize = 200;

/// Bytes of a room's history (7.5): two hundred ordinary lines, or one screen of pasted text. A
/// thousand rooms with a full history use at most 64 MiB.
pub const HISTORY_BYTES_MAX: usize = 32 * 1024;

/// Lines of history that a user sees on entering a room and for `/history` (6.3.1).
pub const HISTORY_LINES_SHOWN: usize = 50;

/// Bytes that the history store appends to its file before it writes the file anew from memory
/// (7.6); if memory keeps more than this, the store appends as many bytes as memory keeps. Each
/// byte that users say therefore costs at most two bytes on disk.
pub const HISTORY_APPENDED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes that the history store writes in one turn while it writes its file anew. One room more can
/// come on top ([`HISTORY_BYTES_MAX`]). The step takes a few tenths of a millisecond; users wait no
/// longer than that.
pub const HISTORY_STEP_BYTES: usize = 128 * 1024;

/// Bytes of a removed history file that the history store frees in one turn.
pub const HISTORY_FREED_BYTES: u64 = 1024 * 1024;

/// Milliseconds after which the history store writes its file anew even if it is small (7.62).
/// History that memory has forgotten leaves the disk then.
pub const HISTORY_REWRITE_MS: u64 = 3_600_000;

/// Milliseconds until the history store tries again after the disk took no more (7.63).
pub const HISTORY_RETRY_MS: u64 = 5_000;

/// Milliseconds after a line until the history store looks whether its file is still there (7.63).
/// A look at every line would cost a system call for each.
pub const HISTORY_CHECK_MS: u64 = 2_000;

/// Milliseconds for which the history store keeps the file before the current one. The kernel writes
/// new data to the disk within 30 to 35 s (`vm.dirty_expire_centisecs`); until then a power failure
/// could leave the current file empty, and the old file replaces it.
pub const HISTORY_OLD_FILE_MS: u64 = 60_000;

/// Bytes of the largest file that the history store reads. It is far more than any history: the
/// limit only keeps a wrong file from filling the memory.
pub const HISTORY_READ_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// Milliseconds between two looks at the wall clock. A step of the clock shows in the dates of
/// history after this time.
pub const WALL_CLOCK_MS: u64 = 1_000;

/// Milliseconds without progress of a stalled reader before its partner hears of it (7.16): longer
/// than a short network fault, shorter than a person's patience.
pub const STALL_NOTICE_MS: u64 = 2_000;

/// Connections that the server accepts from one listener in one turn (7.34). A rush of new
/// connections must not delay the users who are chatting.
pub const ACCEPTS_PER_TURN: usize = 64;

/// Bytes that the server reads from one connection in one turn (7.34), and the size of the one read
/// buffer: four full lines, or an hour of typing. With more, a few clients that send without
/// end could fill a whole turn.
pub const READ_BYTES_PER_TURN: usize = 4 * 1024;

/// Bytes of reply after which the rest of a client's input waits for the next turn (7.34). So a turn of
/// 900 clients that send bursts of commands is short, and a paste between them is not late.
pub const REPLY_BYTES_PER_TURN: usize = 1024;

/// Heavy connections whose input is processed in one turn (7.34). More would make each turn longer,
/// and every other user waits for the turn; with 64 of them a line waits six times as long while
/// thousands of clients flood (`tests/crowd.rs`).
pub const HEAVY_READS_PER_TURN: usize = 4;

/// Light connections whose input is processed in one turn (7.34), as many as one batch of events.
pub const LIGHT_READS_PER_TURN: usize = EVENTS_PER_TURN;

/// Readers of rooms that are written to in one turn (7.47). A write takes about three microseconds, so
/// a turn stays near two milliseconds, however many rooms and members there are. Lines that come in
/// the meantime join the same write.
pub const FAN_OUT_WRITES_PER_TURN: usize = 512;

/// Turns in a row for which the fan-out to rooms may be postponed because more input is ready (7.47).
/// A turn without it takes well under a millisecond, so members wait some ten milliseconds at most.
pub const FAN_OUT_POSTPONED_TURNS_MAX: u32 = 32;

/// Bytes in one read that make a connection heavy (7.46), until a read brings fewer. Neither a person
/// who types nor a program that waits for answers sends so much at once; a paste does, or an attack.
pub const BURST_BYTES: usize = READ_BYTES_PER_TURN / 2;

/// Microseconds of the server's time that the first class of heavy connections may have taken lately
/// (7.34): a paste of a few screens takes less, a list of fifty users takes more. Each further class
/// has twice as much. Every second halves what counts.
pub const HEAVY_CLASS_US: usize = 64;

/// Readiness events that one turn takes from the kernel. The server collects the output of a whole
/// turn and writes each socket once. The data of 64 events is still in the CPU cache at that time;
/// with 1,024 events a thousand busy pairs cost a tenth more (`cargo bench --bench loopback --
/// --only pairs`).
pub const EVENTS_PER_TURN: usize = 64;

/// Connections that the kernel queues until the server accepts them (listen(2)). The kernel lowers
/// this to `net.core.somaxconn`.
pub const BACKLOG: i32 = 4096;

/// File descriptors that client connections must leave free: standard input, output and error, the
/// poll, signals, listeners, consoles, files. An operator must get in when the server is full.
pub const DESCRIPTORS_RESERVED: u64 = 32;

/// Milliseconds until the server tries again after an accept failed because the system lacked
/// memory or descriptors. An immediate retry would fail again and use all of the CPU.
pub const ACCEPT_RETRY_MS: u64 = 1_000;

/// Seconds of silence before the kernel sends the first keepalive probe to a peer (7.19).
pub const KEEPALIVE_IDLE_S: u64 = 60;

/// Seconds over which the first probes are spread (7.19): each group of new connections waits one
/// second longer than the group before. Otherwise tens of thousands of connections that fell silent
/// together would be probed together, and the answers would be lost in the burst.
pub const KEEPALIVE_SPREAD_S: u64 = 32;

/// Accepted connections in a row that share one idle time: a new idle time costs a system call.
pub const KEEPALIVE_ALIKE: u64 = 16;

/// Seconds between keepalive probes (7.19).
pub const KEEPALIVE_INTERVAL_S: u64 = 15;

/// Unanswered keepalive probes after which the kernel reports a dead peer (7.19).
pub const KEEPALIVE_COUNT: u32 = 4;

/// Milliseconds that a server in shutdown waits for clients to close, once they have received all
/// output (4.10.4): enough for a program. It does not wait for a person, because the operator
/// waits at the keyboard.
pub const STOP_LINGER_MS: u64 = 500;

/// Bytes of the kernel's send and receive buffers of a connection (5.21; socket(7), `SO_SNDBUF`).
/// By default the kernel takes megabytes. That hides a stalled reader for minutes (7.7), and a
/// crowd of stalled readers would use all memory that the machine has for TCP. 64 KiB allow 640
/// KB/s at a round trip of 100 ms.
pub const SOCKET_BUFFER_BYTES: usize = 64 * 1024;

/// Bytes that are read and discarded from one connection when its partner ends the chat (7.48). Linux
/// doubles the receive buffer that it is asked for (socket(7)), so this is all that the kernel can
/// hold. A client that keeps sending cannot keep the loop here.
pub const DRAIN_BYTES_MAX: usize = 2 * SOCKET_BUFFER_BYTES;

/// Connections that are drained in one turn (7.48). The others wait for the next turn and are not
/// written to before, so a thousand chats that end at once delay nobody.
pub const DRAINS_PER_TURN: usize = 16;

/// Milliseconds that sent bytes may stay unacknowledged (5.20, RFC 5482). On Linux this timeout
/// also ends keepalive, so it is longer than all keepalive probes together.
pub const USER_TIMEOUT_MS: u64 = 180_000;

/// Bytes of a new buffer: a few lines in each direction.
pub const BUFFER_BYTES: usize = 1024;

/// Bytes above which the pool frees a buffer instead of keeping it. A rare large buffer would hold
/// memory that small ones do not need.
pub const BUFFER_BYTES_KEPT_MAX: usize = 16 * 1024;

/// Empty buffers that the pool keeps, if they are small ([`POOL_BYTES_KEPT_MAX`]). One turn fills
/// fewer, so a busy server does not allocate.
pub const BUFFERS_KEPT_MAX: usize = 4 * EVENTS_PER_TURN;

/// Bytes of the text of one log line. With its date the line stays under 256 bytes, the number that
/// a ready terminal accepts without blocking; a pipe accepts more (pipe(7), `PIPE_BUF`).
pub const LOG_LINE_BYTES_MAX: usize = 190;

/// Milliseconds between two lines of the log about connections that a ban rejected (7.61). A banned
/// script tries again thousands of times per second; the metrics count every try.
pub const BANS_REPORT_MS: u64 = 60_000;

/// Milliseconds for a PROXY header (7.65). A proxy sends it with its first packet; three seconds are
/// needed if that packet is lost once.
pub const PROXY_HEADER_MS: u64 = 5_000;

/// Bytes of a PROXY header of version 1 with its ending (7.65), as its specification says.
pub const PROXY_LINE_BYTES_MAX: usize = 107;

/// Bytes of a PROXY header of version 2 (7.65). The format allows 65,551; what proxies add to the
/// addresses, such as the name of a certificate, takes a few hundred. It is skipped, not stored.
pub const PROXY_HEADER_BYTES_MAX: usize = 4 * 1024;

/// Consoles open at a time (7.31): enough for a few operators and their scripts. More open consoles
/// are a leak in a script, and would take file descriptors from users.
pub const CONSOLES_MAX: usize = 8;

/// Bytes of an operator command without its ending (7.4): a reason or an announcement is as long
/// as a user's line.
pub const OPERATOR_COMMAND_BYTES_MAX: usize = LINE_BYTES_MAX;

/// Rows of the answer to one operator command (7.32). The server writes an answer within one turn;
/// a list of all users would delay everybody.
pub const ANSWER_ROWS_MAX: usize = 1_000;

/// Bans at a time (7.33): the server compares every new connection with all of them.
pub const BANS_MAX: usize = 1_000;

/// Seconds of a temporary ban (7.33): ten years, far below any overflow of the time arithmetic.
pub const BAN_SECONDS_MAX: u64 = 10 * 365 * 86_400;

/// Bytes of the ban file that the server reads (7.33): twice the size of the largest file that it
/// writes. A larger file is no ban file, and reading it would cost memory.
pub const BANS_FILE_BYTES_MAX: u64 = 2 * (BANS_MAX * OPERATOR_COMMAND_BYTES_MAX) as u64;

/// Minutes that an operator may announce a shutdown in advance (7.22): a day.
pub const STOP_MINUTES_MAX: u64 = 24 * 60;

/// Seconds before a shutdown at which the server announces the shutdown again (7.22), in ascending
/// order: time to finish a conversation, and a last warning.
pub const STOP_NOTICES_S: [u64; 4] = [10, 60, 300, 600];

/// Milliseconds that `chinwag ctl` waits for the next part of an answer. A server that takes longer
/// hangs.
pub const ANSWER_MS: u64 = 10_000;

// The client's own limits.

/// Lines of input history; a new line replaces the oldest.
pub const INPUT_HISTORY_LINES_MAX: usize = 500;

/// Bytes that the client reads from a pipe at a time.
pub const PIPE_READ_BYTES: usize = 16 * 1024;

/// Names that completion remembers: a room of a thousand members completes, and a flood of new
/// names costs no more memory.
pub const COMPLETED_NAMES_MAX: usize = 1_000;

/// Bytes of one paste. The client cuts a longer paste and tells the user.
pub const PASTE_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a control sequence from the terminal, after which the client gives the sequence up.
/// Real sequences have a dozen.
pub const SEQUENCE_BYTES_MAX: usize = 32;

/// Milliseconds that the client waits for one address before it tries the next.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;

/// Bytes of a line from the server: twice a full line and its sender's name, because the server's
/// own wording may surround them.
pub const SERVER_LINE_BYTES_MAX: u16 = 2 * (LINE_BYTES_MAX + NAME_BYTES_MAX) as u16;

/// Lines that the client shows of a paste or of unsent input.
pub const QUOTED_LINES_MAX: usize = 10;

/// Bytes that the client reads from the terminal at a time.
pub const TERMINAL_READ_BYTES: usize = 4096;

/// Seconds before the client's first attempt to connect again; each later wait is twice as long. A
/// server that comes back must not meet all its clients at once.
pub const RECONNECT_FIRST_S: u64 = 1;

/// Seconds of the longest wait between two attempts to connect again.
pub const RECONNECT_LAST_S: u64 = 30;

const _: () = assert!(LINE_BYTES_MAX <= READ_BYTES_PER_TURN, "a full line must fit into one read");
const _: () = assert!(
    CONSOLES_MAX as u64 + 16 <= DESCRIPTORS_RESERVED,
    "consoles must not take file descriptors from users"
);
const _: () = assert!(
    1_000
        * (KEEPALIVE_IDLE_S
            + KEEPALIVE_SPREAD_S
            + KEEPALIVE_INTERVAL_S * (KEEPALIVE_COUNT as u64 + 1))
        <= USER_TIMEOUT_MS,
    "the user timeout must allow every keepalive probe"
);
const _: () =
    assert!(HISTORY_LINES_SHOWN <= HISTORY_LINES_MAX, "the server can show only what it keeps");
const _: () = assert!(LIST_ROWS_MAX <= LIST_COUNT_MAX, "the server must count every row it shows");
const _: () = assert!(BANS_MAX <= ANSWER_ROWS_MAX, "a list of bans must show every ban");
const _: () =
    assert!(BUFFER_BYTES <= BUFFER_BYTES_KEPT_MAX, "the pool must keep a buffer that never grew");
