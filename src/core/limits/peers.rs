//! The limits of `chinwag crowd`, `chinwag attack` and `chinwag demo`. They have no clause, as those of
//! the client have none: no other program sees them.

/// People of a crowd on this machine: each needs two descriptors here, its own and the server's.
pub const CROWD_PEOPLE_MAX: usize = 10_000;

/// Seconds of a crowd, unless `--for` says otherwise; and at most.
pub const CROWD_SECONDS: u64 = 60;
/// The most seconds of a crowd: a long lesson, and a night.
pub const CROWD_SECONDS_MAX: u64 = 86_400;

/// Connections of one attack at a time.
pub const ATTACK_CONNECTIONS_MAX: usize = 10_000;

/// Bytes that one attack sends, unless `--bytes` says otherwise: minutes of a busy server.
pub const ATTACK_BYTES: u64 = 1 << 30;
/// The most bytes of an attack.
pub const ATTACK_BYTES_MAX: u64 = 64 << 30;

/// The most seconds of an attack.
pub const ATTACK_SECONDS_MAX: u64 = 600;

/// Bytes of a line from the server that a simulated person keeps: a line of a room with its name.
pub const PEER_LINE_BYTES_MAX: usize = 4 * super::LINE_BYTES_MAX;

/// Bytes that a simulated person sends at once. The pool asks for more when the kernel took them.
pub const PEER_WRITE_BYTES: usize = 16 * 1024;

/// Bytes that the kernel may hold on the way from a simulated person; Linux doubles the number.
pub const PEER_KERNEL_BYTES: usize = 32 * 1024;

/// Connections that the pool serves in one turn. A short turn keeps the measured latencies honest.
pub const PEERS_PER_TURN: usize = 16;

/// Seconds that a simulated person waits for an answer before it reports a problem.
pub const PEER_PATIENCE_S: u64 = 20;

/// Different texts of the server that a report shows; further ones are counted together.
pub const REPORTED_TEXTS_MAX: usize = 12;
