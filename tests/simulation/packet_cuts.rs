//! How the bytes are cut into packets does not change the output (2.1.5). The tests run a whole
//! conversation, not only the line reader: the same bytes, cut in every way or at random, must give
//! the same output.

use chinwag::core::Origin;
use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::Limits;
use chinwag::core::time::Time;

use crate::encodings::{ClientSide, Encoding};
use crate::random::Random;
use crate::world::id;

/// What two users send, turn by turn. The lines cover every kind of framing and most states.
const SCENE: [(usize, &[u8]); 12] = [
    (0, b"\xff\xfd\x06ann\xc3\xa9\x7fa\r\n1\r\0"),
    (1, b"* bert\nb\x08bert\n\xff\xf6help\n"),
    (0, b"2\r\n\xff\xfa\x18\r\n\xff\xff\xff\xf0BERT\r\n"),
    (1, b"maybe\n2 nobody\n\x15YES\n"),
    (0, b"na\xc3\xafve \x1b[31mred\x1b[0m \xe2\x80\xaeevil\r\r\n//quit\r/me\r\n"),
    (1, b"\xef\xbb\xbfcaf\xe9\n\xff\xff\n  kept  \n"),
    (0, b"lost\xff\xf4\xff\xfd\x06found\r\n/help\r\n"),
    (1, b"\xff\xfb\x1f\xff\xfe\x01\xff\xf1x\xff\xf7y\n\n"),
    (1, b"quit\nignore anna\nbusy\n1 a\n"),
    (0, b"yes\r\n2 bert\r\ncancel\r\n\r\n/\r\n"),
    (1, b"exit\nnot read\n"),
    (0, b"1\r\nhalf\xff\xec"),
];

/// What each user reads in [`SCENE`], if `cut` gives the packet sizes of each turn.
fn play(mut cut: impl FnMut(&[u8]) -> Vec<usize>) -> [Vec<u8>; 2] {
    let mut exchange = Exchange::new(Limits::default());
    let mut said = [Vec::new(), Vec::new()];
    for who in 0..2 {
        exchange.handle_connect(Time::START, id(who));
    }
    for (who, bytes) in SCENE {
        let mut rest = bytes;
        for size in cut(bytes) {
            let (packet, later) = rest.split_at(size.min(rest.len()));
            exchange.handle_received(Time::START, id(who), packet);
            run_actions(&mut exchange, &mut said);
            rest = later;
        }
        exchange.handle_received(Time::START, id(who), rest);
        run_actions(&mut exchange, &mut said);
    }
    exchange.chat().check();
    said
}

/// Everybody reads at once, and held input goes on.
fn run_actions(exchange: &mut Exchange, said: &mut [Vec<u8>; 2]) {
    while let Some(action) = exchange.poll_action_at_once(Time::START) {
        if let Action::Write(to) = action {
            let output = exchange.output(to).to_vec();
            said[to.key()].extend_from_slice(&output);
            exchange.handle_sent(Time::START, to, output.len());
        }
    }
}

/// The conversation through a transport, with every byte in a packet of its own.
struct Encoded {
    exchange: Exchange,
    sides: [ClientSide; 2],
    said: [Vec<u8>; 2],
}

impl Encoded {
    /// What each user reads in [`SCENE`].
    fn play(encoding: Encoding) -> [Vec<u8>; 2] {
        let exchange = Exchange::new(Limits::default());
        let sides = [encoding; 2].map(ClientSide::new);
        let mut play = Encoded { exchange, sides, said: [Vec::new(), Vec::new()] };
        for who in 0..2 {
            let transport = encoding.transport(Time::START).expect("an encoding");
            play.exchange.handle_connect_through(Time::START, id(who), transport);
            let hello = play.sides[who].answer();
            play.delivers(who, &hello);
        }
        for (who, bytes) in SCENE {
            let bytes = play.sides[who].encode(bytes);
            play.delivers(who, &bytes);
        }
        play.exchange.chat().check();
        play.said
    }

    fn delivers(&mut self, who: usize, bytes: &[u8]) {
        for byte in bytes {
            self.exchange.handle_received(Time::START, id(who), &[*byte]);
            self.run_actions();
            let answer = self.sides[who].answer();
            self.delivers(who, &answer);
        }
    }

    fn run_actions(&mut self) {
        while let Some(action) = self.exchange.poll_action_at_once(Time::START) {
            match action {
                Action::Write(to) => {
                    while !self.exchange.output(to).is_empty() {
                        let output = self.exchange.output(to).to_vec();
                        self.said[to.key()].extend(self.sides[to.key()].decode(&output));
                        self.exchange.handle_sent(Time::START, to, output.len());
                    }
                }
                Action::Open(who, _) => {
                    self.exchange.begin_session(Time::START, who, Origin::NONE);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn one_cut_anywhere_and_one_byte_per_packet_give_the_same_output() {
    let whole = play(|bytes| vec![bytes.len()]);
    let [anna, bert] = whole.each_ref().map(|said| String::from_utf8_lossy(said));
    assert!(anna.contains("BERT accepted") || anna.contains("bert accepted"), "{anna}");
    assert!(bert.contains("anna: /quit\r\n") && bert.contains("Goodbye"), "{bert}");
    assert_eq!(play(|bytes| vec![1; bytes.len()]), whole, "byte by byte");
    let longest = SCENE.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or(0);
    for at in 1..longest {
        assert_eq!(play(|_| vec![at]), whole, "cut at {at}");
    }
}

/// (2.7.1)
#[test]
fn encoded_and_one_byte_per_packet_gives_the_same_output() {
    let whole = play(|bytes| vec![bytes.len()]);
    // The scene has telnet commands, which no browser can send.
    for encoding in Encoding::ENCODED.into_iter().filter(|encoding| !encoding.is_web()) {
        assert!(Encoded::play(encoding) == whole, "{encoding:?}");
    }
}

#[test]
fn random_cuts_give_the_same_output() {
    let whole = play(|bytes| vec![bytes.len()]);
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let cut = |bytes: &[u8]| (0..bytes.len()).map(|_| random.between(1, 7)).collect();
        assert_eq!(play(cut), whole, "seed {seed}");
    }
}
