//! Faults and attacks on the real program, and what they must not cost anybody else.
//!
//! Each test here has been seen to fail against a server without the defence it is about. Memory, wake-ups
//! and processor time are read from /proc, so these tests are for Linux.
#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::dice::Dice;
use common::{MENU, Person, Server, USERNAME, now, patience, process, report, skip};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use socket2::{Domain, Socket, Type};

/// What one connection, whatever it does, may add to the server's memory: its buffers, and not more.
const ONE_ATTACKER_KIB: u64 = 3 * 1024;
/// What thousands of connections may add.
const THOUSANDS_KIB: u64 = 24 * 1024;
/// What an honest answer may take while an attack goes on, on a busy machine, in a debug build.
const LATENCY_MAX: Duration = Duration::from_secs(1);

/// Two who chat, undisturbed by all the others, and measure how long each text takes.
struct Pair {
    anna: Person,
    bert: Person,
    said: usize,
    slowest: Duration,
}

impl Pair {
    fn meets(server: &Server) -> Pair {
        let (mut anna, mut bert) = (Person::joins(server, "anna"), Person::joins(server, "bert"));
        anna.chats_with(&mut bert);
        Pair { anna, bert, said: 0, slowest: Duration::ZERO }
    }

    /// One text there and one back.
    #[track_caller]
    fn talks(&mut self) {
        self.said += 1;
        let began = now();
        let text = format!("text {}", self.said);
        self.anna.says(&text);
        self.bert.hears_exactly(&format!("anna: {text}"));
        self.bert.says(&text);
        self.anna.hears_exactly(&format!("bert: {text}"));
        self.slowest = self.slowest.max(began.elapsed());
    }

    #[track_caller]
    fn was_served_well(&mut self) {
        self.talks();
        assert!(self.slowest < LATENCY_MAX, "a text took {:?}", self.slowest);
    }
}

/// A connection whose own buffers are small, so that what it does not read, and what the server does not
/// read of it, shows soon.
fn with_small_buffers(server: &Server, name: &str) -> Person {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    socket.set_send_buffer_size(64 * 1024).expect("a small buffer");
    socket.connect(&server.address().into()).expect("the server accepts");
    let mut person = Person::on(TcpStream::from(socket));
    person.hears_all(&["* Welcome", USERNAME]);
    person.enters(name);
    person
}

/// What the server holds before an attack.
struct Before {
    kib: u64,
}

impl Before {
    fn of(server: &Server) -> Before {
        Before { kib: process::peak_kib(server.pid()) }
    }

    /// At its worst the attack has cost no more memory than `most_kib`, and the server is well.
    #[track_caller]
    fn cost_at_most(self, most_kib: u64, server: &mut Server, attack: &str) {
        let peak = process::peak_kib(server.pid());
        report(&format!("peak memory: {peak} KiB, {} KiB of it by {attack}", peak - self.kib));
        assert!(peak - self.kib <= most_kib, "{attack}: {} KiB, then {peak} KiB", self.kib);
        server.is_well();
    }
}

/// Waits until the server has as many descriptors open as before: nobody's connection was forgotten.
#[track_caller]
fn has_let_everybody_go(server: &Server, pair: &mut Pair, before: usize) {
    let until = now() + patience();
    while process::descriptors(server.pid()) > before {
        assert!(
            now() < until,
            "{} descriptors, {before} before",
            process::descriptors(server.pid())
        );
        pair.talks();
    }
}

// Rest.

#[test]
fn an_idle_server_with_idle_users_does_not_wake_up() {
    let server = Server::starts();
    let mut people: Vec<Person> =
        (0..20).map(|number| Person::joins(&server, &format!("u{number}"))).collect();
    let mut pair = Pair::meets(&server);
    pair.talks();
    // The answer was here before the server had gone to sleep over it.
    people[0].hears_nothing_for(Duration::from_millis(100));
    let (sleeps, ticks) = (process::sleeps(server.pid()), process::ticks(server.pid()));
    people[0].hears_nothing_for(Duration::from_secs(3));
    let woken = process::sleeps(server.pid()) - sleeps;
    report(&format!("wake-ups of an idle server with 22 users in 3 s: {woken}"));
    assert_eq!(woken, 0, "an idle server woke up");
    assert_eq!(process::ticks(server.pid()), ticks, "an idle server worked");
    pair.was_served_well();
}

#[test]
fn a_thousand_idle_users_cost_little_and_a_long_list_is_cut() {
    let mut server = Server::starts();
    let before = process::resident_kib(server.pid());
    let mut people: Vec<Person> =
        (0..1001).map(|number| Person::joins(&server, &format!("u{number}"))).collect();
    let after = process::resident_kib(server.pid());
    report(&format!("memory with 1,001 idle users: {after} KiB ({before} KiB without any)"));
    assert!(after - before < 16 * 1024, "{before} KiB, then {after} KiB");
    people[0].says("1 u");
    let first = people[0].hears("* ");
    assert!(first.to_lowercase().contains("more than 1000"), "3.4.3: {first}");
    assert_eq!(people[0].hears_rows().len(), 51);
    people[0].hears_exactly(MENU);
    server.is_well();
}

// Descriptors and connections (5.17, 5.18).

#[test]
fn out_of_descriptors_it_goes_on_serving_without_spinning_and_accepts_again() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    // The server has counted on more descriptors than it now gets, as when the whole system is short.
    let most = process::descriptors(server.pid()) as u64 + 40;
    let pid = Pid::from_raw(server.pid().cast_signed());
    let short = Rlimit { current: Some(most), maximum: Some(most) };
    prlimit(pid, Resource::Nofile, short).expect("a child's limit may be lowered");
    // The kernel completes these connections whether the server can accept them or not.
    let mut guests: Vec<Person> = (0..100).map(|_| Person::dials(server.address())).collect();
    pair.talks();
    server.logs(&["WARN", "cannot accept"]);
    let (ticks, sleeps) = (process::ticks(server.pid()), process::sleeps(server.pid()));
    pair.anna.hears_nothing_for(Duration::from_secs(2));
    let worked = process::ticks(server.pid()) - ticks;
    let woken = process::sleeps(server.pid()) - sleeps;
    report(&format!("out of descriptors for 2 s: {worked} ticks of 10 ms, {woken} wake-ups"));
    assert!(worked <= 20, "it spun: {worked} ticks of 10 ms in 2 s");
    assert!(woken <= 50, "it woke up {woken} times in 2 s");
    pair.was_served_well();
    // As those go who were let in, those who waited are.
    for mut guest in guests.drain(..) {
        guest.hears_all(&["* Welcome", USERNAME]);
        pair.talks();
    }
    let _late = Person::joins(&server, "late");
    pair.was_served_well();
    server.is_well();
}

#[test]
fn with_the_limit_of_its_own_it_never_runs_out_of_descriptors() {
    let mut server = Server::starts_after("ulimit -n 64", &[]);
    let mut pair = Pair::meets(&server);
    let mut guests: Vec<Person> = (0..100).map(|_| Person::dials(server.address())).collect();
    let answers: Vec<String> = guests.iter_mut().map(Person::hears_a_line).collect();
    let welcome = answers.iter().filter(|line| line.starts_with("* Welcome")).count();
    assert_eq!(welcome, 64 - 32 - 2, "{answers:?}");
    assert!(answers[welcome..].iter().all(|line| line.starts_with("! ")), "{answers:?}");
    drop(guests);
    pair.was_served_well();
    let _late = joins_at_last(&server, "late");
    server.is_well();
}

#[test]
fn a_low_soft_limit_of_descriptors_is_raised() {
    let server = Server::starts_after("ulimit -S -n 64", &[]);
    let mut guests: Vec<Person> = (0..200).map(|_| Person::dials(server.address())).collect();
    for guest in &mut guests {
        guest.hears_all(&["* Welcome", USERNAME]);
    }
}

/// Joins once there is room again: the server hears of the others' leaving in its own time.
#[track_caller]
fn joins_at_last(server: &Server, name: &str) -> Person {
    let until = now() + patience();
    loop {
        let mut person = Person::dials(server.address());
        if person.hears_a_line().starts_with("* Welcome") {
            person.hears_exactly(USERNAME);
            person.enters(name);
            return person;
        }
        person.hears_the_end();
        assert!(now() < until, "there was never room again");
    }
}

#[test]
fn one_more_than_the_most_connections_is_told_so_and_closed() {
    let server = Server::starts_with(&["--max-connections", "3"]);
    let mut pair = Pair::meets(&server);
    let third = Person::joins(&server, "third");
    for _ in 0..20 {
        let mut fourth = Person::dials(server.address());
        fourth.hears("! ");
        fourth.hears_the_end();
    }
    // A script has said all it has to say before it is turned away, and still learns why.
    for _ in 0..50 {
        let mut script = Person::dials(server.address());
        script.sends_or_fails(b"anna\n1\n3\n");
        script.hears("! ");
    }
    third.hang_up();
    let _fourth = joins_at_last(&server, "fourth");
    pair.was_served_well();
}

/// An address of this machine that is not loopback, if it has one. Nothing is sent.
fn own_address(any: &str, far: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(far).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && UdpSocket::bind((address, 0)).is_ok()).then_some(address)
}

#[test]
fn one_more_than_the_most_from_one_address_is_told_so_and_closed() {
    let own = [own_address("0.0.0.0:0", "192.0.2.1:9"), own_address("[::]:0", "[2001:db8::1]:9")];
    if own[0].is_none() {
        skip("this machine has no IPv4 address but loopback");
    }
    for address in own.into_iter().flatten() {
        let listen = SocketAddr::new(address, 0).to_string();
        let server = Server::launches(Server::command(&listen, &["--max-per-address", "3"]));
        let mut pair = Pair::meets(&server);
        let third = Person::joins(&server, "third");
        for _ in 0..10 {
            let mut fourth = Person::dials(server.address());
            fourth.hears("! ");
            fourth.hears_the_end();
        }
        third.reset();
        let _fourth = joins_at_last(&server, "fourth");
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
fn thousands_who_never_give_a_name_are_let_go_at_the_deadline() {
    let mut server = Server::starts_with(&["--naming-timeout", "1"]);
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let before = process::descriptors(server.pid());
    let mut silent = Vec::new();
    for number in 0..2000 {
        silent.push(Person::dials(server.address()));
        if number % 100 == 0 {
            pair.talks();
        }
    }
    for mut person in silent {
        person.hears_all(&["* Welcome", USERNAME, "! "]);
        person.hears_the_end();
    }
    has_let_everybody_go(&server, &mut pair, before);
    pair.was_served_well();
    memory.cost_at_most(THOUSANDS_KIB, &mut server, "2,000 connections that never give a name");
}

/// Who was let go and does not go is closed at the closing deadline (5.16).
#[test]
fn who_never_ends_their_half_is_closed_regardless() {
    let server = Server::starts_with(&["--closing-timeout", "0.5"]);
    let mut pair = Pair::meets(&server);
    let before = process::descriptors(server.pid());
    let mut lingers: Vec<Person> =
        (0..20).map(|number| Person::joins(&server, &format!("u{number}"))).collect();
    for person in &mut lingers {
        person.exits();
        person.hears_the_end();
    }
    has_let_everybody_go(&server, &mut pair, before);
    pair.was_served_well();
}

#[test]
fn thousands_of_connects_and_closes_leave_nothing_behind() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let before = process::descriptors(server.pid());
    let mut dice = Dice::shaken();
    for number in 0..20_000 {
        let mut person = Person::dials(server.address());
        match dice.below(5) {
            0 => person.hang_up(),
            1 | 2 => person.reset(),
            3 => {
                person.sends_or_fails(b"half a na");
                person.reset();
            }
            _ => {
                person.sends_or_fails(b"pass\n1\n");
                person.reset();
            }
        }
        if number % 200 == 0 {
            pair.talks();
        }
    }
    has_let_everybody_go(&server, &mut pair, before);
    pair.was_served_well();
    pair.anna.says("quit");
    pair.anna.hears_all(&["* You left", MENU]);
    pair.anna.says("1");
    pair.anna.hears_exactly("* 2 users online");
    memory.cost_at_most(THOUSANDS_KIB, &mut server, "20,000 connects and closes");
}

// Floods of bytes.

#[test]
fn ten_megabytes_without_a_newline_are_one_line_too_long() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let mut flooder = Person::joins(&server, "flooder");
    let chunk = vec![b'x'; 64 * 1024];
    for _ in 0..160 {
        flooder.sends(&chunk);
        pair.talks();
    }
    flooder.sends(b"\n");
    flooder.hears_all(&["! ", MENU]);
    flooder.has_heard_it_all();
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "10 MB without a newline");
}

#[test]
fn a_byte_at_a_time_on_many_connections_is_served_as_well() {
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
        person.hears_exactly(&format!("* Hello, slow{number:03}"));
        person.hears_exactly(MENU);
    }
    pair.was_served_well();
}

#[test]
fn a_subnegotiation_that_never_ends_is_given_up_and_costs_nothing() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let mut flooder = Person::joins(&server, "flooder");
    flooder.sends(&[255, 250, 24]);
    let chunk = vec![0; 64 * 1024];
    for _ in 0..64 {
        flooder.sends(&chunk);
        pair.talks();
    }
    // It was given up long ago, and with the end of the line it spoiled all is as before.
    flooder.sends(b"\n");
    flooder.hears_all(&["! ", MENU]);
    flooder.says("1 flooder");
    flooder.hears_all(&["* 1 user", "- flooder available (you)", MENU]);
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "a subnegotiation without end");
}

/// Sends `unit` over and over without reading, until the server takes no more; then reads, and what came
/// must be `answer` for each unit, once. Returns how many units were sent.
fn floods_without_reading(
    flooder: &mut Person,
    pair: &mut Pair,
    unit: &[u8],
    answer: &[u8],
) -> usize {
    let block = unit.repeat(64 * 1024 / unit.len());
    let (mut sent, mut refused) = (0, 0);
    // CommandRefusal this often in a row, with others served in between, the server has stopped reading.
    while refused < 50 {
        let count = flooder.pushes(&block[sent % unit.len()..]);
        sent += count;
        refused = if count == 0 { refused + 1 } else { 0 };
        pair.talks();
        assert!(sent < 100 << 20, "the server has read {sent} bytes and goes on");
    }
    let units = sent.div_ceil(unit.len());
    let mut rest = unit.repeat(units)[sent..].to_vec();
    let mut heard = Vec::new();
    while heard.len() < units * answer.len() {
        rest.drain(..flooder.pushes(&rest));
        assert!(flooder.waits_for_bytes(), "{units} units, {} bytes of answers", heard.len());
        heard.extend(flooder.takes(1 << 20));
    }
    assert!(heard == answer.repeat(units), "some other answer was among {units}");
    units
}

#[test]
fn a_flood_of_telnet_requests_that_nobody_reads_the_answers_to_is_not_read_either() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let mut flooder = with_small_buffers(&server, "flooder");
    let dos = floods_without_reading(&mut flooder, &mut pair, &[255, 253, 6], &[255, 252, 6]);
    report(&format!("{dos} telnet requests were answered, each once"));
    flooder.says("1 flooder");
    flooder.hears_all(&["* 1 user", "- flooder available (you)", MENU]);
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "a flood of telnet requests");
}

#[test]
fn lists_asked_for_in_a_loop_without_reading_cost_nothing_and_all_come() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let mut flooder = with_small_buffers(&server, "flooder");
    flooder.says("1");
    let mut answer = vec![flooder.hears("* 3 users online")];
    answer.extend(flooder.hears_rows());
    answer.push(flooder.hears(MENU));
    let answer = answer.join("\r\n") + "\r\n";
    let lists = floods_without_reading(&mut flooder, &mut pair, b"1\n", answer.as_bytes());
    report(&format!("{lists} lists were answered, each once"));
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "lists in a loop that nobody reads");
}

#[test]
fn asks_and_cancels_in_a_loop_without_reading_cost_nothing_and_are_slowed() {
    let mut server = Server::starts_with(&["--ask-again", "0.001"]);
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let mut asker = Person::joins(&server, "asker");
    let mut asked: Vec<Person> =
        (0..50).map(|number| Person::joins(&server, &format!("asked{number}"))).collect();
    let asks: String = (0..50).map(|number| format!("2 asked{number}\ncancel\n")).collect();
    let began = now();
    for _ in 0..100 {
        asker.pushes(asks.as_bytes());
        pair.talks();
    }
    let told = asked.iter_mut().map(|one| one.takes(1).len()).filter(|&bytes| bytes > 0).count();
    let most = 6 + began.elapsed().as_secs() / 2;
    // An allowance of five, and one more every 2 s (4.4).
    assert!((5..=most).contains(&(told as u64)), "{told} were asked, {most} may have been");
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "asks and cancels in a loop");
    asker.reset();
    pair.was_served_well();
}

/// A thread that does one thing to a connection for as long as that lasts.
#[expect(
    clippy::disallowed_methods,
    reason = "an attacker does not wait for the test's one thread"
)]
fn in_the_background(act: impl FnMut() -> std::io::Result<usize> + Send + 'static) {
    let mut act = act;
    std::thread::spawn(move || while act().is_ok_and(|count| count > 0) {});
}

/// A turn of the loop reads a little of everybody (5.19), so a flood without a pause starves nobody.
#[test]
fn a_flood_between_two_does_not_starve_two_others() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let (mut carl, mut dora) = (Person::joins(&server, "carl"), Person::joins(&server, "dora"));
    carl.chats_with(&mut dora);
    let mut mouth = carl.socket().try_clone().expect("a handle");
    let mut ears = dora.socket().try_clone().expect("a handle");
    let block = b"a short text\n".repeat(5000);
    let heard = Arc::new(AtomicUsize::new(0));
    let count = heard.clone();
    in_the_background(move || mouth.write(&block));
    let mut chunk = vec![0; 1 << 20];
    in_the_background(move || {
        ears.read(&mut chunk).inspect(|bytes| _ = count.fetch_add(*bytes, Ordering::Relaxed))
    });
    let until = now() + Duration::from_secs(2);
    while now() < until {
        pair.talks();
    }
    let heard = heard.load(Ordering::Relaxed);
    report(&format!(
        "beside a flood of {heard} bytes in 2 s, the slowest text took {:?}",
        pair.slowest
    ));
    assert!(heard > 1 << 20, "the flood flowed: {heard} bytes");
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "a flood between two");
    // Without a pause the threads would go on: the end of the connections is theirs.
    for person in [&carl, &dora] {
        person.socket().shutdown(Shutdown::Both).expect("a live socket");
    }
}

// Resets.

#[test]
fn resets_with_output_queued_cost_only_those_who_reset() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let before = process::descriptors(server.pid());
    let mut carl = Person::joins(&server, "carl");
    for round in 0..40 {
        let name = format!("victim{round}");
        let mut victim = with_small_buffers(&server, &name);
        if round % 2 == 0 {
            // Answers of its own wait for it.
            victim.pushes(&b"1\nhelp\n".repeat(10_000));
            pair.talks();
            victim.reset();
        } else {
            // Texts of a partner wait for it.
            carl.chats_with(&mut victim);
            carl.pushes(&b"a text that waits\n".repeat(20_000));
            pair.talks();
            victim.reset();
            carl.hears(&format!("* {name} left"));
            carl.hears_exactly(MENU);
            // What was typed for the victim is refused line by line.
            carl.reset();
            carl = joins_at_last(&server, &format!("carl{round}"));
        }
        pair.talks();
    }
    drop(carl);
    has_let_everybody_go(&server, &mut pair, before);
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "resets with output queued");
}

// Readers who do not read (5.10 to 5.15).

/// A line of chat with a number in it, long enough that a megabyte has about a thousand.
fn numbered(number: usize) -> String {
    format!("{number:08} {}", "abcdefghij".repeat(99))
}

#[test]
fn a_hundred_megabytes_for_a_partner_who_never_reads_are_held_back() {
    let mut server = Server::starts_with(&["--stall-timeout", "4"]);
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = Person::joins(&server, "dora");
    carl.chats_with(&mut dora);
    let block: String = (0..100).map(|number| numbered(number) + "\n").collect();
    let block = block.as_bytes();
    let (began, mut sent) = (now(), 0);
    // Carl tries for as long as dora is there; the others talk all the while.
    while sent < 100 << 20 && began.elapsed() < Duration::from_secs(3) {
        sent += carl.pushes(&block[sent % block.len()..]);
        pair.talks();
    }
    report(&format!("of 100 MB for a reader who does not read, {sent} bytes were taken"));
    report(&format!(
        "meanwhile {} texts there and back, the slowest {:?}",
        pair.said, pair.slowest
    ));
    assert!(sent < 50 << 20, "{sent} bytes were taken from a sender nobody reads");
    pair.was_served_well();
    // 5.14: told once. 5.15: the reader is parted, the sender is back at the menu.
    carl.hears("* dora is not reading");
    carl.hears_all(&["* dora left", MENU]);
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(3), "5.15: after only {took:?}");
    let _dora = Person::joins(&server, "dora");
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "100 MB for a partner who never reads");
}

/// (6.9)
#[test]
fn a_member_who_does_not_read_slows_nobody_and_learns_exactly_what_was_missed() {
    const LINES: usize = 8_000;
    let mut server = Server::starts_with(&["--room-pace", "1000000"]);
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let mut slow = with_small_buffers(&server, "slow");
    let mut carl = Person::joins(&server, "carl");
    for person in [&mut slow, &mut carl] {
        person.says("4");
        person.hears("* You are now in lobby");
    }
    slow.hears_exactly("* carl joined lobby");
    carl.hears_exactly("- slow");
    for n in 0..LINES {
        carl.says(&numbered(n));
        carl.hears_exactly(&format!("carl: {}", numbered(n)));
        if n % 1_000 == 0 {
            pair.talks();
        }
    }
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "8,000 lines for a member who never reads");
    // Now he reads: every line is there, or counted where it was missed.
    let (mut next, mut times) = (0, 0);
    while next < LINES {
        let line = slow.hears_a_line();
        if line == format!("carl: {}", numbered(next)) {
            next += 1;
        } else {
            let missed = line.strip_prefix("* You missed ").and_then(|rest| rest.split_once(' '));
            let count = missed.and_then(|(count, _)| count.parse::<usize>().ok());
            next += count.unwrap_or_else(|| panic!("line {next} was next, and {line:?} came"));
            times += 1;
        }
    }
    assert_eq!(next, LINES, "exactly");
    report(&format!(
        "a member who reads nothing of {LINES} lines is told {times} times what was missed"
    ));
    assert!(times > 0, "the test has shown nothing");
    carl.says("still here?");
    slow.hears_exactly("carl: still here?");
    slow.exits_from_room();
}

#[test]
fn a_reader_who_reads_in_fits_loses_nothing() {
    const LINES: usize = 20_000;
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let memory = Before::of(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    let (mut next_sent, mut rest) = (0, Vec::new());
    let (mut next_heard, mut heard) = (0, Vec::new());
    let mut fits = 0;
    let until = now() + 3 * patience();
    while next_heard < LINES {
        while next_sent < LINES || !rest.is_empty() {
            if rest.is_empty() {
                rest = (numbered(next_sent) + "\n").into_bytes();
                next_sent += 1;
            }
            let count = carl.pushes(&rest);
            rest.drain(..count);
            if count == 0 {
                break;
            }
        }
        // Now and then dora does not read while the others talk; then she reads a lot.
        fits += 1;
        if fits % 50 == 0 {
            pair.talks();
        }
        if next_sent < LINES || !rest.is_empty() {
            dora.waits_for_bytes();
        }
        heard.extend(dora.takes(1 << 20));
        let mut start = 0;
        while let Some(end) = heard[start..].windows(2).position(|two| two == b"\r\n") {
            let line = format!("carl: {}", numbered(next_heard));
            assert_eq!(String::from_utf8_lossy(&heard[start..start + end]), line);
            next_heard += 1;
            start += end + 2;
        }
        heard.drain(..start);
        assert!(now() < until, "{next_heard} of {LINES} lines have come");
    }
    pair.was_served_well();
    memory.cost_at_most(ONE_ATTACKER_KIB, &mut server, "20 MB for a reader who reads in fits");
}

/// Says lines until the server reads this one no more. Returns how many lines were taken whole.
fn is_held(carl: &mut Person, pair: &mut Pair, line: impl Fn(usize) -> String) -> usize {
    let block: String = (0..100).map(|number| line(number) + "\n").collect();
    let (mut sent, mut refused) = (0, 0);
    while refused < 20 {
        let count = carl.pushes(&block.as_bytes()[sent % block.len()..]);
        sent += count;
        refused = if count == 0 { refused + 1 } else { 0 };
        pair.talks();
        assert!(sent < 100 << 20, "the server never stopped reading");
    }
    sent / (block.len() / 100)
}

#[test]
fn a_held_sender_who_hangs_up_is_noticed_and_what_was_said_is_delivered() {
    let mut server = Server::starts();
    let mut pair = Pair::meets(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    let lines = is_held(&mut carl, &mut pair, numbered);
    carl.half_close();
    for number in 0..lines {
        dora.hears_exactly(&format!("carl: {}", numbered(number % 100)));
    }
    let last = dora.hears_at_last("* carl left");
    assert!(last.len() <= 2, "only what was begun may come between: {last:?}");
    dora.hears_exactly(MENU);
    pair.was_served_well();
    server.is_well();
}

#[test]
fn a_held_sender_who_is_reset_is_noticed_at_once_and_the_name_is_free() {
    let server = Server::starts_with(&["--stall-timeout", "600"]);
    let mut pair = Pair::meets(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    is_held(&mut carl, &mut pair, numbered);
    carl.reset();
    pair.talks();
    let mut again = Person::joins(&server, "carl");
    again.says("1 dora");
    again.hears_all(&["* 1 user", "- dora available", MENU]);
    let lines = dora.hears_at_last("* carl left");
    assert!(lines.len() > 10, "what was taken before is delivered");
    dora.hears_exactly(MENU);
    pair.was_served_well();
}

#[test]
fn a_held_line_whose_reader_has_gone_is_never_cut_in_two() {
    let server = Server::starts();
    let mut pair = Pair::meets(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    // The whole line is a text and no choice; any end of it would be the choice 3.
    let line = format!("I take the{}3", " ".repeat(900));
    let lines = is_held(&mut carl, &mut pair, |_| line.clone());
    dora.reset();
    carl.hears("* dora left");
    // 3.1.5: what was typed for dora is delivered to nobody. No piece of it is a choice of carl's.
    carl.sends(b"\n1 carl\n");
    let answers = carl.hears_at_last("- carl available (you)");
    assert!(answers.len() <= 2 * lines + 10, "{} answers to {lines} lines", answers.len());
    carl.hears_exactly(MENU);
    pair.was_served_well();
}

#[test]
fn a_reader_who_begins_to_read_again_is_not_parted() {
    let server = Server::starts_with(&["--stall-timeout", "2"]);
    let mut pair = Pair::meets(&server);
    let mut carl = Person::joins(&server, "carl");
    let mut dora = with_small_buffers(&server, "dora");
    carl.chats_with(&mut dora);
    is_held(&mut carl, &mut pair, numbered);
    // Twice as long as the deadline, but some of it is taken all the while, 50 KB a second.
    let until = now() + Duration::from_secs(4);
    let mut taken = 0;
    while now() < until {
        taken += dora.takes(16 * 1024).len();
        pair.anna.hears_nothing_for(Duration::from_millis(300));
    }
    assert!(taken > 0);
    carl.hears_nothing_for(Duration::from_millis(1));
    pair.was_served_well();
}

// The log's end of the world.

/// A whole little life of the server: people come, meet, talk, leave; it stops, and exits 0.
fn lives(mut server: Server) {
    let mut pair = Pair::meets(&server);
    for number in 0..400 {
        let mut guest = Person::joins(&server, &format!("guest{number}"));
        guest.exits();
        guest.hears_the_end();
        if number % 20 == 0 {
            pair.talks();
        }
    }
    pair.was_served_well();
    server.is_well();
    server.signal(Signal::TERM);
    pair.anna.hears("* The server is stopping");
    drop(pair);
    assert_eq!(server.ends().code(), Some(0));
}

#[test]
fn a_closed_stderr_takes_nobody_down() {
    lives(Server::starts_after("exec 2>&-", &["-vvv"]));
}

#[test]
fn a_full_disk_under_the_log_takes_nobody_down() {
    lives(Server::starts_after("exec 2>/dev/full", &["-vvv"]));
}

#[test]
fn a_log_whose_reader_has_gone_takes_nobody_down() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = Server::command("127.0.0.1:0", &["-vvv"]);
    command.stderr(Stdio::from(writer));
    let server = Server::launches_with_stderr(command, 1);
    drop(reader);
    lives(server);
}

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = Server::command("127.0.0.1:0", &["-vvv"]);
    command.stderr(Stdio::from(writer));
    lives(Server::launches_with_stderr(command, 1));
    // The pipe was full, or the test has shown nothing.
    let mut log = String::new();
    reader.read_to_string(&mut log).expect("a pipe");
    assert!(log.contains("guest0") && !log.contains("guest399"), "{} bytes of log", log.len());
}

// Signals and clocks.

#[test]
fn a_stop_under_load_is_over_by_the_closing_deadline() {
    let mut server = Server::starts_with(&["--closing-timeout", "1"]);
    let mut pair = Pair::meets(&server);
    let mut talkers = Vec::new();
    for number in 0..20 {
        let mut one = Person::joins(&server, &format!("one{number}"));
        let mut two = with_small_buffers(&server, &format!("two{number}"));
        one.chats_with(&mut two);
        talkers.push((one, two));
    }
    let block = b"on and on and on\n".repeat(20_000);
    for (one, _) in &mut talkers {
        one.pushes(&block);
    }
    let _silent: Vec<Person> = (0..50).map(|_| Person::dials(server.address())).collect();
    pair.talks();
    let began = now();
    server.signal(Signal::TERM);
    assert_eq!(server.ends().code(), Some(0));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "3.9.3: it took {took:?}");
    pair.anna.hears("* The server is stopping");
}

/// What has come is read before what is due (3.1.6), also when the clock has jumped over the deadline.
#[test]
fn a_jump_of_the_clock_ends_nothing_that_was_done_in_time() {
    let bounds = ["--stall-timeout", "1", "--ask-timeout", "1", "--naming-timeout", "1"];
    let server = Server::starts_with(&bounds);
    let mut pair = Pair::meets(&server);
    let (mut carl, mut dora) = (Person::joins(&server, "carl"), Person::joins(&server, "dora"));
    let mut unnamed = Person::arrives(&server);
    carl.asks(&mut dora);
    server.signal(Signal::STOP);
    let until = now() + patience();
    while process::state(server.pid()) != 'T' {
        assert!(now() < until, "the server does not stop");
    }
    pair.anna.says("said while the clock stood still");
    dora.says("yes");
    unnamed.says("unnamed");
    pair.bert.hears_nothing_for(Duration::from_millis(1500));
    server.signal(Signal::CONT);
    pair.bert.hears_exactly("anna: said while the clock stood still");
    dora.hears("* You are now chatting with carl");
    carl.hears_all(&["* dora accepted", "* You are now chatting with dora"]);
    unnamed.hears_all(&["* Hello, unnamed", MENU]);
    pair.talks();
}
