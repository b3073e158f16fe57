//! Limits that belong to the address of a client and not only to its session (7.41, 7.52): whoever
//! disconnects and comes back does not escape them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::Limits;
use chinwag::core::time::Time;
use chinwag::core::{Origin, SessionId};

const CAFE: [u8; 4] = [192, 0, 2, 1];
const SCHOOL: [u8; 4] = [192, 0, 2, 2];
const HOME: [u8; 4] = [192, 0, 2, 3];

/// An exchange and what each session has read. Sockets take everything at once.
struct Scene {
    exchange: Exchange,
    now: Time,
    read: Vec<String>,
    is_open: Vec<bool>,
    /// Sessions whose client reads nothing.
    stalled: Vec<usize>,
}

impl Scene {
    fn new(limits: Limits) -> Scene {
        let (exchange, now) = (Exchange::new(limits), Time::START);
        Scene { exchange, now, read: Vec::new(), is_open: Vec::new(), stalled: Vec::new() }
    }

    /// A client connects and takes that name.
    fn arrives(&mut self, address: [u8; 4], name: &str) -> usize {
        let who = self.is_open.iter().position(|is_open| !is_open).unwrap_or(self.read.len());
        if who == self.read.len() {
            self.read.push(String::new());
            self.is_open.push(false);
        }
        (self.read[who], self.is_open[who]) = (String::new(), true);
        self.exchange.handle_connect_from(self.now, id(who), Origin::v4(address));
        self.says(who, name);
        who
    }

    /// A client sends lines, as far as the exchange reads them; the rest is lost. Returns whether
    /// all were read.
    fn says(&mut self, who: usize, lines: &str) -> bool {
        for line in lines.lines() {
            if !self.exchange.wants_input(id(who)) {
                return false;
            }
            self.exchange.handle_received(self.now, id(who), format!("{line}\n").as_bytes());
            self.acts();
        }
        true
    }

    fn leaves(&mut self, who: usize) {
        if !self.is_open[who] {
            return;
        }
        self.exchange.handle_failure(self.now, id(who));
        self.acts();
    }

    fn passes(&mut self, ms: u64) {
        let end = self.now.after_ms(ms);
        while let Some(at) = self.exchange.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.exchange.handle_timeout(self.now);
            self.acts();
        }
        self.now = end;
    }

    fn acts(&mut self) {
        while let Some(action) = self.exchange.poll_action_at_once(self.now) {
            match action {
                Action::Write(id) if self.stalled.contains(&id.key()) => {
                    self.exchange.handle_blocked(self.now, id);
                }
                Action::Write(id) => {
                    let output = self.exchange.output(id);
                    let count = output.len();
                    self.read[id.key()] += str::from_utf8(output).unwrap();
                    self.exchange.handle_sent(self.now, id, count);
                }
                Action::EndSending(id) => self.exchange.handle_end_of_input(self.now, id),
                Action::Close(id) => {
                    self.exchange.forget(id);
                    self.is_open[id.key()] = false;
                }
                Action::Report(_) | Action::TransportFailed(..) | Action::Open(..) => {}
                Action::AskAccounts(_) => unreachable!("nobody started accounts"),
            }
        }
    }

    /// Whether the last line that `who` has read, prompts aside, contains these words.
    fn last_read(&self, who: usize) -> &str {
        self.read[who].lines().rfind(|line| !line.starts_with("? ")).unwrap_or_default()
    }
}

fn id(who: usize) -> SessionId {
    SessionId::from_key(who)
}

/// Row by row: one client that connects again and again, and a member of the room who reads.
///
/// (7.51, 7.52)
#[test]
fn reconnecting_renews_no_allowance() {
    let mut scene = Scene::new(Limits::default());
    let anna = scene.arrives(HOME, "anna");
    scene.says(anna, "4");
    for n in 0..9_000 {
        let who = scene.arrives(CAFE, &format!("x{n}"));
        scene.says(who, "4\nspam\nspam\nspam");
        scene.leaves(who);
        scene.passes(u64::from(n % 5 == 0));
    }
    let lines = scene.read[anna].lines().count();
    assert!(lines < 640 + 2 * 320 + 10, "{lines} lines in 2 s");
    assert!(scene.says(anna, "I can talk"), "another address is not affected");
    assert_eq!(scene.last_read(anna), "anna: I can talk");
}

/// (7.51, 7.53)
#[test]
fn sixty_students_behind_one_address_notice_nothing() {
    let mut scene = Scene::new(Limits::default());
    let class = (0..60).map(|n| scene.arrives(SCHOOL, &format!("pupil{n}"))).collect::<Vec<_>>();
    for &who in &class {
        assert!(scene.says(who, "4"));
    }
    for minute in 0..5 {
        // A burst of nine lines each, and then as much as the pace of a session allows.
        for line in 0..9 {
            for &who in &class {
                assert!(scene.says(who, "me too"), "{minute}: line {line} of {who}");
            }
        }
        for _ in 0..100 {
            scene.passes(200);
            for &who in &class {
                assert!(scene.says(who, "as I said"));
            }
        }
        scene.passes(40_000);
    }
}

/// (7.53)
#[test]
fn a_crowd_comes_back_at_once_and_then_one_after_the_other() {
    let mut scene = Scene::new(Limits::default());
    for n in 0..1_024 {
        let who = scene.arrives(SCHOOL, &format!("pupil{n}"));
        assert!(scene.says(who, "1"), "user {n} is held");
    }
    let late = scene.arrives(SCHOOL, "late");
    assert!(scene.read[late].contains("Hello, late"));
    assert!(!scene.says(late, "1"), "held");
    scene.passes(16);
    assert!(scene.says(late, "1"), "64 in a second");
}

/// Asks `victim` from 11 sessions in turn, each of which comes back when it may not ask. Returns for
/// how many of 600 seconds the victim was asked, and how often.
fn seconds_asked(limits: Limits, way: &str) -> (u64, usize) {
    let mut scene = Scene::new(limits);
    let victim = scene.arrives(HOME, "victim");
    let (mut seconds, mut questions) = (0, 0);
    let mut askers = (0..11).map(|n| scene.arrives(CAFE, &format!("a{n}"))).collect::<Vec<_>>();
    for turn in 0..6_000_u32 {
        for (n, slot) in askers.iter_mut().enumerate() {
            let asker = *slot;
            let before = scene.read[victim].matches("wants to chat").count();
            scene.says(asker, "2 victim");
            if scene.read[victim].matches("wants to chat").count() > before {
                questions += 1;
                scene.says(if way == "no" { victim } else { asker }, way);
            }
            if way == "3" || scene.last_read(asker).starts_with("! You asked") {
                scene.leaves(asker);
                *slot = scene.arrives(CAFE, &format!("b{turn}-{n}"));
            }
        }
        let status = scene.exchange.chat().status(id(victim)).to_string();
        seconds += u64::from(status.starts_with("asked by"));
        scene.passes(100);
    }
    (seconds / 10, questions)
}

/// (5.7.3, 7.54)
#[test]
fn one_address_takes_at_most_half_of_a_users_time() {
    let (seconds, _) = seconds_asked(Limits::default(), "help");
    assert!((200..=340).contains(&seconds), "asked for {seconds} of 600 s");
    for way in ["3", "cancel", "no"] {
        let (_, questions) = seconds_asked(Limits::default(), way);
        assert!(
            (4..=66).contains(&questions),
            "{questions} questions in 600 s, each ends by {way}"
        );
    }
}

/// (5.7.3)
#[test]
fn a_users_time_belongs_to_other_addresses_still() {
    let mut scene = Scene::new(Limits::default());
    let (victim, asker) = (scene.arrives(HOME, "victim"), scene.arrives(CAFE, "a"));
    scene.says(asker, "2 victim");
    scene.passes(60_000);
    assert_eq!(scene.last_read(asker), "* victim did not answer in time; your request is over");
    scene.leaves(asker);
    let again = scene.arrives(CAFE, "b");
    scene.says(again, "2 victim");
    let refusal = "! Your address asked victim too often; try again in 30 s";
    assert_eq!(scene.last_read(again), refusal);
    let honest = scene.arrives(SCHOOL, "honest");
    scene.says(honest, "2 victim");
    assert_eq!(scene.last_read(victim), "* The request of a is over: no answer in time");
    scene.says(victim, "yes");
    assert_eq!(scene.last_read(honest), "* You are now chatting with victim; quit ends it");
    scene.says(honest, "quit");
    scene.passes(30_000);
    scene.says(again, "2 victim");
    assert!(scene.read[victim].ends_with("? b wants to chat. Accept? yes or no\r\n"));
}

/// (5.6.2)
#[test]
fn who_is_asked_can_shut_out_an_address_and_stays_available() {
    for (in_room, command) in [(false, "ignore"), (false, "IGNORE a"), (true, "/ignore")] {
        let mut scene = Scene::new(Limits::default());
        let (victim, asker) = (scene.arrives(HOME, "victim"), scene.arrives(CAFE, "a"));
        if in_room {
            scene.says(victim, "4");
        }
        scene.says(asker, "2 victim");
        scene.says(victim, command);
        assert_eq!(scene.last_read(asker), "* victim declined");
        assert_eq!(scene.last_read(victim), "* You declined a");
        assert!(scene.read[victim].contains("* You ignore a and everybody from the same address"));
        scene.leaves(asker);
        let other_name = scene.arrives(CAFE, "other");
        scene.says(other_name, "2 victim");
        let refusal = "! victim takes no requests right now";
        assert_eq!(scene.last_read(other_name), refusal);
        let honest = scene.arrives(SCHOOL, "honest");
        scene.says(honest, "1 v\n2 victim");
        assert!(!scene.read[honest].contains("busy"), "the victim is available");
        assert!(scene.read[victim].contains("honest wants to chat"));
        scene.says(honest, "cancel");
        scene.says(victim, if in_room { "/unignore a" } else { "unignore a" });
        scene.says(other_name, "2 victim");
        assert!(scene.read[victim].contains("other wants to chat"), "{command}");
    }
}

/// (5.7.4, 7.55)
#[test]
fn nobody_is_disconnected_for_what_others_ask() {
    let mut scene = Scene::new(Limits { ask_again_ms: 0, ..Limits::default() });
    let victim = scene.arrives(HOME, "victim");
    scene.stalled.push(victim);
    for n in 0..10_000_u32 {
        let who = scene.arrives(n.to_be_bytes(), &format!("x{n}"));
        scene.says(who, "2 victim");
        if n >= 16 {
            assert_eq!(scene.last_read(who), "! victim is not reading right now; try again later");
        }
        scene.says(who, "3");
    }
    assert!(scene.exchange.pending(id(victim)).own.len() <= 8 * 1024);
    scene.stalled.clear();
    scene.exchange.handle_writable(id(victim));
    scene.acts();
    let honest = scene.arrives(SCHOOL, "honest");
    scene.says(honest, "2 victim");
    assert!(scene.read[victim].ends_with("? honest wants to chat. Accept? yes or no\r\n"));
    assert!(scene.says(victim, "yes\nhello"), "the session goes on");
    assert_eq!(scene.last_read(honest), "victim: hello");
}
