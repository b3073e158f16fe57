//! Any schedule of arrivals, bytes, ends, failures, slow sockets and time through an exchange: after
//! each step the chat's invariants hold, what is said is safe and framed, and memory is bounded.
//! Then all leave, and nothing may be left.
//!
//! The schedule is text, so that a corpus can be read: each line is a step, its first byte whose
//! step it is (`a` to `h`), its second what happens, the rest with what. Whoever is not there
//! arrives. Both the fuzzer and `tests/fuzz_corpus.rs` come in here.
//!
//! | step | what happens |
//! | --- | --- |
//! | `a>TEXT` | a types TEXT, in which `~` stands for IAC, `^` for CR, and the line end is sent |
//! | `a-TEXT` | the same, without the line end |
//! | `a*TEXT` | a types TEXT forty times over, each with its line end |
//! | `a.` | a ends its half of the connection |
//! | `a!` | the connection fails |
//! | `a<N` | a's socket takes so many bytes from now on, counted by the first byte of N |
//! | `a+N` | time passes: N is a byte, in quarters of a second |
//! | `a#` | the server stops |

use std::collections::BTreeSet;

use chinwag::core::SessionId;
use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::{Limits, READ_BYTES_PER_TURN};
use chinwag::core::time::Time;

/// How many there can be at a time.
const PEOPLE: usize = 8;

/// Steps of one schedule; more adds time, not states.
const STEPS_MAX: usize = 500;

/// Checks one schedule.
///
/// # Panics
/// If the exchange breaks a promise.
pub(crate) fn run(data: &[u8]) {
    let mut scene = Scene::new();
    for step in data.split(|&byte| byte == b'\n').take(STEPS_MAX) {
        if let [who, what, rest @ ..] = step {
            scene.step(usize::from(who.wrapping_sub(b'a')) % PEOPLE, *what, rest);
        }
    }
    scene.end();
}

struct Scene {
    exchange: Exchange,
    now: Time,
    present: BTreeSet<usize>,
    /// Bytes that each socket still takes.
    room: [usize; PEOPLE],
    /// What was typed and is not read yet, since input is held.
    typed: [Vec<u8>; PEOPLE],
    ended: [bool; PEOPLE],
    limits: Limits,
}

impl Scene {
    fn new() -> Scene {
        let limits = Limits { high_water_bytes: 2_048, ..Limits::default() };
        Scene {
            exchange: Exchange::new(limits.clone()),
            now: Time::START,
            present: BTreeSet::new(),
            room: [usize::MAX; PEOPLE],
            typed: Default::default(),
            ended: [false; PEOPLE],
            limits,
        }
    }

    fn step(&mut self, who: usize, what: u8, rest: &[u8]) {
        if self.present.insert(who) {
            self.exchange.handle_connect(self.now, id(who));
        }
        match what {
            b'>' | b'-' | b'*' if !self.ended[who] => self.types(who, what, rest),
            b'.' => self.ended[who] = true,
            b'!' => self.exchange.handle_failure(self.now, id(who)),
            b'<' => {
                self.room[who] = rest.first().map_or(usize::MAX, |&byte| 8 * usize::from(byte));
                self.exchange.handle_writable(id(who));
            }
            b'+' => {
                let quarters = rest.first().map_or(1, |&byte| u64::from(byte));
                self.now = self.now.after_ms(250 * quarters);
            }
            b'#' => self.exchange.handle_stop(self.now),
            _ => {}
        }
        self.turn();
    }

    fn types(&mut self, who: usize, what: u8, text: &[u8]) {
        let typed = text.iter().map(|byte| match byte {
            b'~' => 255,
            b'^' => b'\r',
            &byte => byte,
        });
        let line_end = (what != b'-').then_some(b'\n');
        let line = typed.chain(line_end).collect::<Vec<_>>();
        let times = if what == b'*' { 40 } else { 1 };
        if self.typed[who].len() < 4 * READ_BYTES_PER_TURN {
            self.typed[who].extend(line.repeat(times));
        }
    }

    /// The loop, until nothing is left to do.
    fn turn(&mut self) {
        for _ in 0..1_000 {
            let read = (0..PEOPLE).filter(|&who| self.read(who)).count();
            self.exchange.handle_timeout(self.now);
            let acted = self.act();
            self.check();
            if read == 0 && acted == 0 {
                return;
            }
        }
        panic!("the loop finds work for ever");
    }

    fn read(&mut self, who: usize) -> bool {
        if !self.present.contains(&who) || !self.exchange.wants_input(id(who)) {
            return false;
        }
        let count = self.typed[who].len().min(READ_BYTES_PER_TURN);
        if count > 0 {
            let bytes = self.typed[who].drain(..count).collect::<Vec<_>>();
            self.exchange.handle_received(self.now, id(who), &bytes);
        } else if self.ended[who] {
            self.exchange.handle_end_of_input(self.now, id(who));
        }
        count > 0
    }

    fn act(&mut self) -> usize {
        let mut count = 0;
        while let Some(action) = self.exchange.poll_action() {
            count += 1;
            match action {
                Action::Write(to) => self.write(to),
                Action::Close(whom) => {
                    self.exchange.forget(whom);
                    self.present.remove(&whom.key());
                    self.room[whom.key()] = usize::MAX;
                    self.typed[whom.key()].clear();
                    self.ended[whom.key()] = false;
                }
                Action::EndSending(whom) => {
                    assert!(self.exchange.output(whom).is_empty(), "last words are cut off");
                }
                Action::Resume(_) | Action::Report(_) => {}
            }
        }
        count
    }

    fn write(&mut self, to: SessionId) {
        let output = self.exchange.output(to);
        check_lines(output);
        let (waiting, count) = (output.len(), output.len().min(self.room[to.key()]));
        self.room[to.key()] = self.room[to.key()].saturating_sub(count);
        if count > 0 {
            self.exchange.handle_sent(self.now, to, count);
        }
        if count < waiting {
            self.exchange.handle_blocked(self.now, to);
        }
    }

    fn check(&self) {
        self.exchange.chat().check();
        let most = self.limits.outbox_bytes_max() + 2 * READ_BYTES_PER_TURN;
        for &who in &self.present {
            assert!(self.exchange.output(id(who)).len() <= most, "output without bound");
        }
        let all = self.present.len() * (most + READ_BYTES_PER_TURN);
        assert!(self.exchange.buffered_bytes() <= all, "buffers without bound");
    }

    /// All sockets take what there is, everybody ends, time passes: nothing may be left.
    fn end(&mut self) {
        for who in 0..PEOPLE {
            self.room[who] = usize::MAX;
            self.ended[who] = true;
            if self.present.contains(&who) {
                self.exchange.handle_writable(id(who));
            }
        }
        for _ in 0..10_000 {
            self.turn();
            let Some(next) = self.exchange.poll_timeout() else { break };
            assert!(next > self.now, "the loop wakes for nothing");
            self.now = next;
        }
        assert!(self.present.is_empty(), "{:?} are left", self.present);
        assert_eq!(self.exchange.chat().user_count(), 0);
        assert_eq!(self.exchange.buffered_bytes(), 0, "bytes are buffered for nobody");
        assert_eq!(self.exchange.poll_timeout(), None, "a deadline for nobody");
    }
}

/// What waits is whole safe lines, and refusals of telnet options anywhere between them, behind
/// what is left of a line or a refusal that was taken in part.
fn check_lines(output: &[u8]) {
    let mut lines = Vec::new();
    let mut rest = output.strip_prefix(&[252]).or(output.strip_prefix(&[254])).unwrap_or(output);
    while let [byte, after @ ..] = rest {
        rest = match rest {
            [255, 252 | 254, _, after @ ..] => after,
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
