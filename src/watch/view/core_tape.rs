//! A recording of `serve --record` (8.2.16), as places to walk: one for each input of the core.
//!
//! The chat itself is run again, and shows at each place what the server showed. A step back runs it anew
//! from the start, and what it shows on the way is kept for the next steps back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::narration::{is_input, narrate};
use super::story::Story;
use crate::core::SessionId;
use crate::core::limits::WATCHED_CONNECTIONS_MAX;
use crate::core::operator::{Followed, TurnCounts, TurnRecord, WatchReport, WatchedConnection};
use crate::core::recording::{Call, Output, Player, Recording};
use crate::core::time::Time;

/// Places that are kept for steps back.
const KEPT_MAX: usize = 600;

/// A recording, and where its places are.
#[derive(Debug)]
pub(super) struct CoreTape {
    recording: Rc<Recording>,
    /// How many calls are made at the end of each place, and its time in milliseconds.
    places: Vec<(usize, u64)>,
    /// How the replay ends, if not with the last call.
    ending: Option<String>,
    /// The number of the connection that is followed.
    followed: Option<u32>,
    walk: Walk,
}

/// A replay on its way, and what it has shown lately.
#[derive(Debug)]
struct Walk {
    player: Player,
    /// Places passed so far.
    passed: usize,
    /// The last places that were passed.
    kept: VecDeque<Shown>,
    /// The usernames of connections: a session that is over has forgotten its name.
    names: BTreeMap<SessionId, String>,
    counts: TurnCounts,
}

/// What one place shows.
#[derive(Debug)]
pub(super) struct Shown {
    /// A line as `watch` streams it.
    pub(super) line: Vec<u8>,
    pub(super) story: Story,
}

impl CoreTape {
    /// Runs the whole recording once, to find its places.
    ///
    /// # Errors
    /// There is no input in it.
    pub(super) fn new(recording: Recording) -> Result<CoreTape, String> {
        let recording = Rc::new(recording);
        let mut player = Player::new(Rc::clone(&recording));
        let (mut places, mut outputs) = (Vec::new(), Vec::new());
        let mut ending =
            recording.is_cut().then(|| "the recording ends before the server".to_owned());
        while let Some((at, _, _)) = player.next_call() {
            if is_input(&player) || places.is_empty() {
                places.push((0, at.ms_since(Time::START)));
            }
            if let Err(difference) = player.step(&mut outputs) {
                ending = Some(difference.to_string());
                break;
            }
            outputs.clear();
            if let Some((made, _)) = places.last_mut() {
                *made = player.made();
            }
        }
        if places.is_empty() {
            return Err("nothing happens in it".to_owned());
        }
        if let Some(program) = recording.other_program() {
            ending = ending.map(|why| format!("{why} (recorded by chinwag {program})"));
        }
        let walk = Walk::new(&recording);
        Ok(CoreTape { recording, places, ending, followed: None, walk })
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The time of a place, in milliseconds.
    pub(super) fn at_ms(&self, place: usize) -> Option<u64> {
        self.places.get(place).map(|(_, at_ms)| *at_ms)
    }

    /// How the replay ends, if not with the last call.
    pub(super) fn ending(&self) -> Option<&str> {
        self.ending.as_deref()
    }

    /// Follows a connection, or nobody; the places are walked anew.
    pub(super) fn follow(&mut self, number: Option<u32>) {
        self.followed = number;
        self.walk = Walk::new(&self.recording);
    }

    /// What a place shows.
    pub(super) fn show(&mut self, place: usize) -> Option<&Shown> {
        if place < self.walk.first() {
            self.walk = Walk::new(&self.recording);
        }
        while self.walk.passed <= place {
            let (made, _) = *self.places.get(self.walk.passed)?;
            let is_kept = self.walk.passed + KEPT_MAX > place;
            self.walk.pass(made, self.followed, is_kept);
        }
        self.walk.kept.get(place - self.walk.first())
    }
}

impl Walk {
    fn new(recording: &Rc<Recording>) -> Walk {
        Walk {
            player: Player::new(Rc::clone(recording)),
            passed: 0,
            kept: VecDeque::new(),
            names: BTreeMap::new(),
            counts: TurnCounts::default(),
        }
    }

    /// The first place that is kept.
    fn first(&self) -> usize {
        self.passed - self.kept.len()
    }

    /// Passes one place: makes the calls up to `made`.
    fn pass(&mut self, made: usize, followed: Option<u32>, is_kept: bool) {
        let at = self.player.next_call().map_or(Time::START, |(at, ..)| at);
        let input = narrate(&self.player, |id| self.label(id));
        let mut story = Story::new(at.ms_since(Time::START), &input);
        let (before, mut outputs) = (self.counts, Vec::new());
        while self.player.made() < made && self.step(followed, &mut outputs) {
            for Output { to, bytes } in outputs.drain(..) {
                story.add_output(&self.label(to), &bytes);
            }
        }
        let traffic = self.player.exchange().traffic();
        self.counts.lines = traffic.lines_in;
        self.counts.timers = traffic.timeouts;
        self.counts.held = self.player.exchange().holds();
        self.passed += 1;
        if !is_kept {
            return self.kept.clear();
        }
        let counts = self.counts.since(&before);
        let turn = TurnRecord { turns: 1, events: 1, counts, ..TurnRecord::default() };
        let line = self.report(at, turn, followed).encode().into_bytes();
        self.kept.push_back(Shown { line, story });
        // A step forward and one back stay within what is kept.
        if self.kept.len() > 2 * KEPT_MAX {
            self.kept.pop_front();
        }
    }

    /// Makes one call; `false` if the replay cannot go on.
    fn step(&mut self, followed: Option<u32>, outputs: &mut Vec<Output>) -> bool {
        let Some((_, call, bytes)) = self.player.next_call() else { return false };
        let TurnCounts { accepted, reads, bytes_in, writes, bytes_out, closes, .. } =
            &mut self.counts;
        match call {
            Call::Connect(..) | Call::ConnectThrough(..) => *accepted += 1,
            Call::Received(_) | Call::StaleInput(_) => {
                *reads += 1;
                *bytes_in += bytes.len() as u64;
            }
            Call::Sent(_, count, _) => {
                *writes += 1;
                *bytes_out += *count as u64;
            }
            Call::Forget(id) => {
                *closes += 1;
                self.names.remove(id);
            }
            _ => {}
        }
        let id = call.id();
        if followed.is_some() && self.player.exchange().trace().is_none() {
            self.player.follow(followed);
        }
        let goes_on = self.player.step(outputs).is_ok();
        if goes_on && let Some(id) = id.filter(|id| self.player.exchange().has_connection(*id)) {
            let name = self.player.exchange().chat().name(id);
            let name = name.filter(|name| self.names.get(&id).is_none_or(|it| it != name.as_str()));
            name.map(|name| self.names.insert(id, name.to_string()));
        }
        goes_on
    }

    /// The name of a session, or its number.
    fn label(&self, id: SessionId) -> String {
        let number = || format!("#{}", self.player.number(id));
        self.names.get(&id).cloned().unwrap_or_else(number)
    }

    fn report(&self, now: Time, turn: TurnRecord, followed: Option<u32>) -> WatchReport {
        let exchange = self.player.exchange();
        let open = self.player.connections();
        let mut connections = open
            .map(|(id, number)| WatchedConnection::of(exchange, now, id, number))
            .collect::<Vec<_>>();
        let count = connections.len();
        // Those that fill most come first, as on a server.
        connections.sort_by_key(|open| (Reverse((open.waits, open.output)), open.number));
        connections.truncate(WATCHED_CONNECTIONS_MAX);
        let followed = followed.and_then(|number| {
            let (id, number) = self.player.connections().find(|(_, it)| *it == number)?;
            Followed::of(exchange, id, number)
        });
        WatchReport {
            at_ms: now.ms_since(Time::START),
            skipped: 0,
            total: turn,
            turns: vec![turn],
            count,
            high_water: exchange.high_water_bytes(),
            connections,
            followed,
            held: None,
        }
    }
}
