//! The order in which connections are read: light ones first.
//!
//! `reading.rs` takes connections from here, a bounded number per turn. A connection is *heavy* if its
//! last input was a burst, or caused long replies; all others are *light* and go first. Handshakes come
//! next, and are few per turn. Heavy connections are served in classes by the time they have taken
//! lately (least attained service). A paste of a few kilobytes passes a thousand clients that flood,
//! and those share what is left.

use std::collections::VecDeque;
use std::time::Duration;

use crate::core::SessionId;
use crate::core::limits::{
    BURST_BYTES, HEAVY_CLASS_US, HEAVY_READS_PER_TURN, LIGHT_READS_PER_TURN,
};

/// Classes of heavy connections; each class has used twice as much as the one before.
const HEAVY_CLASSES: usize = 8;

/// What a burst is taken to cost before it has been measured: a byte received 4 ns, of reply 64 ns.
const RECEIVED_BYTES_PER_US: usize = 256;
const REPLIED_BYTES_PER_US: usize = 16;

/// The time that the bursts of a connection have taken lately. Every second halves it. It has five
/// bytes without alignment, because every connection has one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    /// In microseconds, a `u16`; more than 65 ms counts as 65 ms.
    time_us: [u8; 2],
    /// The second, a `u16`, in which `time_us` was right. It wraps after 18 hours; a connection that idles for
    /// exactly that long is taken for a busy one once, which costs it a few turns.
    at_s: [u8; 2],
    /// The last input was a burst. One line at a time, however fast, is light: a client that waits
    /// for answers limits itself.
    is_heavy: bool,
}

/// What one input was, and did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Burst {
    /// Bytes.
    pub(super) received: usize,
    /// Bytes of reply.
    pub(super) replied: usize,
    /// The rest of the input has to wait.
    pub(super) must_wait: bool,
    /// How long it took, if that was measured.
    pub(super) took: Option<Duration>,
}

/// Connections with input to process, in the order in which they are served.
#[derive(Debug, Default)]
pub(super) struct ReadQueue {
    light: VecDeque<SessionId>,
    /// Connections in a TLS handshake, which a turn serves only a few of (7.82).
    handshakes: VecDeque<SessionId>,
    heavy: [VecDeque<SessionId>; HEAVY_CLASSES],
    /// The class that one heavy connection of the next turn comes from, if it has any.
    next_class: usize,
}

impl Work {
    /// Notes an input, at the second `now_s`.
    pub(super) fn record(&mut self, now_s: u64, burst: Burst) {
        let Burst { received, replied, must_wait, took } = burst;
        self.is_heavy = received > BURST_BYTES || (replied > 0 && must_wait);
        if self.is_heavy {
            let estimated = || received / RECEIVED_BYTES_PER_US + replied / REPLIED_BYTES_PER_US;
            let measured = |time: Duration| usize::try_from(time.as_micros()).unwrap_or(usize::MAX);
            let time_us = took.map_or_else(estimated, measured);
            let time_us = u16::try_from(time_us).unwrap_or(u16::MAX);
            self.time_us = self.time_us_at(now_s).saturating_add(time_us).to_ne_bytes();
            self.at_s = (now_s as u16).to_ne_bytes();
        }
    }

    /// Whether the next input is served as a heavy one, and should be measured.
    pub(super) fn is_heavy(self) -> bool {
        self.is_heavy
    }

    fn time_us_at(self, now_s: u64) -> u16 {
        let seconds = (now_s as u16).wrapping_sub(u16::from_ne_bytes(self.at_s));
        u16::from_ne_bytes(self.time_us).checked_shr(seconds.into()).unwrap_or(0)
    }

    /// The class of a heavy connection; `None` if it is light.
    fn class(self, now_s: u64) -> Option<usize> {
        let times = usize::from(self.time_us_at(now_s)) / HEAVY_CLASS_US;
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
    /// `handshakes_left` allows, then a few heavy ones. One heavy connection of a turn comes from each
    /// class in turn, so that none waits for ever.
    pub(super) fn take_turn(&mut self, handshakes_left: &mut usize, into: &mut Vec<SessionId>) {
        let light = self.light.len().min(LIGHT_READS_PER_TURN);
        into.extend(self.light.drain(..light));
        let handshakes = self.handshakes.len().min(*handshakes_left);
        *handshakes_left -= handshakes;
        into.extend(self.handshakes.drain(..handshakes));
        self.next_class = (self.next_class + HEAVY_CLASSES - 1) % HEAVY_CLASSES;
        let (before, from) = self.heavy.split_at_mut(self.next_class);
        into.extend(from.iter_mut().chain(before).find_map(VecDeque::pop_front));
        for _ in 1..HEAVY_READS_PER_TURN {
            into.extend(self.heavy.iter_mut().find_map(VecDeque::pop_front));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::{READ_BYTES_PER_TURN, REPLY_BYTES_PER_TURN};

    fn id(key: usize) -> SessionId {
        SessionId::from_key(key)
    }

    /// A burst that took `time_us`.
    fn burst(time_us: u64) -> Burst {
        let took = Some(Duration::from_micros(time_us));
        Burst { received: BURST_BYTES + 1, took, ..Burst::default() }
    }

    fn worked(time_us: u64) -> Work {
        let mut work = Work::default();
        work.record(100, burst(time_us));
        work
    }

    /// (7.34)
    #[test]
    fn a_light_connection_and_a_paste_are_served_before_a_thousand_floods() {
        let mut queue = ReadQueue::default();
        for key in 0..1_000 {
            queue.push(id(key), worked(100), 100);
        }
        queue.push(id(1_001), worked(10), 100);
        queue.push(id(1_000), Work::default(), 100);
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
        queue.push(id(0), worked(60_000), 100);
        for key in 1..=100 {
            queue.push(id(key), worked(20), 100);
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
    fn long_replies_make_an_input_heavy_and_its_time_is_forgotten_second_by_second() {
        let mut work = Work::default();
        let class_us = HEAVY_CLASS_US as u64;
        let took = Some(Duration::from_micros(3 * class_us));
        let line = Burst { received: 13, replied: 1, must_wait: false, took };
        work.record(100, line);
        assert_eq!(work.class(100), None);
        work.record(100, Burst { must_wait: true, ..line });
        assert_eq!(work.class(100), Some(2));
        assert_eq!(work.class(101), Some(1));
        assert_eq!(work.class(110), Some(0));
        work.record(110, Burst { replied: 0, must_wait: true, ..line });
        assert_eq!(work.class(110), None, "one line at a time is light again");
    }

    /// (7.44)
    #[test]
    fn before_it_is_measured_a_paste_is_taken_to_cost_less_than_a_burst_of_commands() {
        let (mut paste, mut commands) = (Work::default(), Work::default());
        for _ in 0..2 {
            paste.record(100, Burst { received: READ_BYTES_PER_TURN, ..Burst::default() });
        }
        let replied = REPLY_BYTES_PER_TURN + 1;
        commands.record(100, Burst { received: 2_000, replied, must_wait: true, took: None });
        assert!(paste.class(100) < commands.class(100));
    }
}
