//! Invariants that hold whatever the model says. The world checks them after every step.

use super::{World, id};
use crate::model::State;
use crate::sabotage::Fault;
use crate::traffic::Observed;
use chinwag::core::limits::READ_BYTES_PER_TURN;

/// Bytes that may wait for one session beyond the high-water mark: the reply to a line of its own,
/// which may be the history of a room, one message, and notices about other users (7.7, 7.8, 7.35, 7.9, 7.36).
const ABOVE_HIGH_WATER_BYTES_MAX: usize = 56 * 1024;

/// Calls `handle` for each line that the server wrote, without its ending, and for each refusal of
/// a telnet option.
pub(super) fn for_each_line(mut bytes: &[u8], mut handle: impl FnMut(&[u8])) {
    while !bytes.is_empty() {
        let (line, rest) = if bytes[0] == 255 {
            bytes.split_at(3)
        } else {
            let end = memchr::memchr(b'\n', bytes).unwrap_or(0);
            let line = bytes[..end].strip_suffix(b"\r");
            (line.expect("the server ends every line with CR LF (2.1.1)"), &bytes[end + 1..])
        };
        handle(line);
        bytes = rest;
    }
}

impl Observed {
    /// Checks that only safe text reaches a terminal (3.1.1).
    pub(super) fn check_lines(&mut self) {
        let is_line = |line: &&mut Vec<u8>| !matches!(line[..], [255, ..] | [0]);
        for line in self.lines_mut().values_mut().flatten().filter(is_line) {
            let line = str::from_utf8(line).expect("the server sends only UTF-8 (2.1.1)");
            let is_unsafe = |c: char| {
                c.is_control()
                    || ('\u{2028}'..='\u{202e}').contains(&c)
                    || ('\u{2066}'..='\u{206f}').contains(&c)
                    || c == '\u{feff}'
            };
            let is_plain = line.is_ascii() && !line.bytes().any(|b| b < b' ' || b == 0x7f);
            assert!(is_plain || !line.contains(is_unsafe), "an unsafe character in {line:?}");
        }
    }
}

impl World {
    pub(super) fn check(&mut self) {
        self.check_states();
        self.check_no_work_is_left();
        self.check_buffer_limits();
    }

    /// The chat and the model must agree on who is connected, and on the state of each session.
    fn check_states(&self) {
        let chat = self.exchange.chat();
        let mut users = 0;
        for (who, session) in self.model.sessions() {
            self.check_passwords(who);
            assert_eq!(
                chat.room(id(who)).is_some(),
                session.state.room().is_some(),
                "chat and model disagree on the room of {who}"
            );
            let partner = match session.state {
                State::Chatting(with) => Some(id(with)),
                _ => None,
            };
            assert_eq!(
                chat.partner(id(who)),
                partner,
                "chat and model disagree on the partner of {who}"
            );
            let name = session.name.as_ref().map(|name| name.spelling.as_str());
            assert_eq!(
                chat.name(id(who)).map(|name| name.as_str()),
                name,
                "chat and model disagree on the name of {who}"
            );
            users += usize::from(session.state != State::Ended && name.is_some());
        }
        assert_eq!(chat.user_count(), users, "chat and model disagree on the number of users");
    }

    /// No work may be left: the loop has read and written everything it can, and every due timer
    /// has fired.
    fn check_no_work_is_left(&self) {
        for (&who, socket) in &self.sockets {
            assert!(!socket.has_failed, "the failed connection of {who} is not closed");
            let is_overdue = socket.close_by.is_some_and(|by| by <= self.now);
            assert!(!is_overdue, "the connection of {who} is not closed by its deadline");
            let is_unread = socket.is_readable() && self.exchange.wants_input(id(who));
            assert!(
                !is_unread || socket.is_queued,
                "{who} is not read, although the exchange wants input"
            );
            let pending = self.exchange.pending(id(who));
            let has_room = pending.behind_answer.is_some() && pending.own.is_empty();
            assert!(!has_room, "the answer to {who} does not go on, although all of it was read");
            let is_unwritten = !socket.unsent.is_empty() && !socket.was_full;
            assert!(!is_unwritten, "{who} has unsent output, although the socket accepts bytes");
        }
        let closing = self.sockets.values().filter_map(|socket| socket.close_by).min();
        let next = self.model.next_deadline().into_iter().chain(closing).min();
        let wakes = self.next_wakeup();
        let is_woken = next.is_none_or(|next| wakes.is_some_and(|wakes| wakes <= next));
        assert!(is_woken, "the loop sleeps until {wakes:?}, but a deadline is due at {next:?}");
        assert!(wakes.is_none_or(|wakes| wakes > self.now), "the loop wakes up with nothing to do");
    }

    /// Every buffered byte must be accounted for, and each buffer must stay within its limit (part
    /// 5).
    fn check_buffer_limits(&mut self) {
        let (mut waiting, mut most_shared) = (0, 0);
        let mark = self.plan.limits.high_water_bytes.max(8 * 1024);
        for &who in self.sockets.keys() {
            let pending = self.exchange.pending(id(who));
            let behind = pending.behind_answer.unwrap_or_default().len();
            let (own, shared) = (pending.own.len() + behind, pending.shared.len());
            assert!(own <= mark + ABOVE_HIGH_WATER_BYTES_MAX, "{own} bytes wait for {who}");
            let high_water = self.plan.limits.high_water_bytes;
            assert!(shared <= high_water, "{shared} bytes of room lines wait for {who} (6.2.2)");
            waiting += own;
            most_shared += shared;
        }
        // A broadcast log stores each line once for all members. It shrinks when the last reader
        // has read the line, or is moved forward.
        let logs = 2 * self.model.room_names().len();
        let shared_max = if most_shared > 0 { logs * self.plan.limits.high_water_bytes } else { 0 };
        let leaked = usize::from(self.sabotage.is_in_effect(Fault::BufferLeaked));
        let buffered = self.exchange.buffered_bytes() + leaked;
        // Only input of held sessions stays unprocessed, and at most one read of each.
        let held = self.sockets.keys().filter(|&&who| !self.exchange.wants_input(id(who)));
        let unread_max = held.count() * READ_BYTES_PER_TURN;
        let within_limits = (waiting..=waiting + unread_max + shared_max).contains(&buffered);
        assert!(within_limits, "{buffered} bytes are buffered, {waiting} of them for writing");
        self.stats.buffered_bytes_max = self.stats.buffered_bytes_max.max(buffered);
    }

    /// Everybody has left. Checks that nothing remains of them.
    pub(super) fn check_empty(&mut self) {
        let left = self.sockets.keys().collect::<Vec<_>>();
        assert!(left.is_empty(), "{left:?} have left, but their connections are not closed");
        assert_eq!(self.model.sessions().count(), 0, "the model still has sessions");
        assert_eq!(self.exchange.chat().user_count(), 0, "the chat still has users");
        let leaked = usize::from(self.sabotage.is_in_effect(Fault::BufferLeaked));
        assert_eq!(
            self.exchange.buffered_bytes() + leaked,
            0,
            "bytes are buffered, but no connection is left"
        );
        assert_eq!(self.exchange.poll_timeout(), None, "a deadline is left, but no session is");
        assert_eq!(self.exchange.poll_action(), None, "an action is left, but no session is");
        self.exchange.chat().check();
    }
}
