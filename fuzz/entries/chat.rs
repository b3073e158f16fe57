//! Runs any schedule through an exchange: connections, input, ends of input, failures, slow
//! sockets, time. After each step the chat's invariants must hold, output must be safe and framed,
//! and memory must be limited. At the end all sessions leave, and nothing may remain. The fuzzer
//! and `tests/fuzz_corpus.rs` both call [`run`].

use std::collections::BTreeSet;

use chinwag::core::SessionId;
use chinwag::core::accounts::{
    AccountAnswer, AccountChange, AccountFailure, AccountRequest, AccountTask,
};
use chinwag::core::chat::Name;
use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::{Limits, READ_BYTES_PER_TURN};
use chinwag::core::time::Time;

/// The most sessions at a time.
const SESSIONS_MAX: usize = 8;

/// The most steps of one schedule. More steps take time and reach no new states.
const STEPS_MAX: usize = 500;

/// Checks one schedule. A schedule is text, so that people can read the corpus. Each line is a
/// step: the first byte is the session (`a` to `h`), the second the action, the rest its argument.
/// A session that does not exist connects first.
///
/// | step | what happens |
/// | --- | --- |
/// | `a>TEXT` | a sends TEXT and a line ending; in TEXT, `~` stands for IAC and `^` for CR |
/// | `a-TEXT` | the same, without the line ending |
/// | `a*TEXT` | a sends TEXT forty times, each with a line ending |
/// | `a.` | a ends its half of the connection |
/// | `a!` | the connection fails |
/// | `a<N` | a's socket accepts 8 × N more bytes; N is a byte |
/// | `a+N` | N quarters of a second pass; N is a byte |
/// | `a#` | the server stops |
/// | `a@N` | the store of accounts answers its question number N; the rest picks how |
/// | `a=NAME` | an operator makes, resets or removes the account NAME |
///
/// # Panics
/// If the exchange breaks a promise.
pub(crate) fn run(data: &[u8]) {
    let mut scene = Scene::new();
    for step in data.split(|&byte| byte == b'\n').take(STEPS_MAX) {
        if let [who, what, rest @ ..] = step {
            scene.step(usize::from(who.wrapping_sub(b'a')) % SESSIONS_MAX, *what, rest);
        }
    }
    scene.wind_down();
}

struct Scene {
    exchange: Exchange,
    now: Time,
    connected: BTreeSet<usize>,
    /// Bytes that each socket still accepts.
    writable_bytes: [usize; SESSIONS_MAX],
    /// Bytes sent and not yet read.
    unread: [Vec<u8>; SESSIONS_MAX],
    ended: [bool; SESSIONS_MAX],
    limits: Limits,
    /// Questions to the store of accounts.
    asked: Vec<AccountRequest>,
}

impl Scene {
    fn new() -> Scene {
        let limits =
            Limits { high_water_bytes: 2_048, allow_plain_passwords: true, ..Limits::default() };
        let mut exchange = Exchange::new(limits.clone());
        exchange.start_accounts();
        exchange.load_account(Name::parse("keeper").expect("a name"));
        Scene {
            exchange,
            asked: Vec::new(),
            now: Time::START,
            connected: BTreeSet::new(),
            writable_bytes: [usize::MAX; SESSIONS_MAX],
            unread: Default::default(),
            ended: [false; SESSIONS_MAX],
            limits,
        }
    }

    fn step(&mut self, who: usize, what: u8, rest: &[u8]) {
        if self.connected.insert(who) {
            self.exchange.handle_connect(self.now, id(who));
        }
        match what {
            b'>' | b'-' | b'*' if !self.ended[who] => self.send(who, what, rest),
            b'.' => self.ended[who] = true,
            b'!' => self.exchange.handle_failure(self.now, id(who)),
            b'<' => {
                self.writable_bytes[who] =
                    rest.first().map_or(usize::MAX, |&byte| 8 * usize::from(byte));
                self.exchange.handle_writable(id(who));
            }
            b'+' => {
                let quarters = rest.first().map_or(1, |&byte| u64::from(byte));
                self.now = self.now.after_ms(250 * quarters);
            }
            b'#' => self.exchange.handle_stop(self.now),
            b'@' => self.answer(rest),
            b'=' => self.change_account(rest),
            _ => {}
        }
        self.turn();
    }

    /// The password is right if it is `right password`.
    fn answer(&mut self, rest: &[u8]) {
        let Some(place) = usize::from(*rest.first().unwrap_or(&0)).checked_rem(self.asked.len())
        else {
            return;
        };
        let AccountRequest { number, task, .. } = self.asked.remove(place);
        let is_right = match &task {
            AccountTask::Verify { password, .. } => password.expose() == b"right password",
            _ => true,
        };
        let answer = match rest.get(1) {
            Some(b'f') => AccountAnswer::Full,
            Some(b'd') => AccountAnswer::Down,
            Some(b'e') => AccountAnswer::Failed(AccountFailure::Exists),
            Some(b'n') => AccountAnswer::Failed(AccountFailure::NotStored),
            _ if is_right => AccountAnswer::Ok,
            _ => AccountAnswer::WrongPassword,
        };
        self.exchange.handle_account_answer(self.now, number, answer);
    }

    fn change_account(&mut self, text: &[u8]) {
        let Ok(text) = str::from_utf8(text) else { return };
        let change = match self.exchange.find_account(text).cloned() {
            None => match self.exchange.check_account_name(text) {
                Ok(name) => AccountChange::Added(name),
                Err(_) => return,
            },
            Some(name) if text.len().is_multiple_of(2) => AccountChange::Removed(name),
            Some(name) => AccountChange::Reset(name),
        };
        self.exchange.handle_account_change(self.now, change);
    }

    fn send(&mut self, who: usize, what: u8, text: &[u8]) {
        let typed = text.iter().map(|byte| match byte {
            b'~' => 255,
            b'^' => b'\r',
            &byte => byte,
        });
        let line_end = (what != b'-').then_some(b'\n');
        let line = typed.chain(line_end).collect::<Vec<_>>();
        let times = if what == b'*' { 40 } else { 1 };
        if self.unread[who].len() < 4 * READ_BYTES_PER_TURN {
            self.unread[who].extend(line.repeat(times));
        }
    }

    /// Turns the loop until no work is left.
    fn turn(&mut self) {
        for _ in 0..1_000 {
            let read = (0..SESSIONS_MAX).filter(|&who| self.read(who)).count();
            self.exchange.handle_timeout(self.now);
            let actions = self.run_actions();
            self.check();
            let is_readable = (0..SESSIONS_MAX).any(|who| self.is_readable(who));
            if read == 0 && actions == 0 && !is_readable {
                return;
            }
        }
        panic!("the loop always finds work");
    }

    fn is_readable(&self, who: usize) -> bool {
        let has_input = !self.unread[who].is_empty() || self.ended[who];
        has_input && self.connected.contains(&who) && self.exchange.wants_input(id(who))
    }

    fn read(&mut self, who: usize) -> bool {
        if !self.is_readable(who) {
            return false;
        }
        let count = self.unread[who].len().min(READ_BYTES_PER_TURN);
        if count > 0 {
            let bytes = self.unread[who].drain(..count).collect::<Vec<_>>();
            self.exchange.handle_received(self.now, id(who), &bytes);
        } else {
            self.exchange.handle_end_of_input(self.now, id(who));
        }
        true
    }

    fn run_actions(&mut self) -> usize {
        let mut count = 0;
        while let Some(action) = self.exchange.poll_action_at_once(self.now) {
            count += 1;
            match action {
                Action::Write(to) => self.write(to),
                Action::Close(whom) => {
                    self.exchange.forget(whom);
                    self.connected.remove(&whom.key());
                    self.writable_bytes[whom.key()] = usize::MAX;
                    self.unread[whom.key()].clear();
                    self.ended[whom.key()] = false;
                }
                Action::EndSending(whom) => {
                    assert!(self.exchange.output(whom).is_empty(), "the last lines are lost");
                }
                Action::Report(_) | Action::TransportFailed(..) | Action::Open(..) => {}
                Action::AskAccounts(request) => self.asked.push(request),
            }
        }
        count
    }

    fn write(&mut self, to: SessionId) {
        let output = self.exchange.output(to);
        check_lines(output);
        let (waiting, count) = (output.len(), output.len().min(self.writable_bytes[to.key()]));
        self.writable_bytes[to.key()] = self.writable_bytes[to.key()].saturating_sub(count);
        if count > 0 {
            self.exchange.handle_sent(self.now, to, count);
        }
        if count < waiting {
            self.exchange.handle_blocked(self.now, to);
        }
    }

    fn check(&self) {
        self.exchange.chat().check();
        let bytes_max = self.limits.outbox_bytes_max() + 2 * READ_BYTES_PER_TURN;
        for &who in &self.connected {
            assert!(self.exchange.output(id(who)).len() <= bytes_max, "output exceeds its limit");
        }
        let total_max = self.connected.len() * (bytes_max + READ_BYTES_PER_TURN);
        assert!(self.exchange.buffered_bytes() <= total_max, "buffers exceed their limit");
    }

    /// All sockets accept all output, all input ends, and time passes. Then nothing may remain.
    fn wind_down(&mut self) {
        for who in 0..SESSIONS_MAX {
            self.writable_bytes[who] = usize::MAX;
            self.ended[who] = true;
            if self.connected.contains(&who) {
                self.exchange.handle_writable(id(who));
            }
        }
        for _ in 0..10_000 {
            while !self.asked.is_empty() {
                self.answer(b"");
            }
            self.turn();
            if !self.asked.is_empty() {
                continue;
            }
            let Some(next) = self.exchange.poll_timeout() else { break };
            assert!(next > self.now, "the loop wakes up with nothing to do");
            self.now = next;
        }
        assert!(self.connected.is_empty(), "the sessions {:?} remain", self.connected);
        assert_eq!(self.exchange.chat().user_count(), 0);
        assert_eq!(self.exchange.buffered_bytes(), 0, "bytes are buffered, but no session is left");
        assert_eq!(self.exchange.poll_timeout(), None, "a deadline is left, but no session is");
    }
}

/// Output consists of complete safe lines, with refusals of telnet options anywhere between them.
/// The first line or refusal may be incomplete: a part of it was already written.
fn check_lines(output: &[u8]) {
    let mut lines = Vec::new();
    let mut rest =
        [251, 252, 254].iter().find_map(|byte| output.strip_prefix(&[*byte])).unwrap_or(output);
    while let [byte, after @ ..] = rest {
        rest = match rest {
            [255, 251 | 252 | 254, _, after @ ..] => after,
            _ => {
                lines.push(*byte);
                after
            }
        };
    }
    for line in lines.split_inclusive(|&byte| byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r\n").expect("a line ends in CR LF");
        let text = str::from_utf8(line).expect("a line is UTF-8");
        assert!(!text.contains(|c: char| c.is_control()), "a control character in {text:?}");
    }
}

fn id(who: usize) -> SessionId {
    SessionId::from_key(who)
}
