//! The limits on the helper process for accounts, and on its store (7.93 to 7.96).

/// Questions to the helper at a time, from all addresses (7.93): at 50 ms each, somebody who asks last
/// waits three seconds.
pub const ACCOUNT_QUEUE_MAX: usize = 64;

/// Questions to the helper at a time from one address other than loopback (7.94). A question counts
/// until it is answered, even if its user has gone.
pub const ACCOUNT_QUEUE_PER_ADDRESS_MAX: usize = 8;

/// Milliseconds for the helper to answer, or to start (7.95). One that takes longer hangs, and is
/// replaced.
pub const HELPER_ANSWER_MS: u64 = 10_000;

/// Milliseconds before a new helper replaces one that died (7.95). Each failure in a row doubles this.
pub const HELPER_RESTART_MS: u64 = 50;

/// Milliseconds that the server waits at most before it starts a helper again (7.95).
pub const HELPER_RESTART_MS_MAX: u64 = 30_000;

/// KiB of memory that a stored hash may ask for (7.96).
pub const HASH_MEMORY_KIB_MAX: u32 = 65_536;

/// Passes over that memory that a stored hash may ask for (7.96).
pub const HASH_PASSES_MAX: u32 = 10;

/// Lanes that a stored hash may ask for (7.96).
pub const HASH_LANES_MAX: u32 = 16;

/// Bytes of the largest file of accounts that the helper reads: far more than [`ACCOUNTS_MAX`] need.
///
/// [`ACCOUNTS_MAX`]: super::ACCOUNTS_MAX
pub const ACCOUNTS_FILE_BYTES_MAX: u64 = 128 << 20;

/// Outdated lines in the file of accounts before it is written anew; more if it has more accounts.
pub const ACCOUNTS_OUTDATED_MAX: usize = 200;
