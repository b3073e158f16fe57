//! The file `known_hosts` in the user's configuration folder. `trust` reads it once per run and
//! appends what the user confirms. `client::known_hosts` knows the form of its lines.

use std::env;
use std::fmt;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::regular_file::{open_to_append, read_bounded};
use super::socket::describe;
use crate::client::known_hosts::line;
use crate::core::limits::KNOWN_HOSTS_BYTES_MAX;

/// The file, and what it said when the client started.
#[derive(Debug, Clone)]
pub(super) struct KnownHostsFile {
    /// `None` if the user has no home.
    path: Option<PathBuf>,
    text: String,
}

impl KnownHostsFile {
    /// Reads the file. There need be none.
    ///
    /// # Errors
    /// It is there and cannot be read. Without it, a changed certificate would pass for an unknown
    /// one. The text is ready to print.
    pub(super) fn open() -> Result<KnownHostsFile, String> {
        let path = config_folder().map(|folder| folder.join("chinwag").join("known_hosts"));
        let text =
            match path.as_deref().map(|path| (path, read_bounded(path, KNOWN_HOSTS_BYTES_MAX))) {
                None => String::new(),
                Some((_, Ok(bytes))) => String::from_utf8_lossy(&bytes).into_owned(),
                Some((_, Err(error))) if error.kind() == ErrorKind::NotFound => String::new(),
                Some((path, Err(error))) => {
                    return Err(format!("cannot read {}: {}", path.display(), describe(&error)));
                }
            };
        Ok(KnownHostsFile { path, text })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds a confirmed certificate. It counts at once, even if it cannot be written.
    ///
    /// # Errors
    /// It cannot be written. The text is ready to print.
    pub(super) fn add(&mut self, server: &str, fingerprint: &str) -> Result<(), String> {
        // Somebody may have edited the file and left the last line without its ending.
        let is_open = !self.text.is_empty() && !self.text.ends_with('\n');
        let added = format!("{}{}", if is_open { "\n" } else { "" }, line(server, fingerprint));
        self.text.push_str(&added);
        let Some(path) = &self.path else { return Err("there is no home folder".to_owned()) };
        append(path, &added)
            .map_err(|error| format!("cannot write {}: {}", path.display(), describe(&error)))
    }
}

impl fmt::Display for KnownHostsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}", path.display()),
            None => f.write_str("known_hosts"),
        }
    }
}

/// `$XDG_CONFIG_HOME`, or `~/.config` (XDG Base Directory Specification: a relative path is ignored).
fn config_folder() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))
}

/// Appends in one write, so that two clients cannot mix their lines.
fn append(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = open_to_append(path)?;
    if file.metadata()?.len() + text.len() as u64 > KNOWN_HOSTS_BYTES_MAX {
        return Err(io::Error::other("it is full"));
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
