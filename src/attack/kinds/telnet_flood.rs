//! `telnet-flood`: telnet negotiation without end, and half of the clients never read the answers.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, Moves};
use crate::core::limits::PEER_WRITE_BYTES;

pub(super) const KIND: Kind = Kind {
    name: "telnet-flood",
    does: "Clients ask for telnet options and \"are you there\" without end. Half of them never read \
           the answers. Some subnegotiations never end.",
    look_for: "Work without lines. The input of those who do not read is held at 8 KiB of answers.",
    protects: &[
        ("2.2.2", "each DO gets one WONT and each WILL one DONT, so no loop is possible"),
        ("2.2.4", "a subnegotiation of more than 1,024 bytes is given up"),
        ("7.36", "who does not read the answers is not read either"),
        ("7.44", "the work of one turn is bounded, and light connections go first"),
    ],
    connections: 20,
    seconds: 10,
    prefix: "telnet",
    logs_in: false,
    moves,
};

const IAC: u8 = 255;
const DO_TERMINAL_TYPE: [u8; 3] = [IAC, 253, 24];
const WILL_WINDOW_SIZE: [u8; 3] = [IAC, 251, 31];
const ARE_YOU_THERE: [u8; 2] = [IAC, 246];
const SUBNEGOTIATION: [u8; 3] = [IAC, 250, 24];

fn moves(n: usize, _cast: &Cast) -> Box<dyn Moves> {
    Box::new(Negotiator { reads: n.is_multiple_of(2), rounds: 0 })
}

struct Negotiator {
    reads: bool,
    rounds: usize,
}

impl Moves for Negotiator {
    fn connected(&mut self, hand: &mut Hand<'_>) {
        hand.reads(self.reads);
        self.sent(hand);
    }

    fn sent(&mut self, hand: &mut Hand<'_>) {
        self.rounds += 1;
        if self.rounds.is_multiple_of(16) {
            let endless = [&SUBNEGOTIATION[..], &[b'x'; 2_000], b"\n"].concat();
            hand.send(&endless);
        } else {
            let round = [&DO_TERMINAL_TYPE[..], &WILL_WINDOW_SIZE, &ARE_YOU_THERE].concat();
            hand.send(&round.repeat(PEER_WRITE_BYTES / round.len()));
        }
    }

    fn hears(&mut self, line: &str, hand: &mut Hand<'_>) {
        if line.contains("chinwag is here") {
            hand.count("\"are you there\" answered");
        }
    }
}
