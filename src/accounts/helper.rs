//! The loop of the helper process: read a question, answer it. One thread, one question at a time.
//!
//! It ends when the server ends, in whatever way: then its socket has an end, and on Linux the kernel
//! also kills it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::process::{Resource, Rlimit, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use zeroize::Zeroizing;

use super::password_hash::{Hasher, Verdict};
use super::store::{Store, StoreError};
use super::wire::{self, Question, QuestionKind, Reply};
use crate::core::accounts::{AccountAnswer, AccountFailure};

/// How much lower than the server's the priority of the helper is (nice(2)).
const NICENESS: i32 = 10;

/// Serves the accounts in `folder` to the server at the other end of standard input.
///
/// # Errors
/// The connection to the server fails in another way than by its end, or the store cannot be used.
pub fn run(folder: &Path) -> io::Result<()> {
    prepare()?;
    let mut server = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let opened = lock(folder).map_err(|e| e.to_string()).and_then(|lock| {
        let store = Store::open(folder)?;
        Ok((lock, store))
    });
    let (_lock, mut store) = match opened {
        Ok(opened) => opened,
        // The server says it.
        Err(fault) => return say(&mut server, &Reply::Fault(fault)),
    };
    let names = store.names().map(|name| Reply::Account(name.to_owned()));
    let greeting = names.chain([Reply::Ready]).flat_map(|reply| wire::encode_reply(&reply));
    server.write_all(&greeting.collect::<Vec<_>>())?;
    let mut hasher = Hasher::new();
    while let Some(question) = next_question(&mut server)? {
        let (answer, fault) = match answer(&mut store, &mut hasher, &question) {
            Ok(answer) => (answer, None),
            Err(StoreError::NotStored(e)) => {
                (AccountAnswer::Failed(AccountFailure::NotStored), Some(e))
            }
            // The next helper reads what the disk has.
            Err(StoreError::Unknown(e)) => return say(&mut server, &Reply::Fault(e.to_string())),
        };
        if let Some(e) = fault {
            say(&mut server, &Reply::Fault(e.to_string()))?;
        }
        say(&mut server, &Reply::Answer(answer))?;
    }
    Ok(())
}

/// Makes the process outlive signals that mean the server, and not outlive the server.
fn prepare() -> io::Result<()> {
    // Ctrl-C and service managers signal every process. The server decides when this one ends.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::default())?;
    }
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // Where the two share a core, the loop goes first: a user who chats must not wait for a hash.
    rustix::process::nice(NICENESS)?;
    // A core file would hold passwords.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// Locks the folder. The helper of a server that was killed may still write a last record; nobody else
/// can have the lock, because the server has locked the folder above.
fn lock(folder: &Path) -> io::Result<File> {
    let directory = OFlags::DIRECTORY.bits().cast_signed();
    let lock = OpenOptions::new().read(true).custom_flags(directory).open(folder)?;
    rustix::io::retry_on_intr(|| flock(&lock, FlockOperation::LockExclusive))?;
    Ok(lock)
}

fn say(server: &mut UnixStream, reply: &Reply) -> io::Result<()> {
    server.write_all(&wire::encode_reply(reply))
}

/// Reads the next question; `None` at the end of the server.
fn next_question(server: &mut UnixStream) -> io::Result<Option<Question>> {
    let mut len = [0; 2];
    match server.read_exact(&mut len) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut content = Zeroizing::new(vec![0; u16::from_le_bytes(len).into()]);
    server.read_exact(&mut content)?;
    let fault = |_| io::Error::new(io::ErrorKind::InvalidData, "the server asks nothing sensible");
    wire::decode_question(&content).map(Some).map_err(fault)
}

/// Answers a question. When this returns, what it changed is on the disk.
fn answer(
    store: &mut Store,
    hasher: &mut Hasher,
    question: &Question,
) -> Result<AccountAnswer, StoreError> {
    let Question { kind, name, password } = question;
    let exists = store.hash(name).is_some();
    match kind {
        QuestionKind::Verify => {
            let verdict = hasher.verify(password, store.hash(name));
            if verdict == Verdict::RightButOutdated
                && let Some(hash) = hasher.hash(password)
                && let Err(StoreError::Unknown(e)) = store.set(name, &hash)
            {
                return Err(StoreError::Unknown(e));
            }
            Ok(match verdict {
                Verdict::Right | Verdict::RightButOutdated => AccountAnswer::Ok,
                Verdict::Wrong => AccountAnswer::WrongPassword,
            })
        }
        QuestionKind::Register if exists => Ok(AccountAnswer::Failed(AccountFailure::Exists)),
        QuestionKind::ChangePassword | QuestionKind::Remove if !exists => {
            Ok(AccountAnswer::Failed(AccountFailure::Missing))
        }
        QuestionKind::Register | QuestionKind::ChangePassword => {
            let no_salt = || StoreError::NotStored(io::Error::other("no random bytes for a salt"));
            let hash = hasher.hash(password).ok_or_else(no_salt)?;
            store.set(name, &hash).map(|()| AccountAnswer::Ok)
        }
        QuestionKind::Remove => store.remove(name).map(|()| AccountAnswer::Ok),
    }
}
