//! What the history store finds in its folder at the start: the lock, and the records of the last
//! server. Nothing in the folder changes before all of it is read and accepted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use log::{info, warn};
use memchr::{memchr_iter, memrchr};
use rustix::fs::{FlockOperation, OFlags, flock};

use super::rewrite::Rewrite;
use super::{CURRENT, HEADER, HistoryStore, OLD, StoreState, TEMPORARY};
use crate::core::chat::Record;
use crate::core::exchange::Exchange;
use crate::core::limits::{HISTORY_READ_BYTES_MAX, HISTORY_REWRITE_MS};
use crate::core::time::Time;
use crate::server::safe_file;

/// The history of the last server.
#[derive(Debug)]
pub(crate) struct StoredHistory {
    folder: PathBuf,
    lock: File,
    /// Records, oldest first in each room.
    records: Vec<u8>,
    /// Bytes of complete records in the current file.
    current_len: usize,
}

impl StoredHistory {
    /// Reads the history in `folder`, which must exist.
    ///
    /// # Errors
    /// The folder or a file cannot be used. Nothing in the folder has changed then.
    pub(crate) fn open(folder: &Path) -> io::Result<StoredHistory> {
        let with_folder = |e| with_folder(folder, e);
        let lock = lock(folder).map_err(with_folder)?;
        let mut records = read(&folder.join(CURRENT)).map_err(with_folder)?;
        let current_len = records.len();
        if records.is_empty() {
            // The old file is there for a minute after a rewrite. It counts if a power failure took
            // what was in the current one.
            records = read(&folder.join(OLD)).map_err(with_folder)?;
        }
        let stored = StoredHistory { folder: folder.to_owned(), lock, records, current_len };
        stored.report();
        Ok(stored)
    }

    /// The records. Invalid records are skipped.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.records.split(|&byte| byte == b'\n').filter_map(Record::decode)
    }

    /// Logs how many lines were read, and how many are invalid.
    fn report(&self) {
        let lines = memchr_iter(b'\n', &self.records).count();
        let read = self.records().count();
        let folder = self.folder.display();
        info!(target: "chinwag", "history in {folder}: {read} lines");
        if read < lines {
            let broken = lines - read;
            warn!(target: "chinwag", "history in {folder}: {broken} invalid lines are ignored");
        }
    }

    /// Writes the file anew with the history that `exchange` has restored, so that expired and
    /// surplus history leaves the disk. No user waits yet, so this waits for the disk.
    ///
    /// # Errors
    /// The folder cannot be written to. A full disk is no error: the server can run without the
    /// store, and the files stay as they are.
    pub(crate) fn into_store(self, exchange: &Exchange) -> io::Result<HistoryStore> {
        let written = rewrite(&self.folder, exchange);
        let StoredHistory { folder, lock, current_len, .. } = self;
        let (file, len, state) = match written {
            Ok(Rewrite { file, len, .. }) => (file, len, StoreState::Working),
            Err(e) if is_full(&e) => {
                drop(fs::remove_file(folder.join(TEMPORARY)));
                let path = folder.join(CURRENT);
                let opened = open_current(&path, current_len);
                let (file, len) = opened.map_err(|e| with_folder(&folder, e))?;
                let folder = folder.display();
                warn!(target: "chinwag", "history in {folder}: not kept from now on: {e}");
                (file, len, StoreState::Failing)
            }
            Err(e) => return Err(with_folder(&folder, e)),
        };
        let identity = safe_file::identity_of(&file)?;
        let rewrite_at = match state {
            StoreState::Working if len == HEADER.len() => None,
            StoreState::Working => Some(Time::START.after_ms(HISTORY_REWRITE_MS)),
            StoreState::Failing | StoreState::Removed => Some(Time::START),
        };
        Ok(HistoryStore {
            folder,
            lock,
            file,
            identity,
            len,
            len_at_first: len,
            state,
            rewrite: None,
            rewrite_fails: false,
            rewrite_at,
            check_at: None,
            remove_old_at: None,
        })
    }
}

/// A whole rewrite at once. The old file goes too: the disk has the new one.
fn rewrite(folder: &Path, exchange: &Exchange) -> io::Result<Rewrite> {
    let mut rewrite = Rewrite::begin(folder)?;
    while !rewrite.step(exchange)? {}
    rewrite.file.sync_all()?;
    rewrite.finish(folder)?;
    // If it stays, the next rewrite replaces it.
    drop(fs::remove_file(folder.join(OLD)));
    Ok(rewrite)
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn with_folder(folder: &Path, error: io::Error) -> io::Error {
    let folder = folder.display();
    io::Error::new(error.kind(), format!("cannot keep the history in {folder}: {error}"))
}

/// Opens and locks the folder.
pub(super) fn lock(folder: &Path) -> io::Result<File> {
    let directory = OFlags::DIRECTORY.bits().cast_signed();
    let lock = OpenOptions::new().read(true).custom_flags(directory).open(folder)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| io::Error::other("another server uses it"))?;
    Ok(lock)
}

/// Reads the complete records of a file; none if the file does not exist.
///
/// # Errors
/// The file cannot be read, or it is not ours.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let refuse = |what: &str| {
        let name = path.file_name().unwrap_or_default().display();
        io::Error::new(io::ErrorKind::InvalidData, format!("{name} {what}"))
    };
    // Not `metadata`: a link is no file of ours, and the server would replace its target.
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(refuse("is not a regular file")),
        Ok(metadata) if metadata.len() > HISTORY_READ_BYTES_MAX => {
            return Err(refuse("is larger than any file of the server; it was not changed"));
        }
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    }
    let mut content = fs::read(path)?;
    // A crash may have cut the header itself.
    if HEADER.starts_with(&content) && content.len() < HEADER.len() {
        return Ok(Vec::new());
    }
    if !content.starts_with(HEADER) {
        return Err(refuse("is not a history of chinwag; it was not changed"));
    }
    // A crash may have cut the last record.
    content.truncate(memrchr(b'\n', &content).map_or(0, |end| end + 1));
    Ok(content.split_off(HEADER.len()))
}

/// Opens the current file as it is, and cuts it after its header and `len` bytes of records. Returns
/// the file and its length.
fn open_current(path: &Path, len: usize) -> io::Result<(File, usize)> {
    let whole = HEADER.len() + len;
    let file = match safe_file::open_for_append(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => safe_file::create(path),
        opened => opened,
    };
    let mut file = file?;
    if file.metadata()?.len() < whole as u64 {
        file.set_len(0)?;
        file.write_all(HEADER)?;
    }
    file.set_len(whole as u64)?;
    Ok((file, whole))
}
