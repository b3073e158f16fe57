//! The only access to the clock, which `clippy.toml` forbids in the rest of the package.

use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Sleeps. Only for waits that no event can end.
#[expect(
    clippy::disallowed_methods,
    reason = "the cost of idle users shows only while time passes"
)]
pub(super) fn pause(length: Duration) {
    std::thread::sleep(length);
}
