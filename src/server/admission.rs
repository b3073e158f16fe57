//! Who may come in: how many connections there are, in all and from one address (5.17, 5.18).

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::core::limits::Limits;

/// Counts those inside.
#[derive(Debug)]
pub(super) struct Admission {
    connections: usize,
    connections_max: usize,
    per_address_max: usize,
    /// How many from each address but loopback.
    by_address: HashMap<IpNet, usize>,
}

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    Full,
    AddressFull,
    Banned,
}

impl Rejection {
    /// Every reason, each at the place that it has as a number.
    pub(super) const ALL: [Rejection; 3] =
        [Rejection::Full, Rejection::AddressFull, Rejection::Banned];

    /// Its name among the metrics.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Rejection::Full => "full",
            Rejection::AddressFull => "address_full",
            Rejection::Banned => "banned",
        }
    }
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Admission {
        Admission {
            connections: 0,
            connections_max: limits.connections_max,
            per_address_max: limits.per_address_max,
            by_address: HashMap::new(),
        }
    }

    /// Counts a connection from `address` in, or refuses it.
    pub(super) fn admit(&mut self, address: IpAddr) -> Result<(), Rejection> {
        if self.connections >= self.connections_max {
            return Err(Rejection::Full);
        }
        if !address.is_loopback() {
            let count = self.by_address.entry(subscriber_network(address)).or_default();
            if *count >= self.per_address_max {
                return Err(Rejection::AddressFull);
            }
            *count += 1;
        }
        self.connections += 1;
        Ok(())
    }

    /// Counts a connection from `address` out.
    pub(super) fn release(&mut self, address: IpAddr) {
        self.connections -= 1;
        let subscriber_network = subscriber_network(address);
        if let Some(count) = self.by_address.get_mut(&subscriber_network) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&subscriber_network);
            }
        }
    }
}

/// The addresses that count as one: an IPv6 subscriber is given a /64 at least (RFC 6177).
pub(super) fn subscriber_network(address: IpAddr) -> IpNet {
    let prefix_len = match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 64,
    };
    IpNet::new(address, prefix_len).map_or(address.into(), |network| network.trunc())
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejection::Full => write!(f, "The server is full, try again later"),
            Rejection::AddressFull => write!(f, "Too many connections from your address"),
            Rejection::Banned => write!(f, "Your address is banned"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(connections_max: usize, per_address_max: usize) -> Admission {
        Admission::new(&Limits { connections_max, per_address_max, ..Limits::default() })
    }

    /// (5.18)
    #[test]
    fn one_address_fills_up_and_others_still_get_in() {
        let mut door = admission(100, 2);
        let [a, b] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse::<IpAddr>().unwrap());
        assert_eq!(
            [door.admit(a), door.admit(a), door.admit(a)],
            [Ok(()), Ok(()), Err(Rejection::AddressFull)]
        );
        assert_eq!(door.admit(b), Ok(()));
        door.release(a);
        assert_eq!(door.admit(a), Ok(()), "who leaves makes room");
        [a, a, b].into_iter().for_each(|address| door.release(address));
        assert!(door.by_address.is_empty(), "nothing is kept of those who left");
    }

    #[test]
    fn a_v6_household_counts_as_one_and_loopback_as_nobody() {
        let mut door = admission(100, 1);
        assert_eq!(door.admit("2001:db8::1".parse().unwrap()), Ok(()));
        assert_eq!(door.admit("2001:db8::2".parse().unwrap()), Err(Rejection::AddressFull));
        assert_eq!(door.admit("2001:db8:0:1::1".parse().unwrap()), Ok(()));
        for local in ["127.0.0.1", "127.0.0.1", "::1", "::1"] {
            assert_eq!(door.admit(local.parse().unwrap()), Ok(()));
        }
    }

    /// (5.17)
    #[test]
    fn the_house_fills_up() {
        let mut door = admission(1, 10);
        let local = "127.0.0.1".parse().unwrap();
        assert_eq!([door.admit(local), door.admit(local)], [Ok(()), Err(Rejection::Full)]);
        door.release(local);
        assert_eq!(door.admit(local), Ok(()));
    }
}
