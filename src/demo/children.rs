//! The processes of a demonstration: a server, a crowd, and at most one attack. All are this program.
//!
//! They end with the demonstration, however it ends: in order, by a drop; by a signal that nobody
//! catches, because the kernel then sends them SIGTERM ([`tie_to_parent`]).

use std::env;
use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use mio::unix::pipe::Receiver;

use crate::attack::kinds::Kind;
use crate::core::limits::CROWD_SECONDS_MAX;

/// Holds the process ID of the demonstration, in the environment of its children.
const PARENT_VARIABLE: &str = "CHINWAG_DEMO_PARENT";

/// The flags of the server: deadlines so short that an attack meets them while one looks on.
const SERVER_FLAGS: [&str; 9] = [
    "serve",
    "-qq",
    "--teach",
    "--listen",
    "127.0.0.1:0",
    "--naming-timeout=8",
    "--stall-timeout=8",
    "--max-connections=1500",
    "--console",
];

/// Makes this process end with the demonstration that started it, if one did.
///
/// Linux alone can do that. Elsewhere a demonstration that is killed leaves its server behind; the crowd
/// and the attacks end when they print.
///
/// # Errors
/// The demonstration has ended already.
pub fn tie_to_parent() -> io::Result<()> {
    let Some(parent) = env::var(PARENT_VARIABLE).ok().and_then(|text| text.parse().ok()) else {
        return Ok(());
    };
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    // It may have ended before the kernel knew.
    match rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get()) == Some(parent) {
        true => Ok(()),
        false => Err(io::Error::other("the demonstration has ended")),
    }
}

/// A child that is killed when this value goes.
struct Process(Child);

impl Process {
    fn start(arguments: &[&str], standard_error: Stdio) -> io::Result<Process> {
        let mut command = Command::new(env::current_exe()?);
        // Flags in the environment are meant for other servers.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("CHINWAG_") {
                command.env_remove(name);
            }
        }
        command.env(PARENT_VARIABLE, std::process::id().to_string());
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(standard_error);
        command.spawn().map(Process)
    }

    fn output(&mut self) -> io::Result<ChildStdout> {
        self.0.stdout.take().ok_or_else(|| io::Error::other("a child has no output"))
    }

    /// The output, for a poll.
    fn lines(&mut self) -> io::Result<Receiver> {
        let receiver = Receiver::from(self.output()?);
        receiver.set_nonblocking(true)?;
        Ok(receiver)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that is removed when this value goes.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Folder, String> {
        let name = format!("chinwag-demo-{:016x}", RandomState::new().hash_one(()));
        let path = env::temp_dir().join(name);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Folder(path)),
            Err(error) => Err(format!("cannot make the folder {}: {error}", path.display())),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server, before its console is connected to.
pub(super) struct Server {
    process: Process,
    /// Keeps the pipe open: the server may print.
    output: BufReader<ChildStdout>,
    /// Where the server listens.
    pub(super) address: String,
    folder: Folder,
}

impl Server {
    /// Starts a server.
    pub(super) fn start() -> Result<Server, String> {
        let folder = Folder::create()?;
        let console = console_in(&folder);
        let console = console.to_str().ok_or("the temporary folder has no UTF-8 name")?;
        let mut flags = SERVER_FLAGS.to_vec();
        flags.push(console);
        let mut process = Process::start(&flags, Stdio::inherit()).map_err(failed)?;
        let mut output = BufReader::new(process.output().map_err(failed)?);
        let address = listening_address(&mut output).map_err(failed)?;
        Ok(Server { process, output, address, folder })
    }

    /// The socket for operator commands.
    pub(super) fn console(&self) -> PathBuf {
        console_in(&self.folder)
    }
}

fn console_in(folder: &Folder) -> PathBuf {
    folder.0.join("console")
}

pub(super) fn failed(error: io::Error) -> String {
    format!("the demo cannot start: {error}")
}

/// The running processes. They end when this value goes, attackers first.
pub(super) struct Theatre {
    attack: Option<Process>,
    _crowd: Process,
    _server: Process,
    _server_output: BufReader<ChildStdout>,
    address: String,
}

impl Theatre {
    /// Starts a crowd at a server. Returns what the crowd prints, too.
    ///
    /// The console must be connected: its socket is removed here, with the folder. A demonstration that
    /// is killed later leaves nothing behind.
    pub(super) fn open(
        server: Server,
        people: u32,
        seed: u64,
    ) -> Result<(Theatre, Receiver), String> {
        let Server { process, output, address, folder } = server;
        drop(folder);
        let (people, seed) = (people.to_string(), seed.to_string());
        let seconds = CROWD_SECONDS_MAX.to_string();
        let crowd = ["crowd", &people, &address, "--json", "--seed", &seed, "--for", &seconds];
        let mut crowd = Process::start(&crowd, Stdio::null()).map_err(failed)?;
        let crowd_lines = crowd.lines().map_err(failed)?;
        let theatre = Theatre {
            attack: None,
            _crowd: crowd,
            _server: process,
            _server_output: output,
            address,
        };
        Ok((theatre, crowd_lines))
    }

    /// Starts an attack in the place of the one that runs.
    pub(super) fn attack(&mut self, kind: &Kind, seconds: u64) -> io::Result<Receiver> {
        self.end_attack();
        let seconds = seconds.to_string();
        let flags = ["attack", kind.name, &self.address, "--json", "--for", &seconds];
        let mut attack = Process::start(&flags, Stdio::null())?;
        let lines = attack.lines()?;
        self.attack = Some(attack);
        Ok(lines)
    }

    /// Ends the attack that runs.
    pub(super) fn end_attack(&mut self) {
        self.attack = None;
    }
}

/// Reads the server's output up to the line that says where it listens.
fn listening_address(output: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    while output.read_line(&mut line)? > 0 {
        if let Some((_, address)) = line.trim_end().split_once("listens on ") {
            return Ok(address.to_owned());
        }
        line.clear();
    }
    Err(io::Error::other("the server did not start"))
}
