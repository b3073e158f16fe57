//! From where nobody may come (7.8), and the file that this is kept in.
//!
//! A ban outlives the process, so it ends by the calendar and not by the loop's clock. What a ban
//! does to those who are here is `operator.rs`'s.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ipnet::IpNet;

use crate::core::limits::{BANS_FILE_BYTES_MAX, BANS_MAX};
use crate::core::operator::{Expiry, parse_network};

/// The bans, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Bans {
    bans: Vec<Ban>,
    file: Option<PathBuf>,
}

/// Nobody from there may come, until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ban {
    pub(super) network: IpNet,
    pub(super) expiry: Expiry,
    pub(super) reason: String,
}

/// Why a ban was not made.
#[derive(Debug)]
pub(super) enum Fault {
    TooMany,
    NotKept(io::Error),
}

impl Ban {
    /// Whether it is of `address`. One of loopback is meant only by a network of loopback: who bans
    /// everybody does not mean to shut himself out.
    pub(super) fn hits(&self, address: IpAddr) -> bool {
        self.network.contains(&address)
            && (!address.is_loopback() || self.network.addr().is_loopback())
    }

    fn is_over(&self, unix_s: u64) -> bool {
        matches!(self.expiry, Expiry::At(end) if end <= unix_s)
    }

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
    /// The bans in `file`, which is made when the first ban is.
    ///
    /// # Errors
    /// That it cannot be read, or what in it is no ban; nothing is changed then.
    pub(super) fn open(file: &Path) -> io::Result<Bans> {
        let name = |e: io::Error| {
            io::Error::new(e.kind(), format!("cannot keep bans in {}: {e}", file.display()))
        };
        // A link stays one: what it leads to is replaced.
        let file = &fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        let bans = match read(file).and_then(|text| parse(&text)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                fs::metadata(folder.unwrap_or(Path::new("."))).map_err(name)?;
                Vec::new()
            }
            read => read.map_err(name)?,
        };
        Ok(Bans { bans, file: Some(file.to_owned()) })
    }

    /// The ban of `address`, if there is one.
    pub(super) fn of(&self, address: IpAddr) -> Option<&Ban> {
        if self.bans.is_empty() {
            return None;
        }
        let now = unix_s();
        self.bans.iter().find(|ban| ban.hits(address) && !ban.is_over(now))
    }

    /// The bans that are not over.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Ban> {
        let now = unix_s();
        self.bans.iter().filter(move |ban| !ban.is_over(now))
    }

    /// Makes a ban, in place of one of the same network.
    pub(super) fn add(&mut self, ban: Ban) -> Result<(), Fault> {
        let others = self.iter().filter(|other| other.network != ban.network);
        let mut bans = others.cloned().collect::<Vec<_>>();
        if bans.len() >= BANS_MAX {
            return Err(Fault::TooMany);
        }
        bans.push(ban);
        self.replace(bans).map_err(Fault::NotKept)
    }

    /// Ends the ban of just that network; `false` if there is none.
    pub(super) fn remove(&mut self, network: IpNet) -> io::Result<bool> {
        let others = self.iter().filter(|ban| ban.network != network);
        let bans = others.cloned().collect::<Vec<_>>();
        let was_there = self.iter().any(|ban| ban.network == network);
        if was_there {
            self.replace(bans)?;
        }
        Ok(was_there)
    }

    /// What cannot be kept is not begun.
    fn replace(&mut self, bans: Vec<Ban>) -> io::Result<()> {
        if let Some(file) = &self.file {
            write(file, &bans)?;
        }
        self.bans = bans;
        Ok(())
    }
}

/// The moment at which a ban of so many seconds ends.
pub(super) fn expiry(seconds: Option<u64>) -> Expiry {
    seconds.map_or(Expiry::Never, |seconds| Expiry::At(unix_s().saturating_add(seconds)))
}

#[expect(clippy::disallowed_methods, reason = "a ban ends by the calendar")]
fn unix_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn read(file: &Path) -> io::Result<String> {
    let metadata = fs::metadata(file)?;
    // To open a pipe would wait for whoever writes to it.
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if metadata.len() > BANS_FILE_BYTES_MAX {
        return Err(io::Error::other("it is too long"));
    }
    let mut text = String::new();
    File::open(file)?.take(BANS_FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn parse(text: &str) -> io::Result<Vec<Ban>> {
    let mut bans = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fault = || {
            let form = "NETWORK SECONDS|never REASON";
            io::Error::other(format!("line {} is no ban ({form})", n + 1))
        };
        bans.push(Ban::parse(line).ok_or_else(fault)?);
    }
    if bans.len() > BANS_MAX {
        return Err(io::Error::other(format!("it has more than {BANS_MAX} bans")));
    }
    Ok(bans)
}

/// Whatever happens, the file holds all of the old bans or all of the new. The loop waits for the
/// disk here, which is why there is an operator behind each time that it does.
fn write(file: &Path, bans: &[Ban]) -> io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut options = OpenOptions::new();
    let mut new = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let text = bans.iter().map(|ban| ban.line() + "\n").collect::<String>();
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(network: &str, expiry: Expiry, reason: &str) -> Ban {
        Ban { network: parse_network(network).unwrap(), expiry, reason: reason.to_owned() }
    }

    /// (7.8)
    #[test]
    fn a_line_of_the_file_is_a_ban_and_back() {
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

    /// (7.8)
    #[test]
    fn loopback_is_hit_by_a_ban_of_loopback_alone() {
        let hits =
            |network, address: &str| ban(network, Expiry::Never, "").hits(address.parse().unwrap());
        assert!(hits("0.0.0.0/0", "192.0.2.1") && !hits("0.0.0.0/0", "127.0.0.1"));
        assert!(hits("127.0.0.1", "127.0.0.1") && hits("::1", "::1"));
        assert!(!hits("::/0", "::1") && !hits("::/0", "192.0.2.1"));
    }

    /// (7.8, 5.31)
    #[test]
    fn bans_end_and_are_bounded() {
        let mut bans = Bans::default();
        bans.add(ban("192.0.2.1", Expiry::At(1), "over since 1970")).unwrap();
        assert_eq!(bans.of("192.0.2.1".parse().unwrap()), None);
        assert_eq!(bans.iter().count(), 0);
        for n in 0..BANS_MAX {
            bans.add(ban(&format!("2001:db8::{n:x}"), Expiry::Never, "")).unwrap();
        }
        assert!(matches!(bans.add(ban("::2", Expiry::Never, "")), Err(Fault::TooMany)));
        bans.add(ban("2001:db8::1", Expiry::Never, "another reason")).expect("none more");
        assert!(bans.remove(parse_network("2001:db8::2").unwrap()).unwrap());
        assert!(!bans.remove(parse_network("2001:db8::2").unwrap()).unwrap());
        bans.add(ban("::2", Expiry::Never, "")).expect("there is room again");
    }
}
