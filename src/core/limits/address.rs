//! The limits that belong to an address, or that keep strangers from a user (7.51 to 7.57).

use super::{NAME_BYTES_MAX, REPLIES_BYTES_MAX};

/// Milliseconds by which the requests of one address may exceed half of an asked user's time (7.54).
/// A few quick requests from a school or an office pass.
pub const ADDRESS_ASKED_MS_MAX: u64 = 30_000;

/// Requests to a user who has not taken all output since the first of them (7.55). Their lines are
/// at most [`REPLIES_BYTES_MAX`], so no stranger can fill the outbox.
pub const UNREAD_REQUESTS_MAX: u32 = 16;

/// Usernames that one session's worth of an address may take in a row (7.53). With the default of
/// 64 sessions' worth a whole crowd comes back at once after a restart.
pub const LOGINS_IN_A_ROW_MAX: u32 = 16;

/// Milliseconds until one session's worth of an address may take one more username (7.53).
pub const LOGIN_INTERVAL_MS: u64 = 1_000;

/// How many times the allowance of a /64 its /48 has (7.51). A company or a school has many users.
pub const SITE_SHARE: u32 = 4;

/// Milliseconds that an address which used up its allowance waits at most (7.51). Clients that come
/// and go could otherwise run up a debt that holds up their honest neighbours for hours.
pub const ADDRESS_DEBT_MS_MAX: u64 = 5_000;

/// Allowances of addresses that the server remembers (7.51), about 4 MiB. An entry goes when its
/// allowance is full again. Beyond the limit those go first that have used least.
pub const ALLOWANCES_MAX: usize = 65_536;

/// Speakers of a room that count for its worth (7.57). More would let one long evening outweigh all
/// other rooms for days.
pub const SPEAKERS_COUNTED_MAX: usize = 8;

/// Bytes that one request makes a user read: the question, how it ended, and the menu.
const REQUEST_BYTES_MAX: usize = 4 * NAME_BYTES_MAX + 256;

const _: () = assert!(
    UNREAD_REQUESTS_MAX as usize * REQUEST_BYTES_MAX <= REPLIES_BYTES_MAX,
    "unread requests must fit into the bytes that may wait for a user"
);
