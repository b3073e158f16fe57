//! Creates files so that no planted link is followed. A folder may be open to other users, such as
//! /tmp; a link in it could make the server overwrite any file of its operator.
//!
//! `bans.rs` and `history_store.rs` use this for the temporary files that become theirs by rename(2).

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Creates an empty file at `path` that only this user can open, for appending. A file or link that
/// an earlier server left there, or that was planted, is removed; its target stays.
///
/// # Errors
/// Something at `path` cannot be removed, or comes back at once.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // O_EXCL: open(2) fails if anything is at `path`, even a link to nothing.
    OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)
}

/// Opens the existing file at `path` for appending. A link there is not followed.
///
/// # Errors
/// The file cannot be opened, or it is a link.
pub(crate) fn open_for_append(path: &Path) -> io::Result<File> {
    let no_follow = OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().append(true).custom_flags(no_follow).open(path)
}

/// Device and inode (stat(2)): what a file is, whatever name it has.
pub(crate) type Identity = (u64, u64);

/// The identity of the file at `path`; `None` if there is none.
pub(crate) fn identity_at(path: &Path) -> Option<Identity> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// The identity of an open file.
pub(crate) fn identity_of(file: &File) -> io::Result<Identity> {
    file.metadata().map(|found| (found.dev(), found.ino()))
}
