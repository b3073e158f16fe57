//! Regular files that a user names. A pipe or a device in their place would hang the program.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::process::Signal;
use signal_hook::flag;

/// Without this flag, opening a pipe whose other end nobody has opened would hang the program.
const NON_BLOCKING: i32 = OFlags::NONBLOCK.bits().cast_signed();

/// Reads a regular file of at most `max` bytes.
///
/// # Errors
/// The file cannot be read, is larger, or is no regular file.
pub(crate) fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(NON_BLOCKING).open(path)?;
    check_regular(&file)?;
    let mut bytes = Vec::new();
    let count = file.take(max + 1).read_to_end(&mut bytes)?;
    match count as u64 > max {
        true => Err(io::Error::other(format!("it has more than {max} bytes"))),
        false => Ok(bytes),
    }
}

/// Opens a regular file to append to it, and creates it if need be. Only the user can read a new file.
///
/// # Errors
/// The file cannot be opened, or is no regular file.
pub(super) fn open_to_append(path: &Path) -> io::Result<File> {
    // Without a handler, a write above the limit on file size would kill the client and leave the
    // terminal in raw mode (setrlimit(2)).
    flag::register(Signal::XFSZ.as_raw(), Arc::default())?;
    let mut options = OpenOptions::new();
    let file =
        options.append(true).create(true).mode(0o600).custom_flags(NON_BLOCKING).open(path)?;
    check_regular(&file)?;
    Ok(file)
}

fn check_regular(file: &File) -> io::Result<()> {
    match file.metadata()?.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not a regular file")),
    }
}
