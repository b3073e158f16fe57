//! The seam for transports: whatever stands between the socket and the exchange, users read the same
//! lines. A test transport splits, delays and re-encodes; two of them stacked do so twice. TLS and
//! WebSocket are more ways, alone and one inside the other, with rustls as the client of TLS.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "transport/encodings.rs"]
mod encodings;
#[path = "transport/layer.rs"]
mod layer;
#[path = "common/random.rs"]
mod random;
#[path = "transport/scrambled.rs"]
mod scrambled;
#[path = "transport/tls_peer.rs"]
mod tls_peer;
#[path = "transport/web_peer.rs"]
mod web_peer;

use std::rc::Rc;

use chinwag::core::chat::{DisconnectReason, Event};
use chinwag::core::exchange::Action;
use chinwag::core::limits::Limits;
use chinwag::core::recording::{Player, Recorded, Recorder, Recording};
use chinwag::core::time::Time;
use chinwag::core::transport::TransportError;
use chinwag::core::{Origin, SessionId};
use encodings::{ClientSide, Encoding};
use random::Random;
use scrambled::{HANDSHAKE_MS, HELLO, Scrambled};

/// One client: its side of the transport, and everything that it has read.
#[derive(Default)]
struct Client {
    side: ClientSide,
    read: Vec<u8>,
    /// The socket takes nothing at the moment.
    is_stalled: bool,
    /// It answers no pings.
    is_silent: bool,
}

/// An exchange with clients that all use the same encoding.
struct Scene {
    exchange: Recorded,
    now: Time,
    encoding: Encoding,
    clients: Vec<Client>,
    left: Vec<(SessionId, DisconnectReason)>,
    errors: Vec<TransportError>,
    closed: Vec<SessionId>,
}

/// Each scene is replayed from its recording: without keys and random numbers, every user is sent the same.
impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let bytes = self.exchange.take_recording();
        if bytes.is_empty() {
            return;
        }
        let mut player = Player::new(Rc::new(Recording::parse(&bytes).unwrap()));
        let mut outputs = Vec::new();
        while player.next_call().is_some() {
            player.step(&mut outputs).unwrap();
        }
        for (key, client) in self.clients.iter().enumerate() {
            let to_client = outputs.iter().filter(|output| output.to.key() == key);
            let sent = to_client.flat_map(|output| output.bytes.clone()).collect::<Vec<_>>();
            let [sent, read] = [&sent, &client.read].map(|bytes| String::from_utf8_lossy(bytes));
            assert!(sent.contains(&*read), "client {key} of {:?}", self.encoding);
        }
    }
}

impl Scene {
    fn new(encoding: Encoding, clients: usize) -> Scene {
        let mut exchange = Recorded::new(Limits::default());
        exchange.start_recorder(Recorder::new(&Limits::default(), 1 << 30), [9; 32]);
        let mut scene = Scene {
            exchange,
            now: Time::START,
            encoding,
            clients: Vec::new(),
            left: Vec::new(),
            errors: Vec::new(),
            closed: Vec::new(),
        };
        for _ in 0..clients {
            scene.connects();
        }
        scene
    }

    fn connects(&mut self) {
        let id = SessionId::from_key(self.clients.len());
        match self.encoding.transport(self.now) {
            None => self.exchange.handle_connect_from(self.now, id, Origin::NONE),
            Some(transport) => {
                let origin = Origin::NONE;
                self.exchange.handle_connect_through_from(self.now, id, origin, transport);
            }
        }
        self.clients.push(Client { side: ClientSide::new(self.encoding), ..Client::default() });
        self.answers(id);
        self.settle();
    }

    /// The client goes on with its handshake, or answers a ping.
    fn answers(&mut self, id: SessionId) {
        let client = &mut self.clients[id.key()];
        if !client.is_silent && self.exchange.wants_input(id) {
            let answer = client.side.answer();
            if !answer.is_empty() {
                self.exchange.handle_received(self.now, id, &answer);
            }
        }
    }

    /// Sends a line in pieces of at most `cut` socket bytes; `false` if the exchange holds its input.
    fn types(&mut self, who: usize, line: &str, cut: usize) -> bool {
        let id = SessionId::from_key(who);
        if self.closed.contains(&id) || !self.exchange.wants_input(id) {
            return false;
        }
        let bytes = self.clients[who].side.encode(format!("{line}\n").as_bytes());
        for piece in bytes.chunks(cut) {
            self.exchange.handle_received(self.now, id, piece);
        }
        self.settle();
        true
    }

    fn settle(&mut self) {
        while let Some(action) = self.exchange.poll_action_at_once(self.now) {
            match action {
                Action::Write(id) => self.write(id),
                Action::EndSending(id) => {
                    if !self.closed.contains(&id) {
                        self.exchange.handle_end_of_input(self.now, id);
                    }
                }
                Action::Close(id) => {
                    self.closed.push(id);
                    self.exchange.forget(id);
                }
                Action::Report(Event::Left { who, why }) => self.left.push((who, why)),
                Action::TransportFailed(_, error) => self.errors.push(error),
                Action::Report(_) => {}
                Action::Open(id, _) => self.exchange.begin_session(self.now, id, Origin::NONE),
                Action::AskAccounts(_) => unreachable!("nobody started accounts"),
            }
        }
    }

    fn write(&mut self, id: SessionId) {
        while !self.closed.contains(&id) && !self.exchange.output(id).is_empty() {
            let client = &mut self.clients[id.key()];
            if client.is_stalled {
                return self.exchange.handle_blocked(self.now, id);
            }
            let output = self.exchange.output(id).to_vec();
            client.read.extend(client.side.decode(&output));
            self.exchange.handle_sent(self.now, id, output.len());
            self.answers(id);
        }
    }

    /// The client's socket takes some bytes of the output.
    fn takes(&mut self, id: SessionId, count: usize) {
        let data = self.clients[id.key()].side.decode(&self.exchange.output(id)[..count]);
        self.clients[id.key()].read.extend(data);
        self.exchange.handle_sent(self.now, id, count);
        self.settle();
    }

    fn stalls(&mut self, who: usize, is_stalled: bool) {
        if std::mem::replace(&mut self.clients[who].is_stalled, is_stalled) && !is_stalled {
            self.exchange.handle_writable(SessionId::from_key(who));
            self.settle();
        }
    }

    fn ms_pass(&mut self, ms: u64) {
        self.now = self.now.after_ms(ms);
        self.exchange.handle_timeout(self.now);
        self.settle();
        self.exchange.chat().check();
    }

    fn read(&self, who: usize) -> String {
        String::from_utf8(self.clients[who].read.clone()).unwrap()
    }
}

/// A random session of six clients: chats, rooms, lists, and input in packets of at most `cut_max` bytes.
fn play(encoding: Encoding, seed: u64, cut_max: usize) -> Vec<String> {
    const CLIENTS: usize = 6;
    let mut scene = Scene::new(encoding, CLIENTS);
    if cut_max == 1 || !seed.is_multiple_of(4) {
        // To record every session, and every single byte, would take as long again.
        scene.exchange.end_recorder();
    }
    let mut random = Random::with_seed(seed);
    for who in 0..CLIENTS {
        scene.types(who, &format!("u{who}"), 3);
    }
    for _ in 0..400 {
        let (who, other) = (random.below(CLIENTS), random.below(CLIENTS));
        let cut = cut_max.min(1 + random.below(40));
        let line = match random.below(10) {
            0 | 1 => format!("2 u{other}"),
            2 | 3 => "yes".to_owned(),
            4 => "quit".to_owned(),
            5 => "4".to_owned(),
            6 => "1".to_owned(),
            7 => format!("/me waves at {other}"),
            _ => "hello é ".repeat(1 + random.below(60)),
        };
        scene.types(who, &line, cut);
        scene.ms_pass(random.below(900) as u64);
    }
    (0..CLIENTS).map(|who| scene.read(who)).collect()
}

#[test]
fn users_read_the_same_lines_through_every_transport() {
    for seed in 1..=20 {
        let plain = play(Encoding::Plain, seed, 40);
        assert!(plain.iter().any(|read| read.contains("You are now chatting")), "seed {seed}");
        for encoding in Encoding::ENCODED {
            // A few seeds cut every record at every byte.
            let cut_max = if seed <= 5 { 1 } else { 40 };
            assert!(play(encoding, seed, cut_max) == plain, "seed {seed}, {encoding:?} differs");
        }
    }
}

#[test]
fn a_slow_reader_holds_its_partner_and_then_reads_every_line() {
    for encoding in [&[Encoding::Plain][..], &Encoding::ENCODED].concat() {
        let mut scene = Scene::new(encoding, 2);
        scene.types(0, "A", 100);
        scene.types(1, "B", 100);
        scene.types(0, "2 B", 100);
        scene.types(1, "yes", 100);
        scene.stalls(1, true);
        let sent = (0..1_000).take_while(|n| scene.types(0, &format!("{n:0>1000}"), 100)).count();
        assert!((60..80).contains(&sent), "{encoding:?}: held after {sent} lines");
        scene.stalls(1, false);
        let read = scene.read(1);
        (0..sent).for_each(|n| assert!(read.contains(&format!("A: {n:0>1000}\r\n")), "line {n}"));
        assert!(scene.types(0, "again", 100), "the sender goes on");
        assert!(scene.read(1).ends_with("A: again\r\n"));
    }
}

#[test]
fn a_slow_member_of_a_room_misses_whole_lines_and_is_told_how_many() {
    Encoding::ENCODED.into_iter().for_each(slow_member);
}

fn slow_member(encoding: Encoding) {
    let mut scene = Scene::new(encoding, 2);
    for (who, name) in [(0, "A"), (1, "B")] {
        scene.types(who, name, 100);
        scene.types(who, "4", 100);
    }
    scene.stalls(1, true);
    for n in 0..200 {
        scene.ms_pass(200);
        assert!(scene.types(0, &format!("{n:0>1000}"), 100));
        // A few bytes now and then, so that the stall timeout does not end the session.
        if n % 50 == 0 {
            let id = SessionId::from_key(1);
            let taken = scene.exchange.output(id).len().min(9);
            scene.takes(id, taken);
        }
    }
    scene.stalls(1, false);
    let read = scene.read(1);
    let lines = read.lines().filter(|line| line.starts_with("A: ")).count();
    let missed =
        read.lines().find_map(|line| line.strip_prefix("* You missed ")?.split(' ').next());
    let missed = missed.expect("it is told").parse::<usize>().unwrap();
    assert_eq!(lines + missed, 200, "no line is torn, doubled or lost without a word");
}

#[test]
fn a_close_by_the_peer_is_handled_behind_its_last_line() {
    for encoding in Encoding::ENCODED {
        let mut scene = Scene::new(encoding, 2);
        scene.types(0, "A", 100);
        scene.types(1, "B", 100);
        scene.types(0, "2 B", 100);
        scene.types(1, "yes", 100);
        let side = &mut scene.clients[0].side;
        let bytes = [side.encode(b"bye\nlast"), side.close()].concat();
        scene.exchange.handle_received(scene.now, SessionId::from_key(0), &bytes);
        scene.settle();
        let read = scene.read(1);
        assert!(read.contains("A: bye\r\nA: last\r\n* A left: the connection ended"), "{read}");
        assert_eq!(scene.left, [(SessionId::from_key(0), DisconnectReason::HungUp)]);
        assert!(scene.clients[0].side.is_closed(), "{encoding:?}: the server closes it too");
        assert_eq!(scene.closed, [SessionId::from_key(0)]);
    }
}

/// (7.9, 7.34) The close waits behind input that is held until its client reads.
#[test]
fn a_close_behind_a_burst_of_commands_comes_after_all_answers() {
    for encoding in Encoding::ENCODED {
        let mut scene = Scene::new(encoding, 1);
        scene.types(0, "A", 100);
        let side = &mut scene.clients[0].side;
        let bytes = [side.encode("1\n".repeat(150).as_bytes()), side.close()].concat();
        scene.exchange.handle_received(scene.now, SessionId::from_key(0), &bytes);
        scene.settle();
        let answers = scene.read(0).matches("* 1 user online").count();
        assert_eq!(answers, 150, "{encoding:?}");
        assert_eq!(scene.left, [(SessionId::from_key(0), DisconnectReason::HungUp)]);
        assert!(scene.clients[0].side.is_closed(), "{encoding:?}: the server closes it too");
        assert_eq!(scene.closed, [SessionId::from_key(0)]);
    }
}

#[test]
fn a_stream_that_is_cut_without_a_close_is_a_lost_connection() {
    for encoding in Encoding::ENCODED {
        let mut scene = Scene::new(encoding, 1);
        scene.types(0, "A", 100);
        scene.clients[0].read.clear();
        // The end of a message ends its line too (2.6.7), so a browser's half line is half a message.
        let side = &mut scene.clients[0].side;
        let bytes = match encoding.is_web() {
            true => [side.encode(b"1\n"), side.encode(b"3\n")[..7].to_vec()].concat(),
            false => side.encode(b"1\n3"),
        };
        scene.exchange.handle_received(scene.now, SessionId::from_key(0), &bytes);
        scene.exchange.handle_end_of_input(scene.now, SessionId::from_key(0));
        scene.settle();
        assert_eq!(scene.left, [(SessionId::from_key(0), DisconnectReason::Lost)]);
        let read = scene.read(0);
        assert!(read.starts_with("* 1 user online"), "{encoding:?}: what came whole: {read}");
        assert!(!read.contains("Goodbye"), "{encoding:?}: half a line counts as none: {read}");
        assert_eq!(scene.closed, [SessionId::from_key(0)]);
    }
}

#[test]
fn exit_writes_the_last_line_then_the_close_then_ends_the_connection() {
    for encoding in Encoding::ENCODED {
        let mut scene = Scene::new(encoding, 1);
        scene.types(0, "A", 100);
        scene.types(0, "3", 100);
        assert!(scene.read(0).contains("* Goodbye"));
        assert!(scene.clients[0].side.is_closed(), "{encoding:?}");
        assert_eq!(scene.closed, [SessionId::from_key(0)]);
        assert_eq!((scene.exchange.buffered_bytes(), scene.exchange.poll_timeout()), (0, None));
    }
}

#[test]
fn a_broken_record_ends_the_connection_and_the_alert_is_written() {
    let mut scene = Scene::new(Encoding::Plain, 0);
    let id = SessionId::from_key(0);
    let transport = Box::new(Scrambled::new(scene.now));
    scene.exchange.handle_connect_through_from(scene.now, id, Origin::NONE, transport);
    scene.exchange.handle_received(scene.now, id, b"GET / HTTP/1.1\r\n");
    let mut written = Vec::new();
    let mut actions = Vec::new();
    while let Some(action) = scene.exchange.poll_action_at_once(scene.now) {
        if let Action::Write(id) = action {
            written.extend_from_slice(scene.exchange.output(id));
            let count = scene.exchange.output(id).len();
            scene.exchange.handle_sent(scene.now, id, count);
        }
        actions.push(action);
    }
    assert_eq!(written, b"BAD", "the alert, and no line of the chat");
    assert!(actions.contains(&Action::TransportFailed(id, TransportError("that is no hello"))));
    assert!(actions.contains(&Action::EndSending(id)));
}

#[test]
fn a_handshake_that_is_never_finished_ends_at_the_deadline_of_the_transport() {
    let mut scene = Scene::new(Encoding::Plain, 0);
    let id = SessionId::from_key(0);
    scene.clients.push(Client::default());
    let transport = Box::new(Scrambled::new(scene.now));
    scene.exchange.handle_connect_through_from(scene.now, id, Origin::NONE, transport);
    scene.exchange.handle_received(scene.now, id, &HELLO[..3]);
    scene.settle();
    scene.ms_pass(HANDSHAKE_MS - 1);
    assert!(scene.left.is_empty());
    scene.ms_pass(1);
    assert_eq!(scene.left, [(id, DisconnectReason::Lost)]);
    assert_eq!(scene.errors, [TransportError("no hello in time")]);
}

/// (2.6.10)
#[test]
fn a_browser_that_falls_silent_is_given_up_but_not_while_nobody_reads_it() {
    let mut scene = Scene::new(Encoding::WebSocket, 3);
    for (who, name) in ["A", "B", "C"].into_iter().enumerate() {
        scene.types(who, name, 100);
        scene.clients[who].is_silent = true;
    }
    scene.types(0, "2 B", 100);
    scene.types(1, "yes", 100);
    scene.stalls(1, true);
    while scene.types(0, &"x".repeat(1_000), 100) {}
    // Nobody answers pings. B reads too little to let A go on, and enough not to be disconnected.
    let [a, b, c] = [0, 1, 2].map(SessionId::from_key);
    for _ in 0..30 {
        scene.ms_pass(10_000);
        scene.takes(b, 9);
    }
    assert!(!scene.exchange.wants_input(a));
    assert_eq!(scene.left, [(c, DisconnectReason::Lost)]);
    assert_eq!(scene.errors, [TransportError("no answer to WebSocket pings")]);
}
