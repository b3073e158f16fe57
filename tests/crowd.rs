//! Ten thousand clients on the real program, half of them hostile: the honest half loses nothing, and
//! waits little longer than it does when it is alone.
//!
//! The clients' side is one poll loop as well, in the shape of the server's own.
#![cfg(target_os = "linux")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::dice::Dice;
use common::{MENU, Server, USERNAME, now, patience, process, report, skip};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, SockRef, Socket, Type};

/// As many clients as there are when the descriptors suffice.
const CLIENTS: usize = 10_000;
/// Descriptors of this process that are no clients, generously.
const DESCRIPTORS_KEPT: u64 = 200;
/// Texts on their way at a time: more would measure how fast the server is, not how long it takes.
const ON_THEIR_WAY: usize = 32;
/// Texts in each of the two measurements, unless its time is up before.
const TEXTS: usize = 20_000;
/// How long a measurement takes at most, and the texts it is worth nothing without.
const TIME: Duration = Duration::from_secs(4);
const TEXTS_MIN: usize = 100;
/// Whether the server is an optimized build, which an attack has to be measured with: the other is slower by
/// more than ten times, and is asked for no more than to lose nothing and to go on.
fn is_optimized() -> bool {
    std::env::var_os("CHINWAG_TESTS_PROGRAM").is_some() || !cfg!(debug_assertions)
}

/// Acts of the hostile half in each turn of the clients' loop.
fn acts_per_turn() -> usize {
    if is_optimized() { 8 } else { 2 }
}

/// A wait that is little in any case.
fn little() -> Duration {
    Duration::from_millis(if is_optimized() { 100 } else { 1_000 })
}

/// How many times their own latency the honest may wait, where that is more than little.
const TIMES_MAX: u32 = 20;

/// One honest client: says what the others wait for, and checks what it hears.
struct Honest {
    socket: TcpStream,
    name: String,
    partner: String,
    asks: bool,
    heard: Vec<u8>,
    waiting: Vec<u8>,
    standing: Standing,
    /// The text that this one expects next, and when it was sent.
    expected: Option<(String, Instant)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Arriving,
    Menu,
    Chatting,
}

/// What one of the hostile half does, over and over.
#[derive(Clone, Copy, Debug)]
enum Habit {
    /// Never says anything, not even a name.
    Silence,
    /// Says a line without an end.
    EndlessLine,
    /// Asks for lists and does not read them.
    Lists,
    /// Asks for telnet options and does not read the refusals.
    Telnet,
    /// Begins a subnegotiation and does not end it.
    Subnegotiation,
    /// Sends a byte now and a byte then.
    Drip,
    /// Connects, says something, resets.
    Churn,
    /// Asks somebody for a chat and withdraws.
    Pester,
}

const HABITS: [Habit; 8] = [
    Habit::Silence,
    Habit::EndlessLine,
    Habit::Lists,
    Habit::Telnet,
    Habit::Subnegotiation,
    Habit::Drip,
    Habit::Churn,
    Habit::Pester,
];

struct Hostile {
    socket: TcpStream,
    habit: Habit,
    number: usize,
    greeted: bool,
}

struct Crowd {
    poll: Poll,
    address: SocketAddr,
    honest: Vec<Honest>,
    hostile: Vec<Hostile>,
    dice: Dice,
    /// Latencies of the texts of this measurement.
    latencies: Vec<Duration>,
    /// Honest clients whose text has arrived since the last turn: they may go on.
    arrived: usize,
    acts: usize,
}

/// (5.19)
#[test]
fn an_honest_half_loses_nothing_and_waits_little_longer_while_the_other_half_attacks() {
    let clients = clients_that_fit();
    // Quiet, because its log is read in this process, on the same processors.
    let server = Server::starts_with(&["-q"]);
    let mut crowd = Crowd::gathers(&server, clients / 2);
    report(&format!(
        "{} honest clients are chatting; the server holds {} KiB",
        crowd.honest.len(),
        process::resident_kib(server.pid())
    ));
    crowd.talks(TEXTS / 4, false);
    let alone = crowd.talks(TEXTS, false);
    crowd.is_joined_by_hostile(clients - clients / 2);
    // The onset, when thousands arrive at once, is shown and not bounded.
    let onset = crowd.talks(TEXTS / 4, true);
    let attacked = crowd.talks(TEXTS, true);
    report(&format!(
        "alone:    p50 {:?}, p99 {:?}",
        percentile(&alone, 50),
        percentile(&alone, 99)
    ));
    report(&format!(
        "attacked: p50 {:?}, p99 {:?}, by {} clients in {} acts; peak memory {} KiB",
        percentile(&attacked, 50),
        percentile(&attacked, 99),
        crowd.hostile.len(),
        crowd.acts,
        process::peak_kib(server.pid())
    ));
    report(&format!(
        "(while the attackers arrived: p50 {:?}, p99 {:?})",
        percentile(&onset, 50),
        percentile(&onset, 99)
    ));
    assert!(attacked.len() >= TEXTS_MIN, "only {} texts arrived in {TIME:?}", attacked.len());
    let bound = (percentile(&alone, 99) * TIMES_MAX).max(little());
    assert!(percentile(&attacked, 99) < bound, "more than {bound:?}");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// How many clients this process has descriptors for; says so when they are fewer than wished for.
fn clients_that_fit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now_most = if setrlimit(Resource::Nofile, raised).is_ok() {
        most
    } else {
        limit.current.unwrap_or(u64::MAX)
    };
    let fit = usize::try_from(now_most.saturating_sub(DESCRIPTORS_KEPT)).unwrap_or(CLIENTS);
    if fit < CLIENTS {
        skip(&format!("descriptors for {fit} clients only, of {CLIENTS}; it runs with those"));
    }
    // Pairs on both sides.
    fit.min(CLIENTS) / 4 * 4
}

/// A percentile of a tenth of the latencies, the median of all ten tenths: what else this machine does for a
/// moment falls into one of them.
fn percentile(latencies: &[Duration], percent: usize) -> Duration {
    let of_tenth = |tenth: &[Duration]| {
        let mut sorted = tenth.to_vec();
        sorted.sort_unstable();
        sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
    };
    let mut tenths: Vec<Duration> =
        latencies.chunks(latencies.len().div_ceil(10)).map(of_tenth).collect();
    tenths.sort_unstable();
    tenths[tenths.len() / 2]
}

impl Crowd {
    /// `count` honest clients come, take names and find each other in pairs.
    fn gathers(server: &Server, count: usize) -> Crowd {
        let mut crowd = Crowd {
            poll: Poll::new().expect("a poll"),
            address: server.address(),
            honest: Vec::new(),
            hostile: Vec::new(),
            dice: Dice::shaken(),
            latencies: Vec::new(),
            arrived: 0,
            acts: 0,
        };
        for number in 0..count {
            crowd.honest_one_comes(number);
            // The backlog of a listener is finite: no more come than can wait at its door.
            if number % 500 == 499 {
                crowd.waits_until(|honest| honest.standing != Standing::Arriving);
            }
        }
        crowd.waits_until(|honest| honest.standing != Standing::Arriving);
        for index in 0..count {
            if crowd.honest[index].asks {
                let ask = format!("2 {}\n", crowd.honest[index].partner);
                crowd.honest[index].says(&ask);
            }
        }
        crowd.waits_until(|honest| honest.standing == Standing::Chatting);
        crowd
    }

    fn honest_one_comes(&mut self, number: usize) {
        let mut socket = TcpStream::connect(self.address).expect("the server is there");
        leaves_no_trace(SockRef::from(&socket));
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut socket, Token(number), both).expect("a registration");
        self.honest.push(Honest {
            socket,
            name: format!("h{number:05}"),
            partner: format!("h{:05}", number ^ 1),
            asks: number.is_multiple_of(2),
            heard: Vec::new(),
            waiting: Vec::new(),
            standing: Standing::Arriving,
            expected: None,
        });
    }

    /// Turns the loop until all the honest clients are so.
    #[track_caller]
    fn waits_until(&mut self, all: impl Fn(&Honest) -> bool) {
        let until = now() + 2 * patience();
        while let Some(late) = self.honest.iter().find(|honest| !all(honest)) {
            assert!(now() < until, "{} still waits", late.name);
            self.turns(false);
        }
    }

    /// So many texts are said, a few at a time, each by the next pair, or as many as there is time for;
    /// all arrive. Returns how long each took.
    fn talks(&mut self, texts: usize, attacked: bool) -> Vec<Duration> {
        let (enough, until) = (now() + TIME, now() + 3 * patience());
        self.latencies.clear();
        self.arrived = ON_THEIR_WAY;
        let mut said = 0;
        while self.latencies.len() < texts && (now() < enough || self.latencies.len() < said) {
            while self.arrived > 0 && said < texts && now() < enough {
                self.arrived -= 1;
                self.says_to_partner(said);
                said += 1;
            }
            self.turns(attacked);
            if attacked {
                (0..acts_per_turn()).for_each(|_| self.hostile_one_acts());
            }
            assert!(now() < until, "{} of {texts} texts have arrived", self.latencies.len());
        }
        std::mem::take(&mut self.latencies)
    }

    fn says_to_partner(&mut self, number: usize) {
        // Every pair in turn, then the same pairs the other way round.
        let pairs = self.honest.len() / 2;
        let speaker = number % pairs * 2 + number / pairs % 2;
        let text = format!("text {number}");
        let expected = (format!("{}: {text}", self.honest[speaker].name), now());
        let hearer = &mut self.honest[speaker ^ 1];
        assert!(hearer.expected.is_none(), "{} still waits for a text", hearer.name);
        hearer.expected = Some(expected);
        self.honest[speaker].says(&(text + "\n"));
    }

    fn turns(&mut self, attacking: bool) {
        let mut events = Events::with_capacity(1024);
        let wait = if attacking { Duration::ZERO } else { Duration::from_millis(100) };
        match self.poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            result => result.expect("a poll"),
        }
        for event in &events {
            let honest = &mut self.honest[event.token().0];
            honest.flushes();
            for latency in honest.hears() {
                self.latencies.push(latency);
                self.arrived += 1;
            }
        }
    }

    fn is_joined_by_hostile(&mut self, count: usize) {
        for number in 0..count {
            let socket = hostile_socket(self.address);
            let habit = HABITS[number % HABITS.len()];
            self.hostile.push(Hostile { socket, habit, number, greeted: false });
            if number % 100 == 0 {
                self.turns(true);
            }
        }
    }

    fn hostile_one_acts(&mut self) {
        self.acts += 1;
        let index = self.dice.below(self.hostile.len());
        let hostile = &mut self.hostile[index];
        let mut act = Vec::new();
        if !hostile.greeted {
            act.extend_from_slice(match hostile.habit {
                Habit::Subnegotiation => &[255, 250, 24],
                _ => b"",
            });
            if matches!(hostile.habit, Habit::Lists | Habit::Pester) {
                act.extend_from_slice(format!("x{}\n", hostile.number).as_bytes());
            }
        }
        match hostile.habit {
            Habit::Silence => {}
            Habit::EndlessLine => act.resize(act.len() + 4096, b'x'),
            Habit::Lists => act.extend_from_slice(&b"1\n".repeat(256)),
            Habit::Telnet => act.extend_from_slice(&[255, 253, 6].repeat(1024)),
            Habit::Subnegotiation => act.resize(act.len() + 4096, 0),
            Habit::Drip => act.push(b"drip\n"[self.dice.below(5)]),
            Habit::Churn => act.extend_from_slice(b"half a na"),
            Habit::Pester => act.extend_from_slice(&b"2 h00000\ncancel\n".repeat(32)),
        }
        let failed = match hostile.socket.write(&act) {
            Ok(_) => false,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected),
        };
        hostile.greeted |= !failed;
        if failed || matches!(hostile.habit, Habit::Churn) {
            hostile.socket = hostile_socket(self.address);
            hostile.greeted = false;
        }
    }
}

/// A connection begun, whose buffers on this side are small: what an attacker does not read is to wait at
/// the server, and not in the memory that all sockets of this machine share.
fn hostile_socket(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    socket.set_send_buffer_size(16 * 1024).expect("a small buffer");
    socket.set_nonblocking(true).expect("a socket");
    leaves_no_trace(SockRef::from(&socket));
    if let Err(error) = socket.connect(&address.into()) {
        let begun = error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error());
        assert!(begun, "an attacker cannot connect: {error}");
    }
    TcpStream::from_std(socket.into())
}

/// Closing resets: ten thousand closed connections that linger for a minute each (TIME_WAIT) would leave
/// the next run without ports.
fn leaves_no_trace(socket: SockRef<'_>) {
    socket.set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
}

impl Honest {
    fn says(&mut self, text: &str) {
        self.waiting.extend_from_slice(text.as_bytes());
        self.flushes();
    }

    fn flushes(&mut self) {
        while !self.waiting.is_empty() {
            match self.socket.write(&self.waiting) {
                Ok(count) => _ = self.waiting.drain(..count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::NotConnected => return,
                Err(error) => panic!("{} could not send: {error}", self.name),
            }
        }
    }

    /// Reads all there is; returns how long the texts among it have taken.
    fn hears(&mut self) -> Vec<Duration> {
        let mut chunk = [0; 4096];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => panic!("the server has closed {}", self.name),
                Ok(count) => self.heard.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::NotConnected => break,
                Err(error) => panic!("{} could not hear: {error}", self.name),
            }
        }
        let mut latencies = Vec::new();
        while let Some(end) = self.heard.windows(2).position(|two| two == b"\r\n") {
            let line = String::from_utf8(self.heard[..end].to_vec()).expect("UTF-8");
            self.heard.drain(..end + 2);
            latencies.extend(self.hears_line(&line));
        }
        latencies
    }

    fn hears_line(&mut self, line: &str) -> Option<Duration> {
        if line == USERNAME {
            let name = self.name.clone() + "\n";
            self.says(&name);
        } else if line == MENU {
            assert!(self.standing == Standing::Arriving, "{} is back at the menu", self.name);
            self.standing = Standing::Menu;
        } else if line.starts_with(&format!("? {} wants to chat", self.partner)) {
            self.says("yes\n");
        } else if line.starts_with("* You are now chatting with ") {
            assert!(line.contains(&self.partner), "{} was paired: {line}", self.name);
            self.standing = Standing::Chatting;
        } else if !line.starts_with("* ") {
            let (expected, sent) = self.expected.take().unwrap_or_else(|| {
                panic!("{} expected nothing and heard {line:?}", self.name);
            });
            assert_eq!(line, expected, "{} heard something else", self.name);
            return Some(sent.elapsed());
        }
        None
    }
}
