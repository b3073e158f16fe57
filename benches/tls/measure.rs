//! The measurements, and their table.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection};

use super::clock::{now, pause};
use super::process::{Cores, Process, Usage, environment, memory_of};
use super::relay::WELCOME;
use super::shared::{Options, Summary};
use super::user::{User, trusting};

/// The hidden first argument that turns this program into the relay.
pub(super) const RELAY_ARGUMENT: &str = "tls-relay";

/// A line of 64 bytes with its ending.
const LINE: &str = "a line of a chat, as people and programs say it, sixty-four....\n";

/// The servers to compare.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The bare relay.
    Relay,
    /// This package, over TLS.
    Tls,
    /// This package, over plain TCP.
    Tcp,
}

/// A running server.
struct Server {
    process: Process,
    address: SocketAddr,
    kind: Kind,
    tls: Option<Arc<ClientConfig>>,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Relay, Kind::Tls, Kind::Tcp];

    fn name(self) -> &'static str {
        match self {
            Kind::Relay => "bare rustls relay",
            Kind::Tls => "chinwag, tls",
            Kind::Tcp => "chinwag, tcp",
        }
    }

    /// Starts with a certificate of this kind: a file in `tests/certificates`.
    fn start(self, core: usize, pair: &str) -> io::Result<Server> {
        let file = |name: &str| format!("{}/tests/certificates/{name}", env!("CARGO_MANIFEST_DIR"));
        let (chain, key) = (file(&format!("{pair}.pem")), file(&format!("{pair}-key.pem")));
        let ours = env!("CARGO_BIN_EXE_chinwag").to_owned();
        let relay = std::env::current_exe()?.display().to_string();
        let serve = "serve -q --max-opening 4000 --closing-timeout 1 --listen";
        let (program, words) = match self {
            Kind::Relay => (relay, format!("{RELAY_ARGUMENT} {chain} {key}")),
            Kind::Tls => {
                (ours, format!("{serve} tls://127.0.0.1:0 --tls-cert {chain} --tls-key {key}"))
            }
            Kind::Tcp => (ours, format!("{serve} 127.0.0.1:0")),
        };
        let words = words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut process = Process::start(core, program, &words)?;
        let mut line = String::new();
        BufReader::new(process.0.stdout.as_mut().expect("piped")).read_line(&mut line)?;
        let address = line.trim_end().rsplit([' ', '/']).next().and_then(|at| at.parse().ok());
        let address = address.ok_or_else(|| io::Error::other(format!("printed {line:?}")))?;
        let authority = if pair == "chain" { "ca.pem" } else { "rsa-ca.pem" };
        let tls = (self != Kind::Tcp).then(|| trusting(&file(authority)));
        Ok(Server { process, address, kind: self, tls })
    }
}

impl Server {
    fn user(&self) -> io::Result<User> {
        User::connects(self.address, self.tls.as_ref())
    }

    /// A user who has logged in.
    fn named_user(&self, name: &str) -> io::Result<User> {
        let mut user = self.user()?;
        user.sends(format!("{name}\n").as_bytes())?;
        match self.kind {
            Kind::Relay => user.reads(WELCOME, 1)?,
            Kind::Tls | Kind::Tcp => user.reads("5 list rooms\r\n", 1)?,
        }
        Ok(user)
    }

    /// Two users who chat with each other.
    fn pair(&self, n: usize) -> io::Result<[User; 2]> {
        let [mut a, mut b] =
            [self.named_user(&format!("a{n}"))?, self.named_user(&format!("b{n}"))?];
        if self.kind != Kind::Relay {
            a.sends(format!("2 b{n}\n").as_bytes())?;
            b.reads("yes or no\r\n", 1)?;
            b.sends(b"yes\n")?;
            a.reads("quit ends it\r\n", 1)?;
            b.reads("quit ends it\r\n", 1)?;
        }
        Ok([a, b])
    }

    fn cpu(&self) -> io::Result<Duration> {
        // The kernel updates the time of a running process only at each tick.
        pause(Duration::from_millis(20));
        Ok(Usage::of(self.process.id())?.cpu)
    }
}

/// Prints all measurements.
pub(super) fn run() -> io::Result<()> {
    let options = Options::from_arguments().map_err(io::Error::other)?;
    let cores = Cores::choose()?;
    pin(cores.load);
    println!("{}", environment(cores)?);
    for (name, lines) in [("tls-lines-16", 16), ("tls-lines-1", 1)] {
        if options.wants(name) {
            let rounds = options.by_length(10, 300, 2_000) / lines + 1;
            compare(&options, name, "lines per CPU-second", &Kind::ALL, |kind| {
                lines_per_cpu_second(kind, cores.server, lines, rounds * 4)
            })?;
        }
    }
    for pair in ["rsa-chain", "chain"] {
        let name = if pair == "chain" { "tls-handshakes-ecdsa" } else { "tls-handshakes-rsa" };
        if options.wants(name) {
            let count = options.by_length(20, 500, 2_000);
            compare(&options, name, "handshakes per CPU-second", &Kind::ALL[..2], |kind| {
                handshakes_per_cpu_second(kind, cores.server, pair, count)
            })?;
        }
    }
    if options.wants("tls-idle") {
        let count = options.by_length(20, 500, 2_000);
        compare(&options, "tls-idle", "bytes per idle user", &Kind::ALL, |kind| {
            bytes_per_idle_user(kind, cores.server, count)
        })?;
    }
    if options.wants("tls-attack") {
        let (rounds, half_open) = options.by_length((20, 50), (300, 1_000), (1_000, 2_000));
        attack(cores.server, rounds, half_open)?;
    }
    Ok(())
}

/// Runs the rounds of all servers in turn, and prints a row for each.
fn compare(
    options: &Options,
    name: &str,
    unit: &str,
    kinds: &[Kind],
    mut measure: impl FnMut(Kind) -> io::Result<f64>,
) -> io::Result<()> {
    let rounds = options.by_length(1, 3, 7);
    let mut values = vec![Vec::new(); kinds.len()];
    for _ in 0..rounds {
        for (kind, values) in kinds.iter().zip(&mut values) {
            values.push(measure(*kind)?);
        }
    }
    println!("{name}: {unit}, the median of {rounds} (share of the first)");
    for (kind, own) in kinds.iter().zip(&values) {
        let shares = own.iter().zip(&values[0]).map(|(value, base)| value / base);
        let (share, value) = (Summary::of(shares), Summary::of(own.iter().copied()));
        if let (Some(share), Some(value)) = (share, value) {
            println!("  {:<18} {:>10.0}  {:.2}", kind.name(), value.median, share.median);
        }
    }
    Ok(())
}

/// Fifty pairs, in which one after the other says `lines` lines in one write.
fn lines_per_cpu_second(kind: Kind, core: usize, lines: usize, rounds: usize) -> io::Result<f64> {
    let server = kind.start(core, "chain")?;
    let mut pairs = (0..50).map(|n| server.pair(n)).collect::<io::Result<Vec<_>>>()?;
    let text = LINE.repeat(lines);
    let before = server.cpu()?;
    for round in 0..rounds {
        for pair in &mut pairs {
            pair[round % 2].sends(text.as_bytes())?;
        }
        for pair in &mut pairs {
            pair[1 - round % 2].reads("sixty-four....", lines)?;
        }
    }
    let used = server.cpu()?.saturating_sub(before);
    Ok((rounds * pairs.len() * lines) as f64 / used.as_secs_f64())
}

/// Clients that shake hands in full, one after the other, and leave.
fn handshakes_per_cpu_second(kind: Kind, core: usize, pair: &str, count: usize) -> io::Result<f64> {
    let server = kind.start(core, pair)?;
    let before = server.cpu()?;
    for _ in 0..count {
        drop(server.user()?);
    }
    let used = server.cpu()?.saturating_sub(before);
    Ok(count as f64 / used.as_secs_f64())
}

/// Bytes of memory for each idle user.
fn bytes_per_idle_user(kind: Kind, core: usize, count: usize) -> io::Result<f64> {
    let server = kind.start(core, "chain")?;
    // The buffers that all users share are there already.
    let _first = (0..64).map(|n| server.pair(n)).collect::<io::Result<Vec<_>>>()?;
    pause(Duration::from_millis(50));
    let before = memory_of(server.process.id())?;
    let users = (0..count).map(|n| server.named_user(&format!("u{n}")));
    let users = users.collect::<io::Result<Vec<_>>>()?;
    pause(Duration::from_millis(50));
    let after = memory_of(server.process.id())?;
    drop(users);
    Ok(after.saturating_sub(before) as f64 / count as f64)
}

/// What a pair waits for, alone and while others attack.
fn attack(core: usize, rounds: usize, half_open: usize) -> io::Result<()> {
    println!("tls-attack: milliseconds until a line arrives, median and 99th percentile");
    let server = Kind::Tls.start(core, "rsa-chain")?;
    let mut pair = server.pair(0)?;
    report("alone", &server, wait_of(&mut pair, rounds, || Ok(()))?)?;
    // The first bytes of a record, and nothing more.
    let begin = || -> io::Result<TcpStream> {
        let mut socket = TcpStream::connect(server.address)?;
        socket.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")?;
        Ok(socket)
    };
    let sockets = (0..half_open).map(|_| begin()).collect::<io::Result<Vec<_>>>()?;
    let waits = wait_of(&mut pair, rounds, || Ok(()))?;
    report(&format!("{half_open} half-open handshakes"), &server, waits)?;
    drop(sockets);
    let hello = hello(&server)?;
    let mut sockets = Vec::new();
    // The costly half of a handshake, from clients that have no cost themselves.
    let waits = wait_of(&mut pair, rounds, || {
        sockets.clear();
        for _ in 0..32 {
            let mut socket = TcpStream::connect(server.address)?;
            socket.write_all(&hello)?;
            sockets.push(socket);
        }
        Ok(())
    })?;
    report("32 new handshakes for each line", &server, waits)
}

/// A ClientHello.
fn hello(server: &Server) -> io::Result<Vec<u8>> {
    let config = Arc::clone(server.tls.as_ref().ok_or(io::ErrorKind::NotFound)?);
    let name = "localhost".try_into().expect("a name");
    let mut client = ClientConnection::new(config, name).map_err(io::Error::other)?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello)?;
    Ok(hello)
}

/// How long each of `rounds` lines takes from one to the other, in milliseconds.
fn wait_of(
    [a, b]: &mut [User; 2],
    rounds: usize,
    mut meanwhile: impl FnMut() -> io::Result<()>,
) -> io::Result<Vec<f64>> {
    let mut waits = Vec::new();
    for _ in 0..rounds {
        meanwhile()?;
        let start = now();
        a.sends(LINE.as_bytes())?;
        b.reads("sixty-four....", 1)?;
        waits.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    waits.sort_by(f64::total_cmp);
    Ok(waits)
}

fn report(name: &str, server: &Server, waits: Vec<f64>) -> io::Result<()> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id()))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    println!("  {name:<32} {:>7.2} {:>7.2}   peak memory {peak}", at(0.5), at(0.99));
    Ok(())
}

/// Keeps this process off the core of the server.
fn pin(core: usize) {
    let mut set = rustix::thread::CpuSet::new();
    set.set(core);
    if let Err(error) = rustix::thread::sched_setaffinity(None, &set) {
        eprintln!("cannot pin the load to core {core}: {error}");
    }
}
