//! `out-of-descriptors`: as many connections as there are, none of which does anything.
//!
//! The attack takes descriptors of the server, one for each connection, until `--max-connections`. From
//! another machine the limit of one address (7.26) would end it at 1,024; loopback is exempt from that.

use super::{Cast, Kind};
use crate::attack::attacker::{Hand, Moves};

pub(super) const KIND: Kind = Kind {
    name: "out-of-descriptors",
    does: "Connections come, say nothing and stay, until the server takes no more or --connections is \
           reached. A server with the default limits usually has room for all of them: start it with \
           --max-connections 300 to see the refusal.",
    look_for: "The number of connections grows. At the limit each new one is accepted, told why, and \
               closed in the same turn. The loop still sleeps between events.",
    protects: &[
        (
            "7.25",
            "one connection too many reads one line and is closed; 32 descriptors stay in reserve",
        ),
        ("7.26", "one address has at most 1,024 connections; loopback is exempt, so not here"),
        ("4.2.4", "who stays silent is disconnected at the naming deadline"),
    ],
    connections: 2_000,
    seconds: 10,
    prefix: "many",
    logs_in: false,
    moves,
};

fn moves(_n: usize, _cast: &Cast) -> Box<dyn Moves> {
    Box::new(Silent)
}

struct Silent;

impl Moves for Silent {
    fn ended(&mut self, is_welcomed: bool, hand: &mut Hand<'_>) {
        if !is_welcomed {
            hand.count("connections that the server had no room for");
        }
    }
}
