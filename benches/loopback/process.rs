//! Processes: started on a core of their own, read through `/proc`, and never left behind; nor is
//! what they write.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, io};

use rustix::process::{Resource, Rlimit, Signal};
use rustix::thread::CpuSet;

/// The hidden first argument by which this program, started once more, becomes [`launch`].
pub(super) const LAUNCH: &str = "launch-on-core";

/// The two cores that the servers and the load are to have for themselves.
#[derive(Clone, Copy)]
pub(super) struct Cores {
    /// The server's under test.
    pub(super) server: usize,
    /// The load generator's.
    pub(super) load: usize,
}

impl Cores {
    /// The first two we may use; the same one twice where there is but one.
    pub(super) fn choose() -> io::Result<Self> {
        let ours = rustix::thread::sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|&core| ours.is_set(core));
        let server = usable.next().ok_or_else(|| io::Error::other("no core to run on"))?;
        Ok(Self { server, load: usable.next().unwrap_or(server) })
    }
}

/// A child that dies with this value.
pub(super) struct Process(pub(super) Child);

impl Process {
    /// Starts `program` on `core`, with pipes to and from it.
    pub(super) fn start(
        core: usize,
        program: impl AsRef<OsStr>,
        arguments: &[String],
    ) -> io::Result<Self> {
        on_core(core, program, arguments)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map(Self)
    }

    /// The same for a program that we only talk to over its sockets, and whose chatter is dropped.
    pub(super) fn start_silent(
        core: usize,
        program: impl AsRef<OsStr>,
        arguments: &[String],
    ) -> io::Result<Self> {
        on_core(core, program, arguments)?
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Self)
    }

    /// What `/proc` knows it by.
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill, and nothing to say about it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that a process writes to, empty at first and gone with this value.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Beside the other files that building and testing leave for a while.
    pub(super) fn new(name: &str) -> io::Result<Self> {
        let folder = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        // A bench that was killed has left one, whose past would be read again.
        if folder.0.exists() {
            fs::remove_dir_all(&folder.0)?;
        }
        fs::create_dir_all(&folder.0)?;
        Ok(folder)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} is left behind: {error}", self.0.display());
        }
    }
}

/// The child's half of [`Process::start`]: pins itself, arranges to die with its parent, takes all
/// the descriptors it may have, and becomes the program it was given. Returns only on failure.
pub(super) fn launch(arguments: &[String]) -> io::Error {
    let become_it = || -> io::Result<io::Error> {
        let [core, program, rest @ ..] = arguments else {
            return Err(io::Error::other("a core and a program are needed"));
        };
        let mut set = CpuSet::new();
        set.set(core.parse().map_err(io::Error::other)?);
        if let Err(error) = rustix::thread::sched_setaffinity(None, &set) {
            eprintln!("{program} is not pinned to core {core}: {error}");
        }
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
        rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
        Ok(Command::new(program).args(rest).exec())
    };
    become_it().unwrap_or_else(|error| error)
}

/// How many sockets one process may have, less a few for itself.
pub(super) fn sockets_max() -> usize {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    usize::try_from(maximum).unwrap_or(usize::MAX).saturating_sub(64)
}

/// What a process has used so far.
#[derive(Clone, Copy)]
pub(super) struct Usage {
    /// CPU time of all its threads.
    pub(super) cpu: Duration,
    /// How often they went to sleep for want of something to do.
    pub(super) sleeps: u64,
}

impl Usage {
    /// Of a process that sleeps: the kernel brings a running one's time up to date but each tick.
    pub(super) fn of(process: u32) -> io::Result<Self> {
        let mut usage = Self { cpu: Duration::ZERO, sleeps: 0 };
        for task in fs::read_dir(format!("/proc/{process}/task"))? {
            let task = task?.path();
            let text = fs::read_to_string(task.join("schedstat"))?;
            usage.cpu += Duration::from_nanos(number(text.split(' ').next())?);
            let text = fs::read_to_string(task.join("status"))?;
            usage.sleeps += number(value_of(&text, "voluntary_ctxt_switches:"))?;
        }
        Ok(usage)
    }

    /// What has been used since.
    pub(super) fn since(self, before: Self) -> Self {
        Self { cpu: self.cpu - before.cpu, sleeps: self.sleeps - before.sleeps }
    }
}

/// A command that runs `program` on `core`.
fn on_core(core: usize, program: impl AsRef<OsStr>, arguments: &[String]) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args([LAUNCH, &core.to_string()]).arg(program).args(arguments);
    Ok(command)
}

/// The memory that is a process's own and no file's, in bytes.
pub(super) fn memory_of(process: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    Ok(number(value_of(&text, "Anonymous:"))? * 1024)
}

/// One sentence on where and how things are measured, with the cores that the kernel really gives.
pub(super) fn circumstances(cores: Cores) -> io::Result<String> {
    let given = |core| -> io::Result<String> {
        let process = Process::start(core, "/bin/cat", &[])?;
        let path = format!("/proc/{}/status", process.id());
        // The core is set before the program starts, which shows in its name.
        loop {
            let text = fs::read_to_string(&path)?;
            if value_of(&text, "Name:").is_some_and(|name| name == "cat") {
                return Ok(value_of(&text, "Cpus_allowed_list:").unwrap_or("unknown").to_owned());
            }
        }
    };
    let (server, load) = (given(cores.server)?, given(cores.load)?);
    let text = fs::read_to_string("/proc/cpuinfo")?;
    let model =
        value_of(&text, "model name").map_or("unknown", |name| name.trim_start_matches(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let shared = if server == load { ": one core for both, so mind what else it does" } else { "" };
    Ok(format!(
        "CPU: {model}. Linux {}. Server on core {server}, load on core {load}{shared}.",
        kernel.trim()
    ))
}

fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim().trim_end_matches(" kB"))
}

fn number(text: Option<&str>) -> io::Result<u64> {
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| io::Error::other("/proc has not the number we look for"))
}
