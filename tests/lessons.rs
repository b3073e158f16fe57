//! The ladder of `lessons/`: every broken program is seen to fail, and every fixed one to work.
//!
//! Each test starts the example over a real socket on a free port. "Is silent" is the only wait by
//! time: a moment in which nothing may come.

mod common;
#[path = "lessons/harness.rs"]
mod harness;

use std::io::Write;

use harness::{Client, Lesson};
use rustix::process::Signal;

#[test]
fn rung_1_broken_a_silent_client_keeps_the_next_one_waiting() {
    let lesson = Lesson::starts("lesson-01-broken");
    let first = lesson.joins();
    let mut second = lesson.joins();
    second.sends("hello\n");
    second.is_silent();
    drop(first);
    second.reads("you said: hello");
}

#[test]
fn rung_1_fixed_a_silent_client_delays_nobody() {
    let lesson = Lesson::starts("lesson-01-fixed");
    let _first = lesson.joins();
    let mut second = lesson.joins();
    second.sends("hello\n");
    second.reads("you said: hello");
}

/// Two clients want the same name at the same time. Returns what the second one reads at the end.
fn race(lesson: &Lesson) -> String {
    let (mut first, mut second) = (lesson.joins(), lesson.joins());
    for client in [&mut first, &mut second] {
        client.reads("? Username:");
        client.sends("anna\n");
        assert!(client.line().starts_with("? "));
    }
    first.sends("yes\n");
    first.reads("* Hello, anna");
    second.sends("yes\n");
    second.line()
}

#[test]
fn rung_2_broken_two_clients_take_one_name() {
    assert_eq!(race(&Lesson::starts("lesson-02-broken")), "* Hello, anna");
}

#[test]
fn rung_2_fixed_only_one_client_takes_the_name() {
    assert_eq!(race(&Lesson::starts("lesson-02-fixed")), "! anna is taken");
}

#[test]
#[cfg(target_os = "linux")]
fn rung_2_each_client_costs_a_thread_and_the_fixed_one_less_memory() {
    let address_space = ["lesson-02-broken", "lesson-02-fixed"].map(|name| {
        let lesson = Lesson::starts(name);
        let clients = (0..30).map(|_| lesson.joins()).collect::<Vec<_>>();
        for mut client in clients.iter().map(Client::again) {
            client.reads("? Username:");
        }
        assert_eq!(lesson.status("Threads:"), 31);
        lesson.status("VmSize:")
    });
    assert!(address_space[0] > address_space[1] + 30 * 1024, "KiB: {address_space:?}");
}

/// How many turns the loop makes while nobody speaks, in a moment.
fn idle_turns(name: &str) -> u64 {
    let mut client = Lesson::starts(name).joins_and_keeps();
    client.sends("?\n");
    let before = client.number();
    client.is_silent();
    client.sends("?\n");
    client.number() - before
}

#[test]
fn rung_3_broken_the_loop_turns_for_nothing() {
    let turns = idle_turns("lesson-03-broken");
    assert!(turns > 2_000, "{turns}");
}

#[test]
fn rung_3_fixed_the_loop_rests_but_not_for_long() {
    let turns = idle_turns("lesson-03-fixed");
    assert!(turns < 100, "{turns}");
}

/// What one line of one client costs in reads, beside 20 idle clients.
fn reads_for_one_line(name: &str) -> u64 {
    let lesson = Lesson::starts(name);
    let mut idle = (0..20).map(|_| lesson.joins()).collect::<Vec<_>>();
    for client in &mut idle {
        client.sends("?\n");
        client.number();
    }
    let mut client = lesson.joins();
    client.sends("?\n");
    let before = client.number();
    // The loop is back in poll, and not in the middle of a turn.
    client.is_silent();
    client.sends("?\n");
    client.number() - before
}

#[test]
fn rung_4_broken_a_line_costs_a_read_of_every_client() {
    let reads = reads_for_one_line("lesson-04-broken");
    assert!(reads >= 20, "{reads}");
}

#[test]
fn rung_4_fixed_a_line_costs_the_same_however_many_are_idle() {
    let reads = reads_for_one_line("lesson-04-fixed");
    assert!(reads <= 2, "{reads}");
}

#[test]
fn rung_5_broken_the_rest_of_a_long_line_waits_for_the_next_packet() {
    let mut client = Lesson::starts("lesson-05-broken").joins_and_keeps();
    client.sends(&format!("{}\n", "x".repeat(99)));
    assert_eq!(client.bytes(64), [b'x'; 64]);
    client.is_silent();
    client.sends("y\n");
    client.reads(&"x".repeat(35));
}

#[test]
fn rung_5_fixed_a_long_line_comes_back_whole() {
    let mut client = Lesson::starts("lesson-05-fixed").joins_and_keeps();
    client.sends(&format!("{}\n", "x".repeat(99)));
    client.reads(&"x".repeat(99));
}

#[test]
fn rung_6_broken_two_lines_become_one_name_and_half_a_line_becomes_a_name() {
    let lesson = Lesson::starts("lesson-06-broken");
    let (mut first, mut second) = (lesson.joins(), lesson.joins());
    first.sends("anna\nhello\n");
    first.reads("* Hello, anna");
    first.reads("hello");
    first.is_silent();
    second.sends("an");
    second.reads("* Hello, an");
}

#[test]
fn rung_6_fixed_the_cuts_between_packets_do_not_matter() {
    let lesson = Lesson::starts("lesson-06-fixed");
    let (mut first, mut second) = (lesson.joins(), lesson.joins());
    first.sends("anna\nhello\n");
    first.reads("* Hello, anna");
    first.reads("anna: hello");
    second.sends("an");
    second.is_silent();
    second.sends("na\r\nhel");
    second.reads("* Hello, anna");
    second.sends("lo\r\n");
    second.reads("anna: hello");
}

/// Asks for 20 pages of 4,000,004 bytes, and ends its half. No kernel takes 80 MB at once. Returns how
/// many bytes come.
fn bytes_of_pages(name: &str) -> usize {
    let mut client = Lesson::starts(name).joins_and_keeps();
    client.sends(&"x".repeat(20));
    client.ends_its_half();
    client.rest().len()
}

#[test]
fn rung_7_broken_most_of_a_long_answer_is_lost() {
    let bytes = bytes_of_pages("lesson-07-broken");
    assert!(bytes < 80_000_080, "{bytes}");
}

#[test]
fn rung_7_fixed_a_long_answer_arrives_whole() {
    assert_eq!(bytes_of_pages("lesson-07-fixed"), 80_000_080);
}

/// The talker says 24 MB. Returns what waited in the server at most. The listener reads either while
/// the talker talks, or only afterwards.
fn most_that_waited(name: &str, reads_meanwhile: bool) -> u64 {
    const BYTES: usize = 24_000_000;
    let lesson = Lesson::starts(name);
    let talker = lesson.joins();
    let mut listener = lesson.joins();
    let mut asker = lesson.joins();
    asker.sends("?");
    assert_eq!(asker.number(), 0, "all three are in");
    let talks = move || talker.stream().write_all(&vec![b'x'; BYTES]);
    let heard = match reads_meanwhile {
        true => std::thread::scope(|scope| {
            let talking = scope.spawn(talks);
            let heard = listener.bytes(BYTES).len();
            talking.join().expect("a talker").expect("everything was taken");
            heard
        }),
        false => {
            talks().expect("everything was taken");
            listener.bytes(BYTES).len()
        }
    };
    assert_eq!(heard, BYTES, "nothing is lost");
    asker.sends("?");
    asker.number()
}

#[test]
fn rung_8_broken_what_nobody_reads_piles_up_in_the_server() {
    let bytes = most_that_waited("lesson-08-broken", false);
    assert!(bytes > 1_000_000, "{bytes}");
}

#[test]
fn rung_8_fixed_little_waits_and_nothing_is_lost() {
    let bytes = most_that_waited("lesson-08-fixed", true);
    assert!(bytes <= 64 * 1024 + 4096, "{bytes}");
}

#[test]
fn rung_8_fixed_the_talker_waits_for_a_listener_who_does_not_read() {
    let lesson = Lesson::starts("lesson-08-fixed");
    let talker = lesson.joins();
    let mut listener = lesson.joins();
    let sent = talker.sends_until_it_must_wait(64_000_000);
    assert!(sent < 64_000_000, "the server took everything");
    assert_eq!(listener.bytes(sent).len(), sent);
}

/// A flood and a question are both ready when the server wakes up. Returns how many bytes of the
/// flood it handles before it answers the question.
fn flood_before_the_answer(name: &str) -> u64 {
    let lesson = Lesson::starts(name);
    let (mut flooder, mut other) = (lesson.joins(), lesson.joins());
    for client in [&mut flooder, &mut other] {
        client.sends("?");
        client.number();
    }
    // The server is back in poll, and not in the middle of a turn.
    other.is_silent();
    lesson.stops();
    flooder.sends(&"x".repeat(FLOOD_BYTES));
    other.sends("?");
    lesson.signals(Signal::CONT);
    other.number()
}

/// Fits into the buffers of the kernel.
const FLOOD_BYTES: usize = 60_000;

#[test]
fn rung_9_broken_the_others_wait_for_the_end_of_a_flood() {
    let bytes = flood_before_the_answer("lesson-09-broken");
    assert!(bytes > FLOOD_BYTES as u64, "{bytes}");
}

#[test]
fn rung_9_fixed_the_others_wait_for_one_read_of_a_flood() {
    let bytes = flood_before_the_answer("lesson-09-fixed");
    assert!(bytes < 3 * 4096, "{bytes}");
}

#[test]
fn rung_10_broken_a_half_close_loses_the_last_line() {
    let mut client = Lesson::starts("lesson-10-broken").joins_and_keeps();
    client.reads("you are 0");
    client.sends("hello");
    client.ends_its_half();
    assert_eq!(client.rest(), b"");
}

#[test]
fn rung_10_fixed_a_half_close_loses_nothing() {
    let mut client = Lesson::starts("lesson-10-fixed").joins_and_keeps();
    client.reads("you are 0");
    client.sends("hello");
    client.ends_its_half();
    assert_eq!(client.rest(), b"you said: hello\n");
}

#[test]
fn rung_10_broken_one_reset_ends_the_server() {
    let mut lesson = Lesson::starts("lesson-10-broken");
    let mut client = lesson.joins();
    client.reads("you are 0");
    client.resets();
    assert!(!lesson.exits().success());
}

#[test]
fn rung_10_fixed_a_reset_ends_one_client() {
    let lesson = Lesson::starts("lesson-10-fixed");
    let mut client = lesson.joins();
    client.reads("you are 0");
    client.resets();
    // The reset is the older event, so the number is free when the second line is answered.
    let mut next = lesson.joins();
    assert!(next.line().starts_with("you are "));
    next.sends("hello\n");
    next.reads("you said: hello");
}

#[test]
fn rung_10_broken_a_server_without_descriptors_ends() {
    let mut lesson = Lesson::starts_with_descriptors("lesson-10-broken", 20);
    let _clients = (0..30).map_while(|_| lesson.tries_to_join()).collect::<Vec<_>>();
    assert!(!lesson.exits().success());
}

#[test]
fn rung_10_fixed_a_server_without_descriptors_turns_away_and_goes_on() {
    let lesson = Lesson::starts_with_descriptors("lesson-10-fixed", 20);
    let mut clients = (0..30).map(|_| lesson.joins()).collect::<Vec<_>>();
    clients[29].reads("! The server is full");
    clients[0].reads("you are 0");
    clients.truncate(1);
    clients[0].sends("hello\n");
    clients[0].reads("you said: hello");
    assert_eq!(
        lesson.joins().line().split_once(" are ").map(|(you, _)| you.to_owned()),
        Some("you".into())
    );
}

/// In one batch of events, the first client kicks the second, a third one comes, and the second
/// client ends. Returns the third one, after its welcome.
fn third_client(lesson: &Lesson) -> Client {
    let (mut first, mut second) = (lesson.joins(), lesson.joins());
    first.reads("you are 0");
    second.reads("you are 1");
    second.is_silent();
    lesson.stops();
    first.sends("kick 1\n");
    let mut third = lesson.joins();
    second.ends_its_half();
    lesson.signals(Signal::CONT);
    assert!(third.line().starts_with("you are "));
    // The first client must stay: its end would be one more event.
    third.also_keeps(first);
    third
}

#[test]
fn rung_10_broken_an_old_event_hits_a_new_client() {
    let lesson = Lesson::starts("lesson-10-broken");
    assert_eq!(third_client(&lesson).line_or_end(), None);
}

#[test]
fn rung_10_fixed_an_old_event_hits_nobody() {
    let lesson = Lesson::starts("lesson-10-fixed");
    let mut third = third_client(&lesson);
    for _ in 0..2 {
        third.sends("hello\n");
        third.reads("you said: hello");
    }
}

#[test]
fn rung_11_broken_a_deadline_passes_unseen_until_somebody_speaks() {
    let lesson = Lesson::starts_with("lesson-11-broken", &["20"]);
    let mut silent = lesson.joins();
    silent.is_silent();
    let _other = lesson.joins();
    silent.reads("! Too slow, goodbye");
}

#[test]
fn rung_11_fixed_a_deadline_needs_no_event() {
    let mut silent = Lesson::starts_with("lesson-11-fixed", &["20"]).joins_and_keeps();
    silent.reads("! Too slow, goodbye");
}

#[test]
fn rung_11_broken_a_signal_ends_the_server_without_a_word() {
    let mut lesson = Lesson::starts_with("lesson-11-broken", &["60000"]);
    let mut client = lesson.joins();
    client.sends("hello\n");
    client.reads("hello");
    lesson.signals(Signal::TERM);
    assert_eq!(client.rest(), b"");
    assert_eq!(lesson.exits().code(), None, "killed");
}

#[test]
fn rung_11_fixed_a_signal_is_an_event_and_everybody_hears_of_it() {
    let mut lesson = Lesson::starts_with("lesson-11-fixed", &["60000"]);
    let mut client = lesson.joins();
    client.sends("hello\n");
    client.reads("hello");
    lesson.signals(Signal::TERM);
    assert_eq!(client.rest(), b"* The server is stopping\n");
    assert_eq!(lesson.exits().code(), Some(0));
}

fn simulates(name: &str, seed: &str) -> (bool, String) {
    let ran =
        std::process::Command::new(harness::example(name)).args(["--simulate", seed]).output();
    let ran = ran.expect("the example starts");
    (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
}

#[test]
fn rung_12_broken_the_simulation_finds_the_bug_and_replays_it() {
    for seed in ["1", "2", "3"] {
        let (passed, said) = simulates("lesson-12-broken", seed);
        assert!(!passed && said.contains(&format!("seed {seed}, step ")), "{said}");
        assert_eq!(simulates("lesson-12-broken", seed).1, said, "the same seed, the same failure");
    }
}

#[test]
fn rung_12_fixed_the_simulation_finds_nothing() {
    for seed in ["1", "2", "3"] {
        assert_eq!(simulates("lesson-12-fixed", seed), (true, String::new()));
    }
}

#[test]
fn rung_12_broken_differs_in_two_lines() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/12-a-small-chinwag/");
    let read = |name| std::fs::read_to_string(format!("{folder}{name}")).expect("the program");
    let (broken, fixed) = (read("broken.rs"), read("fixed.rs"));
    assert_eq!(broken.lines().count(), fixed.lines().count());
    let differing = broken.lines().zip(fixed.lines()).filter(|(one, other)| one != other);
    assert_eq!(differing.count(), 2);
}

/// The session at the beginning of `protocol.md`. Only the tags and the words in bold are promises, so
/// the small server may have a shorter menu and other words at the end of a line.
#[test]
fn rung_12_fixed_plays_the_reference_session() {
    let protocol = concat!(env!("CARGO_MANIFEST_DIR"), "/protocol.md");
    let protocol = std::fs::read_to_string(protocol).expect("the protocol");
    let (_, session) = protocol.split_once("```session\n").expect("a session");
    let (session, _) = session.split_once("```").expect("the end of the session");
    let lesson = Lesson::starts("lesson-12-fixed");
    let mut people = std::collections::BTreeMap::new();
    for step in session.lines() {
        let (who, rest) = step.split_once([' ', '>', '<']).expect("a step");
        match (&step[who.len()..=who.len()], rest.trim_start()) {
            (" ", "connects") => drop(people.insert(who.to_owned(), lesson.joins())),
            (">", line) => people.get_mut(who).expect("joined").sends(&format!("{line}\n")),
            ("<", "| the server ends the connection") => {
                assert_eq!(people.get_mut(who).expect("joined").line_or_end(), None);
            }
            ("<", expected) => {
                let line = people.get_mut(who).expect("joined").line();
                let words = |line: &str| line.split([';', ',', '.']).next().map(str::to_owned);
                let is_menu = expected.starts_with("? 1 ") && line.starts_with("? 1 ");
                assert!(is_menu || words(&line) == words(expected), "{step}: {line}");
            }
            other => panic!("{step}: {other:?}"),
        }
    }
}
