//! The file of the console's Unix socket (8.1.1).
//!
//! The file permissions are the only access control of the console, so the file is never open to
//! other users, not even briefly. A socket that a dead server left is replaced; any other file
//! stays. The file is removed at the end. This module knows nothing of commands.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use mio::net::{UnixListener, UnixStream};
use rustix::fs::Mode;
use rustix::process::{geteuid, umask};

/// The file of a listening socket. Dropping this value removes the file, if it is still ours.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode (stat(2)). Another server may have replaced the file at `path` by its own.
    identity: (u64, u64),
}

/// Creates the socket file with mode 0600, and listens on it.
///
/// # Errors
/// A file that must not be replaced is at `path`, or the system refuses.
pub(super) fn listen(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let with_path = |e: io::Error| {
        io::Error::new(e.kind(), format!("cannot open the console {}: {e}", path.display()))
    };
    remove_stale_socket(path).map_err(with_path)?;
    // bind(2) creates the file, and only the umask can restrict it from the first moment. The umask
    // belongs to the process; with one thread, no other file is created meanwhile.
    let old_mask = umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    umask(old_mask);
    let listener = listener.map_err(with_path)?;
    let identity = fs::symlink_metadata(path).map(|found| identity(&found)).map_err(with_path)?;
    Ok((listener, SocketFile { path: path.to_owned(), identity }))
}

/// Removes a socket file that a dead server left at `path`.
///
/// # Errors
/// Any other file is at `path`: not a socket, another user's, or a live server's.
fn remove_stale_socket(path: &Path) -> io::Result<()> {
    let refuse = |what| Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    if !found.file_type().is_socket() {
        return refuse("it exists and is not a socket");
    }
    if found.uid() != geteuid().as_raw() {
        return refuse("it exists and belongs to another user");
    }
    match UnixStream::connect(path) {
        // No process listens: the file is all that is left of the server.
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        // Every other error counts as a live server; one with a full queue gives `WouldBlock`.
        Ok(_) | Err(_) => refuse("another server listens there"),
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours =
            fs::symlink_metadata(&self.path).is_ok_and(|found| identity(&found) == self.identity);
        if is_ours {
            // The process ends. A file that stays is replaced at the next start.
            drop(fs::remove_file(&self.path));
        }
    }
}
