//! Regular files that a user names. A pipe or a device in their place would hang the program.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Reads a regular file of at most `max` bytes.
///
/// # Errors
/// The file cannot be read, is larger, or is no regular file.
pub(crate) fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    // Without the flag, a pipe that nobody writes to would hang the program.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    check_regular(&file)?;
    let mut bytes = Vec::new();
    let count = file.take(max + 1).read_to_end(&mut bytes)?;
    match count as u64 > max {
        true => Err(io::Error::other(format!("it has more than {max} bytes"))),
        false => Ok(bytes),
    }
}

pub(super) fn check_regular(file: &File) -> io::Result<()> {
    match file.metadata()?.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not a regular file")),
    }
}
