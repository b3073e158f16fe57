//! How many file descriptors there are to be had, and so how many connections.

use std::fmt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::core::limits::DESCRIPTORS_RESERVED;

/// The limit on open files, as it was found and as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Descriptors {
    found: u64,
    now: u64,
}

impl Descriptors {
    /// Raises the soft limit to the hard one (getrlimit(2)), as far as that is allowed.
    #[must_use]
    pub fn raise() -> Descriptors {
        let limit = getrlimit(Resource::Nofile);
        let number = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        let now = match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit.maximum,
            Err(_) => limit.current,
        };
        Descriptors { found: number(limit.current), now: number(now) }
    }

    /// For how many connections they suffice.
    #[must_use]
    pub fn connections(self) -> usize {
        let left = self.now.saturating_sub(DESCRIPTORS_RESERVED);
        usize::try_from(left).unwrap_or(usize::MAX).max(1)
    }
}

impl fmt::Display for Descriptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} file descriptors", self.now)?;
        if self.now > self.found {
            write!(f, ", raised from {}", self.found)?;
        }
        Ok(())
    }
}
