//! Reading sockets empty after a chat has ended, before anything is written to them (4.1.5).
//!
//! `Server::act` calls this. What the kernel holds was sent before the user could read that the chat
//! is over, so it was meant for the partner; the exchange discards it and counts the lines.

use super::Server;
use super::connection::IoOutcome;
use crate::core::SessionId;
use crate::core::limits::DRAIN_BYTES_MAX;

impl Server {
    /// Drains sessions until none is left or the turn has done its share. A session that must wait
    /// for the next turn is not written to before.
    pub(super) fn drain(&mut self, drains_left: &mut usize) {
        while *drains_left > 0 {
            let Some(id) = self.exchange.poll_drain() else { return };
            *drains_left -= 1;
            self.drain_session(id);
        }
    }

    fn drain_session(&mut self, id: SessionId) {
        let (mut drained, mut is_end) = (0, false);
        while let Some(connection) = self.connections.get_mut(id.key())
            && drained < DRAIN_BYTES_MAX
        {
            match connection.read(&mut self.read_buffer) {
                IoOutcome::Bytes(n) => {
                    drained += n;
                    self.metrics.bytes_in += n as u64;
                    self.exchange.handle_stale_input(self.now, id, &self.read_buffer[..n]);
                    if !self.connections[id.key()].has_more {
                        break;
                    }
                }
                IoOutcome::Nothing => break,
                IoOutcome::End => {
                    is_end = true;
                    break;
                }
                IoOutcome::Failed(e) => {
                    self.exchange.finish_drain(self.now, id);
                    return self.fail(id, &e);
                }
            }
        }
        self.exchange.finish_drain(self.now, id);
        if is_end {
            self.exchange.handle_end_of_input(self.now, id);
        }
    }
}
