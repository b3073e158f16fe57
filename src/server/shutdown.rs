//! Shutdown: how the server stops, and how long that may take (4.10.4).
//!
//! A signal, an operator command or an announced time starts the shutdown. The server closes its
//! listeners, tells every session, and waits until all output is written or the time is up.

use log::{info, warn};

use super::Server;
use crate::core::limits::STOP_LINGER_MS;

impl Server {
    /// Handles SIGINT and SIGTERM. The first starts the shutdown; a second ends the process at
    /// once, for an operator who does not want to wait.
    pub(super) fn handle_signals(&mut self) {
        for signal in self.signals.pending() {
            let name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal");
            if self.stop_by.is_some() {
                warn!(target: "chinwag", "{name} again: stopping at once");
                // `exit` runs no destructor, so remove the socket file first.
                self.operators.close_consoles();
                std::process::exit(1);
            }
            info!(target: "chinwag", "{name}: stopping");
            self.begin_shutdown();
        }
    }

    /// Starts the shutdown: closes the listeners, and ends every session with a goodbye.
    pub(super) fn begin_shutdown(&mut self) {
        self.exchange.handle_stop(self.now);
        self.await_disconnects();
    }

    /// Waits for the connections to close, at most [`Limits::closing_ms`]. Every session has its
    /// goodbye already. With the listeners closed, the kernel refuses new connections.
    ///
    /// [`Limits::closing_ms`]: crate::core::limits::Limits::closing_ms
    pub(super) fn await_disconnects(&mut self) {
        self.listeners.clear();
        self.stop_by = Some(self.now.after_ms(self.closing_ms));
    }

    /// Shortens the wait once the sockets have taken all output. After that, the server waits only
    /// for clients that are slow to close, and nothing is lost without them.
    pub(super) fn shorten_shutdown(&mut self) {
        if let Some(by) = self.stop_by
            && self.exchange.buffered_bytes() == 0
        {
            self.stop_by = Some(by.min(self.now.after_ms(STOP_LINGER_MS)));
        }
    }

    /// Whether the loop must end: all connections are closed, or the time is up.
    pub(super) fn is_done(&self) -> bool {
        self.stop_by.is_some_and(|by| self.connections.is_empty() || self.now >= by)
    }
}
