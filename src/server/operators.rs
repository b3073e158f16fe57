//! What the server has for operators: the consoles and the bans.
//!
//! `operator_commands.rs` executes the commands; `console.rs` and `bans.rs` do the rest.

use std::io;
use std::path::Path;
use std::time::Duration;

use mio::Registry;
use mio::event::Event;

use super::StateFolder;
use super::bans::Bans;
use super::console::{Consoles, Streamed};
use super::operator_commands::Asker;
use super::socket_file;

/// What the server has for operators: the consoles and the bans.
#[derive(Debug, Default)]
pub struct Operators {
    /// `None` without `--console`, and after a second signal.
    pub(super) consoles: Option<Consoles>,
    /// The bans apply even without a console: the file may hold some.
    pub(super) bans: Bans,
}

impl Operators {
    /// Creates the console's socket at path `console`, and reads the bans in the state folder.
    ///
    /// # Errors
    /// One of the two cannot be used. The message names the path and the reason. The bans come first,
    /// so that a failed start leaves no socket file.
    pub fn open(console: Option<&Path>, state: Option<&StateFolder>) -> io::Result<Operators> {
        let bans = state.map(|state| Bans::open(&state.bans()));
        let bans = bans.transpose()?.unwrap_or_default();
        let consoles = console.map(socket_file::listen).transpose()?.map(Consoles::new);
        Ok(Operators { consoles, bans })
    }

    /// Adds the console's listener to the poll. Without a console there is nothing to add.
    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        self.consoles.as_mut().map_or(Ok(()), |consoles| consoles.register(registry))
    }

    /// See [`Consoles::record_event`].
    pub(super) fn record_event(&mut self, event: &Event) {
        if let Some(consoles) = &mut self.consoles {
            consoles.record_event(event);
        }
    }

    /// See [`Consoles::has_work`].
    pub(super) fn has_work(&self) -> bool {
        self.consoles.as_ref().is_some_and(Consoles::has_work)
    }

    /// The number of open consoles.
    pub(super) fn console_count(&self) -> usize {
        self.consoles.as_ref().map_or(0, Consoles::count)
    }

    /// Closes all consoles and removes the socket file, before the process exits without running
    /// destructors.
    pub(super) fn close_consoles(&mut self) {
        self.consoles = None;
    }

    /// Waits until a console has work, at most for `time`. The loop is held meanwhile.
    pub(super) fn wait(&mut self, time: Duration) -> io::Result<()> {
        super::console::wait(self.consoles.as_mut(), time)
    }

    /// Sends a line of a stream to a console that watches.
    pub(super) fn stream(&mut self, (key, number): Asker, line: &str) -> Streamed {
        let Some(consoles) = &mut self.consoles else { return Streamed::Gone };
        consoles.stream(key, number, line)
    }

    /// Whether that console is open, and would take a line of a stream now.
    pub(super) fn may_stream(&mut self, (key, number): Asker) -> Streamed {
        let consoles = self.consoles.as_mut();
        consoles.map_or(Streamed::Gone, |consoles| consoles.may_stream(key, number))
    }
}
