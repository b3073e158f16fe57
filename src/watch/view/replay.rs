//! A recorded stream, walked forwards and backwards in the same view.
//!
//! `chinwag ctl watch > FILE` records one. It holds lengths and names, and never what people say. A step
//! back draws the lines before it anew, so each place looks as it did when it was live.

use std::ops::Range;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::figures::Figures;
use super::{Look, View, Wish};
use crate::client::ui::keys::Key;
use crate::core::limits::{WATCH_IDLE_MS, WATCH_LINE_BYTES_MAX};

/// Lines that are drawn again for a step back: they fill the strip and the last second.
const LINES_AGAIN: usize = 600;

/// Lines of a leap.
const LEAP: usize = 50;

/// A recorded stream and the place in it.
#[derive(Debug)]
pub struct Replay {
    bytes: Vec<u8>,
    /// Where each line of the stream is, and its time in milliseconds.
    lines: Vec<(Range<usize>, u64)>,
    /// How many lines are shown; at least one.
    shown: usize,
    is_playing: bool,
    look: Look,
    view: View,
}

impl Replay {
    /// Opens a recording, and shows its first line. Lines that are not of a stream are skipped: `ctl
    /// watch` prints an answer first.
    ///
    /// # Errors
    /// There is no line of a stream in it.
    pub fn new(bytes: Vec<u8>, look: Look) -> Result<Replay, String> {
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
        if lines.is_empty() {
            return Err("there is no line of `ctl watch` in it".to_owned());
        }
        let view = View::new(look);
        let mut replay = Replay { bytes, lines, shown: 0, is_playing: false, look, view };
        replay.go_to(1);
        Ok(replay)
    }

    /// Milliseconds until the next line while the recording plays. Then the caller calls
    /// [`Replay::advance`].
    #[must_use]
    pub fn next_in_ms(&self) -> Option<u64> {
        if !self.is_playing {
            return None;
        }
        let (now, next) = (self.lines.get(self.shown - 1)?.1, self.lines.get(self.shown)?.1);
        // A recording may lie about its times.
        Some(next.saturating_sub(now).min(WATCH_IDLE_MS))
    }

    /// Shows the next line.
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
            Key::End => self.go_to(self.lines.len()),
            Key::Char(' ') => {
                self.is_playing = !self.is_playing && self.shown < self.lines.len();
                self.name_keys();
            }
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

    /// Shows the first `count` lines, as far as there are so many.
    fn go_to(&mut self, count: usize) {
        let count = count.clamp(1, self.lines.len());
        if count < self.shown {
            let chosen = self.view.state.chosen;
            self.view = View::new(self.look);
            self.view.state.chosen = chosen;
            self.shown = count.saturating_sub(LINES_AGAIN);
        } else if count - self.shown > LINES_AGAIN {
            self.shown = count - LINES_AGAIN;
        }
        for (place, _) in &self.lines[self.shown..count] {
            self.view.receive(&self.bytes[place.clone()]);
        }
        self.shown = count;
        self.is_playing &= count < self.lines.len();
        self.name_keys();
    }

    fn name_keys(&mut self) {
        let space = if self.is_playing { "hold" } else { "play" };
        let keys = format!("q quit  left/right, home/end walk  space {space}");
        let note = format!("line {} of {}", self.shown, self.lines.len());
        self.view.set_foot(&keys, &note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { color: false, unicode: true };
    const RECORDINGS: [&str; 3] = [
        include_str!("../../../tests/watch/lazy-reader.jsonl"),
        include_str!("../../../tests/watch/followed.jsonl"),
        include_str!("../../../tests/watch/held.jsonl"),
    ];

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
            while replay.shown < replay.lines.len() {
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
    fn it_plays_as_fast_as_it_was_and_stops_at_its_end() {
        let mut replay = Replay::new(RECORDINGS[0].into(), LOOK).unwrap();
        assert_eq!(replay.next_in_ms(), None);
        replay.handle_key(&Key::Char(' '));
        let mut ms = 0;
        while let Some(more) = replay.next_in_ms() {
            ms += more;
            replay.advance();
        }
        let (first, last) = (replay.lines[0].1, replay.lines.last().unwrap().1);
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
        let lines = Replay::new(whole.to_vec(), LOOK).unwrap().lines.len();
        for cut in (0..whole.len()).step_by(97) {
            let kept = Replay::new(whole[..cut].to_vec(), LOOK).map_or(0, |it| it.lines.len());
            assert!(kept <= lines);
            let mut damaged = whole.to_vec();
            damaged[cut] = 0xff;
            let mut replay = Replay::new(damaged, LOOK).unwrap();
            assert!(replay.lines.len() >= lines - 1);
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
