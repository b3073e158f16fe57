//! Relay: messages of a chat of two go straight from one reader to the other's outbox.
//!
//! The exchange calls this for a session that is in a chat. Everything else goes through the chat.

use super::endpoints::Endpoints;
use super::trace::Hop;
use crate::core::SessionId;
use crate::core::chat::Route;
use crate::core::framing::Frame;

impl Endpoints {
    /// Moves messages of `id` into the outbox of its partner until the outbox is congested. Returns
    /// the first frame that is not a message.
    pub(super) fn relay<'i>(
        &mut self,
        id: SessionId,
        route: Route<'_>,
        bytes: &mut &'i [u8],
    ) -> Option<Frame<'i>> {
        let high_water = self.high_water_bytes();
        let [Some(from), Some(to)] =
            self.endpoints.get_disjoint_mut([id.key(), route.to.key()]).ok()?
        else {
            return None;
        };
        let before = to.outbox.len();
        let (mut other, mut lines) = (None, 0);
        while !to.outbox.is_congested() {
            let Some(frame) = from.reader.next(&mut self.pool, bytes) else { break };
            let Some(relay) = frame.line().and_then(|line| route.message(line)) else {
                other = Some(frame);
                break;
            };
            to.outbox.push(&mut self.pool, relay.parts(), high_water);
            frame.recycle(&mut self.pool);
            lines += 1;
        }
        self.traffic.lines_in += lines;
        self.traffic.lines_out += lines;
        self.record_output(route.to, before);
        if self.trace.is_some() && lines > 0 {
            let bytes = self[route.to].outbox.len() - before;
            self.note_followed(id, Hop::Line, lines as usize, None);
            self.note_followed(id, Hop::Message, lines as usize, None);
            self.note_followed(id, Hop::Push, bytes, Some(route.to));
        }
        other
    }
}
