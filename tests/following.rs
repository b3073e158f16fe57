//! Followers of the lists (5.8) in crowds: what a storm costs them, who waits, and that nothing is
//! done while nothing changes. `tests/transcripts/14-following.txt` has the words.

use std::collections::{BTreeSet, VecDeque};

use chinwag::core::SessionId;
use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::{
    FOLLOWERS_AT_A_TIME, FOLLOWERS_PACE_MS, LIST_CHANGES_DELAY_MS, LIST_CHANGES_INTERVAL_MS,
    LIST_ROWS_MAX, Limits,
};
use chinwag::core::time::Time;

const FOLLOWS: &str = "* You follow the lists: ";
const CHANGED: &str = "* The lists changed: ";
const AGAIN: &str = "* The lists again: ";

/// An exchange, with a socket for each user that takes everything, or nothing.
struct Crowd {
    exchange: Exchange,
    now: Time,
    /// What the sockets have taken, by key.
    read: Vec<String>,
    /// Keys of users who read nothing.
    slow: BTreeSet<usize>,
    /// Writes since the last look.
    writes: usize,
}

impl Crowd {
    fn new() -> Crowd {
        let exchange = Exchange::new(Limits::default());
        Crowd { exchange, now: Time::START, read: Vec::new(), slow: BTreeSet::new(), writes: 0 }
    }

    /// A user connects and takes this name.
    fn join(&mut self, name: &str) -> usize {
        let key = self.read.len();
        self.read.push(String::new());
        self.exchange.handle_connect(self.now, SessionId::from_key(key));
        self.say(key, name);
        key
    }

    fn say(&mut self, key: usize, line: &str) {
        let bytes = format!("{line}\n");
        self.exchange.handle_received(self.now, SessionId::from_key(key), bytes.as_bytes());
        self.write();
    }

    /// Does the writes of a turn.
    fn write(&mut self) {
        while let Some(action) = self.exchange.poll_action() {
            if let Action::Write(id) = action {
                self.writes += 1;
                self.write_to(id);
            }
        }
    }

    fn write_to(&mut self, id: SessionId) {
        if self.slow.contains(&id.key()) {
            return self.exchange.handle_blocked(self.now, id);
        }
        let output = self.exchange.output(id);
        self.read[id.key()].push_str(&String::from_utf8_lossy(output));
        let count = output.len();
        self.exchange.handle_sent(self.now, id, count);
    }

    /// A user who read nothing reads everything.
    fn reads_again(&mut self, key: usize) {
        self.slow.remove(&key);
        let id = SessionId::from_key(key);
        while !self.exchange.output(id).is_empty() {
            self.write_to(id);
        }
        self.write();
    }

    /// Time passes; the server wakes only when it wants to. Returns how often it did.
    fn wait(&mut self, ms: u64) -> usize {
        let (until, mut turns) = (self.now.after_ms(ms), 0);
        while let Some(due) = self.exchange.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.exchange.handle_timeout(self.now);
            self.write();
            self.exchange.chat().check();
            turns += 1;
        }
        self.now = until;
        turns
    }

    /// What a user has read since the last call.
    fn lines(&mut self, key: usize) -> Vec<String> {
        let read = std::mem::take(&mut self.read[key]);
        read.lines().map(str::to_owned).collect()
    }
}

/// Checks that `lines` is one message with this head, and returns its rows.
fn rows<'a>(lines: &'a [String], head: &str) -> &'a [String] {
    let (first, rows) = lines.split_first().unwrap_or_else(|| panic!("no {head}"));
    assert!(first.starts_with(head), "{first}, not {head}");
    let plural = if rows.len() == 1 { "" } else { "s" };
    assert!(first.ends_with(&format!(", {} row{plural}", rows.len())), "{first}: {rows:?}");
    assert!(rows.iter().all(|row| row.starts_with("- ")), "{rows:?}");
    rows
}

/// (5.8.1)
#[test]
fn the_server_does_nothing_for_followers_while_nothing_changes() {
    let mut crowd = Crowd::new();
    for n in 0..100 {
        let key = crowd.join(&format!("user{n}"));
        crowd.say(key, "/follow");
    }
    crowd.wait(60_000);
    crowd.writes = 0;
    assert_eq!(crowd.exchange.poll_timeout(), None, "the server sleeps without a timer");
    assert_eq!((crowd.wait(600_000), crowd.writes), (0, 0));
}

/// (5.8.3, 7.30)
#[test]
fn a_follower_of_a_crowd_reads_the_first_rows_and_the_counts() {
    let mut crowd = Crowd::new();
    let names = (0..LIST_ROWS_MAX + 20).map(|n| format!("user{n:03}")).collect::<Vec<_>>();
    let keys = names.iter().map(|name| crowd.join(name)).collect::<Vec<_>>();
    crowd.lines(0);
    crowd.say(keys[0], "/follow");
    let lines = crowd.lines(0);
    assert_eq!(lines[0], format!("{FOLLOWS}70 users, 0 rooms, 50 rows"));
    assert_eq!(lines[LIST_ROWS_MAX], "- user049 available");
    crowd.wait(5_000);
    // What happens beyond the rows changes the count at most.
    crowd.say(keys[60], "busy");
    crowd.wait(5_000);
    assert_eq!(crowd.lines(0), [""; 0]);
    crowd.say(keys[60], "exit");
    crowd.wait(5_000);
    assert_eq!(crowd.lines(0), [format!("{CHANGED}69 users, 0 rooms, 0 rows")]);
    // The row behind moves up, and down again.
    crowd.say(keys[1], "exit");
    crowd.wait(5_000);
    let lines = crowd.lines(0);
    assert_eq!(rows(&lines, CHANGED), ["- user001 gone", "- user050 available"]);
    crowd.join("user001");
    crowd.wait(5_000);
    let lines = crowd.lines(0);
    assert_eq!(rows(&lines, CHANGED), ["- user001 available", "- user050 gone"]);
}

/// (5.8.4, 7.130)
#[test]
fn a_storm_of_logins_costs_a_follower_one_short_message_a_second() {
    let mut crowd = Crowd::new();
    let follower = crowd.join("follower");
    crowd.say(follower, "/follow");
    crowd.lines(follower);
    let (mut bytes, mut messages, seconds) = (0, 0, 20);
    let mut here = VecDeque::new();
    for n in 0..seconds * 100 {
        // Everybody stays for half a second: who has left before the lists are compared is not told.
        for name in ["anna", "bert", "zoe"] {
            let key = crowd.join(&format!("{name}{n}"));
            crowd.say(key, &format!("4 room{}", n % 100));
            here.push_back(key);
        }
        while here.len() > 150 {
            let key = here.pop_front().expect("somebody");
            crowd.say(key, "/exit");
            crowd.lines(key);
        }
        crowd.wait(10);
        let lines = crowd.lines(follower);
        bytes += lines.iter().map(|line| line.len() + 2).sum::<usize>();
        messages += lines.iter().filter(|line| line.starts_with(CHANGED)).count();
    }
    let most = seconds * 1_000 / LIST_CHANGES_INTERVAL_MS as usize + 1;
    assert!((seconds - 1..=most).contains(&messages), "{messages} messages in {seconds} s");
    assert!(bytes <= messages * 4_096, "{bytes} bytes in {messages} messages");
}

/// (5.8.4, 7.130)
#[test]
fn a_first_change_is_told_soon_and_the_next_one_a_second_later() {
    let mut crowd = Crowd::new();
    let (anna, follower) = (crowd.join("anna"), crowd.join("follower"));
    crowd.say(follower, "/follow");
    crowd.wait(10_000);
    crowd.lines(follower);
    crowd.say(anna, "busy");
    crowd.wait(LIST_CHANGES_DELAY_MS);
    assert_eq!(rows(&crowd.lines(follower), CHANGED), ["- anna busy"]);
    crowd.say(anna, "free");
    crowd.wait(LIST_CHANGES_INTERVAL_MS - 1);
    assert_eq!(crowd.lines(follower), [""; 0]);
    crowd.wait(1);
    assert_eq!(rows(&crowd.lines(follower), CHANGED), ["- anna available"]);
}

/// (5.8.4, 7.131)
#[test]
fn a_few_followers_are_told_at_a_time_and_each_of_them_once() {
    let mut crowd = Crowd::new();
    let followers = 5 * FOLLOWERS_AT_A_TIME - 10;
    for n in 0..followers {
        let key = crowd.join(&format!("user{n}"));
        crowd.say(key, "/follow");
    }
    let anna = crowd.join("anna");
    crowd.wait(60_000);
    (0..followers).for_each(|key| drop(crowd.lines(key)));
    crowd.writes = 0;
    crowd.say(anna, "busy");
    crowd.wait(LIST_CHANGES_DELAY_MS);
    assert_eq!(crowd.writes, 1 + FOLLOWERS_AT_A_TIME, "anna, and the first followers");
    crowd.wait(FOLLOWERS_PACE_MS);
    assert_eq!(crowd.writes, 1 + 2 * FOLLOWERS_AT_A_TIME);
    // A login meanwhile waits for the next round, and newcomers know of it.
    let bert = crowd.join("bert");
    crowd.say(bert, "/follow");
    crowd.wait(3 * FOLLOWERS_PACE_MS);
    for key in 0..followers {
        let lines = crowd.lines(key);
        assert_eq!(rows(&lines, CHANGED), ["- anna busy"], "user{key}");
    }
    crowd.lines(bert);
    crowd.wait(5_000);
    for key in 0..followers {
        let lines = crowd.lines(key);
        assert_eq!(rows(&lines, CHANGED)[0], "- bert available", "user{key}");
    }
    assert_eq!(rows(&crowd.lines(bert), CHANGED)[0], "- bert available");
}

/// (5.8.5)
#[test]
fn a_follower_who_does_not_read_gets_nothing_and_later_all_rows() {
    let mut crowd = Crowd::new();
    let (anna, slow, other) = (crowd.join("anna"), crowd.join("slow"), crowd.join("other"));
    for key in [slow, other] {
        crowd.say(key, "/follow");
    }
    crowd.wait(5_000);
    crowd.lines(slow);
    crowd.slow.insert(slow);
    crowd.say(slow, "/list");
    let waiting = crowd.exchange.output(SessionId::from_key(slow)).len();
    // Less than the stall timeout (7.17).
    for word in ["busy", "free", "busy", "4 tea", "/leave"].repeat(3) {
        crowd.say(anna, word);
        crowd.wait(1_500);
    }
    let now = crowd.exchange.output(SessionId::from_key(slow)).len();
    assert_eq!(now, waiting, "nothing was added");
    crowd.reads_again(slow);
    let list = crowd.lines(slow);
    assert!(list[0].contains("online"), "{list:?}");
    crowd.wait(FOLLOWERS_PACE_MS);
    let lines = crowd.lines(slow);
    assert_eq!(rows(&lines, AGAIN), ["- anna busy", "- other available", "- slow available"]);
    crowd.say(anna, "free");
    crowd.wait(5_000);
    assert_eq!(rows(&crowd.lines(slow), CHANGED), ["- anna available"], "and goes on as before");
}

/// (5.8.5)
#[test]
fn a_follower_in_a_busy_chat_reads_changes_between_the_lines() {
    let mut crowd = Crowd::new();
    let (anna, bert, carl) = (crowd.join("anna"), crowd.join("bert"), crowd.join("carl"));
    crowd.say(anna, "/follow");
    crowd.say(anna, "2 bert");
    crowd.say(bert, "yes");
    crowd.wait(3_000);
    crowd.lines(anna);
    crowd.say(carl, "busy");
    let mut lines = Vec::new();
    for _ in 0..30 {
        crowd.say(bert, "hello");
        crowd.wait(10);
        lines.extend(crowd.lines(anna));
    }
    let at = lines.iter().position(|line| line.starts_with(CHANGED)).unwrap_or(0);
    assert_eq!(lines.len(), 30 + 2);
    assert_eq!(rows(&lines[at..at + 2], CHANGED), ["- carl busy"]);
}
