//! The view: what the console streams, as a picture of the loop.
//!
//! A caller sends [`FIRST_COMMAND`] to a console and passes the bytes that come back to
//! [`View::receive`]. It passes keys to [`View::handle_key`] and does what that returns. It draws with
//! [`View::draw`], into any part of a screen. Nothing here reads a clock: each line of the stream
//! carries its time.

mod connections;
mod core_tape;
mod figures;
mod hops;
mod narration;
mod paper;
mod picture;
mod replay;
mod state;
mod steps;
mod story;
mod strip;
#[cfg(test)]
mod tests;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use crate::client::ui::keys::Key;
use crate::core::limits::WATCH_LINE_BYTES_MAX;
use paper::Paper;
pub use replay::Replay;
use state::State;

/// The command that starts the stream (8.2.11), with its line ending.
pub const FIRST_COMMAND: &str = "watch\n";

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Colours; `false` shows the same by characters and weight alone.
    pub color: bool,
    /// Blocks and other characters beyond ASCII.
    pub unicode: bool,
}

/// What the caller must do after a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The key has no meaning here; the caller may give it one.
    Unused,
    /// Nothing but drawing again.
    Draw,
    /// End the view.
    Quit,
    /// Send this line, with its ending, to the console.
    Send(String),
}

/// Everything that the screen shows.
#[derive(Debug)]
pub struct View {
    look: Look,
    state: State,
    /// The line that is being received.
    line: Vec<u8>,
    /// The line is too long, and its rest is thrown away.
    is_too_long: bool,
}

impl View {
    /// A view that has received nothing yet.
    #[must_use]
    pub fn new(look: Look) -> View {
        View { look, state: State::default(), line: Vec::new(), is_too_long: false }
    }

    /// Takes bytes that the console sent. They may end anywhere.
    pub fn receive(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, is_whole) = match part.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (part, false),
            };
            self.is_too_long |= self.line.len() + text.len() > WATCH_LINE_BYTES_MAX;
            if !self.is_too_long {
                self.line.extend_from_slice(text);
            }
            if is_whole {
                if !std::mem::take(&mut self.is_too_long) {
                    self.state.handle_line(&self.line);
                }
                self.line.clear();
            }
        }
    }

    /// The console is gone; the last picture stays. `why` is one short line for the user.
    pub fn set_ended(&mut self, why: &str) {
        self.state.end(why);
    }

    /// Names the keys of the program that the view is a part of, in place of its own, and a short note.
    pub fn set_foot(&mut self, keys: &str, note: &str) {
        self.state.keys = Some(keys.to_owned());
        note.clone_into(&mut self.state.note);
    }

    /// Whether the loop of the server is held until a command.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.state.teach.as_ref().is_some_and(|teach| teach.is_paused)
    }

    /// Handles a key.
    pub fn handle_key(&mut self, key: &Key) -> Wish {
        self.state.forget_note();
        match key {
            Key::Char('q') | Key::Control('c') => Wish::Quit,
            Key::Up => self.state.choose(-1),
            Key::Down => self.state.choose(1),
            Key::Enter => match self.state.command_to_follow() {
                Some(command) => Wish::Send(command),
                None => Wish::Draw,
            },
            Key::Char(' ') => {
                Wish::Send(if self.is_paused() { "go\n" } else { "pause\n" }.to_owned())
            }
            Key::Char('s') => Wish::Send("step\n".to_owned()),
            Key::Char('-') => Wish::Send(self.state.slower(true)),
            Key::Char('+') => Wish::Send(self.state.slower(false)),
            _ => Wish::Unused,
        }
    }

    /// Draws into `area`, and nowhere else. Any size is allowed; 80 by 24 shows everything.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let mut paper = Paper::new(area, self.look, buffer);
        paper.clear();
        picture::draw(&self.state, &mut paper);
    }
}
