//! An operator at a console, and a folder for its socket.

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::ears::{Ears, Framing, Heard};
use super::{Server, patience};

/// A folder of its own; dropped, it goes with all that is in it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chinwag-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a folder of our own");
        Folder(folder)
    }

    /// The path of something in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The same as an argument.
    pub(crate) fn argument(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    /// A server with a console in it, called `console`.
    #[track_caller]
    pub(crate) fn server(&self, flags: &[&str]) -> Server {
        let console = self.argument("console");
        Server::starts_with(&[&["--console", &console], flags].concat())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An operator.
pub(crate) struct Console {
    socket: UnixStream,
    ears: Ears,
}

impl Console {
    #[track_caller]
    pub(crate) fn opens(path: &Path) -> Console {
        let socket = UnixStream::connect(path).expect("the console is open");
        socket.set_write_timeout(Some(patience())).expect("a timeout");
        let ears = socket.try_clone().expect("a second handle");
        // Not that of the users' wire: a console's lines end in LF.
        Console { socket, ears: Ears::new("operator", Box::new(ears), Framing::Terminal) }
    }

    #[track_caller]
    pub(crate) fn sends(&mut self, bytes: &[u8]) {
        self.ears.note(">", &bytes[..bytes.len().min(200)].escape_ascii().to_string());
        self.socket.write_all(bytes).expect("the server reads");
    }

    /// Gives an order; returns the answer, its last line behind the rows.
    #[track_caller]
    pub(crate) fn orders(&mut self, order: &str) -> Vec<String> {
        self.sends(format!("{order}\n").as_bytes());
        self.hears_an_answer()
    }

    #[track_caller]
    pub(crate) fn hears_an_answer(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.hears_a_line();
            let is_last = !line.starts_with("- ");
            lines.push(line);
            if is_last {
                return lines;
            }
        }
    }

    /// Gives an order that is obeyed; the answer's last line begins so.
    #[track_caller]
    pub(crate) fn has_done(&mut self, order: &str, said: &str) -> Vec<String> {
        let mut answer = self.orders(order);
        let last = answer.pop().unwrap_or_default();
        assert!(last.starts_with(said), "{order} was answered {last:?}, not {said:?}");
        answer
    }

    #[track_caller]
    pub(crate) fn hears_a_line(&mut self) -> String {
        match self.ears.next("a line") {
            Heard::Line(line) => line,
            other => self.ears.fail(&format!("expected a line, heard {other:?}")),
        }
    }

    #[track_caller]
    pub(crate) fn hears_the_end(&mut self) {
        match self.ears.next("the end") {
            Heard::End => {}
            other => self.ears.fail(&format!("expected the end, heard {other:?}")),
        }
    }

    pub(crate) fn half_close(&mut self) {
        self.socket.shutdown(Shutdown::Write).expect("a live socket");
    }

    pub(crate) fn socket(&self) -> &UnixStream {
        &self.socket
    }
}
