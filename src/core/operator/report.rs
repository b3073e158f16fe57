//! One line of the stream of `watch` (8.2.12): plain numbers, and their form in JSON.
//!
//! The server fills a [`WatchReport`]; a view reads the JSON. Nobody's words are in it.

use std::fmt::{self, Write};

use serde_json::{Map, Value, json};

use crate::core::SessionId;
use crate::core::exchange::{Exchange, Hold, HopTaken};
use crate::core::time::Time;

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

    fn write(&self, out: &mut String) -> fmt::Result {
        let TurnCounts {
            accepted,
            reads,
            bytes_in,
            lines,
            held,
            timers,
            writes,
            bytes_out,
            closes,
        } = &self.counts;
        write!(out, "{{\"turns\":{},\"events\":{}", self.turns, self.events)?;
        write!(out, ",\"accepted\":{accepted},\"reads\":{reads},\"bytes_in\":{bytes_in}")?;
        write!(out, ",\"lines\":{lines},\"timers\":{timers},\"writes\":{writes}")?;
        write!(out, ",\"bytes_out\":{bytes_out},\"closes\":{closes},\"held\":")?;
        let held = Hold::ALL.into_iter().zip(held).filter(|&(_, &count)| count > 0);
        write_object(out, held.map(|(hold, &count)| (hold.word(), count)))?;
        out.push_str(",\"ns\":");
        write_object(out, Step::ALL.into_iter().map(Step::word).zip(self.ns))?;
        out.push('}');
        Ok(())
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

impl Followed {
    /// The followed session; `None` if `id` is not the one that is traced.
    #[must_use]
    pub fn of(exchange: &Exchange, id: SessionId, number: u32) -> Option<Followed> {
        let trace = exchange.trace().filter(|trace| trace.who() == id)?;
        let name = |id: Option<SessionId>| {
            let name = id.and_then(|id| exchange.chat().name(id));
            name.map(ToString::to_string).unwrap_or_default()
        };
        let hops = trace.hops().iter().map(|taken| (*taken, name(taken.other))).collect();
        Some(Followed { number, name: name(Some(id)), hops })
    }
}

impl WatchReport {
    /// The line, with its ending. It is written piece by piece: a tree of values in between would cost a
    /// busy server several percent.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(16 * 1024);
        self.write(&mut out).expect("writing to a String does not fail");
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        write!(out, "{{\"watch\":{WATCH_VERSION},\"at\":{}", self.at_ms)?;
        write!(out, ",\"skipped\":{},\"count\":{}", self.skipped, self.count)?;
        write!(out, ",\"high_water\":{},\"total\":", self.high_water)?;
        self.total.write(out)?;
        out.push_str(",\"turns\":");
        write_list(out, &self.turns, TurnRecord::write)?;
        out.push_str(",\"connections\":");
        write_list(out, &self.connections, |open, out| write!(out, "{}", open.json()))?;
        if let Some(followed) = &self.followed {
            write!(out, ",\"followed\":{}", followed.json())?;
        }
        if let Some(Held { is_paused, next, slow_ms }) = self.held {
            let held = json!({"paused": is_paused, "next": next.word(), "slow_ms": slow_ms});
            write!(out, ",\"teach\":{held}")?;
        }
        out.push_str("}\n");
        Ok(())
    }
}

/// Writes an object whose fields are numbers. The words need no escapes.
fn write_object(
    out: &mut String,
    fields: impl Iterator<Item = (&'static str, u64)>,
) -> fmt::Result {
    out.push('{');
    for (n, (word, value)) in fields.enumerate() {
        let comma = if n == 0 { "" } else { "," };
        write!(out, "{comma}\"{word}\":{value}")?;
    }
    out.push('}');
    Ok(())
}

fn write_list<T>(
    out: &mut String,
    items: &[T],
    mut write: impl FnMut(&T, &mut String) -> fmt::Result,
) -> fmt::Result {
    out.push('[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(item, out)?;
    }
    out.push(']');
    Ok(())
}

impl WatchedConnection {
    /// What the core knows of a connection at `now`. What only the shell knows is left out: unread input in
    /// the socket, and the cost.
    #[must_use]
    pub fn of(exchange: &Exchange, now: Time, id: SessionId, number: u32) -> WatchedConnection {
        let chat = exchange.chat();
        let left = |at: Time| at.ms_since(now);
        let session = chat.deadline(id).map(|(deadline, at)| (deadline.word(), left(at)));
        let deadlines = exchange.deadlines(id).map(|(deadline, at)| (deadline.word(), left(at)));
        let partner = chat.partner(id).and_then(|with| chat.name(with));
        let state = chat.state(id).unwrap_or("-");
        // A member of a room who is asked sees the request first.
        let room = chat.room(id).filter(|_| state == "IN ROOM");
        let room = room.and_then(|room| chat.room_name(room));
        let held_bytes = exchange.held_input_bytes(id);
        WatchedConnection {
            number,
            name: chat.name(id).map(ToString::to_string).unwrap_or_default(),
            state,
            with: partner.or(room).map(ToString::to_string).unwrap_or_default(),
            output: exchange.outbox_bytes(id),
            is_congested: exchange.is_congested(id),
            held_bytes,
            waits: held_bytes > 0 && exchange.hold(id).is_some(),
            hold: exchange.hold(id),
            deadlines: session.into_iter().chain(deadlines).collect(),
            cpu_percent: 0.0,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    /// (8.2.12)
    #[test]
    fn a_line_is_json_with_the_fields_of_the_protocol() {
        let mut turn = TurnRecord { turns: 1, events: 2, ..TurnRecord::default() };
        turn.counts.held[Hold::Room as usize] = 3;
        turn.ns[Step::Act as usize] = u64::MAX;
        let name = "\"quoted\" \\".to_owned();
        let report = WatchReport {
            at_ms: 5,
            skipped: 6,
            total: turn,
            turns: vec![turn, turn],
            count: 7,
            high_water: 8,
            connections: Vec::new(),
            followed: Some(Followed { number: 9, name: name.clone(), hops: Vec::new() }),
            held: Some(Held { is_paused: true, next: Step::Read, slow_ms: 0 }),
        };
        let line = report.encode();
        assert_eq!(line.matches('\n').count(), 1);
        let read = serde_json::from_str::<Value>(&line).unwrap();
        assert_eq!(read["turns"][1], read["total"]);
        assert_eq!(read["total"]["held"], json!({"room": 3}));
        assert_eq!(read["total"]["ns"]["act"], json!(u64::MAX));
        assert_eq!(
            (&read["followed"]["name"], &read["teach"]["next"]),
            (&json!(name), &json!("read"))
        );
        let bare = WatchReport { turns: Vec::new(), followed: None, held: None, ..report }.encode();
        let read = serde_json::from_str::<Value>(&bare).unwrap();
        assert!(read.get("followed").is_none() && read.get("teach").is_none());
        assert_eq!(read["turns"], json!([]));
    }
}
