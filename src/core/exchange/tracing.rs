//! Tracing one session: where its input passes, it is noted (8.2.13).
//!
//! The exchange and the shell call this at each place on the way; `trace.rs` keeps what was noted.

use super::Exchange;
use super::endpoints::Endpoints;
use super::trace::{Hop, Trace};
use crate::core::SessionId;

impl Exchange {
    /// Notes the way of the inputs of `id` from now on; `None` ends that.
    pub fn begin_trace(&mut self, id: Option<SessionId>) {
        self.endpoints.trace = id.map(|who| Box::new(Trace::of(who)));
    }

    /// The way of the followed session's last input.
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.endpoints.trace.as_deref()
    }

    /// The shell has read an input of the session: what was noted before is forgotten.
    pub fn trace_read(&mut self, id: SessionId, events: usize, bytes: usize) {
        let is_secret = self.is_secret(id);
        if let Some(trace) = &mut self.endpoints.trace
            && trace.who() == id
        {
            trace.clear(is_secret);
            trace.add(Hop::Wake, events, None);
            trace.add(Hop::Read, bytes, None);
        }
    }

    /// The shell stores or writes what the followed input has caused.
    pub fn trace_output(&mut self, hop: Hop, to: Option<SessionId>, bytes: usize) {
        if let Some(trace) = &mut self.endpoints.trace {
            trace.note_output(hop, to, bytes);
        }
    }
}

impl Endpoints {
    /// Notes a hop of the input of `id`, if somebody follows it.
    #[inline]
    pub(super) fn note(&mut self, id: SessionId, hop: Hop, count: usize) {
        if self.trace.is_some() {
            self.note_followed(id, hop, count, None);
        }
    }

    /// Notes a hop that concerns another session too.
    pub(super) fn note_followed(
        &mut self,
        id: SessionId,
        hop: Hop,
        count: usize,
        other: Option<SessionId>,
    ) {
        if let Some(trace) = &mut self.trace
            && trace.who() == id
        {
            trace.is_live = true;
            trace.add(hop, count, other);
        }
    }

    /// A line was published. It follows from the input that is being processed.
    pub(super) fn note_published(&mut self, bytes: usize) {
        if let Some(trace) = &mut self.trace
            && trace.is_live
        {
            trace.add(Hop::Publish, bytes, None);
        }
    }

    /// The input that was being processed is done.
    #[inline]
    pub(super) fn end_note(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.is_live = false;
        }
    }
}
