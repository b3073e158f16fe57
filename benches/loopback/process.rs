//! Processes that run on a core of their own and never outlive the benchmark. Reads their usage
//! from `/proc`, and removes the files that they write.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, io};

use rustix::process::{Resource, Rlimit, Signal};
use rustix::thread::CpuSet;

/// The hidden first argument that turns this program into [`launch`].
pub(super) const LAUNCH_ARGUMENT: &str = "launch-on-core";

/// The cores reserved for the server and for the load.
#[derive(Clone, Copy)]
pub(super) struct Cores {
    /// The core of the server under test.
    pub(super) server: usize,
    /// The core of the load generator.
    pub(super) load: usize,
}

impl Cores {
    /// The first two cores that this process may use. The same core twice if there is only one.
    pub(super) fn choose() -> io::Result<Self> {
        let ours = rustix::thread::sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|&core| ours.is_set(core));
        let server = usable.next().ok_or_else(|| io::Error::other("no core is available"))?;
        Ok(Self { server, load: usable.next().unwrap_or(server) })
    }
}

/// A child process that is killed when this value is dropped.
pub(super) struct Process(pub(super) Child);

impl Process {
    /// Starts `program` on `core`, with pipes to its standard input and from its standard output.
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

    /// Starts a program that needs only its sockets, and discards what it prints.
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

    /// The process ID.
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already. Then both calls fail, and nothing remains to be done.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that a process writes to. Empty at first, and removed when this value is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Creates the folder next to other temporary build files.
    pub(super) fn new(name: &str) -> io::Result<Self> {
        let folder = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        // A killed benchmark leaves its folder behind. A server would read the old history from it.
        if folder.0.exists() {
            fs::remove_dir_all(&folder.0)?;
        }
        fs::create_dir_all(&folder.0)?;
        Ok(folder)
    }

    /// The path of the folder.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

/// The child's part of [`Process::start`]. Pins itself to the core, arranges to die with its
/// parent, raises the limit on open files, and becomes the program. Returns only on failure.
pub(super) fn launch(arguments: &[String]) -> io::Error {
    let become_program = || -> io::Result<io::Error> {
        let [core, program, rest @ ..] = arguments else {
            return Err(io::Error::other("usage: launch-on-core CORE PROGRAM"));
        };
        let mut set = CpuSet::new();
        set.set(core.parse().map_err(io::Error::other)?);
        if let Err(error) = rustix::thread::sched_setaffinity(None, &set) {
            eprintln!("cannot pin {program} to core {core}: {error}");
        }
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
        rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
        Ok(Command::new(program).args(rest).exec())
    };
    become_program().unwrap_or_else(|error| error)
}

/// How many sockets a process may have, minus some descriptors for other uses.
pub(super) fn sockets_max() -> usize {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    usize::try_from(maximum).unwrap_or(usize::MAX).saturating_sub(64)
}

/// The resources that a process has used so far.
#[derive(Clone, Copy)]
pub(super) struct Usage {
    /// CPU time of all threads.
    pub(super) cpu: Duration,
    /// How often the threads went to sleep with nothing to do.
    pub(super) sleeps: u64,
}

impl Usage {
    /// Reads the usage of a sleeping process. The kernel updates the CPU time of a running process
    /// only at each tick.
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

    /// The usage since `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self { cpu: self.cpu - before.cpu, sleeps: self.sleeps - before.sleeps }
    }
}

/// A command that runs `program` on `core`.
fn on_core(core: usize, program: impl AsRef<OsStr>, arguments: &[String]) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args([LAUNCH_ARGUMENT, &core.to_string()]).arg(program).args(arguments);
    // All users of the benchmark come from one address, which would share its allowances (7.51). A
    // variable and not a flag, because an older build does not know it.
    command.env("CHINWAG_ADDRESS_SHARE", "0");
    Ok(command)
}

/// The anonymous memory of a process, in bytes: memory that belongs to no file.
pub(super) fn memory_of(process: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    Ok(number(value_of(&text, "Anonymous:"))? * 1024)
}

/// One sentence about the machine, with the cores that the kernel really grants.
pub(super) fn environment(cores: Cores) -> io::Result<String> {
    let given = |core| -> io::Result<String> {
        let process = Process::start(core, "/bin/cat", &[])?;
        let path = format!("/proc/{}/status", process.id());
        // The launcher pins the core before it becomes `cat`. Once the name is `cat`, the core is
        // set.
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
    let shared =
        if server == load { ": both share a core, so the results are less exact" } else { "" };
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
        .ok_or_else(|| io::Error::other("/proc lacks an expected number"))
}
