//! The file of `--log`. The event loop appends the conversation to it, once per turn.
//!
//! Chats are private, so a new file can be read by its owner only. `ui::chat_log` decides what is
//! written; this module must not know.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::process::Signal;
use signal_hook::flag;

use super::socket::describe;

/// The permissions of a new file.
const MODE: u32 = 0o600;

/// The open file.
#[derive(Debug)]
pub(in crate::client) struct LogFile(File);

impl LogFile {
    /// Opens a file to append to it, and creates it if need be.
    ///
    /// # Errors
    /// If that is impossible. The text is ready to print.
    pub(in crate::client) fn open(path: &Path) -> Result<LogFile, String> {
        let failed = |reason: &str| format!("cannot log to {}: {reason}", path.display());
        // Without the flag, a pipe that nobody reads would hang the client.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(MODE)
            .custom_flags(flags)
            .open(path)
            .map_err(|error| failed(&describe(&error)))?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(failed("it is not a regular file"));
        }
        // Without a handler, a write above the limit on file size would kill the client and leave
        // the terminal in raw mode (setrlimit(2)).
        flag::register(Signal::XFSZ.as_raw(), Arc::default())
            .map_err(|error| failed(&describe(&error)))?;
        Ok(LogFile(file))
    }

    /// Appends `text`.
    ///
    /// # Errors
    /// If the file takes no more: the disk is full, for example.
    pub(in crate::client) fn append(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())
    }
}
