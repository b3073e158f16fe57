//! Connections before their session: the transport is still opening (`core/transport.rs`, 8).
//!
//! Such a connection has an endpoint and a transport, and the chat does not know it. When the
//! transport is ready, the shell admits the address and calls [`Exchange::begin_session`] or
//! [`Exchange::reject`]. Plain TCP never comes here: its session begins with the connection.

use super::endpoint::Receiving;
use super::endpoints::Endpoints;
use super::{Action, Exchange};
use crate::core::chat::DisconnectReason;
use crate::core::time::Time;
use crate::core::transport::{Opening, Received, Transport, TransportError};
use crate::core::{Origin, SessionId};

/// For the log: another connection needed the place (7.64).
const CROWDED_OUT: TransportError = TransportError("too many connections are opening");

impl Exchange {
    /// A client has connected through `transport`, from no address that has limits.
    pub fn handle_connect_through(
        &mut self,
        now: Time,
        id: SessionId,
        transport: Box<dyn Transport>,
    ) {
        self.handle_connect_through_from(now, id, Origin::NONE, transport);
    }

    /// A client has connected through `transport`. The session begins at once, from `origin`, if the
    /// transport is ready. Otherwise [`Action::Open`] comes when it is, and `origin` is not used.
    pub fn handle_connect_through_from(
        &mut self,
        now: Time,
        id: SessionId,
        origin: Origin,
        transport: Box<dyn Transport>,
    ) {
        self.endpoints.add(id);
        let (opening, is_private) = (transport.opening(), transport.is_private());
        self.endpoints.set_transport(id, transport);
        if opening == Opening::Ready(None) {
            self.chat.handle_connect(now, id, origin, is_private || origin.is_loopback());
            return self.deliver(now);
        }
        self.endpoints[id].receiving = Receiving::Opening;
        self.endpoints.opening.push_back(id);
        self.endpoints.announce_if_ready(id);
        // The newest goes on: whoever holds places without opening must not keep others out.
        if self.endpoints.opening.len() > self.limits.opening_max
            && let Some(&oldest) = self.endpoints.opening.front()
        {
            self.fail_transport(now, oldest, CROWDED_OUT);
        }
    }

    /// The answer to [`Action::Open`]: the session begins, from `origin`. Lines that came together
    /// with the last bytes of the handshake are processed now.
    pub fn begin_session(&mut self, now: Time, id: SessionId, origin: Origin) {
        if !self.endpoints.awaits_admission(id) {
            return;
        }
        self.endpoints[id].receiving = Receiving::Lines;
        let is_private = self.endpoints.is_transport_private(id) || origin.is_loopback();
        self.chat.handle_connect(now, id, origin, is_private);
        self.deliver(now);
        self.resume(now, id);
        self.endpoints.refresh_deadline(id);
        // The socket may hold more, and its readiness was reported before.
        self.endpoints.queue_resume(id);
    }

    /// The other answer to [`Action::Open`]: the client reads `line`, and the connection closes.
    pub fn reject(&mut self, now: Time, id: SessionId, line: &str) {
        if self.endpoints.awaits_admission(id) {
            self.endpoints.say(id, [line.as_bytes(), b"\r\n"]);
            self.endpoints.tell_session_end(id, DisconnectReason::Banned);
            self.endpoints.hang_up(now, id);
        }
    }

    /// The server stops: connections without a session close.
    pub fn end_opening(&mut self, now: Time) {
        while let Some(id) = self.endpoints.opening.pop_front() {
            self.endpoints.hang_up(now, id);
        }
    }

    /// Whether an action still concerns a connection that waits for it.
    pub(super) fn is_current(&self, action: &Action) -> bool {
        match action {
            Action::Open(id, _) => self.endpoints.awaits_admission(*id),
            _ => true,
        }
    }

    /// The transport has decoded bytes of a connection without a session.
    pub(super) fn receive_opening(
        &mut self,
        now: Time,
        id: SessionId,
        received: Received,
        input: &[u8],
    ) {
        if !input.is_empty() {
            self.endpoints.hold_input(id, input);
        }
        let is_ready = self.endpoints.announce_if_ready(id);
        // A transport that ends without a session has served its client: a document, for example.
        if received == Received::EndOfInput && !is_ready {
            self.endpoints.hang_up(now, id);
        }
    }

    /// Ends the session, or the connection that has none yet.
    pub(super) fn end_session(&mut self, now: Time, id: SessionId, why: DisconnectReason) {
        if self.chat.has_session(id) {
            self.chat.handle_disconnect(now, id, why);
            self.deliver(now);
        } else {
            self.endpoints.hang_up(now, id);
        }
    }
}

impl Endpoints {
    /// Asks the shell for a session if the transport is ready now. Returns whether it is.
    fn announce_if_ready(&mut self, id: SessionId) -> bool {
        let Some(transport) = self.transports.get(id) else { return false };
        let Opening::Ready(address) = transport.opening() else { return false };
        if transport.is_transparent() {
            self.drop_transport(id);
            self[id].is_encoded = false;
        }
        self.leave_opening(id);
        self[id].receiving = Receiving::Admission;
        self.act(Action::Open(id, address));
        true
    }

    /// Whether the transport of `id` is ready, and the shell has not answered yet.
    fn awaits_admission(&self, id: SessionId) -> bool {
        self.contains(id) && self[id].receiving == Receiving::Admission
    }

    /// Frees the place among the opening connections. Every way out of [`Receiving::Opening`] leads
    /// here.
    pub(super) fn leave_opening(&mut self, id: SessionId) {
        if self[id].receiving == Receiving::Opening {
            self.opening.retain(|other| *other != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::chat::Event;
    use crate::core::limits::{Limits, STALL_NOTICE_MS};
    use core::net::SocketAddr;

    const HEADER_MS: u64 = 3_000;
    const CLIENT: &str = "192.0.2.1:99";

    /// A transport that reads a first line: `from ADDRESS` or `go` opens the door, `page` is answered
    /// and ends, everything else is an error. Behind it, bytes are passed unchanged.
    #[derive(Debug)]
    struct Door {
        header: Vec<u8>,
        opening: Opening,
        output: Vec<u8>,
        until: Time,
        is_thin: bool,
    }

    impl Transport for Door {
        fn receive(
            &mut self,
            _now: Time,
            bytes: &[u8],
            input: &mut Vec<u8>,
        ) -> Result<Received, TransportError> {
            for (n, byte) in bytes.iter().enumerate() {
                if self.opening != Opening::Pending {
                    input.extend_from_slice(&bytes[n..]);
                    break;
                }
                self.header.push(*byte);
                match self.header.strip_suffix(b"\n") {
                    None => {}
                    Some(b"go") => self.opening = Opening::Ready(None),
                    Some(b"page") => {
                        self.output.extend_from_slice(b"a page");
                        return Ok(Received::EndOfInput);
                    }
                    // Longer handshakes have several steps.
                    Some(b"more") => {
                        self.header.clear();
                        self.output.extend_from_slice(b"and?");
                    }
                    Some(b"from") => {
                        self.opening = Opening::Ready(CLIENT.parse().ok());
                    }
                    Some(_) => {
                        self.output.extend_from_slice(b"what?");
                        return Err(TransportError("no such word"));
                    }
                }
            }
            match input.ends_with(b"EOF") {
                true => Ok(Received::EndOfInput),
                false => Ok(Received::Data),
            }
        }

        fn send(&mut self, data: &[u8]) -> usize {
            self.output.extend_from_slice(data);
            data.len()
        }

        fn output(&self) -> &[u8] {
            &self.output
        }

        fn handle_sent(&mut self, count: usize) {
            self.output.drain(..count);
        }

        fn close(&mut self) {}

        fn is_end_clean(&self) -> bool {
            true
        }

        fn opening(&self) -> Opening {
            self.opening
        }

        fn is_transparent(&self) -> bool {
            self.is_thin && self.opening != Opening::Pending
        }

        fn deadline(&self) -> Option<Time> {
            (self.opening == Opening::Pending).then_some(self.until)
        }

        fn handle_timeout(&mut self, _: Time, _: bool) -> Result<Received, TransportError> {
            Err(TransportError("too slow"))
        }
    }

    /// An exchange whose clients connect through doors. The shell admits everybody but `rejected`.
    struct Scene {
        exchange: Exchange,
        now: Time,
        rejected: Option<&'static str>,
        /// What each client has read.
        read: Vec<String>,
        actions: Vec<Action>,
    }

    impl Scene {
        fn new() -> Scene {
            let limits = Limits { opening_max: 3, ..Limits::default() };
            Scene {
                exchange: Exchange::new(limits),
                now: Time::START,
                rejected: None,
                read: Vec::new(),
                actions: Vec::new(),
            }
        }

        fn connects(&mut self, is_thin: bool) -> SessionId {
            let id = SessionId::from_key(self.read.len());
            let until = self.now.after_ms(HEADER_MS);
            let (header, output) = (Vec::new(), Vec::new());
            let door = Door { header, opening: Opening::Pending, output, until, is_thin };
            self.exchange.handle_connect_through(self.now, id, Box::new(door));
            self.read.push(String::new());
            self.settle();
            id
        }

        fn sends(&mut self, id: SessionId, bytes: &str) {
            assert!(self.exchange.wants_input(id));
            self.exchange.handle_received(self.now, id, bytes.as_bytes());
            self.settle();
        }

        fn settle(&mut self) {
            while let Some(action) = self.exchange.poll_action_at_once(self.now) {
                match action {
                    Action::Write(id) => {
                        let output = self.exchange.output(id).to_vec();
                        self.read[id.key()].push_str(std::str::from_utf8(&output).unwrap());
                        self.exchange.handle_sent(self.now, id, output.len());
                    }
                    Action::Open(id, _) => match self.rejected {
                        Some(line) => self.exchange.reject(self.now, id, line),
                        None => self.exchange.begin_session(self.now, id, Origin::NONE),
                    },
                    _ => {}
                }
                self.actions.push(action);
            }
            self.exchange.chat().check();
        }

        fn read(&mut self, id: SessionId) -> String {
            std::mem::take(&mut self.read[id.key()])
        }

        /// The client closes too, and the exchange forgets it.
        fn is_closed_after_fin(&mut self, id: SessionId) -> bool {
            assert!(self.actions.contains(&Action::EndSending(id)));
            self.exchange.handle_end_of_input(self.now, id);
            self.settle();
            self.exchange.forget(id);
            self.actions.contains(&Action::Close(id))
        }

        fn is_empty(&self) -> bool {
            self.exchange.endpoints.opening.is_empty()
                && self.exchange.endpoints.transports.values().count() == 0
                && self.exchange.poll_timeout().is_none()
                && self.exchange.buffered_bytes() == 0
        }
    }

    #[test]
    fn lines_behind_the_handshake_reach_the_session_in_every_cut() {
        let sent = "from\nAnna\n1\n";
        for cut in 1..sent.len() {
            let mut scene = Scene::new();
            let id = scene.connects(cut % 2 == 0);
            for piece in sent.as_bytes().chunks(cut) {
                scene.sends(id, std::str::from_utf8(piece).unwrap());
            }
            let client = CLIENT.parse::<SocketAddr>().unwrap();
            let opened = scene.actions.iter().filter(|action| matches!(action, Action::Open(..)));
            assert_eq!(opened.collect::<Vec<_>>(), [&Action::Open(id, Some(client))]);
            assert!(scene.read(id).contains("* 1 user online"), "cut after {cut} bytes");
            assert_eq!(
                scene.exchange.endpoints.transports.values().count(),
                cut % 2,
                "dropped if not needed"
            );
        }
    }

    #[test]
    fn a_connection_that_is_opening_is_no_session() {
        let mut scene = Scene::new();
        let id = scene.connects(false);
        assert!(!scene.exchange.chat().has_session(id));
        assert_eq!(scene.exchange.handle_announcement(scene.now, "to all"), 0);
        scene.sends(id, "g");
        assert_eq!(scene.read(id), "", "and reads nothing");
        scene.sends(id, "o\n");
        assert!(scene.exchange.chat().has_session(id));
    }

    #[test]
    fn nothing_is_read_until_the_shell_has_decided() {
        let mut scene = Scene::new();
        let id = scene.connects(true);
        scene.exchange.handle_received(scene.now, id, b"go\nAnna");
        assert!(!scene.exchange.wants_input(id), "one read is held, and not more");
        assert_eq!(scene.exchange.buffered_bytes(), 4);
        scene.settle();
        assert!(scene.exchange.wants_input(id));
    }

    #[test]
    fn a_rejected_client_reads_why_and_is_closed() {
        for is_thin in [false, true] {
            let mut scene = Scene::new();
            scene.rejected = Some("! Your address is banned; nothing was done");
            let id = scene.connects(is_thin);
            scene.sends(id, "from\nAnna\n");
            assert_eq!(scene.read(id), "! Your address is banned; nothing was done\r\n");
            assert!(!scene.exchange.chat().has_session(id));
            assert!(scene.is_closed_after_fin(id) && scene.is_empty());
        }
    }

    #[test]
    fn a_transport_that_ends_without_a_session_is_written_out_and_closed() {
        let mut scene = Scene::new();
        let id = scene.connects(false);
        scene.sends(id, "page\n");
        assert_eq!(scene.read(id), "a page");
        assert!(scene.is_closed_after_fin(id) && scene.is_empty());
        let id = scene.connects(false);
        scene.exchange.handle_received(scene.now, id, b"page\n");
        scene.exchange.handle_end_of_input(scene.now, id);
        scene.settle();
        assert_eq!(scene.read(id), "a page", "also if the client's FIN comes first");
    }

    #[test]
    fn an_end_in_the_same_segment_as_the_handshake_comes_behind_the_lines() {
        let mut scene = Scene::new();
        let id = scene.connects(false);
        scene.sends(id, "go\nAnna\nEOF");
        assert!(scene.read(id).contains("Anna"));
        let left = |action: &Action| matches!(action, Action::Report(Event::Left { .. }));
        assert!(scene.actions.iter().any(left));
    }

    #[test]
    fn an_error_a_deadline_or_a_failure_ends_a_connection_that_is_opening() {
        let mut scene = Scene::new();
        let [wrong, slow, lost] = [(); 3].map(|()| scene.connects(true));
        scene.sends(wrong, "what is this\n");
        assert_eq!(scene.read(wrong), "what?", "the alert is written");
        scene.exchange.handle_failure(scene.now, lost);
        scene.settle();
        assert!(scene.actions.contains(&Action::Close(lost)));
        scene.now = scene.now.after_ms(HEADER_MS);
        scene.exchange.handle_timeout(scene.now);
        scene.settle();
        let too_slow = Action::TransportFailed(slow, TransportError("too slow"));
        assert!(scene.actions.contains(&too_slow));
        scene.exchange.forget(lost);
        assert!(scene.is_closed_after_fin(wrong) && scene.is_closed_after_fin(slow));
        assert!(scene.is_empty());
    }

    /// (7.18, 7.39)
    #[test]
    fn a_client_that_does_not_read_its_page_is_closed() {
        for (word, waits_ms) in [("page\n", &[][..]), ("more\n", &[STALL_NOTICE_MS, HEADER_MS])] {
            let mut scene = Scene::new();
            let id = scene.connects(false);
            scene.exchange.handle_received(scene.now, id, word.as_bytes());
            while let Some(action) = scene.exchange.poll_action() {
                scene.actions.push(action);
                scene.exchange.handle_blocked(scene.now, id);
            }
            for wait_ms in waits_ms.iter().chain([&Limits::default().closing_ms]) {
                scene.now = scene.now.after_ms(*wait_ms);
                scene.exchange.handle_timeout(scene.now);
                while let Some(action) = scene.exchange.poll_action() {
                    scene.actions.push(action);
                }
            }
            assert!(scene.actions.contains(&Action::Close(id)), "{word}");
        }
    }

    /// (7.64)
    #[test]
    fn of_too_many_the_one_that_has_opened_longest_makes_room() {
        let mut scene = Scene::new();
        let [oldest, second, ..] = [(); 4].map(|()| scene.connects(true));
        assert!(scene.actions.contains(&Action::TransportFailed(oldest, CROWDED_OUT)));
        scene.sends(second, "go\n");
        let newest = scene.connects(true);
        scene.sends(newest, "go\n");
        assert!(scene.read(newest).contains("chinwag"), "a place was free");
        scene.exchange.end_opening(scene.now);
        scene.settle();
        assert!(scene.exchange.endpoints.opening.is_empty());
    }

    /// (8.2.3)
    #[test]
    fn a_ban_closes_a_connection_without_a_session() {
        let mut scene = Scene::new();
        let id = scene.connects(true);
        let how = crate::core::chat::Removal::Banned;
        assert!(!scene.exchange.handle_removal(scene.now, id, how, ""), "it is no user");
        scene.settle();
        assert!(scene.is_closed_after_fin(id) && scene.is_empty());
    }
}
