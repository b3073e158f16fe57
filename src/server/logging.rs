//! The logger: writes to standard error, and cannot block or stop the server.
//!
//! `simple_logger` panics if a write fails. It blocks if the reader has stopped, for example
//! after Ctrl-S in a terminal; with one thread, all users would wait. This logger passes a line on
//! only while standard error is ready. Otherwise it counts the line, and logs the count later. The
//! cost is one poll(2) per line. `log_pace.rs` limits the lines of one kind.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use log::{Level, LevelFilter, Log, Metadata, Record};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use simple_logger::SimpleLogger;

use super::log_pace::{LogPace, Verdict, Withheld};
use crate::core::limits::LOG_LINE_BYTES_MAX;

/// The target of lines about what operators did. No limit withholds them (8.1.6).
pub(super) const OPERATOR: &str = "chinwag::operator";

static LOGGER: OnceLock<Guarded> = OnceLock::new();

/// Starts the logger. It writes messages at `level` and the more important levels, at most
/// `lines_max` of one kind per second; 0 means no limit (7.60).
///
/// # Panics
/// If the process has a logger already. Only `main` calls this, once.
#[expect(clippy::disallowed_methods, reason = "the limit on lines per second needs a clock")]
pub fn start(level: LevelFilter, lines_max: u32) {
    let inner = SimpleLogger::new().with_level(level).with_utc_timestamps();
    let logger = LOGGER.get_or_init(|| Guarded {
        inner,
        lost: AtomicU64::new(0),
        lost_in_all: AtomicU64::new(0),
        started: Instant::now(),
        pace: Mutex::new(LogPace::new(lines_max)),
    });
    log::set_logger(logger).expect("only main starts the logger, once");
    log::set_max_level(level);
}

/// How long until [`flush_due`] has a line to write; `None` if no line is withheld.
pub(super) fn flush_in() -> Option<Duration> {
    let logger = LOGGER.get()?;
    let pace = logger.pace();
    // The usual case costs no look at the clock.
    pace.has_withheld().then(|| pace.due_in(logger.started.elapsed()))
}

/// Writes how many lines were withheld in the second before, if that second is over.
pub(super) fn flush_due() {
    if let Some(logger) = LOGGER.get()
        && logger.pace().has_withheld()
    {
        logger.write_withheld(|pace, now| pace.take_due(now));
    }
}

/// Lines that could not be written since the start.
pub(super) fn lost_lines() -> u64 {
    LOGGER.get().map_or(0, |logger| logger.lost_in_all.load(Ordering::Relaxed))
}

/// A `simple_logger` that only gets lines while standard error is ready.
struct Guarded {
    inner: SimpleLogger,
    /// Lines lost since the last written line. Atomic, because [`Log`] requires `Sync`.
    lost: AtomicU64,
    /// Lines lost since the start.
    lost_in_all: AtomicU64,
    started: Instant,
    pace: Mutex<LogPace>,
}

impl Log for Guarded {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        self.write_withheld(|pace, now| pace.take_due(now));
        let kind =
            (record.module_path_static().unwrap_or_default(), record.line().unwrap_or_default());
        let verdict = match record.target() {
            OPERATOR => Verdict::Write,
            _ => self.pace().admit(kind, record.level()),
        };
        if verdict == Verdict::Withhold {
            return;
        }
        // A longer line might not fit at once, and the rest of the write would block.
        let line = record.args().to_string();
        let longest = LOG_LINE_BYTES_MAX.min(line.len());
        let end = (0..=longest).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
        if verdict == Verdict::WriteLast {
            self.pace().remember(kind, &line[..end]);
        }
        self.write(record.level(), record.target(), &line[..end]);
    }

    /// Writes how many lines were withheld, without waiting for the end of the second.
    fn flush(&self) {
        self.write_withheld(|pace, _| pace.take());
    }
}

impl Guarded {
    fn pace(&self) -> MutexGuard<'_, LogPace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_withheld(&self, take: impl FnOnce(&mut LogPace, Duration) -> Vec<Withheld>) {
        let withheld = take(&mut self.pace(), self.started.elapsed());
        for Withheld { level, text } in withheld {
            self.write(level, "chinwag", &text);
        }
    }

    /// Writes a line, and before it the number of lines that were lost.
    fn write(&self, level: Level, target: &str, line: &str) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        // The line about the loss may fill the pipe. `line` is lost then.
        let is_written = (lost == 0
            || self.try_write(level, target, &format!("{lost} lines of this log were lost")))
            && self.try_write(level, target, line);
        if !is_written {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
            self.lost_in_all.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes one line; `false` if that is not possible now. The write can fail although standard
    /// error is ready: the reader closes the pipe, or the file reaches its limit. `simple_logger`
    /// then panics, and the panic ends here.
    fn try_write(&self, level: Level, target: &str, line: &str) -> bool {
        let write = || {
            self.inner.log(
                &Record::builder().level(level).target(target).args(format_args!("{line}")).build(),
            );
        };
        stderr_is_ready() && catch_unwind(AssertUnwindSafe(write)).is_ok()
    }
}

/// Whether standard error accepts a line of [`LOG_LINE_BYTES_MAX`] bytes without blocking. A pipe
/// that poll(2) reports as writable has space for `PIPE_BUF` bytes (pipe(7)), a terminal for 256
/// bytes; a file is always ready.
fn stderr_is_ready() -> bool {
    let stderr = io::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    let ready = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    ready.is_ok() && fds[0].revents() == PollFlags::OUT
}
