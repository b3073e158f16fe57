//! Shutdown: how the server stops, and how long that may take (4.10.4).
//!
//! A signal, an operator command or an announced time starts the shutdown. The server closes its
//! listeners, tells every session, and waits until all output is written or the time is up.

use std::fs;
use std::io;

use log::{info, warn};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;

use super::Server;
use crate::core::limits::STOP_LINGER_MS;

/// Takes over the signals that stop the server, and SIGHUP, which loads the certificate again if there
/// is one.
///
/// # Errors
/// The system refuses a handler.
pub(super) fn take_signals(has_certificate: bool) -> io::Result<Signals> {
    let signals = Signals::new([SIGINT, SIGTERM])?;
    // The server must survive the terminal if the operator started it with nohup(1).
    if has_certificate || !hangups_are_ignored() {
        signals.add_signal(SIGHUP)?;
    }
    Ok(signals)
}

/// Whether the process was started with SIGHUP ignored. Linux tells this in /proc (proc(5),
/// `SigIgn`); on other systems the answer needs an unsafe call, and is taken to be no.
fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

impl Server {
    /// Handles SIGINT, SIGTERM and SIGHUP. The first starts the shutdown; a second ends the process
    /// at once, for an operator who does not want to wait. With a certificate, SIGHUP loads it again
    /// and stops nothing, as programs that renew certificates expect.
    ///
    /// A second SIGHUP changes nothing: a closed terminal sends one from the kernel and one from the
    /// shell (bash(1), "SIGNALS"), and the users must still read the goodbye.
    pub(super) fn handle_signals(&mut self) {
        for signal in self.signals.pending() {
            let name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal");
            if self.stop_by.is_some() {
                if signal == SIGHUP {
                    continue;
                }
                warn!(target: "chinwag", "{name} again: stopping at once");
                // `exit` runs no destructor, so remove the socket file first.
                self.operators.close_consoles();
                log::logger().flush();
                std::process::exit(1);
            }
            if signal == SIGHUP && self.tls.is_some() {
                // The log tells what came of it.
                drop(self.reload(name));
                continue;
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
        self.exchange.end_opening(self.now);
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
