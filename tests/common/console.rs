//! An operator at the server's console (part 8 of protocol.md), and a temporary folder for the
//! console's socket.
//!
//! `tests/console.rs` uses both.

use std::fs::DirBuilder;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::receiver::{Framing, Receiver};
use super::{Server, timeout};

/// A temporary folder. Dropping the value deletes the folder and everything in the folder.
pub(crate) struct TempFolder(PathBuf);

impl TempFolder {
    pub(crate) fn new() -> TempFolder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chinwag-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("the temporary folder can be made");
        TempFolder(folder)
    }

    /// The path of an entry of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The same path as a command-line argument.
    pub(crate) fn argument(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    /// Starts a server whose console is the socket `console` in this folder.
    #[track_caller]
    pub(crate) fn server(&self, flags: &[&str]) -> Server {
        let console = self.argument("console");
        Server::starts_with(&[&["--console", &console], flags].concat())
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Creates a folder that only this user can open, as a server wants its state folder.
pub(crate) fn private_folder(parent: &TempFolder, name: &str) -> String {
    DirBuilder::new().mode(0o700).create(parent.path(name)).expect("a folder");
    parent.argument(name)
}

/// An operator who is connected to a console.
pub(crate) struct Console {
    socket: UnixStream,
    receiver: Receiver,
}

impl Console {
    #[track_caller]
    pub(crate) fn opens(path: &Path) -> Console {
        let socket = UnixStream::connect(path).expect("the console is open");
        socket.set_write_timeout(Some(timeout())).expect("a timeout");
        let reading_half = socket.try_clone().expect("a second handle");
        // A console's lines end in LF (8.1.4), so the strict framing of the users' sockets would
        // reject them.
        let receiver = Receiver::new("operator", Box::new(reading_half), Framing::Terminal);
        Console { socket, receiver }
    }

    #[track_caller]
    pub(crate) fn sends(&mut self, bytes: &[u8]) {
        self.receiver.note(">", &bytes[..bytes.len().min(200)].escape_ascii().to_string());
        self.socket.write_all(bytes).expect("the server reads");
    }

    /// Sends an operator command. Returns the answer: its rows, then its last line.
    #[track_caller]
    pub(crate) fn runs(&mut self, command: &str) -> Vec<String> {
        self.sends(format!("{command}\n").as_bytes());
        self.reads_answer()
    }

    #[track_caller]
    pub(crate) fn reads_answer(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.reads_a_line();
            let is_last = !line.starts_with("- ");
            lines.push(line);
            if is_last {
                return lines;
            }
        }
    }

    /// Sends an operator command that must succeed: the last line of the answer begins with
    /// `start`. Returns the rows of the answer.
    #[track_caller]
    pub(crate) fn succeeds(&mut self, command: &str, start: &str) -> Vec<String> {
        let mut answer = self.runs(command);
        let last = answer.pop().unwrap_or_default();
        assert!(last.starts_with(start), "{command} was answered {last:?}, not {start:?}");
        answer
    }

    #[track_caller]
    pub(crate) fn reads_a_line(&mut self) -> String {
        self.receiver.reads_a_line()
    }

    #[track_caller]
    pub(crate) fn reads_end_of_stream(&mut self) {
        self.receiver.reads_end_of_stream();
    }

    pub(crate) fn half_close(&mut self) {
        self.socket.shutdown(Shutdown::Write).expect("a live socket");
    }

    pub(crate) fn socket(&self) -> &UnixStream {
        &self.socket
    }
}
