//! How the server ends: by a signal, by an operator, at a moment set before, and how long that may
//! take (3.9.3).

use log::{info, warn};

use super::Server;
use crate::core::limits::STOP_LINGER_MS;

impl Server {
    pub(super) fn handle_signals(&mut self) {
        for signal in self.signals.pending() {
            let name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal");
            if self.stop_by.is_some() {
                warn!(target: "chinwag", "{name} again: ending at once");
                self.operators.leave();
                std::process::exit(1);
            }
            info!(target: "chinwag", "{name}: stopping");
            self.begin_shutdown();
        }
    }

    /// Nobody comes in any more, and everybody is told to go.
    pub(super) fn begin_shutdown(&mut self) {
        self.exchange.handle_stop(self.now);
        self.await_disconnects();
    }

    /// Everybody has been told to go.
    pub(super) fn await_disconnects(&mut self) {
        self.listeners.clear();
        self.stop_by = Some(self.now.after_ms(self.closing_ms));
    }

    /// A stop for which everybody has been written what was said to them need not take its full
    /// time.
    pub(super) fn shorten_shutdown(&mut self) {
        if let Some(by) = self.stop_by
            && self.exchange.buffered_bytes() == 0
        {
            self.stop_by = Some(by.min(self.now.after_ms(STOP_LINGER_MS)));
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.stop_by.is_some_and(|by| self.connections.is_empty() || self.now >= by)
    }
}
