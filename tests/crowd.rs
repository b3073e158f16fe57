//! Ten thousand connections to the real program, half of them attackers. The honest users lose no
//! message, and their latency stays close to the latency without an attack.
//!
//! The test is one mio poll loop as well, so that it needs no thread for each connection.
#![cfg(target_os = "linux")]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::random::Random;
use common::{MENU, Server, USERNAME, now, process, report, skip, timeout};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, SockRef, Socket, Type};

/// Connections, if the limit of file descriptors allows as many.
const CONNECTIONS: usize = 10_000;
/// Descriptors that this process needs for other purposes, rounded up.
const OTHER_DESCRIPTORS: u64 = 200;
/// Messages sent but not yet received. More would measure the throughput instead of the latency.
const IN_FLIGHT: usize = 32;
/// Messages in each measurement, if `MEASUREMENT_TIME` suffices.
const MESSAGES: usize = 20_000;
/// The longest time of a measurement.
const MEASUREMENT_TIME: Duration = Duration::from_secs(4);
/// With fewer messages than this a percentile means nothing.
const MESSAGES_MIN: usize = 100;
/// Whether the server is an optimized build. A debug build is more than ten times slower: with a
/// debug build the test checks that no message is lost, and allows ten times the latency.
fn is_optimized() -> bool {
    std::env::var_os("CHINWAG_TESTS_PROGRAM").is_some() || !cfg!(debug_assertions)
}

/// Actions of the attackers in each turn of the test's loop.
fn actions_per_turn() -> usize {
    if is_optimized() { 8 } else { 2 }
}

/// A latency that always passes: below this a ratio measures the machine's noise.
fn latency_floor() -> Duration {
    Duration::from_millis(if is_optimized() { 100 } else { 1_000 })
}

/// How many times its p99 latency may grow under the attack.
const LATENCY_FACTOR_MAX: u32 = 20;

/// An honest user: sends messages to a partner, and checks every line that arrives.
struct HonestUser {
    socket: TcpStream,
    name: String,
    partner: String,
    /// Whether this user asks the partner, or is asked.
    asks: bool,
    /// Bytes received that are not a complete line yet.
    received: Vec<u8>,
    /// Bytes that the kernel has not taken yet.
    unsent: Vec<u8>,
    state: State,
    /// The line that must arrive next, and when it was sent.
    expected: Option<(String, Instant)>,
}

/// The state of an honest user's session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Menu,
    Chatting,
}

/// What an attacker does again and again.
#[derive(Clone, Copy, Debug)]
enum Attack {
    /// Never sends anything, not even a username.
    Silence,
    /// Sends a line that never ends.
    EndlessLine,
    /// Requests lists and does not read them.
    Lists,
    /// Requests telnet options and does not read the replies.
    Telnet,
    /// Begins a telnet subnegotiation and never ends it.
    Subnegotiation,
    /// Sends single bytes.
    SingleBytes,
    /// Connects, sends a few bytes, resets.
    Reconnects,
    /// Asks a user and withdraws.
    Requests,
}

const ATTACKS: [Attack; 8] = [
    Attack::Silence,
    Attack::EndlessLine,
    Attack::Lists,
    Attack::Telnet,
    Attack::Subnegotiation,
    Attack::SingleBytes,
    Attack::Reconnects,
    Attack::Requests,
];

/// One attacking connection.
struct Attacker {
    socket: TcpStream,
    attack: Attack,
    number: usize,
    /// Whether this connection has sent its first bytes.
    has_begun: bool,
}

/// All connections of the test, and the poll loop that drives them.
struct Crowd {
    poll: Poll,
    address: SocketAddr,
    honest: Vec<HonestUser>,
    attackers: Vec<Attacker>,
    random: Random,
    /// Latencies of the messages of this measurement.
    latencies: Vec<Duration>,
    /// How many messages may be sent now without exceeding `IN_FLIGHT`.
    free_slots: usize,
    /// Actions of the attackers so far.
    actions: usize,
}

/// (7.34, 7.44)
#[test]
fn honest_users_lose_no_message_and_wait_little_longer_while_half_of_the_connections_attack() {
    let connections = connections_that_fit();
    // -q: this process reads the log, and a long log would take processor time from the test.
    let server = Server::starts_with(&["-q"]);
    let mut crowd = Crowd::of_pairs(&server, connections / 2);
    report(&format!(
        "{} honest users are chatting; the server holds {} KiB",
        crowd.honest.len(),
        process::resident_kib(server.pid())
    ));
    crowd.exchanges(MESSAGES / 4, false); // Warms up.
    let alone = crowd.exchanges(MESSAGES, false);
    crowd.add_attackers(connections - connections / 2);
    // The time in which thousands of attackers connect is reported; the test sets no limit on it.
    let arriving = crowd.exchanges(MESSAGES / 4, true);
    let attacked = crowd.exchanges(MESSAGES, true);
    report(&format!(
        "alone:    p50 {:?}, p99 {:?}",
        percentile(&alone, 50),
        percentile(&alone, 99)
    ));
    report(&format!(
        "attacked: p50 {:?}, p99 {:?}, by {} attackers in {} actions; peak memory {} KiB",
        percentile(&attacked, 50),
        percentile(&attacked, 99),
        crowd.attackers.len(),
        crowd.actions,
        process::peak_kib(server.pid())
    ));
    report(&format!(
        "(while the attackers arrived: p50 {:?}, p99 {:?})",
        percentile(&arriving, 50),
        percentile(&arriving, 99)
    ));
    assert!(
        attacked.len() >= MESSAGES_MIN,
        "only {} messages arrived in {MEASUREMENT_TIME:?}",
        attacked.len()
    );
    let limit = (percentile(&alone, 99) * LATENCY_FACTOR_MAX).max(latency_floor());
    assert!(percentile(&attacked, 99) < limit, "p99 is more than {limit:?}");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// How many connections this process has descriptors for. Reports a skip if that is less than
/// `CONNECTIONS`, and the test runs with those.
fn connections_that_fit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let hard_limit = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = if setrlimit(Resource::Nofile, raised).is_ok() {
        hard_limit
    } else {
        limit.current.unwrap_or(u64::MAX)
    };
    let fit = usize::try_from(current.saturating_sub(OTHER_DESCRIPTORS)).unwrap_or(CONNECTIONS);
    if fit < CONNECTIONS {
        skip(&format!(
            "descriptors for {fit} connections only, of {CONNECTIONS}; the test runs with those"
        ));
    }
    // A multiple of four: half of the connections are honest, and these form pairs.
    fit.min(CONNECTIONS) / 4 * 4
}

/// The median of ten percentiles, one for each tenth of the latencies in the order of arrival. A
/// short disturbance by another program affects only one of the tenths.
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
    /// Connects `count` honest users, who take usernames and chat in pairs.
    fn of_pairs(server: &Server, count: usize) -> Crowd {
        let mut crowd = Crowd {
            poll: Poll::new().expect("a poll"),
            address: server.address(),
            honest: Vec::new(),
            attackers: Vec::new(),
            random: Random::with_printed_seed(),
            latencies: Vec::new(),
            free_slots: 0,
            actions: 0,
        };
        for number in 0..count {
            crowd.connect_honest(number);
            // The backlog of a listener is finite (listen(2)), so at most 500 connect before the
            // server has greeted all of them.
            if number % 500 == 499 {
                crowd.waits_until(|honest| honest.state != State::Connecting);
            }
        }
        crowd.waits_until(|honest| honest.state != State::Connecting);
        for index in 0..count {
            if crowd.honest[index].asks {
                let ask = format!("2 {}\n", crowd.honest[index].partner);
                crowd.honest[index].sends(&ask);
            }
        }
        crowd.waits_until(|honest| honest.state == State::Chatting);
        crowd
    }

    fn connect_honest(&mut self, number: usize) {
        let mut socket = TcpStream::connect(self.address).expect("the server is there");
        reset_on_close(SockRef::from(&socket));
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut socket, Token(number), both).expect("a registration");
        self.honest.push(HonestUser {
            socket,
            name: format!("h{number:05}"),
            partner: format!("h{:05}", number ^ 1),
            asks: number.is_multiple_of(2),
            received: Vec::new(),
            unsent: Vec::new(),
            state: State::Connecting,
            expected: None,
        });
    }

    /// Runs the loop until every honest user satisfies `is_done`.
    #[track_caller]
    fn waits_until(&mut self, is_done: impl Fn(&HonestUser) -> bool) {
        let until = now() + 2 * timeout();
        while let Some(late) = self.honest.iter().find(|honest| !is_done(honest)) {
            assert!(now() < until, "{} still waits", late.name);
            self.turn(false);
        }
    }

    /// Sends up to `messages` messages, `IN_FLIGHT` at a time, each in the next pair, until the
    /// time is up. Waits until all have arrived. Returns the latencies.
    fn exchanges(&mut self, messages: usize, attacked: bool) -> Vec<Duration> {
        let (stop_sending, until) = (now() + MEASUREMENT_TIME, now() + 3 * timeout());
        self.latencies.clear();
        self.free_slots = IN_FLIGHT;
        let mut sent = 0;
        while self.latencies.len() < messages
            && (now() < stop_sending || self.latencies.len() < sent)
        {
            while self.free_slots > 0 && sent < messages && now() < stop_sending {
                self.free_slots -= 1;
                self.send_to_partner(sent);
                sent += 1;
            }
            self.turn(attacked);
            if attacked {
                (0..actions_per_turn()).for_each(|_| self.attack_once());
            }
            assert!(now() < until, "{} of {messages} messages have arrived", self.latencies.len());
        }
        std::mem::take(&mut self.latencies)
    }

    fn send_to_partner(&mut self, number: usize) {
        // Every pair in turn, then the same pairs in the other direction.
        let pairs = self.honest.len() / 2;
        let speaker = number % pairs * 2 + number / pairs % 2;
        let text = format!("text {number}");
        let expected = (format!("{}: {text}", self.honest[speaker].name), now());
        let partner = &mut self.honest[speaker ^ 1];
        assert!(partner.expected.is_none(), "{} still waits for a message", partner.name);
        partner.expected = Some(expected);
        self.honest[speaker].sends(&(text + "\n"));
    }

    fn turn(&mut self, attacking: bool) {
        let mut events = Events::with_capacity(1024);
        let wait = if attacking { Duration::ZERO } else { Duration::from_millis(100) };
        match self.poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            result => result.expect("a poll"),
        }
        for event in &events {
            let honest = &mut self.honest[event.token().0];
            honest.flush();
            for latency in honest.receive() {
                self.latencies.push(latency);
                self.free_slots += 1;
            }
        }
    }

    fn add_attackers(&mut self, count: usize) {
        for number in 0..count {
            let socket = attacker_socket(self.address);
            let attack = ATTACKS[number % ATTACKS.len()];
            self.attackers.push(Attacker { socket, attack, number, has_begun: false });
            if number % 100 == 0 {
                self.turn(true);
            }
        }
    }

    fn attack_once(&mut self) {
        self.actions += 1;
        let index = self.random.below(self.attackers.len());
        let attacker = &mut self.attackers[index];
        let mut bytes = Vec::new();
        if !attacker.has_begun {
            bytes.extend_from_slice(match attacker.attack {
                Attack::Subnegotiation => &[255, 250, 24],
                _ => b"",
            });
            if matches!(attacker.attack, Attack::Lists | Attack::Requests) {
                bytes.extend_from_slice(format!("x{}\n", attacker.number).as_bytes());
            }
        }
        match attacker.attack {
            Attack::Silence => {}
            Attack::EndlessLine => bytes.resize(bytes.len() + 4096, b'x'),
            Attack::Lists => bytes.extend_from_slice(&b"1\n".repeat(256)),
            Attack::Telnet => bytes.extend_from_slice(&[255, 253, 6].repeat(1024)),
            Attack::Subnegotiation => bytes.resize(bytes.len() + 4096, 0),
            Attack::SingleBytes => bytes.push(b"drip\n"[self.random.below(5)]),
            Attack::Reconnects => bytes.extend_from_slice(b"half a na"),
            Attack::Requests => bytes.extend_from_slice(&b"2 h00000\ncancel\n".repeat(32)),
        }
        let failed = match attacker.socket.write(&bytes) {
            Ok(_) => false,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected),
        };
        attacker.has_begun |= !failed;
        if failed || matches!(attacker.attack, Attack::Reconnects) {
            attacker.socket = attacker_socket(self.address);
            attacker.has_begun = false;
        }
    }
}

/// Begins a connection with small buffers on this side. The bytes that an attacker does not read
/// then wait in the server, and not in the memory that all sockets of this machine share (tcp_mem
/// in tcp(7)).
fn attacker_socket(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    socket.set_send_buffer_size(16 * 1024).expect("a small buffer");
    socket.set_nonblocking(true).expect("a socket");
    reset_on_close(SockRef::from(&socket));
    if let Err(error) = socket.connect(&address.into()) {
        let begun = error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error());
        assert!(begun, "an attacker cannot connect: {error}");
    }
    TcpStream::from_std(socket.into())
}

/// Makes close(2) send a reset. Otherwise ten thousand closed connections would stay in TIME_WAIT
/// for a minute, and the next run would find no free ports.
fn reset_on_close(socket: SockRef<'_>) {
    socket.set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
}

impl HonestUser {
    fn sends(&mut self, text: &str) {
        self.unsent.extend_from_slice(text.as_bytes());
        self.flush();
    }

    fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(count) => _ = self.unsent.drain(..count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::NotConnected => return,
                Err(error) => panic!("{} could not send: {error}", self.name),
            }
        }
    }

    /// Reads everything that has arrived. Returns the latencies of the messages.
    fn receive(&mut self) -> Vec<Duration> {
        let mut chunk = [0; 4096];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => panic!("the server has closed {}", self.name),
                Ok(count) => self.received.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::NotConnected => break,
                Err(error) => panic!("{} could not read: {error}", self.name),
            }
        }
        let mut latencies = Vec::new();
        while let Some(end) = self.received.windows(2).position(|two| two == b"\r\n") {
            let line = String::from_utf8(self.received[..end].to_vec()).expect("UTF-8");
            self.received.drain(..end + 2);
            latencies.extend(self.handle_line(&line));
        }
        latencies
    }

    fn handle_line(&mut self, line: &str) -> Option<Duration> {
        if line == USERNAME {
            let name = self.name.clone() + "\n";
            self.sends(&name);
        } else if line == MENU {
            assert!(self.state == State::Connecting, "{} is at the menu again", self.name);
            self.state = State::Menu;
        } else if line.starts_with(&format!("? {} wants to chat", self.partner)) {
            self.sends("yes\n");
        } else if line.starts_with("* You are now chatting with ") {
            assert!(line.contains(&self.partner), "{} has the wrong partner: {line}", self.name);
            self.state = State::Chatting;
        } else if !line.starts_with("* ") {
            let (expected, sent) = self.expected.take().unwrap_or_else(|| {
                panic!("{} expected no message and read {line:?}", self.name);
            });
            assert_eq!(line, expected, "{} read another line", self.name);
            return Some(sent.elapsed());
        }
        None
    }
}
