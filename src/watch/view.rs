//! The view: what the console streams, as a picture of the loop.
//!
//! A caller sends [`FIRST_COMMAND`] to a console and passes the bytes that come back to
//! [`View::receive`]. It passes keys to [`View::handle_key`] and does what that returns. It draws with
//! [`View::draw`], into any part of a screen. Nothing here reads a clock: each line of the stream
//! carries its time.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use crate::client::ui::keys::Key;

/// The command that starts the stream (8.2.11), with its line ending.
pub const FIRST_COMMAND: &str = "watch\n";

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Colours; `false` shows the same by characters and weight alone.
    pub color: bool,
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
}

impl View {
    /// A view that has received nothing yet.
    #[must_use]
    pub fn new(look: Look) -> View {
        View { look }
    }

    /// Takes bytes that the console sent. They may end anywhere.
    pub fn receive(&mut self, _bytes: &[u8]) {}

    /// The console is gone; the last picture stays. `why` is one short line for the user.
    pub fn set_ended(&mut self, _why: &str) {}

    /// Handles a key.
    pub fn handle_key(&mut self, key: &Key) -> Wish {
        match key {
            Key::Char('q') | Key::Control('c') => Wish::Quit,
            _ => Wish::Unused,
        }
    }

    /// Draws into `area`, and nowhere else. Any size is allowed; 80 by 24 shows everything.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let _ = self.look;
        buffer.set_string(
            area.x,
            area.y,
            "waiting for the server",
            ratatui_core::style::Style::new(),
        );
    }
}
