//! Fairness: what one client does, within every limit, makes no other client wait.
//!
//! The real server over real sockets. Each test prints what it measured. The limits leave room for a
//! debug build on a busy machine; `doc/hostile.md` has the figures of a release build.

#![cfg(target_os = "linux")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use common::{MENU, Person, Server, USERNAME, now, process, report, timeout};
use rustix::process::Signal;
use socket2::{Domain, Socket, Type};

/// Each test needs the machine for itself.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `attack` again and again in a thread of its own, and `honest` once the attack has gone three
/// rounds.
fn during<T>(attack: impl Fn() + Sync, honest: impl FnOnce() -> T) -> T {
    let (rounds, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                attack();
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        });
        while rounds.load(Ordering::Relaxed) < 3 {
            thread::yield_now();
        }
        let result = honest();
        is_over.store(true, Ordering::Relaxed);
        result
    })
}

/// The 90th percentile of the time that 100 messages take from one partner to the other. A busy machine
/// makes the slowest message meaningless.
fn message_latency(from: &mut Person, to: &mut Person) -> Duration {
    let messages = (0..100).map(|n| {
        let began = now();
        from.says(&format!("message {n}"));
        to.reads_exactly(&format!("{}: message {n}", from.name()));
        began.elapsed()
    });
    let mut messages = messages.collect::<Vec<_>>();
    messages.sort();
    messages[90]
}

/// Clients that send `burst` again and again, and read whatever comes.
fn attack_with(server: &Server, clients: usize, burst: &[u8]) -> impl Fn() + Sync {
    let clients = (0..clients).map(|n| Person::joins(server, &format!("attacker{n}")));
    let clients = Mutex::new(clients.collect::<Vec<_>>());
    let burst = burst.to_owned();
    move || {
        for client in clients.lock().expect("one thread attacks").iter_mut() {
            client.sends_without_waiting(&burst);
            client.reads_without_waiting(64 * 1024);
        }
    }
}

/// A busy machine can spoil one measurement; a server that is not fair spoils all three.
fn a_burst_delays_nobody(burst: &[u8]) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let is_fair = (0..3).any(|_| {
        let [message, newcomer, paste] = latencies_under(burst);
        report(&format!("message {message:?}, newcomer {newcomer:?}, paste of 9 kB {paste:?}"));
        message.max(newcomer) < Duration::from_millis(200) && paste < Duration::from_millis(100)
    });
    assert!(is_fair, "bursts of one address make others wait");
}

/// How long a message, a newcomer's login and a paste of 9 kB take while 300 clients send bursts.
fn latencies_under(burst: &[u8]) -> [Duration; 3] {
    let server = Server::starts();
    let (mut anna, mut bert) = (Person::joins(&server, "anna"), Person::joins(&server, "bert"));
    anna.chats_with(&mut bert);
    let attack = attack_with(&server, 300, burst);
    during(attack, || {
        let message = message_latency(&mut anna, &mut bert);
        let began = now();
        let _newcomer = Person::joins(&server, "newcomer");
        let newcomer = began.elapsed();
        let began = now();
        anna.sends(&b"a line of a paste, which is as long as lines of a paste are\n".repeat(150));
        (0..150).for_each(|_| drop(bert.reads("anna: a line of a paste")));
        [message, newcomer, began.elapsed()]
    })
}

/// (7.34, 7.44, 7.46)
#[test]
fn bursts_of_lists_delay_nobody() {
    a_burst_delays_nobody(&b"1 a\n".repeat(500));
}

/// (7.34, 7.44, 7.46)
#[test]
fn bursts_of_empty_lines_delay_nobody() {
    a_burst_delays_nobody(&b"\n".repeat(8000));
}

/// (4.1.6)
#[test]
fn hundreds_of_answers_that_arrived_in_time_win_against_their_deadline() {
    const PAIRS: usize = 200;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::starts_with(&["--ask-timeout", "3", "--naming-timeout", "3"]);
    let pairs = (0..PAIRS).map(|n| {
        let asker = Person::joins(&server, &format!("asker{n}"));
        (asker, Person::joins(&server, &format!("asked{n}")))
    });
    let mut pairs = pairs.collect::<Vec<_>>();
    let mut newcomers = (0..PAIRS).map(|_| Person::arrives(&server)).collect::<Vec<_>>();
    pairs.iter_mut().for_each(|(asker, asked)| asker.asks(asked));
    server.signal(Signal::STOP);
    let until = now() + timeout();
    while process::state(server.pid()) != 'T' {
        assert!(now() < until, "the server is not stopped by SIGSTOP");
    }
    pairs.iter_mut().for_each(|(_, asked)| asked.says("yes"));
    for (n, newcomer) in newcomers.iter_mut().enumerate() {
        newcomer.says(&format!("newcomer{n}"));
    }
    // The deadlines pass while the server is stopped.
    pairs[0].0.reads_nothing_for(Duration::from_millis(3_500));
    server.signal(Signal::CONT);
    for (n, (asker, asked)) in pairs.iter_mut().enumerate() {
        asker.reads_all(&[&format!("* asked{n} accepted"), "* You are now chatting"]);
        asked.reads(&format!("* You are now chatting with asker{n}"));
    }
    for (n, newcomer) in newcomers.iter_mut().enumerate() {
        newcomer.reads_all(&[&format!("* Hello, newcomer{n}"), MENU]);
    }
}

/// (5.7.4, 7.51, 7.55)
#[test]
fn a_thousand_askers_of_one_address_cost_a_user_who_does_not_read_little_and_no_disconnect() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::starts_with(&["--ask-again", "0", "--stall-timeout", "1"]);
    let victim = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    // A small window: the kernel keeps little of what the victim does not read.
    victim.set_recv_buffer_size(2048).expect("a small buffer");
    victim.connect(&server.address().into()).expect("the server is there");
    let mut victim = Person::on(victim.into());
    victim.reads_until(USERNAME);
    victim.takes_username("victim");
    let mut attackers_read = 0;
    for n in 0..1_000 {
        let mut attacker = Person::arrives(&server);
        attacker.sends(format!("attacker{n}\n2 victim\n3\n").as_bytes());
        attackers_read += attacker.reads_until_closed().iter().map(String::len).sum::<usize>();
    }
    victim.says("1 victim");
    let read = victim.reads_until("* 1 user whose name begins with victim");
    let bytes = read.iter().map(String::len).sum::<usize>();
    report(&format!("the victim reads {bytes} bytes, the attackers read {attackers_read}"));
    assert!(bytes < attackers_read / 2, "the victim pays for the attack: {bytes} bytes");
}
