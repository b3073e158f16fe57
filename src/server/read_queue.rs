//! The order in which connections are read: light ones first.
//!
//! `reading.rs` takes connections from here, a bounded number per turn. A connection is *heavy* if its
//! last input was a burst, or caused long replies; all others are *light* and go first. Handshakes come
//! next, and are few per turn. Heavy
//! connections are served in classes by the work they have caused lately (least attained service). A
//! paste of a few kilobytes passes a thousand clients that flood, and those share what is left.

use std::collections::VecDeque;

use crate::core::SessionId;
use crate::core::limits::{
    BURST_BYTES, HEAVY_CLASS_BYTES, HEAVY_READS_PER_TURN, LIGHT_READS_PER_TURN,
};

/// Classes of heavy connections; each class has used twice as much as the one before.
const HEAVY_CLASSES: usize = 8;

/// Bytes per unit of [`Work`].
const UNIT_BYTES: usize = 256;

/// The work that the bursts of a connection have caused lately: bytes received and bytes of reply.
/// Every second halves it. It has six bytes, because every connection has one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    /// In units of 256 bytes; more than 16 MiB counts as 16 MiB.
    units: u16,
    /// The second in which `units` was right. It wraps after 18 hours; a connection that idles for
    /// exactly that long is taken for a busy one once, which costs it a few turns.
    at_s: u16,
    /// The last input was a burst. One line at a time, however fast, is light: a client that waits
    /// for answers limits itself.
    is_heavy: bool,
}

/// Connections with input to process, in the order in which they are served.
#[derive(Debug, Default)]
pub(super) struct ReadQueue {
    light: VecDeque<SessionId>,
    /// Connections in a TLS handshake, which a turn serves only a few of (7.82).
    handshakes: VecDeque<SessionId>,
    heavy: [VecDeque<SessionId>; HEAVY_CLASSES],
}

impl Work {
    /// Notes that one input of `received` bytes caused `replied` bytes of reply, at the second `now_s`.
    /// `must_read` is whether the client now has to read before it gets more.
    pub(super) fn record(&mut self, now_s: u64, received: usize, replied: usize, must_read: bool) {
        self.is_heavy = received > BURST_BYTES || (replied > 0 && must_read);
        if self.is_heavy {
            let units = (received + replied).div_ceil(UNIT_BYTES);
            let units = u16::try_from(units).unwrap_or(u16::MAX);
            self.units = self.units_at(now_s).saturating_add(units);
            self.at_s = now_s as u16;
        }
    }

    fn units_at(self, now_s: u64) -> u16 {
        let seconds = (now_s as u16).wrapping_sub(self.at_s);
        self.units.checked_shr(seconds.into()).unwrap_or(0)
    }

    /// The class of a heavy connection; `None` if it is light.
    fn class(self, now_s: u64) -> Option<usize> {
        let times = usize::from(self.units_at(now_s)) * UNIT_BYTES / HEAVY_CLASS_BYTES;
        let class = (times + 1).ilog2() as usize;
        self.is_heavy.then_some(class.min(HEAVY_CLASSES - 1))
    }
}

impl ReadQueue {
    /// Queues a connection; `work` decides how soon it is served.
    pub(super) fn push(&mut self, id: SessionId, work: Work, now_s: u64) {
        match work.class(now_s) {
            None => self.light.push_back(id),
            Some(class) => self.heavy[class].push_back(id),
        }
    }

    /// Queues a connection in a handshake.
    pub(super) fn push_handshake(&mut self, id: SessionId) {
        self.handshakes.push_back(id);
    }

    /// Frees what the queues keep of their largest size.
    pub(super) fn shrink(&mut self) {
        self.light.shrink_to_fit();
        self.handshakes.shrink_to_fit();
        self.heavy.iter_mut().for_each(VecDeque::shrink_to_fit);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.handshakes.is_empty() && self.has_only_handshakes()
    }

    pub(super) fn has_only_handshakes(&self) -> bool {
        self.light.is_empty() && self.heavy.iter().all(VecDeque::is_empty)
    }

    /// Takes the connections to serve in this turn: light ones, as many in a handshake as
    /// `handshakes_left` allows, then a few heavy ones. One heavy connection of a turn comes from the
    /// class that has used most, so that none waits for ever.
    pub(super) fn take_turn(&mut self, handshakes_left: &mut usize, into: &mut Vec<SessionId>) {
        let light = self.light.len().min(LIGHT_READS_PER_TURN);
        into.extend(self.light.drain(..light));
        let handshakes = self.handshakes.len().min(*handshakes_left);
        *handshakes_left -= handshakes;
        into.extend(self.handshakes.drain(..handshakes));
        for n in 0..HEAVY_READS_PER_TURN {
            let mut classes = self.heavy.iter_mut();
            let next = match n {
                0 => classes.rev().find_map(VecDeque::pop_front),
                _ => classes.find_map(VecDeque::pop_front),
            };
            into.extend(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(key: usize) -> SessionId {
        SessionId::from_key(key)
    }

    fn worked(bytes: usize) -> Work {
        let mut work = Work::default();
        work.record(100, bytes, 0, false);
        work
    }

    /// (7.34)
    #[test]
    fn a_light_connection_and_a_paste_are_served_before_a_thousand_floods() {
        let mut queue = ReadQueue::default();
        for key in 0..1_000 {
            queue.push(id(key), worked(1024 * 1024), 100);
        }
        queue.push(id(1_001), worked(4 * 1024), 100);
        queue.push(id(1_000), worked(BURST_BYTES), 100);
        let mut turn = Vec::new();
        queue.take_turn(&mut 0, &mut turn);
        assert_eq!(turn[0], id(1_000), "light");
        assert!(turn.contains(&id(1_001)), "the first part of a paste: {turn:?}");
        assert_eq!(turn.len(), 1 + HEAVY_READS_PER_TURN);
    }

    /// (7.34)
    #[test]
    fn the_connection_that_used_most_does_not_wait_for_ever() {
        let mut queue = ReadQueue::default();
        queue.push(id(0), worked(8 * 1024 * 1024), 100);
        for key in 1..=100 {
            queue.push(id(key), worked(2 * BURST_BYTES), 100);
        }
        let mut turn = Vec::new();
        queue.take_turn(&mut 0, &mut turn);
        assert!(turn.contains(&id(0)) && turn.contains(&id(1)), "{turn:?}");
    }

    /// (7.82)
    #[test]
    fn a_turn_serves_everybody_else_before_a_few_of_a_thousand_handshakes() {
        let mut queue = ReadQueue::default();
        (0..1_000).for_each(|key| queue.push_handshake(id(key)));
        (1_000..1_010).for_each(|key| queue.push(id(key), Work::default(), 100));
        let (mut left, mut turn) = (3, Vec::new());
        queue.take_turn(&mut left, &mut turn);
        assert_eq!(turn[..10], (1_000..1_010).map(id).collect::<Vec<_>>());
        assert_eq!(turn[10..], [id(0), id(1), id(2)]);
        queue.take_turn(&mut left, &mut turn);
        assert_eq!((left, turn.len()), (0, 13), "no more in this turn");
        assert!(queue.has_only_handshakes() && !queue.is_empty());
    }

    /// (7.44, 7.46)
    #[test]
    fn long_replies_make_an_input_heavy_and_work_is_forgotten_second_by_second() {
        let mut work = Work::default();
        work.record(100, 13, 3 * HEAVY_CLASS_BYTES, false);
        assert_eq!(work.class(100), None);
        work.record(100, 13, 3 * HEAVY_CLASS_BYTES, true);
        assert_eq!(work.class(100), Some(2));
        assert_eq!(work.class(101), Some(1));
        assert_eq!(work.class(110), Some(0));
        work.record(110, 13, 0, true);
        assert_eq!(work.class(110), None, "one line at a time is light again");
    }
}
