//! The limits on accounts and on guessing passwords (7.85 to 7.90).

/// Characters of a new password at least (7.85), as NIST SP 800-63B asks.
pub const PASSWORD_CHARACTERS_MIN: usize = 8;

/// Bytes of a password (7.85): the longest sentence that somebody remembers, in any script. It fits
/// into a line.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// Accounts (7.90). Each takes about 150 bytes of the server's memory.
pub const ACCOUNTS_MAX: usize = 100_000;

const _: () = assert!(PASSWORD_BYTES_MAX <= super::LINE_BYTES_MAX, "a password fits into a line");
