//! The file of `--log`. The event loop appends the conversation to it, once per turn.
//!
//! Chats are private, so a new file can be read by its owner only. `ui::chat_log` decides what is
//! written; this module must not know.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::regular_file::open_to_append;
use super::socket::describe;

/// The open file.
#[derive(Debug)]
pub(in crate::client) struct LogFile(File);

impl LogFile {
    /// Opens a file to append to it, and creates it if need be.
    ///
    /// # Errors
    /// If that is impossible. The text is ready to print.
    pub(in crate::client) fn open(path: &Path) -> Result<LogFile, String> {
        let file = open_to_append(path);
        file.map(LogFile)
            .map_err(|error| format!("cannot log to {}: {}", path.display(), describe(&error)))
    }

    /// Appends `text`.
    ///
    /// # Errors
    /// If the file takes no more: the disk is full, for example.
    pub(in crate::client) fn append(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())
    }
}
