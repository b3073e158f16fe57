//! A rewrite: a new file that begins with the history that memory keeps, and replaces the current
//! file once it is complete (6.3.3).
//!
//! The rewrite goes room by room, a few rooms per turn. Lines that are said meanwhile go to the
//! current file; those of a room that the rewrite has passed go to the new file as well. A crash at
//! any point leaves one complete file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::{CURRENT, HEADER, OLD, TEMPORARY};
use crate::core::chat::HistoryCursor;
use crate::core::exchange::Exchange;
use crate::core::limits::HISTORY_STEP_BYTES;
use crate::server::safe_file::{self, Identity};

/// A new file that is not complete yet.
#[derive(Debug)]
pub(super) struct Rewrite {
    pub(super) file: File,
    pub(super) identity: Identity,
    /// Bytes written.
    pub(super) len: usize,
    cursor: HistoryCursor,
    /// The records of one step.
    buffer: String,
}

impl Rewrite {
    /// Creates the new file under its temporary name.
    pub(super) fn begin(folder: &Path) -> io::Result<Rewrite> {
        let mut file = safe_file::create(&folder.join(TEMPORARY))?;
        let identity = safe_file::identity_of(&file)?;
        file.write_all(HEADER)?;
        let (cursor, buffer) = (HistoryCursor::default(), String::new());
        Ok(Rewrite { file, identity, len: HEADER.len(), cursor, buffer })
    }

    /// Writes the records of the next rooms. Returns whether they were the last.
    pub(super) fn step(&mut self, exchange: &Exchange) -> io::Result<bool> {
        self.buffer.clear();
        let is_last =
            exchange.write_history(&mut self.cursor, HISTORY_STEP_BYTES, &mut self.buffer);
        self.file.write_all(self.buffer.as_bytes())?;
        self.len += self.buffer.len();
        Ok(is_last)
    }

    /// Appends the records of rooms that the rewrite has passed. The other records are still to
    /// come: they are part of what memory keeps.
    pub(super) fn append(&mut self, records: &[u8]) -> io::Result<()> {
        self.buffer.clear();
        let lines = str::from_utf8(records).unwrap_or_default().split_inclusive('\n');
        for record in lines {
            // A record is `LENGTH TIME ROOM LINE`.
            let room = record.split(' ').nth(2).unwrap_or_default();
            if self.cursor.has_passed(room) {
                self.buffer.push_str(record);
            }
        }
        self.file.write_all(self.buffer.as_bytes())?;
        self.len += self.buffer.len();
        Ok(())
    }

    /// Puts the complete file in the place of the current one, which becomes the old file.
    pub(super) fn finish(&self, folder: &Path) -> io::Result<()> {
        let current = folder.join(CURRENT);
        match fs::rename(&current, folder.join(OLD)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        fs::rename(folder.join(TEMPORARY), current)
    }
}
