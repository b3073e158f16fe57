//! The bans, and the file that keeps them (8.2.3).
//!
//! `accept.rs` asks here for every new connection; `operator_commands.rs` adds and removes bans,
//! and ends the sessions that a ban covers. A ban outlives the process, so it ends by the calendar
//! and not by the loop's clock.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use log::warn;

use super::logging::OPERATOR;
use super::safe_file;
use super::wall_clock::unix_seconds;
use crate::core::limits::{BANS_FILE_BYTES_MAX, BANS_MAX, BANS_REPORT_MS};
use crate::core::operator::{Expiry, parse_network};
use crate::core::time::Time;

/// All bans.
#[derive(Debug, Default)]
pub(super) struct Bans {
    /// Oldest first. Expired bans stay until the next change; every read skips them. At most
    /// [`BANS_MAX`].
    bans: Vec<Ban>,
    /// The ban file; `None` means that the bans end with the process.
    file: Option<PathBuf>,
    /// Connections rejected since the last line of the log about them.
    rejected: u64,
    /// When the log had that line.
    reported_at: Option<Time>,
}

/// A ban of the addresses in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ban {
    /// The banned addresses, without host bits.
    pub(super) network: IpNet,
    /// When the ban ends.
    pub(super) expiry: Expiry,
    /// The operator's reason; may be empty. It contains no control character, which would break the
    /// lines of the file.
    pub(super) reason: String,
}

/// Why [`Bans::add`] made no ban.
#[derive(Debug)]
pub(super) enum Fault {
    /// The limit on bans is reached (7.33).
    TooMany,
    /// The file could not be written.
    NotSaved(io::Error),
}

impl Ban {
    /// Whether the ban covers `address`. Only a ban of a loopback network covers loopback: an
    /// operator who bans all addresses does not mean the clients on this machine.
    pub(super) fn covers(&self, address: IpAddr) -> bool {
        self.network.contains(&address)
            && (!address.is_loopback() || self.network.addr().is_loopback())
    }

    /// Whether the ban has ended at `unix_s`, in seconds since 1970.
    fn is_over(&self, unix_s: u64) -> bool {
        matches!(self.expiry, Expiry::At(end) if end <= unix_s)
    }

    /// Reads a line of the file: `NETWORK SECONDS|never REASON`.
    fn parse(line: &str) -> Option<Ban> {
        let (network, rest) = line.split_once(' ')?;
        let (expiry, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let expiry = match expiry {
            "never" => Expiry::Never,
            seconds => Expiry::At(seconds.parse().ok()?),
        };
        let reason = Some(reason.to_owned()).filter(|text| !text.contains(char::is_control))?;
        Some(Ban { network: parse_network(network)?, expiry, reason })
    }

    /// The ban as a line of the file, without the line ending.
    fn line(&self) -> String {
        let Ban { network, expiry, reason } = self;
        let expiry = match expiry {
            Expiry::Never => "never".to_owned(),
            Expiry::At(unix_s) => unix_s.to_string(),
        };
        format!("{network} {expiry} {reason}").trim_end().to_owned()
    }
}

impl Bans {
    /// Reads the bans in `file`. The file need not exist: the first ban creates it.
    ///
    /// # Errors
    /// The file cannot be read, its folder does not exist, or a line is not a ban. The file stays
    /// unchanged: a server that started without its bans would admit the banned addresses.
    pub(super) fn open(file: &Path) -> io::Result<Bans> {
        let with_path = |e: io::Error| {
            io::Error::new(e.kind(), format!("cannot keep bans in {}: {e}", file.display()))
        };
        // Replace the target of a symbolic link, not the link. A link to nothing is a mistake: the
        // operator expects bans there, and there are none.
        let is_link = fs::symlink_metadata(file).is_ok_and(|found| found.is_symlink());
        let file = &match fs::canonicalize(file) {
            Err(e) if is_link => {
                let fault = format!("it is a link whose target cannot be used: {e}");
                return Err(with_path(io::Error::new(e.kind(), fault)));
            }
            found => found.unwrap_or_else(|_| file.to_owned()),
        };
        let bans = match read(file).and_then(|text| parse(&text)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                fs::metadata(folder.unwrap_or(Path::new("."))).map_err(with_path)?;
                Vec::new()
            }
            read => read.map_err(with_path)?,
        };
        Ok(Bans { bans, file: Some(file.to_owned()), ..Bans::default() })
    }

    /// The ban that covers `address`, if any.
    pub(super) fn of(&self, address: IpAddr) -> Option<&Ban> {
        // The usual case: a new connection then costs no look at the clock.
        if self.bans.is_empty() {
            return None;
        }
        let now = unix_seconds();
        self.bans.iter().find(|ban| ban.covers(address) && !ban.is_over(now))
    }

    /// Counts a connection that a ban rejected. Returns the count since the last line of the log, if
    /// the log may have another line now (7.61).
    pub(super) fn count_rejection(&mut self, now: Time) -> Option<u64> {
        self.rejected += 1;
        if self.reported_at.is_some_and(|at| now.ms_since(at) < BANS_REPORT_MS) {
            return None;
        }
        self.reported_at = Some(now);
        Some(std::mem::take(&mut self.rejected))
    }

    /// The bans that have not ended.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Ban> {
        let now = unix_seconds();
        self.bans.iter().filter(move |ban| !ban.is_over(now))
    }

    /// Adds a ban, and replaces the ban of the same network, if any.
    ///
    /// # Errors
    /// The limit is reached, or the file cannot be written. The bans stay as they are.
    pub(super) fn add(&mut self, ban: Ban) -> Result<(), Fault> {
        let others = self.iter().filter(|other| other.network != ban.network);
        let mut bans = others.cloned().collect::<Vec<_>>();
        if bans.len() >= BANS_MAX {
            return Err(Fault::TooMany);
        }
        bans.push(ban);
        self.replace(bans).map_err(Fault::NotSaved)
    }

    /// Ends the ban of exactly `network`. Returns `false` if there is none.
    ///
    /// # Errors
    /// The file cannot be written. The ban stays.
    pub(super) fn remove(&mut self, network: IpNet) -> io::Result<bool> {
        let others = self.iter().filter(|ban| ban.network != network);
        let bans = others.cloned().collect::<Vec<_>>();
        let was_there = self.iter().any(|ban| ban.network == network);
        if was_there {
            self.replace(bans)?;
        }
        Ok(was_there)
    }

    /// Replaces the bans, first in the file and then in memory. If the file fails, both keep the
    /// old bans, and a restart changes nothing.
    fn replace(&mut self, bans: Vec<Ban>) -> io::Result<()> {
        if let Some(file) = &self.file
            && let Err(e) = write(file, &bans)
        {
            warn!(target: OPERATOR, "cannot keep bans in {}: {e}", file.display());
            return Err(e);
        }
        self.bans = bans;
        Ok(())
    }
}

/// The expiry of a ban that starts now and lasts `seconds`; `None` means for ever.
pub(super) fn expiry(seconds: Option<u64>) -> Expiry {
    seconds.map_or(Expiry::Never, |seconds| Expiry::At(unix_seconds().saturating_add(seconds)))
}

/// Reads the file, if it is a regular file within the limit (7.33).
fn read(file: &Path) -> io::Result<String> {
    let metadata = fs::metadata(file)?;
    // Opening a named pipe would block until another program opens it for writing (fifo(7)).
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > BANS_FILE_BYTES_MAX {
        return Err(io::Error::other("it is too large"));
    }
    let mut text = String::new();
    File::open(file)?.take(BANS_FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// Parses the content of the file. One bad line refuses the file: a ban must not vanish unnoticed.
fn parse(text: &str) -> io::Result<Vec<Ban>> {
    let mut bans = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fault = || {
            let form = "NETWORK SECONDS|never REASON";
            io::Error::other(format!("line {} is not a ban ({form})", n + 1))
        };
        bans.push(Ban::parse(line).ok_or_else(fault)?);
    }
    if bans.len() > BANS_MAX {
        return Err(io::Error::other(format!("it has more than {BANS_MAX} bans")));
    }
    Ok(bans)
}

/// Replaces the file by way of a temporary file and rename(2). After a crash at any point, the file
/// holds either all old bans or all new bans.
///
/// The loop waits for the disk here (fsync(2)), and all users wait with it. This is acceptable
/// because only an operator command causes it.
fn write(file: &Path, bans: &[Ban]) -> io::Result<()> {
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let text = bans.iter().map(|ban| ban.line() + "\n").collect::<String>();
    let mut new = safe_file::create(&temporary)?;
    let written = new.write_all(text.as_bytes()).and_then(|()| new.sync_all());
    written.and_then(|()| fs::rename(&temporary, file)).inspect_err(|_| {
        // Best effort: the next attempt removes what is left.
        drop(fs::remove_file(&temporary));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(network: &str, expiry: Expiry, reason: &str) -> Ban {
        Ban { network: parse_network(network).unwrap(), expiry, reason: reason.to_owned() }
    }

    /// (8.2.3, 8.2.4, 8.2.5)
    #[test]
    fn a_ban_survives_a_round_trip_through_a_line_of_the_file() {
        for (ban, line) in [
            (ban("192.0.2.0/24", Expiry::Never, "two  words"), "192.0.2.0/24 never two  words"),
            (ban("2001:db8::1", Expiry::At(99), ""), "2001:db8::1/128 99"),
        ] {
            assert_eq!(ban.line(), line);
            assert_eq!(Ban::parse(line), Some(ban));
        }
        for garbage in ["", "192.0.2.0/24", "192.0.2.0/24 soon", "anna never", "\u{0} \u{0}"] {
            assert_eq!(Ban::parse(garbage), None, "{garbage:?}");
        }
    }

    /// (7.61)
    #[test]
    fn rejections_are_counted_and_reported_once_in_a_while() {
        let (mut bans, later) = (Bans::default(), |ms| Time::START.after_ms(ms));
        assert_eq!(bans.count_rejection(later(0)), Some(1));
        let flood = (1..=500).filter_map(|ms| bans.count_rejection(later(ms)));
        assert_eq!(flood.count(), 0);
        assert_eq!(bans.count_rejection(later(BANS_REPORT_MS)), Some(501));
    }

    /// (8.2.3, 8.2.4, 8.2.5)
    #[test]
    fn only_a_ban_of_loopback_covers_loopback() {
        let covers = |network, address: &str| {
            ban(network, Expiry::Never, "").covers(address.parse().unwrap())
        };
        assert!(covers("0.0.0.0/0", "192.0.2.1") && !covers("0.0.0.0/0", "127.0.0.1"));
        assert!(covers("127.0.0.1", "127.0.0.1") && covers("::1", "::1"));
        assert!(!covers("::/0", "::1") && !covers("::/0", "192.0.2.1"));
    }

    /// (8.2.3, 8.2.4, 8.2.5, 7.33, 7.43)
    #[test]
    fn bans_expire_and_their_number_is_limited() {
        let mut bans = Bans::default();
        bans.add(ban("192.0.2.1", Expiry::At(1), "ended in 1970")).unwrap();
        assert_eq!(bans.of("192.0.2.1".parse().unwrap()), None);
        assert_eq!(bans.iter().count(), 0);
        for n in 0..BANS_MAX {
            bans.add(ban(&format!("2001:db8::{n:x}"), Expiry::Never, "")).unwrap();
        }
        assert!(matches!(bans.add(ban("::2", Expiry::Never, "")), Err(Fault::TooMany)));
        bans.add(ban("2001:db8::1", Expiry::Never, "another reason"))
            .expect("a replaced ban does not count twice");
        assert!(bans.remove(parse_network("2001:db8::2").unwrap()).unwrap());
        assert!(!bans.remove(parse_network("2001:db8::2").unwrap()).unwrap());
        bans.add(ban("::2", Expiry::Never, "")).expect("an ended ban makes room");
    }
}
