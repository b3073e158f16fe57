//! Who may come in: how many connections there are, in all and from one address (5.17, 5.18).

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::limits::Limits;

/// Counts those inside.
#[derive(Debug)]
pub(super) struct Doorkeeper {
    connections: usize,
    connections_max: usize,
    per_address_max: usize,
    /// How many from each address but loopback.
    by_address: HashMap<IpNet, usize>,
}

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    AddressFull,
    Banned,
}

impl Refusal {
    /// Every reason, each at the place that it has as a number.
    pub(super) const ALL: [Refusal; 3] = [Refusal::Full, Refusal::AddressFull, Refusal::Banned];

    /// Its name among the figures.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Refusal::Full => "full",
            Refusal::AddressFull => "address_full",
            Refusal::Banned => "banned",
        }
    }
}

impl Doorkeeper {
    pub(super) fn new(limits: &Limits) -> Doorkeeper {
        Doorkeeper {
            connections: 0,
            connections_max: limits.connections_max,
            per_address_max: limits.per_address_max,
            by_address: HashMap::new(),
        }
    }

    /// Counts a connection from `address` in, or refuses it.
    pub(super) fn admit(&mut self, address: IpAddr) -> Result<(), Refusal> {
        if self.connections >= self.connections_max {
            return Err(Refusal::Full);
        }
        if !address.is_loopback() {
            let count = self.by_address.entry(household(address)).or_default();
            if *count >= self.per_address_max {
                return Err(Refusal::AddressFull);
            }
            *count += 1;
        }
        self.connections += 1;
        Ok(())
    }

    /// Counts a connection from `address` out.
    pub(super) fn release(&mut self, address: IpAddr) {
        self.connections -= 1;
        let household = household(address);
        if let Some(count) = self.by_address.get_mut(&household) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&household);
            }
        }
    }
}

/// The addresses that count as one: an IPv6 subscriber is given a /64 at least (RFC 6177).
pub(super) fn household(address: IpAddr) -> IpNet {
    let prefix_len = match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 64,
    };
    IpNet::new(address, prefix_len).map_or(address.into(), |network| network.trunc())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Full => write!(f, "The server is full, try again later"),
            Refusal::AddressFull => write!(f, "Too many connections from your address"),
            Refusal::Banned => write!(f, "Your address is banned"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doorkeeper(connections_max: usize, per_address_max: usize) -> Doorkeeper {
        Doorkeeper::new(&Limits { connections_max, per_address_max, ..Limits::default() })
    }

    /// (5.18)
    #[test]
    fn one_address_fills_up_and_others_still_get_in() {
        let mut door = doorkeeper(100, 2);
        let [a, b] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse::<IpAddr>().unwrap());
        assert_eq!(
            [door.admit(a), door.admit(a), door.admit(a)],
            [Ok(()), Ok(()), Err(Refusal::AddressFull)]
        );
        assert_eq!(door.admit(b), Ok(()));
        door.release(a);
        assert_eq!(door.admit(a), Ok(()), "who leaves makes room");
        [a, a, b].into_iter().for_each(|address| door.release(address));
        assert!(door.by_address.is_empty(), "nothing is kept of those who left");
    }

    #[test]
    fn a_v6_household_counts_as_one_and_loopback_as_nobody() {
        let mut door = doorkeeper(100, 1);
        assert_eq!(door.admit("2001:db8::1".parse().unwrap()), Ok(()));
        assert_eq!(door.admit("2001:db8::2".parse().unwrap()), Err(Refusal::AddressFull));
        assert_eq!(door.admit("2001:db8:0:1::1".parse().unwrap()), Ok(()));
        for local in ["127.0.0.1", "127.0.0.1", "::1", "::1"] {
            assert_eq!(door.admit(local.parse().unwrap()), Ok(()));
        }
    }

    /// (5.17)
    #[test]
    fn the_house_fills_up() {
        let mut door = doorkeeper(1, 10);
        let local = "127.0.0.1".parse().unwrap();
        assert_eq!([door.admit(local), door.admit(local)], [Ok(()), Err(Refusal::Full)]);
        door.release(local);
        assert_eq!(door.admit(local), Ok(()));
    }
}
