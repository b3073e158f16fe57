//! A recording, walked forwards and backwards in the same view.
//!
//! There are two kinds. `chinwag ctl watch > FILE` keeps the lines of the stream: lengths and names, and
//! never what people say. `serve --record FILE` keeps every input of the core, so the chat itself is run
//! again (`core_tape.rs`). A step back draws the places before it anew, so each looks as it did before.

use std::ops::Range;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::core_tape::CoreTape;
use super::figures::Figures;
use super::{Look, View, Wish};
use crate::client::ui::keys::Key;
use crate::core::limits::{WATCH_IDLE_MS, WATCH_LINE_BYTES_MAX};
use crate::core::recording::Recording;

/// Places that are drawn again for a step back: they fill the strip and the last second.
const PLACES_AGAIN: usize = 600;

/// Places of a leap.
const LEAP: usize = 50;

/// A recording and the place in it.
#[derive(Debug)]
pub struct Replay {
    tape: Tape,
    /// How many places are shown; at least one.
    shown: usize,
    is_playing: bool,
    look: Look,
    view: View,
}

/// What is walked.
#[derive(Debug)]
enum Tape {
    /// The stream of `watch`: where each line is, and its time in milliseconds.
    Stream { bytes: Vec<u8>, lines: Vec<(Range<usize>, u64)> },
    /// All inputs of the core.
    Core(Box<CoreTape>),
}

impl Tape {
    /// Lines that are not of a stream are skipped: `ctl watch` prints an answer first.
    fn new(bytes: Vec<u8>) -> Result<Tape, String> {
        if Recording::is_one(&bytes) {
            let recording = Recording::parse(&bytes).map_err(|why| why.to_string())?;
            return Ok(Tape::Core(Box::new(CoreTape::new(recording)?)));
        }
        let mut lines = Vec::new();
        let mut start = 0;
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let place = start..start + line.len();
            start = place.end;
            // A recording that was cut ends in half a line.
            let is_whole = line.ends_with(b"\n") && line.len() <= WATCH_LINE_BYTES_MAX;
            if let Some(figures) = is_whole.then(|| Figures::parse(line)).flatten() {
                lines.push((place, figures.at_ms));
            }
        }
        match lines.is_empty() {
            true => Err("there is no line of `ctl watch` in it".to_owned()),
            false => Ok(Tape::Stream { bytes, lines }),
        }
    }

    fn len(&self) -> usize {
        match self {
            Tape::Stream { lines, .. } => lines.len(),
            Tape::Core(tape) => tape.len(),
        }
    }

    fn at_ms(&self, place: usize) -> Option<u64> {
        match self {
            Tape::Stream { lines, .. } => lines.get(place).map(|(_, at_ms)| *at_ms),
            Tape::Core(tape) => tape.at_ms(place),
        }
    }

    /// Shows a place in the view.
    fn show(&mut self, place: usize, view: &mut View) {
        match self {
            Tape::Stream { bytes, lines } => {
                if let Some((place, _)) = lines.get(place) {
                    view.receive(&bytes[place.clone()]);
                }
            }
            Tape::Core(tape) => {
                if let Some(shown) = tape.show(place) {
                    view.receive(&shown.line);
                    view.state.story = Some(shown.story.clone());
                }
            }
        }
    }
}

impl Replay {
    /// Opens a recording, and shows its first place.
    ///
    /// # Errors
    /// It is none, it is damaged, or nothing happens in it.
    pub fn new(bytes: Vec<u8>, look: Look) -> Result<Replay, String> {
        let (tape, view) = (Tape::new(bytes)?, View::new(look));
        let mut replay = Replay { tape, shown: 0, is_playing: false, look, view };
        replay.go_to(1);
        Ok(replay)
    }

    /// The whole recording as text: each input, and the lines that left for users. `None` for the stream
    /// of `watch`, which has no text in it.
    pub fn text(&mut self) -> Option<impl Iterator<Item = String> + use<'_>> {
        let Tape::Core(tape) = &mut self.tape else { return None };
        let end = tape.ending().map(|why| format!("! {why}\n"));
        let places = 0..tape.len();
        let texts = places.map_while(|place| tape.show(place).map(|shown| shown.story.text()));
        Some(texts.chain(end))
    }

    /// Milliseconds until the next place while the recording plays. Then the caller calls
    /// [`Replay::advance`].
    #[must_use]
    pub fn next_in_ms(&self) -> Option<u64> {
        if !self.is_playing {
            return None;
        }
        let (now, next) = (self.tape.at_ms(self.shown - 1)?, self.tape.at_ms(self.shown)?);
        // A recording may lie about its times.
        Some(next.saturating_sub(now).min(WATCH_IDLE_MS))
    }

    /// Shows the next place.
    pub fn advance(&mut self) {
        self.go_to(self.shown + 1);
    }

    /// Handles a key.
    pub fn handle_key(&mut self, key: &Key) -> Wish {
        match key {
            Key::Right => self.go_to(self.shown + 1),
            Key::Left => self.go_to(self.shown.saturating_sub(1)),
            Key::WordRight => self.go_to(self.shown + LEAP),
            Key::WordLeft => self.go_to(self.shown.saturating_sub(LEAP)),
            Key::Home => self.go_to(1),
            Key::End => self.go_to(self.tape.len()),
            Key::Char(' ') => {
                self.is_playing = !self.is_playing && self.shown < self.tape.len();
                self.name_keys();
            }
            Key::Enter => self.follow(),
            key => {
                return match self.view.handle_key(key) {
                    // There is no server to send it to.
                    Wish::Send(_) => Wish::Draw,
                    wish => wish,
                };
            }
        }
        Wish::Draw
    }

    /// Draws into `area`; see [`View::draw`].
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) {
        self.view.draw(area, buffer);
    }

    /// Follows the chosen connection, or nobody if it is followed already.
    fn follow(&mut self) {
        let Tape::Core(tape) = &mut self.tape else { return };
        let followed = self.view.state.followed.as_ref().map(|followed| followed.number);
        let chosen = self.view.state.chosen.filter(|chosen| Some(*chosen) != followed);
        tape.follow(chosen.and_then(|number| u32::try_from(number).ok()));
        let shown = std::mem::take(&mut self.shown);
        self.renew_view();
        self.go_to(shown);
    }

    fn renew_view(&mut self) {
        let chosen = self.view.state.chosen;
        self.view = View::new(self.look);
        self.view.state.chosen = chosen;
    }

    /// Shows the first `count` places, as far as there are so many.
    fn go_to(&mut self, count: usize) {
        let count = count.clamp(1, self.tape.len());
        if count < self.shown {
            self.renew_view();
            self.shown = count.saturating_sub(PLACES_AGAIN);
        } else if count - self.shown > PLACES_AGAIN {
            self.shown = count - PLACES_AGAIN;
        }
        for place in self.shown..count {
            self.tape.show(place, &mut self.view);
        }
        self.shown = count;
        self.is_playing &= count < self.tape.len();
        self.name_keys();
    }

    fn name_keys(&mut self) {
        let space = if self.is_playing { "hold" } else { "play" };
        let is_last = self.shown == self.tape.len();
        let (what, end) = match &self.tape {
            Tape::Stream { .. } => ("line", None),
            Tape::Core(tape) => ("input", tape.ending().filter(|_| is_last)),
        };
        let keys = format!("q quit  left/right, home/end walk  space {space}");
        let note = match end {
            Some(why) => format!("! {why}"),
            None => format!("{what} {} of {}", self.shown, self.tape.len()),
        };
        self.view.set_foot(&keys, &note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { color: false, unicode: true };
    const RECORDINGS: [&str; 6] = [
        include_str!("../../../tests/watch/lazy-reader.jsonl"),
        include_str!("../../../tests/watch/followed.jsonl"),
        include_str!("../../../tests/watch/held.jsonl"),
        include_str!("../../../tests/recordings/chat.jsonl"),
        include_str!("../../../tests/recordings/accounts.jsonl"),
        include_str!("../../../tests/recordings/burst.jsonl"),
    ];
    const CHAT: usize = 3;

    fn drawn(replay: &Replay) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
        replay.draw(buffer.area, &mut buffer);
        buffer
    }

    #[test]
    fn each_place_looks_the_same_forwards_and_backwards() {
        for recording in RECORDINGS {
            let mut replay = Replay::new(recording.into(), LOOK).unwrap();
            let mut places = vec![drawn(&replay)];
            while replay.shown < replay.tape.len() {
                assert_eq!(replay.handle_key(&Key::Right), Wish::Draw);
                places.push(drawn(&replay));
            }
            replay.handle_key(&Key::Right);
            for place in places.iter().rev() {
                assert_eq!(&drawn(&replay), place);
                replay.handle_key(&Key::Left);
            }
            assert_eq!(&drawn(&replay), &places[0], "it stays at the first line");
            replay.handle_key(&Key::End);
            assert_eq!(Some(&drawn(&replay)), places.last());
            replay.handle_key(&Key::Home);
            assert_eq!(&drawn(&replay), &places[0]);
        }
    }

    #[test]
    fn a_replay_of_the_core_shows_the_input_the_lines_and_the_way_of_the_followed_session() {
        let mut replay = Replay::new(RECORDINGS[CHAT].into(), LOOK).unwrap();
        let screen = |replay: &Replay| {
            let buffer = drawn(replay);
            let rows = buffer.content.chunks(80);
            let rows = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
            rows.collect::<Vec<_>>().join("\n")
        };
        while !screen(&replay).contains("bert sends \"i\"") {
            assert!(replay.shown < replay.tape.len(), "bert says it");
            replay.handle_key(&Key::Right);
        }
        assert!(screen(&replay).contains("anna         bert: hi"), "{}", screen(&replay));
        assert!(!screen(&replay).contains("hop by hop"));
        replay.handle_key(&Key::Down);
        replay.handle_key(&Key::Down);
        replay.handle_key(&Key::Enter);
        let followed = screen(&replay);
        assert!(followed.contains("the last input of bert, hop by hop"), "{followed}");
        assert!(followed.contains("Outbox::push"), "{followed}");
        replay.handle_key(&Key::Enter);
        assert!(!screen(&replay).contains("hop by hop"), "nobody is followed");
    }

    #[test]
    fn it_plays_as_fast_as_it_was_and_stops_at_its_end() {
        let mut replay = Replay::new(RECORDINGS[0].into(), LOOK).unwrap();
        assert_eq!(replay.next_in_ms(), None);
        replay.handle_key(&Key::Char(' '));
        let mut ms = 0;
        while let Some(more) = replay.next_in_ms() {
            ms += more;
            replay.advance();
        }
        let (first, last) =
            (replay.tape.at_ms(0).unwrap(), replay.tape.at_ms(replay.tape.len() - 1).unwrap());
        assert_eq!(ms, last - first);
        assert!(!replay.is_playing);
        replay.handle_key(&Key::Char(' '));
        assert_eq!(replay.next_in_ms(), None, "there is nothing more to play");
    }

    #[test]
    fn damaged_recordings_are_refused_or_lose_only_the_damaged_lines() {
        for garbage in ["", "\n\n", "{\"watch\":1}", "* hello\n", "\u{0}\u{1b}[2J\n", "{}\n[]\n"] {
            assert!(Replay::new(garbage.into(), LOOK).is_err(), "{garbage:?}");
        }
        let whole = RECORDINGS[2].as_bytes();
        let lines = Replay::new(whole.to_vec(), LOOK).unwrap().tape.len();
        for cut in (0..whole.len()).step_by(97) {
            let kept = Replay::new(whole[..cut].to_vec(), LOOK).map_or(0, |it| it.tape.len());
            assert!(kept <= lines);
            let mut damaged = whole.to_vec();
            damaged[cut] = 0xff;
            let mut replay = Replay::new(damaged, LOOK).unwrap();
            assert!(replay.tape.len() >= lines - 1);
            replay.handle_key(&Key::End);
            drawn(&replay);
        }
        let times =
            "{\"watch\":1,\"at\":9}\n{\"watch\":1,\"at\":3}\n{\"watch\":1,\"at\":99999999}\n";
        let mut replay = Replay::new(times.into(), LOOK).unwrap();
        replay.handle_key(&Key::Char(' '));
        assert_eq!(replay.next_in_ms(), Some(0));
        replay.advance();
        assert_eq!(replay.next_in_ms(), Some(WATCH_IDLE_MS), "nobody waits for a day");
    }
}
