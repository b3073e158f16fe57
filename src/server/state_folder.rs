//! The state folder (`--state`): everything that must outlive the server (8.4.1).
//!
//! `main` opens it before the server opens a port. Bans, history and accounts have a file or a folder
//! each inside; this module knows only the folder itself: who may look into it, and that one server
//! uses it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};

/// The folder, locked (flock(2)) as long as this value lives.
#[derive(Debug)]
pub struct StateFolder {
    path: PathBuf,
    _lock: File,
}

impl StateFolder {
    /// Opens and locks the folder at `path`. Creates it if only its parent is there.
    ///
    /// # Errors
    /// The folder cannot be used, other users may look into it, or another server uses it.
    pub fn open(path: &Path) -> io::Result<StateFolder> {
        let with_path = |e: io::Error| {
            let path = path.display();
            io::Error::new(e.kind(), format!("cannot use the state folder {path}: {e}"))
        };
        create_private(path).map_err(with_path)?;
        let lock = lock(path).map_err(with_path)?;
        let mode = lock.metadata().map_err(with_path)?.mode();
        // Refused and not repaired: the operator may have named a folder of others by mistake, such
        // as /tmp.
        if mode & 0o077 != 0 {
            let path = path.display();
            let fault = format!("other users can open it; chmod 700 {path} prevents that");
            return Err(with_path(io::Error::other(fault)));
        }
        Ok(StateFolder { path: path.to_owned(), _lock: lock })
    }

    /// The path of the file that keeps the bans.
    pub(super) fn bans(&self) -> PathBuf {
        self.path.join("bans")
    }

    /// The folder of the history store. Creates it at the first start.
    ///
    /// # Errors
    /// It cannot be created.
    pub(super) fn history(&self) -> io::Result<PathBuf> {
        self.subfolder("history")
    }

    /// The folder of the accounts. Creates it at the first start.
    ///
    /// # Errors
    /// It cannot be created.
    pub(super) fn accounts(&self) -> io::Result<PathBuf> {
        self.subfolder("accounts")
    }

    fn subfolder(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        create_private(&path).map_err(|e| {
            io::Error::new(e.kind(), format!("cannot create {}: {e}", path.display()))
        })?;
        Ok(path)
    }
}

/// Creates a folder that only this user can open, unless there is something at `path`.
fn create_private(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(e) => Err(e),
        // Otherwise a power failure could take the folder with everything in it (fsync(2)).
        Ok(()) => sync_parent(path),
    }
}

/// Waits until the entry at `path` in its folder is on the disk.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn lock(path: &Path) -> io::Result<File> {
    let directory = OFlags::DIRECTORY.bits().cast_signed();
    let lock = OpenOptions::new().read(true).custom_flags(directory).open(path)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| io::Error::other("another server uses it"))?;
    Ok(lock)
}
