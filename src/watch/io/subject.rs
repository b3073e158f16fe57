//! What a full-screen program shows: a running server, a recording, or a demonstration.

use std::path::Path;
use std::time::Duration;

use mio::{Events, Registry, Token};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::console::Console;
use crate::client::ui::keys::Key;
use crate::watch::view::{FIRST_COMMAND, Look, Replay, View, Wish};

/// The first token for the sources of a subject. The loop uses those below.
pub(crate) const FIRST_TOKEN: Token = Token(3);

/// What the loop draws, and passes keys and events to.
pub(crate) trait Subject {
    /// How long the loop may wait; `None` is until something happens.
    fn timeout(&self) -> Option<Duration>;

    /// Draws into `area`, and nowhere else.
    fn draw(&self, area: Rect, buffer: &mut Buffer);

    /// Handles a key. The line of a [`Wish::Send`] has been sent.
    fn handle_key(&mut self, key: &Key) -> Wish;

    /// A key that a script presses now.
    fn next_key(&mut self) -> Option<Key> {
        None
    }

    /// Reads the sources after a wait. Without events only time has passed.
    fn turn(&mut self, events: &Events);
}

/// A running server: its console, and the view of it.
#[derive(Debug)]
pub(crate) struct Live {
    console: Console,
    view: View,
}

impl Live {
    /// Connects to the console of a server. Its events carry [`FIRST_TOKEN`].
    ///
    /// # Errors
    /// There is no server, with the reason.
    pub(crate) fn connect(path: &Path, registry: &Registry, look: Look) -> Result<Live, String> {
        let mut console = Console::connect(path, registry, FIRST_TOKEN)?;
        console.send(FIRST_COMMAND);
        Ok(Live { console, view: View::new(look) })
    }
}

impl Subject for Live {
    /// The server says something at least once a second.
    fn timeout(&self) -> Option<Duration> {
        self.console.has_more().then_some(Duration::ZERO)
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer) {
        self.view.draw(area, buffer);
    }

    fn handle_key(&mut self, key: &Key) -> Wish {
        let wish = self.view.handle_key(key);
        if let Wish::Send(line) = &wish {
            self.console.send(line);
        }
        wish
    }

    fn turn(&mut self, events: &Events) {
        if self.console.turn(events, |bytes| self.view.receive(bytes)) {
            self.view.set_ended("the server has closed the console");
        }
    }
}

/// A recording plays by timeouts alone.
impl Subject for Replay {
    fn timeout(&self) -> Option<Duration> {
        self.next_in_ms().map(Duration::from_millis)
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer) {
        Replay::draw(self, area, buffer);
    }

    fn handle_key(&mut self, key: &Key) -> Wish {
        Replay::handle_key(self, key)
    }

    fn turn(&mut self, events: &Events) {
        if events.is_empty() && self.next_in_ms().is_some() {
            self.advance();
        }
    }
}
