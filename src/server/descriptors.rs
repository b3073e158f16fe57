//! The limits of the process: on file descriptors, with the number of connections that it allows,
//! and on the size of files.
//!
//! `main` calls this once, before it creates the server. Every connection needs one descriptor, and
//! the usual soft limit of 1,024 is far below what the server can carry.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::core::limits::DESCRIPTORS_RESERVED;

/// The soft limit on open file descriptors, before and after the server raised it.
#[derive(Debug, Clone, Copy)]
pub struct Descriptors {
    /// The limit that the process started with.
    found: u64,
    /// The limit now.
    now: u64,
}

impl Descriptors {
    /// Raises the soft limit to the hard limit (getrlimit(2)). A process needs no privilege for
    /// this. If the system refuses, the limit stays as it is: the server then runs with fewer
    /// connections.
    #[must_use]
    pub fn raise() -> Descriptors {
        let limit = getrlimit(Resource::Nofile);
        // `None` means that there is no limit.
        let number = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        let now = match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit.maximum,
            Err(_) => limit.current,
        };
        Descriptors { found: number(limit.current), now: number(now) }
    }

    /// The number of connections that the limit allows; at least 1. [`DESCRIPTORS_RESERVED`] remain
    /// for everything else.
    #[must_use]
    pub fn connections(self) -> usize {
        let left = self.now.saturating_sub(DESCRIPTORS_RESERVED);
        usize::try_from(left).unwrap_or(usize::MAX).max(1)
    }
}

/// Registers a handler for SIGXFSZ. Without a handler, a write above the limit on file size kills
/// the process (setrlimit(2)); with one, the write fails as on a full disk. The server may write to
/// three files: the log, the bans and the history.
///
/// # Errors
/// The system refuses the handler.
pub fn survive_file_size_limit() -> io::Result<()> {
    signal_hook::flag::register(Signal::XFSZ.as_raw(), Arc::default()).map(drop)
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
