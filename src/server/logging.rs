//! The logger: writes to standard error, and cannot block or stop the server.
//!
//! `simple_logger` panics if its pipe is closed. It blocks if the reader has stopped, for example
//! after Ctrl-S in a terminal; with one thread, all users would wait. This logger passes a line on
//! only while standard error is ready. Otherwise it counts the line, and logs the count later. The
//! cost is one poll(2) per line.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use log::{LevelFilter, Log, Metadata, Record};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use simple_logger::SimpleLogger;

use crate::core::limits::LOG_LINE_BYTES_MAX;

/// Starts the logger. It writes messages at `level` and the more important levels.
///
/// # Panics
/// If the process has a logger already. Only `main` calls this, once.
pub fn start(level: LevelFilter) {
    let inner = SimpleLogger::new().with_level(level).with_utc_timestamps();
    log::set_boxed_logger(Box::new(Guarded { inner, lost: AtomicU64::new(0) }))
        .expect("only main starts the logger, once");
    log::set_max_level(level);
}

/// A `simple_logger` that only gets lines while standard error is ready.
struct Guarded {
    inner: SimpleLogger,
    /// Lines lost since the last written line. Atomic, because [`Log`] requires `Sync`.
    lost: AtomicU64,
}

impl Log for Guarded {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if !stderr_is_ready() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            self.write(record, format_args!("{lost} lines of this log were lost"));
            // The line about the loss may have filled the pipe. `record` is lost then.
            if !stderr_is_ready() {
                self.lost.store(1, Ordering::Relaxed);
                return;
            }
        }
        // A longer line might not fit at once, and the rest of the write would block.
        let line = record.args().to_string();
        let longest = LOG_LINE_BYTES_MAX.min(line.len());
        let end = (0..=longest).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
        self.write(record, format_args!("{}", &line[..end]));
    }

    fn flush(&self) {}
}

impl Guarded {
    /// Writes one line. The reader may close the pipe between our check and the write;
    /// `simple_logger` then panics, and the panic ends here.
    fn write(&self, record: &Record<'_>, args: std::fmt::Arguments<'_>) {
        let line = Record::builder()
            .level(record.level())
            .target(record.target())
            .module_path(record.module_path())
            .args(args)
            .build();
        drop(catch_unwind(AssertUnwindSafe(|| self.inner.log(&line))));
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
