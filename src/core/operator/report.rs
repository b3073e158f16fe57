//! One line of the stream of `watch` (8.2.12): plain numbers, and their form in JSON.
//!
//! The server fills a [`WatchReport`]; a view reads the JSON. Nobody's words are in it.

use serde_json::{Map, Value, json};

use crate::core::exchange::{Hold, HopTaken};

/// The version of the form. A change that breaks a reader changes it.
pub const WATCH_VERSION: u64 = 1;

/// The steps of a turn, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Sleep until a socket is ready or a deadline passes.
    Wait,
    /// Note what is ready.
    Events,
    /// Accept new connections.
    Accept,
    /// Read each ready socket once.
    Read,
    /// Take the answers of the helper for accounts.
    Accounts,
    /// Serve the consoles.
    Consoles,
    /// Fire the deadlines that are due.
    Timers,
    /// Write, end and close.
    Act,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Step; 8] = [
        Step::Wait,
        Step::Events,
        Step::Accept,
        Step::Read,
        Step::Accounts,
        Step::Consoles,
        Step::Timers,
        Step::Act,
    ];

    /// The word for the step.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Step::Wait => "wait",
            Step::Events => "events",
            Step::Accept => "accept",
            Step::Read => "read",
            Step::Accounts => "accounts",
            Step::Consoles => "consoles",
            Step::Timers => "timers",
            Step::Act => "act",
        }
    }

    /// The step after this one; the first comes after the last.
    #[must_use]
    pub fn next(self) -> Step {
        Step::ALL[(self as usize + 1) % Step::ALL.len()]
    }
}

/// What happened in one turn, or in several turns together.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TurnRecord {
    /// How many turns this is.
    pub turns: u64,
    /// Sockets that the poll reported, without those of consoles.
    pub events: u64,
    /// What was counted.
    pub counts: TurnCounts,
    /// The time of each step, in nanoseconds.
    pub ns: [u64; Step::ALL.len()],
}

/// What the server counts in a turn.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TurnCounts {
    /// Connections accepted.
    pub accepted: u64,
    /// Sockets read.
    pub reads: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Lines received.
    pub lines: u64,
    /// Times that input waited, by the number of the [`Hold`].
    pub held: [u64; Hold::ALL.len()],
    /// Deadlines that fired.
    pub timers: u64,
    /// Calls of write(2).
    pub writes: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Sockets closed.
    pub closes: u64,
}

/// One connection.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchedConnection {
    /// Its number in the log.
    pub number: u32,
    /// The username; empty without one.
    pub name: String,
    /// The state of the session, or what the connection does without one.
    pub state: &'static str,
    /// The name of the chat partner or of the room; empty without one.
    pub with: String,
    /// Bytes of output that wait.
    pub output: usize,
    /// The output has passed the high-water mark, and not fallen to the low one since.
    pub is_congested: bool,
    /// Bytes of received input that wait.
    pub held_bytes: usize,
    /// Input waits: here, or unread in the socket.
    pub waits: bool,
    /// Why input waits or would wait.
    pub hold: Option<Hold>,
    /// The running deadlines: their words, and the milliseconds that are left.
    pub deadlines: Vec<(&'static str, u64)>,
    /// The share of one core, in percent.
    pub cpu_percent: f64,
}

/// The followed session, and the way of its last input.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// The number of the connection.
    pub number: u32,
    /// The username; empty without one.
    pub name: String,
    /// The hops, each with the name of the other session concerned, or an empty one.
    pub hops: Vec<(HopTaken, String)>,
}

/// Whether the loop is held (8.2.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The loop is held until a command.
    pub is_paused: bool,
    /// The step that comes next.
    pub next: Step,
    /// Milliseconds that the loop waits before each step.
    pub slow_ms: u64,
}

/// One line of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchReport {
    /// Milliseconds since the server started. They stand still while the loop is held.
    pub at_ms: u64,
    /// Turns that this watcher missed since its last line.
    pub skipped: u64,
    /// All turns since the last line, also those without an entry.
    pub total: TurnRecord,
    /// The turns in which something happened, the oldest first.
    pub turns: Vec<TurnRecord>,
    /// Open connections.
    pub count: usize,
    /// The high-water mark, in bytes.
    pub high_water: usize,
    /// Those connections that fill, hold or cost most; the first most of all.
    pub connections: Vec<WatchedConnection>,
    /// `None` if nobody is followed.
    pub followed: Option<Followed>,
    /// `None` on a server without `--teach`.
    pub held: Option<Held>,
}

impl TurnRecord {
    /// Adds another record to this one.
    pub fn add(&mut self, other: &TurnRecord) {
        self.turns += other.turns;
        self.events += other.events;
        self.counts.add(&other.counts);
        for (sum, more) in self.ns.iter_mut().zip(other.ns) {
            *sum = sum.saturating_add(more);
        }
    }

    /// What came between `before` and this record.
    #[must_use]
    pub fn since(&self, before: &TurnRecord) -> TurnRecord {
        let mut ns = self.ns;
        for (time, old) in ns.iter_mut().zip(before.ns) {
            *time = time.saturating_sub(old);
        }
        TurnRecord {
            turns: self.turns - before.turns,
            events: self.events - before.events,
            counts: self.counts.since(&before.counts),
            ns,
        }
    }

    fn json(&self) -> Value {
        let counts = &self.counts;
        let held = Hold::ALL.into_iter().zip(counts.held).filter(|&(_, count)| count > 0);
        let held = held.map(|(hold, count)| (hold.word().to_owned(), json!(count)));
        let steps = Step::ALL.into_iter().zip(self.ns);
        let ns = steps.map(|(step, ns)| (step.word().to_owned(), json!(ns)));
        json!({
            "turns": self.turns, "events": self.events, "accepted": counts.accepted,
            "reads": counts.reads, "bytes_in": counts.bytes_in, "lines": counts.lines,
            "held": held.collect::<Map<_, _>>(), "timers": counts.timers, "writes": counts.writes,
            "bytes_out": counts.bytes_out, "closes": counts.closes,
            "ns": ns.collect::<Map<_, _>>(),
        })
    }
}

impl TurnCounts {
    fn add(&mut self, other: &TurnCounts) {
        let mut other = *other;
        for (sum, more) in self.figures().into_iter().zip(other.figures()) {
            *sum += *more;
        }
        for (sum, more) in self.held.iter_mut().zip(other.held) {
            *sum += more;
        }
    }

    /// What came between `before` and these counts.
    #[must_use]
    pub fn since(&self, before: &TurnCounts) -> TurnCounts {
        let (mut counts, mut before) = (*self, *before);
        for (count, old) in counts.figures().into_iter().zip(before.figures()) {
            *count = count.saturating_sub(*old);
        }
        for (count, old) in counts.held.iter_mut().zip(before.held) {
            *count = count.saturating_sub(old);
        }
        counts
    }

    fn figures(&mut self) -> [&mut u64; 8] {
        let TurnCounts {
            accepted,
            reads,
            bytes_in,
            lines,
            held: _,
            timers,
            writes,
            bytes_out,
            closes,
        } = self;
        [accepted, reads, bytes_in, lines, timers, writes, bytes_out, closes]
    }
}

impl WatchReport {
    /// The line, with its ending.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut line = json!({
            "watch": WATCH_VERSION, "at": self.at_ms, "skipped": self.skipped,
            "total": self.total.json(),
            "turns": self.turns.iter().map(TurnRecord::json).collect::<Vec<_>>(),
            "count": self.count, "high_water": self.high_water,
            "connections":
                self.connections.iter().map(WatchedConnection::json).collect::<Vec<_>>(),
        });
        if let Some(followed) = &self.followed {
            line["followed"] = followed.json();
        }
        if let Some(Held { is_paused, next, slow_ms }) = self.held {
            line["teach"] = json!({"paused": is_paused, "next": next.word(), "slow_ms": slow_ms});
        }
        format!("{line}\n")
    }
}

impl WatchedConnection {
    fn json(&self) -> Value {
        let deadlines = self.deadlines.iter();
        let deadlines = deadlines.map(|&(word, ms)| (word.to_owned(), json!(ms)));
        json!({
            "number": self.number, "name": self.name, "state": self.state, "with": self.with,
            "output": self.output, "congested": self.is_congested, "held_bytes": self.held_bytes, "waits": self.waits,
            "hold": self.hold.map(Hold::word), "deadlines": deadlines.collect::<Map<_, _>>(),
            "cpu": (self.cpu_percent * 100.0).round() / 100.0,
        })
    }
}

impl Followed {
    fn json(&self) -> Value {
        let hops = self.hops.iter().map(|(taken, other)| {
            let place = taken.hop.place();
            json!({
                "hop": place.number, "function": place.function, "file": place.file,
                "count": taken.count, "unit": taken.hop.unit(), "with": other,
            })
        });
        json!({"number": self.number, "name": self.name, "hops": hops.collect::<Vec<_>>()})
    }
}
