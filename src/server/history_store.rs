//! The past of rooms in a folder (6.14): appended to before anybody reads what was said, healed at
//! the start, and never larger than two files.
//!
//! A write that the kernel has taken outlives the process, whatever ends it, so nothing here waits
//! for a disk (fsync(2)); a machine that loses its power may lose what was said in its last seconds.
//! That is all an embedded store would add, at the price of one that syncs, or of one more thread.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::{info, warn};
use memchr::{memchr_iter, memrchr};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::process::Signal;

use crate::core::chat::Record;
use crate::core::limits::HISTORY_FILE_BYTES_MAX;

/// The first line of each file, which tells that it is ours.
const HEADER: &[u8] = b"chinwag rooms 1\n";
const NEWER: &str = "rooms.log";
const NEXT: &str = "rooms.new.log";
const OLDER: &str = "rooms.old.log";

/// The files, and what is in them.
#[derive(Debug)]
pub(super) struct HistoryStore {
    folder: PathBuf,
    /// Locked, so that no other server writes here (flock(2)).
    _lock: File,
    file: File,
    /// Bytes of `file` that are whole records.
    len: usize,
    condition: Condition,
    /// What was in both files at the start, the older first.
    past: Vec<u8>,
}

/// Whether what is said is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Working,
    /// It is not, and the log says so. The file may end in a part of a record.
    Failing,
}

impl HistoryStore {
    /// Opens the history_store in `folder`, which must be there; one that is empty becomes an history_store.
    ///
    /// # Errors
    /// The folder or file that cannot be used, and why; nothing in it has been changed then.
    pub(super) fn open(folder: &Path) -> io::Result<HistoryStore> {
        let refuse = |e: io::Error| {
            let folder = folder.display();
            io::Error::new(e.kind(), format!("cannot keep the history in {folder}: {e}"))
        };
        let directory = OFlags::DIRECTORY.bits().cast_signed();
        let lock = OpenOptions::new().read(true).custom_flags(directory).open(folder);
        let lock = lock.map_err(refuse)?;
        survive_file_limit().map_err(refuse)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| refuse(io::Error::other("another server uses it")))?;
        let mut past = read(&folder.join(OLDER)).map_err(refuse)?;
        let newer = read(&folder.join(NEWER)).map_err(refuse)?;
        let (file, len) = begin(&folder.join(NEWER), newer.len()).map_err(refuse)?;
        past.extend_from_slice(&newer);
        let history_store = HistoryStore {
            folder: folder.to_owned(),
            _lock: lock,
            file,
            len,
            condition: Condition::Working,
            past,
        };
        history_store.report();
        Ok(history_store)
    }

    /// What was said before the start, the oldest first.
    pub(super) fn past(&self) -> impl Iterator<Item = Record<'_>> {
        self.past.split(|&byte| byte == b'\n').filter_map(Record::decode)
    }

    /// The past has been taken up.
    pub(super) fn clear_history(&mut self) {
        self.past = Vec::new();
    }

    fn report(&self) {
        let lines = memchr_iter(b'\n', &self.past).count();
        let read = self.past().count();
        let folder = self.folder.display();
        info!(target: "chinwag", "history in {folder}: {read} lines");
        if read < lines {
            let broken = lines - read;
            warn!(target: "chinwag", "history in {folder}: {broken} lines are broken, and left out");
        }
    }

    /// Appends whole records. A failure is said in the log once, and again when it is over.
    pub(super) fn append(&mut self, records: &[u8]) {
        let appended = self.try_append(records);
        let folder = self.folder.display();
        match (appended, self.condition) {
            (Ok(()), Condition::Working) => {}
            (Ok(()), Condition::Failing) => {
                info!(target: "chinwag", "history in {folder}: kept again");
                self.condition = Condition::Working;
            }
            (Err(e), Condition::Working) => {
                warn!(target: "chinwag", "history in {folder}: not kept from now on: {e}");
                self.condition = Condition::Failing;
            }
            (Err(_), Condition::Failing) => {}
        }
    }

    fn try_append(&mut self, records: &[u8]) -> io::Result<()> {
        if self.condition == Condition::Failing {
            // What a failed write left behind would run into what comes next.
            self.file.set_len(self.len as u64)?;
        }
        let mut rest = records;
        while !rest.is_empty() {
            let room = HISTORY_FILE_BYTES_MAX.saturating_sub(self.len).min(rest.len());
            let fits = memrchr(b'\n', &rest[..room]).map_or(0, |end| end + 1);
            // A record is far smaller than a file: one that has not even room for it is not new.
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

    fn rotate(&mut self) -> io::Result<()> {
        // PartialLine under another name: until it is there, nothing that was kept is moved.
        let (newer, next) = (self.folder.join(NEWER), self.folder.join(NEXT));
        match fs::remove_file(&next) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let begun = begin(&next, 0)?;
        match fs::rename(&newer, self.folder.join(OLDER)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        fs::rename(&next, &newer)?;
        (self.file, self.len) = begun;
        Ok(())
    }
}

/// A limit on the size of files (setrlimit(2)) ends a process that has no handler for its signal; with one
/// the write fails, as on a full disk.
fn survive_file_limit() -> io::Result<()> {
    signal_hook::flag::register(Signal::XFSZ.as_raw(), Arc::default()).map(drop)
}

/// What is in a file of ours, without what follows its last whole line; nothing, if it is not there.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let refuse = |what: &str| {
        let name = path.file_name().unwrap_or_default().display();
        io::Error::new(io::ErrorKind::InvalidData, format!("{name} {what}"))
    };
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(refuse("is no file")),
        Ok(metadata) if metadata.len() > 2 * HISTORY_FILE_BYTES_MAX as u64 => {
            return Err(refuse("is larger than we write it; it was left as it is"));
        }
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    }
    let mut content = fs::read(path)?;
    if HEADER.starts_with(&content) && content.len() < HEADER.len() {
        return Ok(Vec::new());
    }
    if !content.starts_with(HEADER) {
        return Err(refuse("is not a history of chinwag; it was left as it is"));
    }
    content.truncate(memrchr(b'\n', &content).map_or(0, |end| end + 1));
    Ok(content.split_off(HEADER.len()))
}

/// Opens a file to append to, with `len` bytes of records in it, and cuts off what follows them.
fn begin(path: &Path, len: usize) -> io::Result<(File, usize)> {
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

    /// A folder that is gone with this value.
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

    fn lines(history_store: &HistoryStore) -> Vec<String> {
        history_store.past().map(|record| record.line.to_owned()).collect()
    }

    /// (6.14)
    #[test]
    fn what_was_appended_is_there_again_wherever_the_last_write_was_cut() {
        let folder = Folder::new("cut");
        let mut history_store = folder.open();
        history_store.append(record(1).as_bytes());
        history_store.append(record(2).as_bytes());
        drop(history_store);
        let whole = fs::read(folder.newer()).unwrap();
        for cut in 0..=whole.len() {
            fs::write(folder.newer(), &whole[..cut]).unwrap();
            let mut history_store = folder.open();
            let kept = lines(&history_store);
            let expected = memchr_iter(b'\n', &whole[..cut]).count().saturating_sub(1);
            assert_eq!(kept.len(), expected, "cut at {cut}");
            history_store.append(record(3).as_bytes());
            drop(history_store);
            assert_eq!(lines(&folder.open()).last().unwrap(), "anna: 3", "cut at {cut}");
        }
    }

    /// (6.14)
    #[test]
    fn what_is_not_ours_is_refused_and_left_as_it_is() {
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
            HistoryStore::open(&folder.0).unwrap_err().to_string().contains("rooms.log is no file")
        );
        assert!(HistoryStore::open(&folder.0.join("none")).is_err());
        assert!(HistoryStore::open(Path::new("/dev/null")).is_err());
    }

    /// (6.14)
    #[test]
    fn a_broken_record_costs_itself_alone() {
        let folder = Folder::new("broken");
        let broken = "12 1000 lobby x\n\n\u{7}\n99 1000 lobby anna: y\n";
        let header = str::from_utf8(HEADER).unwrap();
        let content = [header, &record(1), broken, &record(2)].concat();
        fs::write(folder.newer(), content).unwrap();
        assert_eq!(lines(&folder.open()), ["anna: 1", "anna: 2"]);
    }

    /// (5.27)
    #[test]
    fn a_full_file_becomes_the_older_and_the_older_goes() {
        let folder = Folder::new("rotate");
        let mut history_store = folder.open();
        let many = record(7).repeat(HISTORY_FILE_BYTES_MAX / 3 / record(7).len());
        for n in 0..10 {
            history_store.append(record(n).as_bytes());
            history_store.append(many.as_bytes());
        }
        let size = |name| fs::metadata(folder.0.join(name)).unwrap().len() as usize;
        assert!(size(NEWER) <= HISTORY_FILE_BYTES_MAX && size(OLDER) <= HISTORY_FILE_BYTES_MAX);
        drop(history_store);
        let kept = lines(&folder.open());
        assert!(!kept.contains(&"anna: 0".to_owned()) && kept.contains(&"anna: 9".to_owned()));
    }

    /// (6.14)
    #[test]
    fn a_rotation_that_cannot_be_done_leaves_what_was_kept_and_is_done_later() {
        let folder = Folder::new("half");
        let mut history_store = folder.open();
        history_store.append(record(1).as_bytes());
        fs::create_dir(folder.0.join(NEXT)).unwrap();
        assert!(history_store.rotate().is_err());
        fs::remove_dir(folder.0.join(NEXT)).unwrap();
        history_store.rotate().unwrap();
        history_store.append(record(2).as_bytes());
        fs::remove_file(folder.newer()).unwrap();
        history_store.rotate().unwrap();
        history_store.append(record(3).as_bytes());
        drop(history_store);
        assert_eq!(lines(&folder.open()), ["anna: 1", "anna: 3"]);
    }

    /// (5.27)
    #[test]
    fn more_than_a_file_at_once_is_cut_between_records() {
        let folder = Folder::new("batch");
        let mut history_store = folder.open();
        let count = 3 * HISTORY_FILE_BYTES_MAX / record(1).len();
        history_store.append(record(1).repeat(count).as_bytes());
        for name in [NEWER, OLDER] {
            let content = fs::read(folder.0.join(name)).unwrap();
            assert!(content.len() <= HISTORY_FILE_BYTES_MAX && content.ends_with(b"anna: 1\n"));
        }
        drop(history_store);
        assert!(lines(&folder.open()).len() > count / 3);
    }

    #[test]
    fn two_servers_do_not_write_into_one_folder() {
        let folder = Folder::new("two");
        let first = folder.open();
        let error = HistoryStore::open(&folder.0).unwrap_err().to_string();
        assert!(error.ends_with("another server uses it"), "{error}");
        drop(first);
        folder.open();
    }

    /// (6.14)
    #[test]
    fn a_full_disk_loses_nothing_that_was_kept_and_is_over_when_there_is_room() {
        let folder = Folder::new("full");
        let mut history_store = folder.open();
        history_store.append(record(1).as_bytes());
        let working =
            std::mem::replace(&mut history_store.file, File::open(folder.newer()).unwrap());
        history_store.append(record(2).as_bytes());
        assert_eq!(history_store.condition, Condition::Failing);
        history_store.file = working;
        history_store.file.write_all(b"part of a rec").unwrap();
        history_store.append(record(3).as_bytes());
        assert_eq!(history_store.condition, Condition::Working);
        drop(history_store);
        assert_eq!(lines(&folder.open()), ["anna: 1", "anna: 3"]);
    }
}
