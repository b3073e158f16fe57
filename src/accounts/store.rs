//! The store of accounts: a text file to which each change appends one line.
//!
//! Each line has a checksum. A change is confirmed only after the disk has it (fsync(2)). When many
//! lines are outdated, the file is written anew and renamed, so a crash leaves the old or the new one.
//! A crash can cut the last line, which nobody was told is stored: it is removed. Anything else that
//! is not a record is damage, and the store then opens nothing and changes nothing.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha1::{Digest, Sha1};

use super::password_hash;
use crate::core::limits::{ACCOUNTS_FILE_BYTES_MAX, ACCOUNTS_OUTDATED_MAX};
use crate::server::safe_file;

/// The first line of the file. A file without it is not ours.
const HEADER: &str = "chinwag accounts 1\n";
const FILE: &str = "accounts.log";
/// The next file, until it is complete.
const TEMPORARY: &str = "accounts.new.log";

/// All accounts, in memory and in the file.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    file: File,
    /// Bytes of the file.
    len: u64,
    /// Hashes by name, as the name was registered.
    hashes: BTreeMap<String, String>,
    /// Lines of the file.
    records: usize,
    /// The number of lines at which the file is written anew.
    compact_at: usize,
}

/// Why a change is not stored.
#[derive(Debug)]
pub(super) enum StoreError {
    /// The file is as before.
    NotStored(io::Error),
    /// Nobody knows what the disk has: the file must be opened again.
    Unknown(io::Error),
}

impl Store {
    /// Opens the store in `folder`, and creates it if there is none.
    ///
    /// # Errors
    /// Why the store cannot be used, with its path. The file is unchanged then.
    pub(super) fn open(folder: &Path) -> Result<Store, String> {
        let path = folder.join(FILE);
        let fault = |what: &str| format!("cannot use the accounts in {}: {what}", path.display());
        let io_fault = |e: io::Error| fault(&e.to_string());
        // A crash may have left it.
        drop(fs::remove_file(folder.join(TEMPORARY)));
        let text = match read(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let (file, len) = write_anew(folder, &BTreeMap::new())
                    .map_err(|(StoreError::NotStored(e) | StoreError::Unknown(e))| io_fault(e))?;
                return Ok(Store::new(folder, file, len, BTreeMap::new(), 0));
            }
            text => text.map_err(io_fault)?,
        };
        let (hashes, records, len) =
            parse(&text).map_err(|what| fault(&format!("{what}; it was not changed")))?;
        let file = safe_file::open_for_append(&path).map_err(io_fault)?;
        if len < text.len() {
            file.set_len(len as u64).and_then(|()| file.sync_all()).map_err(io_fault)?;
        }
        Ok(Store::new(folder, file, len as u64, hashes, records))
    }

    fn new(
        folder: &Path,
        file: File,
        len: u64,
        hashes: BTreeMap<String, String>,
        records: usize,
    ) -> Store {
        let compact_at = hashes.len() + ACCOUNTS_OUTDATED_MAX.max(hashes.len());
        Store { folder: folder.to_owned(), file, len, hashes, records, compact_at }
    }

    /// The names of all accounts.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.hashes.keys().map(String::as_str)
    }

    /// The hash of an account.
    pub(super) fn hash(&self, name: &str) -> Option<&str> {
        self.hashes.get(name).map(String::as_str)
    }

    /// Makes an account, or changes its hash. When this returns, the disk has it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn set(&mut self, name: &str, hash: &str) -> Result<(), StoreError> {
        self.append(&set_record(name, hash))?;
        self.hashes.insert(name.to_owned(), hash.to_owned());
        self.compact_if_due()
    }

    /// Removes an account. When this returns, the disk has it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        self.append(&line(&format!("- {name}")))?;
        self.hashes.remove(name);
        self.compact_if_due()
    }

    fn append(&mut self, record: &str) -> Result<(), StoreError> {
        let written = self.file.write_all(record.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(e) = written {
            // A part of the record may be there, or all of it.
            let restored = self.file.set_len(self.len).and_then(|()| self.file.sync_all());
            return Err(match restored {
                Ok(()) => StoreError::NotStored(e),
                Err(_) => StoreError::Unknown(e),
            });
        }
        self.len += record.len() as u64;
        self.records += 1;
        Ok(())
    }

    /// Writes the file anew when most of its lines are outdated. If that fails, for example on a full
    /// disk, the file stays as it is, and the next attempt comes after as many lines again. An error
    /// says that the new file has the name already, but perhaps not after a crash.
    fn compact_if_due(&mut self) -> Result<(), StoreError> {
        if self.records < self.compact_at {
            return Ok(());
        }
        match write_anew(&self.folder, &self.hashes) {
            Ok((file, len)) => {
                let (folder, hashes) = (self.folder.clone(), std::mem::take(&mut self.hashes));
                let records = hashes.len();
                *self = Store::new(&folder, file, len, hashes, records);
            }
            Err(StoreError::NotStored(_)) => self.compact_at += ACCOUNTS_OUTDATED_MAX,
            Err(unknown) => return Err(unknown),
        }
        Ok(())
    }
}

/// Reads the file, if it is a regular file of a possible size.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > ACCOUNTS_FILE_BYTES_MAX {
        return Err(io::Error::other("it is too large"));
    }
    let mut text = Vec::new();
    file.take(ACCOUNTS_FILE_BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

/// Parses the file. Returns the hashes by name, the number of records, and the bytes up to the end of
/// the last one.
fn parse(text: &[u8]) -> Result<(BTreeMap<String, String>, usize, usize), String> {
    if !text.starts_with(HEADER.as_bytes()) {
        return Err("it is not a file of accounts".to_owned());
    }
    let (mut hashes, mut records, mut len) = (BTreeMap::new(), 0, HEADER.len());
    for line in text[HEADER.len()..].split_inclusive(|&byte| byte == b'\n') {
        let is_last = len + line.len() == text.len();
        match parse_record(line) {
            Some(Record::Set { name, hash }) => {
                hashes.insert(name.to_owned(), hash.to_owned());
            }
            // The record of an account that is not there follows a line that is gone.
            Some(Record::Remove { name }) if hashes.remove(name).is_some() => {}
            // A crash cut it: either its end is missing, or a page that was never written holds zeros.
            _ if is_last && (!line.ends_with(b"\n") || line.contains(&0)) => break,
            _ => return Err(format!("line {} is damaged", records + 2)),
        }
        records += 1;
        len += line.len();
    }
    Ok((hashes, records, len))
}

enum Record<'a> {
    Set { name: &'a str, hash: &'a str },
    Remove { name: &'a str },
}

fn parse_record(line: &[u8]) -> Option<Record<'_>> {
    let line = str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (sum, content) = line.split_once(' ')?;
    if sum != checksum(content) {
        return None;
    }
    match content.split_once(' ')? {
        ("+", rest) => {
            let (name, hash) = rest.split_once(' ')?;
            password_hash::is_valid(hash).then_some(Record::Set { name, hash })
        }
        ("-", name) => Some(Record::Remove { name }),
        _ => None,
    }
}

fn set_record(name: &str, hash: &str) -> String {
    line(&format!("+ {name} {hash}"))
}

fn line(content: &str) -> String {
    format!("{} {content}\n", checksum(content))
}

/// The first bytes of SHA-1: against accidents, not against attackers, who cannot open the folder.
fn checksum(content: &str) -> String {
    Sha1::digest(content.as_bytes())[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the whole file, and waits until the disk has it and its name.
fn write_anew(folder: &Path, hashes: &BTreeMap<String, String>) -> Result<(File, u64), StoreError> {
    let temporary = folder.join(TEMPORARY);
    let mut text = HEADER.to_owned();
    hashes.iter().for_each(|(name, hash)| text.push_str(&set_record(name, hash)));
    let write = || {
        let mut file = safe_file::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, folder.join(FILE)).map(|()| file)
    };
    let file = write().map_err(StoreError::NotStored)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::Unknown)?;
    Ok((file, text.len() as u64))
}

#[cfg(test)]
mod tests;
