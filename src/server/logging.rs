//! The log, on standard error, such that it cannot take the server down.
//!
//! `simple_logger` panics when its pipe has been closed, and waits, with everybody, when whoever
//! reads it has stopped (Ctrl-S in a terminal is enough). So a line is handed to it only while
//! standard error is ready for one; otherwise it is counted, and the count is logged once that
//! works again. The price is one poll(2) a line.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use log::{LevelFilter, Log, Metadata, Record};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use simple_logger::SimpleLogger;

use crate::core::limits::LOG_LINE_BYTES_MAX;

/// Logs what is at `level` or above.
///
/// # Panics
/// If there is a logger already: it is for `main` to call, once.
pub fn start(level: LevelFilter) {
    let inner = SimpleLogger::new().with_level(level).with_utc_timestamps();
    log::set_boxed_logger(Box::new(Guarded { inner, lost: AtomicU64::new(0) }))
        .expect("the log is started once");
    log::set_max_level(level);
}

struct Guarded {
    inner: SimpleLogger,
    /// Lines that could not be written since the last that could.
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
        if !takes_a_line() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            self.write(record, format_args!("{lost} lines of this log were lost"));
            if !takes_a_line() {
                self.lost.store(1, Ordering::Relaxed);
                return;
            }
        }
        let line = record.args().to_string();
        let longest = LOG_LINE_BYTES_MAX.min(line.len());
        let end = (0..=longest).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
        self.write(record, format_args!("{}", &line[..end]));
    }

    fn flush(&self) {}
}

impl Guarded {
    /// The reader may vanish between our look and the write. That panic ends here.
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

/// Whether standard error takes a short line without waiting: a pipe that says so has room for
/// `PIPE_BUF` bytes (pipe(7)), a terminal for 256, a file always.
fn takes_a_line() -> bool {
    let stderr = io::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    let ready = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    ready.is_ok() && fds[0].revents() == PollFlags::OUT
}
