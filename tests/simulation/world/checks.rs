//! What always holds, whatever the model says; looked at after every step.

use super::{World, id};
use crate::model::State;
use crate::sabotage::Wrong;
use crate::spoken::Observed;
use chinwag::core::limits::READ_BYTES_PER_TURN;

/// What may wait for one person beyond the mark that holds others back: one answer to a line of
/// their own, which may be the past of a room, a text, and what others' comings and goings bring (5.10,
/// 5.11).
const BEYOND_MARK: usize = 56 * 1024;

/// Splits what the server wrote into lines without their endings, and refusals of telnet options.
pub(super) fn for_each_line(mut bytes: &[u8], mut does: impl FnMut(&[u8])) {
    while !bytes.is_empty() {
        let (line, rest) = if bytes[0] == 255 {
            bytes.split_at(3)
        } else {
            let end = memchr::memchr(b'\n', bytes).unwrap_or(0);
            let line = bytes[..end].strip_suffix(b"\r");
            (line.expect("every line of the server ends in CR LF (1.1)"), &bytes[end + 1..])
        };
        does(line);
        bytes = rest;
    }
}

impl Observed {
    /// Nothing but safe text reaches a terminal (2.1).
    pub(super) fn check_lines(&mut self) {
        let is_line = |line: &&mut Vec<u8>| !matches!(line[..], [255, ..] | [0]);
        for line in self.lines_mut().values_mut().flatten().filter(is_line) {
            let line = str::from_utf8(line).expect("every line of the server is UTF-8 (1.1)");
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
        self.check_nobody_is_forgotten();
        self.check_bounds();
    }

    /// The chat and the model agree on who is here and with whom.
    fn check_states(&self) {
        let chat = self.exchange.chat();
        let mut users = 0;
        for (who, person) in self.model.people() {
            assert_eq!(
                chat.room(id(who)).is_some(),
                person.state.room().is_some(),
                "the room of {who}"
            );
            let partner = match person.state {
                State::Chatting(with) => Some(id(with)),
                _ => None,
            };
            assert_eq!(chat.partner(id(who)), partner, "the partner of {who}");
            let name = person.name.as_ref().map(|name| name.spelling.as_str());
            assert_eq!(chat.name(id(who)).map(|name| name.as_str()), name, "the name of {who}");
            users += usize::from(person.state != State::Over && name.is_some());
        }
        assert_eq!(chat.user_count(), users, "how many users there are");
    }

    /// Whoever can be read or written is, and whatever is due has happened.
    fn check_nobody_is_forgotten(&self) {
        for (&who, socket) in &self.sockets {
            assert!(!socket.has_failed, "the failed connection of {who} is not closed");
            let is_late = socket.close_by.is_some_and(|by| by <= self.now);
            assert!(!is_late, "the connection of {who} is not closed in time");
            let is_left = socket.is_readable() && self.exchange.wants_input(id(who));
            assert!(!is_left || socket.is_listed, "{who} is not read, though input is wanted");
            let waits = !socket.said.is_empty() && !socket.was_full;
            assert!(!waits, "{who} is not written to, though the socket has room");
        }
        let closing = self.sockets.values().filter_map(|socket| socket.close_by).min();
        let next = self.model.next_deadline().into_iter().chain(closing).min();
        let wakes = self.wakes_at();
        let is_woken = next.is_none_or(|next| wakes.is_some_and(|wakes| wakes <= next));
        assert!(is_woken, "the loop sleeps until {wakes:?}, and something is due at {next:?}");
        assert!(wakes.is_none_or(|wakes| wakes > self.now), "the loop wakes for nothing");
    }

    /// What is held in buffers is accounted for and stays within its bounds (part 5).
    fn check_bounds(&mut self) {
        let (mut waiting, mut most_shared) = (0, 0);
        let mark = self.plan.limits.high_water_bytes.max(8 * 1024);
        for &who in self.sockets.keys() {
            let pending = self.exchange.pending(id(who));
            let (own, shared) = (pending.own.len(), pending.shared.len());
            assert!(own <= mark + BEYOND_MARK, "{own} bytes wait for {who}");
            let high_water = self.plan.limits.high_water_bytes;
            assert!(shared <= high_water, "{shared} bytes of a room wait for {who} (6.9)");
            waiting += own;
            most_shared += shared;
        }
        // A feed is held once for all who read it, until the last of them has read it or is moved on.
        let feeds = 2 * self.model.room_names().len();
        let shared_max =
            if most_shared > 0 { feeds * self.plan.limits.high_water_bytes } else { 0 };
        let leaked = usize::from(self.sabotage.lasts(Wrong::BufferLeaked));
        let buffered = self.exchange.buffered_bytes() + leaked;
        // Only of those who are held is anything kept unread, and no more than one read of each.
        let held = self.sockets.keys().filter(|&&who| !self.exchange.wants_input(id(who)));
        let unread_max = held.count() * READ_BYTES_PER_TURN;
        let is_bounded = (waiting..=waiting + unread_max + shared_max).contains(&buffered);
        assert!(is_bounded, "{buffered} bytes are buffered, {waiting} of them to be written");
        self.figures.buffered_most = self.figures.buffered_most.max(buffered);
    }

    /// All have gone, and nothing is left of them.
    pub(super) fn check_empty(&mut self) {
        let left = self.sockets.keys().collect::<Vec<_>>();
        assert!(left.is_empty(), "{left:?} have left, and their connections are not closed");
        assert_eq!(self.model.people().count(), 0, "everybody is forgotten");
        assert_eq!(self.exchange.chat().user_count(), 0, "no user is left");
        let leaked = usize::from(self.sabotage.lasts(Wrong::BufferLeaked));
        assert_eq!(self.exchange.buffered_bytes() + leaked, 0, "bytes are buffered for nobody");
        assert_eq!(self.exchange.poll_timeout(), None, "a deadline is left, and nobody it is for");
        assert_eq!(self.exchange.poll_action(), None, "nothing is left to do");
        self.exchange.chat().check();
    }
}
