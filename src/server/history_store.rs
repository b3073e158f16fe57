//! The history store: keeps the history of rooms in a folder, over a restart (6.3.3).
//!
//! The loop appends the lines of a turn before any client can read them. [`HistoryStore::tend`]
//! writes the file anew from memory, in steps, so that the file keeps no more than memory does. The
//! store never waits for the disk (fsync(2)): the kernel keeps written bytes when the process dies,
//! and only a power failure can lose the last seconds. A database would prevent this loss, but it
//! would block the loop or need a second thread.

mod rewrite;
mod stored;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use log::{info, warn};

use super::safe_file::{self, Identity};
use crate::core::exchange::Exchange;
use crate::core::limits::{
    HISTORY_APPENDED_BYTES_MAX, HISTORY_CHECK_MS, HISTORY_OLD_FILE_MS, HISTORY_RETRY_MS,
    HISTORY_REWRITE_MS,
};
use crate::core::time::Time;
use rewrite::Rewrite;
pub(super) use stored::StoredHistory;

/// The first line of each file. A file without it is not ours, and the server does not change it.
const HEADER: &[u8] = b"chinwag rooms 1\n";
/// The file that the store appends to.
const CURRENT: &str = "rooms.log";
/// The next current file, until it is complete.
const TEMPORARY: &str = "rooms.new.log";
/// The current file of before, until the kernel has surely written the new one.
const OLD: &str = "rooms.old.log";

/// The files of the history store.
#[derive(Debug)]
pub(super) struct HistoryStore {
    folder: PathBuf,
    /// The folder, locked (flock(2)): two servers that append to one file would mix their records.
    lock: File,
    /// The current file, opened for appending.
    file: File,
    identity: Identity,
    /// Bytes of `file` up to the end of its last complete record.
    len: usize,
    /// Bytes of `file` when it was written anew.
    len_at_first: usize,
    state: StoreState,
    /// The rewrite that is going on.
    rewrite: Option<Rewrite>,
    /// The log says already that rewrites fail.
    rewrite_fails: bool,
    /// When to begin a rewrite, however small the file is.
    rewrite_at: Option<Time>,
    /// When to look whether the file is still there.
    check_at: Option<Time>,
    /// When to remove the old file.
    remove_old_at: Option<Time>,
}

/// Whether the store keeps what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoreState {
    /// The store writes every record.
    Working,
    /// The last write failed, and the log says so once. The file may end in an incomplete record.
    Failing,
    /// The file is gone, and the log says so once. Only a rewrite can bring it back.
    Removed,
}

impl HistoryStore {
    /// Appends complete records.
    ///
    /// A failure does not stop the server: the rooms go on without the store. The log reports the
    /// first failure and the first success after it; a line per failure would flood the log.
    pub(super) fn append(&mut self, now: Time, records: &[u8]) {
        if self.state != StoreState::Removed {
            let len_before = self.len;
            let appended = self.try_append(records);
            self.note_append(now, appended);
            let full = self.len_at_first + self.appended_max();
            if len_before < full && self.len >= full {
                self.rewrite_at = Some(now);
            }
        }
        if let Some(rewrite) = &mut self.rewrite
            && let Err(e) = rewrite.append(records)
        {
            self.give_up_rewrite(now, &e);
        }
    }

    fn note_append(&mut self, now: Time, appended: io::Result<()>) {
        let folder = self.folder.display();
        match (appended, self.state) {
            (Ok(()), StoreState::Failing) => {
                info!(target: "chinwag", "history in {folder}: kept again");
                self.state = StoreState::Working;
            }
            (Ok(()), _) => {}
            (Err(e), StoreState::Working) => {
                warn!(target: "chinwag", "history in {folder}: not kept from now on: {e}");
                self.state = StoreState::Failing;
                // The rewrite stores the lines that are missing now.
                self.rewrite_at = Some(now.after_ms(HISTORY_RETRY_MS));
            }
            (Err(_), _) => {}
        }
        self.check_at.get_or_insert(now.after_ms(HISTORY_CHECK_MS));
        self.rewrite_at.get_or_insert(now.after_ms(HISTORY_REWRITE_MS));
    }

    fn try_append(&mut self, records: &[u8]) -> io::Result<()> {
        if self.state == StoreState::Failing {
            // Remove the incomplete record of the failed write, or the next record would join it.
            self.file.set_len(self.len as u64)?;
        }
        // A file that becomes so large cannot be written anew, and must not grow for ever.
        if self.len + records.len() > self.len_at_first + 2 * self.appended_max() {
            return Err(io::Error::other("the file is full"));
        }
        self.file.write_all(records)?;
        self.len += records.len();
        Ok(())
    }

    /// Bytes to append before a rewrite (7.6).
    fn appended_max(&self) -> usize {
        self.len_at_first.max(HISTORY_APPENDED_BYTES_MAX)
    }

    /// Whether the next turn has work here without a new event.
    pub(super) fn has_work(&self) -> bool {
        self.rewrite.is_some()
    }

    /// When [`HistoryStore::tend`] has something to do.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        [self.rewrite_at, self.check_at, self.remove_old_at].into_iter().flatten().min()
    }

    /// Does what is due: one step of a rewrite, or a look at the file. The loop calls this once per
    /// turn, after it has appended all records.
    pub(super) fn tend(&mut self, now: Time, exchange: &Exchange) {
        if self.rewrite.is_some() {
            return self.step(now, exchange);
        }
        if is_due(&mut self.remove_old_at, now) {
            // A file that stays is removed after the next rewrite.
            drop(fs::remove_file(self.folder.join(OLD)));
        }
        if is_due(&mut self.check_at, now) {
            self.check(now);
        }
        if is_due(&mut self.rewrite_at, now) {
            match self.begin() {
                Ok(rewrite) => self.rewrite = Some(rewrite),
                Err(e) => self.give_up_rewrite(now, &e),
            }
        }
    }

    /// Looks whether the file is still there. If not, a rewrite brings it back.
    fn check(&mut self, now: Time) {
        let is_there = safe_file::identity_at(&self.folder.join(CURRENT)) == Some(self.identity);
        if !is_there && self.state != StoreState::Removed {
            let folder = self.folder.display();
            warn!(target: "chinwag", "history in {folder}: {CURRENT} was removed; writing it again");
            self.state = StoreState::Removed;
            self.rewrite_at = Some(now);
        }
    }

    /// Begins a rewrite, and creates the folder again if it was removed.
    fn begin(&mut self) -> io::Result<Rewrite> {
        if self.state == StoreState::Removed {
            match fs::create_dir(&self.folder) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                _ => {}
            }
            let is_locked =
                safe_file::identity_at(&self.folder) == Some(safe_file::identity_of(&self.lock)?);
            if !is_locked {
                self.lock = stored::lock(&self.folder)?;
            }
        }
        Rewrite::begin(&self.folder)
    }

    fn step(&mut self, now: Time, exchange: &Exchange) {
        let Some(rewrite) = &mut self.rewrite else { return };
        match rewrite.step(exchange) {
            Ok(false) => {}
            Ok(true) => match rewrite.finish(&self.folder) {
                Ok(()) => self.replace_file(now),
                Err(e) => self.give_up_rewrite(now, &e),
            },
            Err(e) => self.give_up_rewrite(now, &e),
        }
    }

    /// The rewrite is complete, and its file has taken the place of the current one.
    fn replace_file(&mut self, now: Time) {
        let Some(Rewrite { file, identity, len, .. }) = self.rewrite.take() else { return };
        (self.file, self.identity, self.len, self.len_at_first) = (file, identity, len, len);
        self.rewrite_fails = false;
        self.remove_old_at = Some(now.after_ms(HISTORY_OLD_FILE_MS));
        // An empty file has nothing to forget, and the server can sleep.
        self.rewrite_at = (len > HEADER.len()).then(|| now.after_ms(HISTORY_REWRITE_MS));
        if self.state != StoreState::Working {
            info!(target: "chinwag", "history in {}: kept again", self.folder.display());
            self.state = StoreState::Working;
        }
    }

    /// Gives up a rewrite that failed, for example on a full disk. The current file stays, and the
    /// store tries again later. The log says this once.
    fn give_up_rewrite(&mut self, now: Time, error: &io::Error) {
        self.rewrite = None;
        drop(fs::remove_file(self.folder.join(TEMPORARY)));
        self.rewrite_at = Some(now.after_ms(HISTORY_RETRY_MS));
        // The folder may have been removed meanwhile.
        self.check_at = Some(now);
        let is_known = std::mem::replace(&mut self.rewrite_fails, true);
        if !is_known && self.state != StoreState::Failing {
            let folder = self.folder.display();
            warn!(target: "chinwag", "history in {folder}: cannot be written anew: {error}");
        }
    }
}

/// Whether a deadline has passed; then it is taken.
fn is_due(deadline: &mut Option<Time>, now: Time) -> bool {
    deadline.take_if(|at| *at <= now).is_some()
}
