//! One line of the stream as figures (`protocol.md` 8.2.12). The line comes from outside: a field that
//! is missing or of another type counts as nothing, and texts are cleaned before anything draws them.

use serde_json::Value;

use crate::core::framing::text;

/// Connections, turns, hops and words that are taken from one line. The server sends fewer.
const ITEMS_MAX: usize = 200;

/// Characters of a text that are kept: more than fit into any column.
const TEXT_CHARACTERS_MAX: usize = 40;

/// The steps of a turn, in order.
pub(super) const STEPS: [&str; 8] =
    ["wait", "events", "accept", "read", "accounts", "consoles", "timers", "act"];

/// One line of the stream.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) at_ms: u64,
    pub(super) skipped: u64,
    pub(super) total: Turns,
    pub(super) turns: Vec<Turns>,
    pub(super) count: u64,
    pub(super) high_water: u64,
    pub(super) connections: Vec<Connection>,
    pub(super) followed: Option<Followed>,
    pub(super) teach: Option<Teach>,
}

/// One or several turns.
#[derive(Debug, Default, Clone)]
pub(super) struct Turns {
    pub(super) turns: u64,
    pub(super) events: u64,
    pub(super) accepted: u64,
    pub(super) reads: u64,
    pub(super) bytes_in: u64,
    pub(super) lines: u64,
    pub(super) held: Vec<(String, u64)>,
    pub(super) timers: u64,
    pub(super) writes: u64,
    pub(super) bytes_out: u64,
    pub(super) closes: u64,
    pub(super) ns: [u64; STEPS.len()],
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) with: String,
    pub(super) output: u64,
    pub(super) is_congested: bool,
    pub(super) waits: bool,
    pub(super) hold: String,
    pub(super) deadlines: Vec<(String, u64)>,
    pub(super) cpu_percent: f64,
}

/// The followed session.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) hops: Vec<Hop>,
}

/// One hop of its last input.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) number: u64,
    pub(super) function: String,
    pub(super) file: String,
    pub(super) count: u64,
    pub(super) unit: String,
    pub(super) with: String,
}

/// A server for teaching.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Teach {
    pub(super) is_paused: bool,
    pub(super) next: String,
    pub(super) slow_ms: u64,
}

impl Figures {
    /// Reads a line. `None` if it is no line of the stream.
    pub(super) fn parse(line: &[u8]) -> Option<Figures> {
        let value = serde_json::from_slice::<Value>(line).ok()?;
        value.get("watch")?.as_u64()?;
        Some(Figures {
            at_ms: number(&value, "at"),
            skipped: number(&value, "skipped"),
            total: Turns::of(&value["total"]),
            turns: list(&value, "turns").map(Turns::of).collect(),
            count: number(&value, "count"),
            high_water: number(&value, "high_water"),
            connections: list(&value, "connections").map(Connection::of).collect(),
            followed: value.get("followed").filter(|it| it.is_object()).map(Followed::of),
            teach: value.get("teach").filter(|it| it.is_object()).map(Teach::of),
        })
    }
}

impl Turns {
    fn of(value: &Value) -> Turns {
        Turns {
            turns: number(value, "turns"),
            events: number(value, "events"),
            accepted: number(value, "accepted"),
            reads: number(value, "reads"),
            bytes_in: number(value, "bytes_in"),
            lines: number(value, "lines"),
            held: words(value, "held"),
            timers: number(value, "timers"),
            writes: number(value, "writes"),
            bytes_out: number(value, "bytes_out"),
            closes: number(value, "closes"),
            ns: STEPS.map(|step| number(&value["ns"], step)),
        }
    }

    /// Adds other turns to these.
    pub(super) fn add(&mut self, other: &Turns) {
        let sums = [
            (&mut self.turns, other.turns),
            (&mut self.events, other.events),
            (&mut self.accepted, other.accepted),
            (&mut self.reads, other.reads),
            (&mut self.bytes_in, other.bytes_in),
            (&mut self.lines, other.lines),
            (&mut self.timers, other.timers),
            (&mut self.writes, other.writes),
            (&mut self.bytes_out, other.bytes_out),
            (&mut self.closes, other.closes),
        ];
        let steps = self.ns.iter_mut().zip(other.ns);
        for (sum, more) in sums.into_iter().chain(steps) {
            *sum = sum.saturating_add(more);
        }
        for (word, count) in &other.held {
            if let Some((_, sum)) = self.held.iter_mut().find(|(known, _)| known == word) {
                *sum = sum.saturating_add(*count);
            } else if self.held.len() < ITEMS_MAX {
                self.held.push((word.clone(), *count));
            }
        }
    }

    /// Nanoseconds in which the loop did not sleep.
    pub(super) fn awake_ns(&self) -> u64 {
        self.ns.iter().skip(1).fold(0, |sum, ns| sum.saturating_add(*ns))
    }
}

impl Connection {
    fn of(value: &Value) -> Connection {
        Connection {
            number: number(value, "number"),
            name: word(value, "name"),
            state: word(value, "state"),
            with: word(value, "with"),
            output: number(value, "output"),
            is_congested: value["congested"] == true,
            waits: value["waits"] == true,
            hold: word(value, "hold"),
            deadlines: words(value, "deadlines"),
            cpu_percent: value["cpu"].as_f64().unwrap_or(0.0).clamp(0.0, 999.0),
        }
    }
}

impl Followed {
    fn of(value: &Value) -> Followed {
        let hop = |hop: &Value| Hop {
            number: number(hop, "hop"),
            function: word(hop, "function"),
            file: word(hop, "file"),
            count: number(hop, "count"),
            unit: word(hop, "unit"),
            with: word(hop, "with"),
        };
        Followed {
            number: number(value, "number"),
            name: word(value, "name"),
            hops: list(value, "hops").map(hop).collect(),
        }
    }
}

impl Teach {
    fn of(value: &Value) -> Teach {
        Teach {
            is_paused: value["paused"] == true,
            next: word(value, "next"),
            slow_ms: number(value, "slow_ms"),
        }
    }
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(0)
}

/// A text, safe to draw.
fn word(value: &Value, name: &str) -> String {
    cleaned(value[name].as_str().unwrap_or_default(), TEXT_CHARACTERS_MAX)
}

/// Removes what could move the cursor, change the direction of writing, or fill a line.
pub(super) fn cleaned(text: &str, characters_max: usize) -> String {
    text::clean(text).trim().chars().take(characters_max).collect()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten().take(ITEMS_MAX)
}

/// An object whose fields are numbers.
fn words(value: &Value, name: &str) -> Vec<(String, u64)> {
    let fields = value[name].as_object().into_iter().flatten().take(ITEMS_MAX);
    fields
        .map(|(word, value)| (cleaned(word, TEXT_CHARACTERS_MAX), value.as_u64().unwrap_or(0)))
        .collect()
}
