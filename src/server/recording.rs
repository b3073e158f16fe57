//! The file of a recording (8.2.16): the loop writes to it once in each turn.
//!
//! What is in it is made by `core/recording.rs`. A server that panics still writes what led to it. A file
//! that cannot be written ends the recording, and nothing else.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use log::warn;
use ring::rand::{SecureRandom, SystemRandom};

use super::Server;
use crate::core::limits::Limits;
use crate::core::recording::{Recorded, Recorder};

/// What everybody who connects reads.
const NOTICE: &str = "This server records what is typed here, except passwords";

/// Where a recording goes.
#[derive(Debug)]
pub struct RecordingFile {
    path: PathBuf,
    file: File,
    bytes_max: u64,
}

impl RecordingFile {
    /// Creates the file. Only this user can read it: it holds what people say.
    ///
    /// # Errors
    /// The file cannot be created, or is there already. A recording replaces none: it may be the one of
    /// a server that has died.
    pub fn create(path: &Path, bytes_max: u64) -> io::Result<RecordingFile> {
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|e| {
            let why = match e.kind() {
                io::ErrorKind::AlreadyExists => {
                    "it exists, and a recording replaces no file".into()
                }
                _ => e.to_string(),
            };
            io::Error::new(e.kind(), format!("cannot record to {}: {why}", path.display()))
        })?;
        Ok(RecordingFile { path: path.to_owned(), file, bytes_max })
    }
}

/// A new exchange. With a file every call is recorded, from the first on, and everybody is told.
///
/// # Errors
/// The system has no random bytes.
pub(super) fn begin(limits: &Limits, file: Option<&RecordingFile>) -> io::Result<Recorded> {
    let mut exchange = Recorded::new(limits.clone());
    if let Some(file) = file {
        let mut key = [0; 32];
        SystemRandom::new()
            .fill(&mut key)
            .map_err(|_| io::Error::other("cannot record: the system has no random bytes"))?;
        exchange.start_recorder(Recorder::new(limits, file.bytes_max), key);
        exchange.add_notice(NOTICE);
    }
    Ok(exchange)
}

impl Server {
    /// Writes what was recorded since the last call.
    pub(super) fn write_recording(&mut self) {
        let Some(recording) = &mut self.recording else { return };
        let lines = self.exchange.take_recording();
        let path = recording.path.display();
        match recording.file.write_all(&lines) {
            Ok(()) if !self.exchange.is_recording_full() => return,
            Ok(()) => warn!(target: "chinwag", "the recording {path} is full and ends here"),
            Err(e) => warn!(target: "chinwag", "the recording {path} ends here: {e}"),
        }
        self.exchange.end_recorder();
        self.recording = None;
    }
}

/// A panic is what a recording is read for.
impl Drop for Server {
    fn drop(&mut self) {
        self.write_recording();
    }
}
