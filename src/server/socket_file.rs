//! The name of a Unix socket among the files (7.1): made so that nobody else can open it for a
//! moment even, made anew where a server that died left one, and removed at the end.
//!
//! What is said over it is not known here.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use mio::net::{UnixListener, UnixStream};
use rustix::fs::Mode;
use rustix::process::{geteuid, umask};

/// The file of a socket that we listen on. Dropped, it is removed, if it is still ours.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// Listens on `path`.
///
/// # Errors
/// That something stands there which must not be replaced, or that the system refuses.
pub(super) fn listen(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let name = |e: io::Error| {
        io::Error::new(e.kind(), format!("cannot open the console {}: {e}", path.display()))
    };
    make_room(path).map_err(name)?;
    // There is one thread, so nobody else makes a file meanwhile.
    let before = umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    umask(before);
    let listener = listener.map_err(name)?;
    let identity = fs::symlink_metadata(path).map(|found| identity(&found)).map_err(name)?;
    Ok((listener, SocketFile { path: path.to_owned(), identity }))
}

/// Removes the socket that a server left at `path` which is no more; anything else is in the way.
fn make_room(path: &Path) -> io::Result<()> {
    let in_the_way = |what| Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    if !found.file_type().is_socket() {
        return in_the_way("it exists, and is no socket");
    }
    if found.uid() != geteuid().as_raw() {
        return in_the_way("it exists, and is somebody else's");
    }
    match UnixStream::connect(path) {
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        // One whose queue is full listens too.
        Ok(_) | Err(_) => in_the_way("a server listens there"),
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
            // We are about to end, and there is nobody left to tell.
            drop(fs::remove_file(&self.path));
        }
    }
}
