//! The load of a room that all users are in. One member speaks at a time.
//!
//! The speaker sends a batch of lines in one write. When every member has read all of them, the
//! next member speaks. All positions in the server's tables therefore count equally. The sequence
//! numbers of the lines run through the whole room.

use std::io;
use std::time::Duration;

use super::clock::now;
use super::protocol;
use super::step_runner::run_for_all;
use super::user::Line;
use super::user_pool::UserPool;

/// What was said in the room so far.
#[derive(Default)]
pub(super) struct RoomLoad {
    batches: usize,
    lines: u64,
}

impl RoomLoad {
    /// All users in the pool enter the room. Returns how many did.
    pub(super) fn join(&mut self, pool: &mut UserPool) -> io::Result<u64> {
        let protocol = pool.protocol;
        let joined = run_for_all(pool, &|pair| protocol.join(pair))?;
        // This line follows all notices of joins. Once a member has read it, no notice is left
        // that could disturb the measurement.
        self.speak(pool, 1)?;
        Ok(joined)
    }

    /// The members speak in turn for `length`, `batch` lines each. Returns the lines delivered.
    pub(super) fn speak_in_turn(
        &mut self,
        pool: &mut UserPool,
        batch: u32,
        length: Duration,
    ) -> io::Result<u64> {
        let end = now() + length;
        let mut delivered = 0;
        while now() < end {
            delivered += self.speak(pool, batch)?;
        }
        Ok(delivered)
    }

    /// The next speaker sends a batch, and every member reads it. Returns the lines delivered.
    fn speak(&mut self, pool: &mut UserPool, batch: u32) -> io::Result<u64> {
        let speaker = self.batches % pool.users.len();
        self.prepare(pool, speaker);
        let sent = pool.send(speaker, batch)?;
        self.batches += 1;
        self.lines += sent;
        let readers = pool.users.len() - usize::from(!pool.protocol.echoes());
        pool.receive_all(sent * readers as u64, batch, &mut |_, _, _| Ok(0))
    }

    /// Sets the lines that the speaker sends and the members must read. A speaker without an echo
    /// keeps its old incoming line, which cannot arrive: any line that reaches it is an error.
    fn prepare(&self, pool: &mut UserPool, speaker: usize) {
        let (pair, end) = (speaker / 2, speaker % 2);
        let (name, text) = (protocol::name(pair, end), protocol::text(pair, end));
        let line = |wrapping| Line::numbered(wrapping, &text, self.lines);
        let outgoing = line(pool.protocol.outgoing_wrapping_to_room(&name));
        let incoming = line(pool.protocol.incoming_wrapping_in_room(&name));
        let echoes = pool.protocol.echoes();
        for (member, user) in pool.users.iter_mut().enumerate() {
            let Some(user) = user else { continue };
            if member != speaker || echoes {
                user.set_incoming(&incoming);
            }
        }
        if let Some(user) = &mut pool.users[speaker] {
            user.set_outgoing(outgoing);
        }
    }
}
