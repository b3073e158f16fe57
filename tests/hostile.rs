//! Faults and attacks on the real program: memory stays limited, and other users are served as
//! before.
//!
//! Each test has been seen to fail against a server without the defence that the test checks. The
//! tests read memory, wake-ups and processor time from /proc, so they run on Linux only.
#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::random::Random;
use common::{MENU, Person, Server, USERNAME, now, process, report, skip, timeout};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use socket2::{Domain, Socket, Type};

/// The most memory that one connection may add to the server: the size of its buffers.
const ONE_ATTACKER_KIB: u64 = 3 * 1024;
/// The most memory that thousands of connections may add.
const THOUSANDS_KIB: u64 = 24 * 1024;
/// The longest time that a message and its reply may take during an attack, on a busy machine, in a
/// debug build.
const LATENCY_MAX: Duration = Duration::from_secs(1);

/// Two honest users in a chat, who measure how long each message takes.
struct Pair {
    anna: Person,
    bert: Person,
    /// How many messages have gone there and back.
    sent: usize,
    slowest: Duration,
}

impl Pair {
    fn meets(server: &Server) -> Pair {
        let (mut anna, mut bert) = (Person::joins(server, "anna"), Person::joins(server, "bert"));
        anna.chats_with(&mut bert);
        Pair { anna, bert, sent: 0, slowest: Duration::ZERO }
    }

    /// Sends one message there and one back.
    #[track_caller]
    fn talks(&mut self) {
        self.sent += 1;
        let began = now();
        let text = format!("text {}", self.sent);
        self.anna.says(&text);
        self.bert.reads_exactly(&format!("anna: {text}"));
        self.bert.says(&text);
        self.anna.reads_exactly(&format!("bert: {text}"));
        self.slowest = self.slowest.max(began.elapsed());
    }

    #[track_caller]
    fn was_served_well(&mut self) {
        self.talks();
        assert!(self.slowest < LATENCY_MAX, "a message took {:?}", self.slowest);
    }
}

/// Joins with small socket buffers, so that they are full soon when the client or the server does
/// not read.
fn with_small_buffers(server: &Server, name: &str) -> Person {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    socket.set_send_buffer_size(64 * 1024).expect("a small buffer");
    socket.connect(&server.address().into()).expect("the server accepts");
    let mut person = Person::on(TcpStream::from(socket));
    person.reads_all(&["* Welcome", USERNAME]);
    person.takes_username(name);
    person
}

/// The memory of the server before an attack.
struct MemoryBefore {
    /// Peak memory, in KiB.
    kib: u64,
}

impl MemoryBefore {
    fn of(server: &Server) -> MemoryBefore {
        MemoryBefore { kib: process::peak_kib(server.pid()) }
    }

    /// Asserts that the peak memory has grown by at most `most_kib`, and that the server still
    /// runs.
    #[track_caller]
    fn cost_at_most(self, most_kib: u64, server: &mut Server, attack: &str) {
        let peak = process::peak_kib(server.pid());
        report(&format!(
            "peak memory: {peak} KiB, of which {attack} added {} KiB",
            peak - self.kib
        ));
        assert!(peak - self.kib <= most_kib, "{attack}: {} KiB, then {peak} KiB", self.kib);
        server.is_healthy();
    }
}

/// Waits until the server has no more than `before` descriptors open: it has closed every other
/// connection.
#[track_caller]
fn waits_until_connections_are_closed(server: &Server, pair: &mut Pair, before: usize) {
    let until = now() + timeout();
    while process::descriptors(server.pid()) > before {
        assert!(
            now() < until,
            "{} descriptors, {before} before",
            process::descriptors(server.pid())
        );
        pair.talks();
    }
}

// Idle servers.

#[test]
fn an_idle_server_with_idle_users_does_not_wake_up() {
    let server = Server::starts();
    let mut people: Vec<Person> =
        (0..20).map(|number| Person::joins(&server, &format!("u{number}"))).collect();
    let mut pair = Pair::meets(&server);
    pair.talks();
    // The last message can arrive before the server blocks in poll again; that adds one to the
    // count.
    people[0].reads_nothing_for(Duration::from_millis(100));
    let (wake_ups_before, cpu_ticks) =
        (process::wake_ups(server.pid()), process::cpu_ticks(server.pid()));
    people[0].reads_nothing_for(Duration::from_secs(3));
    let wake_ups = process::wake_ups(server.pid()) - wake_ups_before;
    report(&format!("wake-ups of an idle server with 22 users in 3 s: {wake_ups}"));
    assert_eq!(wake_ups, 0, "an idle server woke up");
    assert_eq!(process::cpu_ticks(server.pid()), cpu_ticks, "an idle server used processor time");
    pair.was_served_well();
}

#[test]
fn a_thousand_idle_users_cost_little_memory_and_a_long_list_is_cut() {
    let mut server = Server::starts();
    let before = process::resident_kib(server.pid());
    let mut people: Vec<Person> =
        (0..1001).map(|number| Person::joins(&server, &format!("u{number}"))).collect();
    let after = process::resident_kib(server.pid());
    report(&format!("memory with 1,001 idle users: {after} KiB ({before} KiB without any)"));
    assert!(after - before < 16 * 1024, "{before} KiB, then {after} KiB");
    people[0].says("1 u");
    let first = people[0].reads("* ");
    assert!(first.to_lowercase().contains("more than 1000"), "5.2.4: {first}");
    assert_eq!(people[0].reads_rows().len(), 51);
    people[0].reads_exactly(MENU);
    server.is_healthy();
}

// Descriptors and connections (7.25, 7.26, 7.41).

#[test]
fn without_free_descriptors_the_server_serves_its_users_does_not_spin_and_accepts_later() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    // The server started with a higher limit and has computed its limit of connections from that.
    // It therefore runs out of descriptors, as it does when the whole system has none left (ENFILE
    // in accept(2)).
    let limit = process::descriptors(server.pid()) as u64 + 40;
    let pid = Pid::from_raw(server.pid().cast_signed());
    let lowered = Rlimit { current: Some(limit), maximum: Some(limit) };
    prlimit(pid, Resource::Nofile, lowered).expect("a child's limit may be lowered");
    // The kernel completes these connections even if the server cannot accept them.
    let mut guests: Vec<Person> = (0..100).map(|_| Person::connects(server.address())).collect();
    pair.talks();
    server.logs(&["WARN", "cannot accept"]);
    let (cpu_ticks, wake_ups_before) =
        (process::cpu_ticks(server.pid()), process::wake_ups(server.pid()));
    pair.anna.reads_nothing_for(Duration::from_secs(2));
    let ticks = process::cpu_ticks(server.pid()) - cpu_ticks;
    let wake_ups = process::wake_ups(server.pid()) - wake_ups_before;
    report(&format!("out of descriptors for 2 s: {ticks} ticks of 10 ms, {wake_ups} wake-ups"));
    assert!(ticks <= 20, "the server spins: {ticks} ticks of 10 ms in 2 s");
    assert!(wake_ups <= 50, "the server woke up {wake_ups} times in 2 s");
    pair.was_served_well();
    // Each guest that leaves frees a descriptor, and the server accepts a waiting guest.
    for mut guest in guests.drain(..) {
        guest.reads_all(&["* Welcome", USERNAME]);
        pair.talks();
    }
    let _late = Person::joins(&server, "late");
    pair.was_served_well();
    server.is_healthy();
}

#[test]
fn with_its_own_limit_of_connections_the_server_keeps_descriptors_in_reserve() {
    let mut server = Server::starts_from_shell("ulimit -n 64", &[]);
    let mut pair = Pair::meets(&server);
    let mut guests: Vec<Person> = (0..100).map(|_| Person::connects(server.address())).collect();
    let answers: Vec<String> = guests.iter_mut().map(Person::reads_a_line).collect();
    let welcome = answers.iter().filter(|line| line.starts_with("* Welcome")).count();
    assert_eq!(welcome, 64 - 32 - 2, "{answers:?}");
    assert!(answers[welcome..].iter().all(|line| line.starts_with("! ")), "{answers:?}");
    drop(guests);
    pair.was_served_well();
    let _late = joins_when_admitted(&server, "late");
    server.is_healthy();
}

#[test]
fn a_low_soft_limit_of_descriptors_is_raised() {
    let server = Server::starts_from_shell("ulimit -S -n 64", &[]);
    let mut guests: Vec<Person> = (0..200).map(|_| Person::connects(server.address())).collect();
    for guest in &mut guests {
        guest.reads_all(&["* Welcome", USERNAME]);
    }
}

/// Joins as soon as the server accepts a connection again. The server notices the end of the other
/// connections only after a while.
#[track_caller]
fn joins_when_admitted(server: &Server, name: &str) -> Person {
    let until = now() + timeout();
    loop {
        let mut person = Person::connects(server.address());
        if person.reads_a_line().starts_with("* Welcome") {
            person.reads_exactly(USERNAME);
            person.takes_username(name);
            return person;
        }
        person.reads_end_of_stream();
        assert!(now() < until, "no connection was admitted any more");
    }
}

#[test]
fn a_connection_beyond_the_limit_is_told_so_and_closed() {
    let server = Server::starts_with(&["--max-connections", "3"]);
    let mut pair = Pair::meets(&server);
    let third = Person::joins(&server, "third");
    for _ in 0..20 {
        let mut fourth = Person::connects(server.address());
        fourth.reads("! ");
        fourth.reads_end_of_stream();
    }
    // A script that has sent all its lines before it is rejected still reads the reason. Closing a
    // socket with unread input would send a reset, which destroys output on its way.
    for _ in 0..50 {
        let mut script = Person::connects(server.address());
        script.tries_to_send(b"anna\n1\n3\n");
        script.reads("! ");
    }
    third.hang_up();
    let _fourth = joins_when_admitted(&server, "fourth");
    pair.was_served_well();
}

/// An address of this machine that is not loopback, if there is one. A connected UDP socket has the
/// local address of the route; no packet is sent.
fn own_address(any: &str, far: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(far).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && UdpSocket::bind((address, 0)).is_ok()).then_some(address)
}

#[test]
fn a_connection_beyond_the_limit_for_one_address_is_told_so_and_closed() {
    let own = [own_address("0.0.0.0:0", "192.0.2.1:9"), own_address("[::]:0", "[2001:db8::1]:9")];
    if own[0].is_none() {
        skip("this machine has no IPv4 address except loopback");
    }
    for address in own.into_iter().flatten() {
        let listen = SocketAddr::new(address, 0).to_string();
        let server = Server::launches(Server::command(&listen, &["--max-per-address", "3"]));
        let mut pair = Pair::meets(&server);
        let third = Person::joins(&server, "third");
        for _ in 0..10 {
            let mut fourth = Person::connects(server.address());
            fourth.reads("! ");
            fourth.reads_end_of_stream();
        }
        third.reset();
        let _fourth = joins_when_admitted(&server, "fourth");
        pair.was_served_well();
    }
}

#[test]
fn loopback_is_exempt_from_the_limit_for_one_address() {
    let server = Server::starts_with(&["--max-per-address", "3"]);
    let _people: Vec<Person> =
        (0..10).map(|number| Person::joins(&server, &format!("u{number}"))).collect();
}

#[test]
fn thousands_of_connections_without_a_username_are_closed_at_the_naming_deadline() {
    let mut server = Server::starts_with(&["--naming-timeout", "1"]);
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let before = process::descriptors(server.pid());
    let mut silent = Vec::new();
    for number in 0..2000 {
        silent.push(Person::connects(server.address()));
        if number % 100 == 0 {
            pair.talks();
        }
    }
    for mut person in silent {
        person.reads_all(&["* Welcome", USERNAME, "! "]);
        person.reads_end_of_stream();
    }
    waits_until_connections_are_closed(&server, &mut pair, before);
    pair.was_served_well();
    memory.cost_at_most(THOUSANDS_KIB, &mut server, "2,000 connections that never give a name");
}

/// A client that never ends its half is closed at the closing deadline (7.18, 7.39).
#[test]
fn a_client_that_never_ends_its_half_is_closed_at_the_closing_deadline() {
    let server = Server::starts_with(&["--closing-timeout", "0.5"]);
    let mut pair = Pair::meets(&server);
    let before = process::descriptors(server.pid());
    let mut lingers: Vec<Person> =
        (0..20).map(|number| Person::joins(&server, &format!("u{number}"))).collect();
    for person in &mut lingers {
        person.exits();
        person.reads_end_of_stream();
    }
    waits_until_connections_are_closed(&server, &mut pair, before);
    pair.was_served_well();
}

#[test]
fn thousands_of_short_connections_leave_no_descriptor_and_no_memory_behind() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let before = process::descriptors(server.pid());
    let mut random = Random::with_printed_seed();
    for number in 0..20_000 {
        let mut person = Person::connects(server.address());
        match random.below(5) {
            0 => person.hang_up(),
            1 | 2 => person.reset(),
            3 => {
                person.tries_to_send(b"half a na");
                person.reset();
            }
            _ => {
                person.tries_to_send(b"pass\n1\n");
                person.reset();
            }
        }
        if number % 200 == 0 {
            pair.talks();
        }
    }
    waits_until_connections_are_closed(&server, &mut pair, before);
    pair.was_served_well();
    pair.anna.says("quit");
    pair.anna.reads_all(&["* You left", MENU]);
    pair.anna.says("1");
    pair.anna.reads_exactly("* 2 users online");
    memory.cost_at_most(THOUSANDS_KIB, &mut server, "20,000 connects and closes");
}

// Floods of bytes.

/// (2.6.4, 7.64, 7.66)
#[test]
fn two_thousand_half_requests_for_the_page_take_little_memory_and_keep_nobody_out() {
    let mut server = Server::starts_with(&["--listen", "http://127.0.0.1:0"]);
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let half = format!("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {}", "x".repeat(8_000));
    let mut slow = Vec::new();
    for number in 0..2_000 {
        let mut browser = TcpStream::connect(server.page()).unwrap();
        // A server that is full of such requests closes the oldest, and this one may be among them.
        let _ = browser.write_all(half.as_bytes());
        slow.push(browser);
        if number % 100 == 0 {
            pair.talks();
        }
    }
    let mut honest = TcpStream::connect(server.page()).unwrap();
    honest.write_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut page = String::new();
    honest.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    slow[0].set_read_timeout(Some(timeout())).unwrap();
    assert_eq!(slow[0].read(&mut [0; 100]).unwrap_or(0), 0, "the oldest made room");
    pair.was_served_well();
    memory.cost_at_most(THOUSANDS_KIB, &mut server, "2,000 half requests for the page");
}

#[test]
fn ten_megabytes_without_a_newline_are_refused_as_one_line() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let mut flooder = Person::joins(&server, "flooder");
    let chunk = vec![b'x'; 64 * 1024];
    for _ in 0..160 {
        flooder.sends(&chunk);
        pair.talks();
    }
    flooder.sends(b"\n");
    flooder.reads_all(&["! ", MENU]);
    flooder.has_read_everything();
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "10 MB without a newline");
}

#[test]
fn a_thousand_connections_that_send_single_bytes_are_served() {
    let server = Server::starts();
    let mut pair = Pair::meets(&server);
    let mut slow: Vec<Person> = (0..1000).map(|_| Person::arrives(&server)).collect();
    for position in 0..8 {
        for (number, person) in slow.iter_mut().enumerate() {
            person.sends(&format!("slow{number:03}\n").as_bytes()[position..=position]);
        }
        pair.talks();
    }
    for (number, person) in slow.iter_mut().enumerate() {
        person.reads_exactly(&format!("* Hello, slow{number:03}"));
        person.reads_exactly(MENU);
    }
    pair.was_served_well();
}

#[test]
fn a_subnegotiation_that_never_ends_is_abandoned_and_takes_no_memory() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let mut flooder = Person::joins(&server, "flooder");
    flooder.sends(&[255, 250, 24]);
    let chunk = vec![0; 64 * 1024];
    for _ in 0..64 {
        flooder.sends(&chunk);
        pair.talks();
    }
    // The server has abandoned the subnegotiation. The end of the line restores normal input.
    flooder.sends(b"\n");
    flooder.reads_all(&["! ", MENU]);
    flooder.says("1 flooder");
    flooder.reads_all(&["* 1 user", "- flooder available (you)", MENU]);
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "a subnegotiation without end");
}

/// Sends `unit` repeatedly without reading, until the server stops reading. Then reads the output,
/// which must be `answer` exactly once for each unit. Returns how many units were sent.
fn floods_without_reading(
    flooder: &mut Person,
    pair: &mut Pair,
    unit: &[u8],
    answer: &[u8],
) -> usize {
    let block = unit.repeat(64 * 1024 / unit.len());
    let (mut sent, mut blocked) = (0, 0);
    // If the kernel takes nothing 50 times in a row while others are served, the server has stopped
    // reading.
    while blocked < 50 {
        let count = flooder.sends_without_waiting(&block[sent % unit.len()..]);
        sent += count;
        blocked = if count == 0 { blocked + 1 } else { 0 };
        pair.talks();
        assert!(sent < 100 << 20, "the server has read {sent} bytes and goes on reading");
    }
    let units = sent.div_ceil(unit.len());
    let mut rest = unit.repeat(units)[sent..].to_vec();
    let mut received = Vec::new();
    while received.len() < units * answer.len() {
        rest.drain(..flooder.sends_without_waiting(&rest));
        assert!(flooder.waits_for_bytes(), "{units} units, {} bytes of answers", received.len());
        received.extend(flooder.reads_without_waiting(1 << 20));
    }
    assert!(received == answer.repeat(units), "one of {units} answers is wrong");
    units
}

#[test]
fn a_client_that_does_not_read_its_telnet_replies_is_not_read() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let mut flooder = with_small_buffers(&server, "flooder");
    let count = floods_without_reading(&mut flooder, &mut pair, &[255, 253, 6], &[255, 252, 6]);
    report(&format!("{count} telnet requests were answered, each once"));
    flooder.says("1 flooder");
    flooder.reads_all(&["* 1 user", "- flooder available (you)", MENU]);
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "a flood of telnet requests");
}

#[test]
fn a_client_that_does_not_read_its_lists_is_not_read_and_loses_none() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let mut flooder = with_small_buffers(&server, "flooder");
    flooder.says("1");
    let mut answer = vec![flooder.reads("* 3 users online")];
    answer.extend(flooder.reads_rows());
    answer.push(flooder.reads(MENU));
    let answer = answer.join("\r\n") + "\r\n";
    let lists = floods_without_reading(&mut flooder, &mut pair, b"1\n", answer.as_bytes());
    report(&format!("{lists} lists were answered, each once"));
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "unread lists in a loop");
}

#[test]
fn requests_and_withdrawals_in_a_loop_are_delayed_and_take_no_memory() {
    let mut server = Server::starts_with(&["--ask-again", "0.001"]);
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let mut asker = Person::joins(&server, "asker");
    let mut asked: Vec<Person> =
        (0..50).map(|number| Person::joins(&server, &format!("asked{number}"))).collect();
    let asks: String = (0..50).map(|number| format!("2 asked{number}\ncancel\n")).collect();
    let began = now();
    for _ in 0..100 {
        asker.sends_without_waiting(asks.as_bytes());
        pair.talks();
    }
    let asked_count = asked
        .iter_mut()
        .map(|user| user.reads_without_waiting(1).len())
        .filter(|&bytes| bytes > 0)
        .count();
    let most = 6 + began.elapsed().as_secs() / 2;
    // The allowance is five requests, and one more every 2 s (5.7.2).
    assert!(
        (5..=most).contains(&(asked_count as u64)),
        "{asked_count} were asked, {most} may have been"
    );
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "asks and cancels in a loop");
    asker.reset();
    pair.was_served_well();
}

/// Repeats `act` in a thread until it fails or returns 0.
#[expect(
    clippy::disallowed_methods,
    reason = "the flood must go on while the test does something else"
)]
fn in_the_background(act: impl FnMut() -> std::io::Result<usize> + Send + 'static) {
    let mut act = act;
    std::thread::spawn(move || while act().is_ok_and(|count| count > 0) {});
}

/// A turn of the loop reads a limited number of bytes from each connection (7.34, 7.44).
#[test]
fn a_flood_in_one_chat_does_not_delay_another_chat() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let (mut carl, mut dora) = (Person::joins(&server, "carl"), Person::joins(&server, "dora"));
    carl.chats_with(&mut dora);
    let mut flood_in = carl.socket().try_clone().expect("a handle");
    let mut flood_out = dora.socket().try_clone().expect("a handle");
    let block = b"a short text\n".repeat(5000);
    let flooded = Arc::new(AtomicUsize::new(0));
    let count = flooded.clone();
    in_the_background(move || flood_in.write(&block));
    let mut chunk = vec![0; 1 << 20];
    in_the_background(move || {
        flood_out.read(&mut chunk).inspect(|bytes| _ = count.fetch_add(*bytes, Ordering::Relaxed))
    });
    let until = now() + Duration::from_secs(2);
    while now() < until {
        pair.talks();
    }
    let flooded = flooded.load(Ordering::Relaxed);
    report(&format!(
        "during a flood of {flooded} bytes in 2 s, the slowest message took {:?}",
        pair.slowest
    ));
    assert!(flooded > 1 << 20, "the flood was only {flooded} bytes");
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "a flood in one chat");
    // The threads end only when their connections fail.
    for person in [&carl, &dora] {
        person.socket().shutdown(Shutdown::Both).expect("a live socket");
    }
}

// Resets.

#[test]
fn a_reset_with_queued_output_affects_only_its_own_session_and_chat() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let before = process::descriptors(server.pid());
    let mut carl = Person::joins(&server, "carl");
    for round in 0..40 {
        let name = format!("victim{round}");
        let mut victim = with_small_buffers(&server, &name);
        if round % 2 == 0 {
            // Unread answers are queued for the victim.
            victim.sends_without_waiting(&b"1\nhelp\n".repeat(10_000));
            pair.talks();
            victim.reset();
        } else {
            // Unread messages of a partner are queued for the victim.
            carl.chats_with(&mut victim);
            carl.sends_without_waiting(&b"a text that waits\n".repeat(20_000));
            pair.talks();
            victim.reset();
            carl.reads(&format!("* {name} left"));
            carl.reads_exactly(MENU);
            // The server would refuse each line that carl typed for the victim, so a new session
            // replaces carl's.
            carl.reset();
            carl = joins_when_admitted(&server, &format!("carl{round}"));
        }
        pair.talks();
    }
    drop(carl);
    waits_until_connections_are_closed(&server, &mut pair, before);
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "resets with output queued");
}

// Stalled readers (7.7 to 7.9, 7.16, 7.17, 7.35 to 7.38).

/// A message with a number, about 1,000 bytes long.
fn numbered(number: usize) -> String {
    format!("{number:08} {}", "abcdefghij".repeat(99))
}

#[test]
fn the_server_stops_reading_a_user_whose_partner_never_reads() {
    let mut server = Server::starts_with(&["--stall-timeout", "4"]);
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = Person::joins(&server, "dora");
    carl.chats_with(&mut dora);
    let block: String = (0..100).map(|number| numbered(number) + "\n").collect();
    let block = block.as_bytes();
    let (began, mut sent) = (now(), 0);
    // Carl sends until just before dora's stall timeout. The pair chats all the time.
    while sent < 100 << 20 && began.elapsed() < Duration::from_secs(3) {
        sent += carl.sends_without_waiting(&block[sent % block.len()..]);
        pair.talks();
    }
    report(&format!("of 100 MB for a partner who never reads, the server took {sent} bytes"));
    report(&format!(
        "meanwhile {} messages there and back, the slowest {:?}",
        pair.sent, pair.slowest
    ));
    assert!(sent < 50 << 20, "the server took {sent} bytes for a partner who never reads");
    pair.was_served_well();
    // 5.14: carl is told once. 5.15: dora's session ends, and carl is at the menu.
    carl.reads("* dora is not reading");
    carl.reads_all(&["* dora left", MENU]);
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(3), "7.17: after only {took:?}");
    let _dora = Person::joins(&server, "dora");
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "100 MB for a partner who never reads");
}

/// (6.2.2)
#[test]
fn a_member_that_does_not_read_delays_nobody_and_is_told_how_many_lines_were_missed() {
    const LINES: usize = 8_000;
    let mut server = Server::starts_with(&["--room-pace", "1000000"]);
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let mut slow = with_small_buffers(&server, "slow");
    let mut carl = Person::joins(&server, "carl");
    for person in [&mut slow, &mut carl] {
        person.says("4");
        person.reads("* You are now in lobby");
    }
    slow.reads_exactly("* carl joined lobby");
    carl.reads_exactly("- slow");
    for n in 0..LINES {
        carl.says(&numbered(n));
        carl.reads_exactly(&format!("carl: {}", numbered(n)));
        if n % 1_000 == 0 {
            pair.talks();
        }
    }
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "8,000 lines for a member who never reads");
    // The slow member reads now. Every line arrives, or is counted in a `* You missed` line.
    let (mut next, mut notices) = (0, 0);
    while next < LINES {
        let line = slow.reads_a_line();
        if line == format!("carl: {}", numbered(next)) {
            next += 1;
        } else {
            let missed = line.strip_prefix("* You missed ").and_then(|rest| rest.split_once(' '));
            let count = missed.and_then(|(count, _)| count.parse::<usize>().ok());
            next += count.unwrap_or_else(|| panic!("expected line {next}, read {line:?}"));
            notices += 1;
        }
    }
    assert_eq!(next, LINES, "the count of missed lines is exact");
    report(&format!(
        "a member who did not read {LINES} lines got {notices} notices of missed lines"
    ));
    assert!(notices > 0, "no line was missed, so the test shows nothing");
    carl.says("still here?");
    slow.reads_exactly("carl: still here?");
    slow.exits_from_room();
}

#[test]
fn a_user_who_reads_with_pauses_loses_no_message() {
    const LINES: usize = 20_000;
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = MemoryBefore::of(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    let (mut next_sent, mut rest) = (0, Vec::new());
    let (mut next_read, mut received) = (0, Vec::new());
    let mut rounds = 0;
    let until = now() + 3 * timeout();
    while next_read < LINES {
        while next_sent < LINES || !rest.is_empty() {
            if rest.is_empty() {
                rest = (numbered(next_sent) + "\n").into_bytes();
                next_sent += 1;
            }
            let count = carl.sends_without_waiting(&rest);
            rest.drain(..count);
            if count == 0 {
                break;
            }
        }
        // In every 50th round the pair chats while dora does not read. Then she reads up to 1 MiB.
        rounds += 1;
        if rounds % 50 == 0 {
            pair.talks();
        }
        if next_sent < LINES || !rest.is_empty() {
            dora.waits_for_bytes();
        }
        received.extend(dora.reads_without_waiting(1 << 20));
        let mut start = 0;
        while let Some(end) = received[start..].windows(2).position(|two| two == b"\r\n") {
            let line = format!("carl: {}", numbered(next_read));
            assert_eq!(String::from_utf8_lossy(&received[start..start + end]), line);
            next_read += 1;
            start += end + 2;
        }
        received.drain(..start);
        assert!(now() < until, "{next_read} of {LINES} lines have come");
    }
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "20 MB for a user who reads with pauses");
}

/// Sends lines until the server stops reading carl. Returns how many complete lines the kernel
/// took.
fn sends_until_held(carl: &mut Person, pair: &mut Pair, line: impl Fn(usize) -> String) -> usize {
    let block: String = (0..100).map(|number| line(number) + "\n").collect();
    let (mut sent, mut blocked) = (0, 0);
    while blocked < 20 {
        let count = carl.sends_without_waiting(&block.as_bytes()[sent % block.len()..]);
        sent += count;
        blocked = if count == 0 { blocked + 1 } else { 0 };
        pair.talks();
        assert!(sent < 100 << 20, "the server never stopped reading");
    }
    sent / (block.len() / 100)
}

#[test]
fn when_a_held_sender_closes_its_half_every_message_is_still_delivered() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    let lines = sends_until_held(&mut carl, &mut pair, numbered);
    carl.half_close();
    for number in 0..lines {
        dora.reads_exactly(&format!("carl: {}", numbered(number % 100)));
    }
    let last = dora.reads_until("* carl left");
    assert!(last.len() <= 2, "only the unfinished line may come between: {last:?}");
    dora.reads_exactly(MENU);
    pair.was_served_well();
    server.is_healthy();
}

#[test]
fn a_reset_of_a_held_sender_is_noticed_at_once_and_frees_the_username() {
    let server = Server::starts_with(&["--stall-timeout", "600"]);
    let mut pair = Pair::meets(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    sends_until_held(&mut carl, &mut pair, numbered);
    carl.reset();
    pair.talks();
    let mut again = Person::joins(&server, "carl");
    again.says("1 dora");
    again.reads_all(&["* 1 user", "- dora available", MENU]);
    let lines = dora.reads_until("* carl left");
    assert!(lines.len() > 10, "messages that the server had taken are delivered");
    dora.reads_exactly(MENU);
    pair.was_served_well();
}

#[test]
fn a_held_line_whose_recipient_has_left_is_never_cut_in_two() {
    let server = Server::starts();
    let mut pair = Pair::meets(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    // The whole line is no choice of the menu, but a line cut after its first part would leave the
    // choice 3.
    let line = format!("I take the{}3", " ".repeat(900));
    let lines = sends_until_held(&mut carl, &mut pair, |_| line.clone());
    dora.reset();
    carl.reads("* dora left");
    // 3.1.5: lines typed for dora are delivered to nobody, and no part of a line counts as carl's
    // choice.
    carl.sends(b"\n1 carl\n");
    let answers = carl.reads_until("- carl available (you)");
    assert!(answers.len() <= 2 * lines + 10, "{} answers to {lines} lines", answers.len());
    carl.reads_exactly(MENU);
    pair.was_served_well();
}

#[test]
fn a_stalled_reader_that_reads_again_keeps_its_session() {
    let server = Server::starts_with(&["--stall-timeout", "2"]);
    let mut pair = Pair::meets(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    sends_until_held(&mut carl, &mut pair, numbered);
    // For twice the stall timeout, dora reads about 50 KB a second.
    let until = now() + Duration::from_secs(4);
    let mut taken = 0;
    while now() < until {
        taken += dora.reads_without_waiting(16 * 1024).len();
        pair.anna.reads_nothing_for(Duration::from_millis(300));
    }
    assert!(taken > 0);
    carl.reads_nothing_for(Duration::from_millis(1));
    pair.was_served_well();
}

// A log that cannot be written.

/// Checks that a server works completely: users join, chat and exit; the server stops and exits
/// with 0.
fn works_from_start_to_stop(mut server: Server) {
    let mut pair = Pair::meets(&server);
    for number in 0..400 {
        let mut guest = Person::joins(&server, &format!("guest{number}"));
        guest.exits();
        guest.reads_end_of_stream();
        if number % 20 == 0 {
            pair.talks();
        }
    }
    pair.was_served_well();
    server.is_healthy();
    server.signal(Signal::TERM);
    pair.anna.reads("* The server is stopping");
    drop(pair);
    assert_eq!(server.exits().code(), Some(0));
}

#[test]
fn a_closed_stderr_does_not_stop_the_server() {
    works_from_start_to_stop(Server::starts_from_shell("exec 2>&-", &["-vvv"]));
}

#[test]
fn a_full_disk_for_the_log_does_not_stop_the_server() {
    works_from_start_to_stop(Server::starts_from_shell("exec 2>/dev/full", &["-vvv"]));
}

#[test]
fn a_log_pipe_whose_reader_has_closed_does_not_stop_the_server() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = Server::command("127.0.0.1:0", &["-vvv"]);
    command.stderr(Stdio::from(writer));
    let server = Server::launches_with_stderr(command, 1);
    drop(reader);
    works_from_start_to_stop(server);
}

#[test]
fn a_log_pipe_that_is_never_read_does_not_block_the_server() {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = Server::command("127.0.0.1:0", &["-vvv"]);
    command.stderr(Stdio::from(writer));
    works_from_start_to_stop(Server::launches_with_stderr(command, 1));
    // If the pipe was never full, the test shows nothing.
    let mut log = String::new();
    reader.read_to_string(&mut log).expect("a pipe");
    assert!(log.contains("guest0") && !log.contains("guest399"), "{} bytes of log", log.len());
}

// Signals and deadlines.

#[test]
fn a_stop_under_load_ends_by_the_closing_deadline() {
    let mut server = Server::starts_with(&["--closing-timeout", "1"]);
    let mut pair = Pair::meets(&server);
    let mut talkers = Vec::new();
    for number in 0..20 {
        let mut sender = Person::joins(&server, &format!("one{number}"));
        let mut reader = with_small_buffers(&server, &format!("two{number}"));
        sender.chats_with(&mut reader);
        talkers.push((sender, reader));
    }
    let block = b"on and on and on\n".repeat(20_000);
    for (sender, _) in &mut talkers {
        sender.sends_without_waiting(&block);
    }
    let _silent: Vec<Person> = (0..50).map(|_| Person::connects(server.address())).collect();
    pair.talks();
    let began = now();
    server.signal(Signal::TERM);
    assert_eq!(server.exits().code(), Some(0));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "4.10.4: the stop took {took:?}");
    pair.anna.reads("* The server is stopping");
}

/// Input that has arrived is processed before deadlines that have passed (4.1.6), even if the
/// process was stopped beyond the deadline.
#[test]
fn input_that_arrived_in_time_counts_although_the_process_was_stopped_beyond_the_deadline() {
    let flags = ["--stall-timeout", "1", "--ask-timeout", "1", "--naming-timeout", "1"];
    let server = Server::starts_with(&flags);
    let mut pair = Pair::meets(&server);
    let (mut carl, mut dora) = (Person::joins(&server, "carl"), Person::joins(&server, "dora"));
    let mut unnamed = Person::arrives(&server);
    carl.asks(&mut dora);
    server.signal(Signal::STOP);
    let until = now() + timeout();
    while process::state(server.pid()) != 'T' {
        assert!(now() < until, "the server is not stopped by SIGSTOP");
    }
    pair.anna.says("said while the server was stopped");
    dora.says("yes");
    unnamed.says("unnamed");
    pair.bert.reads_nothing_for(Duration::from_millis(1500));
    server.signal(Signal::CONT);
    pair.bert.reads_exactly("anna: said while the server was stopped");
    dora.reads("* You are now chatting with carl");
    carl.reads_all(&["* dora accepted", "* You are now chatting with dora"]);
    unnamed.reads_all(&["* Hello, unnamed", MENU]);
    pair.talks();
}

/// What waits in the kernel when the partner ends the chat is nobody's, and least of all a choice of the
/// menu (4.1.5, 7.48).
#[test]
fn lines_for_a_partner_that_wait_in_the_kernel_reach_nobody_else() {
    let server = Server::starts();
    let mut pair = Pair::meets(&server);
    let mut zoe = Person::joins(&server, "zoe");
    server.signal(Signal::STOP);
    let until = now() + timeout();
    while process::state(server.pid()) != 'T' {
        assert!(now() < until, "the server is not stopped by SIGSTOP");
    }
    // The kernel reports the sockets in the order in which they became ready.
    pair.bert.says("quit");
    pair.anna.says("2 zoe");
    pair.anna.says("my secret, dear bert");
    pair.anna.sends(b"half a li");
    server.signal(Signal::CONT);
    pair.bert.reads_all(&["* You left", MENU]);
    pair.anna.reads_all(&["* bert left", MENU]);
    pair.anna.reads_exactly("! 3 lines you had typed before that were not delivered");
    // The rest of the line that was cut is nobody's either.
    pair.anna.sends(b"ne\n1\n");
    pair.anna.reads("* 3 users online");
    zoe.has_read_everything();
    pair.bert.has_read_everything();
}
