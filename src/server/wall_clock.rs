//! The calendar time. Only the history of rooms and the bans need it; everything else in the loop
//! goes by the monotonic clock, which never steps.

use std::time::SystemTime;

/// The calendar time in seconds since 1970. Linux answers without a system call (vdso(7)).
#[expect(
    clippy::disallowed_methods,
    reason = "dates in a history and ends of bans are calendar times"
)]
pub(super) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
