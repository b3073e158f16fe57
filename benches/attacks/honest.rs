//! The honest users: two who chat, newcomers, and somebody who pastes. They measure what they wait.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::thread::CpuSet;

use super::clock::now;
use super::guesses::ACCOUNT;

/// After this long without an answer the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines of a paste: 9 kB.
const PASTE: (&str, usize) = ("a line of a paste, which is as long as lines of a paste are\n", 150);

/// What honest users waited.
pub(super) struct Latencies {
    /// The median time of a message from one partner to the other.
    pub(super) p50: Duration,
    /// The 99th percentile of that.
    pub(super) p99: Duration,
    /// From connecting to "Hello": the median and the longest time.
    pub(super) newcomer: [Duration; 2],
    /// A paste: the same.
    pub(super) paste: [Duration; 2],
}

struct Honest {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

/// Measures for `length`, on the core of the attackers.
pub(super) fn measure(
    address: SocketAddr,
    core: usize,
    length: Duration,
    signs_in: bool,
) -> io::Result<Latencies> {
    let mut cores = CpuSet::new();
    cores.set(core);
    rustix::thread::sched_setaffinity(None, &cores)?;
    let [mut anna, mut bert] = chatting(address, ["anna", "bert"])?;

    let (mut messages, mut newcomers, mut pastes) = (Vec::new(), Vec::new(), Vec::new());
    let (began, mut rounds) = (now(), 0);
    // At least twice, but a server that is not fair must not keep the benchmark for hours.
    while began.elapsed() < length || (rounds < 2 && began.elapsed() < 5 * length) {
        for n in 0..100 {
            if n > 10 && began.elapsed() > 5 * length {
                break;
            }
            let (from, to) =
                if n % 2 == 0 { (&mut anna, &mut bert) } else { (&mut bert, &mut anna) };
            let sent = now();
            from.says("how are you?\n")?;
            to.reads("how are you?")?;
            messages.push(sent.elapsed());
        }
        newcomers.push(timed(|| match signs_in {
            true => Honest::joins(address, &ACCOUNT.join("\n")).map(drop),
            false => Honest::joins(address, &format!("new{rounds}")).map(drop),
        })?);
        // Others than those who talk all the time: who uses much waits longer (7.44), and a person
        // pastes once.
        let [mut carl, mut dora] =
            chatting(address, [&format!("carl{rounds}"), &format!("dora{rounds}")])?;
        pastes.push(timed(|| {
            carl.says(&PASTE.0.repeat(PASTE.1))?;
            (0..PASTE.1).try_for_each(|_| dora.reads("a line of a paste"))
        })?);
        rounds += 1;
    }
    let [p50, p99] = percentiles(&mut messages, [50, 99]);
    let newcomer = percentiles(&mut newcomers, [50, 100]);
    let paste = percentiles(&mut pastes, [50, 100]);
    Ok(Latencies { p50, p99, newcomer, paste })
}

/// Makes the account of the newcomer who signs in.
pub(super) fn register(address: SocketAddr) -> io::Result<()> {
    let [name, password] = ACCOUNT;
    let mut owner = Honest::joins(address, name)?;
    owner.says(&format!("register\n{password}\n{password}\n"))?;
    owner.reads("is registered")
}

/// Two users who chat with each other.
fn chatting(address: SocketAddr, names: [&str; 2]) -> io::Result<[Honest; 2]> {
    let mut anna = Honest::joins(address, names[0])?;
    let mut bert = Honest::joins(address, names[1])?;
    anna.says(&format!("2 {}\n", names[1]))?;
    bert.reads("wants to chat")?;
    bert.says("yes\n")?;
    anna.reads("You are now chatting")?;
    bert.reads("You are now chatting")?;
    Ok([anna, bert])
}

fn percentiles(times: &mut [Duration], percents: [usize; 2]) -> [Duration; 2] {
    times.sort_unstable();
    percents.map(|percent| times[(times.len() - 1) * percent / 100])
}

fn timed(task: impl FnOnce() -> io::Result<()>) -> io::Result<Duration> {
    let began: Instant = now();
    task()?;
    Ok(began.elapsed())
}

impl Honest {
    fn joins(address: SocketAddr, name: &str) -> io::Result<Honest> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let lines = BufReader::new(stream.try_clone()?);
        let mut honest = Honest { stream, lines };
        honest.says(&format!("{name}\n"))?;
        honest.reads("Hello")?;
        Ok(honest)
    }

    fn says(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes())
    }

    /// Reads until a line contains `words`.
    fn reads(&mut self, words: &str) -> io::Result<()> {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(io::Error::other(format!("the server closed before \"{words}\"")));
            }
        }
        Ok(())
    }
}
