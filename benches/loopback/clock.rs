//! The clock, which nothing else in this package may read or wait for.

use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "measuring is what a bench is for")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Waits where there is nothing to wait for but time.
#[expect(clippy::disallowed_methods, reason = "an idle server is measured by waiting")]
pub(super) fn pause(length: Duration) {
    std::thread::sleep(length);
}
