//! The history store: keeps the history of rooms in a folder, over a restart (6.3.3).
//!
//! The loop appends the lines of a turn before any client can read them. A start repairs files that
//! a crash left incomplete. The store never waits for the disk (fsync(2)): the kernel keeps written
//! bytes when the process dies, and only a power failure can lose the last seconds. A database
//! would prevent this loss, but it would block the loop or need a second thread.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use log::{info, warn};
use memchr::{memchr_iter, memrchr};
use rustix::fs::{FlockOperation, OFlags, flock};

use crate::core::chat::Record;
use crate::core::limits::HISTORY_FILE_BYTES_MAX;

/// The first line of each file. A file without it is not ours, and the server does not change it.
const HEADER: &[u8] = b"chinwag rooms 1\n";
/// The file that the store appends to.
const NEWER: &str = "rooms.log";
/// The next newer file, until it is complete.
const TEMPORARY: &str = "rooms.new.log";
/// The full file before the newer one.
const OLDER: &str = "rooms.old.log";

/// The files of the history store.
#[derive(Debug)]
pub(super) struct HistoryStore {
    folder: PathBuf,
    /// The folder, locked (flock(2)): two servers that append to one file would mix their records.
    _lock: File,
    /// The newer file, opened for appending.
    file: File,
    /// Bytes of `file` up to the end of its last complete record.
    len: usize,
    state: StoreState,
    /// The records of both files at the start, oldest first.
    /// [`HistoryStore::clear_history`] frees them.
    records: Vec<u8>,
}

/// Whether the last write succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoreState {
    /// The store writes every record.
    Working,
    /// The last write failed, and the log says so once. The file may end in an incomplete record.
    Failing,
}

impl HistoryStore {
    /// Opens the store in `folder`, which must exist, and creates missing files.
    ///
    /// # Errors
    /// The folder or a file cannot be used. Nothing in the folder has changed then.
    pub(super) fn open(folder: &Path) -> io::Result<HistoryStore> {
        let with_folder = |e: io::Error| {
            let folder = folder.display();
            io::Error::new(e.kind(), format!("cannot keep the history in {folder}: {e}"))
        };
        let directory = OFlags::DIRECTORY.bits().cast_signed();
        let lock = OpenOptions::new().read(true).custom_flags(directory).open(folder);
        let lock = lock.map_err(with_folder)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| with_folder(io::Error::other("another server uses it")))?;
        let mut records = read(&folder.join(OLDER)).map_err(with_folder)?;
        let newer = read(&folder.join(NEWER)).map_err(with_folder)?;
        let (file, len) = open_for_append(&folder.join(NEWER), newer.len()).map_err(with_folder)?;
        records.extend_from_slice(&newer);
        let store = HistoryStore {
            folder: folder.to_owned(),
            _lock: lock,
            file,
            len,
            state: StoreState::Working,
            records,
        };
        store.report();
        Ok(store)
    }

    /// The records from before the start, oldest first. Invalid records are skipped.
    pub(super) fn past(&self) -> impl Iterator<Item = Record<'_>> {
        self.records.split(|&byte| byte == b'\n').filter_map(Record::decode)
    }

    /// Frees the memory of [`HistoryStore::past`], once the chat has loaded the records.
    pub(super) fn clear_history(&mut self) {
        self.records = Vec::new();
    }

    /// Logs how many lines were read, and how many are invalid.
    fn report(&self) {
        let lines = memchr_iter(b'\n', &self.records).count();
        let read = self.past().count();
        let folder = self.folder.display();
        info!(target: "chinwag", "history in {folder}: {read} lines");
        if read < lines {
            let broken = lines - read;
            warn!(target: "chinwag", "history in {folder}: {broken} invalid lines are ignored");
        }
    }

    /// Appends complete records.
    ///
    /// A failure does not stop the server: the rooms go on without the store. The log reports the
    /// first failure and the first success after it; a line per failure would flood the log.
    pub(super) fn append(&mut self, records: &[u8]) {
        let appended = self.try_append(records);
        let folder = self.folder.display();
        match (appended, self.state) {
            (Ok(()), StoreState::Working) => {}
            (Ok(()), StoreState::Failing) => {
                info!(target: "chinwag", "history in {folder}: kept again");
                self.state = StoreState::Working;
            }
            (Err(e), StoreState::Working) => {
                warn!(target: "chinwag", "history in {folder}: not kept from now on: {e}");
                self.state = StoreState::Failing;
            }
            (Err(_), StoreState::Failing) => {}
        }
    }

    /// Appends records, and starts a new file where the limit requires it (7.6).
    fn try_append(&mut self, records: &[u8]) -> io::Result<()> {
        if self.state == StoreState::Failing {
            // Remove the incomplete record of the failed write, or the next record would join it.
            self.file.set_len(self.len as u64)?;
        }
        let mut rest = records;
        while !rest.is_empty() {
            let space = HISTORY_FILE_BYTES_MAX.saturating_sub(self.len).min(rest.len());
            let fits = memrchr(b'\n', &rest[..space]).map_or(0, |end| end + 1);
            // A record is far smaller than a file. If not even one fits, the file is full, not
            // empty, so this loop ends.
            if fits == 0 {
                self.rotate()?;
                continue;
            }
            self.file.write_all(&rest[..fits])?;
            self.len += fits;
            rest = &rest[fits..];
        }
        Ok(())
    }

    /// Makes the newer file the older one, and starts a new newer file.
    fn rotate(&mut self) -> io::Result<()> {
        // Create the new file under a temporary name first. If that fails, for example on a full
        // disk, the existing files stay in place.
        let (newer, next) = (self.folder.join(NEWER), self.folder.join(TEMPORARY));
        match fs::remove_file(&next) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let opened = open_for_append(&next, 0)?;
        match fs::rename(&newer, self.folder.join(OLDER)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        fs::rename(&next, &newer)?;
        (self.file, self.len) = opened;
        Ok(())
    }
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
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(refuse("is not a regular file")),
        Ok(metadata) if metadata.len() > 2 * HISTORY_FILE_BYTES_MAX as u64 => {
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

/// Opens or creates a file for appending, and cuts it after its header and `len` bytes of records.
/// Returns the file and its length in bytes.
fn open_for_append(path: &Path, len: usize) -> io::Result<(File, usize)> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let whole = HEADER.len() + len;
    if file.metadata()?.len() < whole as u64 {
        file.set_len(0)?;
        file.write_all(HEADER)?;
    }
    file.set_len(whole as u64)?;
    Ok((file, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporary folder. Dropping this value removes the folder.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder =
                std::env::temp_dir().join(format!("chinwag-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }

        fn open(&self) -> HistoryStore {
            HistoryStore::open(&self.0).unwrap()
        }

        fn newer(&self) -> PathBuf {
            self.0.join(NEWER)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn record(n: usize) -> String {
        let mut record = String::new();
        let line = format!("anna: {n}");
        Record { said_at: 1_000, room: "lobby", line: &line }.encode(&mut record);
        record
    }

    fn lines(store: &HistoryStore) -> Vec<String> {
        store.past().map(|record| record.line.to_owned()).collect()
    }

    /// (6.3.3)
    #[test]
    fn complete_records_survive_a_cut_at_every_byte_of_the_file() {
        let folder = Folder::new("cut");
        let mut store = folder.open();
        store.append(record(1).as_bytes());
        store.append(record(2).as_bytes());
        drop(store);
        let whole = fs::read(folder.newer()).unwrap();
        for cut in 0..=whole.len() {
            fs::write(folder.newer(), &whole[..cut]).unwrap();
            let mut store = folder.open();
            let kept = lines(&store);
            let expected = memchr_iter(b'\n', &whole[..cut]).count().saturating_sub(1);
            assert_eq!(kept.len(), expected, "cut at {cut}");
            store.append(record(3).as_bytes());
            drop(store);
            assert_eq!(lines(&folder.open()).last().unwrap(), "anna: 3", "cut at {cut}");
        }
    }

    /// (6.3.3)
    #[test]
    fn a_file_that_is_not_ours_is_refused_and_not_changed() {
        let folder = Folder::new("garbage");
        for garbage in [&b"\x00\xffgarbage"[..], b"chinwag rooms 2\n", b"5 words\n"] {
            fs::write(folder.newer(), garbage).unwrap();
            let error = HistoryStore::open(&folder.0).unwrap_err().to_string();
            assert!(error.contains("rooms.log is not a history of chinwag"), "{error}");
            assert_eq!(fs::read(folder.newer()).unwrap(), garbage);
        }
        fs::remove_file(folder.newer()).unwrap();
        fs::create_dir(folder.newer()).unwrap();
        assert!(
            HistoryStore::open(&folder.0)
                .unwrap_err()
                .to_string()
                .contains("rooms.log is not a regular file")
        );
        assert!(HistoryStore::open(&folder.0.join("none")).is_err());
        assert!(HistoryStore::open(Path::new("/dev/null")).is_err());
    }

    /// (6.3.3)
    #[test]
    fn an_invalid_record_does_not_affect_other_records() {
        let folder = Folder::new("broken");
        let broken = "12 1000 lobby x\n\n\u{7}\n99 1000 lobby anna: y\n";
        let header = str::from_utf8(HEADER).unwrap();
        let content = [header, &record(1), broken, &record(2)].concat();
        fs::write(folder.newer(), content).unwrap();
        assert_eq!(lines(&folder.open()), ["anna: 1", "anna: 2"]);
    }

    /// (7.6)
    #[test]
    fn a_full_file_becomes_the_older_file_and_replaces_it() {
        let folder = Folder::new("rotate");
        let mut store = folder.open();
        let many = record(7).repeat(HISTORY_FILE_BYTES_MAX / 3 / record(7).len());
        for n in 0..10 {
            store.append(record(n).as_bytes());
            store.append(many.as_bytes());
        }
        let size = |name| fs::metadata(folder.0.join(name)).unwrap().len() as usize;
        assert!(size(NEWER) <= HISTORY_FILE_BYTES_MAX && size(OLDER) <= HISTORY_FILE_BYTES_MAX);
        drop(store);
        let kept = lines(&folder.open());
        assert!(!kept.contains(&"anna: 0".to_owned()) && kept.contains(&"anna: 9".to_owned()));
    }

    /// (6.3.3)
    #[test]
    fn a_failed_rotation_keeps_all_records_and_can_be_repeated() {
        let folder = Folder::new("half");
        let mut store = folder.open();
        store.append(record(1).as_bytes());
        fs::create_dir(folder.0.join(TEMPORARY)).unwrap();
        assert!(store.rotate().is_err());
        fs::remove_dir(folder.0.join(TEMPORARY)).unwrap();
        store.rotate().unwrap();
        store.append(record(2).as_bytes());
        fs::remove_file(folder.newer()).unwrap();
        store.rotate().unwrap();
        store.append(record(3).as_bytes());
        drop(store);
        assert_eq!(lines(&folder.open()), ["anna: 1", "anna: 3"]);
    }

    /// (7.6)
    #[test]
    fn a_batch_larger_than_a_file_is_split_between_records() {
        let folder = Folder::new("batch");
        let mut store = folder.open();
        let count = 3 * HISTORY_FILE_BYTES_MAX / record(1).len();
        store.append(record(1).repeat(count).as_bytes());
        for name in [NEWER, OLDER] {
            let content = fs::read(folder.0.join(name)).unwrap();
            assert!(content.len() <= HISTORY_FILE_BYTES_MAX && content.ends_with(b"anna: 1\n"));
        }
        drop(store);
        assert!(lines(&folder.open()).len() > count / 3);
    }

    #[test]
    fn a_second_server_cannot_use_the_same_folder() {
        let folder = Folder::new("two");
        let first = folder.open();
        let error = HistoryStore::open(&folder.0).unwrap_err().to_string();
        assert!(error.ends_with("another server uses it"), "{error}");
        drop(first);
        folder.open();
    }

    /// (6.3.3)
    #[test]
    fn a_full_disk_loses_no_saved_record_and_the_store_recovers() {
        let folder = Folder::new("full");
        let mut store = folder.open();
        store.append(record(1).as_bytes());
        let working = std::mem::replace(&mut store.file, File::open(folder.newer()).unwrap());
        store.append(record(2).as_bytes());
        assert_eq!(store.state, StoreState::Failing);
        store.file = working;
        store.file.write_all(b"part of a rec").unwrap();
        store.append(record(3).as_bytes());
        assert_eq!(store.state, StoreState::Working);
        drop(store);
        assert_eq!(lines(&folder.open()), ["anna: 1", "anna: 3"]);
    }
}
