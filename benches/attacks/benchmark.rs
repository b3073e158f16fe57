//! The benchmark from start to end: one row per attack, and one column per server.

mod attack;
#[allow(dead_code, reason = "the other benchmarks need more of it")]
#[path = "../loopback/clock.rs"]
mod clock;
mod guesses;
mod honest;
#[allow(dead_code, reason = "the other benchmarks need more of it")]
#[path = "../loopback/process.rs"]
mod process;
#[allow(dead_code, reason = "the other benchmarks need more of it")]
#[path = "../shared/mod.rs"]
mod shared;

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use rustix::process::Pid;
use rustix::thread::CpuSet;

use self::attack::Attack;
use self::honest::{Latencies, measure, register};
use self::process::{Cores, Folder, Process, memory_of, sockets_max};
use self::shared::Options;

/// The hidden first argument that turns this program into the attackers.
const ATTACK_ARGUMENT: &str = "attack";

/// Another build of the server, to compare before and after in one run.
const OTHER_VARIABLE: &str = "CHINWAG_BENCH_OTHER";

/// Runs the benchmark. Started again with a hidden argument, it becomes another process of it.
pub(super) fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some(process::LAUNCH_ARGUMENT) => Err(process::launch(&arguments[1..])),
        Some(ATTACK_ARGUMENT) => attack::run(&arguments[1..]),
        _ => run_benchmark(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("attacks: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_benchmark() -> io::Result<()> {
    let options = Options::from_arguments().map_err(io::Error::other)?;
    let cores = Cores::choose()?;
    let environment = process::environment(cores)?;
    let length = Duration::from_millis(options.by_length(200, 2_000, 5_000));
    let size = options.by_length(100, 1, 1);
    let mut table = String::from(
        "| attack | server | message p50 | message p99 | newcomer | paste of 9 kB | memory |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    print!("{table}");
    for attack in Attack::ALL.iter().filter(|attack| options.wants(attack.name)) {
        let clients = attack.clients / size;
        if clients + 64 > sockets_max() {
            eprintln!("{}: skipped, the limit of open files is too low", attack.name);
            continue;
        }
        for (name, program) in servers() {
            eprintln!("{} against {name} …", attack.name);
            let (Latencies { p50, p99, newcomer, paste }, [before, during, after]) =
                run_attack(attack, clients, &program, cores, length)?;
            let mib = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
            let row = format!(
                "| {} | {name} | {p50:.1?} | {p99:.1?} | {:.1?} … {:.1?} | {:.1?} … {:.1?} | {:.1}, {:.1}, {:.1} MiB |\n",
                attack.title,
                newcomer[0],
                newcomer[1],
                paste[0],
                paste[1],
                mib(before),
                mib(during),
                mib(after)
            );
            // At once: a row of a server that is not fair can take minutes.
            print!("{row}");
            table += &row;
        }
    }
    let table = format!("{table}\n{environment} {length:?} per row.\n");
    println!("\n{environment}");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../bench");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("attacks.md"), table)
}

/// The servers to compare: this build, and the one in [`OTHER_VARIABLE`].
fn servers() -> impl Iterator<Item = (&'static str, PathBuf)> {
    let other = env::var_os(OTHER_VARIABLE).map(|path| ("other", PathBuf::from(path)));
    let ours = ("chinwag", PathBuf::from(env!("CARGO_BIN_EXE_chinwag")));
    other.into_iter().chain([ours])
}

/// Measures honest users next to the attackers, and the memory of the server before, during and after
/// the attack.
fn run_attack(
    attack: &Attack,
    clients: usize,
    program: &PathBuf,
    cores: Cores,
    length: Duration,
) -> io::Result<(Latencies, [u64; 3])> {
    let flags = [&["--listen", "127.0.0.1:0", "-qq"], attack.flags()].concat();
    let mut flags = flags.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let state = attack.has_accounts.then(|| Folder::new("attacks-state")).transpose()?;
    if let Some(folder) = &state {
        flags.extend(["--state".to_owned(), folder.path().join("state").display().to_string()]);
    }
    let mut server = Process::start(cores.server, program, &flags)?;
    let address = listening_address(&mut server)?;
    if attack.has_accounts {
        move_helper(server.id(), cores.load)?;
        register(address)?;
    }
    let arguments = [
        ATTACK_ARGUMENT.to_owned(),
        attack.name.to_owned(),
        address.to_string(),
        clients.to_string(),
    ];
    let before = memory_of(server.id())?;
    let mut attackers = Process::start(cores.load, env::current_exe()?, &arguments)?;
    let lines = attackers.0.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
    // The attackers write one line when all of them are logged in.
    if BufReader::new(lines).lines().next().is_none() {
        return Err(io::Error::other("the attackers failed"));
    }
    let latencies = measure(address, cores.load, length, attack.has_accounts)?;
    let during = memory_of(server.id())?;
    drop(attackers);
    let after = memory_after(server.id(), before)?;
    Ok((latencies, [before, during, after]))
}

/// The memory of the server once it is near that of before an attack, or ten seconds after: the server
/// frees memory at most every five seconds.
fn memory_after(server: u32, before: u64) -> io::Result<u64> {
    let ended = clock::now();
    loop {
        let memory = memory_of(server)?;
        if memory <= before * 3 / 2 || ended.elapsed() > Duration::from_secs(10) {
            return Ok(memory);
        }
        clock::pause(Duration::from_millis(50));
    }
}

/// Puts the helper process for accounts on another core than the server's.
fn move_helper(server: u32, core: usize) -> io::Result<()> {
    let helpers = fs::read_to_string(format!("/proc/{server}/task/{server}/children"))?;
    let mut cores = CpuSet::new();
    cores.set(core);
    for helper in helpers.split_whitespace() {
        let helper = helper.parse().ok().and_then(Pid::from_raw);
        rustix::thread::sched_setaffinity(helper, &cores)?;
    }
    Ok(())
}

/// The address in the server's first line.
fn listening_address(server: &mut Process) -> io::Result<SocketAddr> {
    let lines = server.0.stdout.as_mut().ok_or_else(|| io::Error::other("no pipe"))?;
    let mut line = String::new();
    BufReader::new(lines).read_line(&mut line)?;
    let address = line.split_whitespace().last().unwrap_or_default();
    address.parse().map_err(|_| io::Error::other(format!("the server said: {line}")))
}
