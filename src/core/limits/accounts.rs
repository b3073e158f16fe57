//! The limits on accounts and on guessing passwords (7.85 to 7.91).

/// Characters of a new password at least (7.85), as NIST SP 800-63B asks.
pub const PASSWORD_CHARACTERS_MIN: usize = 8;

/// Bytes of a password (7.85): the longest sentence that somebody remembers, in any script. It fits
/// into a line.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// Wrong passwords after which a connection closes (7.86). The same number from one address is free of
/// delays (7.87).
pub const PASSWORD_TRIES: u8 = 3;

/// Milliseconds that an address must wait after its third wrong password for one account (7.87). Each
/// further one doubles this.
pub const GUESS_WAIT_MS: u64 = 1_000;

/// Milliseconds that an address waits at most (7.87). With [`PAIR_FORGET_MS`] it has about 150 guesses
/// a day.
pub const GUESS_WAIT_MS_MAX: u64 = 900_000;

/// Milliseconds that an address waits at most if somebody signed in to the account from there (7.87):
/// the owner sits behind it, perhaps beside somebody who guesses.
pub const GUESS_WAIT_KNOWN_MS_MAX: u64 = 60_000;

/// Milliseconds after which one wrong password of an address for one account is forgotten (7.87).
pub const PAIR_FORGET_MS: u64 = 600_000;

/// Wrong passwords of one address for all accounts before it must wait (7.88): a class of pupils.
pub const ADDRESS_WRONG_FREE: u32 = 32;

/// Wrong passwords for one account from all addresses, after which an address that never signed in has
/// one free try instead of three (7.88).
pub const NAME_WRONG_FREE: u32 = 100;

/// Milliseconds after which one wrong password of [`ADDRESS_WRONG_FREE`] or [`NAME_WRONG_FREE`] is
/// forgotten (7.88).
pub const ADDRESS_FORGET_MS: u64 = 60_000;

/// Addresses with wrong passwords that the server remembers (7.89), about 4 MiB. Beyond the limit
/// those go first that were wrong least often.
pub const GUESSES_MAX: usize = 65_536;

/// Addresses that signed in, remembered for each account (7.89): home, work, and where a phone goes.
pub const KNOWN_ADDRESSES_MAX: usize = 8;

/// Accounts (7.90). Each takes about 150 bytes of the server's memory.
pub const ACCOUNTS_MAX: usize = 100_000;

/// Names that one address may register in a row (7.91): a school.
pub const REGISTRATIONS_IN_A_ROW_MAX: u32 = 64;

/// Milliseconds until an address may register one more name (7.91).
pub const REGISTRATION_INTERVAL_MS: u64 = 60_000;

const _: () = assert!(PASSWORD_BYTES_MAX <= super::LINE_BYTES_MAX, "a password fits into a line");
