//! One attacker: what every kind has in common. It counts what the server does to it, keeps within its
//! share of the bytes, and leaves when it is told. What is special, the [`Moves`] of a kind decide.
//! Pure: no socket and no clock.

use super::Note;
use crate::peers::lines::Lines;
use crate::peers::peer::{Acts, Close, End, Input, Micros, Peer};

/// The prompt of the menu begins so.
pub(super) const MENU: &str = "? 1 list";
/// The prompt for a username begins so.
pub(super) const USERNAME: &str = "? Username:";

/// How often a text must come before it is told again.
const TOLD_EVERY: u64 = 64;

/// What an attacker of some kind does. One value for each connection.
pub(super) trait Moves {
    /// The connection stands.
    fn connected(&mut self, _hand: &mut Hand<'_>) {}

    /// The server has said a line.
    fn hears(&mut self, _line: &str, _hand: &mut Hand<'_>) {}

    /// The kernel has taken everything.
    fn sent(&mut self, _hand: &mut Hand<'_>) {}

    /// The time of [`Hand::wake_in`] has come.
    fn due(&mut self, _hand: &mut Hand<'_>) {}

    /// The connection is over. `is_welcomed`: the server had greeted.
    fn ended(&mut self, _is_welcomed: bool, _hand: &mut Hand<'_>) {}

    /// The attack is over: leave. What was not sent is dropped.
    fn stop(&mut self, hand: &mut Hand<'_>) {
        hand.close(Close::Reset);
    }
}

/// What [`Moves`] can do.
pub(super) struct Hand<'a> {
    /// The time now.
    pub(super) now: Micros,
    /// The username of this attacker.
    pub(super) name: &'a str,
    bytes_left: &'a mut u64,
    acts: &'a mut Acts<Note>,
}

impl Hand<'_> {
    /// Sends bytes, or nothing once this attacker's share of the bytes is used up.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let count = bytes.len() as u64;
        if count > *self.bytes_left {
            *self.bytes_left = 0;
            return;
        }
        *self.bytes_left -= count;
        self.acts.send.extend_from_slice(bytes);
    }

    /// Sends one line.
    pub(super) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    /// Asks for [`Moves::due`] after this time.
    pub(super) fn wake_in(&mut self, time: Micros) {
        self.acts.wake_at = Some(self.now + time);
    }

    /// Reads from now on, or stops reading.
    pub(super) fn reads(&mut self, reads: bool) {
        self.acts.reads = Some(reads);
    }

    /// Ends the connection.
    pub(super) fn close(&mut self, how: Close) {
        self.acts.close = Some(how);
    }

    /// Connects again after this time.
    pub(super) fn connect_in(&mut self, time: Micros) {
        self.acts.connect_at = Some(self.now + time);
    }

    /// Counts something for the report.
    pub(super) fn count(&mut self, what: &'static str) {
        self.acts.notes.push(Note::Counted(what));
    }

    /// Tells something for the report.
    pub(super) fn tell(&mut self, fact: String) {
        self.acts.notes.push(Note::Fact(fact));
    }
}

/// A connection of an attack.
pub(super) struct Attacker {
    name: String,
    logs_in: bool,
    moves: Box<dyn Moves>,
    lines: Lines,
    bytes_left: u64,
    is_connected: bool,
    is_welcomed: bool,
    /// This side has ended the connection, or its half.
    is_leaving: bool,
    is_stopping: bool,
    /// The last text of the server, and how often it came without being told.
    said: (String, u64),
}

impl Attacker {
    pub(super) fn new(name: String, logs_in: bool, bytes: u64, moves: Box<dyn Moves>) -> Attacker {
        Attacker {
            name,
            logs_in,
            moves,
            lines: Lines::default(),
            bytes_left: bytes,
            is_connected: false,
            is_welcomed: false,
            is_leaving: false,
            is_stopping: false,
            said: (String::new(), 0),
        }
    }

    fn play(
        &mut self,
        now: Micros,
        acts: &mut Acts<Note>,
        play: impl FnOnce(&mut dyn Moves, &mut Hand<'_>),
    ) {
        let bytes_left = &mut self.bytes_left;
        play(&mut *self.moves, &mut Hand { now, name: &self.name, bytes_left, acts });
        self.is_leaving |= acts.close.is_some();
    }

    fn hears(&mut self, line: &str, now: Micros, acts: &mut Acts<Note>) {
        if line.starts_with("* Welcome") && !self.is_welcomed {
            self.is_welcomed = true;
            acts.notes.push(Note::Welcomed);
        }
        let is_telling = |news: &str| news.contains(" left: ") || news.contains("is not reading");
        if line.starts_with("! ") || line.strip_prefix("* ").is_some_and(is_telling) {
            self.is_told(line, acts);
        }
        if self.logs_in && line.starts_with(USERNAME) {
            let name = self.name.clone();
            self.play(now, acts, |_, hand| hand.say(&name));
        }
        self.play(now, acts, |moves, hand| moves.hears(line, hand));
    }

    /// Remembers the server's words. The same words in a row are told in one note.
    fn is_told(&mut self, line: &str, acts: &mut Acts<Note>) {
        if self.said.0 != line {
            self.tells_words(acts);
            line.clone_into(&mut self.said.0);
        }
        self.said.1 += 1;
        if self.said.1 >= TOLD_EVERY {
            self.tells_words(acts);
        }
    }

    fn tells_words(&mut self, acts: &mut Acts<Note>) {
        let count = std::mem::take(&mut self.said.1);
        if count > 0 {
            acts.notes.push(Note::Said(self.said.0.clone(), count));
        }
    }

    fn has_ended(&mut self, end: End, now: Micros, acts: &mut Acts<Note>) {
        self.tells_words(acts);
        acts.notes.push(match (self.is_welcomed, self.is_leaving) {
            (false, false) if end == End::Failed => Note::NotConnected,
            (false, false) => Note::Refused,
            (_, true) => Note::Left,
            (true, false) => Note::Disconnected,
        });
        self.begins_anew(now, acts);
    }

    fn begins_anew(&mut self, now: Micros, acts: &mut Acts<Note>) {
        let is_welcomed = std::mem::take(&mut self.is_welcomed);
        self.is_connected = false;
        self.lines = Lines::default();
        acts.wake_at = None;
        if !self.is_stopping {
            self.play(now, acts, |moves, hand| moves.ended(is_welcomed, hand));
        }
        self.is_leaving = false;
    }
}

impl Peer<Note> for Attacker {
    fn handle(&mut self, input: Input<'_>, now: Micros, acts: &mut Acts<Note>) {
        let was_leaving = self.is_leaving;
        match input {
            Input::Connected => {
                self.is_connected = true;
                acts.notes.push(Note::Connected);
                self.play(now, acts, |moves, hand| moves.connected(hand));
            }
            Input::Received(bytes) => {
                let mut lines = std::mem::take(&mut self.lines);
                lines.push(bytes, |line| self.hears(line, now, acts));
                self.lines = lines;
            }
            Input::Sent => self.play(now, acts, |moves, hand| moves.sent(hand)),
            Input::Due => {
                acts.wake_at = None;
                self.play(now, acts, |moves, hand| moves.due(hand));
            }
            Input::Ended(end) => self.has_ended(end, now, acts),
            Input::Stop => {
                self.is_stopping = true;
                self.tells_words(acts);
                self.play(now, acts, |moves, hand| moves.stop(hand));
                acts.connect_at = None;
            }
        }
        // After these the pool drops the connection without another input.
        if self.is_connected
            && !was_leaving
            && matches!(acts.close, Some(Close::Whole | Close::Reset))
        {
            self.tells_words(acts);
            acts.notes.push(Note::Left);
            let wake_at = acts.wake_at;
            self.begins_anew(now, acts);
            acts.wake_at = acts.wake_at.or(wake_at);
        }
    }
}
